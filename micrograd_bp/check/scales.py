"""The slopes of a function by one input, from ladders of steps at several scales."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

from micrograd_bp.check.differences import Ladder, Slope

Line = Callable[[float], list[float]]  # all outputs, along one input


def slopes_along(f: Line, x: float, count: int) -> list[Slope]:
    """Return the slopes of the first `count` outputs at `x`, each from the scale with the least error."""
    best: list[Slope] = []
    for scale in _scales(x):
        ladder = Ladder(f, x, scale)
        here = [ladder.slope(k) for k in range(count)]
        best = [_better(a, b) for a, b in zip(best, here, strict=True)] if best else here
        if all(_vagueness(slope) <= 1e-8 and slope.kind != "end" for slope in best):
            break
    return best


def slope_along(f: Line, x: float) -> Slope:
    """Return the slope of the first output at `x`."""
    return slopes_along(f, x, 1)[0]


def _scales(x: float) -> list[float]:
    """Return the scales of steps at x, in the order in which they are tried."""
    size = abs(x)
    if size == 0.0:
        return [1.0, 1e-8]
    return [max(size, 1.0), 1e-8 * size] if 0.1 <= size <= 10.0 else [max(size, 1.0), min(size, 1.0), 1e-8 * size]


def _better(one: Slope, other: Slope) -> Slope:
    """Return the more exact of two slopes at a point; `other` is from smaller steps."""
    stair = abs(other.value) * other.step < one.noise and math.isfinite(one.value)
    if one.kind == "end" != other.kind:
        best = other  # the domain ends not here, but within the larger steps
    elif stair:
        best = one  # the smaller steps lie on one tread of a rounded function
    else:
        best = min([slope for slope in (one, other) if slope.kind != "unknown"], key=_vagueness, default=one)
    return replace(best, noise=max(one.noise, other.noise))


def _vagueness(slope: Slope) -> float:
    known = math.isfinite(slope.error) and math.isfinite(slope.value)
    return slope.error / max(abs(slope.value), 1e-300) if known else math.inf


def staircase(f: Line, x: float, output: int, slope: Slope, other: float) -> bool:
    """Return whether the function is a staircase due to rounding.

    That is so where `slope` holds on one tread, which ends with a jump, and over larger steps the quotients are ten
    times nearer to the slope `other`.
    """

    def quotient(h: float) -> float:
        return (f(x + h)[output] - f(x - h)[output]) / (2.0 * h)

    tread = min(_tread(f, x, output, slope, sign) for sign in (-1.0, 1.0))
    quotients = [quotient(tread * 4.0**power) for power in range(1, 7)] if math.isfinite(tread) else []
    near = [abs(q - other) < 0.1 * abs(q - slope.value) for q in quotients]
    return any(map(all, itertools.pairwise(near)))


def _tread(f: Line, x: float, output: int, slope: Slope, sign: float) -> float:
    """Return the distance to a jump away from the tangent in the direction of `sign`, or inf where there is none."""
    center = f(x)[output]

    def strays(there: float) -> bool:
        rise = slope.value * (there - x)
        return not abs(f(there)[output] - center - rise) <= 0.5 * abs(rise)

    step = sign * slope.step
    while not strays(x + step):
        step *= 2.0
        if abs(step) > max(1.0, abs(x)):
            return math.inf
    on, off = x, x + step
    while (middle := 0.5 * (on + off)) not in (on, off):
        on, off = (on, middle) if strays(middle) else (middle, off)
    jump, rise = abs(f(off)[output] - f(on)[output]), abs(f(x + step)[output] - f(x)[output])
    return abs(off - x) if jump > 0.2 * rise else math.inf
