"""Scenes for large graphs: boxes stand for the layers or neurons of a network, or for levels of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from micrograd_bp.drawing.labels import count
from micrograd_bp.drawing.layers import Groups, Position
from micrograd_bp.drawing.scene import Box, Scene
from micrograd_bp.engine import Value

_NEAR = 6  # levels next to the root whose values are shown one by one, at most _CARDS values
_CARDS = 30
_BOXES = 6  # for the other levels
_EDGES = 60  # with more edges between neurons, layers are easier to read


def collapsed(order: list[Value], groups: Groups, most: int) -> Scene:
    """Return a scene of neurons if they are few, else of layers, else (or without a network) of levels."""
    if groups.layers:
        for by, limit in ((by_neurons, _EDGES), (by_layers, 4 * _EDGES)):
            scene = by(order, groups)
            if len(scene.boxes) <= most and _edges(scene) <= limit:
                return scene
    return by_levels(order, min(most, _CARDS))


def by_layers(order: list[Value], groups: Groups) -> Scene:
    """Return a scene with a box for each layer, for the values before the layers and for those after them."""
    return _by(groups.layer, order, groups, "layer")


def by_neurons(order: list[Value], groups: Groups) -> Scene:
    """Return a scene with a box for each neuron, for the other values of a layer, and for those before and after."""
    return _by(lambda node: groups.position[node], order, groups, "neuron")


def _by(position: Callable[[Value], Position], order: list[Value], groups: Groups, what: str) -> Scene:
    members: dict[Position, list[Value]] = {}
    for node in order:
        members.setdefault(position(node), []).append(node)
    boxes = [Box(groups.title(key), tuple(members[key]), column=key.stage) for key in sorted(members)]
    return Scene(order, [], boxes, note=f"{count(len(order), 'value')}, a box for each {what}")


def with_clusters(scene: Scene, groups: Groups, by: str) -> Scene:
    """Return the scene with a frame around the cards of each neuron or layer."""
    members: dict[Position, list[Value]] = {}
    for node in scene.cards:
        position = groups.layer(node) if by == "layers" else groups.position[node]
        if 0 < position.stage < groups.after:
            members.setdefault(position, []).append(node)
    return replace(scene, clusters=[(groups.title(position), members[position]) for position in sorted(members)])


def by_levels(order: list[Value], most: int) -> Scene:
    """Return a scene with cards for the values next to the root and boxes for the other levels.

    The level of a value is the length of the longest path from the root, so an argument is at a deeper level than its
    user. Each box holds consecutive levels, and all boxes hold about the same number of values.
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
    """Return the number of lines between the boxes of a scene."""
    home = {node: box for box in scene.boxes for node in box.members}
    pairs = {(id(home[arg]), id(home[node])) for node in scene.order for arg in node.args if isinstance(arg, Value)}
    return sum(first != last for first, last in pairs)
