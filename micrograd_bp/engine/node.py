"""The state of a node of a graph: its number, its operation with arguments and local derivatives, and its adjoint."""

from __future__ import annotations

import numbers
from threading import get_ident
from typing import Any, Final, Self

from micrograd_bp._mypyc import i64, mypyc_attr
from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import Op
from micrograd_bp.ops.reals import as_float, is_real, kind, short

Edge = tuple["Node | float", float]  # an argument and d node / d argument

RECORDING: Final[dict[int, Any]] = {}
"""For each thread that records a function, by its number, what it does with Values (`compiler/recording.py`).

A recording runs later, for other numbers, so that it must not depend on those that a Value has now. The table is looked
at where a user reads them: in `data`, which comparisons read, `grad` and `local_grads`. The engine reads `_data`, which
is not watched, because what it computes is recorded. (To exchange the properties of the class during a recording would
cost nothing otherwise. But other threads would see it, and CPython would forget how it finds the attributes of Values.)
"""


def is_recording() -> bool:
    """Return whether this thread records a function."""
    return bool(RECORDING) and get_ident() in RECORDING


def refuse_while_recording(node: Node) -> None:
    """Raise TraceError where this thread records a function. Call it only if `RECORDING` is not empty."""
    recording = RECORDING.get(get_ident())
    if recording is not None:
        recording.refuse(node)


def traced(node: Node) -> Any:
    """Return a node as a number of the recording where this thread records a function, else the node."""
    recording = RECORDING.get(get_ident())
    return node if recording is None else recording.traced(node)


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Node(Number):
    """The state of a `Value`; the docstring of `Value` explains the properties."""

    # The derivatives have separate attributes, which a compiled build stores unboxed. For an operation with three or
    # more arguments, _y has all but the first, with their derivatives. A node of two arguments takes 112 bytes.
    __slots__ = ("_data", "_grad", "_has_grad", "_op", "_x", "_y", "_dx", "_dy", "_mark", "_name")

    def __init__(self, data: Any, name: str | Any = None) -> None:
        self._data: float = data if type(data) is float else as_float(data)
        self._grad = 0.0
        self._has_grad = False
        self._op: Op | None = None
        self._x: Node | float | None = None
        self._y: Node | float | tuple[Edge, ...] | None = None
        self._dx = self._dy = 0.0
        self._mark: i64 = 0
        self._name: str | None = None if name is None else _checked(name)

    @property
    def data(self) -> float:
        """The number. It can be assigned; operations that were recorded before keep their results and derivatives.

        Assigning raises TypeError for anything but a real number and OverflowError for an int too large for a float.

        >>> from micrograd_bp import Value
        >>> w = Value(2.0)
        >>> w.data -= 0.5
        >>> w.data
        1.5
        """
        if RECORDING:
            refuse_while_recording(self)
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data = data if type(data) is float else as_float(data)

    @property
    def grad(self) -> float:
        """The adjoint d root / d this after `root.backward()`, and 0.0 before. It can be set to a real number.

        A leaf adds up the adjoints of several backward passes; every other node has the adjoint of the last one.

        >>> from micrograd_bp import Value
        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if RECORDING:
            refuse_while_recording(self)
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad = as_float(grad)
        self._has_grad = True

    @property
    def has_grad(self) -> bool:
        """Whether a backward pass has reached this node, or its `grad` was set, since the last `zero_grad`.

        >>> from micrograd_bp import Value
        >>> x = Value(3.0)
        >>> before = x.has_grad
        >>> x.backward()
        >>> before, x.has_grad
        (False, True)
        """
        if RECORDING:
            refuse_while_recording(self)
        return self._has_grad

    @property
    def name(self) -> str | None:
        """The display name, a str or None; it is not used in computation. Any other type raises TypeError.

        >>> from micrograd_bp import Value
        >>> w = Value(0.3, name="w")
        >>> w.name
        'w'
        """
        return self._name

    @name.setter
    def name(self, name: str | Any) -> None:
        self._name = _checked(name)

    @property
    def op(self) -> Op | None:
        """The operation that made this node, or None for a leaf. It is read-only.

        >>> from micrograd_bp import Value
        >>> (Value(2.0) * 3).op, Value(2.0).op
        (mul, None)
        """
        return self._op

    @property
    def args(self) -> tuple[Self | float, ...]:
        """The arguments of the operation in order, with constants as floats; () for a leaf. It is read-only.

        >>> from micrograd_bp import Value
        >>> (Value(2.0) * 3).args
        (Value(2.0), 3.0)
        """
        found: list[Any] = [arg for arg, _ in edges(self)]
        return tuple(found)

    @property
    def local_grads(self) -> tuple[float | None, ...]:
        """The derivatives d this / d argument at the time of recording, aligned with `args`; None for a constant.

        >>> from micrograd_bp import Value
        >>> (Value(2.0) * 3).local_grads
        (3.0, None)
        """
        if RECORDING:
            refuse_while_recording(self)
        return tuple([derivative if isinstance(arg, Node) else None for arg, derivative in edges(self)])

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same node. Raise TypeError for a number: compare `data` with it."""
        if is_real(other) or isinstance(other, numbers.Number):
            refuse_while_recording(self)
            raise TypeError(f"Value == {short(other)}: compare v.data == {short(other)}, or nodes by `is`")
        return self is other if isinstance(other, Node) else NotImplemented

    def __hash__(self) -> int:
        return id(self) >> 4

    def __float__(self) -> float:
        refuse_while_recording(self)
        return super().__float__()

    def __repr__(self) -> str:
        facts = {"grad": self._grad if self._has_grad else None, "op": self._op, "name": self._name}
        shown = [f"{fact}={value!r}" for fact, value in facts.items() if value is not None]
        return f"{type(self).__name__}({', '.join([repr(self._data), *shown])})"


def _checked(name: object) -> str | None:
    if name is None or isinstance(name, str):
        return name
    raise TypeError(f"a name is a str or None, not {kind(name)}")


def edges(node: Node) -> tuple[Edge, ...]:
    """Return the arguments of a node, each with its local derivative (0.0 for a constant)."""
    x, y = node._x, node._y
    if x is None:
        return ()
    if y is None:
        return ((x, node._dx),)
    return ((x, node._dx), *(y if isinstance(y, tuple) else ((y, node._dy),)))


def described(node: Node) -> str:
    """Return how a message names a node: by its name, or by its operation and the names of its arguments, mul(w, x)."""
    if node._name is not None or node._op is None:
        return node._name or "a leaf"
    parts = []
    for arg, _ in edges(node):
        if isinstance(arg, Node):
            parts.append(arg._name or (arg._op.name if arg._op is not None else "leaf"))
        else:
            parts.append(f"{arg:g}")
    return f"{node._op.name}({', '.join(parts)})"
