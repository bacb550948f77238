"""The first tutorial's training from many random starts at once, by its closed-form formulas in NumPy.

The engine trains one network at a time; here the formulas (3.2), (3.3), (3.5), (3.6) run on arrays with a start in each
column, so that a statistic over hundreds of starts takes seconds. A test compares single columns with the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd_bp.cli.xor import STOP
from micrograd_bp.check.closed_form import sigma

Array = NDArray[np.float64]
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR, XNOR = (0.0, 1.0, 1.0, 0.0), (1.0, 0.0, 0.0, 1.0)


class Result(NamedTuple):
    """What became of each start: the updates made before the stop (-1: not reached), the outputs, the last cost."""

    stopped: NDArray[np.int64]
    outputs: Array
    cost: Array

    def reached(self) -> int:
        """How many reached the stop."""
        return int(np.sum(self.stopped >= 0))

    def classified(self, Y: Sequence[float] = XOR) -> int:
        """How many give the right truth table, at 1/2."""
        return int(np.sum(np.all((self.outputs > 0.5) == (np.array(Y)[:, None] > 0.5), axis=0)))


def draws(seeds: Sequence[int], sizes: Sequence[int] = (2, 2, 1)) -> tuple[list[Array], list[Array]]:
    """W[l] (outputs, inputs, starts) and b[l] (outputs, starts), uniform on [0, 1), the output's bias 0.1.

    Drawn in the order of the tutorial's script: all W, then the hidden b.
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
    Y: Sequence[float] = XOR,
    sizes: Sequence[int] = (2, 2, 1),
    alpha: float = 0.15,
) -> Result:
    """Full-batch gradient descent on (COST) from each seed's draws, each until its own stop."""
    W, b = draws(seeds, sizes)
    count, m = len(seeds), len(X)
    stopped, outputs, cost = np.full(count, -1), np.empty((m, count)), np.empty(count)
    running = np.arange(count)
    y = np.array(Y)[:, None]
    inputs = X.T[:, :, None]  # (inputs, samples, 1)
    for epoch in range(epochs):
        a = [inputs]
        for W_l, b_l in zip(W, b, strict=True):
            # sums neuron by neuron over (samples, starts): widths are tiny, starts are many
            a.append(
                sigma(
                    np.stack(
                        [
                            b_j + sum(w * a_k for w, a_k in zip(W_j, a[-1], strict=True))
                            for W_j, b_j in zip(W_l, b_l, strict=True)
                        ]
                    )
                )
            )
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
            dE_da = (
                np.stack([sum(d * w for d, w in zip(delta, W[layer][:, k], strict=True)) for k in range(sizes[layer])])
                if layer
                else dE_da
            )
            W[layer] -= alpha / m * np.stack([[np.sum(d * a_k, axis=0) for a_k in a[layer]] for d in delta])
            b[layer] -= alpha / m * np.sum(delta, axis=1)
    return Result(stopped, outputs, cost)
