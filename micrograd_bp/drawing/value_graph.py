"""`draw_graph` draws the graph of a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from micrograd_bp.drawing import collapse, mermaid
from micrograd_bp.drawing.dot import Style, dot
from micrograd_bp.drawing.labels import count
from micrograd_bp.drawing.layers import Groups
from micrograd_bp.drawing.named_steps import in_steps
from micrograd_bp.drawing.picture import Graph
from micrograd_bp.drawing.scene import around_node, below, everything
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.pictures import Clusters, Direction, Edges, View
from micrograd_bp.ops.reals import kind, short


def draw_graph(
    root: Value,
    *,
    view: View = "values",
    depth: int | None = None,
    around: Value | None = None,
    clusters: Clusters | None = "auto",
    edges: Edges = "local",
    constants: bool = True,
    inputs: Sequence[Value] | None = None,
    direction: Direction = "LR",
    digits: int = 4,
    title: str | None = None,
    max_nodes: int = 500,
) -> Graph:
    """Return a picture of the graph below `root`.

    Each value is a card with its data and its gradient, tinted by sign and size; each edge shows the local derivative,
    and its width is the size of the contribution. Gradients are shown after `backward()` only.

    `view`       "values"; "steps": only named values, with formulas on the lines, as in tutorials; "neurons" or
                 "layers": one box for each, with its number of values and the root mean square of their gradients
    `depth`      the greatest distance in edges from the root, or from `around`, an inner value that is shown with its
                 users and arguments (`depth` 1 by default). Dashed stubs count the values left out
    `clusters`   frames around the "neurons" or "layers" of a network; "auto" frames neurons, None nothing
    `edges`      the numbers on edges: "local" derivatives, the "flow" (the contributions to gradients), or "none"
    `constants`  whether constants are shown
    `inputs`     the leaves that `view="steps"` shows; by default the named ones that are not parameters of a network
    `direction`  "LR" (left to right) or "TB" (top to bottom)
    `digits`     the number of significant digits, 1 to 17
    `title`      the heading
    `max_nodes`  a graph with more values is collapsed, a network to neurons or layers, another graph to levels

    Raises TypeError or ValueError for an option that is not allowed, also for views and clusters of a network where no
    value has a name that `nn` gives (`z1_2`).

    >>> x = Value(3.0, name="x")
    >>> print(draw_graph(x * x, edges="none").dot.splitlines()[-2])
      n0 -> n1 [penwidth=1.00 tooltip="∂(x·x)/∂(x) = 3.0"]
    """
    order = topological_order(root)
    _check_choice("view", view, get_args(View))
    _check_choice("clusters", clusters, (*get_args(Clusters), None))
    _check_choice("edges", edges, get_args(Edges))
    _check_choice("direction", direction, get_args(Direction))
    _check_count("max_nodes", max_nodes, 1)
    if depth is not None:
        _check_count("depth", depth, 0)
    if around is not None and not isinstance(around, Value):
        raise TypeError(f"around is a Value of the graph, not {kind(around)}")
    if (depth is not None or around is not None) and view != "values":
        raise ValueError(f"depth and around need view='values'; leave them out with view={view!r}")
    if inputs is not None:
        _check_inputs(inputs, order)
    style = check_style(direction, digits, title, edges, constants)
    groups = Groups(order)
    for option, wanted in (("view", view), ("clusters", clusters)):
        if wanted in ("neurons", "layers") and not groups.layers:
            raise ValueError(
                f"{option}={wanted!r} needs a network: no value of this graph is named as nn names them (z1_2)"
            )
    if around is not None:
        scene = around_node(order, around, 1 if depth is None else depth)
    elif depth is not None:
        scene = below(order, depth)
    elif view == "steps":
        scene = in_steps(order, groups, inputs, digits)
    elif view == "values":
        scene = everything(order)
    else:
        scene = (collapse.by_layers if view == "layers" else collapse.by_neurons)(order, groups)
    if len(scene.cards) + len(scene.boxes) > max_nodes:
        scene = collapse.collapsed(order, groups, max_nodes)
    elif view == "values" and clusters and groups.layers:
        scene = collapse.with_clusters(scene, groups, "neurons" if clusters == "auto" else clusters)
    options: dict[str, Any] = {"direction": direction, "digits": digits, "title": title, "edges": edges}
    return Graph(
        root,
        len(order),
        dot(scene, style),
        lambda: mermaid.of_scene(scene, style),
        count(len(order), "value"),
        options,
    )


def check_style(
    direction: str, digits: int, title: str | None, edges: Edges = "local", constants: bool = True
) -> Style:
    """Return the options of the look as a Style. Raises TypeError or ValueError for one that is not allowed."""
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise ValueError(f"digits is a whole number from 1 to 17, not {digits!r}")
    if not (title is None or isinstance(title, str)):
        raise TypeError(f"a title is a str, not {type(title).__name__}")
    if not isinstance(constants, bool):
        raise TypeError(f"constants is True or False, not {constants!r}")
    return Style(direction, digits, " ".join((title or "").split()), edges, constants)


def _check_inputs(inputs: object, order: list[Value]) -> None:
    if not isinstance(inputs, (list, tuple)) or not all(isinstance(x, Value) for x in inputs):
        raise TypeError(f"inputs is a list of Values, leaves of the graph, not {short(inputs)}")
    leaves = {node for node in order if node.op is None}
    if not leaves.issuperset(inputs):
        raise ValueError("inputs are leaves of the graph; one of the given Values is not")


def _check_choice(name: str, given: object, allowed: Sequence[object]) -> None:
    if not any(given is choice or (isinstance(given, str) and given == choice) for choice in allowed):
        listed = [repr(choice) for choice in allowed]
        raise ValueError(f"{name} is {', '.join(listed[:-1])} or {listed[-1]}, not {given!r}")


def _check_count(name: str, given: object, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise ValueError(f"{name} is a whole number, at least {least}, not {given!r}")
