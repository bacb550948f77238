"""The oracle: numbers of 60 digits that carry exact Taylor coefficients, written from the textbook.

It shares no code and no structure with the package. A number is a polynomial in small symbols, one for each derivative
that is taken: `{exponents: coefficient}`. A derivative of any order, nested in any other, is a coefficient of the
result, so there are no levels that could be confused and no rules of reverse mode. A function of one argument is given
by its Taylor coefficients at a point (`SERIES`), a function of two by functions of one.

`NAMES` stands in for the package in a program. A function that is not defined at its argument raises `Outside`. Where a
function has a corner or a jump, a kink is noted, and a convention followed. Where a derivative is infinite or does not
exist, an edge is noted, and the coefficient is nan. An edge is also noted where that is so but nothing arrives that is
differentiated, as for the square root or a corner at x - x: nan is not wrong there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import mpmath

DIGITS = 60
BITS = 4  # of an exponent
CANCELLED = 1e-45  # a number that is compared with 0, and that is 0 but for the oracle's own rounding
NOISE = 1e-13  # the relative size of the errors that show how well a program is conditioned

M = mpmath.MPContext()
M.dps = DIGITS
ZERO, ONE, NAN = M.mpf(0), M.mpf(1), M.nan
MANY_DIGITS = 700  # where terms of 1 cancel to 1e-300
with M.workdps(MANY_DIGITS):
    TWO_OVER_SQRT_PI = 2 / M.sqrt(M.pi)
    SQRT_HALF = M.sqrt(M.mpf(1) / 2)
    LN2, LN10 = M.log(2), M.log(10)
FACTORIAL = [math.factorial(k) for k in range(12)]


class Outside(ValueError):
    """A function is not defined at its argument."""

    constant = False  # whether nothing that is differentiated arrives there


class Singular(ArithmeticError):
    """A derivative that does not exist is needed as a number."""


class Beyond(ArithmeticError):
    """A number is too large for the oracle, or infinite, or nan."""


class Run:
    """One evaluation: the symbols in use, what was noted, and whether errors are added."""

    def __init__(self, noise: random.Random | None = None, watch: bool = False, snap: bool = False) -> None:
        self.most: list[int] = []  # by symbol, the largest exponent that is kept
        self.fits: dict[int, bool] = {}
        self.notes: set[str] = set()
        self.noise = noise
        self.watch = watch  # for numbers that leave the floats
        self.snap = snap  # what is 0 but for rounding to 0, where it decides

    def symbol(self, most: int) -> int:
        """Return the exponents of a new symbol."""
        self.most.append(most)
        return 1 << BITS * (len(self.most) - 1)

    def keeps(self, exponents: int) -> bool:
        found = self.fits.get(exponents)
        if found is None:
            found = all((exponents >> BITS * k) & 15 <= most for k, most in enumerate(self.most))
            self.fits[exponents] = found
        return found


run = Run()


class Exact:
    """A number: `terms` maps exponents to coefficients; those of exponents 0 is the value."""

    __slots__ = ("terms",)

    def __init__(self, terms: dict[int, Any]) -> None:
        if run.noise is not None:
            gauss = run.noise.gauss
            terms = {k: v * (1 + NOISE * gauss(0.0, 1.0)) for k, v in terms.items()}
        if run.watch and any(v and not 1e-280 < abs(v) < 1e280 for v in terms.values()):
            run.notes.add("range")
        if run.watch and any(v and not 1e-90 < abs(v) < 1e90 for v in terms.values()):
            run.notes.add("third power out of range")
        self.terms = terms

    @property
    def value(self) -> Any:
        return self.terms[0]

    @property
    def data(self) -> Any:
        return self.terms[0]

    @property
    def varies(self) -> bool:
        return len(self.terms) > 1

    def __add__(self, other: Any) -> Exact:
        other = exact(other)
        terms = dict(self.terms)
        for k, v in other.terms.items():
            terms[k] = terms[k] + v if k in terms else v
        return Exact(terms)

    __radd__ = __add__

    def __neg__(self) -> Exact:
        return Exact({k: -v for k, v in self.terms.items()})

    def __sub__(self, other: Any) -> Exact:
        return self + -exact(other)

    def __rsub__(self, other: Any) -> Exact:
        return exact(other) + -self

    def __mul__(self, other: Any) -> Exact:
        return Exact(multiplied(self.terms, exact(other).terms))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Exact:
        return self * through("reciprocal", other)

    def __rtruediv__(self, other: Any) -> Exact:
        return exact(other) * through("reciprocal", self)

    def __pow__(self, other: Any) -> Exact:
        return power(self, other)

    def __rpow__(self, other: Any) -> Exact:
        return power(other, self)

    def __abs__(self) -> Exact:
        return absolute(self)

    def __lt__(self, other: Any) -> bool:
        return _side(self - other) < 0

    def __gt__(self, other: Any) -> bool:
        return _side(self - other) > 0

    def __bool__(self) -> bool:
        return _side(self) != 0


def exact(x: Any) -> Exact:
    """Return a number of any kind as an exact one."""
    if type(x) is Exact:
        return x
    number = M.mpf(x)
    if not M.isfinite(number):
        raise Beyond(str(x))
    made = Exact.__new__(Exact)
    made.terms = {0: number}
    return made


def multiplied(a: dict[int, Any], b: dict[int, Any]) -> dict[int, Any]:
    fits, keeps, noise = run.fits, run.keeps, run.noise
    terms = {0: ZERO} if 0 in a and 0 in b else {}
    for i, x in a.items():
        for j, y in b.items():
            k = i + j
            if fits[k] if k in fits else keeps(k):
                amount = x * y
                if noise is not None:
                    amount *= 1 + NOISE * noise.gauss(0.0, 1.0)
                if k in terms:
                    terms[k] += amount
                elif amount:
                    terms[k] = amount
    return terms


def composed(x: Exact, coefficients: Callable[[Any, int], list[Any]]) -> Exact:
    """Return the function with the Taylor coefficients `coefficients(value, order)`, of x."""
    rest = {k: v for k, v in x.terms.items() if k and v}
    powers = []
    nth = rest
    while nth:
        powers.append(nth)
        nth = multiplied(nth, rest)
    if x.terms[0] != x.terms[0]:
        raise Singular  # a derivative that does not exist is the argument of a function
    try:
        series = coefficients(x.terms[0], len(powers))
    except Outside as error:
        error.constant = not powers
        raise
    terms = {0: series[0]}
    for c, nth in zip(series[1:], powers, strict=True):
        for k, v in nth.items():
            terms[k] = terms[k] + c * v if k in terms else c * v
    return Exact(terms)


# --- Taylor coefficients of functions of one argument -----------------------------------------------------------------


def singular(value: Any, order: int) -> list[Any]:
    """Return the coefficients of a function with a value and no derivatives."""
    run.notes.add("edge")
    return [value, *[NAN] * order]


def _product(a: Sequence[Any], b: Sequence[Any], n: int) -> list[Any]:
    return [sum((a[i] * b[k - i] for i in range(k + 1) if i < len(a) and k - i < len(b)), ZERO) for k in range(n + 1)]


def _integral(start: Any, slope: Sequence[Any], n: int) -> list[Any]:
    return [start, *(slope[k] / (k + 1) for k in range(n))]


def _exp_of(a: Sequence[Any], n: int) -> list[Any]:
    """exp of a series."""
    a = [*a, *[ZERO] * n]
    out = [M.exp(a[0])]
    for k in range(1, n + 1):
        out.append(sum((j * a[j] * out[k - j] for j in range(1, k + 1)), ZERO) / k)
    return out


def _power_of(a: Sequence[Any], p: Any, n: int) -> list[Any]:
    """The power p of a series that does not begin with 0."""
    a = [*a, *[ZERO] * n]
    out = [M.power(a[0], p)]
    for k in range(1, n + 1):
        out.append(sum(((p * j - (k - j)) * a[j] * out[k - j] for j in range(1, k + 1)), ZERO) / (k * a[0]))
    return out


def _scaled(a: Sequence[Any], factor: Any) -> list[Any]:
    return [factor * x for x in a]


def _exp(a: Any, n: int) -> list[Any]:
    if abs(a) > 5000:
        raise Beyond("exp")
    e = M.exp(a)
    return [e / FACTORIAL[k] for k in range(n + 1)]


def _log(a: Any, n: int) -> list[Any]:
    if a <= 0:
        raise Outside("log")
    return [M.log(a), *(-((-1 / a) ** k) / k for k in range(1, n + 1))]


def _log1p(a: Any, n: int) -> list[Any]:
    rest = _log(1 + a, n)[1:]
    return [M.log1p(a), *rest]


def _power(a: Any, p: Any, n: int) -> list[Any]:
    """The coefficients of x**p for a constant p."""
    if a == 0:
        if p < 0:
            raise Outside("pow")
        whole = p == int(p)
        if not whole and n > p:
            return [*singular(ZERO, 0), *[ZERO if k < p else NAN for k in range(1, n + 1)]]
        return [ONE if whole and k == p else ZERO for k in range(n + 1)]
    if abs(a) < 1e-90:
        run.notes.add("third power out of range")  # also where p is 0 and no coefficient shows it
    if a < 0 and p != int(p):
        raise Outside("pow")
    out = [M.power(a, p)]
    for k in range(1, n + 1):
        out.append(out[-1] * (p - (k - 1)) / (k * a))
    return out


def _root(degree: int) -> Callable[[Any, int], list[Any]]:
    def coefficients(a: Any, n: int) -> list[Any]:
        if a == 0:
            return singular(ZERO, n)
        if abs(a) < 1e-40:  # it may be what is left of terms that cancel
            run.notes.add("edge")
        if a < 0 and degree == 2:
            raise Outside("sqrt")
        out = [M.sign(a) * M.root(abs(a), degree)]
        for k in range(1, n + 1):
            out.append(out[-1] * (M.mpf(1) / degree - k + 1) / (k * a))
        return out

    return coefficients


def _circle(values: Sequence[Any], n: int) -> list[Any]:
    return [values[k % 4] / FACTORIAL[k] for k in range(n + 1)]


def _sin_and_cos(a: Any) -> tuple[Any, Any]:
    if abs(a) > 1e308:  # an argument of 10**100000 would need as many digits of pi
        raise Beyond("sin")
    return M.sin(a), M.cos(a)


def _sin(a: Any, n: int) -> list[Any]:
    s, c = _sin_and_cos(a)
    return _circle((s, c, -s, -c), n)


def _cos(a: Any, n: int) -> list[Any]:
    s, c = _sin_and_cos(a)
    return _circle((c, -s, -c, s), n)


def _tan(a: Any, n: int) -> list[Any]:
    return _product(_sin(a, n), _power_of(_cos(a, n), -1, n), n)


def _sinh(a: Any, n: int) -> list[Any]:
    _exp(a, 0)
    both = (M.sinh(a), M.cosh(a))
    return [both[k % 2] / FACTORIAL[k] for k in range(n + 1)]


def _cosh(a: Any, n: int) -> list[Any]:
    _exp(a, 0)
    both = (M.cosh(a), M.sinh(a))
    return [both[k % 2] / FACTORIAL[k] for k in range(n + 1)]


def _tanh(a: Any, n: int) -> list[Any]:
    """tanh' = 1 / cosh²."""
    return _integral(M.tanh(a), _power_of(_cosh(a, n), -2, n), n) if n else [M.tanh(a)]


def _asin(a: Any, n: int) -> list[Any]:
    if abs(a) > 1:
        raise Outside("asin")
    if abs(a) == 1:
        return singular(M.asin(a), n)
    return _integral(M.asin(a), _power_of([1 - a * a, -2 * a, -ONE], M.mpf(-0.5), n), n) if n else [M.asin(a)]


def _acos(a: Any, n: int) -> list[Any]:
    _first, *rest = _asin(a, n)
    return [M.acos(a), *_scaled(rest, -1)]


def _atan(a: Any, n: int) -> list[Any]:
    return _integral(M.atan(a), _power_of([1 + a * a, 2 * a, ONE], -1, n), n) if n else [M.atan(a)]


def _asinh(a: Any, n: int) -> list[Any]:
    return _integral(M.asinh(a), _power_of([1 + a * a, 2 * a, ONE], M.mpf(-0.5), n), n)


def _acosh(a: Any, n: int) -> list[Any]:
    if a < 1:
        raise Outside("acosh")
    if a == 1:
        return singular(ZERO, n)
    return _integral(M.acosh(a), _power_of([a * a - 1, 2 * a, ONE], M.mpf(-0.5), n), n) if n else [M.acosh(a)]


def _atanh(a: Any, n: int) -> list[Any]:
    if abs(a) >= 1:
        raise Outside("atanh")
    return _integral(M.atanh(a), _power_of([1 - a * a, -2 * a, -ONE], -1, n), n)


def _density(a: Any, n: int) -> list[Any]:
    """exp(-x²)."""
    if abs(a) > 50:
        raise Beyond("erf")
    return _exp_of([-a * a, -2 * a, -ONE], n)


def _erf(a: Any, n: int) -> list[Any]:
    slope = _scaled(_density(a, n), TWO_OVER_SQRT_PI)  # refuses what mpmath's erf would take forever for
    return _integral(M.erf(a), slope, n)


def _erfc(a: Any, n: int) -> list[Any]:
    slope = _scaled(_density(a, n), -TWO_OVER_SQRT_PI)
    return _integral(M.erfc(a), slope, n)


def _gelu(a: Any, n: int) -> list[Any]:
    """x times the normal distribution's function, erfc(-x / √2) / 2."""
    tail = _erfc(-a * SQRT_HALF, n)
    return _product([a, ONE], [c * (-SQRT_HALF) ** k / 2 for k, c in enumerate(tail)], n)


def _sigmoid(a: Any, n: int) -> list[Any]:
    e = _scaled(_exp(-a, 0), ONE)[0]
    terms = [e * (-1) ** k / FACTORIAL[k] for k in range(n + 1)]
    return _power_of([1 + terms[0], *terms[1:]], -1, n)


def _softplus(a: Any, n: int) -> list[Any]:
    return _integral(M.log1p(_exp(a, 0)[0]), _sigmoid(a, n), n)


def _log_sigmoid(a: Any, n: int) -> list[Any]:
    first, *rest = _softplus(-a, n)
    return [-first, *(-c * (-1) ** k for k, c in enumerate(rest, start=1))]


def _silu(a: Any, n: int) -> list[Any]:
    return _product([a, ONE], _sigmoid(a, n), n)


def _reciprocal(a: Any, n: int) -> list[Any]:
    if a == 0:
        raise Outside("div")
    if abs(a) < 1e-10:
        run.notes.add("small divisor")
    out = [1 / a]
    for _ in range(n):
        out.append(-out[-1] / a)
    return out


def _gudermann(a: Any, n: int) -> list[Any]:
    """gd' = 1 / cosh."""
    return _integral(M.atan(M.sinh(a)), _power_of(_cosh(a, n), -1, n), n)


SERIES: dict[str, Callable[[Any, int], list[Any]]] = {
    "exp": _exp,
    "expm1": lambda a, n: [M.expm1(a), *_exp(a, n)[1:]],
    "log": _log,
    "log1p": _log1p,
    "log2": lambda a, n: _scaled(_log(a, n), 1 / LN2),
    "log10": lambda a, n: _scaled(_log(a, n), 1 / LN10),
    "sqrt": _root(2),
    "cbrt": _root(3),
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "asin": _asin,
    "acos": _acos,
    "atan": _atan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "erf": _erf,
    "erfc": _erfc,
    "gelu": _gelu,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "silu": _silu,
    "reciprocal": _reciprocal,
    "gaussian": _density,
    "logistic_density": lambda a, n: [(k + 1) * c for k, c in enumerate(_sigmoid(a, n + 1)[1:])],
    "one_minus_square": lambda a, n: [1 - a * a, -2 * a, -ONE, *[ZERO] * n][: n + 1],
    "gudermann": _gudermann,
}


def through(name: str, x: Any) -> Exact:
    return composed(exact(x), SERIES[name])


# --- functions with corners, and functions of several arguments -------------------------------------------------------


def _side(x: Exact) -> int:
    """Return the sign of the value; notes a kink where it is 0 and varies."""
    if x.value != x.value:
        raise Singular
    if x.value == 0 or (run.snap and abs(x.value) < CANCELLED):
        run.notes.add("kink" if any(v for k, v in x.terms.items() if k) else "edge")
        return 0
    if abs(x.value) < CANCELLED:
        run.notes.add("cancelled")
    return 1 if x.value > 0 else -1


def absolute(x: Any) -> Exact:
    x = exact(x)
    side = _side(x)
    return x * side


def sign(x: Any) -> Exact:
    return exact(_side(exact(x)))


def step(x: Any) -> Exact:
    return exact(1 if _side(exact(x)) > 0 else 0)


def less(x: Any, y: Any) -> Exact:
    return exact(1 if _side(exact(x) - y) < 0 else 0)


def relu(x: Any) -> Exact:
    x = exact(x)
    return x if _side(x) > 0 else exact(0)


def leaky_relu(x: Any, slope: Any = 0.01) -> Exact:
    x = exact(x)
    return x if _side(x) > 0 else x * slope


def elu(x: Any, alpha: Any = 1.0) -> Exact:
    x = exact(x)
    return x if _side(x) > 0 else exact(alpha) * through("expm1", x)


def maximum(x: Any, y: Any) -> Exact:
    x, y = exact(x), exact(y)
    side = _side(x - y)
    return x if side > 0 else y if side < 0 else (x + y) * 0.5


def minimum(x: Any, y: Any) -> Exact:
    return -maximum(-exact(x), -exact(y))


def clip(x: Any, low: Any, high: Any) -> Exact:
    x, low, high = exact(x), exact(low), exact(high)
    above = low if _side(x - low) < 0 else x
    return high if _side(above - high) > 0 else above


def where(condition: Any, x: Any, y: Any) -> Exact:
    return exact(x) if _side(exact(condition)) else exact(y)


def power(x: Any, y: Any) -> Exact:
    x, y = exact(x), exact(y)
    if x.value != x.value or y.value != y.value:
        raise Singular
    if not y.varies:
        return composed(x, lambda a, n: _power(a, y.value, n))
    if x.value > 0:
        return through("exp", y * through("log", x))
    return undifferentiable(_power(x.value, y.value, 0)[0], x, y)


def hypot(x: Any, y: Any) -> Exact:
    x, y = exact(x), exact(y)
    return through("sqrt", x * x + y * y)


def logaddexp(x: Any, y: Any) -> Exact:
    """log(exp(x) + exp(y)) = x + log(1 + exp(y - x))."""
    x, y = exact(x), exact(y)
    return x + through("softplus", y - x) + _lost(x + y)


def atan2(y: Any, x: Any) -> Exact:
    """The angle of (x, y): that of the values, and the small angle between them and (x, y)."""
    y, x = exact(y), exact(x)
    a, b = y.value, x.value
    if a != a or b != b:
        raise Singular
    if a == 0 and b <= 0:
        run.notes |= {"edge", "cut"}  # the oracle has no -0
    if not (y.varies or x.varies):
        return exact(M.atan2(a, b) if a or b >= 0 else M.pi)
    if a == 0 and b == 0:
        return undifferentiable(ZERO, x, y)
    if a == 0 and b < 0 and y.varies:
        run.notes.add("kink")
    turned = (y * exact(b) - x * exact(a)) / (x * exact(b) + y * exact(a))
    start = M.atan2(a, b) if a or b > 0 else M.pi if b < 0 else ZERO
    return start + through("atan", turned) + _lost((x + y) / M.hypot(a, b))


def _lost(x: Exact) -> Any:
    """Return an error in every derivative by x. Derivatives that cancel are 0, which no relative error changes."""
    return 0 if run.noise is None else NOISE * run.noise.gauss(0.0, 1.0) * through("exp", x - x.value)


def undifferentiable(value: Any, *args: Exact) -> Exact:
    """Return a value whose derivatives by all that the arguments depend on do not exist."""
    run.notes.add("edge")
    terms = {k: NAN for arg in args for k in arg.terms if k}
    series: dict[int, Any] = dict(terms)
    while series:
        series = {k: v for k, v in multiplied(series, terms).items() if k not in terms}
        terms |= series
    return Exact({**terms, 0: value})


def blend(x: Any, y: Any) -> Exact:
    """The user-defined operation of two arguments: x exp(-y²)."""
    y = exact(y)
    return x * through("exp", -(y * y))


def pick(x: Any, y: Any) -> Exact:
    """The user-defined operation that selects: the argument of larger absolute value, the first at a tie."""
    x, y = exact(x), exact(y)
    return x if _side(absolute(x) - absolute(y)) >= 0 else y


# --- derivatives ------------------------------------------------------------------------------------------------------


def coefficient(x: Any, symbol: int, exponent: int) -> Exact:
    """Return the coefficient of a power of a symbol."""
    shift = symbol.bit_length() - 1
    terms = {k - exponent * symbol: v for k, v in exact(x).terms.items() if (k >> shift) & 15 == exponent}
    made = Exact.__new__(Exact)
    made.terms = {0: ZERO, **terms}
    return made


def moved(x: Any, symbol: int, direction: Any = 1.0) -> Exact:
    """Return x + direction · symbol."""
    x = exact(x)
    if isinstance(direction, float):
        if direction == 0.0:
            return x
        made = Exact.__new__(Exact)
        made.terms = {**x.terms, symbol: M.mpf(direction)}
        return made
    return x + exact(direction) * Exact({0: ZERO, symbol: ONE})


def _symbols(args: Sequence[Any], most: int) -> tuple[list[Any], Any]:
    """Return arguments, moved by a new symbol for each number, and the symbols in the same structure."""
    values: list[Any] = []
    symbols: list[Any] = []
    for arg in args:
        if isinstance(arg, (list, tuple)):
            inner, own = _symbols(arg, most)
        else:
            own = run.symbol(most)
            inner = moved(arg, own)
        values.append(inner)
        symbols.append(own)
    return values, symbols


def _each(symbols: Any, f: Callable[[int], Any]) -> Any:
    return [_each(s, f) for s in symbols] if isinstance(symbols, list) else f(symbols)


def value_and_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    def of(*args: Any) -> Any:
        values, symbols = _symbols(args, 1)
        out = f(*values)
        value = out
        for s in _flat(symbols):
            value = coefficient(value, s, 0)

        def slope(own: int) -> Any:
            found = coefficient(out, own, 1)
            for other in _flat(symbols):
                if other != own:
                    found = coefficient(found, other, 0)
            return found

        slopes = [_each(s, slope) for s in symbols]
        return value, slopes[0] if len(slopes) == 1 else slopes

    return of


def _flat(symbols: Any) -> list[int]:
    return [x for s in symbols for x in _flat(s)] if isinstance(symbols, list) else [symbols]


def grad(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: value_and_grad(f)(*args)[1]


def vjp(f: Callable[..., Any], *args: Any) -> Any:
    value, slopes = value_and_grad(f)(*args)
    return value, lambda w: w * slopes if isinstance(slopes, Exact) else [w * s for s in slopes]


def jacobian(f: Callable[..., Any]) -> Callable[..., Any]:
    def of(*args: Any) -> Any:
        count = len(f(*args))
        return [grad(lambda *a, k=k: f(*a)[k])(*args) for k in range(count)]

    return of


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    def of(*args: Any) -> Any:
        values, symbols = _symbols(args, 2)
        out = f(*values)

        def second(i: int, j: int) -> Exact:
            found = out
            for own in symbols:
                found = coefficient(found, own, (own == i) + (own == j))
            return found * 2.0 if i == j else exact(found)

        return [[second(i, j) for j in symbols] for i in symbols]

    return of


def jvp(f: Callable[..., Any], args: Any, tangents: Any) -> Any:
    symbol = run.symbol(1)
    out = f(*[moved(a, symbol, t) for a, t in zip(args, tangents, strict=True)])
    return coefficient(out, symbol, 0), coefficient(out, symbol, 1)


def hvp(f: Callable[..., Any], args: Any, vector: Any) -> Any:
    symbol = run.symbol(1)
    slopes = grad(f)(*[moved(a, symbol, t) for a, t in zip(args, vector, strict=True)])
    return [coefficient(s, symbol, 1) for s in slopes] if isinstance(slopes, list) else coefficient(slopes, symbol, 1)


def derivative(f: Callable[[Any], Any], order: int = 1) -> Callable[[Any], Any]:
    return lambda x: taylor(f, x, order)[order] * float(FACTORIAL[order])


def taylor(f: Callable[[Any], Any], x: Any, order: int) -> list[Exact]:
    symbol = run.symbol(order)
    out = f(moved(x, symbol))
    return [coefficient(out, symbol, k) for k in range(order + 1)]


class _Namespace:
    """What stands for the package `mb` in a program."""

    def __init__(self) -> None:
        for name in SERIES:
            setattr(self, name, lambda x, name=name: through(name, x))
        vars(self).update(
            {"abs": absolute, "pow": power, "square": lambda x: exact(x) * x, "neg": lambda x: -exact(x)},
            add=lambda x, y: exact(x) + y,
            sub=lambda x, y: exact(x) - y,
            mul=lambda x, y: exact(x) * y,
            div=lambda x, y: exact(x) / y,
        )
        for f in (sign, step, less, relu, leaky_relu, elu, maximum, minimum, clip, where, hypot, atan2, logaddexp,
                  grad, value_and_grad, vjp, jacobian, hessian, jvp, hvp, derivative, taylor):  # fmt: skip
            setattr(self, f.__name__, f)


def assigned(x: Exact, data: float) -> Exact:
    """Return x with another value and the same dependence."""
    made = Exact.__new__(Exact)
    made.terms = {**x.terms, 0: M.mpf(data)}
    return made


NAMES: dict[str, Any] = {
    "mb": _Namespace(),
    "copied": lambda *values: values,
    "assigned": assigned,
    "gudermann": lambda x: through("gudermann", x),
    "blend": blend,
    "pick": pick,
}


def along(
    f: Callable[..., Any],
    point: Sequence[Any],
    direction: Sequence[float],
    order: int,
    noise: random.Random | None = None,
    watch: bool = False,
    snap: bool = False,
) -> tuple[list[Any], set[str]]:
    """Return f and its derivatives up to `order` along a direction, as numbers of 60 digits, and what was noted."""
    global run
    run = Run(noise, watch, snap)
    symbol = run.symbol(order)
    given = [moved(x, symbol, d) for x, d in zip(point, direction, strict=True)] if order else [exact(x) for x in point]
    try:
        out = exact(f(*given))
    except (ZeroDivisionError, OverflowError) as error:  # Python's operators on two floats of the program
        refused = Outside(str(error))
        refused.constant = True
        raise refused from error
    found = [coefficient(out, symbol, k).value * FACTORIAL[k] for k in range(order + 1)]
    return found, run.notes
