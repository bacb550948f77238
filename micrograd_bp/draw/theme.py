"""Colours: plain attributes for the light scheme, so that every SVG renderer shows it, and a style for the dark one.

Tints are translucent, so that text on them is legible on both. Imports nothing of the package.
"""

from __future__ import annotations

import math

FONT = "Helvetica,Arial,sans-serif"
CARD, INK, FAINT, RULE, EDGE = "#ffffff", "#1b1f24", "#5f6670", "#8a919b", "#50565e"
POSITIVE, NEGATIVE = "#e58e2e", "#3c88c8"

_OURS = ".micrograd_bp"  # the style stays within the picture, also where a page holds it

_DARK = {CARD: "#22272e", INK: "#eceff3", FAINT: "#a9b1bb", RULE: "#6d7681", EDGE: "#aab2bd"}
_DARK |= {POSITIVE: "#a8651c", NEGATIVE: "#2f6ea6"}  # so that the text on the strongest tint stays legible


def strength(x: float, largest: float) -> float:
    """|x| relative to the largest gradient, from 0 to 1; 1 where x is not finite."""
    if not math.isfinite(x):
        return 1.0
    return min(1.0, abs(x) / largest) if largest else 0.0


def tint(grad: float, largest: float) -> str:
    """The colour of a gradient: its sign as the hue, its strength as the opacity; grey for nan."""
    if math.isnan(grad):
        return f"{RULE}66"
    opacity = 0.12 + 0.68 * strength(grad, largest) if grad != 0.0 else 0.0
    return f"{POSITIVE if grad > 0.0 else NEGATIVE}{round(255 * opacity):02x}"


def with_dark_scheme(svg: str) -> str:
    """`svg` with a style that recolours it where the reader's system asks for dark."""
    rules = "".join(
        f'{_OURS} [fill="{light}"]{{fill:{dark}}}{_OURS} [stroke="{light}"]{{stroke:{dark}}}'
        for light, dark in _DARK.items()
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    start = svg.index("<svg")
    svg = f'{svg[:start]}<svg class="{_OURS[1:]}"{svg[start + 4 :]}'
    opening = svg.index(">", start) + 1
    return f"{svg[:opening]}\n{style}{svg[opening:]}"
