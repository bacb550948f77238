"""What fresh eyes found in the gradient check: wrong gradients that passed, right ones that did not."""

import math

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import OPS, GradientMismatch, check_gradient

WRONG = [
    ("beside 0, replayed", lambda x: mb.exp(1 + x), (0.0,), lambda x: 99.0),
    ("a bias of 0", lambda w, b: mb.tanh(w * 1.5 + b), (0.3, 0.0), lambda w, b: (1.5 / math.cosh(0.45) ** 2, -7.0)),
    ("an array of zeros", lambda w: ((w - 1) ** 2).sum(), (np.zeros(3),), lambda w: w * 5),
    ("a tiny input", lambda x: mb.exp(x) * 3, (1e-10,), lambda x: 3.00001),
    ("beside a large value", lambda x, y: x * 1e6 + mb.sin(y) * 1e-9, (1.0, 1.0), lambda x, y: (1e6, -5.403e-10)),
    ("a subnormal gradient", lambda x: 1e-310 * x, (0.7,), lambda x: 0.0),
    ("keys swapped", lambda p: p["a"] * p["b"] ** 2, ({"a": 2.0, "b": 3.0},), lambda p: {"a": 12.0, "b": 9.0}),
    ("beside a kink", lambda x: max(x - 1, 0.0), (1 + 1e-9,), lambda x: 0.0),
    ("an infinite slope", math.sqrt, (0.0,), lambda x: 5.0),
    ("an infinite slope of the other sign", math.cbrt, (0.0,), lambda x: -math.inf),
    ("a kink of the graph", mb.relu, (0.0,), lambda x: 7.0),
    ("a constant beside", lambda x: [x * x, 3.0], (1.0,), lambda x: [2.0, 1e-3]),
]


@pytest.mark.parametrize(("f", "inputs", "grad"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_gradients_do_not_pass(f, inputs, grad):
    with pytest.raises(GradientMismatch):
        check_gradient(f, *inputs, grad=grad)


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


RIGHT = [
    ("keys in another order", lambda p: p["a"] * p["b"] ** 2, ({"a": 2.0, "b": 3.0},), lambda p: {"b": 12.0, "a": 9.0}),
    ("cancellation", lambda x: (math.exp(x) - 1) / x, (1e-9,), lambda x: 0.5 + x / 3),
    ("a constant beside", lambda x: [x * x, 3.0], (1.0,), lambda x: [2.0, 1e-12]),
    ("a large period", math.sin, (1e8,), math.cos),
]


@pytest.mark.parametrize(("f", "inputs", "grad"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_right_gradients_pass(f, inputs, grad):
    assert check_gradient(f, *inputs, grad=grad, atol=1e-9).verdict in ("right", "ill-conditioned")


@pytest.mark.parametrize("seed", range(20))
def test_functions_in_32_bits(seed):
    logits = 10 * np.random.default_rng(seed).normal(size=5).astype(np.float32)
    assert check_gradient(softmax_loss, logits, grad=softmax_slope).verdict in ("right", "ill-conditioned")
    with pytest.raises(GradientMismatch):
        check_gradient(softmax_loss, logits, grad=lambda z: softmax_slope(z) + 0.5)


def test_shapes_and_keys_have_to_fit():
    with pytest.raises(ValueError, match=r"grad has shape \(4, 3\); the input that it belongs to has \(3, 4\)"):
        check_gradient(lambda W: float(W.sum()), np.ones((3, 4)), grad=lambda W: np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"grad has the keys \['b'\]; the input that it belongs to has \['a'\]"):
        check_gradient(lambda p: p["a"] * 2.0, {"a": 1.0}, grad=lambda p: {"b": 2.0})


@pytest.fixture
def rows():
    """Rows of one's own, forgotten afterwards."""
    known = set(OPS)
    yield
    for name in set(OPS) - known:
        del OPS[name]


def test_a_wrong_row_without_a_definition_is_named(rows):
    @mb.op(lambda x, out: 2 * x * x)
    def cubed(x):
        return x**3

    for f in (cubed, lambda x: mb.sin(cubed(x) * 2)):
        with pytest.raises(GradientMismatch, match="cubed"):
            check_gradient(f, 1.5)
    with pytest.raises(GradientMismatch):
        check_gradient(cubed, 1.5, mode="forward")


def test_a_row_that_shares_a_name_with_mpmath_is_its_own(rows):
    @mb.op(lambda x, out: 2 * x)
    def zeta(x):
        return x * x + 1

    assert check_gradient(zeta, 1.5).verdict == "right"


def test_a_wrong_slope_at_a_kink_of_a_row_of_ones_own(rows):
    @mb.op(lambda x, out: mb.where(x, mb.step(x), 5.0), kinks=(lambda x: x,))
    def ramp(x):
        return max(x, 0.0)

    assert check_gradient(ramp, 1.0).verdict == "right"
    with pytest.raises(GradientMismatch):
        check_gradient(ramp, 0.0)
