"""The slopes of a function along one of its numbers, from ladders of steps of several sizes."""

from __future__ import annotations

import itertools
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


def staircase(f: Line, x: float, output: int, slope: Slope, other: float) -> bool:
    """Whether the function is a staircase, as rounding makes them: `slope` is that of one tread, which ends with a
    jump, and over larger steps the function follows the `other` slope, ten times nearer."""

    def quotient(h: float) -> float:
        return (f(x + h)[output] - f(x - h)[output]) / (2.0 * h)

    tread = min(_tread(f, x, output, slope, sign) for sign in (-1.0, 1.0))
    quotients = [quotient(tread * 4.0**power) for power in range(1, 7)] if math.isfinite(tread) else []
    near = [abs(q - other) < 0.1 * abs(q - slope.value) for q in quotients]
    return any(map(all, itertools.pairwise(near)))


def _tread(f: Line, x: float, output: int, slope: Slope, sign: float) -> float:
    """How far it is, in the direction of `sign`, to a jump by which the function leaves its tangent; inf if none."""
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
    jump, way = abs(f(off)[output] - f(on)[output]), abs(f(x + step)[output] - f(x)[output])
    return abs(off - x) if jump > 0.2 * way else math.inf
