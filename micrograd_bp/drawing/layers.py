"""Which neuron, and which layer, each value of a graph belongs to: read from the names that `nn` gives."""

from __future__ import annotations

import re
from dataclasses import dataclass

from micrograd_bp.drawing.scene import users_of
from micrograd_bp.engine import Value

_PARAMETER = re.compile(r"w(\d*)_(\d)\d|w(\d*)_(\d+)_\d+|b(\d*)_(\d+)")  # w1_23, w1_12_3, b1_2; a lone Layer's: w_23
_RESULT = re.compile(r"[za](\d*)_(\d+)")


@dataclass(frozen=True, order=True)
class Place:
    """A place in a network: `stage` 0 is before it, the largest after it; `neuron` 0 is no particular one."""

    stage: int
    neuron: int = 0


class Groups:
    """The `place` of every value of a graph, and the `layers` found in it (none: no network).

    Parameters, sums and activations are known by name; what is made from them belongs to the neuron, or at least the
    first layer, that uses it. Whatever else a network's values were made from is before it, all else after it.

    >>> from micrograd_bp import nn, topological_order
    >>> model = nn.MLP(2, [2, 1], seed=1)
    >>> groups = Groups(topological_order(model([1.0, 2.0]) - 0.5))
    >>> groups.layers, sorted({groups.title(place) for place in groups.place.values()})
    ([1, 2], ['layer 1, neuron 1', 'layer 1, neuron 2', 'layer 2, neuron 1', 'result'])
    """

    def __init__(self, order: list[Value]) -> None:
        known = {node: place for node in order if (place := _from_name(node))}
        self.layers = sorted({place.stage for node, place in known.items() if node.op is not None})
        self.after = max(self.layers, default=0) + 1
        self.place: dict[Value, Place] = {}
        if not self.layers:
            return
        users = users_of(order)
        used_by = {node: place for node, place in known.items() if place.stage in self.layers}
        follows: set[Value] = set()
        for node in order:
            if node in used_by or any(arg in follows for arg in node.args if isinstance(arg, Value)):
                follows.add(node)
        before: set[Value] = set()
        for node in reversed(order):
            places = {used_by[user] for user in users[node] if user in used_by}
            if node not in used_by and node in follows and places:
                used_by[node] = places.pop() if len(places) == 1 else Place(min(places).stage)
            if node not in used_by and (places or any(user in before for user in users[node])):
                before.add(node)
        self.place = {node: used_by.get(node) or Place(0 if node in before else self.after) for node in order}

    def layer(self, node: Value) -> Place:
        """The place without the neuron."""
        return Place(self.place[node].stage)

    def is_parameter(self, node: Value) -> bool:
        """Whether a leaf is a weight or bias of the network."""
        return node.op is None and node in self.place and 0 < self.place[node].stage < self.after

    def title(self, place: Place) -> str:
        """What a place is called."""
        if place.stage == 0:
            return "inputs"
        if place.stage == self.after:
            return "result"
        return f"layer {place.stage}" + (f", neuron {place.neuron}" if place.neuron else "")


def _from_name(node: Value) -> Place | None:
    found = (_PARAMETER if node.op is None else _RESULT).fullmatch(node.name or "")
    if not found:
        return None
    layer, neuron = (text for text in found.groups() if text is not None)
    return Place(int(layer or 1), int(neuron))
