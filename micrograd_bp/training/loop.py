"""`fit`: gradient descent on a model, batch by batch.

Whatever ends it, the model is as it was after the last whole epoch, and the history says what was done.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Literal, NamedTuple, Protocol, SupportsIndex

from micrograd_bp.engine import Value
from micrograd_bp.errors import ShapeError
from micrograd_bp.nn import Module
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import Numbers, as_float, short
from micrograd_bp.training.history import History, restore, resume_from, state_of
from micrograd_bp.training.losses import Loss, Sample, l2_penalty, loss_function, mean
from micrograd_bp.training.optim import OPTIMISERS, Optimiser, clip_gradient, gradient_norm
from micrograd_bp.training.progress import Callback, call, counted, not_finite
from micrograd_bp.training.workers import workers as workers_for


def fit(
    model: Any,
    X: Numbers,
    Y: Numbers,
    *,
    loss: str | Loss = "half_squared_error",
    optimiser: str | Optimiser | None = None,
    optimizer: str | Optimiser | None = None,
    learning_rate: float | None = None,
    epochs: SupportsIndex = 100,
    batch: SupportsIndex | Literal["full"] = "full",
    seed: SupportsIndex | None = 0,
    stop_cost: float | None = None,
    stop_gradient: float | None = None,
    l2: float = 0.0,
    clip: float | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | None = None,
    resume: History | None = None,
    workers: SupportsIndex | None = None,
    compiled: bool = False,
) -> History:
    """Train `model` on samples `X` with targets `Y`; returns the history.

    `X`, `Y`         one entry per sample: lists, or arrays whose first index is the sample. An entry of X is what the
                     model is called with; one of Y a number, or as many numbers as the model has outputs
    `batch`          "full", or so many samples per step (1: stochastic descent), drawn anew each epoch by `seed`
    `optimiser`      a name ("gradient_descent", the default, "adam", "adamw"), or an Optimiser of the model's
                     parameters; `optimizer` is another spelling
    `learning_rate`  of an optimiser that is given by name; None means its own usual one, 0.1 of gradient descent and
                     0.001 of Adam and AdamW. An Optimiser has its own
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
    size = len(samples) if isinstance(batch, str) and batch == "full" else whole_number("batch", batch)
    size = min(size, len(samples))
    epochs = whole_number("epochs", epochs)
    if optimiser is not None and optimizer is not None:
        raise TypeError("optimiser and optimizer are two spellings of one setting: give one of them")
    chosen = optimizer if optimiser is None else optimiser
    steps = optimiser_for("gradient_descent" if chosen is None else chosen, learning_rate, model)
    check_settings(l2, clip=clip, stop_cost=stop_cost, stop_gradient=stop_gradient)
    calls = list(callbacks)
    if not all(map(callable, calls)):
        raise TypeError("callbacks are functions of (epoch, history)")
    run = _Run(model, steps, loss_function(loss), size, stop_cost, stop_gradient, l2, clip, None)
    run.cost(samples[:1])  # what does not fit together says so before anything is moved
    shuffle = random.Random(int(seed) if isinstance(seed, Integral) else seed)  # type: ignore[arg-type]  # str as ever
    history = History() if resume is None else resume
    resume_from(history, steps, shuffle)
    if compiled and workers is not None:
        raise ValueError("compiled=True and workers= are two ways to go through a batch: choose one")
    with _workers(workers, run) as run:
        loop = None
        if compiled:
            from micrograd_bp.training import native_loop  # needs NumPy and the extra `native`

            run = run._replace(workers=native_loop.Lanes(model, run.loss, steps.parameters))
            loop = native_loop.loop_for(run, samples)
        if loop is None:
            _train(run, samples, epochs, shuffle, history, progress, calls)
        else:
            native_loop.train_by(loop, run, samples, epochs, shuffle, history, progress, calls)
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


class Gradients(Protocol):
    """What computes the gradients of a batch in place of `backward`: processes or machine code."""

    def gradients(self, samples: Sequence[Sample]) -> tuple[float, list[float]]:
        """The mean loss of the samples and its gradient by the parameters."""


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
    workers: Gradients | None

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

    def spread(self, samples: Sequence[Sample], workers: Gradients) -> float:
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
def _workers(count: SupportsIndex | None, run: _Run) -> Iterator[_Run]:
    """The run, with its processes where they are asked for."""
    if count is None:
        yield run
        return
    with workers_for(whole_number("workers", count), run.model, run.loss, run.steps.parameters) as found:
        yield run._replace(workers=found)


# --- what is given, checked before anything is trained ----------------------------------------------------------------


def paired(X: Numbers, Y: Numbers) -> list[Sample]:
    """(x, y) for each sample, NumPy rows as lists.

    Raises TypeError for what is no sequence of numbers, ShapeError for other lengths, ValueError for nan and inf.
    """
    for name, data in (("X", X), ("Y", Y)):
        scalar = getattr(data, "ndim", None) == 0  # an array without an axis, which has __len__ too
        if scalar or not hasattr(data, "__len__") or isinstance(data, (str, bytes, dict, set)):
            raise TypeError(f"{name} is a sequence, one entry for each sample, not {type(data).__name__}")
    if len(X) != len(Y):
        raise ShapeError(f"{len(X)} samples in X and {len(Y)} in Y", f"{len(X)} targets", f"{len(Y)} targets")
    if not len(X):
        raise ShapeError("X is empty: at least one sample is needed", "at least one sample", "none")
    samples = [(_plain(x), _plain(y)) for x, y in zip(X, Y, strict=True)]
    for name, place in (("X", 0), ("Y", 1)):
        for i, sample in enumerate(samples):
            for number in _numbers(sample[place]):
                if not math.isfinite(number):
                    raise ValueError(f"{name}[{i}] has {number!r}; data are finite numbers")
    return samples


def _plain(entry: Any) -> Any:
    """NumPy rows as lists: one conversion instead of one for each use."""
    return entry.tolist() if hasattr(entry, "tolist") else entry


def _numbers(entry: Any) -> list[float]:
    if isinstance(entry, Operand):
        raise TypeError("data are plain numbers, not Values: what is trained are the model's parameters")
    return [as_float(x) for x in entry] if hasattr(entry, "__len__") else [as_float(entry)]


def optimiser_for(optimiser: str | Optimiser, learning_rate: float | None, model: Any) -> Optimiser:
    """The optimiser of that name for the model, or the one that is given."""
    if isinstance(optimiser, Optimiser):
        return optimiser
    if not isinstance(optimiser, str):
        raise TypeError(f"an optimiser is a name or an Optimiser, not {type(optimiser).__name__}")
    if optimiser not in OPTIMISERS:
        raise ValueError(f"no optimiser {optimiser!r}; there are {', '.join(OPTIMISERS)}, or an Optimiser")
    if not isinstance(model, Module):
        raise TypeError("a model that is no Module has no parameters(): give an Optimiser of its parameters")
    kind = OPTIMISERS[optimiser]
    return kind(model.parameters(), kind.usual_rate if learning_rate is None else learning_rate)


def check_settings(l2: object, **others: object) -> None:
    """ValueError for what is not finite or too small; stops and clip may be None."""
    if not 0.0 <= as_float(l2) < math.inf:
        raise ValueError(f"l2 is a finite number from 0, not {l2!r}")
    for name, number in others.items():
        if number is not None and not 0.0 < as_float(number) < math.inf:
            raise ValueError(f"{name} is a finite number above 0, not {number!r}")


def whole_number(name: str, count: object) -> int:
    """TypeError or ValueError for what is no whole number from 1."""
    if isinstance(count, bool) or not isinstance(count, Integral):
        also = ' or "full"' if name == "batch" else ""
        raise TypeError(f"{name} is a whole number{also}, not {short(count)}")
    if count < 1:
        raise ValueError(f"{name} is at least 1, not {count}")
    return int(count)
