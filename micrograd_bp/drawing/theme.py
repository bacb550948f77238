"""Colours. The light scheme uses plain attributes, which every SVG renderer shows; the dark one is a style sheet.

Tints are translucent, so that text on them is legible in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from micrograd_bp.engine import Value

FONT = "Helvetica,Arial,sans-serif"
CARD, INK, FAINT, RULE, EDGE = "#ffffff", "#1b1f24", "#5f6670", "#8a919b", "#50565e"
FRAME, FRAME_RULE = "#f3f4f9", "#c9cedd"  # around a group of cards
POSITIVE, NEGATIVE = "#e58e2e", "#3c88c8"
MAGNITUDE = "#8b6fc4"  # for numbers without a sign

_OURS = ".micrograd_bp"  # keeps the style inside the picture when it is part of a page

_DARK = {CARD: "#22272e", INK: "#eceff3", FAINT: "#a9b1bb", RULE: "#6d7681", EDGE: "#aab2bd"}
_DARK |= {FRAME: "#171b21", FRAME_RULE: "#3a424d"}
_TINTS = {POSITIVE: "#a8651c", NEGATIVE: "#2f6ea6", MAGNITUDE: "#6d54a3"}  # darker, so that text on them stays legible


def largest(nodes: Iterable[Value]) -> float:
    """Return the largest |gradient| of the nodes that is finite, 0.0 without any."""
    return max((abs(node.grad) for node in nodes if node.has_grad and math.isfinite(node.grad)), default=0.0)


def strength(x: float, largest: float) -> float:
    """Return |x| / largest, at most 1; it is 1 where x is not finite."""
    if not math.isfinite(x):
        return 1.0
    return min(1.0, abs(x) / largest) if largest else 0.0


def tint(grad: float, largest: float) -> str:
    """Return the colour of a gradient: the sign sets the hue, the strength the opacity; nan is grey."""
    if math.isnan(grad):
        return f"{RULE}66"
    return _faded(POSITIVE if grad > 0.0 else NEGATIVE, grad, largest)


def magnitude(x: float, largest: float) -> str:
    """Return the colour of a number without a sign."""
    return f"{RULE}66" if math.isnan(x) else _faded(MAGNITUDE, x, largest)


def _faded(colour: str, x: float, largest: float) -> str:
    opacity = 0.12 + 0.68 * strength(x, largest) if x != 0.0 else 0.0
    return f"{colour}{round(255 * opacity):02x}"


def with_dark_scheme(svg: str) -> str:
    """Return `svg` with a style that recolours it where the reader's system prefers a dark scheme."""
    rules = ""
    for light, dark in _TINTS.items():  # only fills change; lines keep these colours
        rules += f'{_OURS} [fill="{light}"][fill-opacity]{{fill:{dark}}}'
    for light, dark in _DARK.items():
        rules += f'{_OURS} [fill="{light}"]{{fill:{dark}}}{_OURS} [stroke="{light}"]{{stroke:{dark}}}'
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    start = svg.index("<svg")
    svg = f'{svg[:start]}<svg class="{_OURS[1:]}"{svg[start + 4 :]}'
    opening = svg.index(">", start) + 1
    return f"{svg[:opening]}\n{style}{svg[opening:]}"
