"""The texts in pictures: labels of values, and escaping for DOT and its HTML-like labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from micrograd_bp.engine import Value
from micrograd_bp.ops.op import ATOM
from micrograd_bp.symbolic.templates import fill, number, one_line, unused

_LONGEST_LABEL = 22
_PLURAL = {"leaf": "leaves", "box": "boxes"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # what XML cannot hold


def labels(order: Iterable[Value], digits: int) -> dict[Value, str]:
    """Return the label of each node: its name, or its formula, or "" where the formula is too long."""
    parts: dict[Value, tuple[str, int]] = {}
    nodes = list(order)
    names = shown_names(nodes)
    for node in nodes:
        name = names[node]
        if name:
            parts[node] = (name, ATOM)
        elif node.op is None:
            parts[node] = ("", ATOM)
        else:
            args = [parts[arg] if isinstance(arg, Value) else (number(arg, digits), ATOM) for arg in node.args]
            text, precedence = fill(node.op, args) if all(text for text, _ in args) else ("", ATOM)
            parts[node] = (text if len(text) <= _LONGEST_LABEL else "", precedence)
    return {node: text for node, (text, _) in parts.items()}


def shown_names(nodes: Iterable[Value]) -> dict[Value, str]:
    """Return the nodes' names on one line of at most 40 characters; names that differ stay different.

    >>> a, b = Value(1.0, "a" * 50 + "b"), Value(2.0, "a" * 50 + "c")
    >>> [name[-4:] for name in shown_names([a, b]).values()]
    ['aaa…', '…[2]']
    """
    everything = {node: node.name or "" for node in nodes}
    shown = distinct(everything.values())
    return {node: shown[name] for node, name in everything.items()}


def distinct(names: Iterable[str], longest: int = 40) -> dict[str, str]:
    """Return each name on one line of at most `longest` characters; [2] follows where two would look alike."""
    shown: dict[str, str] = {}
    used: set[str] = set()
    for name in names:
        if name not in shown:
            text = printable(one_line(name, longest))
            shown[name] = unused(text, used) if text else ""
            used.add(shown[name])
    return shown


def called(node: Value, label: str) -> str:
    """Return a node's label, or the name of its operation."""
    return label or ("leaf" if node.op is None else node.op.name)


def count(n: int, what: str) -> str:
    """Return a number with its noun.

    >>> count(1, "edge"), count(12000, "edge")
    ('1 edge', '12,000 edges')
    """
    return f"{n:,} {what if n == 1 else _PLURAL.get(what, what + 's')}"


def html(text: str) -> str:
    """Return `text` escaped for an HTML-like label."""
    clean = escape(printable(text))
    return clean.replace("\\", "\\\N{WORD JOINER}")  # "\N" alone would become the node's identifier


def tooltip(text: str) -> str:
    """Return `text` as a quoted tooltip; Graphviz interprets escapes such as \\N twice, and entities."""
    clean = printable(text).replace("&", "&amp;").replace("\\", "\\\\\\\\").replace('"', '\\"')
    return f'"{clean}"'


def quote(text: str) -> str:
    """Return `text` as a quoted DOT string, for a name or the value of an attribute."""
    clean = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'


def small(text: str, colour: str, size: int = 10) -> str:
    """Return `text` for an HTML-like label, in another colour and size."""
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{html(text)}</FONT>'


def printable(text: str) -> str:
    """Return `text` with U+FFFD for the characters that XML does not allow."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
