"""Graphs too large to be read value by value: boxes for a network's layers or neurons, or for levels of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from micrograd_bp.drawing.labels import count
from micrograd_bp.drawing.layers import Groups, Place
from micrograd_bp.drawing.scene import Box, Scene
from micrograd_bp.engine import Value

_NEAR = 6  # levels next to the root that are shown value by value, with at most so many values:
_CARDS = 30
_BOXES = 6  # that hold the other levels
_EDGES = 60  # between neurons, above which the layers are easier to read


def collapsed(order: list[Value], groups: Groups, most: int) -> Scene:
    """The neurons where they are few, else the layers, else, and without a network, the levels."""
    if groups.layers:
        for by, limit in ((by_neurons, _EDGES), (by_layers, 4 * _EDGES)):
            scene = by(order, groups)
            if len(scene.boxes) <= most and _edges(scene) <= limit:
                return scene
    return by_levels(order, min(most, _CARDS))


def by_layers(order: list[Value], groups: Groups) -> Scene:
    """A box for each layer, for what is before them and for what is after them."""
    return _by(groups.layer, order, groups, "layer")


def by_neurons(order: list[Value], groups: Groups) -> Scene:
    """A box for each neuron, for what layers have besides them, for what is before and for what is after them."""
    return _by(lambda node: groups.place[node], order, groups, "neuron")


def _by(place: Callable[[Value], Place], order: list[Value], groups: Groups, what: str) -> Scene:
    members: dict[Place, list[Value]] = {}
    for node in order:
        members.setdefault(place(node), []).append(node)
    boxes = [Box(groups.title(key), tuple(members[key]), column=key.stage) for key in sorted(members)]
    return Scene(order, [], boxes, note=f"{count(len(order), 'value')}, a box for each {what}")


def with_clusters(scene: Scene, groups: Groups, by: str) -> Scene:
    """The scene with a frame around the cards of each neuron or layer."""
    members: dict[Place, list[Value]] = {}
    for node in scene.cards:
        place = groups.layer(node) if by == "layers" else groups.place[node]
        if 0 < place.stage < groups.after:
            members.setdefault(place, []).append(node)
    return replace(scene, clusters=[(groups.title(place), members[place]) for place in sorted(members)])


def by_levels(order: list[Value], most: int) -> Scene:
    """The values next to the root one by one, the others folded by level: the longest way from the root.

    Levels are folded in runs of about as many values each; every argument is at a deeper level than its user.
    """
    level = dict.fromkeys(order, 0)
    for node in reversed(order):
        for arg in node.args:
            if isinstance(arg, Value):
                level[arg] = max(level[arg], level[node] + 1)
    sizes = Counter(level.values())
    near = shown = 0
    while near < _NEAR and near in sizes and shown + sizes[near] <= most:
        shown += sizes[near]
        near += 1
    cards = [node for node in order if level[node] < near]
    folded: dict[int, list[Value]] = {}
    run, filled, runs = 0, 0, {}
    for depth in range(near, len(sizes)):
        if filled >= (len(order) - shown) / _BOXES:
            run, filled = run + 1, 0
        runs[depth] = run
        filled += sizes[depth]
    for node in order:
        if level[node] >= near:
            folded.setdefault(runs[level[node]], []).append(node)
    boxes = []
    for run in sorted(folded):
        depths = [level[node] for node in folded[run]]
        first, last = min(depths), max(depths)
        title = f"levels {first:,} to {last:,}" if first < last else f"level {first:,}"
        boxes.append(Box(title, tuple(folded[run])))
    note = f"{count(len(order), 'value')}: {len(cards)} next to the root, the others folded by level"
    return Scene(order, cards, boxes, note=note)


def _edges(scene: Scene) -> int:
    """How many lines the scene's boxes would have between them."""
    home = {node: box for box in scene.boxes for node in box.members}
    pairs = {(id(home[arg]), id(home[node])) for node in scene.order for arg in node.args if isinstance(arg, Value)}
    return sum(first != last for first, last in pairs)
