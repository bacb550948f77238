"""Losses: their numbers by their definitions, their gradients by the checker, their extremes."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import ShapeError, Value
from micrograd_bp.training.losses import LOSSES, cross_entropy, hinge, l2_penalty, loss_function, mean

A, Y = [0.25, -1.5, 0.75], [1.0, 0.0, 0.5]
DEFINITIONS = {
    "half_squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True)) / 2),
    "squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True))),
    "mean_squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True)) / 3),
    "binary_cross_entropy": (
        [0.7],
        [0.25],
        lambda a, y: (
            -y[0] * mpmath.log(1 / (1 + mpmath.exp(-a[0]))) - (1 - y[0]) * mpmath.log(1 - 1 / (1 + mpmath.exp(-a[0])))
        ),
    ),
    "cross_entropy": (
        A,
        [0.5, 0.25, 0.25],
        lambda a, y: (
            -mpmath.fsum(
                q * mpmath.log(mpmath.exp(p) / mpmath.fsum(map(mpmath.exp, a))) for p, q in zip(a, y, strict=True)
            )
        ),
    ),
    "hinge": (A, [1.0, -1.0, -1.0], lambda a, y: mpmath.fsum(max(0, 1 - p * q) for p, q in zip(a, y, strict=True))),
}


def test_all_losses_are_defined_here():
    assert set(DEFINITIONS) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_numbers_and_gradients(name):
    outputs, targets, definition = DEFINITIONS[name]
    with mpmath.workdps(30):
        truth = float(definition([mpmath.mpf(a) for a in outputs], [mpmath.mpf(y) for y in targets]))
    loss = loss_function(name)
    assert loss(outputs, targets) == pytest.approx(truth, rel=1e-15)
    assert loss([Value(a) for a in outputs], targets).data == pytest.approx(truth, rel=1e-15)
    assert mb.check_gradient(lambda *a: loss(a, targets), *outputs).verdict == "right"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.data())
def test_cross_entropy_is_finite_and_its_gradient_is_softmax_minus_target(logits, data):
    label = data.draw(st.integers(0, len(logits) - 1))
    values = [Value(z) for z in logits]
    loss = cross_entropy(values, label)
    assert math.isfinite(loss.data)
    loss.backward()
    with mpmath.workdps(30):
        total = mpmath.fsum(mpmath.exp(mpmath.mpf(z)) for z in logits)
        soft = [mpmath.exp(mpmath.mpf(z)) / total for z in logits]
    for j, (value, p) in enumerate(zip(values, soft, strict=True)):
        assert value.grad == pytest.approx(float(p) - (j == label), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LOSSES["squared_error"]([1.0], [1.0, 2.0]), ShapeError, "1 outputs and 2 targets"),
        (lambda: cross_entropy([1.0, 2.0], 2), ValueError, "class 2 does not exist"),
        (lambda: cross_entropy([1.0, 2.0], -1), ValueError, "class -1 does not exist"),
        (lambda: hinge(1.0, 0.0), ValueError, "−1 or 1, not 0"),
        (lambda: LOSSES["binary_cross_entropy"](1.0, 2.0), ValueError, "from 0 to 1, not 2"),
        (lambda: mean([]), ShapeError, "of no numbers is not defined"),
        (lambda: loss_function("cosine"), ValueError, "no loss 'cosine'; give half_squared_error"),
        (lambda: loss_function(3), TypeError, "a name or a function, not int"),
        (lambda: LOSSES["squared_error"]("ab", "cd"), TypeError, "numbers, Values or sequences of them, not str"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_penalty():
    w = [Value(1.0), Value(-2.0)]
    penalty = l2_penalty(w, 0.5)
    penalty.backward()
    assert (penalty.data, w[0].grad, w[1].grad) == (2.5, 1.0, -2.0)


def test_a_class_may_be_a_numpy_integer_and_there_has_to_be_one():
    assert cross_entropy([1.0, 2.0], np.int64(1)) == cross_entropy([1.0, 2.0], 1)
    with pytest.raises(ShapeError):
        cross_entropy([], 0)
