"""`arrange` computes the positions of the page's cards and lines with Graphviz."""

from __future__ import annotations

import shlex
import unicodedata
from typing import Any, NamedTuple

from micrograd_bp.drawing import graphviz
from micrograd_bp.engine import Value

HEIGHT, LETTER = 66.0, 7.4  # points: the height of a card and the width of a letter
CAPTION = 50.0  # points beside a card's number, for "grad" and margins
CONSTANT_HEIGHT = 24.0


class Arrangement(NamedTuple):
    """Sizes and positions in points from the top left corner.

    `boxes`  the cards and constants as [x, y, width, height] with (x, y) the centre
    `lines`  "points", the points of cubic Bézier curves, and "at", the position of the text
    """

    width: float
    height: float
    boxes: dict[str, list[float]]
    lines: dict[str, dict[str, Any]]


def arrange(order: list[Value], headings: list[str], small: dict[str, str], direction: str, digits: int) -> Arrangement:
    """Return the layout of a graph with one card per value.

    A card is wide enough for its heading and for any number with `digits` digits. `small` has the arguments that get a
    small box with a text, since they are constants or their cards are too far away; the key of argument 1 of value 3 is
    "3_1".
    """
    widest = "−0.0" + "0" * digits
    index = {node: i for i, node in enumerate(order)}
    text = [
        f"digraph {{ graph [rankdir={direction} nodesep=0.22 ranksep=0.3]",
        f'node [shape=box fixedsize=true label=""] edge [dir=none fontsize=11 label="{widest}"]',
    ]
    for i, heading in enumerate(headings):
        width = max(LETTER * len(widest) + CAPTION, LETTER * columns(heading) + 22)
        text.append(f"{i} [width={width / 72:.3f} height={HEIGHT / 72:.3f}]")
    for key, shown in small.items():
        width = max(28.0, LETTER * columns(shown) + 16)
        text.append(f'"{key}" [width={width / 72:.3f} height={CONSTANT_HEIGHT / 72:.3f}]')
    for i, node in enumerate(order):
        for argument, arg in enumerate(node.args):
            key = f"{i}_{argument}"
            tail = f'"{key}"' if key in small else index[arg] if isinstance(arg, Value) else ""
            text.append(f"{tail} -> {i}" + ("" if isinstance(arg, Value) else ' [label=""]'))
    return _read(graphviz.render("\n".join([*text, "}"]), "plain").decode(), order, index, small)


def columns(text: str) -> int:
    """Return the width of a text in letters."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _read(plain: str, order: list[Value], index: dict[Value, int], small: dict[str, str]) -> Arrangement:
    waiting: dict[tuple[str, str], list[str]] = {}  # Graphviz returns parallel lines in the order of its input
    for i, node in enumerate(order):
        for argument, arg in enumerate(node.args):
            key = f"{i}_{argument}"
            tail = str(index[arg]) if isinstance(arg, Value) and key not in small else key
            waiting.setdefault((tail, str(i)), []).append(key)
    width = height = 0.0
    boxes: dict[str, list[float]] = {}
    lines: dict[str, dict[str, Any]] = {}
    for text in plain.replace("\\\n", "").splitlines():
        kind, *words = shlex.split(text)
        if kind == "graph":
            width, height = float(words[1]) * 72, float(words[2]) * 72
        elif kind == "node":
            x, y, w, h = (float(word) * 72 for word in words[1:5])
            boxes[words[0]] = [round(v, 1) for v in (x, height - y, w, h)]
        elif kind == "edge":
            count = int(words[2])
            numbers = [float(word) * 72 for word in words[3 : 3 + 2 * count]]
            points = [[round(x, 1), round(height - y, 1)] for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            rest = words[3 + 2 * count :]
            line: dict[str, Any] = {"points": points}
            if len(rest) > 4:  # label, its x and y, style, colour
                line["at"] = [round(float(rest[1]) * 72, 1), round(height - float(rest[2]) * 72, 1)]
            lines[waiting[words[0], words[1]].pop(0)] = line
    return Arrangement(width, height, boxes, lines)
