"""Derivatives of recorded functions, first and second, beside the engine's: to the bit, at kinks and zeros."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import BACKENDS, bits, raw

import micrograd_bp as mb
from micrograd_bp import Value, ops
from micrograd_bp.autodiff.tape import Tape, append_gradient
from micrograd_bp.check.strategies import expressions
from micrograd_bp.compiler.replay import Replay

AT_ZERO = [  # where an adjoint of the first derivative is exactly 0
    (lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2, (1.0, 1.0)),
    (lambda x, y: (mb.sqrt(x) - 2) ** 2 + y, (4.0, 0.0)),
    (lambda x, y: mb.sin(x) * mb.sin(y), (0.0, 0.0)),
    (lambda x, y: (x * y) ** 2, (0.0, 3.0)),
    (lambda x, y: mb.sqrt(x) * y, (0.0, 0.0)),
    (lambda x, y: mb.where(x, x * y * y, mb.sqrt(y)), (0.0, 0.0)),
    (lambda x, y: mb.relu(x * y - 6.0) + mb.maximum(x, y) ** 3, (2.0, 3.0)),
    (lambda x, y: mb.tanh(x * y) ** 2 * mb.exp(x - y), (0.0, 0.0)),
]


def same(ours, theirs):
    np.testing.assert_allclose(np.array(ours, dtype=float), np.array(theirs, dtype=float), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("f", "at"), AT_ZERO)
def test_second_derivatives_where_adjoints_are_zero(backend, f, at):
    compiled, expected = mb.compile(f, backend=backend), mb.hessian(f)(*at)
    same(compiled.hessian(*at), expected)
    for direction in ((1.0, 0.0), (0.5, -2.0)):
        if np.isfinite(expected).all():
            same(compiled.hvp(at, direction), np.array(expected) @ direction)


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), min_size=3, max_size=3))
def test_second_derivatives_at_round_numbers(point):
    def f(p):
        x, y, z = p
        return (x - y) ** 2 * z + mb.tanh(x * z) * mb.sin(y) + mb.relu(x) * (y - z) ** 2 + mb.exp(x * y * z)

    same(mb.compile(f).hessian(point), mb.hessian(f)(point))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("f", "at", "tangent"),
    [
        (lambda x, y: mb.pow(x, y), (-3.0, 2.0), (1.0, 0.0)),
        (lambda x, y: mb.where(x, 2 * x, mb.sqrt(y)), (1.0, 0.0), (1.0, 1.0)),
        (lambda x, y: mb.sqrt(x) + y, (0.0, 0.0), (0.0, 1.0)),
        (lambda x, y: mb.maximum(mb.sqrt(x), 1) * y, (0.0, 1.0), (1.0, 1.0)),
        (lambda x, y: mb.relu(-mb.sqrt(x)) + y, (0.0, 1.0), (1.0, 1.0)),
    ],
)
def test_tangents_that_do_not_move(backend, f, at, tangent):
    assert mb.compile(f, backend=backend).jvp(at, tangent) == mb.jvp(f, at, tangent)


@given(st.floats(-3, 3))
def test_sums_of_adjoints_are_in_the_order_of_backward(x):
    def f(x):
        a, b, c = mb.sin(x), mb.exp(x), x * x * x
        return c + (b + a)

    assert mb.compile(f).value_and_grad(x)[1] == mb.grad(f)(x)


@given(expressions())
def test_value_and_gradient_are_those_of_the_engine(expression):
    leaves = [Value(x) for x in expression.point]
    root = expression(*leaves)
    if not isinstance(root, Value):
        return
    root.backward()
    value, *gradient = Replay(raw(expression))(expression.point)
    assert bits([value]) == bits([root.data])
    for ours, leaf in zip(gradient, leaves, strict=True):
        size = max(abs(leaf.grad), sum(abs(c) for c in contributions(root, leaf)))
        assert ours == pytest.approx(leaf.grad, rel=1e-9, abs=1e-12 * size, nan_ok=True)


def contributions(root, leaf):
    """What is added up in the leaf's gradient: sums may be taken in another order."""
    order = mb.topological_order(root)
    adjoints = dict(zip(order, mb.adjoints(root, order), strict=True))
    for node in order:
        for arg, local in zip(node.args, node.local_grads, strict=True):
            if arg is leaf and local is not None and math.isfinite(adjoints[node] * local):
                yield adjoints[node] * local


def test_higher_derivatives():
    f = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))
    at = [1.5, 0.5]
    for direction in ([1.0, 0.0], [0.0, 1.0], [0.3, -2.0]):
        exact = np.array(mb.hessian(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))(at)) @ direction
        assert f.hvp((at,), (direction,)) == pytest.approx(exact.tolist(), rel=1e-13)
        value, slope = f.jvp((at,), (direction,))
        assert value == f(at)
        assert slope == pytest.approx(np.dot(mb.grad(f.f)(at), direction), rel=1e-13)


def test_zero_times_an_infinite_slope():
    """The slope of sqrt at 0 times a computed adjoint of 0 is nan, as in the engine; a constant 0 passes nothing."""
    f = mb.compile(lambda x, y: mb.sqrt(x) * y)
    slope, other = f.value_and_grad(0.0, 0.0)[1]
    assert math.isnan(slope)
    assert other == 0.0
    assert mb.compile(lambda x: mb.sqrt(x) * 0.0).value_and_grad(0.0) == (0.0, 0.0)
    assert f.value_and_grad(0.0, 2.0)[1][0] == math.inf
    g = mb.compile(lambda x: mb.where(x, x, mb.log(x)))
    assert g.value_and_grad(2.0) == (2.0, 1.0)


def test_appended_gradients_leave_what_was_recorded():
    tape = Tape()
    x = tape.input("x")
    y = tape.record(ops.square, (x,))
    before = (list(tape.ops), list(tape.args))
    append_gradient(tape, y, [x])
    assert (tape.ops[:2], tape.args[:2]) == before
