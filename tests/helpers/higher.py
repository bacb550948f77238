"""The oracle of higher derivatives: central differences of a textbook definition, at a thousand digits."""

import functools
import math
from typing import NamedTuple

import mpmath

from micrograd_bp.ops.op import Op

SMALLEST_NORMAL, LARGEST = 2.2250738585072014e-308, 1.7976931348623157e308
_STENCILS = ((1,), (-1, 0, 1), (1, -2, 1), (-1, 2, 0, -2, 1), (1, -4, 6, -4, 1))  # times h**order; twice that where odd


class Slice(NamedTuple):
    """An operation as a function of its argument `index`; the others are the numbers `others`."""

    op: Op
    index: int = 0
    others: tuple[float, ...] = ()

    def args(self, x):
        return [*self.others[: self.index], x, *self.others[self.index :]]

    def __call__(self, x):
        return self.op(*self.args(x))

    def exact(self, x):
        return self.op.exact(mpmath, *[mpmath.mpf(y) for y in self.args(x)])

    def allows(self, x):
        return self.op.allows(self.args(x))

    def on_kink(self, x):
        return any(kink(*self.args(x)) == 0.0 != kink(*self.args(x + 0.5)) for kink in self.op.kinks)

    def __str__(self):
        return f"{self.op.name}({', '.join([*[f'{y:g}' if isinstance(y, float) else y for y in self.args('x')]])})"


def one_argument(op):
    """The operation as a function of its first argument, the others at their defaults."""
    return Slice(op, 0, op.defaults)


@functools.cache
def exact_derivatives(f, x, side=0, distance=200):
    """The derivatives of order 0 to 4 of a Slice at x, to 50 digits.

    With `side`, they are those beside x, above (1) or below (-1), at a distance of 10**-`distance`; where x is
    infinite, those at 10**`distance` and its negative.
    """
    plain = not side and (x == 0.0 or 1e-20 < abs(x) < 1e20)
    with mpmath.workdps(1100 if plain else 3000):
        point, h = mpmath.mpf(x), mpmath.mpf(10) ** -160
        if math.isinf(x):
            point, h = side * mpmath.mpf(10) ** distance, mpmath.mpf(1)
        elif side:
            point, h = point + side * mpmath.mpf(10) ** -distance, h * mpmath.mpf(10) ** -distance
        elif x:
            h *= min(1, abs(point))
        found = []
        for order, stencil in enumerate(_STENCILS):
            half = len(stencil) // 2
            values = [c * f.exact(point + (k - half) * h) for k, c in enumerate(stencil) if c]
            found.append(mpmath.fsum(values) / h**order / (2 if order in (1, 3) else 1))
    return found


def excess(f, x, order, computed, bound):
    """How many times the bound the error is; None where the true derivative, or one below it, is no normal float."""
    true = exact_derivatives(f, x)
    if not all(SMALLEST_NORMAL <= abs(d) <= LARGEST for d in true[1 : order + 1]):
        return None
    if not math.isfinite(computed):
        return math.inf
    return float(abs(computed - true[order]) / allowed(true, x, order, bound))


def allowed(true, x, order, bound, wider=1.0):
    """The error that the bound allows for a derivative, given the true derivatives."""
    return wider * (bound.ulps * math.ulp(float(true[order])) + bound.shift * abs(true[order + 1]) * math.ulp(x))
