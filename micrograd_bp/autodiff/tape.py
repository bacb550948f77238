"""`Tape`: a function recorded once, as operations in the order in which they are computed.

A tape has no branches: what a traced number would decide is refused. Its gradient is more of the same tape: the rows'
rules, applied to tracers, append the adjoint program.
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
    """Numbers 0, 1, 2, ...: inputs, constants, and rows applied to earlier ones.

    `ops`         the row that makes each number, None for inputs and constants
    `args`        the places of its arguments
    `names`       what people call them, "" for most
    `inputs`      the places of the inputs, in order
    `constants`   the constants by their places
    `parameters`  the leaves that were met while recording, by their places: inputs, read anew at each call
    """

    def __init__(self) -> None:
        self.ops: list[Op | None] = []
        self.args: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.inputs: list[int] = []
        self.constants: dict[int, float] = {}
        self.parameters: dict[int, Value] = {}
        self._known: dict[Any, int] = {}  # constants by their bits, Values by themselves: each has one place

    def __len__(self) -> int:
        return len(self.ops)

    def input(self, name: str = "") -> int:
        """A new input's place."""
        self.inputs.append(self._add(None, (), name))
        return self.inputs[-1]

    def constant(self, number: float) -> int:
        """The place of a constant; each has one, -0.0 another than 0.0."""
        key = struct.pack("d", number)
        if key not in self._known:
            self._known[key] = self._add(None, ())
            self.constants[self._known[key]] = number
        return self._known[key]

    def known_constant(self, number: float) -> int | None:
        """The place of a constant that is on the tape; None for another."""
        return self._known.get(struct.pack("d", number))

    def record(self, op: Op, args: Iterable[int], name: str = "") -> int:
        """The place of `op` applied to numbers of the tape."""
        return self._add(op, tuple(args), name)

    def value(self, value: Value) -> int:
        """The place of a Value: a leaf is a parameter, what was computed from leaves alone is computed here too."""
        if value not in self._known:
            for node in topological_order(value):
                if node in self._known:
                    continue
                if node.op is None:
                    place = self._known[node] = self._add(None, (), node.name or "")
                    self.parameters[place] = node
                else:
                    args = [self.place(arg) for arg in node.args]
                    self._known[node] = self.record(node.op, args, node.name or "")
        return self._known[value]

    def place(self, number: Any) -> int:
        """The place of a slot, a Value or a float."""
        if isinstance(number, Tracer):
            if number.tape is not self:
                raise TraceError("a number of another recording is used here; it ended when its function returned")
            return number.place
        return self.value(number) if isinstance(number, Value) else self.constant(as_float(number))

    def tracer(self, place: int) -> Any:
        """What rules get for a place: a constant as its float, all else as a slot."""
        return self.constants[place] if place in self.constants else Tracer(self, place)

    def copy(self) -> Tape:
        """The same numbers and parameters; what is recorded on one is not on the other."""
        copied = Tape()
        copied.ops, copied.args, copied.names = list(self.ops), list(self.args), list(self.names)
        copied.inputs, copied.constants, copied.parameters = (
            list(self.inputs),
            dict(self.constants),
            dict(self.parameters),
        )
        copied._known = dict(self._known)
        return copied

    def know_leaves(self) -> None:
        """Constants and parameters that were put here by hand are met again, not added once more."""
        self._known |= {struct.pack("d", x): place for place, x in self.constants.items()}
        self._known |= {value: place for place, value in self.parameters.items()}

    def _add(self, op: Op | None, args: tuple[int, ...], name: str = "") -> int:
        self.ops.append(op)
        self.args.append(args)
        self.names.append(name)
        return len(self.ops) - 1


class Tracer(Number):
    """A number of a tape while it is recorded. It has a place and no value: nothing can be decided by it."""

    __slots__ = ("place", "tape")

    def __init__(self, tape: Tape, place: int) -> None:
        self.tape = tape
        self.place = place

    @property
    def data(self) -> float:  # has none yet
        _refuse("has no value while it is recorded")

    @property
    def name(self) -> str | None:
        """What people call it."""
        return self.tape.names[self.place] or None

    @name.setter
    def name(self, name: str | None) -> None:
        self.tape.names[self.place] = name or ""

    def __bool__(self) -> bool:
        _refuse("decides nothing while it is recorded")

    def __eq__(self, other: object) -> bool:
        if self is not other and (is_real(other) or isinstance(other, Number)):
            _refuse("is compared with nothing while it is recorded")
        return self is other

    def __ne__(self, other: object) -> bool:  # compiled, Number's own does not ask __eq__
        return not self == other

    __hash__ = object.__hash__

    def __float__(self) -> float:
        _refuse("has no value while it is recorded")

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Tracer:
        return Tracer(self.tape, self.tape.record(op, [self.tape.place(arg) for arg in args]))

    def __repr__(self) -> str:
        return f"Tracer({self.place}{f', {self.name!r}' if self.name else ''})"


def _refuse(what: str) -> NoReturn:
    """TraceError that shows the line of the user's code."""
    frame: Any = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    raise TraceError(
        f"{file}, line {line}: {text}\na traced number {what}: the recording holds for every input. Use "
        "where(condition, a, b), maximum, minimum, step or sign of this package in place of if, and, or, max, float",
        line,
        text,
    )


# --- the adjoint program ----------------------------------------------------------------------------------------------


class Flow(NamedTuple):
    """What arrives at a number of a tape: an adjoint or a tangent. Where `reached` is 0 when the program runs, nothing
    arrives, and `number` is 0; None: something always does."""

    number: Any
    reached: Any = None


class Chain:
    """The chain rule of `engine/chain.py` on a tape, where a derivative that may be 0 is known only when the program
    runs: what nothing passes to is held at 0 by a `where`. Without `guarded` (fast_math), it is not."""

    def __init__(self, tape: Tape, guarded: bool = True) -> None:
        self.tape = tape
        self.guarded = guarded
        self._either: dict[tuple[int, int], Any] = {}

    def contribution(self, place: int, index: int, arriving: Flow) -> Flow | None:
        """The derivative of the operation at `place` by its argument `index`, times what arrives; None for nothing."""
        tape, op = self.tape, self.tape.ops[place]
        if op is None:
            return None
        args = [tape.tracer(arg) for arg in tape.args[place]]
        derivative = op.partials[index](*args, Tracer(tape, place))
        if not isinstance(derivative, Tracer) and (arriving.reached is None or math.isfinite(derivative)):
            amount = contribution(op, index, args, derivative, arriving.number)
            return None if amount is None else Flow(amount, arriving.reached)
        number, reached = product(derivative, arriving.number), arriving.reached
        if op.routes_gradient and isinstance(derivative, Tracer):  # where it is 0, this argument was not selected
            reached = derivative if reached is None else ops.where(reached, derivative, 0.0)
        if self.guarded and reached is not None and number is not reached:
            number = ops.where(reached, number, 0.0)
        return Flow(number, reached)

    def joined(self, first: Flow | None, then: Flow) -> Flow:
        """The sum of two contributions: something arrives where one of them does."""
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
    """The places of d root / d each of `wrt`; what computes them is appended, in the order in which `backward` adds."""
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
    """The places of the results' tangents, for as many tangents of the inputs, which are appended as more inputs."""
    chain = Chain(tape, guarded)
    recorded = len(tape)
    moves = [(place, Tracer(tape, tape.input())) for place in list(tape.inputs)]
    flows = {place: Flow(move, move) for place, move in moves}  # a tangent of exactly 0 passes nothing on
    for place in range(recorded):
        for index, arg in enumerate(tape.args[place]):
            amount = chain.contribution(place, index, flows[arg]) if arg in flows else None
            if amount is not None:
                flows[place] = chain.joined(flows.get(place), amount)
    return [tape.place(flows[place].number if place in flows else 0.0) for place in results]


def _order(tape: Tape, root: int) -> list[int]:
    """As `topological_order`: sums of adjoints are taken in its order, to the last bit."""
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
