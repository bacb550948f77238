"""What is measured: functions of a list of numbers, of whatever kind, that every peer computes in the same order.

And steps of training, for the peers that have networks of their own.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

Rows = Any  # a namespace with relu, exp and log for the numbers


class Workload(NamedTuple):
    """A function of numbers and its inputs; `operations` as it is written, `repeat` times in one measurement.

    A workload with `steps` is that many steps of training one model over `samples` samples: the inputs are
    the parameters that the model begins with, and `f` is the loss of the model.
    """

    name: str
    says: str
    inputs: list[float]
    f: Callable[[Any, Rows], Any]
    operations: int
    repeat: int = 1
    steps: int = 0


def chain(numbers: Sequence[Any], rows: Rows) -> Any:
    """v = relu((v * y + x) * x), 2,500 times."""
    x, y = numbers
    v = x
    for _ in range(2_500):
        v = v * y
        v = v + x
        v = v * x
        v = rows.relu(v)
    return v


def moons(numbers: Sequence[Any], rows: Rows) -> Any:
    """micrograd's demo: the hinge loss of MLP 2-16-16-1 over 100 points, and an L2 penalty."""
    points, labels = _moons()
    losses = []
    for point, label in zip(points, labels, strict=True):
        layer: list[Any] = list(point)
        place = 0
        for width in (16, 16, 1):
            outputs = []
            for _ in range(width):
                total = numbers[place + len(layer)]
                for k, value in enumerate(layer):
                    total = total + numbers[place + k] * value
                place += len(layer) + 1
                outputs.append(rows.relu(total) if width > 1 else total)
            layer = outputs
        losses.append(rows.relu(1.0 + layer[0] * -label))
    penalty = numbers[0] * numbers[0]
    for p in numbers[1:]:
        penalty = penalty + p * p
    return _sum(losses) * 0.01 + penalty * 1e-4


@cache
def _moons() -> tuple[list[list[float]], list[float]]:
    draw = random.Random(1337)
    points = [[draw.gauss(0.0, 1.0), draw.gauss(0.0, 1.0)] for _ in range(100)]
    return points, [1.0 if x * y > 0 else -1.0 for x, y in points]


def squared_error(samples: int) -> Callable[[Any, Rows], Any]:
    """The loss of a model, which is called sample by sample, in the words of micrograd's users."""
    points, labels = (column[:samples] for column in _moons())

    def loss(model: Any, _: Rows) -> Any:
        scores = list(map(model, points))
        return sum((score - label) ** 2 for score, label in zip(scores, labels, strict=True)) * (1.0 / samples)

    return loss


def xor(numbers: Sequence[Any], rows: Rows) -> Any:
    """One epoch of the XOR network 2-2-1: (COST) over its four samples."""
    w11, w12, b1, w21, w22, b2, v1, v2, c = numbers

    def sigmoid(z: Any) -> Any:
        return 1.0 / (1.0 + rows.exp(-z))

    errors = []
    for x1, x2, y in ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)):
        a1, a2 = sigmoid(b1 + w11 * x1 + w12 * x2), sigmoid(b2 + w21 * x1 + w22 * x2)
        e = sigmoid(c + v1 * a1 + v2 * a2) - y
        errors.append(e * e * 0.5)
    return _sum(errors) * 0.25


def _sum(terms: Sequence[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def gpt(numbers: Sequence[Any], rows: Rows) -> Any:
    """The loss of one word in `demos/networks/gpt.py`, a graph of 60,000 values of numbers with exp, log, relu."""
    demo, letters = gpt_demo()
    following = iter(numbers)
    return demo.loss(demo.GPT(letters, leaf=lambda _: next(following)), "unicorn")


@cache
def gpt_demo() -> tuple[Any, list[str]]:
    """demos/networks/gpt.py and its letters. ImportError without matplotlib."""
    sys.path.append(str(Path(__file__).parent.parent))  # the folder that holds the package `demos`
    from demos.networks import gpt as demo

    return demo, sorted({demo.END, *"".join(demo.pictograph_words())})


@cache
def workloads() -> dict[str, Workload]:
    """All of them by name."""
    draw = random.Random(0)
    weights = [draw.uniform(-1.0, 1.0) for _ in range(337)]
    made = [
        Workload("chain", "10,000 operations * + * relu", [0.9, 0.5], chain, 10_000),
        Workload("moons", "MLP 2-16-16-1, a full-batch step over 100 points", weights, moons, 64_337),
        Workload(
            "step", "100 training steps of nn.MLP 2-16-16-1, one sample", weights, squared_error(1), 64_500, steps=100
        ),
        Workload(
            "batch", "10 training steps of nn.MLP 2-16-16-1, 8 samples", weights, squared_error(8), 51_500, steps=10
        ),
        Workload("xor", "100 epochs of XOR 2-2-1", [draw.uniform(0.0, 1.0) for _ in range(9)], xor, 112, 100),
    ]
    try:
        demo, letters = gpt_demo()
    except ImportError:  # the demo draws with matplotlib
        return {w.name: w for w in made}
    numbers: list[float] = []
    demo.GPT(letters, leaf=numbers.append)
    made.append(Workload("gpt", "a step of demos/networks/gpt.py without Adam, one word", numbers, gpt, 60_000))
    return {w.name: w for w in made}
