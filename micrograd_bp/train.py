"""`fit`: gradient descent on a model, batch by batch.

Imports engine, losses, optim, history, resume, settings, samples, anomaly, workers and errors.

Whatever ends it, the model is as it was after the last whole epoch, and the history says what was done.
"""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from micrograd_bp.anomaly import trace_nonfinite
from micrograd_bp.engine import Value
from micrograd_bp.errors import TrainingError
from micrograd_bp.history import History
from micrograd_bp.losses import Loss, l2_penalty, loss_function, mean
from micrograd_bp.op import short
from micrograd_bp.optim import Optimiser, clip_gradient, gradient_norm
from micrograd_bp.resume import restore, resume_from, state_of
from micrograd_bp.samples import Sample, paired
from micrograd_bp.settings import check_settings, optimiser_for, whole_number
from micrograd_bp.workers import Workers
from micrograd_bp.workers import workers as workers_for

Callback = Callable[[int, History], object]


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
                     the whole loop; the same training but for last bits. Samples are of one shape

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
            _train_by(loop, run, samples, epochs, shuffle, history, progress, calls)
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
    for _ in _epochs(epochs, progress, history):
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
        _call(callbacks, history)
        if history.stopped != "epochs":
            break


def _train_by(
    loop: Any,
    run: _Run,
    samples: Sequence[Sample],
    epochs: int,
    shuffle: random.Random,
    history: History,
    progress: bool | None,
    callbacks: Sequence[Callback],
) -> None:
    """As `_train`, by a loop in machine code that goes through many epochs at a time."""
    for size in _epochs(epochs, progress, history, 1 if callbacks else max(1, min(1000, epochs // 100))):
        before = state_of(run.steps, shuffle)
        try:
            costs, norms, rates, reason = loop.run(size)
        except BaseException as error:
            restore(before, run.steps, shuffle)
            if not isinstance(error, KeyboardInterrupt):
                raise
            history.stopped = "interrupted"
            break
        whole = len(costs) - (reason == "not finite")
        history.cost += costs[:whole]
        history.gradient_norm += norms[:whole]
        history.rate += rates[:whole]
        history.state = state_of(run.steps, shuffle)
        if reason == "not finite":
            raise _not_finite(run.cost(samples), history)
        history.stopped = reason or "epochs"
        _call(callbacks, history)
        if history.stopped != "epochs":
            break


def _call(callbacks: Iterable[Callback], history: History) -> None:
    """What the user wants to be called; `stopped` says whether one of them ends the training."""
    try:
        if True in [callback(history.epochs, history) for callback in callbacks]:
            history.stopped = "callback"
    except KeyboardInterrupt:
        history.stopped = "interrupted"


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

    def cost(self, samples: Sequence[Sample]) -> Value:
        """The mean loss of the samples, with the penalty."""
        cost = mean(self.loss(self.model(x), y) for x, y in samples)
        if not isinstance(cost, Value):
            raise TypeError(f"the loss of the model gives {type(cost).__name__} {short(cost)}, not a Value")
        return cost + l2_penalty(self.steps.parameters, self.l2) if self.l2 else cost

    def backward(self, samples: Sequence[Sample]) -> float:
        """The cost; its gradient is that of the parameters then."""
        cost = self.cost(samples)
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
                raise _not_finite(self.cost(part), history)
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


def _not_finite(cost: Value, history: History) -> TrainingError:
    epoch = history.epochs + 1
    found = trace_nonfinite(cost)
    cause = found.text if found else "the sum of the gradient's squares overflows"
    return TrainingError(
        f"epoch {epoch}: {cause}; a smaller learning rate or clip= may help; the model is as it was before this epoch",
        epoch,
        cause,
        history,
    )


@contextmanager
def _workers(count: int | None, run: _Run) -> Iterator[_Run]:
    """The run, with its processes where they are asked for."""
    if count is None:
        yield run
        return
    with workers_for(whole_number("workers", count), run.model, run.loss, run.steps.parameters) as found:
        yield run._replace(workers=found)


def _epochs(count: int, progress: bool | None, history: History, chunk: int = 1) -> Iterable[int]:
    """How many epochs to do next, with a bar where there is a terminal and tqdm, or one is asked for."""
    sizes = [min(chunk, count - done) for done in range(0, count, chunk)]
    if progress is False or importlib.util.find_spec("tqdm") is None:
        yield from sizes
        return
    from tqdm import tqdm

    with tqdm(total=count, desc="training", unit=" epochs", disable=None if progress is None else False) as bar:
        for k, size in enumerate(sizes):
            yield size
            bar.update(size)
            if k % 50 == 0:
                bar.set_postfix_str(f"cost {history.cost[-1]:.4g}" if history.cost else "", refresh=False)
