"""A graph as DOT text: one card per value, the local derivatives on the edges. Imports engine and formula.

The colours are those of the light scheme; `theme` adds the dark one to the finished SVG.
"""

from __future__ import annotations

import math
import re
from html import escape

from micrograd_bp.draw import theme
from micrograd_bp.engine import Value
from micrograd_bp.formula import fill, number
from micrograd_bp.op import ATOM, Op

_LONGEST_LABEL = 22
_LONGEST_NAME = 40
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # what XML cannot hold


def labels(order: list[Value], digits: int) -> dict[Value, str]:
    """What each node is called: its name, else its formula in the names of its arguments, else "" (too long)."""
    parts: dict[Value, tuple[str, int]] = {}
    for node in order:
        name = shown_name(node)
        if name:
            parts[node] = (name, ATOM)
        elif node.op is None:
            parts[node] = ("", ATOM)
        else:
            args = [parts[arg] if isinstance(arg, Value) else (number(arg, digits), ATOM) for arg in node.args]
            text, precedence = fill(node.op, args) if all(text for text, _ in args) else ("", ATOM)
            parts[node] = (text if len(text) <= _LONGEST_LABEL else "", precedence)
    return {node: text for node, (text, _) in parts.items()}


def shown_name(node: Value) -> str:
    """The node's name on one line of at most 40 characters."""
    name = " ".join((node.name or "").split())
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def dot(order: list[Value], *, direction: str, digits: int, title: str | None) -> str:
    """The DOT text of the nodes `order`, in topological order; the same graph gives the same text."""
    ids = {node: f"n{i}" for i, node in enumerate(order)}
    called = labels(order, digits)
    largest = max((abs(node.grad) for node in order if node.has_grad and math.isfinite(node.grad)), default=0.0)
    # Graphviz takes "\N" from the node attributes for granted where a node has no label of its own
    lines = [
        f"digraph {_quote(title or 'graph')} {{",
        f'  graph [rankdir={direction} bgcolor="transparent" nodesep=0.25 ranksep=0.45 fontname="{theme.FONT}"'
        f" tooltip={_quote(title or ' ')}]",
        f'  node [shape=box style="rounded,filled" fillcolor="{theme.CARD}" color="{theme.RULE}" margin=0.03'
        f' fontname="{theme.FONT}" fontsize=12 fontcolor="{theme.INK}" label="\\N"]',
        f'  edge [fontname="{theme.FONT}" fontsize=10 color="{theme.EDGE}" fontcolor="{theme.FAINT}" arrowsize=0.7]',
    ]
    for node in order:
        lines.append(f"  {ids[node]} {_card(node, called[node], digits, largest)}")
    for node in order:
        for place, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            source = ids[arg] if isinstance(arg, Value) else f"{ids[node]}_{place}"
            if isinstance(arg, Value):
                attributes = _edge(node, arg, local or 0.0, called, digits, largest)
            else:
                lines.append(f"  {source} {_constant(arg, digits)}")
                attributes = "[tooltip=constant style=dashed]"
            lines.append(f"  {source} -> {ids[node]} {attributes}")
    return "\n".join([*lines, "}", ""])


def _card(node: Value, label: str, digits: int, largest: float) -> str:
    kind = "leaf" if node.op is None else f"= {node.op.symbol}"
    parts = [f"<B>{_html(label)}</B>"] if label else []
    parts.append(f'<FONT COLOR="{theme.FAINT}" POINT-SIZE="10">{_html(kind)}</FONT>')
    rows = [f'<TR><TD COLSPAN="2" SIDES="B" BORDER="1" COLOR="{theme.RULE}">{"  ".join(parts)}</TD></TR>']
    rows.append(_row("data", node.data, digits, ""))
    tip = f"{_tip_name(label, node.op)}: data {node.data!r}"
    if node.has_grad:
        rows.append(_row("grad", node.grad, digits, f' BGCOLOR="{theme.tint(node.grad, largest)}"'))
        tip += f", grad {node.grad!r}"
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{"".join(rows)}</TABLE>'
    return f"[tooltip={_quote(tip)} label=<{table}>]"


def _row(name: str, x: float, digits: int, fill_attribute: str) -> str:
    ink = theme.INK if fill_attribute else theme.FAINT
    caption = f'<FONT COLOR="{ink}" POINT-SIZE="10">{name}</FONT>'
    return (
        f'<TR><TD ALIGN="LEFT"{fill_attribute}>{caption}</TD>'
        f'<TD ALIGN="RIGHT"{fill_attribute}>{number(x, digits)}</TD></TR>'
    )


def _constant(x: float, digits: int) -> str:
    return (
        f'[shape=box style="rounded,filled" fillcolor="{theme.CARD}" color="{theme.RULE}" fontsize=11'
        f' height=0.3 width=0.3 margin="0.08,0.03"'
        f" tooltip={_quote(f'constant {x!r}')} label={_quote(number(x, digits))}]"
    )


def _edge(node: Value, arg: Value, local: float, called: dict[Value, str], digits: int, largest: float) -> str:
    name, below = _tip_name(called[node], node.op), _tip_name(called[arg], arg.op)
    tip = f"∂({name})/∂({below}) = {local!r}"
    width = 1.0
    if node.has_grad:
        refused = node.op is not None and node.op.selects and local == 0.0  # not taken: nothing passes, not even inf
        flow = 0.0 if node.grad == 0.0 or refused else node.grad * local
        tip += f"; adds {number(node.grad, digits)} · {number(local, digits)} = {number(flow, digits)}"
        width = 1.0 + 2.5 * theme.strength(flow, largest)
    label = _quote(f" {number(local, digits)} ")
    return f"[label={label} penwidth={width:.2f} tooltip={_quote(tip)} labeltooltip={_quote(tip)}]"


def _tip_name(label: str, op: Op | None) -> str:
    return label or ("leaf" if op is None else op.name)


def _html(text: str) -> str:
    clean = escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))
    return clean.replace("\\", "\\\N{WORD JOINER}")  # "\N" alone would become the node's identifier


def _quote(text: str) -> str:
    clean = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'
