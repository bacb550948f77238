"""The oracle: a row's derivatives from its textbook definition at hundreds of digits, sharing no code with its rules.

`exact` states a function as a textbook does; its slope is taken by central differences with a step so small, and
digits so many, that neither rounding nor truncation shows in the first 50 digits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import mpmath

from micrograd_bp.ops.op import Op

SMALLEST_NORMAL = 2.2250738585072014e-308
_STEP = mpmath.mpf(10) ** -160  # at 0 too, what it truncates (its square) is below every normal float


def _digits(args: Sequence[float]) -> int:
    """Enough for f(x + h) - f(x - h) to keep 50: h is 1e-160 of x, and f' may be 1e-308 of f."""
    plain = all(1e-20 <= abs(x) <= 1e20 for x in args if x)
    return 560 if plain else 1200


@functools.cache
def _slope(op: Op, place: int, args: tuple[float, ...]) -> mpmath.mpf:
    with mpmath.workdps(_digits(args)):
        points = [mpmath.mpf(x) for x in args]
        h = _STEP * min([1, *(abs(x) for x in points if x)])  # a tie of two arguments is farther away than that
        h /= max([1, *(abs(x) for x in points)])  # 1**y with y = 1e153 bends within 1e-153
        if _on_edge(op, place, args):
            raise ValueError("the domain ends here")
        above, below = list(points), list(points)
        above[place] += h
        below[place] -= h
        return (op.exact(mpmath, *above) - op.exact(mpmath, *below)) / (2 * h)


def true_slope(op: Op, place: int, args: Sequence[float]) -> mpmath.mpf:
    """d op / d args[place] at args, to 50 digits and more. It is computed once: `exact` is no function of the rules."""
    return _slope(op, place, tuple(args))


def second_slope(op: Op, place: int, other: int, args: Sequence[float]) -> float | None:
    """d2 op / d args[place] d args[other] by differences of differences; None at an end of the domain."""
    if _on_edge(op, place, args) or _on_edge(op, other, args):
        return None
    with mpmath.workdps(200):
        points = [mpmath.mpf(x) for x in args]
        h = mpmath.mpf(10) ** -40

        def value(step: int, other_step: int) -> mpmath.mpf:
            moved = list(points)
            moved[place] += step * h
            moved[other] += other_step * h
            return op.exact(mpmath, *moved)

        return float((value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / (4 * h * h))


def _on_edge(op: Op, place: int, args: Sequence[float]) -> bool:
    near = [math.nextafter(args[place], side) for side in (-math.inf, math.inf)]
    return not all(op.allows([*args[:place], x, *args[place + 1 :]]) for x in near)


def _shifted(args: Sequence[float]) -> list[list[float]]:
    """The arguments with one of them moved by a unit in the last place, towards 0; one list for each of them."""
    return [[*args[:k], math.nextafter(x, 0.0), *args[k + 1 :]] for k, x in enumerate(args)]


def ulp(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.mpf(math.ulp(float(abs(x))))


def excess(op: Op, place: int, args: Sequence[float], computed: float) -> float | None:
    """How many times the row's stated bound the error of a computed local derivative is; None where it makes no claim:
    on a kink, at an end of the domain, where the true slope is no normal float."""
    if any(kink(*args) == 0.0 for kink in op.kinks) or not op.bound.holds(*args):
        return None
    try:
        true = true_slope(op, place, args)
    except ValueError:
        return None
    if true == 0:
        return 0.0 if computed == 0.0 else math.inf
    if not (mpmath.isfinite(true) and SMALLEST_NORMAL <= abs(true) <= 1.7e308):
        return None
    if not math.isfinite(computed):
        return math.inf
    allowed = op.bound.ulps * ulp(true)
    if op.bound.shift:
        for near in _shifted(args):
            allowed += op.bound.shift * abs(true_slope(op, place, near) - true)
    return float(abs(mpmath.mpf(computed) - true) / allowed)


def value_excess(op: Op, args: Sequence[float], computed: float) -> float | None:
    """How many times the row's bound the error of a computed value is; None where the true value is no normal float."""
    if any(x == 0.0 and math.copysign(1.0, x) < 0.0 for x in args):
        return None  # the textbook has no -0
    with mpmath.workdps(_digits(args)):
        true = op.exact(mpmath, *(mpmath.mpf(x) for x in args))
    if not (op.bound.holds(*args) and mpmath.isfinite(true) and SMALLEST_NORMAL <= abs(true) <= 1.7e308):
        return None
    if not math.isfinite(computed):
        return math.inf
    allowed = op.bound.ulps * ulp(true)
    if op.bound.shift:
        with mpmath.workdps(_digits(args)):
            for near in _shifted(args):
                allowed += op.bound.shift * abs(op.exact(mpmath, *(mpmath.mpf(x) for x in near)) - true)
    return float(abs(mpmath.mpf(computed) - true) / allowed)
