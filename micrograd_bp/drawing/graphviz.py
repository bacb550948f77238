"""`render` makes a picture of DOT text, by the program `dot` or else by the Graphviz inside pygraphviz."""

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
"""  # a child process can be interrupted: Graphviz takes minutes for some small graphs


def render(source: str, format: str) -> bytes:
    """Return `source` laid out by Graphviz in the `format` svg, png, pdf or plain.

    Raises MissingExtraError where neither the program nor the package is installed, TimeoutError where the layout takes
    longer than a minute, RuntimeError for DOT text that Graphviz cannot read.
    """
    if shutil.which("dot"):
        import graphviz

        with contextlib.suppress(subprocess.CalledProcessError):  # then try pygraphviz
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
            f"Graphviz did not lay out the graph in {_SECONDS:g} s (a node with many users can cause that): draw an "
            f"inner node, or save the graph as a .dot file and lay it out with another engine"
        ) from None
    if done.returncode:
        raise RuntimeError(f"Graphviz refuses the graph: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
