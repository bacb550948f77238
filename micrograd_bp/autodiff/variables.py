"""`Variable`, a leaf by which a derivative is taken, and `variable`, which makes one of a number of any kind."""

from __future__ import annotations

from typing import Any, ClassVar

from micrograd_bp import ops
from micrograd_bp.autodiff.levels import Leveled
from micrograd_bp.engine import Value
from micrograd_bp.ops.op import Operand


class Variable(Value):
    """A leaf by which a derivative is taken. It is `active` while its function runs, and a constant afterwards."""

    __slots__ = ("active",)

    KIND: ClassVar[str] = "a number that is being differentiated"
    active: bool

    def __repr__(self) -> str:
        return super().__repr__().replace(type(self).__name__, Value.__name__, 1)


def variable(number: Any) -> Any:
    """Return a new node for a number, so that other uses of the number do not contribute.

    The node of a number with derivatives is its lowest primal: the gradient is taken of its parts.
    """
    if isinstance(number, Leveled):
        return number.on_primal(variable(number.primal))
    if isinstance(number, Operand):
        return number.apply_unchecked(ops.mul, (number, 1.0))
    leaf = Variable(number)
    leaf.active = True
    return leaf
