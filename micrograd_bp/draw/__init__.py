"""Pictures of graphs: `draw(v)` or `v.graph()`. Imports engine, formula and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from micrograd_bp.draw import layout, theme
from micrograd_bp.draw.dot import dot
from micrograd_bp.engine import VIEWS, Value, topological_order

FORMATS = ("svg", "png", "pdf", "dot")


class Graph:
    """A picture of a graph: `dot` and `svg` are text, `save` writes a file, notebooks show it by themselves."""

    def __init__(self, source: str, nodes: int) -> None:
        self.dot = source
        self.nodes = nodes
        self._svg: str | None = None

    @property
    def svg(self) -> str:
        """The picture as SVG text, light or dark as the reader's system asks; laid out when first needed."""
        if self._svg is None:
            self._svg = theme.with_dark_scheme(layout.render(self.dot, "svg").decode())
        return self._svg

    def save(self, path: str | Path) -> Path:
        """Write the picture as the ending of `path` says: .svg, .png, .pdf or .dot; missing folders are made.

        Returns the path. Raises ValueError for another ending.
        """
        path = Path(path).expanduser()
        ending = path.suffix.lower().removeprefix(".")
        if ending not in FORMATS:
            raise ValueError(f"a picture is saved as .{', .'.join(FORMATS)}, not {path.name!r}")
        if ending == "svg":
            content = self.svg.encode()
        elif ending == "dot":
            content = self.dot.encode()
        else:
            content = layout.render(self.dot, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Graph of {self.nodes} values; .svg, .save(path)>"


def draw(
    root: Value,
    *,
    direction: Literal["LR", "TB"] = "LR",
    digits: int = 4,
    title: str | None = None,
    max_nodes: int = 500,
) -> Graph:
    """The graph below `root` as a picture: a card per value, its gradient tinted by sign and strength, and on each
    edge the local derivative, the line as wide as the gradient that flows through it.

    `direction` is "LR" (left to right) or "TB" (top to bottom), `digits` the significant digits shown, `title` the
    picture's name and tooltip. Before any
    `backward()` no gradients are shown. Raises ValueError above `max_nodes` nodes (layout time grows faster than the
    graph), TypeError for what is not a Value.

    >>> x = Value(3.0, name="x")
    >>> print(draw(x * x).dot.splitlines()[-2])
      n0 -> n1 [label=" 3 " penwidth=1.00 tooltip="∂(x·x)/∂(x) = 3.0" labeltooltip="∂(x·x)/∂(x) = 3.0"]
    """
    if direction not in ("LR", "TB"):
        raise ValueError(f"direction is 'LR' or 'TB', not {direction!r}")
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise ValueError(f"digits is a whole number from 1 to 17, not {digits!r}")
    if not (title is None or isinstance(title, str)):
        raise TypeError(f"a title is a str, not {type(title).__name__}")
    order = topological_order(root)
    if len(order) > max_nodes:
        raise ValueError(
            f"the graph has {len(order)} nodes, more than max_nodes={max_nodes}: draw an inner node, or pass a larger "
            f"max_nodes (about 0.3 s of layout at 450 nodes, 4 to 8 s at 2,000)"
        )
    return Graph(dot(order, direction=direction, digits=digits, title=title), len(order))


VIEWS["graph"] = draw
