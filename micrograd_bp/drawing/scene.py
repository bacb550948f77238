"""What a picture shows of a graph: the values that have a card of their own, and boxes that stand for many.

But for steps, every value is in exactly one card or box.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from micrograd_bp.engine import Value


@dataclass(frozen=True)
class Box:
    """Values drawn as one: collapsed under a `title`, or `left_out` (a dashed stub); those of a `column` in order."""

    title: str
    members: tuple[Value, ...]
    left_out: bool = False
    column: int | None = None


@dataclass(frozen=True)
class Step:
    """How a value comes from others: what is written on the lines from each of `sources` to `target`."""

    target: Value
    sources: tuple[Value, ...]
    formula: str


@dataclass(frozen=True)
class Scene:
    """`order` is the whole graph, in topological order; `clusters` are frames around cards; `note` says what is not
    shown one by one; `steps` are lines between cards in place of the graph's edges."""

    order: list[Value]
    cards: list[Value]
    boxes: list[Box] = field(default_factory=list)
    clusters: list[tuple[str, list[Value]]] = field(default_factory=list)
    note: str = ""
    steps: list[Step] | None = None


def everything(order: list[Value]) -> Scene:
    """A card for every value."""
    return Scene(order, order)


def users_of(order: list[Value]) -> dict[Value, list[Value]]:
    """The nodes that use each node, in order; a node that uses another twice occurs once."""
    users: dict[Value, list[Value]] = {node: [] for node in order}
    for node in order:
        for arg in dict.fromkeys(arg for arg in node.args if isinstance(arg, Value)):
            users[arg].append(node)
    return users


def below(order: list[Value], depth: int) -> Scene:
    """The root and what it was made from, `depth` steps back at most; a stub for what lies deeper."""
    return _with_stubs(order, _reached(order[-1], depth, {}))


def around_node(order: list[Value], center: Value, depth: int) -> Scene:
    """A node with its users and arguments, theirs, and so on, `depth` steps at most; stubs for the rest.

    Raises ValueError where `center` is not in the graph.
    """
    users = users_of(order)
    if center not in users:
        raise ValueError("around= is a value that this graph does not have: pass one that the root was made from")
    return _with_stubs(order, _reached(center, depth, users))


def _reached(start: Value, depth: int, users: dict[Value, list[Value]]) -> set[Value]:
    """The nodes at most `depth` edges from `start`: along arguments, and along `users` where they are given."""
    distance = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if distance[node] < depth:
            for other in _neighbours(node, users):
                if other not in distance:
                    distance[other] = distance[node] + 1
                    queue.append(other)
    return set(distance)


def _neighbours(node: Value, users: dict[Value, list[Value]]) -> list[Value]:
    return [*(arg for arg in node.args if isinstance(arg, Value)), *users.get(node, ())]


def _with_stubs(order: list[Value], shown: set[Value]) -> Scene:
    """A stub at each side of the cards: what lies beyond goes to the nearest of them, so that it is counted once."""
    users = users_of(order)
    stubs: dict[tuple[Value, bool], list[Value]] = {}
    owner: dict[Value, tuple[Value, bool]] = {}
    queue: deque[Value] = deque()
    for node in order:
        if node in shown:
            for place, other in enumerate(_neighbours(node, users)):
                if other not in shown and other not in owner:
                    owner[other] = (node, place >= len(_neighbours(node, {})))
                    queue.append(other)
    while queue:
        node = queue.popleft()
        stubs.setdefault(owner[node], []).append(node)
        for other in _neighbours(node, users):
            if other not in shown and other not in owner:
                owner[other] = owner[node]
                queue.append(other)
    boxes = [Box("", tuple(members), left_out=True) for members in stubs.values()]
    return Scene(order, [node for node in order if node in shown], boxes)
