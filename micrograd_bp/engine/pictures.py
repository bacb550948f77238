"""What the engine knows of pictures: the type of `Value.graph`'s options and of its result. Drawing is a room above."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar

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


class Picture(Protocol):
    """A picture of a graph: `dot`, `svg` and `mermaid` are text, `save` writes a file; `drawing.Graph` is one."""

    root: Any
    nodes: int
    dot: str
    options: dict[str, Any]

    @property
    def svg(self) -> str: ...
    @property
    def mermaid(self) -> str: ...
    def save(self, path: str | Path) -> Path: ...
    def _repr_svg_(self) -> str: ...
