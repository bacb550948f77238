"""Derivatives of functions: gradients, Jacobians, Hessians, products with vectors, of any order.

A function takes and gives numbers, or nested lists, tuples, dicts and arrays of numbers, and is written with operators
and this package's functions. Derivatives have the structure of what they are taken by. Given floats they are floats;
given numbers that are being differentiated themselves they are such numbers, so that everything nests:
`derivative(derivative(f))`, `grad` of a function that uses `jvp`, and so on. Nothing here touches anyone's `.grad`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from micrograd_bp import ops
from micrograd_bp.autodiff.arguments import Argnums, Function, check_argnums, chosen, named_as
from micrograd_bp.autodiff.dual import Dual
from micrograd_bp.autodiff.pytree import check_same_structure, flatten
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import contribution, dependents, local_derivative, parents, passes, reached, reverse_pass
from micrograd_bp.engine.node import described
from micrograd_bp.engine.value import record

P = ParamSpec("P")


def gradients(root: Value, wrt: Sequence[Value], seed: float = 1.0) -> list[Value | float]:
    """d root / d node, times `seed`, for each node of `wrt`: Values with graphs of their own, or 0.0 without a path.

    The rules of the table are applied to the nodes themselves: the gradient is computed from what they hold now.

    >>> x = Value(3.0, name="x")
    >>> (slope,) = gradients(x * x * x, [x])
    >>> (second,) = gradients(slope, [x])
    >>> slope.data, second.data
    (27.0, 18.0)
    """
    return _accumulate(root, wrt, seed, graph=True)


def adjoints(root: Value, wrt: Sequence[Value]) -> list[float]:
    """d root / d node for each node of `wrt`, as numbers: what `backward` would put into their `grad`, which stays.

    >>> x = Value(3.0)
    >>> adjoints(x * x, [x]), x.grad
    ([6.0], 0.0)
    """
    return _accumulate(root, wrt, 1.0, graph=False)


def _accumulate(root: Value, wrt: Sequence[Value], seed: float, graph: bool) -> list[Any]:
    """The adjoints of `wrt`: graphs by the rules, or floats by what was recorded."""
    order = topological_order(root)
    between = dependents(order, parents, wrt)

    def contributions(node: Value, adjoint: Any) -> Iterator[tuple[Value, Any]]:
        op, args = node.op, node.args
        if op is None:
            return
        for index, (arg, recorded) in enumerate(zip(args, node.local_grads, strict=True)):
            if isinstance(arg, Value) and arg in between:
                derivative = local_derivative(op.partials[index], args, node) if graph else recorded
                amount = contribution(op, index, args, derivative, adjoint)
                if amount is not None:
                    yield arg, amount

    found = reverse_pass(order, seed, contributions)
    return [found.get(node, 0.0) for node in wrt]


@dataclass(frozen=True)
class Indeterminate:
    """An edge over which a backward pass multiplies 0 by an infinity: from `node` to its argument `index`."""

    node: Value
    index: int
    adjoint: float
    derivative: float

    def __str__(self) -> str:
        arg = self.node.args[self.index]
        below = described(arg) if isinstance(arg, Value) else arg
        return (
            f"0 · inf at d {described(self.node)} / d {below} (adjoint {self.adjoint!r}, local derivative "
            f"{self.derivative!r}): nan, though a limit may exist"
        )


def zero_times_infinity(root: Value) -> list[Indeterminate]:
    """The edges at which the backward pass from `root` computes 0 · inf, the nearest to the root first.

    >>> x = Value(0.0, "x")
    >>> print(zero_times_infinity(x.cbrt() ** 3)[0])
    0 · inf at d cbrt(x) / d x (adjoint 0.0, local derivative inf): nan, though a limit may exist
    """
    order = topological_order(root)
    found = []
    among = reached(order)
    for node, adjoint in zip(reversed(order), reversed(adjoints(root, order)), strict=True):
        for index, (arg, derivative) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if node in among and isinstance(arg, Value) and derivative is not None and passes(node, index, derivative):
                if {adjoint, derivative} & {0.0} and {abs(adjoint), abs(derivative)} & {math.inf}:
                    found.append(Indeterminate(node, index, adjoint, derivative))
    return found


class _Variable(Value):
    """A leaf that a derivative is taken by: `active` while its function runs, a constant like any other afterwards."""

    __slots__ = ("active",)

    active: bool


def _variable(x: Any) -> Any:
    """A fresh node in the place of x: that x is used elsewhere too must not count."""
    if isinstance(x, Dual):
        return Dual(_variable(x.primal), x.tangent, x.level)
    if isinstance(x, Value):
        return record(ops.mul, (x, 1.0))
    leaf = _Variable(x)
    leaf.active = True
    return leaf


def _node(variable: Any) -> Value:
    while isinstance(variable, Dual):
        variable = variable.primal
    node: Value = variable
    return node


def _reverse(f: Function, args: tuple[Any, ...]) -> tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]:
    """f(*args) on fresh nodes; the function that gives the gradient of a number of its result; and the one that turns
    such a number into a float. Of what is traced beyond these nodes, gradients and numbers stay traced."""
    leaves, _, rebuild = flatten(args)
    variables = [_variable(leaf) for leaf in leaves]
    nodes = [_node(variable) for variable in variables]
    own = set(nodes)
    try:
        out = f(*rebuild(variables))
    finally:
        for node in nodes:
            if isinstance(node, _Variable):
                node.active = False

    def settled(number: Any) -> Any:
        if isinstance(number, Dual):
            return Dual(settled(number.primal), settled(number.tangent), number.level)
        return number.data if isinstance(number, Value) and _leaves_within(number, own) else number

    def slopes(number: Any) -> list[Any]:
        if number is None:  # a tangent to which nothing passes
            return [None] * len(nodes)
        if isinstance(number, Dual):  # the gradient of a dual number is that of its parts
            parts = (slopes(part) for part in (number.primal, number.tangent))
            return [Dual(primal, tangent, number.level) for primal, tangent in zip(*parts, strict=True)]
        if not isinstance(number, Value):
            return [0.0] * len(nodes)
        return _accumulate(number, nodes, 1.0, graph=not _leaves_within(number, own))

    def gradient(number: Any) -> Any:
        gradient_of_args = rebuild(slopes(number))
        return gradient_of_args[0] if len(args) == 1 else gradient_of_args

    return out, gradient, settled


def _leaves_within(root: Value, own: set[Value]) -> bool:
    """Whether all that `root` was made from is `own` or, of derivatives that are done, constant."""
    leaves = (node for node in topological_order(root) if node.op is None)
    return all(leaf in own or (isinstance(leaf, _Variable) and not leaf.active) for leaf in leaves)


def value_and_grad(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, tuple[Any, Any]]:
    """The function that gives `(f(*args), gradient)`; the gradient is structured as `args`, or as the only argument.

    `argnums` chooses what the derivatives are taken by: a number gives the gradient by that positional argument (from
    0; -1 is the last), a tuple of numbers the tuple of those gradients. All else, keyword arguments too, is passed to f
    as it is and may be anything.

    Raises TypeError where f gives anything but one number, or `argnums` are no whole numbers; ValueError where there is
    no argument of such a number, or one is named twice.

    >>> value_and_grad(lambda x, y: x**2 + 3 * y**2)(4.0, -4.0)
    (64.0, (8.0, -24.0))
    >>> value_and_grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [3.0]})
    (6.0, {'a': 3.0, 'b': [2.0]})
    >>> value_and_grad(lambda x, n: x**n, argnums=0)(2.0, n=3)
    (8.0, 12.0)
    """
    check_argnums(argnums)

    def differentiated(*args: P.args, **keywords: P.kwargs) -> tuple[Any, Any]:
        return _value_and_grad(f, argnums, args, keywords)

    named_as(f, differentiated, "The value and gradient")
    return differentiated


def _value_and_grad(f: Function, argnums: Argnums, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
    f, args, alone = chosen(f, argnums, args, keywords)
    out, gradient, settled = _reverse(f, args)
    if flatten(out)[1] != [""]:
        raise TypeError(f"grad is of a function that gives one number, not {type(out).__name__}; see jacobian")
    return settled(out), (gradient(out),) if alone else gradient(out)


def grad(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, Any]:
    """The gradient of a function of one or more numbers or structures of numbers: the second part of `value_and_grad`,
    which explains `argnums` and the errors.

    >>> grad(lambda x, y: x**2 + 3 * y**2)(4.0, -4.0)
    (8.0, -24.0)
    >>> grad(lambda x, y: x**2 + 3 * y**2, argnums=1)(4.0, -4.0)
    -24.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    check_argnums(argnums)

    def differentiated(*args: P.args, **keywords: P.kwargs) -> Any:
        return _value_and_grad(f, argnums, args, keywords)[1]

    named_as(f, differentiated, "The gradient")
    return differentiated


def vjp(f: Function, *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    """f(*args), and the function from weights of f's result (in its structure) to the gradient of the weighted sum.

    >>> out, pull_back = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> out, pull_back([1.0, 10.0])
    ([10.0, 7.0], (15.0, 12.0))
    """
    out, gradient, settled = _reverse(f, args)
    leaves, paths, rebuild = flatten(out)

    def pull_back(weights: Any) -> Any:
        given, places, _ = flatten(weights)
        check_same_structure(paths, places, "the weights", "the result")
        total: Any = 0.0
        for weight, leaf in zip(given, leaves, strict=True):
            total = total + weight * leaf
        return gradient(total)

    return rebuild([settled(leaf) for leaf in leaves]), pull_back


def jacobian(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, Any]:
    """The function that gives d f / d args: in the structure of f's result, each number's gradient in that of `args`.

    `argnums` and keyword arguments are as in `value_and_grad`.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] ** 2, 3.0])([2.0, 5.0])
    [[5.0, 2.0], [4.0, 0.0], [0.0, 0.0]]
    """

    check_argnums(argnums)

    def differentiated(*args: P.args, **keywords: P.kwargs) -> Any:
        inner, given, alone = chosen(f, argnums, args, keywords)
        return _jacobian(inner, given, alone)

    named_as(f, differentiated, "The Jacobian")
    return differentiated


def _jacobian(f: Function, args: tuple[Any, ...], alone: bool = False) -> Any:
    out, gradient, _ = _reverse(f, args)
    leaves, _, rebuild = flatten(out)
    return rebuild([(gradient(leaf),) if alone else gradient(leaf) for leaf in leaves])


def hessian(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, list[list[Any]]]:
    """The function that gives the matrix of second derivatives of a scalar function, as rows over all its numbers.

    With `argnums` these are the numbers of the arguments that it chooses, in its order; `argnums` and keyword arguments
    are as in `value_and_grad`.

    >>> hessian(lambda x, y: x**2 * y)(3.0, 5.0)
    [[10.0, 6.0], [6.0, 0.0]]
    """

    check_argnums(argnums)

    def differentiated(*args: P.args, **keywords: P.kwargs) -> list[list[Any]]:
        inner, given, _ = chosen(f, argnums, args, keywords)
        leaves, _, rebuild = flatten(given)

        def gradient(numbers: list[Any]) -> list[Any]:
            return flatten(_value_and_grad(inner, None, rebuild(numbers), {})[1])[0]

        rows: list[list[Any]] = _jacobian(gradient, (list(leaves),))
        return rows

    named_as(f, differentiated, "The Hessian")
    return differentiated
