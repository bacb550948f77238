"""Copies and pickles of graphs of any depth: a graph is written as one flat list, not as nested nodes.

Importing this module gives `Value` the method that `copy` and `pickle` call. Subclasses of Value inherit it: their
nodes keep their class and attributes, and `__init__` is not called, as is usual for copies.

Pickle visits the nodes one by one and does not report which ones it has visited. The first node of a graph is therefore
written with a bundle of all nodes below it. A later node of the same graph refers to that bundle, which exists while
the pickle is made. Shared nodes stay shared: in a copy of `(x, loss)`, the new loss depends on the new x.
"""

from __future__ import annotations

import copyreg
from inspect import isdatadescriptor
from types import MemberDescriptorType
from typing import Any
from weakref import WeakValueDictionary

from micrograd_bp.engine.node import edges, refuse_while_recording
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

    def __reduce__(self) -> tuple[Any, ...]:
        indices = self.indices
        records = []
        kinds: dict[int, type[Value]] = {}
        states: dict[int, Any] = {}
        for index, node in enumerate(indices):
            known = tuple((indices.get(arg, arg) if isinstance(arg, Value) else arg, d) for arg, d in edges(node))
            records.append((node._data, node._grad if node._has_grad else None, node._name, node._op, known))
            if type(node) is not Value:
                kinds[index] = type(node)
                if (state := _own_state(node)) is not None:
                    states[index] = state
        # The states come third: they are written after the nodes, so that they may refer to these.
        return (_restore, (records, kinds), states) if states else (_restore, (records, kinds))


class _Restored(list[Value]):
    """The nodes of a bundle that is read."""

    __slots__ = ()

    def __setstate__(self, states: dict[int, Any]) -> None:
        for index, state in states.items():
            _set_own_state(self[index], state)


_bundles: WeakValueDictionary[int, _Bundle] = WeakValueDictionary()  # by id of node, while a pickle or copy is made


def _reduce(node: Value) -> tuple[Any, tuple[_Bundle, int]]:
    refuse_while_recording(node)
    bundle = _bundles.get(id(node))
    if bundle is None:
        if all(id(arg) in _bundles or _has_own_way(arg) for arg in node.args if isinstance(arg, Value)):
            nodes = [node]  # a list of nodes in the order of recording takes linear time
        else:
            nodes = [n for n in topological_order(node) if n is node or not (id(n) in _bundles or _has_own_way(n))]
        bundle = _Bundle(nodes)
        _bundles.update((id(n), bundle) for n in nodes)
    return _pick, (bundle, bundle.indices[node])


def _has_own_way(node: Value) -> bool:
    """Whether the node's class defines how it is copied; such a node is in no bundle, and bundles refer to it."""
    kind = type(node)
    return kind is not Value and (
        kind.__reduce__ is not Value.__reduce__
        or kind.__reduce_ex__ is not Value.__reduce_ex__
        or hasattr(kind, "__deepcopy__")
        or kind in copyreg.dispatch_table
    )


def _pick(bundle: _Bundle | _Restored, index: int) -> Value:
    if isinstance(bundle, _Restored):
        return bundle[index]
    old = list(bundle.indices)[index]  # copy.copy: a new node with the arguments and attributes of the old one
    new = _node(type(old), old._data, old._grad if old._has_grad else None, old._name, old._op, edges(old))
    if type(old) is not Value and (state := _own_state(old)) is not None:
        _set_own_state(new, state)
    return new


def _restore(records: list[_Record], kinds: dict[int, type[Value]]) -> _Restored:
    nodes = _Restored()
    for index, (data, grad, name, op, pairs) in enumerate(records):
        known = tuple((nodes[arg] if isinstance(arg, int) else arg, d) for arg, d in pairs)
        nodes.append(_node(kinds.get(index, Value), data, grad, name, op, known))
    return nodes


def _node(
    kind: type[Value],
    data: float,
    grad: float | None,
    name: str | None,
    op: Op | None,
    known: tuple[tuple[Any, float], ...],
) -> Value:
    node = Value.__new__(kind)
    Value.__init__(node, data, name)
    if grad is not None:
        node._grad, node._has_grad = grad, True
    node._op = op
    if known:
        node._x, node._dx = known[0]
    if len(known) == 2:
        node._y, node._dy = known[1]
    elif known:
        node._y = known[1:] or None
    return node


def _own_state(node: Value) -> Any:
    """Return what a subclass's `__getstate__` gives or, as Python does, its attributes and slots; None without any."""
    if type(node).__getstate__ is not Value.__getstate__:  # object's or, in the compiled build, one by mypyc
        return node.__getstate__()
    attributes = getattr(node, "__dict__", None) or None
    slots = {
        name: getattr(node, name)
        for kind in type(node).__mro__
        if not issubclass(Value, kind)
        for name, thing in vars(kind).items()
        if isinstance(thing, MemberDescriptorType) and hasattr(node, name)
    }
    return (attributes, slots) if slots else attributes


def _set_own_state(node: Any, state: Any) -> None:
    if getattr(type(node), "__setstate__", None) is not getattr(Value, "__setstate__", None):
        node.__setstate__(state)
        node._mark = 0  # a mark of another process may be larger than those to come, as if the node had been visited
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for name, attribute in (attributes or {}).items():
        if not isdatadescriptor(getattr(Value, name, None)):  # what a Value has itself is set already
            vars(node)[name] = attribute
    for name, attribute in (slots or {}).items():
        if not isdatadescriptor(getattr(Value, name, None)):
            setattr(node, name, attribute)


Value.__reduce__ = _reduce  # type: ignore[method-assign, assignment]  # a method, which subclasses inherit
