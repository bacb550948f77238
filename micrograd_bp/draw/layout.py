"""From DOT text to a picture: the `dot` program where there is one, else the Graphviz inside pygraphviz.

Imports errors; graphviz and pygraphviz when called.
"""

from __future__ import annotations

import shutil

from micrograd_bp.errors import MissingExtraError


def render(source: str, format: str) -> bytes:
    """`source` laid out and written as `format` (svg, png, pdf).

    Raises MissingExtraError where neither the program nor the package is there, naming both remedies.
    """
    if shutil.which("dot"):
        import graphviz

        return bytes(graphviz.Source(source).pipe(format=format))
    try:
        import pygraphviz
    except ImportError:
        raise MissingExtraError(
            "drawing needs Graphviz: either  pip install 'micrograd_bp[draw]'  (carries its own), "
            "or the program `dot` from your system's package graphviz"
        ) from None
    return bytes(pygraphviz.AGraph(string=source).draw(format=format, prog="dot"))
