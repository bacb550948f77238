"""`Graph`: a picture as DOT, SVG, mermaid or a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd_bp.drawing import graphviz, theme

_SMALL = 250  # lines of DOT; a picture of some hundred cards has as many millions of pixels at 192 dpi

WRITERS: dict[str, Callable[[Graph], bytes]] = {}
"""What `save` writes, by the ending of the file's name."""


class Graph:
    """A picture of a graph or a network: `dot`, `svg` and `mermaid` are text, `save` writes a file, notebooks show it.

    `root` is the value or module drawn, `nodes` how many values that stands for, `options` what `draw` was told.
    """

    def __init__(
        self, root: Any, nodes: int, source: str, mermaid: Callable[[], str], about: str, options: dict[str, Any]
    ) -> None:
        self.root = root
        self.nodes = nodes
        self.dot = source
        self.options = options
        self._mermaid = mermaid
        self._about = about
        self._svg: str | None = None

    @property
    def svg(self) -> str:
        """The picture as SVG text, light or dark as the reader's system asks; laid out when first needed."""
        if self._svg is None:
            self._svg = theme.with_dark_scheme(graphviz.render(self.dot, "svg").decode())
        return self._svg

    @property
    def mermaid(self) -> str:
        """The picture as a mermaid flowchart, for Markdown: put it in a block that begins with ```mermaid."""
        return self._mermaid()

    def save(self, path: str | Path) -> Path:
        """Write the picture as the ending of `path` says: .svg, .png, .pdf, .dot or .mmd; missing folders are made.

        Returns the path. Raises ValueError for another ending.
        """
        path = Path(path).expanduser()
        writer = WRITERS.get(path.suffix.lower())
        if writer is None:
            raise ValueError(f"a picture is saved as {', '.join(WRITERS)}, not {path.name!r}")
        content = writer(self)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Graph of {self._about}; .svg, .save(path)>"


def _on_paper(source: str) -> str:
    """The DOT text with a white ground, for what is no SVG cannot follow the reader's scheme; small ones fine enough
    for any screen."""
    dpi = 192 if source.count("\n") < _SMALL else 96
    return source.replace('bgcolor="transparent"', f'bgcolor="white" dpi={dpi}', 1)


WRITERS[".svg"] = lambda graph: graph.svg.encode()
WRITERS[".png"] = lambda graph: graphviz.render(_on_paper(graph.dot), "png")
WRITERS[".pdf"] = lambda graph: graphviz.render(_on_paper(graph.dot), "pdf")
WRITERS[".dot"] = lambda graph: graph.dot.encode()
WRITERS[".mmd"] = lambda graph: graph.mermaid.encode()
