"""`check_gradient` at kinks, jumps, ends of a domain and infinite slopes: what passes there, and what does not."""

import math

import pytest
from mismatch import mismatch

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, check_gradient


@pytest.mark.parametrize("slope", [-math.inf, 0.0, 5.0])
@pytest.mark.parametrize("f", [mb.sqrt, lambda x: mb.sqrt(2 * x) + x, math.cbrt, math.sqrt])
def test_an_infinite_slope_has_one_sign(f, slope):
    assert check_gradient(f, 0.0, grad=lambda x: math.inf).verdict == "kink"
    mismatch(f, 0.0, grad=lambda x: slope)


@pytest.mark.parametrize(
    ("f", "right", "false"),
    [
        (lambda x: float(x > 0), [0.0, math.inf, 1e12, math.nan], [-math.inf, 5.0, -1e12]),
        (lambda x: -float(x >= 0), [0.0, -math.inf], [math.inf, -5.0]),
        (lambda x: x - math.floor(x), [1.0, -math.inf], [math.inf, 0.0, -1.0, 2.0]),
        (lambda x: x + 1 if x > 0 else 3 * x, [1.0, 2.0, 3.0, math.inf], [0.0, 4.0, -math.inf]),
        (lambda x: x + 1 if x > 0 else -8 * x, [1.0, -3.0, -8.0, math.inf], [2.0, -9.0, -math.inf]),
        (lambda x: 9 * x + 1 if x >= 0 else x, [1.0, 5.0, 9.0, math.inf], [0.0, 10.0, -math.inf]),
        (lambda x: math.tanh(1e15 * x) + x, [1e15 + 1.0], [0.0, 1.0, -1e15]),
        (lambda x: 1.0 if x == 0 else 2 * x, [0.0, 2.0, 5.0], []),
    ],
)
def test_slopes_at_a_jump(f, right, false):
    for slope in right:
        assert check_gradient(f, 0.0, grad=lambda x, slope=slope: slope).verdict in ("right", "kink")
    for slope in false:
        mismatch(f, 0.0, grad=lambda x, slope=slope: slope)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_slope_between_the_sides_of_a_kink_passes(slope):
    assert check_gradient(mb.relu, 0.0, grad=lambda x: slope).verdict == "kink"
    mismatch(mb.relu, 0.0, grad=lambda x: slope + 2.0)


@pytest.mark.parametrize("at", [0.0, 1.0, -3.0])
@pytest.mark.parametrize(
    ("left", "right"), [(-1.0, 1.0), (1.0, -1.0), (2.0, 3.0), (3.0, 2.0), (0.25, 1.0), (-5.0, 0.5), (-7.0, -4.0)]
)
def test_both_sides_of_a_kink_are_measured(at, left, right):
    def f(x):
        return (left if x < at else right) * (x - at) + 0.1 * (x - at) ** 2

    low, high = sorted((left, right))
    for slope in (low, high, 0.5 * (low + high)):
        assert check_gradient(f, at, grad=lambda x, slope=slope: slope).verdict == "kink"
    for slope in (low - 0.01, high + 0.01, math.nan):
        said = str(mismatch(f, at, grad=lambda x, slope=slope: slope))
        assert f"between {left:g} and {right:g}" in said
        assert f"{left:g} on the left and {right:g} on the right" in said


def test_a_convention_passes_where_it_is_no_slope():
    f = lambda x: mb.where(x, 2 * x, 5 * x)  # noqa: E731
    assert check_gradient(f, 0.0, grad=mb.grad(f)).verdict == "kink"
    mismatch(f, 0.0, grad=lambda x: 4.0)


@pytest.mark.parametrize(("slope", "said"), [(5.0, "outside the slopes 0 and 1"), (math.inf, "with finite slopes")])
def test_a_rule_that_is_wrong_at_its_kink(change_op, slope, said):
    change_op(mb.OPS["relu"], partials=(lambda x, out: slope,))
    assert said in str(mismatch(mb.relu, 0.0))


def test_a_wrong_slope_at_a_kink_of_a_row_of_ones_own(own_ops):
    @mb.op(lambda x, out: mb.where(x, mb.step(x), 5.0), kinks=(lambda x: x,))
    def ramp(x):
        return max(x, 0.0)

    assert check_gradient(ramp, 1.0).verdict == "right"
    with pytest.raises(GradientMismatch):
        check_gradient(ramp, 0.0)


@pytest.mark.parametrize("error", [KeyError, RuntimeError, IndexError, AssertionError])
def test_where_the_function_raises_it_ends(error):
    def f(x):
        if x > 1.2:
            raise error("beyond")
        return x * x

    assert check_gradient(f, 1.0, grad=lambda x: 2 * x).verdict == "right"
    with pytest.raises(error, match="beyond"):
        check_gradient(f, 2.0, grad=lambda x: 2 * x)


def test_both_derivatives_1_at_a_tie_are_too_much(change_op):
    assert check_gradient(mb.maximum, 2.0, 2.0).verdict == "kink"
    change_op(mb.OPS["maximum"], partials=(lambda x, y, out: 1.0, lambda x, y, out: 1.0))
    assert "together" in str(mismatch(mb.maximum, 2.0, 2.0))


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x, low: mb.clip(x, low, 2.0), (1.0, 1.0, 0.0)),
        (lambda x, high: mb.clip(x, -1.0, high), (1.0, 0.0, 1.0)),
    ],
)
def test_a_tie_of_two_of_three_arguments(change_op, f, at):
    assert check_gradient(f, 0.5, 0.5).verdict == "kink"
    change_op(mb.OPS["clip"], partials=tuple(lambda x, low, high, out, slope=slope: slope for slope in at))
    assert "together" in str(mismatch(f, 0.5, 0.5))
