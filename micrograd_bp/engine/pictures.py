"""The types of the options of `Value.graph`; the code that draws is in `micrograd_bp.drawing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Literal, TypedDict, TypeVar

V = TypeVar("V")
View = Literal["values", "steps", "neurons", "layers"]
Clusters = Literal["auto", "neurons", "layers"]
Edges = Literal["local", "flow", "none"]
Direction = Literal["LR", "TB"]


class GraphOptions(TypedDict, Generic[V], total=False):
    """The options of `draw_graph`, whose docstring explains them, for a graph of nodes of the type `V`."""

    view: View
    depth: int | None
    around: V | None
    clusters: Clusters | None
    edges: Edges
    constants: bool
    inputs: Sequence[V] | None
    direction: Direction
    digits: int
    title: str | None
    max_nodes: int
