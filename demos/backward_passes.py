"""Backward passes over the records of a graph, right ones and mistaken ones; all small graphs to try them on; networks.

`why_topological_order.py` shows them step by step. Imports the package.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import micrograd_bp as mb
from micrograd_bp import Value, topological_order
from micrograd_bp.training.losses import half_squared_error, squared_error
from micrograd_bp.nn import MLP
from xor_surface import NAMES, START, cost

Adjoints = dict[Value, float]
Shape = tuple[tuple[int, ...], ...]  # of each node the places of its arguments; none: a leaf


class Step(NamedTuple):
    """A node, visited with the adjoint it then has, adds a contribution to an argument's; or is a leaf and passes
    nothing on (`argument` is None)."""

    node: Value
    adjoint: float
    argument: Value | None = None
    local: float = 0.0
    contribution: float = 0.0
    before: float = 0.0
    after: float = 0.0


class Pass(NamedTuple):
    """What a backward pass did, and the adjoints it ended with."""

    steps: list[Step]
    adjoints: Adjoints


# --- backward passes --------------------------------------------------------------------------------------------------


def backward(order: Sequence[Value], replace: bool = False, before: Adjoints | None = None) -> Pass:
    """Visit the nodes in this order, the root first; each passes adjoint · local derivative on to its arguments.

    With `replace` a contribution replaces what was there (`=` for `+=`); `before` are adjoints that a pass finds, by
    default all 0. The root's is set to 1.
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
    """Each node after all that use it: the topological order from its end."""
    return topological_order(root)[::-1]


def depth_first(root: Value) -> list[Value]:
    """Each node when it is first met, going down from the root as far as it goes, left to right."""
    order: dict[Value, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in order:
            order[node] = None
            stack += [arg for arg in reversed(node.args) if isinstance(arg, Value)]
    return list(order)


def breadth_first(root: Value) -> list[Value]:
    """Each node when it is first met, going out from the root in rings."""
    order = {root: None}
    queue = deque([root])
    while queue:
        for arg in queue.popleft().args:
            if isinstance(arg, Value) and arg not in order:
                order[arg] = None
                queue.append(arg)
    return list(order)


def right(root: Value) -> Pass:
    """As micrograd_bp does it."""
    return backward(right_order(root))


def again(root: Value, kept: Callable[[Value], bool]) -> Pass:
    """The second of two passes; it finds the adjoints of the first at the nodes that are `kept`."""
    first = right(root).adjoints
    return backward(right_order(root), before={node: adjoint for node, adjoint in first.items() if kept(node)})


class Mistake(NamedTuple):
    """A wrong backward pass; what is wrong with it on its smallest graph; what its pictures are called."""

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
        "u is met before v, which then adds to it too late",
        "breadth_first",
    ),
    Mistake(
        "= for +=",
        lambda root: backward(right_order(root), replace=True),
        "The second contribution wipes out the first",
        "replaced",
    ),
    Mistake(
        "no zero_grad",
        lambda root: again(root, lambda node: node.op is None),
        "A second pass adds to what the first has left at the leaf. micrograd_bp does so too: gradients of several\n"
        "samples may be meant to add up, and zero_grad() says that they are not",
        "no_zero_grad",
    ),
    Mistake(
        "inner kept",
        lambda root: again(root, lambda node: node.op is not None),
        "A second pass: the leaf is back at 0, but u is not, and passes the first pass's adjoint on once more.\n"
        "micrograd_bp puts the nodes between back by itself",
        "inner_kept",
    ),
)


# --- all small graphs -------------------------------------------------------------------------------------------------


def shapes(size: int) -> Iterator[Shape]:
    """All graphs of so many nodes, leaves included: a node has no, one or two arguments among those before it, and all
    are used by the last, the root."""
    places = range(size)
    choices = [[(), *itertools.product(range(i)), *itertools.product(range(i), repeat=2)] for i in places]
    for shape in itertools.product(*choices):
        used = {size - 1}
        for i in reversed(places):
            used.update(shape[i] if i in used else ())
        if len(used) == size:
            yield shape


def build(shape: Shape, leaves: Sequence[Any]) -> list[Any]:
    """The nodes of a graph: of one argument its square, of two their product. `leaves` are taken in turn."""
    nodes: list[Any] = []
    for args in shape:
        numbers = [nodes[i] for i in args]
        if not numbers:
            nodes.append(leaves[sum(not a for a in shape[: len(nodes)])])
        else:
            nodes.append(mb.square(numbers[0]) if len(numbers) == 1 else numbers[0] * numbers[1])
    return nodes


def graph(shape: Shape) -> Value:
    """The root of such a graph over the leaves 2, 3, 5, ...; its nodes are named x, u, v, ..., y."""
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
    """Whether the mistake gives a leaf another gradient than the right pass."""
    truth, found = right(root).adjoints, mistake.run(root).adjoints
    return any(truth[node] != found[node] for node in truth if node.op is None)


def smallest(mistake: Mistake) -> Shape:
    """The first graph on which the mistake shows, of the fewest nodes."""
    return next(shape for size in itertools.count(1) for shape in shapes(size) if fails(mistake, graph(shape)))


# --- networks ---------------------------------------------------------------------------------------------------------


def xor_sample() -> Value:
    """The XOR network of the first tutorial, one sample."""
    model = MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    root: Value = half_squared_error(model([0.0, 1.0]), 1.0)
    return root


def xor_cost() -> Value:
    """The same network with its cost over all four samples."""
    root: Value = cost([Value(x, name) for x, name in zip(START, NAMES, strict=True)])
    return root


def two_outputs() -> Value:
    """A 2-2-2 network as in the third tutorial: a hidden neuron has two users."""
    root: Value = squared_error(MLP(2, [2, 2], "sigmoid", "sigmoid", seed=1)([2.0, 3.0]), [1.0, 0.2])
    return root


def two_hidden_layers() -> Value:
    """A 2-2-2-1 network."""
    root: Value = half_squared_error(MLP(2, [2, 2, 1], "sigmoid", "sigmoid", seed=1)([2.0, 3.0]), 1.0)
    return root


def shortcut() -> Value:
    """h + σ(w h + b) with h = σ(v x + c): a connection around a neuron."""
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
    """How many of a network's parameters get a wrong gradient, beyond rounding, and how many it has."""
    truth, found = right(root).adjoints, mistake.run(root).adjoints
    leaves = [node for node in truth if node.op is None]
    return sum(abs(truth[p] - found[p]) > 1e-12 * abs(truth[p]) for p in leaves), len(leaves)
