"""`Value`, a number that records the operation that made it, and `backward()`, which applies the chain rule to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Literal, Self, Unpack, overload

from micrograd_bp._mypyc import i64, mypyc_attr
from micrograd_bp.engine.chain import passes
from micrograd_bp.engine.forks import held_over_forks
from micrograd_bp.engine.methods import Graph, Methods
from micrograd_bp.engine.node import Edge, is_recording
from micrograd_bp.engine.number import check_domain
from micrograd_bp.engine.pictures import GraphOptions
from micrograd_bp.ops import add as _add
from micrograd_bp.ops import mul as _mul
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float, kind

if TYPE_CHECKING:
    from micrograd_bp.ops.reals import Real

ADD: Final[Op] = _add
MUL: Final[Op] = _mul

_lock = threading.RLock()  # one sort or backward pass at a time: they write on the nodes
held_over_forks(lambda: _lock)
_last_mark: i64 = 0


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Value(Methods):
    """A number that records the operation that made it, with its arguments and local derivatives.

    `data`         the number; can be assigned (operations that were recorded before keep their results)
    `grad`         the adjoint d root / d this after `root.backward()`, 0.0 before; can be set
    `op`           the operation, None for a leaf
    `args`         the arguments in order, with constants as floats
    `local_grads`  d this / d argument at the time of recording, aligned with `args`; None for a constant
    `name`         the display name, which is not used in computation

    >>> x = Value(2.0, name="x")
    >>> y = x * x + 3 * x
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 7.0)
    >>> y
    Value(10.0, grad=1.0, op=add)

    `Value(data)` raises TypeError for anything but a real number and OverflowError for an int too large for a float.
    An operation outside its real domain raises DomainError (a ValueError).
    """

    __slots__ = ()

    @overload
    def __add__(self, other: Value | Real) -> Value: ...
    @overload
    def __add__(self, other: Operand) -> Any: ...
    def __add__(self, other: Any) -> Self | Any:  # add and mul are written out, because they are the most frequent
        if isinstance(other, Value):
            node = Value(self._data + other._data)
            node._dy = 1.0
        elif type(other) is float:
            node = Value(self._data + other)
        else:
            return super().__add__(other)
        node._op = ADD
        node._x, node._dx = self, 1.0
        node._y = other
        return node

    @overload
    def __mul__(self, other: Value | Real) -> Value: ...
    @overload
    def __mul__(self, other: Operand) -> Any: ...
    def __mul__(self, other: Any) -> Self | Any:
        if isinstance(other, Value):
            node = Value(self._data * other._data)
            node._dx, node._dy = other._data, self._data
        elif type(other) is float:
            node = Value(self._data * other)
            node._dx = other
        else:
            return super().__mul__(other)
        node._op = MUL
        node._x, node._y = self, other
        return node

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        """Apply `op` and record it. Raise DomainError for arguments outside its domain.

        A function that is being recorded raises none, as its program does not: the branch that a `where` will not take
        may be outside.
        """
        for arg in args:
            if not isinstance(arg, Value) and isinstance(arg, Operand):
                return arg.apply(op, args)  # a number that is built on Values, such as a Dual, takes precedence
        node = record(op, args)
        if node._data - node._data != 0.0 and not is_recording():  # outside its domain it gives nan or an infinity
            check_domain(op, tuple([arg._data if isinstance(arg, Value) else as_float(arg) for arg in args]))
        return node

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        """Apply `op` and record it, without a check of the domain."""
        for arg in args:
            if not isinstance(arg, Value) and isinstance(arg, Operand):
                return arg.apply_unchecked(op, args)
        return record(op, args)

    @overload
    def backward(self, seed: Real = 1.0, create_graph: Literal[False] = False) -> None: ...
    @overload
    def backward(self, seed: Real = 1.0, *, create_graph: Literal[True]) -> dict[Value, Value]: ...
    @overload
    def backward(self, seed: Real, create_graph: Literal[True]) -> dict[Value, Value]: ...
    @overload
    def backward(self, seed: Real = 1.0, create_graph: bool = False) -> dict[Value, Value] | None: ...
    def backward(self, seed: float | Any = 1.0, create_graph: bool = False) -> dict[Value, Any] | None:
        """Add `seed` times d self / d leaf to the `grad` of every leaf, and set the `grad` of all nodes between.

        The gradients of leaves accumulate over calls; those of other nodes are from the last call. The pass visits
        each node after all nodes that use it. An argument that `where`, `relu`, `maximum` or a similar operation did
        not select gets no contribution; otherwise products follow IEEE 754, so that 0 · inf is nan (`chain.py`). An
        interrupted pass (Ctrl-C) adds to the gradients of the leaves wholly or not at all. With `create_graph` the
        method returns a dict {leaf: gradient as a Value}. Raises TypeError where `seed` is not a real number.

        >>> a = Value(3.0)
        >>> (a * a).backward(seed=0.5)
        >>> a.grad
        3.0
        """
        start = as_float(seed)
        with _lock:
            order = _sorted(self)
            before = [(node, node._grad) for node in order if node._op is None]
            reached: i64 = _new_mark()  # nodes that no contribution reaches keep their old mark
            try:
                if start != 0.0:
                    self._grad = start
                    self._mark = reached
                for node in reversed(order):
                    if node._mark != reached:
                        node._grad = 0.0
                        continue
                    adjoint = node._grad
                    x = node._x
                    if isinstance(x, Value) and (node._dx != 0.0 or passes(node, 0, 0.0)):
                        _add_to(x, adjoint * node._dx, reached)
                    y = node._y
                    if isinstance(y, Value):
                        if node._dy != 0.0 or passes(node, 1, 0.0):
                            _add_to(y, adjoint * node._dy, reached)
                    elif isinstance(y, tuple):
                        for k, (arg, derivative) in enumerate(y):
                            if isinstance(arg, Value) and passes(node, k + 1, derivative):
                                _add_to(arg, adjoint * derivative, reached)
                totals = [(leaf, grad + leaf._grad) for leaf, grad in before]
                for leaf, total in totals:
                    leaf._grad = total
            except BaseException:
                for leaf, grad in before:
                    leaf._grad = grad
                raise
            for node in order:
                node._has_grad = True
        if not create_graph:
            return None
        from micrograd_bp.autodiff.reverse import gradients

        leaves: list[Value] = [leaf for leaf, _ in before]
        slopes: list[Any] = gradients(self, leaves, start)  # traced numbers in a recording
        return {
            leaf: Value(slope) if type(slope) is float else slope for leaf, slope in zip(leaves, slopes, strict=True)
        }

    def zero_grad(self) -> None:
        """Reset `grad` to 0.0 and `has_grad` to False for this node and all nodes below it."""
        with _lock:
            for node in _sorted(self):
                node._grad = 0.0
                node._has_grad = False

    def detach(self) -> Value:
        """Return a new leaf with the same data and name; no gradient passes from it to this node."""
        return Value(self.data, self._name)

    def graph(self, **options: Unpack[GraphOptions[Value]]) -> Graph:
        """Return a picture of the graph below this node: `.svg`, `.save("x.svg")`; see `draw_graph` for options."""
        from micrograd_bp.drawing import draw_graph

        return draw_graph(self, **options)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from micrograd_bp.drawing import notebook

        return notebook(self)


def _add_to(node: Value, amount: float, reached: i64) -> None:
    """Add a contribution to an adjoint, which begins with the first of them."""
    if node._mark == reached:
        node._grad += amount
    else:
        node._grad = amount
        node._mark = reached


def record(op: Op, args: tuple[Any, ...]) -> Value:
    """Return a node for `op` applied to `args` (Values or real numbers), without a check of the domain.

    Only the derivative rules of arguments that are nodes are called: Value(-2.0) ** 2 does not compute log(-2).
    """
    rules = op.slopes
    x = args[0]
    a: Any  # boxed floats, because Python functions are called with them
    b: Any
    out: Any
    if len(args) == 1:
        a = x._data
        out = op.fn(a)
        node = Value(out)
        node._x, node._dx = x, rules[0](a, out)
    elif len(args) == 2:
        y = args[1]
        a = x._data if isinstance(x, Value) else as_float(x)
        b = y._data if isinstance(y, Value) else as_float(y)
        out = op.fn(a, b)
        node = Value(out)
        node._x, node._y = a, b
        if isinstance(x, Value):
            node._x, node._dx = x, rules[0](a, b, out)
        if isinstance(y, Value):
            node._y, node._dy = y, rules[1](a, b, out)
    else:
        numbers = tuple([arg._data if isinstance(arg, Value) else as_float(arg) for arg in args])
        out = op.fn(*numbers)
        node = Value(out)
        found: list[Edge] = []
        for index, arg in enumerate(args):
            found.append((arg, rules[index](*numbers, out)) if isinstance(arg, Value) else (numbers[index], 0.0))
        node._x, node._dx = found[0]
        node._y = tuple(found[1:])
    node._op = op
    return node


def _new_mark() -> i64:
    """Return a mark that no node has yet."""
    global _last_mark
    _last_mark += 1
    return _last_mark


def clear_gradients(leaves: list[Any]) -> None:
    """Reset `grad` to 0.0 and `has_grad` to False for leaves; for other nodes call their `zero_grad`.

    The lock is held throughout: a backward pass in another thread stores partial sums in the gradients, and its result
    would be wrong if they were cleared before its end.
    """
    with _lock:
        for leaf in leaves:
            if isinstance(leaf, Value) and leaf._op is None:
                leaf._grad = 0.0
                leaf._has_grad = False
            else:
                leaf.zero_grad()


def add_to_gradients(leaves: list[Value], amounts: list[Any]) -> None:
    """Add a number to the `grad` of each leaf: to all or, if it is interrupted (Ctrl-C), to none."""
    with _lock:
        before = [(leaf, leaf._grad, leaf._has_grad) for leaf in leaves]
        try:
            for leaf, amount in zip(leaves, amounts, strict=True):
                setattr(leaf, "grad", leaf.grad + amount)  # noqa: B010 (mypyc hands a C double to a setter that it knows)
        except BaseException:
            for leaf, grad, known in before:
                leaf._grad, leaf._has_grad = grad, known
            raise


def topological_order(root: Value | Any) -> list[Value]:
    """Return `root` and all nodes that it depends on, each after its arguments: depth first, left to right.

    Raises TypeError where `root` is not a Value.

    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> [node.name or node.op for node in topological_order(a * b + a)]
    ['a', 'b', mul, add]
    """
    if not isinstance(root, Value):
        raise TypeError(f"topological_order takes a Value, not {kind(root)}")
    with _lock:
        return _sorted(root)


def _sorted(root: Value) -> list[Value]:
    """Return the order by marks on the nodes: `opened` once the arguments are on the stack, `done` once listed."""
    opened: i64 = _new_mark()
    done: i64 = _new_mark()
    order: list[Value] = []
    stack = [root]
    while stack:
        node = stack[-1]
        if node._mark < opened:
            node._mark = opened
            y = node._y
            if isinstance(y, Value):
                if y._mark < opened:
                    stack.append(y)
            elif isinstance(y, tuple):
                for arg, _ in reversed(y):
                    if isinstance(arg, Value) and arg._mark < opened:
                        stack.append(arg)
            x = node._x
            if isinstance(x, Value) and x._mark < opened:
                stack.append(x)
        else:
            stack.pop()
            if node._mark == opened:
                node._mark = done
                order.append(node)
    return order
