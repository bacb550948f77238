"""`Groups` assigns the values of a graph to layers and neurons, by the names that `nn` gives."""

from __future__ import annotations

import re
from dataclasses import dataclass

from micrograd_bp.drawing.scene import users_of
from micrograd_bp.engine import Value

_PARAMETER = re.compile(r"w(\d*)_(\d)\d|w(\d*)_(\d+)_\d+|b(\d*)_(\d+)")  # w1_23, w1_12_3, b1_2; without an MLP: w_23
_RESULT = re.compile(r"[za](\d*)_(\d+)")


@dataclass(frozen=True, order=True)
class Position:
    """A position in a network: `stage` 0 is before the first layer, the greatest after the last; `neuron` 0 is none."""

    stage: int
    neuron: int = 0


class Groups:
    """The `position` of every value of a graph, and its `layers` (empty if the graph has no network).

    Parameters, sums and activations are recognised by name. A value computed from them belongs to the neuron that uses
    it, or to the first layer if several do. Of the others, a value that the network depends on is before it, and the
    rest is after it.

    >>> from micrograd_bp import nn, topological_order
    >>> model = nn.MLP(2, [2, 1], seed=1)
    >>> groups = Groups(topological_order(model([1.0, 2.0]) - 0.5))
    >>> groups.layers, sorted({groups.title(position) for position in groups.position.values()})
    ([1, 2], ['layer 1, neuron 1', 'layer 1, neuron 2', 'layer 2, neuron 1', 'result'])
    """

    def __init__(self, order: list[Value]) -> None:
        known = {node: position for node in order if (position := _from_name(node))}
        self.layers = sorted({position.stage for node, position in known.items() if node.op is not None})
        self.after = max(self.layers, default=0) + 1
        self.position: dict[Value, Position] = {}
        if not self.layers:
            return
        users = users_of(order)
        used_by = {node: position for node, position in known.items() if position.stage in self.layers}
        follows: set[Value] = set()
        for node in order:
            if node in used_by or any(arg in follows for arg in node.args if isinstance(arg, Value)):
                follows.add(node)
        before: set[Value] = set()
        for node in reversed(order):
            positions = {used_by[user] for user in users[node] if user in used_by}
            if node not in used_by and node in follows and positions:
                used_by[node] = positions.pop() if len(positions) == 1 else Position(min(positions).stage)
            if node not in used_by and (positions or any(user in before for user in users[node])):
                before.add(node)
        self.position = {node: used_by.get(node) or Position(0 if node in before else self.after) for node in order}

    def layer(self, node: Value) -> Position:
        """Return the position without the neuron."""
        return Position(self.position[node].stage)

    def is_parameter(self, node: Value) -> bool:
        """Whether a leaf is a weight or bias of the network."""
        return node.op is None and node in self.position and 0 < self.position[node].stage < self.after

    def title(self, position: Position) -> str:
        """Return the name of a position."""
        if position.stage == 0:
            return "inputs"
        if position.stage == self.after:
            return "result"
        return f"layer {position.stage}" + (f", neuron {position.neuron}" if position.neuron else "")


def _from_name(node: Value) -> Position | None:
    found = (_PARAMETER if node.op is None else _RESULT).fullmatch(node.name or "")
    if not found:
        return None
    layer, neuron = (text for text in found.groups() if text is not None)
    return Position(int(layer or 1), int(neuron))
