"""The gradient check, reviewed again: excuses that were none, alarms without a fire, gradients matched by what they
belong to."""

import math

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, check_gradient


def wrong(*args, **kwargs):
    with pytest.raises(GradientMismatch) as caught:
        check_gradient(*args, **kwargs)
    return caught.value


def test_second_derivatives_that_cancel_exactly():
    def one(x, y):
        doubled = 2 * ((x + y) * (x + y) + x)
        return doubled / doubled

    report = check_gradient(one, 1.0, -1.0, order=2, mode="both")
    assert report.verdict in ("right", "ill-conditioned")
    assert all(finding.expected == 0.0 for finding in report.findings)


@pytest.mark.parametrize("slope", [-math.inf, 0.0, 5.0])
@pytest.mark.parametrize("f", [mb.sqrt, lambda x: mb.sqrt(2 * x) + x, math.cbrt, math.sqrt])
def test_an_infinite_slope_has_one_sign(f, slope):
    assert check_gradient(f, 0.0, grad=lambda x: math.inf).verdict == "kink"
    wrong(f, 0.0, grad=lambda x: slope)


def test_second_derivatives_that_differ_on_the_two_sides():
    assert check_gradient(lambda x: mb.elu(x, 1.0), 0.0, order=2, mode="both").verdict == "kink"
    assert check_gradient(lambda alpha, x: mb.elu(x, alpha), 1.0, 0.0, order=2).verdict == "kink"
    assert check_gradient(lambda x: x**3 + x, 0.0, order=2).verdict == "right"


TWO = {"a": 2.0, "b": 3.0}
PAIR = lambda p: [p["a"] * p["b"], p["a"] + 2 * p["b"]]  # noqa: E731
SQUARES = lambda w: sum(x * x for row in w for x in row)  # noqa: E731
SUM = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("f", "inputs", "grad"),
    [
        (PAIR, (TWO,), [{"b": 2.0, "a": 3.0}, {"b": 2.0, "a": 1.0}]),
        (lambda p: dict(zip("uv", PAIR(p), strict=True)), (TWO,), {"v": {"a": 1.0, "b": 2.0}, "u": {"b": 2.0, "a": 3}}),
        (lambda p, q: p["a"] * q["x"] * p["b"], (TWO, {"x": 1.0}), ({"b": 2.0, "a": 3.0}, {"x": 6.0})),
        (lambda x: SUM @ x, (np.ones(3),), SUM),
        (lambda m: m @ np.eye(2), (np.ones((2, 2)),), np.eye(4).reshape(2, 2, 2, 2)),
        (lambda m: m @ np.eye(2), (np.ones((2, 2)),), np.eye(4)),
        (SQUARES, ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],), np.array([[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]])),
        (lambda x: (x * x).sum(), (np.ones(3),), (2 * np.ones(3),)),
        (lambda p: p["a"] * p["b"], (TWO,), ({"b": 2.0, "a": 3.0},)),
        (lambda p: p[0] * p[1]["a"], ([2.0, {"a": 3.0}],), ([3.0, {"a": 2.0}],)),
        (lambda p: p[0][0] * p[0][1], ([[2.0, 3.0]],), ([[3.0, 2.0]],)),
        (lambda p: p[0] * p[0], ([2.0],), 4.0),
    ],
)
def test_derivatives_are_matched_by_what_they_belong_to(f, inputs, grad):
    assert check_gradient(f, *inputs, grad=lambda *_: grad).verdict == "right"


def test_rows_of_dicts_are_matched_by_key():
    wrong(PAIR, TWO, grad=lambda p: [{"b": 3.0, "a": 2.0}, {"b": 1.0, "a": 2.0}])


@pytest.mark.parametrize(
    ("f", "inputs", "grad", "said"),
    [
        (PAIR, (TWO,), [{"a": 3.0, "b": 2.0}, {"a": 1.0, "c": 2.0}], r"grad\[1\] has the keys \['a', 'c'\]; .* 'b'\]"),
        (PAIR, (TWO,), {"a": [3.0, 1.0], "b": [2.0, 2.0]}, "a row is needed for each number"),
        (lambda p: p["a"] * p["b"], (TWO,), [3.0, 2.0], r"no keys, it is a list; the input .* has \['a', 'b'\]"),
        (lambda p: p[0]["a"] * p[1], ([{"a": 2.0}, 3.0],), {"a": 3.0, "b": 2.0}, "has none, it is a list"),
        (SQUARES, (np.ones((3, 4)),), np.ones((4, 3)).tolist(), r"shape \(4, 3\); .* has \(3, 4\)"),
        (SQUARES, ([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]],), np.ones((2, 3)), r"shape \(2, 3\); .* has \(3, 2\)"),
        (SQUARES, (np.ones((3, 4)),), np.ones(12), r"shape \(12,\); .* has \(3, 4\)"),
        (lambda w, b: w @ b + b[0], (np.ones(3), np.ones(3)), (np.ones((3, 1)), np.ones(3)), r"grad\[0\] has shape"),
        (lambda x: SUM @ x, (np.ones(3),), SUM.T, r"grad has shape \(3, 2\); a row is needed for each of the 2"),
    ],
)
def test_derivatives_that_belong_to_something_else(f, inputs, grad, said):
    with pytest.raises(ValueError, match=said):
        check_gradient(f, *inputs, grad=lambda *_: grad)


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
    wrong(f, x, grad=lambda x: false)
    wrong(f, x, grad=lambda x: 1.001 * grad(x) + 1e-6)


@pytest.mark.parametrize(
    ("f", "right", "false"),
    [
        (lambda x: float(x > 0), [0.0, math.inf, 1e12, math.nan], [-math.inf, 5.0, -1e12]),
        (lambda x: -float(x >= 0), [0.0, -math.inf], [math.inf, -5.0]),
        (lambda x: x - math.floor(x), [1.0, -math.inf], [math.inf, 0.0, -1.0, 2.0]),
        (lambda x: x + 1 if x > 0 else 3 * x, [1.0, 2.0, 3.0, math.inf], [0.0, 4.0, -math.inf]),
        (lambda x: math.tanh(1e15 * x) + x, [1e15 + 1.0], [0.0, 1.0, -1e15]),
        (lambda x: 1.0 if x == 0 else 2 * x, [0.0, 2.0, 5.0], []),
    ],
)
def test_slopes_at_a_jump(f, right, false):
    for slope in right:
        assert check_gradient(f, 0.0, grad=lambda x, slope=slope: slope).verdict in ("right", "kink")
    for slope in false:
        wrong(f, 0.0, grad=lambda x, slope=slope: slope)


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
    wrong(f, x, grad=lambda x: false)


@pytest.mark.parametrize("false", [0.0, 2.0])
def test_one_jump_makes_no_staircase(false):
    wrong(lambda x: 3 * x if x > 0 else 2 * x - 1, 1e-3, grad=lambda x: false)
    wrong(lambda x: max(x - 1, 0.0), 1 + 1e-7, grad=lambda x: false)
    wrong(lambda x: math.sin(1e4 * x), 0.7, grad=lambda x: false)


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
        wrong(f, x, grad=lambda x: slope)
    else:
        assert check_gradient(f, x, grad=lambda x: slope).verdict == verdict


def test_what_is_0_is_right_within_rounding():
    one = lambda x: mb.sin(x) ** 2 + mb.cos(x) ** 2  # noqa: E731
    report = check_gradient(one, 0.5, order=2, mode="both")
    assert any(finding.computed != 0.0 for finding in report.findings)
    assert report.verdict == "right"
    assert check_gradient(one, 0.7, grad=lambda x: 1e-16).verdict == "right"
    wrong(one, 0.7, grad=lambda x: 1e-12)


@pytest.mark.parametrize(("f", "at"), [(lambda x: x * (1 / x), (1e-130,)), (lambda x, y: x / y, (1e130, 1e130))])
def test_second_derivatives_on_the_way_to_which_numbers_leave_the_range(f, at):
    assert check_gradient(f, *at, order=2).verdict == "ill-conditioned"


def test_second_derivatives_added_up_wrongly(monkeypatch):
    adjoints = mb.check.run.adjoints
    monkeypatch.setattr(mb.check.run, "adjoints", lambda root, leaves: [2 * x for x in adjoints(root, leaves)])
    assert wrong(lambda x: mb.sin(x) * x, 0.5, order=2).kind == "wrong accumulation"


def test_second_derivatives_by_differences_are_held_against_them(own_ops):
    @mb.op(lambda x, out: 2.0 * (x if isinstance(x, float) else 3.0))
    def squared(x):
        return x * x

    assert check_gradient(squared, 3.0).method == "differences"
    assert "d² f / d (x, x)" in str(wrong(squared, 3.0, order=2))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_slope_between_the_sides_of_a_kink_passes(slope):
    assert check_gradient(mb.relu, 0.0, grad=lambda x: slope).verdict == "kink"
    wrong(mb.relu, 0.0, grad=lambda x: slope + 2.0)


def test_a_convention_passes_where_it_is_no_slope():
    f = lambda x: mb.where(x, 2 * x, 5 * x)  # noqa: E731
    assert check_gradient(f, 0.0, grad=mb.grad(f)).verdict == "kink"
    wrong(f, 0.0, grad=lambda x: 4.0)


@pytest.mark.parametrize(("slope", "said"), [(5.0, "outside the slopes 0 and 1"), (math.inf, "with finite slopes")])
def test_a_rule_that_is_wrong_at_its_kink(change_op, slope, said):
    change_op(mb.OPS["relu"], partials=(lambda x, out: slope,))
    assert said in str(wrong(mb.relu, 0.0))


def test_a_gradient_that_changes_its_inputs():
    def grad(w):
        w *= 2.0
        return w

    assert wrong(lambda w: (w * w).sum(), np.ones(2), grad=grad).kind == "inputs changed"


def test_what_large_terms_hide_is_not_0():
    report = check_gradient(lambda y: y + 2 * (y / y), 2.5581033929648857e-117)
    assert report.findings[0].expected == 1.0


def test_what_the_function_does_not_use_is_told():
    read, unread = mb.Value(2.0, "read"), mb.Value(3.0, "unread")
    report = check_gradient(lambda x, y: [x * read, read * 0.0], 1.5, 4.0, wrt=[read, unread])
    told = {finding.name for finding in report.findings if finding.reason == "the function does not use it"}
    assert told == {"y", "unread"}
    assert report.verdict == "right"
    assert "d f[0] / d unread = 0.0, expected 0.0  (the function does not use it)" in str(report)
