"""logaddexp at ties, far apart and at infinities: its derivatives of order 1 to 3 in every mode, against the logistic
function at 50 digits."""

import importlib.util
import math

import mpmath
import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import Value

INF = math.inf
BACKENDS = ("python", "native") if importlib.util.find_spec("llvmlite") else ("python",)
POINTS = [
    (0.0, 0.0),
    (3.0, 3.0),
    (-700.0, -700.0),
    (1e300, 1e300),
    (1.0, -0.5),
    (0.0, 1e-17),
    (20.0, -20.0),
    (-350.0, 350.0),
    (700.0, -700.0),
    (1.7e308, -1.7e308),
    (INF, 1.0),
    (-INF, 1.0),
    (2.0, -INF),
]


def true_orders(x, y):
    """The value and the first three derivatives by x: of d = x − y they are s, s(1 − s), s(1 − s)(1 − 2s)."""
    with mpmath.workdps(700):
        d = mpmath.mpf(x) - mpmath.mpf(y)
        s = 1 / (1 + mpmath.exp(-d)) if mpmath.isfinite(d) else mpmath.mpf(int(d > 0))
        value = max(x, y) + mpmath.log1p(mpmath.exp(-abs(d)))
        return [float(z) for z in (value, s, s * (1 - s), s * (1 - s) * (1 - 2 * s))]


def modes(x, y, f=mb.logaddexp):
    """Value and derivatives by x, as far as each mode goes."""
    along = lambda t: f(t, y)  # noqa: E731
    node = Value(x)
    root = f(node, Value(y))
    first = root.backward(create_graph=True)[node]
    graph = mb.grad(mb.grad(along))
    taylor = mb.taylor(along, x, 3)
    compiled = {name: mb.compile(along, backend=name) for name in BACKENDS}
    found = {
        "backward": [root.data, node.grad],
        "create_graph": [root.data, first.data],
        "grad": [f(x, y), mb.grad(along)(x), graph(x), mb.grad(graph)(x)],
        "forward": [f(x, y), *[mb.derivative(along, order)(x) for order in (1, 2, 3)]],
        "taylor": [taylor[0], taylor[1], 2 * taylor[2], 6 * taylor[3]],
        "hessian": [f(x, y), mb.grad(f)(x, y)[0], mb.hessian(f)(x, y)[0][0]],
        "mixed": [f(x, y), mb.grad(f)(x, y)[0], -mb.hessian(f)(x, y)[0][1]],
    }
    for name, program in compiled.items():
        found[name] = [program(x), program.value_and_grad(x)[1], program.hessian(x)[0][0]]
        values, slopes = program.batched(np.array([x] * 5), gradients="each")
        found[f"{name} lanes"] = [float(values[4]), float(np.asarray(slopes).ravel()[4])]
    return found


def assert_right(x, y, f=mb.logaddexp):
    expected = true_orders(x, y)
    for mode, orders in modes(x, y, f).items():
        for order, given in enumerate(orders):
            right = expected[order]
            assert given == pytest.approx(right, rel=1e-12 if abs(x - y) > 50 else 1e-14, abs=1e-17 * (order > 1)), (
                f"{mode}, order {order} at {x, y}: {given!r}, not {right!r}"
            )


@pytest.mark.parametrize(("x", "y"), [*POINTS, *[(y, x) for x, y in POINTS if x != y and math.isfinite(x)]])
def test_derivatives_in_every_mode(x, y):
    assert_right(x, y)


def test_the_composed_formula_fails_at_a_tie():
    def composed(x, y):
        return mb.maximum(x, y) + mb.log1p(mb.exp(-mb.abs(x - y)))

    with pytest.raises(AssertionError, match="order 2"):
        assert_right(3.0, 3.0, composed)


def test_check_gradient_and_formulas():
    assert mb.check_gradient(mb.logaddexp, 0.3, -1.2, order=2).verdict == "right"
    assert mb.check_gradient(mb.logaddexp, 2.0, 2.0, order=2).verdict == "right"
    x, y = Value(0.5, "x"), Value(0.25, "y")
    assert str(mb.formula(mb.logaddexp(x, y))) == "log(exp(x) + exp(y))"
