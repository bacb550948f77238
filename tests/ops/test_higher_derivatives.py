"""The second and third derivatives of operations of one argument, in every mode, against the textbook definition."""

import math
import random

import modes
import pytest
from higher import excess, one_argument
from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp import OPS
from micrograd_bp.ops.table import HIGHER

ROWS = [op for op in OPS.values() if op.arity - len(op.defaults) == 1]
rows = pytest.mark.parametrize("op", ROWS, ids=[op.name for op in ROWS])
CURVED = [op for op in ROWS if not {op.name} & {"neg", "relu", "leaky_relu", "abs", "sign", "step"}]
LANES = 4.0  # how much wider the bound is in lanes, where each function may be off by some units in the last place
SECOND = {  # an order, and what times x the derivative of that order is near 0
    "tanh": (2, -2.0),
    "sigmoid": (2, -0.125),
    "softplus": (3, -0.125),
    "log_sigmoid": (3, 0.125),
    "asin": (2, 1.0),
    "acos": (2, -1.0),
    "atan": (2, -2.0),
    "atanh": (2, 2.0),
    "asinh": (2, -1.0),
    "erf": (2, -4.0 / math.sqrt(math.pi)),
    "silu": (3, -0.5),
    "gelu": (3, -4.0 / math.sqrt(2.0 * math.pi)),
}


def points(op, count, seed=0):
    """Numbers of every size in the domain, away from kinks."""
    draw = random.Random(f"{op.name} {seed}")
    found = []
    while len(found) < count:
        kind, sign = draw.random(), draw.choice((-1.0, 1.0))
        if kind < 0.4:
            x = draw.uniform(-4.0, 4.0)
        elif kind < 0.65:
            x = sign * 10.0 ** draw.uniform(-300.0, 0.0)
        elif kind < 0.85:
            x = draw.uniform(-720.0, 720.0)
        else:
            x = sign * 10.0 ** draw.uniform(0.0, 300.0)
        if one_argument(op).allows(x) and not one_argument(op).on_kink(x):
            found.append(x)
    return found


def check(op, count, seed=0, higher_than=0):
    """Assert the bound at some points in every mode; return the number of claims that were tested."""
    claims = 0
    for x in points(op, count, seed):
        for order in range(higher_than + 1, modes.MOST + 1):
            for mode, computed in modes.in_all_modes(one_argument(op), x, order).items():
                error = excess(one_argument(op), x, order, computed, HIGHER)
                if error is None:
                    break
                claims += 1
                what = f"derivative {order} of {op.name} at {x!r}, {mode}"
                assert error <= 1.0, f"{what}: {computed!r}, {error:.3g} times the bound, {HIGHER}"
    return claims


@rows
def test_higher_derivatives_are_within_the_bound(op):
    claims = check(op, 8)
    assert claims > 20 or op not in CURVED


@pytest.mark.slow
@rows
@pytest.mark.parametrize("seed", range(1, 4))
def test_higher_derivatives_are_within_the_bound_at_many_points(op, seed):
    check(op, 40, seed)


@needs_llvm
@pytest.mark.parametrize(
    "op", [op if op.name in SECOND else pytest.param(op, marks=pytest.mark.slow) for op in ROWS], ids=str
)
def test_machine_code_is_within_the_bound(op):
    numbers = points(op, 16)
    for order in range(1, modes.MOST + 1):
        found = modes.native(one_argument(op), numbers, order)
        for computed, wider in zip(found, (1.0, LANES), strict=True):
            for x, y in zip(numbers, computed, strict=True):
                error = excess(one_argument(op), x, order, y, HIGHER)
                assert error is None or error <= wider, (op, order, x, y, error)


@pytest.mark.parametrize("x", [1e-17, -1e-17, 1e-10, 1e-300, 1e-8])
@pytest.mark.parametrize("name", SECOND)
def test_odd_derivatives_near_zero(name, x):
    order, slope = SECOND[name]
    for mode, computed in modes.in_all_modes(OPS[name], x, order).items():
        assert computed == pytest.approx(slope * x, rel=1e-14, abs=1e-320), mode


EDGES = [  # one-sided limits at an end of the domain; where the sides differ there is none
    ("sqrt", 0.0, (math.inf, -math.inf, math.inf)),
    ("sqrt", -0.0, (math.inf, -math.inf, math.inf)),
    ("asin", 1.0, (math.inf, math.inf, math.inf)),
    ("asin", -1.0, (math.inf, -math.inf, math.inf)),
    ("acos", 1.0, (-math.inf, -math.inf, -math.inf)),
    ("acos", -1.0, (-math.inf, math.inf, -math.inf)),
    ("acosh", 1.0, (math.inf, -math.inf, math.inf)),
    ("cbrt", 0.0, (math.inf, math.nan, math.nan)),
    ("cbrt", -0.0, (math.inf, math.nan, math.nan)),
    ("silu", math.inf, (1.0, 0.0, 0.0)),
    ("silu", -math.inf, (0.0, 0.0, 0.0)),
    ("gelu", math.inf, (1.0, 0.0, 0.0)),
    ("gelu", -math.inf, (0.0, 0.0, 0.0)),
    ("gelu", -1e200, (0.0, 0.0, 0.0)),
    ("leaky_relu", math.nan, (math.nan, 0.0, 0.0)),
    ("elu", math.nan, (math.nan, math.nan, math.nan)),
]


@pytest.mark.parametrize(("name", "x", "derivatives"), EDGES, ids=[f"{name}-{x}" for name, x, _ in EDGES])
def test_limits_at_edges(name, x, derivatives):
    for order, expected in enumerate(derivatives, start=1):
        found = modes.in_all_modes(one_argument(OPS[name]), x, order)
        assert found == pytest.approx(dict.fromkeys(found, expected), nan_ok=True), order


def test_derivatives_by_a_parameter_of_an_activation_agree_at_the_kink():
    """d²/dx dslope and d²/dslope dx: both are of the side of the kink that the convention chooses."""
    assert mb.hessian(mb.leaky_relu)(0.0, 0.1) == [[0.0, 1.0], [1.0, 0.0]]
    assert mb.hessian(mb.elu)(0.0, 2.0) == [[2.0, 1.0], [1.0, 0.0]]
    for op in (mb.leaky_relu, mb.elu):
        assert math.isnan(mb.grad(op)(math.nan, 0.5)[1])


@pytest.mark.parametrize("op", CURVED, ids=[op.name for op in CURVED])
def test_a_rule_whose_second_derivative_is_off_fails(op, change_op):
    """The check can fail: a term of 1e-9 in the rule, whose value is 0 and whose derivatives are not."""
    (rule, *others) = op.partials
    change_op(op, partials=(lambda *a: rule(*a) * (1.0 + 1e-9 * mb.sin(1e3 * a[0])), *others))
    with pytest.raises(AssertionError, match="times the bound"):
        check(op, 40, higher_than=1)


@pytest.mark.parametrize("x", [0.3, 1.0, 2.0, 1e100])
def test_pow_at_the_exponent_0_is_the_function_around_it(x):
    """x**y = exp(y · log x): the branch of the rule at y = 0 has the same derivatives of every order."""
    powers, exponentials = (lambda t: (x + t) ** t), (lambda t: mb.exp(t * mb.log(x + t)))
    assert mb.taylor(powers, 0.0, 4) == pytest.approx(mb.taylor(exponentials, 0.0, 4), rel=1e-12)
    for f in (powers, lambda t: (x + t) ** (t * t)):
        third = mb.grad(mb.grad(mb.grad(f)))(0.0)
        assert mb.derivative(f, order=3)(0.0) == third == 6.0 * mb.taylor(f, 0.0, 3)[3]
