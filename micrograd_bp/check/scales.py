"""The slopes of a function along one of its numbers, from ladders of steps of several sizes. Imports differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from micrograd_bp.check.differences import Ladder, Slope

Line = Callable[[float], list[float]]  # all outputs, along one input


def slopes_along(f: Line, x: float, count: int) -> list[Slope]:
    """The slopes of the first `count` outputs at `x`, each by the scale that tells it best."""
    best: list[Slope] = []
    for scale in _scales(x):
        ladder = Ladder(f, x, scale)
        here = [ladder.slope(k) for k in range(count)]
        best = [_better(a, b) for a, b in zip(best, here, strict=True)] if best else here
        if all(_vagueness(slope) <= 1e-8 and slope.kind != "end" for slope in best):
            break
    return best


def slope_along(f: Line, x: float) -> Slope:
    """The slope of the first output at `x`."""
    return slopes_along(f, x, 1)[0]


def _scales(x: float) -> list[float]:
    """Step scales worth trying at x, the most promising first."""
    size = abs(x)
    if size == 0.0:
        return [1.0, 1e-8]
    return [max(size, 1.0), 1e-8 * size] if 0.1 <= size <= 10.0 else [max(size, 1.0), min(size, 1.0), 1e-8 * size]


def _better(one: Slope, other: Slope) -> Slope:
    """The one of two slopes at a point, the second from smaller steps, that is known more exactly."""
    stair = abs(other.value) * other.step < one.noise and math.isfinite(one.value)
    if one.kind == "end" != other.kind:
        best = other  # the domain does not end here, but within the larger steps
    elif stair:
        best = one  # all that the smaller steps saw is one stair of rounding
    else:
        best = min([slope for slope in (one, other) if slope.kind != "unknown"], key=_vagueness, default=one)
    return replace(best, noise=max(one.noise, other.noise))


def _vagueness(slope: Slope) -> float:
    known = math.isfinite(slope.error) and math.isfinite(slope.value)
    return slope.error / max(abs(slope.value), 1e-300) if known else math.inf
