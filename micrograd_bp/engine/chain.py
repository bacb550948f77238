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
from micrograd_bp.ops import where
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


guarded_product = Op(
    "guarded_product",
    lambda x, y, reached: x * y if reached else 0.0,
    lambda x, y, reached, out: y,
    lambda x, y, reached, out: x,
    lambda x, y, reached, out: 0.0,
)
"""x·y, but 0 where `reached` is 0, as y is there, even if x is infinite.

Only recordings of derivatives have it. Its derivative by y is x, also where y is 0, and that by x is y, which reaches x
only where `reached` is not 0: that of where(reached, x·y, 0) by y would be 0 where y is. Where a derivative is taken by
what `reached` depends on, it is a product as any other.
"""


class Flow:
    """An adjoint or tangent of which only the running program knows whether a contribution reaches its number.

    None does, and `number` is 0, where `selected` or `seed` is 0; each may be None. `selected` is the condition of
    operations that did not select their argument: there, all derivatives of the number are 0 as well. `seed` is the
    weight or tangent from which the flow starts: by it, the number has derivatives also where it is 0. All other
    adjoints and tangents are written as plain numbers.
    """

    __slots__ = ("number", "seed", "selected")

    def __init__(self, number: Any, selected: Unknown | None, seed: Unknown | None = None) -> None:
        self.number = number
        self.selected = selected
        self.seed = seed

    def of(self, number: Any) -> Flow:
        """Return the flow with another number."""
        return Flow(number, self.selected, self.seed)


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
    if op is guarded_product:
        if index == 0 and isinstance(args[2], Unknown):
            return restricted(times(number_of(incoming), Flow(derivative, None, args[2])), incoming)
        return None if index == 2 else times(derivative, incoming)
    if isinstance(derivative, Number):
        if not op.routes_gradient:
            return times(derivative, incoming)  # its rule reads a variable, so that no zero of it is structural
        base = bottom(derivative)
        if RECORDING and isinstance(base, Node):
            base = traced(base)
        if isinstance(base, Unknown):
            return restricted(times(derivative, incoming), Flow(base, base))
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
    number, selected, seed = product(factor, incoming.number), incoming.selected, incoming.seed
    if isinstance(factor, Number) or factor - factor != 0.0:
        if seed is not None and seed.guarded:
            number = seed.apply(guarded_product, (factor, incoming.number, seed))
        if selected is not None:
            number = _where(selected, number)
    return incoming.of(number)


def restricted(flow: Any, by: Any) -> Any:
    """Return an adjoint or tangent that reaches its number only where the adjoint or tangent `by` reaches its own."""
    if not isinstance(by, Flow):
        return flow
    number, selected, seed = (flow.number, flow.selected, flow.seed) if isinstance(flow, Flow) else (flow, None, None)
    if by.selected is not None:
        number = _where(by.selected, number)
        selected = by.selected if selected is None else _where(selected, by.selected)
    if by.seed is not None:
        seed = by.seed if seed is None else _where(seed, by.seed)
    return Flow(number, selected, seed)


def _where(condition: Unknown, number: Any) -> Any:
    """Return the number, and 0 where the condition is 0."""
    if not condition.guarded or number is condition:
        return number
    return condition.apply(where, (condition, number, 0.0))


def by_parts(function: Callable[[Any], list[Any]], number: Any) -> list[Any]:
    """Return function(number); for a number with derivatives, of each part, put together in numbers of its level."""
    if isinstance(number, Flow):
        return [number.of(part) for part in by_parts(function, number.number)]
    if isinstance(number, Number) and number.primal is not number:
        several: list[Any] = cast(Any, number).mapped(lambda part: by_parts(function, part))
        return several
    return function(number)


def joined(first: Any, then: Any) -> Any:
    """Return the sum of two contributions; it reaches the number where one of them does."""
    total = number_of(first) + number_of(then)
    if not (isinstance(first, Flow) and isinstance(then, Flow)):
        return total
    selected, seed = _either(first.selected, then.selected), _either(first.seed, then.seed)
    return total if selected is None is seed else Flow(total, selected, seed)


def _either(first: Unknown | None, then: Unknown | None) -> Unknown | None:
    if first is None or first is then:
        return first
    return None if then is None else first.either(then)


def seeded(tangent: Any) -> Any:
    """Return a tangent that starts a derivative: None where it is exactly 0, a `Flow` where that is unknown."""
    if isinstance(tangent, Unknown):
        return Flow(tangent, None, tangent)
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
