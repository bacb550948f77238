"""How far differences of values are trusted, and what rounding excuses in a derivative."""

import math

import numpy as np
import pytest
from mismatch import mismatch

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, check_gradient
from micrograd_bp.check.scales import slope_along


def naive_sigmoid_slope(x):
    s = 1 / (1 + math.exp(-x))
    return s * (1 - s)


@pytest.mark.parametrize(
    ("f", "x", "grad", "false"),
    [
        (mb.sigmoid, 40.0, naive_sigmoid_slope, 1e-10),
        (mb.tanh, 15.0, lambda x: 1 - math.tanh(x) ** 2, 1e-10),
        (mb.sin, math.pi / 2, lambda x: math.sin(x + math.pi / 2), 1e-6),
        (mb.sin, 1e8, lambda x: math.cos(x * (1 + 1e-16)), 0.0),
        (lambda x: mb.exp(1 + x), 0.0, lambda x: math.exp(1 + x), 2.7183),
        (lambda x: mb.tanh(x * 1e6) + mb.sin(x) * 1e-9, 1.0, lambda x: 1e-9 * math.cos(x), -1e-9 * math.cos(1)),
    ],
)
def test_rounding_excuses_what_it_can_do_and_no_more(f, x, grad, false):
    assert check_gradient(f, x, grad=grad).verdict in ("right", "ill-conditioned")
    mismatch(f, x, grad=lambda x: false)
    mismatch(f, x, grad=lambda x: 1.001 * grad(x) + 1e-6)


@pytest.mark.parametrize(
    ("f", "x", "slope", "false"),
    [
        (lambda x: (1 - math.cos(x)) / x**2, 1e-7, -1e-7 / 12, 1e8),
        (lambda x: (1 - math.cos(x)) / x**2, -1e-5, 1e-5 / 12, 1e6),
        (lambda x: (x - math.sin(x)) / x**3, 1e-6, -1e-6 / 60, 1e6),
        (lambda x: (math.exp(x) - 1) / x, 1e-12, 0.5, -1e12),
        (lambda x: math.log(1 + math.exp(x)), -37.0, 8.533047625744065e-17, 1e-12),
        (lambda x: float(np.sin(np.float32(x))), 1e5, math.cos(1e5), -math.cos(1e5)),
        (lambda x: math.floor(x), 100.3, 1.0, 5.0),
        (lambda x: x - math.floor(x), 100.3, 0.0, 1 / 6),
        (lambda x: round(x, 6), 0.3333333, 1.0, 2.0),
        (lambda x: round(x, 6), 0.5, 0.0, 2.0),
    ],
)
def test_a_tread_of_a_staircase_contradicts_only_what_the_stairs_do(f, x, slope, false):
    assert check_gradient(f, x, grad=lambda x: slope).verdict == "ill-conditioned"
    mismatch(f, x, grad=lambda x: false)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: round(math.sin(x), 5), 100.3, math.cos(100.3)),
        (lambda x: math.floor(1e5 * math.sin(x)) / 1e5, 100.3, math.cos(100.3)),
        (lambda x: float(np.sin(np.float32(x))) * 1.1, 100.3, 1.1 * math.cos(100.3)),
        (lambda x: math.exp(x) + 1e9 - 1e9, 1.0, math.e),
        (lambda x: float(f"{x * x:.9g}"), 1.0, 2.0),
    ],
)
def test_rounding_is_measured_and_errors_above_it_are_found(f, x, slope):
    assert check_gradient(f, x, grad=lambda x: slope).verdict in ("right", "ill-conditioned")
    mismatch(f, x, grad=lambda x: 1.01 * slope if f(x) != 1.0 else 1.3 * slope)


@pytest.mark.parametrize("k", [4, 5, 6])
def test_a_staircase_beside_a_step_does_not_contradict_the_slope(k):
    f = lambda x: math.floor(3 * x * 10**k) / 10**k  # noqa: E731
    assert check_gradient(f, 0.3333333, grad=lambda x: 3.0).verdict in ("right", "ill-conditioned")


@pytest.mark.parametrize("x", [0.3333333, 0.7, 1.3, 2.5])
@pytest.mark.parametrize(
    ("f", "slope"), [(np.sin, math.cos), (np.exp, math.exp), (np.square, lambda x: 2 * x)], ids=["sin", "exp", "square"]
)
def test_the_bound_of_the_error_holds_in_16_bits(f, slope, x):
    found = slope_along(lambda t: [float(f(np.float16(t)))], x)
    assert abs(found.value - slope(x)) <= found.error


@pytest.mark.parametrize(("f", "slope"), [(np.sin, math.cos), (np.square, lambda x: 2 * x)], ids=["sin", "square"])
def test_the_bound_of_the_error_is_no_excuse_in_32_bits(f, slope):
    for x in (0.7, 1.3):
        assert check_gradient(lambda t: float(f(np.float32(t))), x, grad=slope).verdict == "right"
        mismatch(lambda t: float(f(np.float32(t))), x, grad=lambda x: 1.01 * slope(x))


@pytest.mark.parametrize(("constant", "x"), [(1.0, 100.0), (1.0, -100.0), (7.0, 1000.0), (1.0, 1e6)])
def test_only_the_last_digit_of_a_constant_hides_a_slope(constant, x):
    """A sum like `1 + x - x` has a slope of some units in the last place, and no more."""
    digit = math.ulp(constant)
    assert check_gradient(lambda x: constant, x, grad=lambda x: digit).verdict == "ill-conditioned"
    mismatch(lambda x: constant, x, grad=lambda x: 30 * digit)
    mismatch(lambda x: constant, x, grad=lambda x: -30 * digit)


@pytest.mark.parametrize("false", [0.0, 2.0])
def test_one_jump_makes_no_staircase(false):
    mismatch(lambda x: 3 * x if x > 0 else 2 * x - 1, 1e-3, grad=lambda x: false)
    mismatch(lambda x: max(x - 1, 0.0), 1 + 1e-7, grad=lambda x: false)
    mismatch(lambda x: math.sin(1e4 * x), 0.7, grad=lambda x: false)


@pytest.mark.parametrize(
    ("f", "x", "slope", "verdict"),
    [
        (lambda x: math.sin(1e8 * x), 1e8, 1e8 * math.cos(1e16), "ill-conditioned"),
        (lambda x: (1 - math.cos(x)) / x**2, 1e-3, -1e-3 / 12, "ill-conditioned"),
        (lambda x: (1 - math.cos(x)) / x**2, 1e-3, math.nan, "wrong"),
        (lambda x: (math.exp(x) - 1) / x, -1e-6, 0.5, "right"),
        (lambda x: (math.exp(x) - 1) / x, -1e-6, 0.5015, "wrong"),
        (lambda x: math.tan(x) - math.sin(x), 1e-5, 1.5e-10, "right"),
        (lambda x: math.tan(x) - math.sin(x), 1e-5, 1.505e-10, "wrong"),
    ],
)
def test_differences_tell_no_more_than_they_see(f, x, slope, verdict):
    if verdict == "wrong":
        mismatch(f, x, grad=lambda x: slope)
    else:
        assert check_gradient(f, x, grad=lambda x: slope).verdict == verdict


def test_what_is_0_is_right_within_rounding():
    one = lambda x: mb.sin(x) ** 2 + mb.cos(x) ** 2  # noqa: E731
    report = check_gradient(one, 0.5, order=2, mode="both")
    assert any(finding.computed != 0.0 for finding in report.findings)
    assert report.verdict == "right"
    assert check_gradient(one, 0.7, grad=lambda x: 1e-16).verdict == "right"
    mismatch(one, 0.7, grad=lambda x: 1e-12)


def test_what_large_terms_hide_is_not_0():
    report = check_gradient(lambda y: y + 2 * (y / y), 2.5581033929648857e-117)
    assert report.findings[0].expected == 1.0


def softmax_loss(z):
    z = z.astype(np.float32)
    z = z - z.max()
    return -(z[2] - np.log(np.exp(z).sum()))


def softmax_slope(z):
    z = z.astype(np.float32)
    p = np.exp(z - z.max())
    p /= p.sum()
    p[2] -= 1
    return p


@pytest.mark.parametrize("seed", range(20))
def test_functions_in_32_bits(seed):
    logits = 10 * np.random.default_rng(seed).normal(size=5).astype(np.float32)
    assert check_gradient(softmax_loss, logits, grad=softmax_slope).verdict in ("right", "ill-conditioned")
    with pytest.raises(GradientMismatch):
        check_gradient(softmax_loss, logits, grad=lambda z: softmax_slope(z) + 0.5)


@pytest.mark.parametrize("x", [3e-215, 1e-94, 5e-8])
def test_steeper_than_differences_can_see_is_no_mistake(x):
    slope = mb.grad(lambda y: mb.pow(y, y))
    assert check_gradient(lambda y: float(mb.pow(y, y)), x, grad=slope).verdict in ("right", "ill-conditioned")
    assert check_gradient(math.sqrt, x, grad=lambda y: 0.5 / math.sqrt(y)).verdict in ("right", "ill-conditioned")


@pytest.mark.parametrize("x", [14.0, 13.5, -14.2, 12.4])
def test_slopes_that_90_digits_do_not_show(x):
    assert check_gradient(mb.erf, x).verdict == "right"


@pytest.mark.parametrize(
    ("f", "x", "kind", "slope"),
    [
        (lambda x: math.sin(x), 1.0, "smooth", math.cos(1.0)),
        (lambda x: mb.exp(1e4 * x), 0.0, "smooth", 1e4),
        (lambda x: math.log(x), 1e-200, "smooth", 1e200),
        (lambda x: math.sin(1e5 * x), 0.3, "smooth", 1e5 * math.cos(3e4)),
        (abs, 0.0, "kink", None),
        (lambda x: float(x > 0), 0.0, "jump", None),
        (lambda x: math.copysign(abs(x) ** 0.5, x), 0.0, "infinite", None),
        (lambda x: math.exp(x) if x >= 0 else math.nan, 0.0, "end", 1.0),
    ],
)
def test_differences_know_how_far_to_be_trusted(f, x, kind, slope):
    best = slope_along(lambda t: [f(t)] if x == 0 or t > 0 else [math.nan], x)
    assert best.kind == kind
    if slope is not None:
        assert best.error < 1e-4 * max(abs(slope), 1.0)
        assert abs(best.value - slope) <= 10 * best.error + 1e-12 * abs(slope)
