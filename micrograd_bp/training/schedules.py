"""Learning rate schedules: a schedule is a function from the number of steps made to a factor of the learning rate.

`SCHEDULES` maps names to the functions that return a schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "constant", "cosine", "exponential", "linear", "step_decay"]

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """Return the schedule whose factor is always 1.

    >>> constant()(1000)
    1.0
    """
    return _one


def _one(step: int) -> float:
    return 1.0


def step_decay(every: int, factor: float = 0.1) -> Schedule:
    """Return a schedule that multiplies by `factor` after each `every` steps.

    The first tutorial lowers alpha like this near the bottom of the valley.

    >>> [step_decay(2, 0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _check(every >= 1, f"every is at least 1, not {every!r}")
    _check(0.0 < factor <= 1.0, f"factor is above 0, at most 1, not {factor!r}")
    return lambda step: float(factor ** (step // every))


def exponential(factor: float) -> Schedule:
    """Return a schedule that multiplies by `factor` after each step."""
    return step_decay(1, factor)


def cosine(steps: int, lowest: float = 0.0) -> Schedule:
    """Return a schedule from 1 to `lowest` along half a cosine in `steps` steps; afterwards it is `lowest`.

    >>> [round(cosine(4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    _check(steps >= 1, f"steps is at least 1, not {steps!r}")
    _check(0.0 <= lowest <= 1.0, f"lowest is a share from 0 to 1, not {lowest!r}")
    return lambda step: lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / steps))


def linear(steps: int, lowest: float = 0.0) -> Schedule:
    """Return a schedule from 1 to `lowest` along a line in `steps` steps; afterwards it is `lowest`."""
    _check(steps >= 1, f"steps is at least 1, not {steps!r}")
    _check(0.0 <= lowest <= 1.0, f"lowest is a share from 0 to 1, not {lowest!r}")
    return lambda step: lowest + (1.0 - lowest) * (1.0 - min(step, steps) / steps)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    s.__name__: s for s in (constant, step_decay, exponential, cosine, linear)
}
"""The functions that return a schedule, by name."""


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
