"""Copies and pickles of graphs of any depth: a graph is written as one flat list, not as nested nodes.

Importing this module registers `Value` with `copy` and `pickle`.

Pickle visits the nodes one by one and does not report which ones it has visited. The first node of a graph is therefore
written with a bundle of all nodes below it. A later node of the same graph refers to that bundle, which exists while
the pickle is made. Shared nodes stay shared: in a copy of `(x, loss)`, the new loss depends on the new x.
"""

from __future__ import annotations

import copyreg
from typing import Any
from weakref import WeakValueDictionary

from micrograd_bp.engine.node import edges
from micrograd_bp.engine.value import Value, topological_order
from micrograd_bp.ops.op import Op

# The state of a node: data, grad (None where it is absent), name, op, and (argument, local derivative) pairs. An
# argument is an int (an index in the bundle), a float (a constant) or a Value (a node of another bundle).
_Record = tuple[float, float | None, str | None, Op | None, tuple[tuple[Any, float], ...]]


class _Bundle:
    """Nodes in topological order; pickling reduces them to records of their present state."""

    __slots__ = ("__weakref__", "indices")

    def __init__(self, nodes: list[Value]) -> None:
        self.indices = {node: index for index, node in enumerate(nodes)}

    def __reduce__(self) -> tuple[Any, tuple[list[_Record]]]:
        indices = self.indices
        records = []
        for node in indices:
            known = tuple((indices.get(arg, arg) if isinstance(arg, Value) else arg, d) for arg, d in edges(node))
            records.append((node._data, node._grad if node._has_grad else None, node._name, node._op, known))
        return _restore, (records,)


_bundles: WeakValueDictionary[int, _Bundle] = WeakValueDictionary()  # by id of node, while a pickle or copy is made


def _reduce(node: Value) -> tuple[Any, tuple[_Bundle, int]]:
    bundle = _bundles.get(id(node))
    if bundle is None:
        if all(id(arg) in _bundles for arg in node.args if isinstance(arg, Value)):
            nodes = [node]  # a list of nodes in the order of recording takes linear time
        else:
            nodes = [n for n in topological_order(node) if id(n) not in _bundles]
        bundle = _Bundle(nodes)
        _bundles.update((id(n), bundle) for n in nodes)
    return _pick, (bundle, bundle.indices[node])


def _pick(bundle: _Bundle | list[Value], index: int) -> Value:
    if isinstance(bundle, list):
        return bundle[index]
    node = list(bundle.indices)[index]  # copy.copy: a new node with the arguments of the old one
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
