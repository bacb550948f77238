"""The XOR network 2-2-1 of the first tutorial: its samples, its training, and its cost as a function of nine numbers.

The nine parameters stand in the order of `NAMES`, neuron by neuron: the weights, then the bias.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import micrograd_bp as mb
from demos.shared.surfaces import Point
from demos.shared.tutorial_networks import mean_cost
from micrograd_bp.cli.xor import STOP, X, error, tutorial_model
from micrograd_bp.cli.xor import Y as XOR_Y
from micrograd_bp.nn import MLP
from micrograd_bp.training.history import History

__all__ = ["ALPHA", "CHANGES", "GENERIC", "HAND_SET_XNOR", "NAMES", "START", "STOP", "TRAINED", "XNOR_Y", "XOR_Y", "X"]
__all__ += ["copies", "cost", "difference", "error", "exchange", "flip_unit", "output", "swap_units", "train"]
__all__ += ["tutorial_model", "xnor_cost"]

XNOR_Y = [1.0 - y for y in XOR_Y]
ALPHA = 0.15
"""The learning rate of the tutorial's script."""

NAMES = ("w1_11", "w1_12", "b1_1", "w1_21", "w1_22", "b1_2", "w2_11", "w2_12", "b2_1")
START = [p.data for p in tutorial_model(3).parameters()]
"""The parameters with which the tutorial's script begins after np.random.seed(3)."""

TRAINED = [5.849697, 5.860036, -2.456112, 3.813643, 3.81578, -5.842154, 7.6813, -8.305909, -3.478126]
"""The parameters with which that training ends, to six decimals."""

GENERIC = [0.3, -0.4, 0.25, 0.2, 0.6, 0.45, 0.7, -0.3, 0.15]
"""Parameters that are in no way special."""

HAND_SET_XNOR = [20.0, 20.0, -30.0, -20.0, -20.0, 10.0, 20.0, 20.0, -10.0]
"""The parameters that the tutorial sets by hand, so that the network computes XNOR."""


def train(model: MLP, epochs: int, *, compiled: bool = False) -> History:
    """Train the model on XOR as the tutorial's script does: full batch, learning rate `ALPHA`, stop at `STOP`.

    The script stops on the sum of the four errors, `fit` on their mean; hence the division.
    """
    stop = STOP / len(X)
    return mb.fit(
        model,
        X,
        XOR_Y,
        loss=error,
        learning_rate=ALPHA,
        epochs=epochs,
        stop_cost=stop,
        compiled=compiled,
        progress=False,
    )


# --- the cost ---------------------------------------------------------------------------------------------------------


def output(p: Sequence[Any], x: Sequence[float]) -> Any:
    """Return h(x) of the network with the parameters p, which are numbers of any kind."""
    w11, w12, b1, w21, w22, b2, v1, v2, b = p
    a1 = mb.sigmoid(b1 + w11 * x[0] + w12 * x[1])
    a2 = mb.sigmoid(b2 + w21 * x[0] + w22 * x[1])
    return mb.sigmoid(b + v1 * a1 + v2 * a2)


def cost(p: Sequence[Any], targets: Sequence[float] = XOR_Y) -> Any:
    """Return (COST) over the four samples, with the targets of XOR unless others are given.

    >>> cost([0.0] * 9)
    0.125
    """
    return mean_cost(lambda x: output(p, x), X, targets)


def xnor_cost(p: Sequence[Any]) -> Any:
    """Return (COST) with the targets of XNOR."""
    return cost(p, XNOR_Y)


# --- networks that compute the same -----------------------------------------------------------------------------------


def swap_units(p: Sequence[float]) -> Point:
    """Return p with both hidden units exchanged whole: incoming weights, biases and outgoing weights."""
    return [*p[3:6], *p[0:3], p[7], p[6], p[8]]


def flip_unit(p: Sequence[float], j: int) -> Point:
    """Return p with hidden unit j (1 or 2) giving 1 − a instead of a, and the output as before.

    σ(−z) = 1 − σ(z), and b + v a = (b + v) − v (1 − a).
    """
    q = list(p)
    for index in (3 * j - 3, 3 * j - 2, 3 * j - 1, 5 + j):
        q[index] = -q[index]
    q[8] = p[8] + p[5 + j]
    return q


def exchange(p: Sequence[float], one: str, other: str) -> Point:
    """Return p with two of its parameters exchanged; they are given by name."""
    q = dict(zip(NAMES, p, strict=True))
    q[one], q[other] = q[other], q[one]
    return list(q.values())


CHANGES: dict[str, Callable[[Sequence[float]], Point]] = {
    "as it is": list,
    "units 1 and 2 exchanged whole": swap_units,
    "sign flip of unit 1": lambda p: flip_unit(p, 1),
    "sign flip of unit 2": lambda p: flip_unit(p, 2),
    "as printed: w2_11 with w2_12": lambda p: exchange(p, "w2_11", "w2_12"),
    "as printed: w1_11 with w1_12": lambda p: exchange(p, "w1_11", "w1_12"),
    "as printed: w1_21 with w1_22": lambda p: exchange(p, "w1_21", "w1_22"),
}
"""The symmetries of the network, and the exchanges that the first tutorial prints as symmetries."""


def difference(p: Sequence[float], q: Sequence[float]) -> float:
    """Return the largest difference between the outputs of two networks on a grid of inputs from −3 to 4."""
    grid = [(i / 2, j / 2) for i, j in itertools.product(range(-6, 9), repeat=2)]
    return max(abs(float(output(p, x) - output(q, x))) for x in grid)


def copies(p: Sequence[float]) -> dict[str, Point]:
    """Return the 2! · 2² = 8 networks that have the outputs of p; each is named by what was done to p.

    >>> list(copies(TRAINED))[-2:]
    ['swap + flip 1', 'swap + flip 1 + flip 2']
    """
    steps = {"swap": swap_units, "flip 1": CHANGES["sign flip of unit 1"], "flip 2": CHANGES["sign flip of unit 2"]}
    made = {}
    for done in itertools.product((False, True), repeat=3):
        q, names = list(p), [name for name, is_done in zip(steps, done, strict=True) if is_done]
        for name in names:
            q = steps[name](q)
        made[" + ".join(names) or "as it is"] = q
    return made
