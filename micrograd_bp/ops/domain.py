"""`Interval`, from which the domain of an operation is built, and `Bound`, the error bound of its local derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable


class Interval:
    """The real numbers from `low` to `high`, without an end that is `open_low` or `open_high`; or all integers.

    An interval contains nan, and it contains an infinity that is a closed end.

    >>> Interval(0.0, math.inf, open_low=True)
    (0, inf)
    >>> [Interval(-1.0, 1.0).holds(x) for x in (-1.0, 1.5, math.nan)]
    [True, False, True]
    """

    def __init__(
        self,
        low: float = -math.inf,
        high: float = math.inf,
        open_low: bool = False,
        open_high: bool = False,
        integer: bool = False,
    ) -> None:
        self.low = low
        self.high = high
        self.open_low = open_low
        self.open_high = open_high
        self.integer = integer

    def holds(self, x: float) -> bool:
        """Return whether the interval contains the float `x`; every interval contains nan.

        >>> Interval(0.0, 1.0, open_low=True).holds(0.0)
        False
        """
        if not self.low <= x <= self.high and x == x:
            return False
        if (self.open_low and x == self.low) or (self.open_high and x == self.high):
            return False
        return not self.integer or x - x != 0.0 or x == math.floor(x)

    def __repr__(self) -> str:
        if self.integer:
            return "the integers"
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.open_high or self.high == math.inf else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


REAL = Interval()
POSITIVE = Interval(0.0, math.inf, open_low=True)
NONNEGATIVE = Interval(0.0, math.inf)
NEGATIVE = Interval(-math.inf, 0.0, open_high=True)


def _everywhere(*args: float) -> bool:
    return True


class Bound:
    """The error bound of a local derivative.

    Where `holds(*args)` is true, the computed derivative is within `ulps` units in the last place of the true
    derivative at a point within `shift` units in the last place of the arguments. The default is 4 ulp everywhere;
    `why` gives the reason for another bound.
    """

    def __init__(
        self, ulps: float = 4.0, shift: float = 0.0, holds: Callable[..., bool] = _everywhere, why: str = ""
    ) -> None:
        self.ulps = ulps
        self.shift = shift
        self.holds = holds
        self.why = why

    def __repr__(self) -> str:
        shift = f" after a shift of {self.shift:g} ulp" if self.shift else ""
        return f"{self.ulps:g} ulp{shift}" + (f": {self.why}" if self.why else "")
