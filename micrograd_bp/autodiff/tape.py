"""`Tape`: a function that is recorded once, as a list of operations in the order of computation.

A tape has no branches: a branch on a traced number raises TraceError. The gradient extends the same tape: the
derivative rules are applied to tracers, which appends the adjoint program.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable, Iterator
from typing import Any, ClassVar, Self

from micrograd_bp import ops
from micrograd_bp.autodiff.levels import Leveled, next_height, opened
from micrograd_bp.autodiff.refusal import refuse
from micrograd_bp.autodiff.variables import Variable
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import (
    Flow,
    Unknown,
    contribution,
    dependents,
    guarded_product,
    joined,
    number_of,
    reverse_pass,
)
from micrograd_bp.engine.number import Number
from micrograd_bp.errors import TraceError
from micrograd_bp.ops.op import Op
from micrograd_bp.ops.reals import as_float, is_real

_UNKNOWN = "a traced number has no value while it is recorded, because the recording must hold for every input. "
_OUTSIDE = (
    "a number that is being differentiated comes from outside the function that is recorded, whose program would keep "
    "it as a constant. Make it an argument of the function"
)
_CHOOSE = "To choose by it, use where(condition, a, b), less, step, maximum or minimum of this package"


class Tape:
    """A list of numbers, each with an index: inputs, constants, and operations applied to earlier numbers.

    `ops`         the operation that computes each number, None for inputs, constants and parameters
    `args`        the indices of its arguments
    `names`       the display names, "" where there is none
    `inputs`      the indices of the inputs, in order
    `constants`   the constants by index
    `parameters`  the leaves that the function used, by index; their data are read again at each call
    `guarded`     whether derivative programs keep at 0 what no contribution reaches, even if it meets an infinity
    """

    def __init__(self, guarded: bool = True) -> None:
        self.guarded = guarded
        self.height = next_height()  # what is being differentiated by a lower level comes from outside
        self.ops: list[Op | None] = []
        self.args: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.inputs: list[int] = []
        self.constants: dict[int, float] = {}
        self.parameters: dict[int, Value] = {}
        self._known: dict[Any, int] = {}  # indices of constants (by their bits) and of Values
        self._either: dict[tuple[int, int], Tracer] = {}

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
                if isinstance(node, Variable) and node.active and node.height < self.height:
                    refuse(_OUTSIDE)
                if node.op is not None:
                    args = [self.place(arg) for arg in node.args]
                    self._known[node] = self.record(node.op, args, node.name or "")
                elif isinstance(node, Variable):  # a derivative is taken by it, so it has an index of its own
                    self._known[node] = self.record(ops.mul, [self.constant(node._data), self.constant(1.0)])
                else:
                    index = self._known[node] = self._add(None, (), node.name or "")
                    self.parameters[index] = node
        return self._known[value]

    def index_of(self, value: Value) -> int | None:
        """Return the index of a Value that is on the tape, or None."""
        return self._known.get(value)

    def place(self, number: Any) -> int:
        """Return the index of a tracer, a Value or a float."""
        number = opened(number)
        if isinstance(number, Leveled):
            refuse(_OUTSIDE)
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
        copied = Tape(self.guarded)
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


class Tracer(Unknown):
    """A number of a tape during recording. It has an index (`place`) but no value; a branch on it is an error."""

    __slots__ = ("place", "tape")

    KIND: ClassVar[str] = "a traced number"

    def __init__(self, tape: Tape, place: int) -> None:
        self.tape = tape
        self.place = place

    @property
    def data(self) -> float:
        refuse(_UNKNOWN + "Leave it in the arithmetic. " + _CHOOSE)

    @property
    def name(self) -> str | None:
        """The display name."""
        return self.tape.names[self.place] or None

    @name.setter
    def name(self, name: str | None) -> None:
        self.tape.names[self.place] = name or ""

    def __bool__(self) -> bool:
        refuse(_UNKNOWN + _CHOOSE)

    def __eq__(self, other: object) -> bool:
        if self is not other and (is_real(other) or isinstance(other, Number)):
            refuse(_UNKNOWN + _CHOOSE)
        return self is other

    def __ne__(self, other: object) -> bool:  # in the compiled build, the inherited method does not call __eq__
        return not self == other

    __hash__ = object.__hash__

    def __float__(self) -> float:
        refuse(
            _UNKNOWN + "This package's functions (mb.exp, mb.where and others) take traced numbers, and those of math "
            "and float() do not"
        )

    @property
    def guarded(self) -> bool:
        return self.tape.guarded

    def either(self, other: Any) -> Tracer:
        key = self.place, other.place
        if key not in self.tape._either:
            self.tape._either[key] = self if self.place == other.place else ops.where(self, self, other)
        return self.tape._either[key]

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        for arg in args:
            if isinstance(arg, Leveled):
                return arg.apply(op, args)
        return self.apply_unchecked(op, args)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        for arg in args:
            if isinstance(arg, Leveled):
                return arg.apply_unchecked(op, args)
        return Tracer(self.tape, self.tape.record(op, [self.tape.place(arg) for arg in args]))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Tracer({self.place}{f', {self.name!r}' if self.name else ''})"


# --- the adjoint program ----------------------------------------------------------------------------------------------


def append_gradient(tape: Tape, root: int, wrt: Iterable[int]) -> list[int]:
    """Append the adjoint program, which adds in the order of `backward`; return the indices of the derivatives."""
    wanted = list(wrt)
    between = dependents(range(len(tape)), tape.args.__getitem__, wanted)

    def contributions(place: int, adjoint: Any) -> Iterator[tuple[int, Any]]:
        for index, arg in enumerate(tape.args[place]):
            if arg in between:
                amount = _contribution(tape, place, index, adjoint, between)
                if amount is not None:
                    yield arg, amount

    found = reverse_pass(_order(tape, root), 1.0, contributions)
    return [tape.place(number_of(found.get(place))) for place in wanted]


def append_tangents(tape: Tape, results: Iterable[int]) -> list[int]:
    """Append inputs for the tangents of all inputs, and the tangents of `results`; return the indices of the latter."""
    recorded = len(tape)
    tangents: dict[int, Any] = {}
    for place in list(tape.inputs):
        tangent = Tracer(tape, tape.input())
        tangents[place] = Flow(tangent, tangent)  # no `seed`: no program differentiates by the tangents
    for place in range(recorded):
        for index, arg in enumerate(tape.args[place]):
            amount = _contribution(tape, place, index, tangents[arg], tangents) if arg in tangents else None
            if amount is not None:
                tangents[place] = joined(tangents[place], amount) if place in tangents else amount
    return [tape.place(number_of(tangents.get(place))) for place in results]


def _contribution(tape: Tape, place: int, index: int, incoming: Any, varying: Container[int]) -> Any:
    op: Any = tape.ops[place]
    if op is guarded_product and tape.args[place][2] in varying:  # as eagerly, where no number that varies is guarded
        if index == 2:
            return None
        op = ops.mul
    args = [tape.tracer(arg) for arg in tape.args[place]]
    return contribution(
        op, index, args[: op.arity], op.partials[index](*args[: op.arity], Tracer(tape, place)), incoming
    )


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
