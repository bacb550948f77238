"""Derivatives of functions: both modes, nested in each other, against the textbook, on structures, with errors."""

import math
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import second_slope
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, DomainError, ShapeError, Value
from micrograd_bp.autodiff.dual import Dual
from micrograd_bp.autodiff.levels import Level
from micrograd_bp.autodiff.reverse import zero_times_infinity

finite = st.floats(-2, 2)


def ordinary(op):
    """Fixed points of a row where nothing is extreme and no kink is near."""
    for args in fixed(op, 60):
        usual = all(x == 0.0 or 1e-3 < abs(x) < 20.0 for x in args) and math.isfinite(op.fn(*args))
        if usual and not any(abs(kink(*args)) < 1e-3 for kink in op.kinks):
            yield args


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_forward_is_reverse(op):
    """Each row through Dual, through grad and through backward(): the same bits."""
    for args in ordinary(op):
        nodes = [Value(x) for x in args]
        op(*nodes).backward()
        recorded = [node.grad for node in nodes]
        reverse = mb.grad(lambda xs: op(*xs))(args)
        forward = [mb.jvp(op, args, [float(i == place) for i in range(op.arity)])[1] for place in range(op.arity)]
        assert all(a == b or (a != a and b != b) for a, b in zip(reverse, recorded, strict=True))
        assert forward == pytest.approx(recorded, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_hessians_of_rows(op):
    """Reverse over reverse, forward over reverse and forward over forward, against the textbook definition."""
    claims = 0
    for args in ordinary(op):
        hessian = mb.hessian(lambda xs: op(*xs))(args)
        for i in range(op.arity):
            direction = [float(i == place) for place in range(op.arity)]
            row = mb.hvp(lambda xs: op(*xs), (args,), (direction,))
            assert row == pytest.approx(hessian[i], rel=1e-12, abs=1e-13, nan_ok=True)
            twice = mb.jvp(lambda *xs, u=direction: mb.jvp(op, xs, u)[1], args, direction)[1]
            assert twice == pytest.approx(hessian[i][i], rel=1e-12, abs=1e-13, nan_ok=True)
            for j in range(op.arity):
                true = second_slope(op, i, j, args)
                if true is not None:
                    claims += 1
                    assert hessian[i][j] == pytest.approx(true, rel=1e-9, abs=1e-12), (args, i, j)
    assert claims >= 10


@given(finite, finite)
def test_modes_agree_on_a_composition(a, b):
    def f(x, y):
        return mb.tanh(x * y + 0.3) * mb.exp(-x * x) + (y - x).sigmoid() * mb.log(2.5 + mb.sin(x * 3))

    gradient = mb.grad(f)(a, b)
    assert mb.jvp(f, (a, b), (1.0, 0.0))[1] == pytest.approx(gradient[0], rel=1e-12, abs=1e-14)
    assert mb.jvp(f, (a, b), (0.0, 1.0))[1] == pytest.approx(gradient[1], rel=1e-12, abs=1e-14)
    h = np.array(mb.hessian(f)(a, b))
    np.testing.assert_allclose(h, h.T, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(mb.hvp(f, (a, b), (0.3, -0.7)), h @ [0.3, -0.7], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("order", range(7))
def test_high_orders(order):
    """tanh at 0.3, sigmoid, exp * sin: forward mode nested up to six times, against mpmath."""
    cases = {
        lambda x: x.tanh() if order else mb.tanh(x): mpmath.tanh,
        lambda x: mb.sigmoid(x): lambda x: 1 / (1 + mpmath.exp(-x)),
        lambda x: mb.exp(x) * mb.sin(x): lambda x: mpmath.exp(x) * mpmath.sin(x),
    }
    for ours, theirs in cases.items():
        with mpmath.workdps(60):
            true = float(mpmath.diff(theirs, mpmath.mpf(0.3), order))
        assert mb.derivative(ours, order)(0.3) == pytest.approx(true, rel=1e-11)


def test_third_derivative_of_tanh_at_zero():
    assert mb.derivative(mb.tanh, 3)(0.0) == -2.0
    assert mb.grad(mb.grad(mb.grad(lambda x: x.tanh())))(0.0) == -2.0


# --- no confusion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", [mb.derivative, mb.grad])
@pytest.mark.parametrize("inner", [mb.derivative, mb.grad])
def test_perturbations_are_not_confused(outer, inner):
    """d/dx (x d/dy (x + y)) is 1; with one perturbation for both it would be 2. Also where y is x itself."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x + y)(x))(1.0) == 1.0
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == 12.0
    assert outer(lambda x: inner(lambda y: x**3)(2.0))(1.0) == 0.0
    assert outer(lambda x: inner(lambda y: x * y)(2.0))(3.0) == 1.0


def test_three_levels_in_mixed_modes():
    """d/dx d/dy d/dz (x² y³ z⁴) in all eight orders of modes."""
    d = (mb.derivative, mb.grad)
    for a in d:
        for b in d:
            for c in d:
                value = a(lambda x, b=b, c=c: b(lambda y: c(lambda z: x**2 * y**3 * z**4)(1.5))(0.7))(1.1)
                assert type(value) is float
                assert value == pytest.approx(2 * 1.1 * 3 * 0.7**2 * 4 * 1.5**3, rel=1e-14)


def test_gradients_are_values_that_can_be_differentiated_again():
    x, y = Value(0.5), Value(2.0)
    out = (x * y).tanh() * x
    dx, dy = mb.gradients(out, [x, y])
    assert isinstance(dx, Value)
    out.backward()
    assert (dx.data, dy.data) == (x.grad, y.grad)
    (dxy,) = mb.gradients(dx, [y])
    (dyx,) = mb.gradients(dy, [x])
    assert dxy.data == pytest.approx(dyx.data, rel=1e-14)
    assert mb.gradients(x * 2, [y]) == [0.0]


def test_nobodys_grad_is_touched():
    w = Value(3.0)
    slope = mb.grad(lambda x: x * w * x)(2.0)
    assert (slope.data, w.grad, w.has_grad) == (12.0, 0.0, False)
    slope.backward()  # what it depends on beyond x is still there
    assert w.grad == 4.0


def test_an_adjoint_of_zero_keeps_its_edge():
    """(sqrt(x) - 2)² at 4: the inner adjoint is 0, the second derivative 0.125; and 0 * inf is 0."""
    assert mb.derivative(lambda x: (x.sqrt() - 2) ** 2, 2)(4.0) == 0.125
    assert mb.grad(mb.grad(lambda x: (x.sqrt() - 2) ** 2))(4.0) == 0.125
    assert mb.grad(lambda x: x.sqrt() * 0)(0.0) == 0.0
    assert mb.derivative(lambda x: x.sqrt() * 0)(0.0) == 0.0
    assert mb.grad(lambda x: mb.where(x, x.sqrt(), x * 3))(0.0) == 3.0


def test_rules_refuse_nothing_but_functions_do():
    assert mb.grad(lambda x: x.sqrt())(0.0) == math.inf
    assert mb.derivative(lambda x: x.sqrt())(0.0) == math.inf
    assert mb.hessian(lambda x, y: x**y)(0.0, 3.0)[0] == [0.0, 0.0]
    assert math.isnan(mb.hessian(lambda x, y: x**y)(-2.0, 3.0)[1][1])
    for differentiate in (mb.grad, mb.derivative):
        with pytest.raises(DomainError, match=r"log: x = -1\.0 is outside"):
            differentiate(lambda x: x.log())(-1.0)


# --- structures -------------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    x: float
    y: float


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (3.0, 6.0),
        (3, 6.0),
        ([1.0, 2.0], [2.0, 4.0]),
        ((1.0, [2.0, {"a": 3.0}]), (2.0, [4.0, {"a": 6.0}])),
        (Point(1.0, 2.0), Point(2.0, 4.0)),
        ({"w": [1.0], "b": 2.0}, {"w": [2.0], "b": 4.0}),
        ([], []),
    ],
)
def test_gradients_have_the_structure_of_the_argument(thing, expected):
    def squares(x):
        if isinstance(x, dict):
            return sum((squares(v) for v in x.values()), 0.0)
        return sum((squares(v) for v in x), 0.0) if isinstance(x, (list, tuple)) else x * x

    gradient = mb.grad(squares)(thing)
    assert gradient == expected
    assert type(gradient) is type(expected)


def test_arrays():
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    gradient = mb.grad(lambda x: x @ A @ x)(np.array([1.0, -2.0]))
    assert gradient.dtype == float
    np.testing.assert_allclose(gradient, 2 * A @ [1.0, -2.0])
    J = mb.jacobian(lambda x: np.tanh(A @ x))(np.array([0.1, 0.2]))
    assert J.shape == (2, 2)
    np.testing.assert_allclose(J, (1 - np.tanh(A @ [0.1, 0.2]) ** 2)[:, None] * A, rtol=1e-13)


def test_directional_derivatives():
    """D_u f = grad f . u: at most the gradient's length along it, 0 across it, the least against it."""

    def f(p):
        return p[0] ** 2 + 3 * p[1] ** 2

    point = [4.0, -4.0]
    gradient = mb.grad(f)(point)
    length = math.hypot(*gradient)
    along = mb.directional_derivative(f, point, gradient)
    assert along == pytest.approx(length, rel=1e-15)
    assert mb.directional_derivative(f, point, [-g for g in gradient]) == pytest.approx(-length, rel=1e-15)
    assert mb.directional_derivative(f, point, [gradient[1], -gradient[0]]) == pytest.approx(0.0, abs=1e-13)
    turned = [mb.directional_derivative(f, point, [math.cos(t), math.sin(t)]) for t in np.linspace(0, 6.3, 200)]
    assert max(turned) <= along


def test_where_0_meets_infinity():
    x, y = Value(0.0, "x"), Value(0.0, "y")
    root, power = x.cbrt(), y.sqrt()
    total = (mb.exp(x) * 2.0 + root**3) * 3.0 + (power * power).sin()
    assert [(e.node, e.index, e.adjoint, e.derivative) for e in zero_times_infinity(total)] == [
        (power, 0, 0.0, math.inf),
        (root, 0, 0.0, math.inf),
    ]
    assert zero_times_infinity(mb.exp(x) * y + mb.sqrt(x * 0.0 + 1.0)) == []
    assert zero_times_infinity(root + mb.where(0.0, power, x)) == []  # inf, and nothing that is not selected
    (only,) = zero_times_infinity(mb.where(1.0, root**2, power))
    assert str(only).startswith("0 · inf at d cbrt(x) / d x (adjoint 0.0, local derivative inf)")


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_directional_derivatives_of_operations(kind):
    assert mb.directional_derivative(mb.hypot, kind([3.0, 4.0]), kind([2.0, 0.0])) == pytest.approx(0.6, rel=1e-15)
    assert mb.directional_derivative(mb.where, kind([1.0, 2.0, 3.0]), kind([0.0, 3.0, 4.0])) == pytest.approx(0.6)
    assert mb.directional_derivative(mb.leaky_relu, kind([-2.0, 0.25]), kind([1.0, 0.0])) == 0.25
    assert mb.directional_derivative(mb.leaky_relu, kind([-2.0]), kind([3.0])) == 0.01  # the default slope


def test_products():
    def f(x, y):
        return {"a": x[0] * y, "b": [x[1] ** 2]}

    out, move = mb.jvp(f, ([2.0, 3.0], 5.0), ([1.0, 0.5], -1.0))
    assert (out, move) == ({"a": 10.0, "b": [9.0]}, {"a": 3.0, "b": [3.0]})
    out, pull_back = mb.vjp(f, [2.0, 3.0], 5.0)
    assert out == {"a": 10.0, "b": [9.0]}
    assert pull_back({"a": 1.0, "b": [2.0]}) == ([5.0, 12.0], 2.0)
    assert mb.value_and_grad(lambda x: 7.0)(1.0) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mb.grad(lambda x: [x, x])(1.0), TypeError, "returns one number, not list; see jacobian"),
        (lambda: mb.grad(lambda x: None)(1.0), TypeError, "a structure of numbers is needed, not NoneType"),
        (lambda: mb.grad(lambda x: x)("1"), TypeError, r"needed at \[0\], not str '1'"),
        (lambda: mb.grad(lambda x: x)([1.0, {"k": None}]), TypeError, r"needed at \[0\]\[1\]\['k'\], not NoneType"),
        (lambda: mb.grad(lambda x: x)(np.array(["a"])), TypeError, "not ndarray"),
        (lambda: mb.derivative(lambda x: x, -1), ValueError, "order is a whole number from 0 on, not -1"),
        (lambda: mb.derivative(lambda x: x, 1.5), ValueError, "not 1.5"),
        (
            lambda: mb.jvp(lambda x: x, (1.0,), (1.0, 2.0)),
            ShapeError,
            r"the tangents must have the structure of the argu",
        ),
        (lambda: mb.vjp(lambda x: [x], 1.0)[1](1.0), ShapeError, "the weights must have the structure of the result"),
        (lambda: mb.directional_derivative(lambda x: x, 1.0, 0.0), ValueError, "positive finite length, not 0.0"),
        (lambda: mb.directional_derivative(lambda x: x, 1.0, math.nan), ValueError, "not nan"),
        (lambda: mb.directional_derivative(lambda x: x, 1.0, -math.inf), ValueError, "not inf"),
        (lambda: mb.directional_derivative(mb.hypot, (1.0, 1.0), (1.7e308, 1.7e308)), ValueError, "not inf"),
        (lambda: mb.gradients(3.0, []), TypeError, "takes a Value, not float"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_duals_are_numbers():
    level = Level()
    x = Dual(2.0, 1.0, level)
    assert repr(x * 3) == f"Dual(6.0, 3.0, level={level.height})"
    assert x > 1.5
    assert f"{x:.1f}" == "2.0"
    assert (Dual(Value(4.0), 1.0, level)).data == 4.0
    with pytest.raises(TypeError, match="a number that is being differentiated is not converted to a float"):
        float(x)
    with pytest.raises(TypeError, match="real number is needed, not str"):
        x + "1"


# --- Taylor series ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_taylor_coefficients_of_rows(op):
    """Each row along each argument, to order 10, against mpmath."""
    for args in list(ordinary(op))[:4]:
        for place in range(op.arity):

            def along(x, m=None, place=place, args=args):
                moved = [mpmath.mpf(y) if m else y for y in args]
                moved[place] = x
                return op.exact(m, *moved) if m else op(*moved)

            ours = mb.taylor(along, args[place], 10)
            with mpmath.workdps(120):
                try:
                    true = mpmath.taylor(lambda x, along=along: along(x, mpmath), mpmath.mpf(args[place]), 10)
                except (ValueError, ZeroDivisionError):
                    continue  # the domain ends here
            if any(mpmath.im(c) for c in true) or math.isnan(ours[1]):
                continue  # nan: no derivative along this argument (the exponent of a negative number)
            scale = [float(abs(c)) for c in true]
            for k, (a, b) in enumerate(zip(ours, true, strict=True)):
                assert a == pytest.approx(float(b), rel=1e-9, abs=1e-12 * max(scale[: k + 1])), (args, place, k)


def test_taylor_of_compositions():
    assert mb.taylor(lambda x: 1 / (1 - x), 0.0, 10) == [1.0] * 11
    assert mb.taylor(lambda x: (x + 3) ** 3, 0.0, 4) == [27.0, 27.0, 9.0, 1.0, 0.0]
    exponential = mb.taylor(lambda x: mb.exp(x * 2), 0.0, 10)
    assert exponential == pytest.approx([2**k / math.factorial(k) for k in range(11)], rel=1e-14)
    high = mb.taylor(lambda x: mb.tanh(x * mb.sin(x)) / (1 + x * x), 0.4, 5)
    nested = [
        mb.derivative(lambda x: mb.tanh(x * mb.sin(x)) / (1 + x * x), k)(0.4) / math.factorial(k) for k in range(6)
    ]
    assert high == pytest.approx(nested, rel=1e-12)
    assert mb.taylor(lambda x: 7, 1.0, 2) == [7.0, 0.0, 0.0]
    assert mb.taylor(lambda x: 1 / x, -0.5, 0) == [-2.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mb.taylor(mb.exp, 0.0, 11), ValueError, "from 0 to 10, not 11"),
        (lambda: mb.taylor(mb.exp, 0.0, True), ValueError, "not True"),
        (lambda: mb.taylor(mb.log, -1.0, 2), DomainError, "log: x = -1.0 is outside"),
        (lambda: mb.taylor(lambda x: "1", 1.0, 2), TypeError, "not str"),
    ],
)
def test_taylor_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_backward_with_create_graph_gives_gradients_as_values():
    x, y = Value(3.0, "x"), Value(2.0, "y")
    slopes = (x * x * y).backward(create_graph=True)
    assert (x.grad, y.grad) == (12.0, 9.0)
    assert (slopes[x].data, slopes[y].data) == (12.0, 9.0)
    x.zero_grad()
    y.zero_grad()
    (slopes[x] + slopes[y]).backward()  # 2xy + x²
    assert (x.grad, y.grad) == (2 * 2 + 2 * 3, 2 * 3)
    assert (x * y).backward(seed=0.5, create_graph=True)[x].data == 1.0
    assert (x * y).backward() is None
    constant = (x * 0.0 + y).backward(create_graph=True)
    assert all(isinstance(slope, Value) for slope in constant.values())
    assert constant[y].data == 1.0
