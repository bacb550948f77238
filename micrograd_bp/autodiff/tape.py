"""`Tape`: a function recorded once, as operations in the order in which they are computed.

A tape has no branches: what a traced number would decide is refused. Its gradient is more of the same tape: the rows'
rules, applied to tracers, append the adjoint program.
"""

from __future__ import annotations

import linecache
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NoReturn

from micrograd_bp import ops
from micrograd_bp.engine import Value, topological_order
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


Guard = Literal["", "plain", "smooth"]
"""What keeps 0 · inf out of the chain rule: nothing; a where that gives 0; or one that can be differentiated again."""


def append_gradient(tape: Tape, root: int, wrt: Iterable[int], guard: Guard = "plain") -> list[int]:
    """The places of d root / d each of `wrt`; what computes them is appended.

    As `backward` does, in its order: an adjoint that is exactly 0 passes nothing on, also where the local derivative is
    infinite, and what a where, relu, maximum ... did not take gets nothing.
    """
    wanted = list(wrt)
    active = set(wanted)
    for place in range(len(tape)):
        if any(arg in active for arg in tape.args[place]):
            active.add(place)
    adjoints: dict[int, Any] = {root: 1.0}
    for place in reversed(_order(tape, root)):
        op = tape.ops[place]
        if op is None or place not in active or place not in adjoints:
            continue
        numbers = [tape.tracer(arg) for arg in tape.args[place]]
        for arg, rule in zip(tape.args[place], op.partials, strict=True):
            if arg not in active:
                continue
            passed = passed_on(adjoints[place], rule(*numbers, Tracer(tape, place)), op.routes_gradient, guard)
            if passed is not None:
                adjoints[arg] = adjoints[arg] + passed if arg in adjoints else passed
    return [tape.place(adjoints.get(place, 0.0)) for place in wanted]


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


def passed_on(adjoint: Any, local: Any, routes_gradient: bool, guard: Guard) -> Any:
    """Adjoint times local derivative, None for nothing, guarded where one of both may be 0 and the other not finite."""
    if isinstance(local, float) and (local == 0.0 or local == 1.0):
        return adjoint if local else None
    if isinstance(adjoint, float) and adjoint == 1.0:
        return local
    product = adjoint * local
    if not guard or isinstance(product, float):
        return product
    if routes_gradient and isinstance(local, Tracer):
        product = ops.where(local, product, 0.0)
    if isinstance(adjoint, Tracer) and isinstance(local, Tracer):
        kept: Any = adjoint
        if guard == "smooth":  # an adjoint of 0 has a derivative, unless it meets what is not finite
            kept = ops.where(adjoint, 1.0, ops.where(local - local, 0.0, 1.0))
        product = ops.where(kept, product, 0.0)
    return product
