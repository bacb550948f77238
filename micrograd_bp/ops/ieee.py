"""Float functions that never raise: where Python's `math` raises, these return nan or an infinity, as IEEE 754 does.

They are accurate for extreme arguments: no intermediate result overflows or cancels where the result is finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable

INF = math.inf
NAN = math.nan
SQRT_HALF = math.sqrt(0.5)
LOG_2 = math.log(2.0)


def _or_nan(fn: Callable[[float], float]) -> Callable[[float], float]:
    """Return `fn` with nan where it raises ValueError: outside its domain, or at infinity for sin, cos and tan."""

    def total(x: float) -> float:
        try:
            return fn(x)
        except ValueError:
            return NAN

    return total


sqrt = _or_nan(math.sqrt)
sin = _or_nan(math.sin)
cos = _or_nan(math.cos)
tan = _or_nan(math.tan)
asin = _or_nan(math.asin)
acos = _or_nan(math.acos)
acosh = _or_nan(math.acosh)


def div(x: float, y: float) -> float:
    if y != 0.0:
        return x / y
    if x == 0.0 or x != x or y != y:
        return NAN
    return math.copysign(INF, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """Return x**y. x² is computed as x·x, rounded once; the C library's pow differs from that for one x in 1,200."""
    if y == 2.0:
        return x * x
    try:
        return math.pow(x, y)
    except OverflowError:
        return -INF if x < 0.0 and math.fmod(y, 2.0) != 0.0 else INF
    except ValueError:  # a negative base with a fractional exponent, or a negative power of zero
        if x != 0.0:
            return NAN
        return math.copysign(INF, x) if math.fabs(math.fmod(y, 2.0)) == 1.0 else INF


def one_minus_square(x: float) -> float:
    """Return 1 - x², which keeps its digits near ±1."""
    return (1.0 - x) * (1.0 + x)


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def gaussian(x: float) -> float:
    return math.exp(-x * x)


def expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return INF


def sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(INF, x)


def cosh(x: float) -> float:
    try:
        return math.cosh(x)
    except OverflowError:
        return INF


def _log_or_pole(fn: Callable[[float], float], pole: float) -> Callable[[float], float]:
    def total(x: float) -> float:
        try:
            return fn(x)
        except ValueError:
            return -INF if x == pole else NAN

    return total


log = _log_or_pole(math.log, 0.0)
log2 = _log_or_pole(math.log2, 0.0)
log10 = _log_or_pole(math.log10, 0.0)
log1p = _log_or_pole(math.log1p, -1.0)


def logaddexp(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y)). Equal arguments may be infinite, and their difference is then nan."""
    if x == y:
        return x + LOG_2
    return (x if x > y or x != x else y) + math.log1p(math.exp(-math.fabs(x - y)))


def atanh(x: float) -> float:
    try:
        return math.atanh(x)
    except ValueError:
        return math.copysign(INF, x) if math.fabs(x) == 1.0 else NAN


def cbrt(x: float) -> float:
    """Return the cube root within 1 ulp: one Newton step improves the C library's root, which may be off by 4 ulp."""
    root = math.cbrt(x)
    if root == 0.0 or root - root != 0.0:
        return root
    return root - (root - (x / root) / root) / 3.0


def sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


def softplus(x: float) -> float:
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


def log_sigmoid(x: float) -> float:
    return -softplus(-x)


def logistic_density(x: float) -> float:
    """Return sigmoid(x) · sigmoid(-x), the derivative of the sigmoid."""
    small = math.exp(-math.fabs(x))
    return small / ((1.0 + small) * (1.0 + small))


def relu(x: float) -> float:
    return x if x > 0.0 or x != x else 0.0


def leaky_relu(x: float, slope: float) -> float:
    return x if x > 0.0 else slope * x


def elu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(x)


def gelu(x: float) -> float:
    """Return x times the normal distribution function. It uses erfc, because `0.5 (1 + erf)` cancels for x < 0."""
    return 0.5 * x * math.erfc(-x * SQRT_HALF) if x != -INF else 0.0


def silu(x: float) -> float:
    return x * sigmoid(x) if x != -INF else 0.0


def sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x - x


def step(x: float) -> float:
    return 1.0 if x > 0.0 else 0.0 if x == x else NAN


def less(x: float, y: float) -> float:
    return 1.0 if x < y else 0.0 if x >= y else NAN


def exceeds(x: float, y: float) -> float:
    return 1.0 if x > y else 0.0 if x <= y else NAN


def maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def clip(x: float, low: float, high: float) -> float:
    return minimum(maximum(x, low), high)


def where(condition: float, x: float, y: float) -> float:
    return x if condition != 0.0 else y
