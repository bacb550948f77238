"""`Variable`, a leaf by which a derivative is taken: how one is made of a number of any kind, and how it ends."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, ClassVar

from micrograd_bp import ops
from micrograd_bp.autodiff.levels import Leveled, next_height, opened
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import by_parts
from micrograd_bp.ops.op import Operand


class Variable(Value):
    """A leaf by which a derivative is taken. It is `active` while its function runs, and a constant afterwards.

    The variable of a Value is a copy of it, 1·x. Its `height` is above that of all levels that were opened before it.
    """

    __slots__ = ("active", "height")

    KIND: ClassVar[str] = "a number that is being differentiated"

    def __init__(self, number: Any) -> None:
        super().__init__(number._data if isinstance(number, Value) else number)
        self.active = True
        self.height = next_height()
        if isinstance(number, Value):
            self._op, self._x, self._dx, self._y = ops.mul, number, 1.0, 1.0

    def __repr__(self) -> str:
        return super().__repr__().replace(type(self).__name__, Value.__name__, 1)


def variable(number: Any) -> Any:
    """Return a new node for a number, so that other uses of the number do not contribute.

    The node of a number with derivatives is its lowest primal: the gradient is taken of its parts.
    """
    if isinstance(number, Leveled):
        return number.on_primal(variable(number.primal))
    if isinstance(number, Operand) and not isinstance(number, Value):
        return number.apply_unchecked(ops.mul, (number, 1.0))
    return Variable(number)


def ended(number: Any, own: Set[Any] = frozenset()) -> Any:
    """Return a number without derivatives that have ended: as a float where it depends on no others.

    `own` has the variables of the derivative that ends now.
    """
    return by_parts(lambda part: [_as_data(part, own)], opened(number))[0]


def _as_data(number: Any, own: Set[Any]) -> Any:
    return number._data if isinstance(number, Value) and depends_only_on(number, own) else number


def depends_only_on(root: Value, own: Set[Any]) -> bool:
    """Return whether `root` depends on nothing but `own` and variables that are no longer active."""
    return all(
        node in own or not (node.active if isinstance(node, Variable) else node.op is None)
        for node in topological_order(root)
    )
