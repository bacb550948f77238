"""Every local derivative of every row, against its textbook definition at hundreds of digits, within its bound."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import excess, second_slope, true_slope, value_excess
from points import arguments, fixed

from micrograd_bp import OPS, Op, Value

EDGES = [(op, place) for op in OPS.values() for place in range(op.arity)]
edges = pytest.mark.parametrize(("op", "place"), EDGES, ids=[f"{op.name}-{op.arguments[place]}" for op, place in EDGES])


def local_grad(op: Op, place: int, args: list[float]) -> float:
    """What the engine records, with every argument a node."""
    grad = op(*(Value(x) for x in args)).local_grads[place]
    assert grad is not None
    return grad


def check(op: Op, place: int, args: list[float]) -> bool:
    """Assert the bound at one point; False where the row makes no claim."""
    if not math.isfinite(op.fn(*args)):
        return False
    error = excess(op, place, args, local_grad(op, place, args))
    if error is None:
        return False
    assert error <= 1.0, f"d {op.name} / d {op.arguments[place]} at {args}: {error:.3g} times the bound, {op.bound}"
    return True


@edges
@given(data=st.data())
def test_local_derivative_is_within_its_bound(op, place, data):
    check(op, place, data.draw(arguments(op)))


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
@given(data=st.data())
def test_value_is_within_the_bound(op, data):
    args = data.draw(arguments(op))
    error = value_excess(op, args, op.fn(*args))
    assert error is None or error <= 1.0, f"{op.name}{args} is off by {error:.3g} times the bound {op.bound}"


@edges
def test_fixed_points_make_claims(op, place):
    """The fixed points of the mutation test are inside the bound, and enough of them say something."""
    assert sum(check(op, place, args) for args in fixed(op)) >= 15


MUTATIONS = {
    "sign": lambda rule: lambda *a: -rule(*a),
    "a little more": lambda rule: lambda *a: rule(*a) * (1.0 + 1e-9),
    "an offset": lambda rule: lambda *a: rule(*a) + 1e-9,
    "the argument instead": lambda rule: lambda *a: a[0],
    "the value instead": lambda rule: lambda *a: a[-1],
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@edges
def test_a_mutated_rule_fails(op, place, mutation, change_op):
    """The check must be able to fail: each rule of each row, made wrong in five ways, is caught."""
    rules = list(op.partials)
    rules[place] = MUTATIONS[mutation](rules[place])
    points = [args for args in fixed(op) if math.isfinite(op.fn(*args))]
    same = all(rules[place](*a, op.fn(*a)) == op.partials[place](*a, op.fn(*a)) for a in points)
    if same:  # -0 for 0, out for exp': no mutation
        return
    change_op(op, partials=tuple(rules))
    with pytest.raises(AssertionError, match="times the bound"):
        _ = [check(op, place, args) for args in points]


def test_few_mutations_are_none():
    """How many of the mutations above change nothing: zero rules negated or scaled, and rules that are `out`."""
    none = 0
    for op, place in EDGES:
        for mutate in MUTATIONS.values():
            points = [args for args in fixed(op) if math.isfinite(op.fn(*args))]
            rule = op.partials[place]
            none += all(mutate(rule)(*a, op.fn(*a)) == rule(*a, op.fn(*a)) for a in points)
    assert none <= len(EDGES) * len(MUTATIONS) // 15


@pytest.mark.parametrize(
    ("name", "x", "slope"),
    [
        ("tanh", 20.0, 1.6993417021166355e-17),  # 1 - out**2 gives 0
        ("sigmoid", 40.0, 4.248354255291589e-18),  # out * (1 - out) gives 0
        ("softplus", -700.0, 9.859676543759770e-305),
        ("asin", 1 - 2**-53, 67108864.00000000),
        ("log1p", -1 + 2**-53, 9007199254740992.0),
    ],
)
def test_where_others_lose_their_digits(name, x, slope):
    """Saturation and the neighbourhood of poles, where derivatives written with `out` cancel."""
    assert local_grad(OPS[name], 0, [x]) == pytest.approx(slope, rel=1e-15)


def slope_of_slope(op: Op, place: int, other: int, args: list[float]) -> float:
    """The engine's d/d args[other] of the row's rule for args[place]: the rule is itself made into a graph."""
    nodes = [Value(x) for x in args]
    slope = op.partials[place](*nodes, op(*nodes))
    if isinstance(slope, Value):
        slope.backward()
    return nodes[other].grad


@edges
@pytest.mark.parametrize("other", range(3))
def test_second_derivatives(op, place, other):
    """Rules applied to nodes: their own derivatives are the second derivatives of the textbook definition."""
    if other >= op.arity:
        return
    claims = 0
    for args in fixed(op, 60):
        ordinary = all(x == 0.0 or 1e-3 < abs(x) < 20.0 for x in args) and math.isfinite(op.fn(*args))
        if not ordinary or any(abs(kink(*args)) < 1e-3 for kink in op.kinks):
            continue
        true = second_slope(op, place, other, args)
        if true is not None:
            claims += 1
            ours = slope_of_slope(op, place, other, args)
            assert ours == pytest.approx(true, rel=1e-9, abs=1e-12), (args, ours, true)
    assert claims >= 10


def test_third_derivative_of_tanh_at_zero_is_minus_two():
    """tanh' is 4 σ'(2x) and not an expression in abs or sign, which would make it 0."""
    tanh, h = OPS["tanh"], 1e-4
    second = [slope_of_slope(tanh, 0, 0, [x]) for x in (-h, 0.0, h)]
    assert second[1] == 0.0
    assert (second[2] - second[0]) / (2 * h) == pytest.approx(-2.0, rel=1e-6)


@example(1e-5)
@given(st.floats(-3, 3))
def test_the_oracle_knows_textbook_slopes(x):
    """The oracle itself, against slopes that are written down here."""
    assert float(true_slope(OPS["sin"], 0, [x])) == pytest.approx(math.cos(x), rel=1e-15)
    assert float(true_slope(OPS["atan"], 0, [x])) == pytest.approx(1 / (1 + x * x), rel=1e-15)


def test_bounds_beyond_the_usual_say_why():
    for op in OPS.values():
        assert (op.bound.ulps <= 4.0 and op.bound.shift == 0.0) or op.bound.why, op.name
