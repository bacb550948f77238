"""The output of the commands: tables, JSON, explanations and pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import micrograd_bp as mb
from micrograd_bp.engine import Value
from micrograd_bp.expression import Program
from micrograd_bp.expression.locations import display_width
from micrograd_bp.symbolic.templates import number


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return cells as aligned columns, the first to the left and the others to the right.

    >>> print(table([("name", "value"), ("ŷ", "−0.5")]))
    name  value
    ŷ      −0.5
    """
    rows = list(rows)
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [first + " " * (widths[0] - display_width(first))]
        cells += [" " * (width - display_width(cell)) + cell for width, cell in zip(widths[1:], rest, strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def gradients(result: str, found: dict[str, Value], digits: int) -> str:
    """Return a table of all names with their values and, after `backward()`, their gradients."""
    rows = [("name", "value", f"∂{result}/∂name")]
    rows += [(name, number(node.data, digits), number(node.grad, digits)) for name, node in found.items()]
    return table(rows)


def as_json(program: Program, result: str, found: dict[str, Value], wrt: Sequence[str]) -> str:
    """Return all results as JSON, with unrounded numbers; "inf", "-inf" and "nan" are strings."""
    content = {
        "result": result,
        "values": {name: _json_number(node.data) for name, node in found.items()},
        "gradients": {name: _json_number(node.grad) for name, node in found.items()},
        "formulas": {a.name or result: a.text for a in program.assignments},
        "derivatives": {name: derivative(found[result], found[name]) for name in wrt},
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)


def _json_number(x: float) -> float | str:
    return x if math.isfinite(x) else repr(x)


def explanation(root: Value, wrt: Sequence[Value], digits: int, latex: bool = False) -> str:
    """Return the chain rule from the root to each of `wrt`; sections that occur several times appear once."""
    parts = [mb.explain(root, node, digits=digits) for node in wrt]
    if latex:
        return "\n\n".join(part.latex for part in parts)
    return "\n\n".join(dict.fromkeys(section for part in parts for section in str(part).split("\n\n")))


def derivative(root: Value, node: Value) -> str | None:
    """Return the derivative as a formula on one line; None where the graph is too large."""
    try:
        return str(mb.derivative_formula(root, node))
    except ValueError:
        return None


def check_ending(path: str | None, ending: str) -> None:
    """Raise ValueError for a file name with another ending."""
    if path is not None and not path.lower().endswith(ending):
        raise ValueError(f"--{ending[1:]} {path}: the name of the file has to end in {ending}")


def save(root: Value, path: str) -> Path:
    """Save the graph as a picture or a page, by the ending of `path`, and return the path."""
    return mb.draw(root).save(path)
