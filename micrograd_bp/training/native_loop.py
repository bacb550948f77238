"""Training in machine code.

`Loop` trains a small model on full batches: cost, gradient and the optimiser's step are one tape, and the loop over the
epochs runs in machine code. `Lanes` computes the gradients of other batches, with a program for one sample.
"""

from __future__ import annotations

import copy
import ctypes
import math
import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from micrograd_bp import ops
from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.autodiff.tape import Tape, Tracer, append_gradient
from micrograd_bp.compiler.draws import without_draws
from micrograd_bp.compiler.llvm_build import linked
from micrograd_bp.compiler.llvm_ir import Writer
from micrograd_bp.compiler.passes import Code, optimise
from micrograd_bp.compiler.program import Compiled
from micrograd_bp.compiler.recording import recording_on
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.errors import TraceError
from micrograd_bp.ops.reals import as_float
from micrograd_bp.training.history import History, completed, restore, state_of
from micrograd_bp.training.losses import Sample
from micrograd_bp.training.optim import Optimiser
from micrograd_bp.training.progress import Callback, call, counted, not_finite
from micrograd_bp.training.schedules import constant

REASONS = ("", "cost", "gradient", "not finite")
LARGEST = 5_000  # operations per epoch in a loop; beyond that, LLVM's compile time grows faster than linearly


class Loop:
    """Epochs of training on a cost that is recorded on a tape.

    `run` changes the parameters and the optimiser like the same number of epochs of the engine. Raises TraceError for
    an optimiser that decides by traced numbers.
    """

    def __init__(
        self,
        tape: Tape,
        root: int,
        optimiser: Optimiser,
        clip: float | None = None,
        stop_cost: float | None = None,
        stop_gradient: float | None = None,
    ) -> None:
        self.optimiser = optimiser
        self._tape, self._root, self._clip = tape, root, clip
        self._stops = np.array([-np.inf if stop is None else stop for stop in (stop_cost, stop_gradient)])
        self._compile()

    def _compile(self) -> None:
        self._settings = self._now()
        tape = self._tape

        def record() -> tuple[Code, list[Value]]:
            copied = tape.copy()
            with recording_on(copied):
                return _epoch(copied, self._root, self.optimiser, self._clip)

        code, self._others = without_draws(record, self.optimiser)
        self._library = linked(*_loop(code))
        self._function = self._library.function("train", *[ctypes.c_void_p] * 6, ctypes.c_int64)

    def _now(self) -> dict[str, Any]:
        """Return the optimiser's settings that are constants in the machine code."""
        variables = {"parameters", "steps", "learning_rate", "schedule", *self.optimiser._slots}
        return {name: value for name, value in vars(self.optimiser).items() if name not in variables}

    def run(self, count: int) -> tuple[list[float], list[float], list[float], str]:
        """Run up to `count` epochs, and return their costs, gradient norms and rates, and the reason to stop, or "".

        Where the reason is "not finite", the parameters are those of the epoch before. There are fewer epochs if the
        schedule raises an error.
        """
        optimiser = self.optimiser
        if self._settings != self._now():
            self._compile()
        rates, scheduled = self._rates(count)
        history, state, reason = self._epochs(scheduled)
        width = len(optimiser.parameters)
        for p, x in zip(optimiser.parameters, state.tolist(), strict=False):
            p.data = x
        for k, name in enumerate(optimiser._slots, start=1):
            setattr(optimiser, name, state[k * width : (k + 1) * width].tolist())
        optimiser.steps = int(state[-1])
        costs, norms = history.tolist()
        return costs, norms, rates[: len(costs)], reason

    def cost(self) -> float:
        """Return the cost that the loop computes for the present parameters."""
        return float(self._epochs(np.full(1, self.optimiser.learning_rate))[0][0, 0])

    def _rates(self, count: int) -> tuple[list[float], Any]:
        optimiser = self.optimiser
        if optimiser.schedule is constant():
            return [optimiser.learning_rate] * count, np.full(count, optimiser.learning_rate)
        rates: list[float] = []
        for k in range(optimiser.steps, optimiser.steps + count):
            try:
                rates.append(optimiser.learning_rate * optimiser.schedule(k))
            except Exception:
                if not rates:
                    raise
                break  # the next call raises it if training gets there
        return rates, np.array(rates)

    def _epochs(self, rates: Any) -> tuple[Any, Any, str]:
        """Return costs and gradient norms as an array (2, epochs), the state after them, and the reason to stop."""
        optimiser, count = self.optimiser, len(rates)
        lists = [[p.data for p in optimiser.parameters], *[getattr(optimiser, name) for name in optimiser._slots]]
        state = np.array([x for own in lists for x in own] + [float(optimiser.steps)])
        others = np.array([p.data for p in self._others])
        history, done = np.empty((2, count)), np.zeros(2, dtype=np.int64)
        arrays = (state, others, rates, history, self._stops, done)
        self._function(*[array.ctypes.data for array in arrays], count)
        return history[:, : done[0]], state, REASONS[done[1]]


def loop_for(run: Any, samples: Sequence[Sample]) -> Loop | None:
    """Return the loop for full batches; None for smaller batches and for more than `LARGEST` operations."""
    if run.size < len(samples) or len(topological_order(run.cost(samples[:1]))) * len(samples) * 3 > LARGEST:
        return None
    return Loop(*recorded(run, samples), run.optimiser, run.clip, run.stop_cost, run.stop_gradient)


def recorded(run: Any, samples: Sequence[Sample]) -> tuple[Tape, int]:
    """Return a tape of the cost and the cost's index. The data are traced, so that a decision by them is an error."""

    def record() -> tuple[Tape, int]:
        tape = Tape()
        numbers: dict[int, float] = {}

        def traced(entry: Any) -> Any:
            leaves, _, rebuild = flatten(entry)
            indices = [tape.input() for _ in leaves]
            numbers.update(zip(indices, map(as_float, leaves), strict=True))
            return rebuild([Tracer(tape, index) for index in indices])

        with recording_on(tape):
            root = tape.place(run.cost([(traced(x), y if isinstance(y, int) else traced(y)) for x, y in samples]))
        tape.inputs = []
        tape.constants |= numbers
        return tape, root

    return without_draws(record, (run.model, run.loss))


def _epoch(tape: Tape, root: int, optimiser: Optimiser, clip: float | None) -> tuple[Code, list[Value]]:
    """Return the code of an epoch, and the leaves that it reads but does not train.

    Inputs: parameters, optimiser's lists, number of steps, rate. Results: cost, gradient norm, the first three updated.
    """
    indices = [tape.value(p) for p in optimiser.parameters]
    gradient = [Tracer(tape, index) for index in append_gradient(tape, root, indices)]
    norm = _length(gradient)
    shortened: Any = gradient
    if clip is not None:
        factor = ops.where(ops.less(clip, norm), ops.div(clip, norm), 1.0)
        shortened = [slope * factor for slope in gradient]
    twin: Any = copy.copy(optimiser)
    kept = [Tracer(tape, index) for index in indices]
    twin.parameters = [SimpleNamespace(data=slot) for slot in kept]
    inputs = list(indices)
    for name in optimiser._slots:
        tracers = [Tracer(tape, tape.input()) for _ in indices]
        inputs += [slot.place for slot in tracers]
        setattr(twin, name, tracers)
    twin.steps, rate = Tracer(tape, tape.input()), Tracer(tape, tape.input())
    made = twin.steps.place
    moves = twin._moves(shortened, rate)
    after = [slot + move for slot, move in zip(kept, moves, strict=True)]
    after += [number for name in optimiser._slots for number in getattr(twin, name)]
    results = [root, tape.place(norm), *[tape.place(number) for number in after], tape.place(Tracer(tape, made) + 1.0)]
    for index in indices:
        del tape.parameters[index]
    tape.inputs = [*inputs, made, rate.place]
    code, _ = optimise(Code(tape, results))
    return code, list(code.tape.parameters.values())


def _length(gradient: list[Any]) -> Any:
    """Return the Euclidean length; numbers whose squares would overflow or underflow are scaled by powers of 2."""

    def squares(scale: float) -> Any:
        total: Any = 0.0
        for slope in gradient:
            total = total + ops.square(slope if scale == 1.0 else slope * scale)
        return total

    total = squares(1.0)
    large, small = ops.less(1e290, total), ops.less(total, 1e-290)
    scaled = ops.where(large, squares(2.0**-600), ops.where(small, squares(2.0**600), total))
    return ops.sqrt(scaled) * ops.where(large, 2.0**600, ops.where(small, 2.0**-600, 1.0))


def _loop(code: Code) -> tuple[str, Writer]:
    """Return the text of `void train(state, others, rates, history, stops, done, count)`."""
    tape, writer = code.tape, Writer(1)
    texts = {index: writer.constant(x) for index, x in tape.constants.items()}
    for k, index in enumerate(tape.parameters):
        texts[index] = writer.load("%others", str(k))
    for k, index in enumerate(tape.inputs[:-1]):
        texts[index] = writer.load("%state", str(k))
    texts[tape.inputs[-1]] = writer.load("%rates", "%i")
    for index, op in enumerate(tape.ops):
        if op is not None:
            texts[index] = writer.apply(op, tuple([texts[arg] for arg in tape.args[index]]))
    cost, norm, *after = [texts[index] for index in code.results]
    writer.store(cost, "%history", "%i")
    writer.store(norm, "%history", writer.set("add i64 %i, %count"))
    both = writer.set(f"fadd double {cost}, {norm}")
    whole = writer.set(f"fcmp ord double {writer.set(f'fsub double {both}, {both}')}, 0.0")
    low = writer.set(f"fcmp olt double {cost}, {writer.load('%stops', '0')}")
    flat = writer.set(f"fcmp olt double {norm}, {writer.load('%stops', '1')}")
    reason = writer.set(f"select i1 {flat}, i64 2, i64 0")
    reason = writer.set(f"select i1 {low}, i64 1, i64 {reason}")
    reason = writer.set(f"select i1 {whole}, i64 {reason}, i64 3")
    ends = writer.set(f"icmp ne i64 {reason}, 0")
    epoch, writer.lines = writer.lines, []
    for k, value in enumerate(after):
        writer.store(value, "%state", str(k))
    head = ", ".join(f"ptr noalias %{name}" for name in ("state", "others", "rates", "history", "stops", "done"))
    lines = [
        f"define void @train({head}, i64 %count) {{",
        "entry:",
        "  %why = getelementptr i64, ptr %done, i64 1",
        "  %any = icmp sgt i64 %count, 0",
        "  br i1 %any, label %epoch, label %end",
        "epoch:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %step ]",
        "  %next = add i64 %i, 1",
        *epoch,
        f"  br i1 {ends}, label %stop, label %step",
        "step:",
        *writer.lines,
        "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %epoch, label %end",
        "stop:",
        f"  store i64 {reason}, ptr %why, align 8",
        "  br label %end",
        "end:",
        "  %did = phi i64 [ 0, %entry ], [ %next, %step ], [ %next, %stop ]",
        "  store i64 %did, ptr %done, align 8",
        "  ret void",
        "}",
    ]
    return "\n".join(lines), writer


class Lanes:
    """Mean losses and gradients of batches by machine code for one sample; `gradients` is like that of `Workers`.

    A target that is an int, the index of a class, is a constant of the program, so there is one program per class.
    """

    def __init__(self, model: Any, loss: Any, parameters: Sequence[Value]) -> None:
        self._indices = {p: k for k, p in enumerate(parameters)}
        self._model, self._loss = model, loss
        self._programs: dict[int | None, Compiled[...]] = {}
        self._classes: bool | None = None  # unknown before the first sample

    def gradients(self, samples: Sequence[Sample]) -> tuple[float, list[float]]:
        """Return the mean loss of the samples and its gradient."""
        total, sums = 0.0, np.zeros(len(self._indices))
        groups: dict[int | None, list[Sample]] = {}
        for x, y in samples:
            groups.setdefault(y if isinstance(y, int) and self._names_a_class(x, y) else None, []).append((x, y))
        for target, own in groups.items():
            program = self._programs.setdefault(target, self._program(target))
            columns = [[x for x, _ in own]] if target is not None else [[x for x, _ in own], [y for _, y in own]]
            values, slopes = program.batched(*columns, gradients="parameters")
            total += float(values.sum())
            for p, slope in zip(program.parameters(*[column[0] for column in columns]), slopes, strict=True):
                if p in self._indices:
                    sums[self._indices[p]] += slope
        return total / len(samples), (sums / len(samples)).tolist()

    def _names_a_class(self, x: Any, y: int) -> bool:
        """Whether the loss reads an int target as an index: an equal float then gives another loss or an error."""
        if self._classes is None:
            found = self._model(x)
            try:
                self._classes = self._loss(found, float(y)).data != self._loss(found, y).data
            except (TypeError, ValueError, LookupError):
                self._classes = True
        return self._classes

    def _program(self, target: int | None) -> Compiled[...]:
        model, loss = self._model, self._loss
        if target is None:
            return Compiled(lambda x, y: loss(model(x), y))
        return Compiled(lambda x: loss(model(x), target))


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
    """Train by `loop`, many epochs at a time.

    At the end the cost is compared with the engine's. Where they differ, the model and the history are restored and
    TraceError is raised.
    """
    start, first, size = state_of(run.optimiser, shuffle), history.epochs, max(1, min(1000, epochs // 100))
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
        restore(start, run.optimiser, shuffle)
        history.cut(first)
        raise TraceError(
            f"the cost is {eager!r}, but {ours!r} in machine code: the model or the loss decides by numbers that "
            "training changes, or draws random numbers. Use where(condition, a, b), maximum, ... or leave out "
            "compiled=True; the model is as it was before"
        )


def _advance(
    loop: Any, run: Any, samples: Sequence[Sample], count: int, shuffle: random.Random, history: History
) -> None:
    """Run up to `count` epochs. However they end, the model is that of the last complete epoch."""

    def epochs() -> str:
        costs, norms, rates, reason = loop.run(count)
        whole = len(costs) - (reason == "not finite")
        history.cost += costs[:whole]
        history.gradient_norm += norms[:whole]
        history.rate += rates[:whole]
        return str(reason)

    reason = completed(epochs, run.optimiser, shuffle, history)
    if reason == "not finite":
        raise not_finite(run.cost(samples), history)
    history.stopped = reason or "epochs"
