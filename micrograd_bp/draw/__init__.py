"""Pictures of graphs and networks: `draw(v)` or `v.graph()`, `draw(model)`. Imports engine, errors, nn."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from micrograd_bp.draw.graph import check_style, draw_graph
from micrograd_bp.draw.network import columns, network_dot, network_mermaid
from micrograd_bp.draw.picture import WRITERS as WRITERS
from micrograd_bp.draw.picture import Graph as Graph
from micrograd_bp.engine import VIEWS, Value, topological_order
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.nn import Module

_MOST_IN_NOTEBOOK = 60  # values; a cell that ends with the loss of a large network shows its text


def draw(drawn: Value | Module, **options: Any) -> Graph:
    """A picture of a value's graph, with the options of `draw_graph`, or of a network, with those of `draw_network`.

    Raises TypeError for what is neither a Value nor a Module.

    >>> from micrograd_bp import nn
    >>> x = Value(3.0, "x")
    >>> draw(x * x), draw(nn.MLP(2, [2, 1]), title="XOR")
    (<Graph of 2 values; .svg, .save(path)>, <Graph of a network 2-2-1; .svg, .save(path)>)
    """
    if isinstance(drawn, Value):
        return draw_graph(drawn, **options)
    if isinstance(drawn, Module):
        return draw_network(drawn, **options)
    raise TypeError(f"draw takes a Value, for its graph, or a Module, for its network, not {type(drawn).__name__}")


def draw_network(
    model: Module, *, inputs: Sequence[Value | float] | None = None, digits: int = 3, title: str | None = None
) -> Graph:
    """A network as the tutorials draw it: neurons as circles in columns, biases below them, weights on the lines, their
    sign as the colour and their size as the width; gradients (∂) once there are any.

    With `inputs` the circles show the activations. A layer of more than 16 neurons is abbreviated; between layers with
    many connections the weights are in the tooltips only. `.mermaid` has the network in steps, formulas on the lines.

    Raises ValueError for a module without layers that follow one another, ShapeError for another number of inputs.
    """
    network = columns(model, inputs)
    style = check_style("LR", digits, title)
    sizes = "-".join(str(size) for size in network.sizes)
    count = sum(1 for _ in model.named_parameters())
    options = {"inputs": inputs, "digits": digits, "title": title}
    return Graph(
        model,
        count,
        network_dot(network, style),
        lambda: network_mermaid(network, digits),
        f"a network {sizes}",
        options,
    )


def notebook(shown: Value | Module) -> dict[str, str]:
    """What a notebook shows: the text, and the picture of what is not too large, if Graphviz is there."""
    bundle = {"text/plain": repr(shown)}
    if isinstance(shown, Value) and (shown.op is None or len(topological_order(shown)) > _MOST_IN_NOTEBOOK):
        return bundle
    with contextlib.suppress(ValueError, MissingExtraError, TimeoutError):
        bundle["image/svg+xml"] = draw(shown).svg
    return bundle


VIEWS["graph"] = draw_graph
VIEWS["notebook"] = notebook
