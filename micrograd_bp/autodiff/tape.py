"""`Tape`: a function that is recorded once, as a list of operations in the order of computation.

A tape has no branches: a branch on a traced number raises TraceError. The gradient extends the same tape: the
derivative rules are applied to tracers, which appends the adjoint program.
"""

from __future__ import annotations

import linecache
import math
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from micrograd_bp import ops
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import contribution, dependents, product
from micrograd_bp.engine.number import Number
from micrograd_bp.errors import TraceError
from micrograd_bp.ops.op import Op
from micrograd_bp.ops.reals import as_float, is_real

_PACKAGE = str(Path(__file__).parent.parent)


class Tape:
    """A list of numbers, each with an index: inputs, constants, and operations applied to earlier numbers.

    `ops`         the operation that computes each number, None for inputs, constants and parameters
    `args`        the indices of its arguments
    `names`       the display names, "" where there is none
    `inputs`      the indices of the inputs, in order
    `constants`   the constants by index
    `parameters`  the leaves that the function used, by index; their data are read again at each call
    """

    def __init__(self) -> None:
        self.ops: list[Op | None] = []
        self.args: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.inputs: list[int] = []
        self.constants: dict[int, float] = {}
        self.parameters: dict[int, Value] = {}
        self._known: dict[Any, int] = {}  # indices of constants (by their bits) and of Values

    def __len__(self) -> int:
        return len(self.ops)

    def input(self, name: str = "") -> int:
        """Add an input and return its index."""
        self.inputs.append(self._add(None, (), name))
        return self.inputs[-1]

    def constant(self, number: float) -> int:
        """Return the index of a constant, which is added only once; -0.0 and 0.0 differ."""
        key = struct.pack("d", number)
        if key not in self._known:
            self._known[key] = self._add(None, ())
            self.constants[self._known[key]] = number
        return self._known[key]

    def known_constant(self, number: float) -> int | None:
        """Return the index of a constant that is on the tape, or None."""
        return self._known.get(struct.pack("d", number))

    def record(self, op: Op, args: Iterable[int], name: str = "") -> int:
        """Add `op` applied to the numbers with the indices `args`, and return its index."""
        return self._add(op, tuple(args), name)

    def value(self, value: Value) -> int:
        """Return the index of a Value: a leaf is added as a parameter, any other node with the operations below it."""
        if value not in self._known:
            for node in topological_order(value):
                if node in self._known:
                    continue
                if node.op is None:
                    index = self._known[node] = self._add(None, (), node.name or "")
                    self.parameters[index] = node
                else:
                    args = [self.place(arg) for arg in node.args]
                    self._known[node] = self.record(node.op, args, node.name or "")
        return self._known[value]

    def place(self, number: Any) -> int:
        """Return the index of a tracer, a Value or a float."""
        if isinstance(number, Tracer):
            if number.tape is not self:
                raise TraceError("a traced number is used outside its recording, which ends when the function returns")
            return number.place
        return self.value(number) if isinstance(number, Value) else self.constant(as_float(number))

    def tracer(self, place: int) -> Any:
        """Return the number at index `place` as rules take it: as a float for a constant, else as a tracer."""
        return self.constants[place] if place in self.constants else Tracer(self, place)

    def copy(self) -> Tape:
        """Return a tape with the same numbers; recording on one of the two does not change the other."""
        copied = Tape()
        copied.ops, copied.args, copied.names = list(self.ops), list(self.args), list(self.names)
        copied.inputs = list(self.inputs)
        copied.constants, copied.parameters = dict(self.constants), dict(self.parameters)
        copied._known = dict(self._known)
        return copied

    def know_leaves(self) -> None:
        """Register constants and parameters that were set directly, so that they are not added twice."""
        self._known |= {struct.pack("d", x): place for place, x in self.constants.items()}
        self._known |= {value: place for place, value in self.parameters.items()}

    def _add(self, op: Op | None, args: tuple[int, ...], name: str = "") -> int:
        self.ops.append(op)
        self.args.append(args)
        self.names.append(name)
        return len(self.ops) - 1


class Tracer(Number):
    """A number of a tape during recording. It has an index (`place`) but no value; a branch on it is an error."""

    __slots__ = ("place", "tape")

    def __init__(self, tape: Tape, place: int) -> None:
        self.tape = tape
        self.place = place

    @property
    def data(self) -> float:
        _refuse("has no value while it is recorded")

    @property
    def name(self) -> str | None:
        """The display name."""
        return self.tape.names[self.place] or None

    @name.setter
    def name(self, name: str | None) -> None:
        self.tape.names[self.place] = name or ""

    def __bool__(self) -> bool:
        _refuse("cannot decide a branch while it is recorded")

    def __eq__(self, other: object) -> bool:
        if self is not other and (is_real(other) or isinstance(other, Number)):
            _refuse("cannot be compared while it is recorded")
        return self is other

    def __ne__(self, other: object) -> bool:  # in the compiled build, the inherited method does not call __eq__
        return not self == other

    __hash__ = object.__hash__

    def __float__(self) -> float:
        _refuse("has no value while it is recorded")

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Tracer:
        return Tracer(self.tape, self.tape.record(op, [self.tape.place(arg) for arg in args]))

    def __repr__(self) -> str:
        return f"Tracer({self.place}{f', {self.name!r}' if self.name else ''})"


def _refuse(what: str) -> NoReturn:
    """Raise TraceError with the line of the user's code."""
    frame: Any = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    raise TraceError(
        f"{file}, line {line}: {text}\na traced number {what}, because the recording must hold for every input. Use "
        "where(condition, a, b), maximum, minimum, step or sign of this package in place of if, and, or, max, float",
        line,
        text,
    )


# --- the adjoint program ----------------------------------------------------------------------------------------------


class Flow(NamedTuple):
    """The adjoint or tangent of a number on a tape. Where `reached` is 0 when the program runs, no contribution reaches
    the number, and the adjoint or tangent `number` is 0. Where `reached` is None, a contribution always does."""

    number: Any
    reached: Any = None


class Chain:
    """The chain rule of `engine/chain.py` on a tape, where it is known only at run time whether a derivative is 0.

    With `guarded`, a `where` keeps an adjoint or tangent at 0 that no contribution reaches; fast_math omits it.
    """

    def __init__(self, tape: Tape, guarded: bool = True) -> None:
        self.tape = tape
        self.guarded = guarded
        self._either: dict[tuple[int, int], Any] = {}

    def contribution(self, place: int, index: int, incoming: Flow) -> Flow | None:
        """Return d number / d argument times `incoming`, None for a structural zero; `place` is the number's index."""
        tape, op = self.tape, self.tape.ops[place]
        if op is None:
            return None
        args = [tape.tracer(arg) for arg in tape.args[place]]
        derivative = op.partials[index](*args, Tracer(tape, place))
        if not isinstance(derivative, Tracer) and (incoming.reached is None or math.isfinite(derivative)):
            amount = contribution(op, index, args, derivative, incoming.number)
            return None if amount is None else Flow(amount, incoming.reached)
        number, reached = product(derivative, incoming.number), incoming.reached
        if op.routes_gradient and isinstance(
            derivative, Tracer
        ):  # a derivative of 0 means that the argument was not selected
            reached = derivative if reached is None else ops.where(reached, derivative, 0.0)
        if self.guarded and reached is not None and number is not reached:
            number = ops.where(reached, number, 0.0)
        return Flow(number, reached)

    def joined(self, first: Flow | None, then: Flow) -> Flow:
        """Return the sum of two contributions; it reaches the number where one of them does."""
        if first is None:
            return then
        number = first.number + then.number
        if first.reached is None or then.reached is None:
            return Flow(number)
        a, b = self.tape.place(first.reached), self.tape.place(then.reached)
        if a == b:
            return Flow(number, first.reached)
        if (a, b) not in self._either:
            self._either[a, b] = ops.where(first.reached, first.reached, then.reached)
        return Flow(number, self._either[a, b])


def append_gradient(tape: Tape, root: int, wrt: Iterable[int], guarded: bool = True) -> list[int]:
    """Append the adjoint program, which adds in the order of `backward`; return the indices of the derivatives."""
    wanted = list(wrt)
    chain = Chain(tape, guarded)
    between = dependents(range(len(tape)), tape.args.__getitem__, wanted)
    flows = {root: Flow(1.0)}
    for place in reversed(_order(tape, root)):
        if place in flows and place in between:
            for index, arg in enumerate(tape.args[place]):
                amount = chain.contribution(place, index, flows[place]) if arg in between else None
                if amount is not None:
                    flows[arg] = chain.joined(flows.get(arg), amount)
    return [tape.place(flows[place].number if place in flows else 0.0) for place in wanted]


def append_tangents(tape: Tape, results: Iterable[int], guarded: bool = True) -> list[int]:
    """Append inputs for the tangents of all inputs, and the tangents of `results`; return the indices of the latter."""
    chain = Chain(tape, guarded)
    recorded = len(tape)
    tangents = [(place, Tracer(tape, tape.input())) for place in list(tape.inputs)]
    flows = {place: Flow(tangent, tangent) for place, tangent in tangents}  # a tangent of exactly 0 reaches nothing
    for place in range(recorded):
        for index, arg in enumerate(tape.args[place]):
            amount = chain.contribution(place, index, flows[arg]) if arg in flows else None
            if amount is not None:
                flows[place] = chain.joined(flows.get(place), amount)
    return [tape.place(flows[place].number if place in flows else 0.0) for place in results]


def _order(tape: Tape, root: int) -> list[int]:
    """Return the order of `topological_order`, so that sums of adjoints agree with `backward` to the last bit."""
    opened, done = [False] * len(tape), [False] * len(tape)
    order, stack = list[int](), [root]
    while stack:
        place = stack[-1]
        if not opened[place]:
            opened[place] = True
            stack += [arg for arg in reversed(tape.args[place]) if not opened[arg]]
            continue
        stack.pop()
        if not done[place]:
            done[place] = True
            order.append(place)
    return order
