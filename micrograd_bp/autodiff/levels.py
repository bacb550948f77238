"""Levels, which separate a derivative from the derivatives inside and around it.

A forward derivative opens a level above all others, runs its function on numbers of that level, and closes the level.
An operation acts on the highest open level among its arguments, where numbers of lower levels are constants. (Otherwise
one derivative would take the perturbation of another for its own; this error is called perturbation confusion.) A
number that a function kept beyond the end of its derivative is a constant there: its level is closed, and only its
primal is used.
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar, Self

from micrograd_bp._mypyc import mypyc_attr
from micrograd_bp.engine.number import Number, bottom, check_domain
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float, is_real, short

_heights = itertools.count(1)


def next_height() -> int:
    """Return a number above all that were returned before."""
    return next(_heights)


@mypyc_attr(allow_interpreted_subclasses=True)
class Level:
    """One derivative that is being taken. Its `height` is above that of all levels that were opened before it."""

    __slots__ = ("height", "open")

    def __init__(self) -> None:
        self.height: int = next_height()
        self.open = True


@mypyc_attr(allow_interpreted_subclasses=True)
class Leveled(Number):
    """A number with derivatives on a level. Subclasses have a `primal` and define the three methods below."""

    __slots__ = ("level",)

    KIND: ClassVar[str] = "a number that is being differentiated"

    def __init__(self, level: Level) -> None:
        self.level = level

    @property
    def data(self) -> float:  # read-only, unlike the data of a Value
        """The primal below all levels, as a float."""
        base = bottom(self)
        return float(base.data) if isinstance(base, Number) else float(base)

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        return _on_highest(op, args, True)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        return _on_highest(op, args, False)

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same number. Raise TypeError for a plain number, as a Value does."""
        if is_real(other):
            raise TypeError(
                f"{self.KIND} == {short(other)}: compare .data == {short(other)}, or numbers with derivatives by `is`"
            )
        return self is other if isinstance(other, Number) else NotImplemented

    def __hash__(self) -> int:
        return id(self) >> 4

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def extended(self, op: Op, args: tuple[Any, ...], checked: bool) -> Any:
        """Return op(*args) on this number's level, the highest among `args`."""
        raise NotImplementedError

    def on_primal(self, primal: Any) -> Any:
        """Return the number with the same derivatives on another primal."""
        raise NotImplementedError

    def mapped(self, parts: Any) -> list[Any]:
        """Return numbers of this level: number i has the i-th of the numbers that `parts` makes of each part."""
        raise NotImplementedError


def _on_highest(op: Op, args: tuple[Any, ...], checked: bool) -> Any:
    args = tuple([opened(arg) for arg in args])
    top: Leveled | None = None
    for arg in args:
        if isinstance(arg, Leveled) and (top is None or arg.level.height > top.level.height):
            top = arg
    return evaluate(op, args, checked) if top is None else top.extended(op, args, checked)


def opened(number: Any) -> Any:
    """Return a number without closed levels, as a float where it is no Operand."""
    while isinstance(number, Leveled) and not number.level.open:
        number = number.primal
    return number if isinstance(number, Operand) else as_float(number)


def evaluate(op: Op, args: tuple[Any, ...], checked: bool) -> Any:
    """Return op(*args) for numbers of any kind; if `checked`, raise DomainError outside its domain."""
    for arg in args:
        if isinstance(arg, Operand):
            return arg.apply(op, args) if checked else arg.apply_unchecked(op, args)
    out = op.fn(*args)
    if checked and out - out != 0.0:
        check_domain(op, args)
    return out
