"""exp, log, tanh, sigmoid and its derivative σ′ on vectors, each a few dozen instructions without branches.

They are inlined into the program, so that LLVM shares common parts: tanh(x) and its derivative 4·σ′(2x) need one
exponential and one division. glibc's libmvec would need three calls, and each call spills all registers.

The largest errors, tested against mpmath, are in units in the last place: exp 1.1, log 1.0, sigmoid 2.5, σ′ 4.0,
tanh 3.5.
Zeros, subnormals, infinities and nans are as in C.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple, Self

from micrograd_bp.compiler.llvm_ir import Writer, function

EXP = (
    0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065, 0.0013888888917196719,
    0.00019841269863040545, 2.4801521322368692e-05, 2.7557268480310024e-06, 2.7620075879983367e-07,
    2.5100375832561234e-08,
)  # fmt: skip
"""Coefficients of (eʳ − 1 − r) / r² in powers of r for |r| ≤ ln 2 / 2, from the Chebyshev nodes."""

LOG = (
    0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.2222221113479508, 0.18182889125261723,
    0.15331721600556042, 0.14616449685043406,
)  # fmt: skip
"""Coefficients of (ln((1 + s) / (1 − s)) − 2s) / s³ in powers of s² for |s| ≤ (√2 − 1) / (√2 + 1), likewise."""

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # an exponent times the high part is exact
_ROUND = 1.5 * 2.0**52  # adding it rounds a float to an integer, which then fills the last bits
_LEAST, _GREATEST = -746.0, 710.0  # eˣ is 0 below and inf above them
_SMALLEST_NORMAL = 2.0**-1022


def _bits(number: float) -> int:
    found: int = struct.unpack("q", struct.pack("d", number))[0]
    return found


# --- arithmetic on lanes ----------------------------------------------------------------------------------------------


class _Written:
    """The result of an instruction."""

    def __init__(self, writer: Writer, text: str) -> None:
        self.writer = writer
        self.text = text

    @property
    def kind(self) -> str:
        raise NotImplementedError

    def constant(self, number: float) -> str:
        raise NotImplementedError

    def texts(self, others: tuple[Self | float, ...]) -> list[str]:
        return [other.text if isinstance(other, _Written) else self.constant(other) for other in others]

    def apply(self, instruction: str, *others: Self | float) -> Self:
        text = ", ".join([f"{instruction} {self.kind} {self.text}", *self.texts(others)])
        return type(self)(self.writer, self.writer.set(text))


class Bits(_Written):
    """An integer of 64 bits in every lane."""

    @property
    def kind(self) -> str:
        return self.writer.integers

    def constant(self, number: float) -> str:
        return self.writer.integer(int(number))

    def __add__(self, other: int) -> Bits:
        return self.apply("add", other)

    def __sub__(self, other: Bits | int) -> Bits:
        return self.apply("sub", other)

    def __lshift__(self, count: int) -> Bits:
        return self.apply("shl", count)

    def __rshift__(self, count: int) -> Bits:
        return self.apply("ashr", count)

    def number(self) -> Lane:
        """Return the float with these bits."""
        return Lane(self.writer, self.writer.set(f"bitcast {self.kind} {self.text} to {self.writer.kind}"))


class Lane(_Written):
    """A float in every lane."""

    @property
    def kind(self) -> str:
        return self.writer.kind

    def constant(self, number: float) -> str:
        return self.writer.constant(number)

    def __add__(self, other: Lane | float) -> Lane:
        return self.apply("fadd", other)

    def __sub__(self, other: Lane | float) -> Lane:
        return self.apply("fsub", other)

    def __mul__(self, other: Lane | float) -> Lane:
        return self.apply("fmul", other)

    def __truediv__(self, other: Lane | float) -> Lane:
        return self.apply("fdiv", other)

    def __neg__(self) -> Lane:
        return self.apply("fneg")

    def __rtruediv__(self, other: float) -> Lane:
        return Lane(self.writer, self.constant(other)).apply("fdiv", self)

    def call(self, name: str, *others: Lane | float) -> Lane:
        """Call an LLVM intrinsic."""
        return Lane(self.writer, self.writer.call(name, [self.text, *self.texts(others)]))

    def times_plus(self, factor: Lane | float, term: Lane | float) -> Lane:
        """Return self · factor + term, rounded once if the processor can."""
        return self.call("fmuladd", factor, term)

    def polynomial(self, coefficients: tuple[float, ...]) -> Lane:
        """Return Σ coefficientₖ · selfᵏ."""
        total = Lane(self.writer, self.constant(coefficients[-1]))
        for coefficient in coefficients[-2::-1]:
            total = total.times_plus(self, coefficient)
        return total

    def where(self, comparison: str, bound: float, yes: Lane | float, no: Lane | float) -> Lane:
        """Return `yes` in the lanes where the comparison with the bound holds, else `no`."""
        met = self.writer.set(f"fcmp {comparison} {self.kind} {self.text}, {self.constant(bound)}")
        first, second = self.texts((yes, no))
        text = f"select {self.writer.bits} {met}, {self.kind} {first}, {self.kind} {second}"
        return Lane(self.writer, self.writer.set(text))

    def bits(self) -> Bits:
        """Return the bits as an integer."""
        return Bits(self.writer, self.writer.set(f"bitcast {self.kind} {self.text} to {self.writer.integers}"))


# --- the functions ----------------------------------------------------------------------------------------------------


class _Power(NamedTuple):
    """eˣ as (1 + p) · first · second, with two powers of 2, since a single one may overflow or underflow."""

    p: Lane
    first: Lane
    second: Lane

    def whole(self) -> Lane:
        return (self.p + 1.0) * self.first * self.second

    def minus_one(self) -> Lane:
        scale = self.first * self.second
        return scale.times_plus(self.p, scale - 1.0)


def _power(x: Lane) -> _Power:
    """Return eˣ for x from −746 to 710, by x = n·ln 2 + r."""
    n = x.times_plus(1.0 / math.log(2.0), _ROUND) - _ROUND
    r = n.times_plus(-_LN2_LOW, n.times_plus(-_LN2_HIGH, x))
    p = (r * r).times_plus(r.polynomial(EXP), r)
    half = n.times_plus(0.5, _ROUND)
    return _Power(p, _power_of_two(half), _power_of_two(n - (half - _ROUND) + _ROUND))


def _power_of_two(rounded: Lane) -> Lane:
    """Return 2ⁿ from n + _ROUND, by moving n to the bits of the exponent."""
    return ((rounded.bits() << 52) + _bits(1.0)).number()


def _decay(x: Lane) -> _Power:
    """Return e to the power of −|x|."""
    y = -x.call("fabs")
    return _power(y.where("olt", _LEAST, _LEAST, y))


def _exp(x: Lane) -> Lane:
    x = x.where("ogt", _GREATEST, _GREATEST, x)
    return _power(x.where("olt", _LEAST, _LEAST, x)).whole()


def _sigmoid(x: Lane) -> Lane:
    """Return 1 / (1 + t) or t / (1 + t) with t = e to the power of −|x|."""
    t = _decay(x).whole()
    larger = 1.0 / (t + 1.0)
    return x.where("olt", 0.0, t * larger, larger)


def _logistic_density(x: Lane) -> Lane:
    """Return t / (1 + t)² with t = e to the power of −|x|."""
    t = _decay(x).whole()
    larger = 1.0 / (t + 1.0)
    return t * larger * larger


def _tanh(x: Lane) -> Lane:
    """Return (1 − t) / (1 + t) with t = e to the power of −2|x|; the numerator has no cancellation."""
    t = _decay(x * 2.0)
    return (t.minus_one() * (1.0 / (t.whole() + 1.0))).call("copysign", x)


def _log(x: Lane) -> Lane:
    """Return ln x by x = 2ᵏ·(1 + f), √½ ≤ 1 + f < √2, and s = f / (2 + f)."""
    bits = x.where("olt", _SMALLEST_NORMAL, x * 2.0**54, x).bits()
    exponent = (bits - _bits(math.sqrt(0.5))) >> 52
    f = (bits - (exponent << 52)).number() - 1.0
    k = (exponent + _bits(_ROUND)).number() - x.where("olt", _SMALLEST_NORMAL, _ROUND + 54.0, _ROUND)
    s = f / (f + 2.0)
    half = f * f * 0.5
    low = s.times_plus(half + s * s * (s * s).polynomial(LOG), k * _LN2_LOW)
    found = k * _LN2_HIGH - ((half - low) - f)
    found = x.where("oeq", math.inf, math.inf, found)
    return x.where("ogt", 0.0, found, x.where("oeq", 0.0, -math.inf, math.nan))


FUNCTIONS: dict[str, Callable[[Lane], Lane]] = {
    "exp": _exp,
    "log": _log,
    "logistic_density": _logistic_density,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
}


def definition(name: str, lanes: int) -> tuple[str, Writer]:
    """Return the text of one of these functions, and the writer that knows which functions it calls."""
    writer = Writer(lanes, own=True)
    result = FUNCTIONS[name](Lane(writer, "%a0"))
    head = f"define internal {writer.kind} @{function(name, lanes, own=True)}({writer.kind} %a0) #1 {{"
    return "\n".join([head, *writer.lines, f"  ret {writer.kind} {result.text}", "}"]), writer
