"""Reverse mode for functions: gradients, Jacobians, Hessians and vector-Jacobian products, of any order.

A function takes and returns numbers, or nested lists, tuples, dicts and arrays of numbers, and is written with
operators and this package's functions. A gradient has the structure of the arguments by which it is taken. For floats,
derivatives are floats; for numbers that are themselves being differentiated, they are such numbers, so that all
functions nest: `grad(grad(f))`, `grad` of a function that uses `jvp`, and so on. No function here changes a `.grad`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ParamSpec

from micrograd_bp.autodiff.arguments import Argnums, Function, check_argnums, chosen, named_as
from micrograd_bp.autodiff.levels import opened
from micrograd_bp.autodiff.pytree import check_same_structure, flatten
from micrograd_bp.autodiff.tape import Tracer, append_gradient
from micrograd_bp.autodiff.variables import Variable, depends_only_on, ended, variable
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import (
    by_parts,
    contribution,
    dependents,
    joined,
    local_derivative,
    number_of,
    parents,
    passes,
    reached,
    reverse_pass,
    seeded,
    times,
)
from micrograd_bp.engine.node import described, edges, refuse_while_recording
from micrograd_bp.engine.number import bottom
from micrograd_bp.ops.op import Operand

P = ParamSpec("P")


def gradients(root: Value, wrt: Sequence[Value], seed: float = 1.0) -> list[Value | float]:
    """Return `seed` times d root / d node for each node of `wrt`: Values with graphs, or 0.0 where there is no path.

    The derivative rules are applied to the nodes, so that the gradients are computed from their present `data`.

    >>> x = Value(3.0, name="x")
    >>> (slope,) = gradients(x * x * x, [x])
    >>> (second,) = gradients(slope, [x])
    >>> slope.data, second.data
    (27.0, 18.0)
    """
    return _accumulate(root, wrt, seed, graph=True)


def adjoints(root: Value, wrt: Sequence[Value]) -> list[float]:
    """Return d root / d node as a float for each node of `wrt`: the result of `backward`, without changing any `grad`.

    >>> x = Value(3.0)
    >>> adjoints(x * x, [x]), x.grad
    ([6.0], 0.0)
    """
    refuse_while_recording(root)
    return _accumulate(root, wrt, 1.0, graph=False)


def _accumulate(root: Value, wrt: Sequence[Value], seed: float, graph: bool) -> list[Any]:
    """Return the adjoints of `wrt`: graphs from the derivative rules, or floats from the recorded local derivatives."""
    order = topological_order(root)
    between = dependents(order, parents, wrt)

    def contributions(node: Value, adjoint: Any) -> Iterator[tuple[Value, Any]]:
        op, args = node.op, node.args
        if op is None:
            return
        for index, (arg, recorded) in enumerate(edges(node)):
            if isinstance(arg, Value) and arg in between:
                derivative = local_derivative(op.partials[index], args, node) if graph else recorded
                amount = contribution(op, index, args, derivative, adjoint)
                if amount is not None:
                    yield arg, amount

    found = reverse_pass(order, seed, contributions)
    return [number_of(found.get(node)) for node in wrt]


@dataclass(frozen=True)
class Indeterminate:
    """An edge, from `node` to its argument `index`, at which a backward pass multiplies 0 by an infinity."""

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
    """Return the edges at which the backward pass from `root` computes 0 · inf, those nearest to the root first.

    >>> x = Value(0.0, "x")
    >>> print(zero_times_infinity(x.cbrt() ** 3)[0])
    0 · inf at d cbrt(x) / d x (adjoint 0.0, local derivative inf): nan, though a limit may exist
    """
    order = topological_order(root)
    found = []
    among = reached(order)
    for node, adjoint in zip(reversed(order), reversed(adjoints(root, order)), strict=True):
        for index, (arg, derivative) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if node not in among or not isinstance(arg, Value) or derivative is None:
                continue
            indeterminate = 0.0 in (adjoint, derivative) and math.inf in (abs(adjoint), abs(derivative))
            if indeterminate and passes(node, index, derivative):
                found.append(Indeterminate(node, index, adjoint, derivative))
    return found


def _reverse(f: Function, args: tuple[Any, ...]) -> tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]:
    """Return f(*args) on new nodes, a function that returns the gradient of a number of the result, and a function that
    converts such a number to a float. Gradients and numbers that depend on other active variables stay traced."""
    leaves, _, rebuild = flatten(args)
    variables = [variable(opened(leaf)) for leaf in leaves]
    nodes = [bottom(number) for number in variables]
    own = set(nodes)
    try:
        out = f(*rebuild(variables))
    finally:
        for node in nodes:
            if isinstance(node, Variable):
                node.active = False

    def settled(number: Any) -> Any:
        return ended(number, own)

    def gradient(number: Any) -> Any:
        gradient_of_args = rebuild(by_parts(lambda part: _slopes(part, nodes, own), opened(number)))
        return gradient_of_args[0] if len(args) == 1 else gradient_of_args

    return out, gradient, settled


def _slopes(number: Any, nodes: list[Any], own: set[Any]) -> list[Any]:
    """Return the derivatives of a number by `nodes`, traced where it depends on other active variables."""
    if isinstance(number, Value):
        return _accumulate(number, nodes, 1.0, graph=not depends_only_on(number, own))
    if isinstance(number, Tracer):
        tape = number.tape
        places = [node.place if isinstance(node, Tracer) else tape.index_of(node) for node in nodes]
        found = append_gradient(tape, number.place, [place for place in places if place is not None])
        slopes = iter([tape.tracer(place) for place in found])
        return [0.0 if place is None else next(slopes) for place in places]
    return [number if number is None else 0.0] * len(nodes)  # None is a tangent that is structurally zero


def value_and_grad(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, tuple[Any, Any]]:
    """Return a function that returns `(f(*args), gradient)`.

    The gradient has the structure of `args`, or of the only argument. With `argnums`, a number, it is taken by that
    positional argument (0 is the first, -1 the last); with a tuple of numbers, it is the tuple of those gradients. All
    other arguments may have any type. Raises TypeError where f does not return one number or `argnums` are no whole
    numbers, and ValueError where there is no argument of such a number or a number occurs twice.

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
        raise TypeError(f"grad needs a function that returns one number, not {type(out).__name__}; see jacobian")
    return settled(out), (gradient(out),) if alone else gradient(out)


def grad(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, Any]:
    """Return a function that returns the gradient of f, which takes numbers or structures of numbers.

    `argnums`, the structure of the gradient and the errors are those of `value_and_grad`.

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
    """Return f(*args) and a function that maps weights to the gradient of the weighted sum of f's results.

    The weights, a vector, have the structure of f's result. They are factors of gradients: those that depend on `args`
    are not differentiated here, but by the derivatives around. Raises ShapeError for another structure.

    >>> out, pull_back = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> out, pull_back([1.0, 10.0])
    ([10.0, 7.0], (15.0, 12.0))
    """
    out, gradient, settled = _reverse(f, args)
    leaves, paths, rebuild = flatten(out)

    def pull_back(weights: Any) -> Any:
        given, given_paths, _ = flatten(weights)
        check_same_structure(paths, given_paths, "the weights", "the result")
        weights = [opened(weight) for weight in given]
        if any(isinstance(weight, Operand) for weight in weights):  # in a sum they would be differentiated as well
            return _weighted_sum(weights, [gradient(leaf) for leaf in leaves])
        total: Any = 0.0
        for weight, leaf in zip(weights, leaves, strict=True):
            total = total + weight * leaf
        return gradient(total)

    return rebuild([settled(leaf) for leaf in leaves]), pull_back


def _weighted_sum(weights: Sequence[Any], gradients: Sequence[Any]) -> Any:
    """Return the sum of weights times gradients, numbers in one structure. A weight of exactly 0 passes nothing."""
    _, _, rebuild = flatten(gradients[0])
    flows = [seeded(weight) for weight in weights]
    totals = []
    for slopes in zip(*[flatten(gradient)[0] for gradient in gradients], strict=True):
        amounts = [times(slope, flow) for slope, flow in zip(slopes, flows, strict=True) if flow is not None]
        totals.append(ended(number_of(reduce(joined, amounts) if amounts else None)))
    return rebuild(totals)


def jacobian(f: Callable[P, Any], argnums: Argnums = None) -> Callable[P, Any]:
    """Return a function that returns the Jacobian of f: f's result with each number replaced by its gradient.

    `argnums`, keyword arguments and the structure of each gradient are those of `value_and_grad`.

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
    """Return a function that returns the Hessian of a scalar function: n rows of n, for the n numbers of its arguments.

    `argnums` chooses and orders these arguments; otherwise it and the errors are those of `value_and_grad`.

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
