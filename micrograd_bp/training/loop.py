"""`fit` trains a model batch by batch and epoch by epoch.

However the training ends, the model is that of the last complete epoch, and the history records these epochs.
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
from micrograd_bp.training.history import History, completed, resume_from
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
    """Train `model` on the samples `X` with the targets `Y` and return the history.

    `X`, `Y`         lists with one entry per sample, arrays with the samples along the first axis, or pandas frames and
                     series with one row per sample. The model is called with an entry of X as a number or a list; an
                     entry of Y is a number or a sequence with one number per output
    `loss`           a name in `losses.LOSSES`, or a function of (outputs, targets) of one sample. The cost is its mean
    `optimiser`      "gradient_descent" (the default), "adam", "adamw", or an Optimiser of the model's parameters;
                     `optimizer` is another spelling
    `learning_rate`  the step size of an optimiser that is given by name; by default 0.1 for gradient descent and 0.001
                     for Adam and AdamW. An Optimiser object has its own, and giving both is a TypeError
    `epochs`         the number of passes over the samples
    `batch`          the number of samples per step, shuffled in each epoch; "full" uses all samples in their order
    `seed`           the seed of the shuffling
    `stop_cost`      training ends when the cost of an epoch is below this number
    `stop_gradient`  training ends when the length of the gradient is below this number. With a full batch, both are
                     tested before the step, so that the last cost in the history is that of the returned model
    `l2`             the factor of Σ p² over all parameters p, which is added to the cost
    `clip`           the greatest length of the gradient; a longer one is scaled to it
    `callbacks`      functions of (epoch, history), called after each epoch; one that returns True ends the training
    `progress`       whether to show a progress bar; by default in terminals, if tqdm is installed
    `resume`         a history to continue bit for bit for `epochs` more epochs, with the same data and settings
    `workers`        the number of processes among which joblib divides each batch. The result does not depend on it,
                     but differs in the last bits from a training without workers, which sums in another order
    `compiled`       whether machine code (the extra `native`) computes the gradients, and for a full batch of a small
                     model the whole loop. The last bits differ. All samples have one shape, model and loss do not
                     decide by numbers, and callbacks see no gradients

    Ctrl-C ends the training, and `stopped` of the history is "interrupted".

    Raises TypeError, ValueError or ShapeError for wrong data or settings, StateError for a history that does not fit,
    and TraceError where a compiled model decides by numbers or draws random ones (dropout), all before training begins;
    TrainingError where the cost is not finite, with the value where that began.

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
    optimiser = optimiser_for("gradient_descent" if chosen is None else chosen, learning_rate, model)
    check_settings(l2, clip=clip, stop_cost=stop_cost, stop_gradient=stop_gradient)
    calls = list(callbacks)
    if not all(map(callable, calls)):
        raise TypeError("callbacks are functions of (epoch, history)")
    run = _Run(model, optimiser, loss_function(loss), size, stop_cost, stop_gradient, l2, clip, None)
    run.cost(samples[:1])  # raises where model, loss and data do not fit, before training begins
    shuffle = random.Random(int(seed) if isinstance(seed, Integral) else seed)  # type: ignore[arg-type]  # the stubs of random allow str
    history = History() if resume is None else resume
    if not isinstance(history, History):
        raise TypeError(f"resume is a History, not {type(history).__name__}; History.load reads one from its file")
    if compiled and workers is not None:
        raise ValueError("compiled=True and workers= exclude each other: give one of them")
    with _workers(workers, run) as run:
        loop = None
        if compiled:
            from micrograd_bp.training import native_loop  # needs NumPy and the extra `native`

            lanes = native_loop.Lanes(model, run.loss, optimiser.parameters)
            run = run._replace(workers=lanes)
            loop = native_loop.loop_for(run, samples)
            if loop is None:
                lanes.gradients(samples[:1])  # raises TraceError where the model decides by numbers
        resume_from(history, optimiser, shuffle)  # the first change: whatever is refused is refused before it
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
    def epoch() -> str:
        every = run.size == len(samples)
        return run.epoch(samples if every else shuffle.sample(samples, len(samples)), history)

    for _ in counted(epochs, progress, history):
        history.stopped = completed(epoch, run.optimiser, shuffle, history) or "epochs"
        if history.stopped != "interrupted":
            call(callbacks, history)
        if history.stopped != "epochs":
            break


class Gradients(Protocol):
    """Computes the gradients of a batch in place of `backward`, in processes or in machine code."""

    def gradients(self, samples: Sequence[Sample]) -> tuple[float, list[float]]:
        """Return the mean loss of the samples and its gradient with respect to the parameters."""


class _Run(NamedTuple):
    """The settings of a training."""

    model: Callable[..., Any]
    optimiser: Optimiser
    loss: Loss
    size: int
    stop_cost: float | None
    stop_gradient: float | None
    l2: float
    clip: float | None
    workers: Gradients | None

    def cost(self, samples: Sequence[Sample]) -> Any:
        """Return the mean loss of the samples plus the l2 penalty, as a Value or a Tracer."""
        cost = mean(self.loss(self.model(x), y) for x, y in samples)
        if not isinstance(cost, Operand):
            raise TypeError(f"the loss of the model gives {type(cost).__name__} {short(cost)}, not a Value")
        return cost + l2_penalty(self.optimiser.parameters, self.l2) if self.l2 else cost

    def backward(self, samples: Sequence[Sample]) -> float:
        """Return the cost, and set the gradients of the parameters."""
        cost: Value = self.cost(samples)
        self.optimiser.zero_grad()
        cost.backward()
        return cost.data

    def spread(self, samples: Sequence[Sample], workers: Gradients) -> float:
        """Return the cost, and set the gradients of the parameters, by `workers`."""
        cost, gradient = workers.gradients(samples)
        for p, slope in zip(self.optimiser.parameters, gradient, strict=True):
            p.grad = slope + 2.0 * self.l2 * p.data
            cost += self.l2 * (p.data * p.data)
        return cost

    def epoch(self, samples: Sequence[Sample], history: History) -> str:
        """Train on the samples once, and return the reason to stop, or ""."""
        full = self.size == len(samples)
        total, norm, rate, reason = 0.0, 0.0, self.optimiser.rate, ""
        for start in range(0, len(samples), self.size):
            part = samples[start : start + self.size]
            cost = self.backward(part) if self.workers is None else self.spread(part, self.workers)
            norm = gradient_norm(self.optimiser.parameters)
            if not math.isfinite(cost + norm):
                raise not_finite(self.cost(part), history)
            total += cost * (len(part) / len(samples))
            reason = self._reason(total, norm) if full else ""
            if not reason:
                rate = self.optimiser.rate
                if self.clip is not None:
                    clip_gradient(self.optimiser.parameters, self.clip)
                self.optimiser.step()
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
    """The run with its worker processes, if `count` is a number."""
    if count is None:
        yield run
        return
    with workers_for(whole_number("workers", count), run.model, run.loss, run.optimiser.parameters) as found:
        yield run._replace(workers=found)


# --- checks of the arguments ------------------------------------------------------------------------------------------


def paired(X: Numbers, Y: Numbers) -> list[Sample]:
    """Return the samples as pairs (x, y), with NumPy arrays, frames and series as lists.

    Raises TypeError for data that are not sequences of numbers, ShapeError for different lengths, ValueError for nan
    and inf, and for a frame and a series whose indexes differ.
    """
    ours: Any = getattr(X, "index", None)
    theirs: Any = getattr(Y, "index", None)
    if hasattr(ours, "equals") and hasattr(theirs, "equals") and len(X) == len(Y) and not ours.equals(theirs):
        raise ValueError("the indexes of X and Y differ: align them, by Y.loc[X.index], or give arrays")
    X, Y = _rows("X", X), _rows("Y", Y)
    for name, data in (("X", X), ("Y", Y)):
        scalar = getattr(data, "ndim", None) == 0  # NumPy gives an array without an axis a __len__
        if scalar or not hasattr(data, "__len__") or isinstance(data, (str, bytes, dict, set)):
            raise TypeError(f"{name} is a sequence with one entry per sample, not {type(data).__name__}")
    if len(X) != len(Y):
        raise ShapeError(
            f"X has {len(X)} samples and Y has {len(Y)}: give one target per sample",
            f"{len(X)} targets",
            f"{len(Y)} targets",
        )
    if not len(X):
        raise ShapeError("X is empty: at least one sample is needed", "at least one sample", "none")
    samples = [(_plain(x), _plain(y)) for x, y in zip(X, Y, strict=True)]
    for name, index in (("X", 0), ("Y", 1)):
        for i, sample in enumerate(samples):
            for number in _numbers(sample[index]):
                if not math.isfinite(number):
                    raise ValueError(f"{name}[{i}] contains {number!r}; data are finite numbers")
    return samples


def _rows(name: str, data: Any) -> Any:
    """Return a frame, which would be iterated over the names of its columns, or a series as an array."""
    rows = data.to_numpy() if hasattr(data, "to_numpy") else data
    if getattr(getattr(rows, "dtype", None), "kind", "") in ("M", "m"):
        raise TypeError(f"{name} contains dates or durations; data are numbers: convert them, to days for example")
    return rows


def _plain(entry: Any) -> Any:
    """Convert NumPy arrays, and rows of frames, to lists once, instead of at each use."""
    rows = _rows("an entry", entry)
    return rows.tolist() if hasattr(rows, "tolist") else rows


def _numbers(entry: Any) -> list[float]:
    if isinstance(entry, Operand):
        raise TypeError("data are plain numbers, not Values: training changes only the model's parameters")
    return [as_float(x) for x in entry] if hasattr(entry, "__len__") else [as_float(entry)]


def optimiser_for(optimiser: str | Optimiser, learning_rate: float | None, model: Any) -> Optimiser:
    """Return the optimiser of that name for the model's parameters; an Optimiser is returned as it is."""
    if isinstance(optimiser, Optimiser):
        if learning_rate is not None:
            raise TypeError(
                "learning_rate is for an optimiser that is given by name; "
                f"this {type(optimiser).__name__} has its own, {optimiser.learning_rate!r}: set it there"
            )
        return optimiser
    if not isinstance(optimiser, str):
        raise TypeError(f"an optimiser is a name or an Optimiser, not {type(optimiser).__name__}")
    if optimiser not in OPTIMISERS:
        raise ValueError(f"there is no optimiser {optimiser!r}; give {', '.join(OPTIMISERS)}, or an Optimiser")
    if not isinstance(model, Module):
        raise TypeError(
            f"{type(model).__name__} is not a Module, so its parameters are unknown: give an Optimiser of them"
        )
    kind = OPTIMISERS[optimiser]
    return kind(model.parameters(), kind.usual_rate if learning_rate is None else learning_rate)


def check_settings(l2: object, **others: object) -> None:
    """Raise ValueError for a setting that is not finite or too small; all but `l2` may be None."""
    if not 0.0 <= as_float(l2) < math.inf:
        raise ValueError(f"l2 is a finite number, at least 0, not {l2!r}")
    for name, number in others.items():
        if number is not None and not 0.0 < as_float(number) < math.inf:
            raise ValueError(f"{name} is a finite number above 0, not {number!r}")


def whole_number(name: str, count: object) -> int:
    """Return a whole number as an int. Raises TypeError or ValueError for other types and for numbers below 1."""
    if isinstance(count, bool) or not isinstance(count, Integral):
        also = ' or "full"' if name == "batch" else ""
        raise TypeError(f"{name} is a whole number{also}, not {short(count)}")
    if count < 1:
        raise ValueError(f"{name} is at least 1, not {count}")
    return int(count)
