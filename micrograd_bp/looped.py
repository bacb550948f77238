"""`fit` by a loop in machine code. Imports epochs, resume, history, samples, optim and errors."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from micrograd_bp.epochs import Callback, call, counted, not_finite
from micrograd_bp.errors import TraceError
from micrograd_bp.history import History
from micrograd_bp.resume import restore, state_of
from micrograd_bp.samples import Sample


def train_by(
    loop: Any,
    run: Any,
    samples: Sequence[Sample],
    epochs: int,
    shuffle: random.Random,
    history: History,
    progress: bool | None,
    callbacks: Sequence[Callback],
) -> None:
    """Train by a loop that goes through many epochs at a time.

    TraceError, and the model as it was, where the cost is another in the end than that of the engine.
    """
    start, first, size = state_of(run.steps, shuffle), history.epochs, max(1, min(1000, epochs // 100))
    for count in counted(epochs, progress, history, 1 if callbacks else size):
        end, history.stopped = history.epochs + count, "epochs"
        while history.epochs < end and history.stopped == "epochs":
            _advance(loop, run, samples, end - history.epochs, shuffle, history)
        if history.stopped != "interrupted":
            call(callbacks, history)
        if history.stopped != "epochs":
            break
    ours, eager = loop.cost(), run.cost(samples).data
    if not math.isclose(ours, eager, rel_tol=1e-9, abs_tol=1e-12):
        restore(start, run.steps, shuffle)
        for numbers in (history.cost, history.gradient_norm, history.rate):
            del numbers[first:]
        raise TraceError(
            f"the cost is {eager!r}, but {ours!r} as it was compiled: the model or the loss decides by numbers that "
            "training moves, or draws them. Use where(condition, a, b), maximum, ... or leave out compiled=True; the "
            "model is as it was before"
        )


def _advance(
    loop: Any, run: Any, samples: Sequence[Sample], count: int, shuffle: random.Random, history: History
) -> None:
    """Up to so many epochs. Whatever ends them, the model is that of the last whole one."""
    before = state_of(run.steps, shuffle)
    try:
        costs, norms, rates, reason = loop.run(count)
    except BaseException as error:
        restore(before, run.steps, shuffle)
        if not isinstance(error, KeyboardInterrupt):
            raise
        history.stopped = "interrupted"
        return
    whole = len(costs) - (reason == "not finite")
    history.cost += costs[:whole]
    history.gradient_norm += norms[:whole]
    history.rate += rates[:whole]
    history.state = state_of(run.steps, shuffle)
    if reason == "not finite":
        raise not_finite(run.cost(samples), history)
    history.stopped = reason or "epochs"
