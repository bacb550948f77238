"""`fit`: gradient descent on a model, batch by batch.

Imports engine, losses, optim, history, resume, settings, samples, epochs, looped and workers.

Whatever ends it, the model is as it was after the last whole epoch, and the history says what was done.
"""

from __future__ import annotations

import importlib
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from micrograd_bp.engine import Value
from micrograd_bp.epochs import Callback, call, counted, not_finite
from micrograd_bp.history import History
from micrograd_bp.looped import train_by
from micrograd_bp.losses import Loss, l2_penalty, loss_function, mean
from micrograd_bp.op import Operand, short
from micrograd_bp.optim import Optimiser, clip_gradient, gradient_norm
from micrograd_bp.resume import restore, resume_from, state_of
from micrograd_bp.samples import Sample, paired
from micrograd_bp.settings import check_settings, optimiser_for, whole_number
from micrograd_bp.workers import Workers
from micrograd_bp.workers import workers as workers_for


def fit(
    model: Any,
    X: Sequence[Any],
    Y: Sequence[Any],
    *,
    loss: str | Loss = "half_squared_error",
    optimiser: str | Optimiser = "gradient_descent",
    learning_rate: float = 0.1,
    epochs: int = 100,
    batch: int | Literal["full"] = "full",
    seed: int | None = 0,
    stop_cost: float | None = None,
    stop_gradient: float | None = None,
    l2: float = 0.0,
    clip: float | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | None = None,
    resume: History | None = None,
    workers: int | None = None,
    compiled: bool = False,
) -> History:
    """Train `model` on samples `X` with targets `Y`; returns the history.

    `batch`          "full", or so many samples per step (1: stochastic descent), drawn anew each epoch by `seed`
    `optimiser`      a name, with `learning_rate`, or an Optimiser of the model's parameters
    `stop_cost`      ends where an epoch's cost is below it; `stop_gradient` where the gradient's length is. With a full
                     batch both are tested before the step, so that the model is the one whose cost is told
    `l2`             this times the sum of the squared parameters is added to the cost
    `clip`           a gradient longer than this is shortened to it
    `callbacks`      are called with (epoch, history) after each; one that returns True ends the training
    `progress`       a bar; by default in terminals, where tqdm is installed
    `resume`         a history: goes on from its state, bit for bit, for `epochs` more; the same data and settings are
                     needed
    `workers`        spreads each batch over so many processes, through joblib; the same result for any number of them
                     (without, sums are taken in another order: the last bits differ)
    `compiled`       machine code (the extra `native`) computes costs and gradients, for a full batch of a small model
                     the whole loop; the same training but for last bits. Samples are of one shape. What model and
                     loss do is recorded once: TraceError where they decide by numbers. Callbacks find no gradients

    Ctrl-C ends the training; the model is that of the last whole epoch, and `stopped` says "interrupted".

    Raises ValueError, ShapeError or TypeError before anything is trained, for data that do not fit or are not finite
    and settings that are not allowed; TrainingError where the cost is not finite, naming the value where that began.

    >>> from micrograd_bp.nn import MLP
    >>> line = MLP(1, [1], seed=0)
    >>> history = fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], learning_rate=0.3, epochs=1000, stop_cost=1e-12)
    >>> history.stopped, [round(p.data, 5) for p in line.parameters()]
    ('cost', [2.0, 1.0])
    """
    samples = paired(X, Y)
    size = len(samples) if batch == "full" else min(whole_number("batch", batch), len(samples))
    epochs = whole_number("epochs", epochs)
    steps = optimiser_for(optimiser, learning_rate, model)
    check_settings(l2, clip=clip, stop_cost=stop_cost, stop_gradient=stop_gradient)
    calls = list(callbacks)
    if not all(map(callable, calls)):
        raise TypeError("callbacks are functions of (epoch, history)")
    run = _Run(model, steps, loss_function(loss), size, stop_cost, stop_gradient, l2, clip, None)
    run.cost(samples[:1])  # what does not fit together says so before anything is moved
    shuffle = random.Random(seed)
    history = History() if resume is None else resume
    resume_from(history, steps, shuffle)
    if compiled and workers is not None:
        raise ValueError("compiled=True and workers= are two ways to go through a batch: choose one")
    with _workers(workers, run) as run:
        loop = None
        if compiled:
            native: Any = importlib.import_module("micrograd_bp.compiler.training")
            run = run._replace(workers=native.Lanes(model, run.loss, steps.parameters))
            loop = native.loop_for(run, samples)
        if loop is None:
            _train(run, samples, epochs, shuffle, history, progress, calls)
        else:
            train_by(loop, run, samples, epochs, shuffle, history, progress, calls)
    return history


def _train(
    run: _Run,
    samples: Sequence[Sample],
    epochs: int,
    shuffle: random.Random,
    history: History,
    progress: bool | None,
    callbacks: Iterable[Callback],
) -> None:
    steps = run.steps
    for _ in counted(epochs, progress, history):
        before = state_of(steps, shuffle)
        try:
            every = run.size == len(samples)
            reason = run.epoch(samples if every else shuffle.sample(samples, len(samples)), history)
        except BaseException as error:
            restore(before, steps, shuffle)
            if not isinstance(error, KeyboardInterrupt):
                raise
            history.stopped = "interrupted"
            break
        history.state = state_of(steps, shuffle)
        history.stopped = reason or "epochs"
        call(callbacks, history)
        if history.stopped != "epochs":
            break


class _Run(NamedTuple):
    """One training's settings."""

    model: Callable[..., Any]
    steps: Optimiser
    loss: Loss
    size: int
    stop_cost: float | None
    stop_gradient: float | None
    l2: float
    clip: float | None
    workers: Workers | None

    def cost(self, samples: Sequence[Sample]) -> Any:
        """The mean loss of the samples, with the penalty: a Value, or what is traced."""
        cost = mean(self.loss(self.model(x), y) for x, y in samples)
        if not isinstance(cost, Operand):
            raise TypeError(f"the loss of the model gives {type(cost).__name__} {short(cost)}, not a Value")
        return cost + l2_penalty(self.steps.parameters, self.l2) if self.l2 else cost

    def backward(self, samples: Sequence[Sample]) -> float:
        """The cost; its gradient is that of the parameters then."""
        cost: Value = self.cost(samples)
        self.steps.zero_grad()
        cost.backward()
        return cost.data

    def spread(self, samples: Sequence[Sample], workers: Workers) -> float:
        """The same, by processes."""
        cost, gradient = workers.gradients(samples)
        for p, slope in zip(self.steps.parameters, gradient, strict=True):
            p.grad = slope + 2.0 * self.l2 * p.data
            cost += self.l2 * (p.data * p.data)
        return cost

    def epoch(self, samples: Sequence[Sample], history: History) -> str:
        """Go through the samples once; why to stop, or ""."""
        full = self.size == len(samples)
        total, norm, rate, reason = 0.0, 0.0, self.steps.rate, ""
        for start in range(0, len(samples), self.size):
            part = samples[start : start + self.size]
            cost = self.backward(part) if self.workers is None else self.spread(part, self.workers)
            norm = gradient_norm(self.steps.parameters)
            if not math.isfinite(cost + norm):
                raise not_finite(self.cost(part), history)
            total += cost * (len(part) / len(samples))
            reason = self._reason(total, norm) if full else ""
            if not reason:
                rate = self.steps.rate
                if self.clip is not None:
                    clip_gradient(self.steps.parameters, self.clip)
                self.steps.step()
        history.cost.append(total)
        history.gradient_norm.append(norm)
        history.rate.append(rate)
        return reason if full else self._reason(total, norm)

    def _reason(self, cost: float, norm: float) -> str:
        if self.stop_cost is not None and cost < self.stop_cost:
            return "cost"
        return "gradient" if self.stop_gradient is not None and norm < self.stop_gradient else ""


@contextmanager
def _workers(count: int | None, run: _Run) -> Iterator[_Run]:
    """The run, with its processes where they are asked for."""
    if count is None:
        yield run
        return
    with workers_for(whole_number("workers", count), run.model, run.loss, run.steps.parameters) as found:
        yield run._replace(workers=found)
