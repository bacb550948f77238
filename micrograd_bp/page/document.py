"""`page` writes a graph as one HTML file that shows the passes step by step, lets leaves change and explains gradients.

The file loads nothing from the network, and its content security policy forbids it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

from micrograd_bp.drawing import Graph
from micrograd_bp.drawing.dot import far
from micrograd_bp.drawing.picture import WRITERS
from micrograd_bp.drawing.scene import everything
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import variables_among, zero_is_structural
from micrograd_bp.ops.domain import Interval
from micrograd_bp.ops.op import ATOM, Op
from micrograd_bp.page.chain import links
from micrograd_bp.page.javascript import not_in_javascript, script
from micrograd_bp.page.positions import arrange
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.printer import typeset
from micrograd_bp.symbolic.templates import fill, number

MOST_NODES = 500
_SCRIPTS = ("engine.js", "numbers.js", "picture.js", "steps.js", "chain.js", "leaves.js", "controls.js")
_HOLE = 0xE000  # characters from here on (private use) stand for the arguments
_HINT = "Point at a value, or tab to it, to see its paths to the output and the chain rule along them."
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; script-src {script_hash}; style-src {style_hash}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div class="controls" role="group" aria-label="steps">
<button id="first" aria-label="to the start">|◀</button>
<button id="back">◀ back</button>
<button id="next">step ▶</button>
<button id="last" aria-label="to the end">▶|</button>
<button id="play">▶ play</button>
<span id="where"></span>
<span id="trouble" role="status"></span>
</div>
<p id="message" aria-live="polite"></p>
<div class="scroll"><svg id="picture" role="group" aria-label="the graph" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}"><defs><marker id="arrow" viewBox="0 0 10 8" refX="9.5" refY="4" markerWidth="9" \
markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,4 L0,8 z"/></marker></defs></svg></div>
<section id="why" aria-label="the chain rule" tabindex="0"></section>
<section aria-label="leaves">
<div class="heads"><h2>Leaves</h2><button id="reset" disabled>reset</button><span class="note">value, \
gradient</span></div>
<div id="fields"></div>
</section>
<p class="note">{note}</p>
<noscript>This page needs JavaScript; all of it is in this file.</noscript>
</main>
<script type="application/json" id="graph">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page(root: Value, *, title: str | None = None, digits: int = 4, direction: str = "LR") -> str:
    """Return the graph below `root` as the text of one HTML file; equal graphs give equal text.

    `title`      the heading; by default the formula
    `digits`     the number of significant digits that are shown
    `direction`  "LR" (left to right) or "TB" (top to bottom)

    The page opens with the recorded numbers and shows a backward pass with seed 1; `grad` is not read. When a leaf
    changes, the page computes everything again by the operations' own functions and derivative rules. Outside an
    operation's domain it shows a warning and computes with nan. If a user's operation has no `native` form, or a rule
    that calls other functions than operations, the leaves cannot be changed, and the page says why.
    `window.micrograd.state()` returns the unrounded numbers.

    Raises ValueError for a graph of more than 500 values.

    >>> x = Value(3.0, name="x")
    >>> "F.mul = (a, b) => a * b;" in page(x * x)
    True
    """
    order = topological_order(root)
    if len(order) > MOST_NODES:
        raise ValueError(
            f"the graph has {len(order)} values, but a page shows at most {MOST_NODES}: take that of an inner value"
        )
    graph = _data(order, digits, direction)
    width, height = round(graph.pop("width") + 8), round(graph.pop("height") + 8)
    missing = graph["missing"]
    style = _file("page.css")
    known = [] if missing else sorted({node.op for node in order if node.op}, key=lambda op: op.name)
    functions = ["const F = {};", "const D = {};", _file("special.js"), script(known)]
    code = "\n".join(['"use strict";', *functions, *map(_file, _SCRIPTS)])
    note = "Keys: ← and → step, Home and End go to the ends, space plays. "
    if missing:
        note += (
            f"The leaves cannot be changed: {', '.join(missing)} has no C99 form, or a derivative rule that uses more "
            f"than operations, so this page cannot compute it. It shows the recorded numbers."
        )
    else:
        note += "When a leaf changes, this page computes everything again, by the engine's own rules."
    return _PAGE.format(
        title=escape(title or graph["title"]),
        style=style,
        script=code,
        style_hash=_hash(style),
        script_hash=_hash(code),
        data=json.dumps(graph, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        note=escape(note),
        width=width,
        height=height,
    )


def _data(order: list[Value], digits: int, direction: str) -> dict[str, Any]:
    symbols = Symbols(order)
    upward = links(order, symbols, digits)
    nodes = [_node(node, symbols, digits) | {"links": up} for node, up in zip(order, upward, strict=True)]
    too_far = far(everything(order))
    small = {
        f"{i}_{index}": f"{nodes[symbols.place[arg]]['name']} ↗" if isinstance(arg, Value) else number(arg, digits)
        for i, node in enumerate(order)
        for index, arg in enumerate(node.args)
        if not isinstance(arg, Value) or (node, index) in too_far
    }
    headings = [f"{node['label']} {node['kind']}" for node in nodes]
    arrangement = arrange(order, headings, small, direction, digits)
    root = nodes[-1]
    return {
        "title": f"{root['name']} = {root['made']}" if root["made"] else root["name"],
        "hint": _HINT,
        "digits": digits,
        "missing": not_in_javascript({node.op for node in order if node.op}),
        "nodes": nodes,
        "small": small,
        "boxes": {key: [x + 4, y + 4, w, h] for key, (x, y, w, h) in arrangement.boxes.items()},
        "lines": {key: _shifted(line) for key, line in arrangement.lines.items()},
        "width": arrangement.width,
        "height": arrangement.height,
    }


def _shifted(line: dict[str, Any]) -> dict[str, Any]:
    moved: dict[str, Any] = {"points": [[x + 4, y + 4] for x, y in line["points"]]}
    return moved | ({"at": [line["at"][0] + 4, line["at"][1] + 8]} if "at" in line else {})


def _node(node: Value, symbols: Symbols, digits: int) -> dict[str, Any]:
    op, made = node.op, None if node.op is None else symbols.definition(node, digits)
    label = symbols.called(node).name[0] if symbols.is_named(node) else made or ""
    variables = variables_among(node.args)
    structural = [] if op is None else [zero_is_structural(op, index, variables) for index in range(op.arity)]
    return {
        "name": label if symbols.is_named(node) else f"({label})",
        "label": label,
        "station": symbols.is_named(node),
        "kind": "leaf" if op is None else f"= {op.symbol}",
        "op": None if op is None else op.name,
        "made": made,
        "args": [symbols.place[arg] if isinstance(arg, Value) else [repr(arg)] for arg in node.args],
        "data": repr(node.data),
        "structural": structural,
        "locals": [None if local is None else repr(local) for local in node.local_grads],
        "text": [
            typeset(symbols.local(node, index), digits) if isinstance(arg, Value) else ""
            for index, arg in enumerate(node.args)
        ],
        **(_about(op, node, digits) if op else {}),
    }


def _about(op: Op, node: Value, digits: int) -> dict[str, Any]:
    """Return an operation's data for the page: its formula with slots for the arguments, and its domain."""
    args = [
        (chr(_HOLE + i) if isinstance(arg, Value) else number(arg, digits), ATOM) for i, arg in enumerate(node.args)
    ]
    pieces = re.split("([\ue000-\uf8ff])", fill(op, args)[0])
    about: dict[str, Any] = {
        "shape": [ord(piece) - _HOLE if i % 2 else piece for i, piece in enumerate(pieces)],
        "binds": op.binds,
    }
    if op.domain:
        about["names"] = op.arguments
        about["domain"] = [[_interval(i) for i in box] for box in op.domain]
    return about


def _interval(i: Interval) -> list[Any]:
    return [repr(i.low), repr(i.high), i.open_low, i.open_high, i.integer, str(i)]


def _file(name: str) -> str:
    return (files("micrograd_bp.page") / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _write(graph: Graph) -> bytes:
    if not isinstance(graph.root, Value):
        raise ValueError("a page shows the graph of a value, not a network: save the graph of an output or of a loss")
    shared = {key: graph.options[key] for key in ("title", "digits", "direction") if key in graph.options}
    return page(graph.root, **shared).encode()


WRITERS[".html"] = _write
