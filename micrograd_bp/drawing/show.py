"""`draw` chooses the picture of a Value or a Module, and `notebook` what a notebook shows."""

from __future__ import annotations

import contextlib
from typing import Any, Unpack, overload

from micrograd_bp.drawing.network import NetworkOptions, draw_network
from micrograd_bp.drawing.picture import Graph
from micrograd_bp.drawing.value_graph import draw_graph
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.pictures import GraphOptions
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.nn import Module
from micrograd_bp.ops.reals import kind

_MOST_IN_NOTEBOOK = 60  # values; a notebook shows larger graphs as text


@overload
def draw(drawn: Value, **options: Unpack[GraphOptions[Value]]) -> Graph: ...
@overload
def draw(drawn: Module, **options: Unpack[NetworkOptions]) -> Graph: ...
def draw(drawn: Value | Module, **options: Any) -> Graph:
    """Return a picture of a value's graph or of a network; the options are those of `draw_graph` or `draw_network`.

    Raises TypeError for anything but a Value or a Module.

    >>> from micrograd_bp import nn
    >>> x = Value(3.0, "x")
    >>> draw(x * x), draw(nn.MLP(2, [2, 1]), title="XOR")
    (<Graph of 2 values; .svg, .save(path)>, <Graph of a network 2-2-1; .svg, .save(path)>)
    """
    if isinstance(drawn, Value):
        return draw_graph(drawn, **options)
    if isinstance(drawn, Module):
        return draw_network(drawn, **options)
    raise TypeError(f"draw takes a Value, for its graph, or a Module, for its network, not {kind(drawn)}")


def notebook(shown: Value | Module) -> dict[str, str]:
    """Return the text and, if the graph is small and Graphviz is installed, the picture, by MIME type."""
    bundle = {"text/plain": repr(shown)}
    if isinstance(shown, Value) and (shown.op is None or len(topological_order(shown)) > _MOST_IN_NOTEBOOK):
        return bundle
    with contextlib.suppress(ValueError, MissingExtraError, TimeoutError):
        bundle["image/svg+xml"] = draw(shown).svg
    return bundle
