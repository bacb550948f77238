"""The chain rule along one edge, for every mode: what an operation passes to one of its arguments, or takes from it.

A contribution is the product of a local derivative and the incoming adjoint (reverse mode) or tangent (forward mode).
It follows IEEE 754, so 0 · inf is nan. There are two kinds of zero:

numeric     An adjoint or a derivative was computed, and the result is 0. Its product with inf is nan, because the true
            slope may be any number: for cbrt(x)**3 at 0 it is 1, and a result of 0 would be wrong.
structural  No contribution passes, even if the adjoint is inf: to an argument that `where`, `relu`, `maximum` or a
            similar operation did not select, and along an edge whose derivative is a constant 0, because its rule
            reads constants only, as in sqrt(x) * 0.0. A node that no contribution reaches passes none on, even if its
            own derivative is inf.

`backward`, gradient graphs, dual numbers, power series, tapes and the page all use these rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from micrograd_bp._mypyc import mypyc_attr
from micrograd_bp.engine.node import RECORDING, Node, traced
from micrograd_bp.engine.number import Number, bottom
from micrograd_bp.ops import sqrt, square, where
from micrograd_bp.ops.op import Op, Operand, Rule
from micrograd_bp.ops.reals import as_float

T = TypeVar("T")


def zero_is_structural(op: Op, index: int, variables: int) -> bool:
    """Return whether a derivative of exactly 0 by argument `index` is structural: no contribution passes to it.

    Bit k of `variables` is 1 where argument k is not a constant. The zero is structural where the operation selects
    among its arguments, and where the derivative rule reads constants only.

    >>> from micrograd_bp import ops
    >>> zero_is_structural(ops.relu, 0, 0b1), zero_is_structural(ops.square, 0, 0b1)
    (True, False)
    >>> zero_is_structural(ops.mul, 0, 0b01), zero_is_structural(ops.mul, 0, 0b11)  # x * 0.0, x * y at y = 0
    (True, False)
    """
    if op.routes_gradient:
        return True
    reads = op.reads
    if reads is None:
        reads = op.reads = tuple([_read_by(rule, op.arity) for rule in op.partials])
    return not reads[index] & variables


def variables_among(args: Sequence[Any]) -> int:
    """Return an int whose bit k is 1 where argument k is not a constant."""
    return sum([1 << k for k, arg in enumerate(args) if isinstance(arg, Operand)])


def passes(node: Node, index: int, derivative: float) -> bool:
    """Return whether a contribution passes from a node to its argument `index`; `derivative` is d node / d argument."""
    op = node._op
    if derivative != 0.0 or op is None:
        return True
    y = node._y
    if isinstance(y, tuple):
        return not zero_is_structural(op, index, variables_among(node.args))
    variables = (1 if isinstance(node._x, Node) else 0) | (2 if isinstance(y, Node) else 0)
    return not zero_is_structural(op, index, variables)


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Unknown(Number):
    """A number that is known only when a recorded program runs, so that it cannot be compared with 0 before."""

    __slots__ = ()

    @property
    def guarded(self) -> bool:
        """Whether the program keeps at 0 what no contribution reaches, even if it meets an infinity."""
        return True

    def either(self, other: Unknown) -> Unknown:
        """Return a number that is 0 where both are."""
        raise NotImplementedError


class Flow:
    """An adjoint or tangent of which only the running program knows whether a contribution reaches its number.

    Where `reached` is 0, none does, and `number` is 0. If the flow is `computed`, the number may have derivatives even
    there: `reached` is then a weight or a tangent that was computed and is 0, and not an operation that did not select
    its argument. All other adjoints and tangents are written as plain numbers.
    """

    __slots__ = ("computed", "number", "reached")

    def __init__(self, number: Any, reached: Unknown, computed: bool = False) -> None:
        self.number = number
        self.reached = reached
        self.computed = computed


def contribution(op: Op, index: int, args: Sequence[Any], derivative: Any, incoming: Any) -> Any:
    """Return the derivative times the incoming adjoint or tangent, or None where the zero is structural.

    It is a `Flow` where the incoming one is, or where an unknown derivative decides whether the argument is selected.

    >>> import math
    >>> from micrograd_bp import ops
    >>> contribution(ops.cbrt, 0, [Node(0.0)], float("inf"), 0.0)
    nan
    >>> contribution(ops.mul, 0, [Node(0.0), 0.0], 0.0, float("inf")) is None
    True
    """
    if isinstance(derivative, Number):
        if not op.routes_gradient:
            return times(derivative, incoming)  # its rule reads a variable, so that no zero of it is structural
        base = bottom(derivative)
        if RECORDING and isinstance(base, Node):
            base = traced(base)
        if isinstance(base, Unknown):
            return selected(base, times(derivative, incoming))
        zero = base.data == 0.0 if isinstance(base, Number) else base == 0.0
    else:
        zero = derivative == 0.0
    if zero and zero_is_structural(op, index, variables_among(args)):
        return None
    return times(derivative, incoming)


def times(factor: Any, incoming: Any) -> Any:
    """Return a factor times an adjoint or tangent, which stays 0 where no contribution reaches it."""
    if not isinstance(incoming, Flow):
        return product(factor, incoming)
    before, reached = incoming.number, incoming.reached
    number = product(factor, before)
    if reached.guarded and (isinstance(factor, Number) or factor - factor != 0.0):
        if incoming.computed:
            base = bottom(before)
            root = reached.apply(sqrt, (reached.apply(square, (base,)),))  # where base is 0, it is 0 with the slope nan
            (number,) = by_parts(lambda part: [_unless_infinite(part, reached, root)], number)
        else:
            number = _chosen(reached, number, 0.0)
    return Flow(number, reached, incoming.computed)


def _unless_infinite(part: Any, reached: Unknown, otherwise: Any) -> Any:
    """Return a part of a product with a computed flow: a finite factor gives 0 with the derivatives of the product."""
    if part is None or not isinstance(part, Number):
        return part
    return reached.apply(where, (part - part, _chosen(reached, part, otherwise), part))


def by_parts(function: Callable[[Any], list[Any]], number: Any) -> list[Any]:
    """Return function(number); for a number with derivatives, of each part, put together in numbers of its level."""
    if isinstance(number, Flow):
        return [Flow(part, number.reached, number.computed) for part in by_parts(function, number.number)]
    if isinstance(number, Number) and number.primal is not number:
        several: list[Any] = cast(Any, number).mapped(lambda part: by_parts(function, part))
        return several
    return function(number)


def selected(condition: Unknown, flow: Any) -> Flow:
    """Return an adjoint or tangent that reaches its number only where `condition` is not 0."""
    if not isinstance(flow, Flow):
        return Flow(_chosen(condition, flow, 0.0), condition)
    return Flow(_chosen(condition, flow.number, 0.0), _chosen(flow.reached, condition, 0.0), flow.computed)


def _chosen(condition: Unknown, number: Any, otherwise: Any) -> Any:
    if not condition.guarded or number is condition:
        return number
    return condition.apply(where, (condition, number, otherwise))


def joined(first: Any, then: Any) -> Any:
    """Return the sum of two contributions; it reaches the number where one of them does."""
    if not isinstance(first, Flow):
        return first + then.number if isinstance(then, Flow) else first + then
    if not isinstance(then, Flow):
        return first.number + then
    reached = first.reached if first.reached is then.reached else first.reached.either(then.reached)
    return Flow(first.number + then.number, reached, first.computed or then.computed)


def seed(tangent: Any) -> Any:
    """Return a tangent that starts a derivative: None where it is exactly 0, a `Flow` where that is unknown."""
    if isinstance(tangent, Unknown):
        return Flow(tangent, tangent, computed=True)
    return None if type(tangent) is float and tangent == 0.0 else tangent


def number_of(flow: Any) -> Any:
    """Return an adjoint or tangent as a number; None, which is structurally zero, is 0.0."""
    if flow is None:
        return 0.0
    return flow.number if isinstance(flow, Flow) else flow


def product(derivative: Any, incoming: Any) -> Any:
    """Return the product of two numbers of any kind; a factor of exactly 1 returns the other and records no node.

    A float that is 0 here was computed. Its product with a number n is n - n: 0 or nan as 0 · n is, and so are all
    derivatives of it. They would be structurally zero for 0.0 * n, which reads a constant.
    """
    if type(derivative) is float:
        if derivative == 1.0:
            return incoming
        if derivative == 0.0 and isinstance(incoming, Number):
            return incoming - incoming
    if type(incoming) is float:
        if incoming == 1.0:
            return derivative
        if incoming == 0.0 and isinstance(derivative, Number):
            return derivative - derivative
    return incoming * derivative


# --- passes over graphs -----------------------------------------------------------------------------------------------


def reverse_pass(
    order: Sequence[T], seed: Any, contributions: Callable[[T, Any], Iterable[tuple[T, Any]]]
) -> dict[T, Any]:
    """Return the adjoints of all nodes that a contribution reaches from the last node of `order`.

    `order` is a topological order, and `seed` is the adjoint of its last node. `contributions(node, adjoint)` yields
    (argument, contribution) pairs, which are added up in that order. A seed of exactly 0 passes no contribution on.
    """
    adjoints = {order[-1]: seed}
    if type(seed) is float and seed == 0.0:
        return adjoints
    for node in reversed(order):
        if node in adjoints:
            for arg, amount in contributions(node, adjoints[node]):
                adjoints[arg] = joined(adjoints[arg], amount) if arg in adjoints else amount
    return adjoints


def dependents(order: Iterable[T], parents: Callable[[T], Iterable[T]], sources: Iterable[T]) -> set[T]:
    """Return `sources` and the nodes of the topological order `order` that depend on them."""
    found = set(sources)
    for node in order:
        if any(parent in found for parent in parents(node)):
            found.add(node)
    return found


def reached(order: Sequence[Any]) -> set[Any]:
    """The nodes of `order` to which something passes from the last one, and that one."""
    found = {order[-1]}
    for node in reversed(order):
        if node in found:
            for index, (arg, derivative) in enumerate(zip(node.args, node.local_grads, strict=True)):
                if isinstance(arg, Node) and passes(node, index, derivative):
                    found.add(arg)
    return found


def parents(node: Any) -> list[Any]:
    """Return the arguments of a node that are nodes."""
    return [arg for arg in node.args if isinstance(arg, Node)]


# --- derivative rules -------------------------------------------------------------------------------------------------


class _Unchecked(Number):
    """A number that is passed to a derivative rule: operations on it do not check their domains."""

    __slots__ = ("number",)

    def __init__(self, number: Operand) -> None:
        self.number = number

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        bare = tuple([arg.number if isinstance(arg, _Unchecked) else arg for arg in args])
        return _Unchecked(self.number.apply_unchecked(op, bare))


def local_derivative(rule: Rule, args: tuple[Any, ...], out: Any) -> Any:
    """Return a derivative rule at `args` and `out`, numbers of any kind. It follows IEEE 754: sqrt'(0) is inf."""
    result = rule(*[_Unchecked(arg) if isinstance(arg, Operand) else arg for arg in (*args, out)])
    if isinstance(result, _Unchecked):
        return result.number
    return result if isinstance(result, Operand) else as_float(result)


class _Reading(Number):
    """A number that records, as bits, from which arguments it was computed."""

    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        bits = 0
        for arg in args:
            if isinstance(arg, _Reading):
                bits |= arg.bits
        return _Reading(bits)


def _read_by(rule: Rule, arity: int) -> int:
    """Return the arguments that a rule reads, as bits; all bits are 1 where it reads `out` or accepts only floats."""
    every = (1 << arity) - 1
    try:
        result = rule(*[_Reading(1 << k) for k in range(arity)], _Reading(every))
    except Exception:  # a user-defined rule may raise any error
        return every
    return result.bits if isinstance(result, _Reading) else 0
