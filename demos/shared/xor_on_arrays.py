"""The first tutorial's training from many random starts at once, by its closed-form formulas on NumPy's arrays.

The engine trains one network at a time. Here the formulas (3.2), (3.3), (3.5) and (3.6) run on arrays with one start in
each column, so that statistics over hundreds of starts take seconds. A test compares single columns with the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from demos.shared.xor import ALPHA, STOP, XOR_Y, X
from micrograd_bp.check.closed_form import sigma

Array = NDArray[np.float64]


class Result(NamedTuple):
    """How the training from each start ended.

    `stopped` counts the updates before the stop (-1: the stop was not reached), `outputs` has a line for each sample
    and a column for each start, and `cost` is the last sum of the errors.
    """

    stopped: NDArray[np.int64]
    outputs: Array
    cost: Array

    def reached(self) -> int:
        """Return how many starts reached the stop."""
        return int(np.sum(self.stopped >= 0))

    def classified(self, Y: Sequence[float] = XOR_Y) -> int:
        """Return how many starts give the right truth table, an output above 1/2 being a 1."""
        return int(np.sum(np.all((self.outputs > 0.5) == (np.array(Y)[:, None] > 0.5), axis=0)))


def draws(seeds: Sequence[int], sizes: Sequence[int] = (2, 2, 1)) -> tuple[list[Array], list[Array]]:
    """Return W[l] of shape (outputs, inputs, starts) and b[l] of shape (outputs, starts) at the start.

    They are uniform on [0, 1), but for the bias of the output, which is 0.1. They are drawn in the order of the
    tutorial's script: all W, then the hidden b.
    """
    W: list[list[Any]] = [[] for _ in sizes[1:]]
    b: list[list[Any]] = [[] for _ in sizes[1:]]
    for seed in seeds:
        draw = np.random.RandomState(seed)  # the legacy generator is the tutorial's
        for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
            W[layer].append(draw.uniform(size=(n_out, n_in)))
        for layer, n_out in enumerate(sizes[1:-1]):
            b[layer].append(draw.uniform(size=n_out))
        b[-1].append(np.array([0.1]))
    return [np.stack(layer, axis=-1) for layer in W], [np.stack(layer, axis=-1) for layer in b]


def train(
    seeds: Sequence[int],
    epochs: int = 30_000,
    *,
    Y: Sequence[float] = XOR_Y,
    sizes: Sequence[int] = (2, 2, 1),
    alpha: float = ALPHA,
) -> Result:
    """Train by full-batch gradient descent on (COST) from the draws of each seed, each until its own stop."""
    W, b = draws(seeds, sizes)
    count, m = len(seeds), len(X)
    stopped, outputs, cost = np.full(count, -1), np.empty((m, count)), np.empty(count)
    running = np.arange(count)
    y = np.array(Y)[:, None]
    inputs = np.array(X).T[:, :, None]  # (inputs, samples, 1)
    for epoch in range(epochs):
        a = [inputs]  # of each layer: (neurons, samples, starts)
        for W_l, b_l in zip(W, b, strict=True):
            a.append(sigma(b_l[:, None] + np.sum(W_l[:, :, None] * a[-1], axis=1)))
        error = a[-1][0] - y
        total = 0.5 * np.sum(error**2, axis=0)
        outputs[:, running], cost[running] = a[-1][0], total
        ended = total < STOP
        if ended.any():
            stopped[running[ended]] = epoch
            going = ~ended
            running, error = running[going], error[:, going]
            W, b = [W_l[..., going] for W_l in W], [b_l[..., going] for b_l in b]
            a = [a[0], *(a_l[..., going] for a_l in a[1:])]
            if not len(running):
                break
        dE_da = error[None]
        for layer in range(len(W) - 1, -1, -1):
            delta = dE_da * a[layer + 1] * (1.0 - a[layer + 1])
            if layer:
                dE_da = np.sum(delta[:, None] * W[layer][:, :, None], axis=0)
            W[layer] -= alpha / m * np.sum(delta[:, None] * a[layer], axis=2)
            b[layer] -= alpha / m * np.sum(delta, axis=1)
    return Result(stopped, outputs, cost)


def two_hundred_starts(sizes: Sequence[int] = (2, 2, 1), Y: Sequence[float] = XOR_Y) -> Result:
    """Return the result of 30,000 epochs from the seeds 0 to 199; it is computed once for each network and targets."""
    return _two_hundred_starts(tuple(sizes), tuple(Y))


@cache
def _two_hundred_starts(sizes: tuple[int, ...], Y: tuple[float, ...]) -> Result:
    return train(range(200), Y=Y, sizes=sizes)
