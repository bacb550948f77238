"""The slope of a function of floats from its values alone: extrapolated differences with an error bound.

A ladder of steps, each a quarter of the one before, gives central and one-sided differences. Richardson extrapolation
removes their truncation errors. The scatter of its table and the measured noise of the function bound the remaining
error. Where the slopes of the two sides differ by more than their errors, the function has a kink.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

_EPS = 2.0**-52
_LEVELS = 15  # the smallest step is 1e-9 of the largest
_COLUMNS = 5
_NOISE_POINTS = 8


@dataclass(frozen=True)
class Slope:
    """The slope `value` ± `error`, and the one-sided slopes `left` and `right`.

    `kind` is "smooth", "kink" (the one-sided slopes differ), "jump" (the function jumps; `value` is infinite, or nan
    where only the function's value at the point deviates), "infinite", "end" (the point is an end of the domain, and
    the slope is one-sided) or "unknown" (no difference is reliable). `natural` is the slope of a function that changes
    by its own size over the largest step. `noise` is the rounding noise of the function's values.
    """

    value: float
    error: float
    kind: str = "smooth"
    left: float = math.nan
    right: float = math.nan
    step: float = 0.0
    natural: float = 0.0
    noise: float = 0.0

    @property
    def vague(self) -> bool:
        """Whether neither the leading digits of the slope nor its smallness, relative to `natural`, are certain."""
        return self.error > 1e-3 * abs(self.value) and self.error > 1e-9 * self.natural + 2.0**-1000

    @property
    def useless(self) -> bool:
        """Whether the error is of the size of the slope."""
        return self.error > 0.3 * abs(self.value) and self.error > 1e-3 * self.natural + 1e-200

    def allows(self, slope: float, slack: float) -> bool:
        """Return whether `slope` lies between the one-sided slopes, up to `slack`."""
        low, high = min(self.left, self.right), max(self.left, self.right)
        return low - slack <= slope <= high + slack


@dataclass(frozen=True)
class _Estimate:
    value: float
    error: float
    step: float


_NOTHING = _Estimate(math.nan, math.inf, 0.0)


class Ladder:
    """The values of a function of one float around x, at steps of at most `scale` / 4, for all outputs."""

    def __init__(self, f: Callable[[float], list[float]], x: float, scale: float) -> None:
        self.x = x
        self.center = f(x)
        self.steps: list[float] = []
        self.above: list[tuple[float, list[float]]] = []
        self.below: list[tuple[float, list[float]]] = []
        for level in range(_LEVELS):
            step = 0.25 * scale * 0.25**level
            if not (x - step < x < x + step and math.isfinite(step)):
                break
            self.steps.append(step)
            self.above.append((x + step, f(x + step)))
            self.below.append((x - step, f(x - step)))
        # The distances are fine and coarse, because a rounded function may be constant at fine distances.
        self._beside = [
            [f(x + k * max(apart * scale, 8 * math.ulp(x))) for k in range(1, _NOISE_POINTS)] for apart in (1e-10, 1e-5)
        ]

    def slope(self, output: int) -> Slope:
        """Return the slope of one output."""
        natural = self._size(output) / (4.0 * self.steps[0]) if self.steps else 0.0
        noise = self._noise(output)
        rounding = noise if noise < 1e-6 * abs(self.center[output]) else 0.0
        return replace(self._slope(output), natural=natural, noise=rounding)

    def _slope(self, output: int) -> Slope:
        center = self.center[output]
        noise = self._noise(output)
        above = [(x, out[output]) for x, out in self.above]
        below = [(x, out[output]) for x, out in self.below]
        right = _one_sided(self.x, center, above, self.steps, noise)
        left = _one_sided(self.x, center, below, self.steps, noise)
        both = [
            (up - down) / (x_up - x_down) if math.isfinite(up - down) else math.nan
            for (x_up, up), (x_down, down) in zip(above, below, strict=True)
        ]
        middle = _extrapolate(both, self.steps, _noises(above, below, noise), 16.0)
        sides = {"left": left.value, "right": right.value}
        size = self._size(output)
        if any(
            _jumps(side, self.x, center, noise, size, size / self.steps[0]) for side in (above, below) if self.steps
        ):
            beside = [_beyond(side, self.steps, noise) for side in (below, above)]
            return Slope(_jump_slope(below, above, center), math.inf, "jump", *beside)
        if _differ(left, right):
            return Slope(middle.value, left.error + right.error, "kink", step=right.step, **sides)
        ends = [_ends(side) for side in (above, below)]
        one_sided = any(ends) and not all(ends)
        inner = below if ends[0] else above
        quotients = [_quotients(self.x, center, side) for side in ((inner,) if one_sided else (above, below))]
        if any(_grows(q, self.steps, _noises(inner, inner, noise)) for q in quotients):
            nearest = [next(y for y in reversed(q) if math.isfinite(y)) for q in quotients]
            signs = [math.copysign(math.inf, y) for y in nearest]
            return Slope(max(nearest, key=abs), math.inf, "infinite", left=signs[-1], right=signs[0])
        if one_sided:
            side = left if ends[0] else right
            return Slope(side.value, side.error, "end", side.value, side.value, side.step)
        if not math.isfinite(middle.error):
            return Slope(middle.value, math.inf, "unknown", **sides)
        return Slope(middle.value, middle.error, "smooth", step=middle.step, **sides)

    def _size(self, output: int) -> float:
        sizes = [abs(out[output]) for _, out in (*self.above, *self.below) if math.isfinite(out[output])]
        return max([abs(self.center[output]), *sizes])

    def _noise(self, output: int) -> float:
        """Return the noise of an output, from fourth differences of close neighbours (Moré and Wild 2011)."""
        noise = _EPS * abs(self.center[output]) + 2.0**-1074
        size = self._size(output)
        for beside in self._beside:
            row = [out[output] for out in beside]
            if all(math.isfinite(y) for y in row):
                for _ in range(4):
                    row = [b - a for a, b in itertools.pairwise(row)]
                found = math.sqrt(sum(y * y for y in row) / (70.0 * len(row)))  # 70 = 8! / (4!)²
                if found < 1e-6 * size:  # a larger value is the curvature of the function
                    noise = max(noise, found)
        return max(noise, self._restless(output), self._coarse(output))

    def _restless(self, output: int) -> float:
        """Return the noise of a rounded function, for which f(x + h) + f(x - h) - 2 f(x) does not decrease with h."""
        pairs = list(zip(self.above, self.below, strict=True))[-7:]
        bends = [up[output] + down[output] - 2.0 * self.center[output] for (_, up), (_, down) in pairs]
        changes = [abs(b - a) for a, b in itertools.pairwise(bends)]
        if len(changes) < 6 or not all(map(math.isfinite, changes)):
            return 0.0
        restless = max(changes[3:]) > 0.5 * max(changes[:3])
        return max(changes) if restless and max(changes) < 1e-4 * self._size(output) else 0.0

    def _coarse(self, output: int) -> float:
        """Return the noise of a function that computes in 16 or 32 bits: all its values are numbers of that format."""
        # The ladder is not used: its steps are powers of two, whose powers have few digits.
        values = [out[output] for beside in self._beside for out in beside]
        if all(y == math.floor(y) if math.isfinite(y) else True for y in values):
            return 0.0
        for kind, eps in (("e", 2.0**-10), ("f", 2.0**-23)):
            if all(_is_of(kind, y) for y in values):
                return 4.0 * eps * self._size(output)
        return 0.0


def _is_of(kind: str, y: float) -> bool:
    """Return whether a number is exact in a format of `struct`."""
    try:
        return math.isnan(y) or struct.unpack(kind, struct.pack(kind, y))[0] == y
    except OverflowError:
        return False


def _noises(above: list[tuple[float, float]], below: list[tuple[float, float]], noise: float) -> list[float]:
    return [noise + _EPS * max(abs(up), abs(down)) for (_, up), (_, down) in zip(above, below, strict=True)]


def _quotients(x: float, center: float, side: list[tuple[float, float]]) -> list[float]:
    return [(y - center) / (there - x) if math.isfinite(y - center) else math.nan for there, y in side]


def _one_sided(x: float, center: float, side: list[tuple[float, float]], steps: list[float], noise: float) -> _Estimate:
    return _extrapolate(_quotients(x, center, side), steps, [2.0 * n for n in _noises(side, side, noise)], 4.0)


def _jump_slope(below: list[tuple[float, float]], above: list[tuple[float, float]], center: float) -> float:
    """Return an infinite slope in the direction of a jump; nan where the function jumps up and down."""
    rises = [center - below[-1][1], above[-1][1] - center]
    signs = {math.copysign(math.inf, rise) for rise in rises if abs(rise) > 0.5 * max(map(abs, rises))}
    return signs.pop() if len(signs) == 1 else math.nan


def _beyond(side: list[tuple[float, float]], steps: list[float], noise: float) -> float:
    """Return the one-sided slope beside a jump, without the function's value at the point."""
    quotients = [(far - near) / (x - nearer) for (x, far), (nearer, near) in itertools.pairwise(side)]
    return _extrapolate(quotients, steps[1:], [2.0 * n for n in _noises(side, side, noise)][1:], 4.0).value


def _extrapolate(quotients: list[float], steps: list[float], noises: list[float], ratio: float) -> _Estimate:
    """Return the best entry of the Richardson table of quotients whose error decreases by `ratio` at each step."""
    best = _NOTHING
    before: list[float] = []
    for level, (quotient, step, noise) in enumerate(zip(quotients, steps, noises, strict=True)):
        if not math.isfinite(quotient):
            before = []
            continue
        row = [quotient]
        for column in range(1, min(len(before), _COLUMNS - 1) + 1):
            row.append(row[-1] + (row[-1] - before[column - 1]) / (ratio**column - 1.0))
            scatter = max(abs(row[-1] - row[-2]), abs(row[-1] - before[column - 1]))
            error = scatter + 2.0 * noise / step
            if error < best.error and _settles(row[-1], error, level, quotients, steps, noises):
                best = _Estimate(row[-1], error, step)
        before = row
    return best


def _settles(
    value: float, error: float, level: int, quotients: list[float], steps: list[float], noises: list[float]
) -> bool:
    """Return whether the quotients of smaller steps agree with `value` up to noise, which excludes chance agreement."""
    reach = 2.0 * max(abs(quotients[level] - value), error)
    return all(
        abs(quotient - value) <= reach + 8.0 * noise / step
        for quotient, step, noise in zip(quotients[level + 1 :], steps[level + 1 :], noises[level + 1 :], strict=True)
    )


def _differ(left: _Estimate, right: _Estimate) -> bool:
    if not (math.isfinite(left.error) and math.isfinite(right.error)):
        return False
    return abs(left.value - right.value) > 30.0 * (left.error + right.error) + 1e-6 * max(
        abs(left.value), abs(right.value)
    )


def _jumps(side: list[tuple[float, float]], x: float, center: float, noise: float, size: float, natural: float) -> bool:
    """Return whether the function stays away from its value at x for all small steps, by more than a steep slope."""
    away = [abs(y - center) for _, y in side[-4:]]
    if len(away) < 4 or not all(math.isfinite(y) for y in away):
        return False
    far = away[-1] > 1e3 * natural * abs(side[-1][0] - x) and away[-1] > min(1e3 * noise, 8.0 * noise + 0.1 * size)
    return far and all(b > 0.9 * a for a, b in itertools.pairwise(away))


def _grows(quotients: list[float], steps: list[float], noises: list[float]) -> bool:
    """Return whether the quotients diverge for small steps: their changes above the noise do not decrease."""
    changes: list[float] = []
    for i in range(1, len(quotients)):
        change = quotients[i] - quotients[i - 1]
        if not abs(change) > 20.0 * noises[i] / steps[i]:
            break
        changes.append(change)
    last = changes[-5:]
    return len(changes) >= 7 and all(b / a > 0.7 for a, b in itertools.pairwise(last))


def _ends(side: list[tuple[float, float]]) -> bool:
    """Return whether the function has no finite value at the smallest steps of this side."""
    return not any(math.isfinite(y) for _, y in side[-4:])
