"""`Scene`: the values of a graph that have a card of their own, and the boxes that stand for several values.

Every value is in exactly one card or box, except in a scene of steps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from micrograd_bp.engine import Value


@dataclass(frozen=True)
class Box:
    """Values drawn as a box with a `title`, or as a dashed stub (`left_out`). Boxes of a `column` keep their order."""

    title: str
    members: tuple[Value, ...]
    left_out: bool = False
    column: int | None = None


@dataclass(frozen=True)
class Step:
    """The computation of `target` from `sources`; the lines between them show `formula`."""

    target: Value
    sources: tuple[Value, ...]
    formula: str


@dataclass(frozen=True)
class Scene:
    """The content of a picture.

    `order`     all values of the graph in topological order
    `cards`     the values with a card of their own
    `boxes`     the boxes for the other values
    `clusters`  frames around cards: titles and members
    `note`      a line of text about the values without a card
    `steps`     lines between cards that replace the edges of the graph
    """

    order: list[Value]
    cards: list[Value]
    boxes: list[Box] = field(default_factory=list)
    clusters: list[tuple[str, list[Value]]] = field(default_factory=list)
    note: str = ""
    steps: list[Step] | None = None


def everything(order: list[Value]) -> Scene:
    """Return a scene with a card for every value."""
    return Scene(order, order)


def users_of(order: list[Value]) -> dict[Value, list[Value]]:
    """Return the users of each node in order; a node that uses another twice occurs once."""
    users: dict[Value, list[Value]] = {node: [] for node in order}
    for node in order:
        for arg in dict.fromkeys(arg for arg in node.args if isinstance(arg, Value)):
            users[arg].append(node)
    return users


def below(order: list[Value], depth: int) -> Scene:
    """Return a scene of the values at most `depth` edges below the root, with stubs for the deeper ones."""
    return _with_stubs(order, _reached(order[-1], depth, {}))


def around_node(order: list[Value], center: Value, depth: int) -> Scene:
    """Return a scene of the values at most `depth` edges from `center` in both directions, with stubs for the rest.

    Raises ValueError where `center` is not in the graph.
    """
    users = users_of(order)
    if center not in users:
        raise ValueError("around is not in this graph: pass a value that the root was computed from")
    return _with_stubs(order, _reached(center, depth, users))


def _reached(start: Value, depth: int, users: dict[Value, list[Value]]) -> set[Value]:
    """Return the nodes at most `depth` edges from `start`, along arguments and `users`."""
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
    """Return a scene with stubs beside the cards; each value left out is counted in the nearest stub."""
    users = users_of(order)
    stubs: dict[tuple[Value, bool], list[Value]] = {}
    owner: dict[Value, tuple[Value, bool]] = {}
    queue: deque[Value] = deque()
    for node in order:
        if node in shown:
            for index, other in enumerate(_neighbours(node, users)):
                if other not in shown and other not in owner:
                    owner[other] = (node, index >= len(_neighbours(node, {})))
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
