"""Learning rates that change: a schedule gives the factor on the learning rate after so many steps.

`SCHEDULES` has the functions that make one by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "constant", "cosine", "exponential", "linear", "step_decay"]

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """A schedule whose factor is always 1: the learning rate stays as it is.

    >>> constant()(1000)
    1.0
    """
    return _one


def _one(step: int) -> float:
    return 1.0


def step_decay(every: int, factor: float = 0.1) -> Schedule:
    """Times `factor` after each `every` steps: the first tutorial's smaller alpha near the valley bottom.

    >>> [step_decay(2, 0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _check(every >= 1, f"every is at least 1, not {every!r}")
    _check(0.0 < factor <= 1.0, f"factor is above 0, at most 1, not {factor!r}")
    return lambda step: float(factor ** (step // every))


def exponential(factor: float) -> Schedule:
    """Times `factor` after each step."""
    return step_decay(1, factor)


def cosine(steps: int, lowest: float = 0.0) -> Schedule:
    """From 1 to `lowest` along half a cosine in so many steps, then `lowest`.

    >>> [round(cosine(4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    _check(steps >= 1, f"steps is at least 1, not {steps!r}")
    _check(0.0 <= lowest <= 1.0, f"lowest is a share from 0 to 1, not {lowest!r}")
    return lambda step: lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / steps))


def linear(steps: int, lowest: float = 0.0) -> Schedule:
    """From 1 to `lowest` along a line in so many steps, then `lowest`."""
    _check(steps >= 1, f"steps is at least 1, not {steps!r}")
    _check(0.0 <= lowest <= 1.0, f"lowest is a share from 0 to 1, not {lowest!r}")
    return lambda step: lowest + (1.0 - lowest) * (1.0 - min(step, steps) / steps)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    s.__name__: s for s in (constant, step_decay, exponential, cosine, linear)
}
"""The schedules by name."""


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
