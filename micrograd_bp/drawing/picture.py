"""`Graph`: a picture as DOT, SVG or mermaid text, or as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd_bp import files
from micrograd_bp.drawing import graphviz, theme

_SMALL = 250  # lines of DOT; a larger picture would have hundreds of megapixels at 192 dpi

WRITERS: dict[str, Callable[[Graph], bytes]] = {}
"""The functions that return the content of a file, by the ending of its name."""


class Graph:
    """A picture of a graph or a network: `dot`, `svg` and `mermaid` are text, `save` writes a file, notebooks show it.

    `root` is the value or module that is drawn, `nodes` the number of its values, `options` the options of `draw`.
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
        """The picture as SVG text, light or dark as the reader's system asks; laid out at the first access."""
        if self._svg is None:
            self._svg = theme.with_dark_scheme(graphviz.render(self.dot, "svg").decode())
        return self._svg

    @property
    def mermaid(self) -> str:
        """The picture as a mermaid flowchart, for Markdown: put it in a block that begins with ```mermaid."""
        return self._mermaid()

    def save(self, path: str | Path) -> Path:
        """Write the picture in the format of the ending of `path` (.svg, .png, .pdf, .dot, .mmd, .html), and return it.

        Missing folders are created, and a file that exists is replaced as a whole or not at all.
        Raises ValueError for another ending, and for .html where a network is drawn.
        """
        path = Path(path)
        writer = WRITERS.get(path.suffix.lower())
        if writer is None:
            raise ValueError(f"a picture is saved as {', '.join(WRITERS)}, not {path.name!r}")
        return files.write(path, writer(self))

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Graph of {self._about}; .svg, .save(path)>"


def _on_paper(source: str) -> str:
    """Return the DOT text with a white background, since only SVG can follow the reader's colour scheme."""
    dpi = 192 if source.count("\n") < _SMALL else 96
    return source.replace('bgcolor="transparent"', f'bgcolor="white" dpi={dpi}', 1)


WRITERS[".svg"] = lambda graph: graph.svg.encode()
WRITERS[".png"] = lambda graph: graphviz.render(_on_paper(graph.dot), "png")
WRITERS[".pdf"] = lambda graph: graphviz.render(_on_paper(graph.dot), "pdf")
WRITERS[".dot"] = lambda graph: graph.dot.encode()
WRITERS[".mmd"] = lambda graph: graph.mermaid.encode()
