"""From DOT text to a picture: the `dot` program where there is one, else the Graphviz inside pygraphviz."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import sys

from micrograd_bp.errors import MissingExtraError

_SECONDS = 60.0
_IN_A_CHILD = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=dict(graph.graph_attr).get("layout", "dot")))
"""  # so that it can be interrupted, and given up: some small graphs take Graphviz minutes


def render(source: str, format: str) -> bytes:
    """`source` laid out and written as `format` (svg, png, pdf).

    Raises MissingExtraError where neither the program nor the package is there, naming both remedies; TimeoutError
    where the layout takes longer than a minute.
    """
    if shutil.which("dot"):
        import graphviz

        with contextlib.suppress(subprocess.CalledProcessError):  # a program that does not work
            return bytes(graphviz.Source(source).pipe(format=format, quiet=True))
    if importlib.util.find_spec("pygraphviz") is None:
        raise MissingExtraError(
            "drawing needs Graphviz: either  pip install 'micrograd_bp[draw]'  (carries its own), "
            "or the program `dot` from your system's package graphviz"
        )
    command = [sys.executable, "-c", _IN_A_CHILD, format]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"Graphviz has not laid the graph out in {_SECONDS:g} s (one node with many users can do that): draw an "
            f"inner node, or save the .dot file and lay it out elsewhere"
        ) from None
    if done.returncode:
        raise RuntimeError(f"Graphviz refuses the graph: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
