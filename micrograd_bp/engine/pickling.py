"""Copies and pickles of graphs, however deep: a graph is written as one flat list instead of node within node.

Importing this module teaches `copy` and `pickle` about `Value`.

Pickle meets nodes one by one and tells nothing of what it has met. So the first node of a graph brings a bundle of all
nodes below it; a later node of the same graph finds that bundle, which lives as long as the pickle is being made, and
points into it. Nodes that are shared stay shared: in the copy of `(x, loss)` the new loss reaches the new x.
"""

from __future__ import annotations

import copyreg
from typing import Any
from weakref import WeakValueDictionary

from micrograd_bp.engine.node import edges
from micrograd_bp.engine.value import Value, topological_order
from micrograd_bp.ops.op import Op

# What a bundle says of a node: data, grad (None: absent), name, op, and (argument, local derivative) pairs; an argument
# is an int (a place in the bundle), a float (a constant) or a Value (a node of another bundle).
_Record = tuple[float, float | None, str | None, Op | None, tuple[tuple[Any, float], ...]]


class _Bundle:
    """Nodes in topological order; reduced to records of their state at that time."""

    __slots__ = ("__weakref__", "places")

    def __init__(self, nodes: list[Value]) -> None:
        self.places = {node: place for place, node in enumerate(nodes)}

    def __reduce__(self) -> tuple[Any, tuple[list[_Record]]]:
        places = self.places
        records = []
        for node in places:
            known = tuple((places.get(arg, arg) if isinstance(arg, Value) else arg, d) for arg, d in edges(node))
            records.append((node._data, node._grad if node._has_grad else None, node._name, node._op, known))
        return _restore, (records,)


_bundles: WeakValueDictionary[int, _Bundle] = WeakValueDictionary()  # by id of node, while a pickle or copy is made


def _reduce(node: Value) -> tuple[Any, tuple[_Bundle, int]]:
    bundle = _bundles.get(id(node))
    if bundle is None:
        if all(id(arg) in _bundles for arg in node.args if isinstance(arg, Value)):
            nodes = [node]  # a list of nodes in the order they were made stays linear
        else:
            nodes = [n for n in topological_order(node) if id(n) not in _bundles]
        bundle = _Bundle(nodes)
        _bundles.update((id(n), bundle) for n in nodes)
    return _pick, (bundle, bundle.places[node])


def _pick(bundle: _Bundle | list[Value], place: int) -> Value:
    if isinstance(bundle, list):
        return bundle[place]
    node = list(bundle.places)[place]  # copy.copy: a new node with the arguments of the old one
    return _node(node._data, node._grad if node._has_grad else None, node._name, node._op, edges(node))


def _restore(records: list[_Record]) -> list[Value]:
    nodes: list[Value] = []
    for data, grad, name, op, pairs in records:
        known = tuple((nodes[arg] if isinstance(arg, int) else arg, d) for arg, d in pairs)
        nodes.append(_node(data, grad, name, op, known))
    return nodes


def _node(
    data: float, grad: float | None, name: str | None, op: Op | None, known: tuple[tuple[Any, float], ...]
) -> Value:
    node = Value(data, name)
    if grad is not None:
        node.grad = grad
    node._op = op
    if known:
        node._x, node._dx = known[0]
    if len(known) == 2:
        node._y, node._dy = known[1]
    elif known:
        node._y = known[1:] or None
    return node


copyreg.pickle(Value, _reduce)
