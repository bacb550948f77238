"""The chain rule along one edge, for every mode: what passes from an operation to one of its arguments, or back.

A contribution is the product of a local derivative and what arrives: an adjoint (reverse mode) or a tangent (forward
mode). The product follows IEEE 754, so 0 · inf is nan. Two kinds of zero are told apart:

numeric     An adjoint or a derivative was computed and came out as 0. The product with inf is nan: the true slope may
            be anything, as for cbrt(x)**3 at 0, where it is 1. A quiet 0 would be a wrong number.
structural  Nothing passes at all, whatever arrives: to the branch that a `where`, `relu`, `maximum` ... did not select,
            and along an edge whose derivative is 0 whatever the variables are, as in sqrt(x) * 0.0. Nothing is not 0:
            what was reached by nothing passes nothing on, also where its own derivative is inf.

`backward`, the gradient graphs, dual numbers, power series, tapes and the page all follow what is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from micrograd_bp.engine.node import Node
from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import Op, Operand, Rule

T = TypeVar("T")


def zero_is_structural(op: Op, index: int, variables: int) -> bool:
    """Whether a derivative of exactly 0 with respect to argument `index` means that nothing passes to it.

    `variables` has bit k set where argument k is no constant. True where the operation selects among its arguments, and
    where the rule reads constants only.

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
    """The bits of the arguments that are no constants."""
    return sum([1 << k for k, arg in enumerate(args) if isinstance(arg, Operand)])


def passes(node: Node, index: int, derivative: float) -> bool:
    """Whether anything passes from a recorded node to its argument `index`, d node / d argument being `derivative`."""
    op = node._op
    if derivative != 0.0 or op is None:
        return True
    y = node._y
    if isinstance(y, tuple):
        return not zero_is_structural(op, index, variables_among(node.args))
    variables = (1 if isinstance(node._x, Node) else 0) | (2 if isinstance(y, Node) else 0)
    return not zero_is_structural(op, index, variables)


def contribution(op: Op, index: int, args: Sequence[Any], derivative: Any, arriving: Any) -> Any:
    """Derivative times what arrives, an adjoint or a tangent; None where nothing passes.

    >>> from micrograd_bp import ops
    >>> contribution(ops.cbrt, 0, [Node(0.0)], float("inf"), 0.0)
    nan
    >>> contribution(ops.mul, 0, [Node(0.0), 0.0], 0.0, float("inf")) is None
    True
    """
    if _is_zero(derivative) and zero_is_structural(op, index, variables_among(args)):
        return None
    return product(derivative, arriving)


def product(derivative: Any, arriving: Any) -> Any:
    """The product of two numbers of any kind; a factor of exactly 1 leaves the other as it is, without a node."""
    if type(derivative) is float and derivative == 1.0:
        return arriving
    if type(arriving) is float and arriving == 1.0:
        return derivative
    return arriving * derivative


def _is_zero(number: Any) -> bool:
    return bool((number.data if isinstance(number, Number) else number) == 0.0)


# --- passes over graphs -----------------------------------------------------------------------------------------------


def reverse_pass(
    order: Sequence[T], seed: Any, contributions: Callable[[T, Any], Iterable[tuple[T, Any]]]
) -> dict[T, Any]:
    """The adjoints of what is reached from the last of `order`, whose adjoint is `seed`.

    `order` has each node after its arguments. `contributions(node, adjoint)` gives (argument, contribution) pairs; they
    are added up in the order in which they come. A seed of exactly 0 passes nothing on.
    """
    adjoints = {order[-1]: seed}
    if type(seed) is float and seed == 0.0:
        return adjoints
    for node in reversed(order):
        if node in adjoints:
            for arg, amount in contributions(node, adjoints[node]):
                adjoints[arg] = adjoints[arg] + amount if arg in adjoints else amount
    return adjoints


def dependents(order: Iterable[T], parents: Callable[[T], Iterable[T]], sources: Iterable[T]) -> set[T]:
    """`sources`, and the nodes of `order` that are made from them: with the order below a root, what lies between."""
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
    """The arguments of a node that are nodes."""
    return [arg for arg in node.args if isinstance(arg, Node)]


# --- derivative rules -------------------------------------------------------------------------------------------------


class _Unchecked(Number):
    """A number as a derivative rule gets it: operations applied to it check no domain."""

    __slots__ = ("number",)

    def __init__(self, number: Operand) -> None:
        self.number = number

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        bare = tuple([arg.number if isinstance(arg, _Unchecked) else arg for arg in args])
        return _Unchecked(self.number.apply_unchecked(op, bare))


def local_derivative(rule: Rule, args: tuple[Any, ...], out: Any) -> Any:
    """A derivative rule at `args` and `out`, whatever numbers they are; it follows IEEE: sqrt'(0) is inf, no error."""
    result = rule(*[_Unchecked(arg) if isinstance(arg, Operand) else arg for arg in (*args, out)])
    return result.number if isinstance(result, _Unchecked) else result


class _Reading(Number):
    """The arguments that a number was computed from, as bits."""

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
    """The arguments that a rule reads, as bits; all of them where it computes with floats only, or reads the result."""
    every = (1 << arity) - 1
    try:
        result = rule(*[_Reading(1 << k) for k in range(arity)], _Reading(every))
    except Exception:  # a user's rule may do anything
        return every
    return result.bits if isinstance(result, _Reading) else 0
