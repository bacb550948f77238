"""Backward passes over recorded graphs, correct and mistaken ones, and the graphs and networks to try them on.

`engine/topological_order.py` shows them step by step.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import micrograd_bp as mb
from demos.shared.xor import NAMES, START, cost
from micrograd_bp import Value, topological_order
from micrograd_bp.nn import MLP
from micrograd_bp.training.losses import half_squared_error, squared_error

Adjoints = dict[Value, float]
Shape = tuple[tuple[int, ...], ...]  # the indices of each node's arguments; a node without arguments is a leaf


class Step(NamedTuple):
    """A node is visited and adds its contribution to the adjoint of an argument.

    A leaf has nothing to pass on: its `argument` is None.
    """

    node: Value
    adjoint: float
    argument: Value | None = None
    local: float = 0.0
    contribution: float = 0.0
    before: float = 0.0
    after: float = 0.0


class Pass(NamedTuple):
    """The steps of a backward pass, and the adjoints with which it ended."""

    steps: list[Step]
    adjoints: Adjoints


# --- backward passes --------------------------------------------------------------------------------------------------


def backward(order: Sequence[Value], replace: bool = False, before: Adjoints | None = None) -> Pass:
    """Visit the nodes in this order, the root first; each passes adjoint · local derivative on to its arguments.

    With `replace` a contribution replaces the adjoint that was there (`=` instead of `+=`). `before` holds the adjoints
    that the pass finds; by default they are 0. The adjoint of the root is set to 1.
    """
    adjoints = dict.fromkeys(order, 0.0) | (before or {})
    adjoints[order[0]] = 1.0
    steps = []
    for node in order:
        passed = False
        for argument, local in zip(node.args, node.local_grads, strict=True):
            if isinstance(argument, Value) and local is not None:
                contribution, found = adjoints[node] * local, adjoints[argument]
                adjoints[argument] = contribution if replace else found + contribution
                steps.append(Step(node, adjoints[node], argument, local, contribution, found, adjoints[argument]))
                passed = True
        if not passed:
            steps.append(Step(node, adjoints[node]))
    return Pass(steps, adjoints)


def right_order(root: Value) -> list[Value]:
    """Return the nodes so that each stands after all its users: the topological order, reversed."""
    return topological_order(root)[::-1]


def depth_first(root: Value) -> list[Value]:
    """Return the nodes in the order in which a depth-first walk from the root first meets them, left to right."""
    order: dict[Value, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in order:
            order[node] = None
            stack += [arg for arg in reversed(node.args) if isinstance(arg, Value)]
    return list(order)


def breadth_first(root: Value) -> list[Value]:
    """Return the nodes in the order in which a breadth-first walk from the root first meets them."""
    order = {root: None}
    queue = deque([root])
    while queue:
        for arg in queue.popleft().args:
            if isinstance(arg, Value) and arg not in order:
                order[arg] = None
                queue.append(arg)
    return list(order)


def right(root: Value) -> Pass:
    """Run the correct pass, as micrograd_bp does."""
    return backward(right_order(root))


def again(root: Value, kept: Callable[[Value], bool]) -> Pass:
    """Run two passes, and return the second; at the nodes that are `kept` it finds the adjoints of the first."""
    first = right(root).adjoints
    return backward(right_order(root), before={node: adjoint for node, adjoint in first.items() if kept(node)})


class Mistake(NamedTuple):
    """A wrong backward pass, what goes wrong on its smallest graph, and the name of its pictures."""

    name: str
    run: Callable[[Value], Pass]
    why: str
    file: str


MISTAKES = (
    Mistake(
        "depth first",
        lambda root: backward(depth_first(root)),
        "u passes its adjoint on before v has added to it",
        "depth_first",
    ),
    Mistake(
        "breadth first",
        lambda root: backward(breadth_first(root)),
        "u is visited before v, which adds to its adjoint too late",
        "breadth_first",
    ),
    Mistake(
        "= for +=",
        lambda root: backward(right_order(root), replace=True),
        "The second contribution overwrites the first",
        "replaced",
    ),
    Mistake(
        "no zero_grad",
        lambda root: again(root, lambda node: node.op is None),
        "A second pass adds to the gradient that the first has left at the leaf. micrograd_bp does so too: gradients\n"
        "of several samples may be meant to add up, and zero_grad() says that they are not",
        "no_zero_grad",
    ),
    Mistake(
        "inner kept",
        lambda root: again(root, lambda node: node.op is not None),
        "In the second pass the leaf is back at 0, but u is not: it passes the adjoint of the first pass on again.\n"
        "micrograd_bp resets the inner nodes by itself",
        "inner_kept",
    ),
)


# --- all small graphs -------------------------------------------------------------------------------------------------


def shapes(size: int) -> Iterator[Shape]:
    """Yield all graphs of this many nodes, leaves included.

    A node has no, one or two arguments among the nodes before it, and the last node, the root, depends on all of them.
    """
    indices = range(size)
    choices = [[(), *itertools.product(range(i)), *itertools.product(range(i), repeat=2)] for i in indices]
    for shape in itertools.product(*choices):
        used = {size - 1}
        for i in reversed(indices):
            used.update(shape[i] if i in used else ())
        if len(used) == size:
            yield shape


def build(shape: Shape, leaves: Sequence[Any]) -> list[Any]:
    """Return the nodes of a graph: the square of one argument, the product of two; `leaves` are taken in turn."""
    nodes: list[Any] = []
    for args in shape:
        numbers = [nodes[i] for i in args]
        if not numbers:
            nodes.append(leaves[sum(not a for a in shape[: len(nodes)])])
        else:
            nodes.append(mb.square(numbers[0]) if len(numbers) == 1 else numbers[0] * numbers[1])
    return nodes


def graph(shape: Shape) -> Value:
    """Return the root of such a graph over the leaves 2, 3, 5, ...; its nodes are named x, u, v, ..., y."""
    count = sum(not args for args in shape)
    leaves = [
        Value(x, "x" if count == 1 else f"x{k}") for k, x in enumerate((2.0, 3.0, 5.0, 7.0, 11.0)[:count], start=1)
    ]
    nodes = build(shape, leaves)
    inner = [node for node in nodes[:-1] if node.op is not None]
    for node, name in zip(inner, "uvwst", strict=False):
        node.name = name
    if nodes[-1].op is not None:
        nodes[-1].name = "y"
    root: Value = nodes[-1]
    return root


def fails(mistake: Mistake, root: Value) -> bool:
    """Tell whether the mistake gives a leaf another gradient than the correct pass."""
    truth, found = right(root).adjoints, mistake.run(root).adjoints
    return any(truth[node] != found[node] for node in truth if node.op is None)


def smallest(mistake: Mistake) -> Shape:
    """Return the first graph with the fewest nodes on which the mistake gives a wrong gradient."""
    return next(shape for size in itertools.count(1) for shape in shapes(size) if fails(mistake, graph(shape)))


# --- networks ---------------------------------------------------------------------------------------------------------


def xor_sample() -> Value:
    """Return the loss of the first tutorial's XOR network for one sample."""
    model = MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    root: Value = half_squared_error(model([0.0, 1.0]), 1.0)
    return root


def xor_cost() -> Value:
    """Return the cost of the same network over all four samples."""
    root: Value = cost([Value(x, name) for x, name in zip(START, NAMES, strict=True)])
    return root


def two_outputs() -> Value:
    """Return the loss of a 2-2-2 network as in the third tutorial, where a hidden neuron has two users."""
    root: Value = squared_error(MLP(2, [2, 2], "sigmoid", "sigmoid", seed=1)([2.0, 3.0]), [1.0, 0.2])
    return root


def two_hidden_layers() -> Value:
    """Return the loss of a 2-2-2-1 network."""
    root: Value = half_squared_error(MLP(2, [2, 2, 1], "sigmoid", "sigmoid", seed=1)([2.0, 3.0]), 1.0)
    return root


def shortcut() -> Value:
    """Return the loss of h + σ(w h + b) with h = σ(v x + c), where a connection goes around a neuron."""
    w, b, v, c = (Value(x, name) for x, name in ((0.5, "w"), (0.1, "b"), (-0.4, "v"), (0.3, "c")))
    h = mb.sigmoid(v * 2.0 + c)
    root: Value = half_squared_error(h + mb.sigmoid(w * h + b), 1.0)
    return root


NETWORKS: dict[str, Callable[[], Value]] = {
    "XOR 2-2-1, one sample": xor_sample,
    "XOR 2-2-1, four samples": xor_cost,
    "2-2-2, one sample": two_outputs,
    "2-2-2-1, one sample": two_hidden_layers,
    "a shortcut, h + σ(w h + b)": shortcut,
}


def wrong_gradients(mistake: Mistake, root: Value) -> tuple[int, int]:
    """Return how many leaves of a network get a gradient that is wrong beyond rounding, and how many leaves it has."""
    truth, found = right(root).adjoints, mistake.run(root).adjoints
    leaves = [node for node in truth if node.op is None]
    return sum(abs(truth[p] - found[p]) > 1e-12 * abs(truth[p]) for p in leaves), len(leaves)
