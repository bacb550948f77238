"""The cases of the first tutorial's section on XOR, and of its script."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import micrograd_bp as mb
from demos.shared import xor_on_arrays
from demos.shared.tutorial_networks import hand_set
from demos.shared.xor import GENERIC, TRAINED, XNOR_Y, XOR_Y, X
from demos.shared.xor import cost as xor_cost
from demos.shared.xor_on_arrays import two_hundred_starts
from demos.tutorials.cases.case import Case, Result
from micrograd_bp.nn import MLP


def counts(sizes: Sequence[int] = (2, 2, 1), Y: Sequence[float] = XOR_Y) -> str:
    """Say how many of them classify and how many reach the stop."""
    done = two_hundred_starts(sizes, Y)
    return f"of 200 random starts {done.classified(Y)} classify after 30,000 epochs, {done.reached()} reach the stop"


def _some(sizes: Sequence[int] = (2, 2, 1), Y: Sequence[float] = XOR_Y) -> Result:
    done = two_hundred_starts(sizes, Y)
    return ["yes" if done.reached() and done.classified(Y) else "no"]


@cache
def perceptrons() -> xor_on_arrays.Result:
    """Return how a single neuron ends on XOR from 50 starts."""
    return xor_on_arrays.train(range(50), 5_000, sizes=(2, 1))


def _outputs(model: MLP) -> list[float]:
    return [model(x).data for x in X]


def _script_gradient() -> Result:
    """Return dW1, dB1, dW2, dB2 over m as the script computes them, with its sigmoid_prime(activation)."""
    w11, w12, b1, w21, w22, b2, v1, v2, c = GENERIC
    total = np.zeros(9)
    for (x1, x2), y in zip(X, XOR_Y, strict=True):
        A1 = [1 / (1 + math.exp(-(w11 * x1 + w12 * x2 + b1))), 1 / (1 + math.exp(-(w21 * x1 + w22 * x2 + b2)))]
        A2 = 1 / (1 + math.exp(-(v1 * A1[0] + v2 * A1[1] + c)))
        out = (A2 - y) * A2 * (1 - A2)
        in1, in2 = out * A1[0] * (1 - A1[0]) * v1, out * A1[1] * (1 - A1[1]) * v2
        total += [in1 * x1, in1 * x2, in1, in2 * x1, in2 * x2, in2, out * A1[0], out * A1[1], out]
    return [float(d) for d in total / 4]


def _stored(bias: Any) -> Result:
    """Return what NumPy does when the sum of the bias gradients, of this shape, is subtracted from an element of B1."""
    B1 = np.zeros(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            B1[0] = B1[0] - (0.15 / 4) * bias[0]
        except (ValueError, DeprecationWarning) as error:
            return [type(error).__name__]
    return ["runs"]


XOR = (
    Case(
        "first/XOR-table",
        "0 0: 0; 1 0: 1; 0 1: 1; 1 1: 0",
        lambda: [f"{h:.0f}" for h in _outputs(hand_set([2, 2, 1], TRAINED))],
        lambda: ["0", "1", "1", "0"],
    ),
    Case(
        "first/XOR-not-separable",
        "we cannot separate the points by a straight line",
        lambda: ["not separable" if perceptrons().classified() == 0 else "separable"],
        lambda: ["not separable"],
        evidence=lambda: (
            f"of 50 perceptrons {perceptrons().classified()} classify; "
            f"the least sum of errors is {np.min(perceptrons().cost):.9f}"
        ),
    ),
    Case(
        "first/script-gradients",
        "dW1, dW2, dB1, dB2 of the script, over m   (sigmoid_prime takes the activation, not z)",
        lambda: list(mb.grad(xor_cost)(GENERIC)),
        _script_gradient,
    ),
    Case(
        "first/script-cost",
        "cost_j = cost_j + 1/2·(A2[0] − y[i])**2 ... if cost_j < 0.005",
        lambda: [xor_cost(GENERIC)],
        lambda: [4 * xor_cost(GENERIC)],
        "hard",
        "a sum, 4E, where (COST) is the mean: the stop is E < 0.00125, every error below 0.1",
    ),
    Case(
        "first/XOR-converges",
        "the predicted values correspond to the expected truth table and E has been minimised",
        _some,
        lambda: ["yes"],
        evidence=counts,
    ),
    Case(
        "first/deeper-network",
        "with a second intermediate layer it would converge towards the same result   (2-2-2-1)",
        lambda: _some((2, 2, 2, 1)),
        lambda: ["yes"],
        evidence=lambda: counts((2, 2, 2, 1)),
    ),
    Case(
        "first/stick-to-the-inputs",
        "the network output would stick to the inputs",
        lambda: [f"{h:.0f}" for h in _outputs(hand_set([2, 2, 1], TRAINED))],
        lambda: [f"{x1:.0f}" for x1, _ in X],
        "wording",
        "to the expected outputs",
    ),
    Case(
        "first/XNOR-learned",
        "a calculation by learning method is proposed below   (the script with the labels of XNOR)",
        lambda: _some((2, 2, 1), XNOR_Y),
        lambda: ["yes"],
        evidence=lambda: counts((2, 2, 1), XNOR_Y),
    ),
    Case(
        "first/script-epochs",
        "output calculated after 30000 epochs   (np.random.seed(3))",
        lambda: [str(two_hundred_starts().stopped[3] + 1)],
        lambda: ["30000"],
        "hard",
        "j + 1 epochs, and costs[: j + 1]: after the stop the curve is drawn as 0",
        evidence=lambda: f"{30_000 - 1 - two_hundred_starts().stopped[3]} costs of 0 are drawn",
    ),
    Case(
        "first/script-shape",
        "sum_dB1 = np.zeros((2,1)) ... B1[0] = B1[0] − (alpha/m)*sum_dB1[0]",
        lambda: _stored(np.ones(2)),
        lambda: _stored(np.ones((2, 1))),
        "hard",
        "np.zeros(2): NumPy warns of the conversion since 1.25 and refuses it since 2.4",
    ),
)
"""In the order of the tutorial."""
