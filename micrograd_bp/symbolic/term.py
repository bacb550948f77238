"""`Term`: a formula that simplifies itself as it is built, so that the derivative of (x + 3)³ reads 3 (x + 3)².

Sums collect like terms, products collect powers, and numbers are computed as fractions; products of sums are not
expanded. Simplifications hold almost everywhere: x / x is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from micrograd_bp import ops
from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import Op
from micrograd_bp.ops.reals import as_float

Parts = tuple[tuple["Term", Fraction], ...]

_MOST_BITS = 512  # a number with more bits is rounded to a float; a power that would have more is not computed


class Term(Number):
    """A formula: a symbol, an operation applied to formulas, a sum or a product. Equal formulas have equal digests.

    `kind`      "symbol", "function", "sum" or "product"
    `parts`     the (term, coefficient) pairs of a sum, the (base, exponent) pairs of a product, in order of appearance
    `op, args`  the operation and the arguments of a function
    `name`      the name of a symbol, as (text, LaTeX)
    `digest`    a hash of the formula, in which the order of `parts` does not count

    The number c is the sum of c times the empty product, and 0 is the empty sum.

    >>> x = symbol("x")
    >>> (3 * x * x / x).digest == (x + x + x).digest
    True
    """

    digest: str

    __slots__ = ("args", "digest", "kind", "name", "op", "parts")

    def __init__(
        self,
        kind: str,
        parts: Parts = (),
        op: Op | None = None,
        args: tuple[Term, ...] = (),
        name: tuple[str, str] = ("", ""),
        identity: object = "",
    ) -> None:
        self.kind = kind
        self.parts = parts
        self.op = op
        self.args = args
        self.name = name
        inner = [f"{part.digest}:{x}" for part, x in parts]
        called = "" if op is None else f"{op.name} {id(op)}" if op.superseded else op.name
        facts = [kind, called, str(identity), *sorted(inner), *[arg.digest for arg in args]]
        self.digest = blake2b("\0".join(facts).encode(errors="replace"), digest_size=12).hexdigest()

    @property
    def data(self) -> float:
        raise TypeError("a formula has no value, so that no branch can depend on it: use where, step or sign")

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Term:
        terms = tuple([arg if isinstance(arg, Term) else constant(as_float(arg)) for arg in args])
        rewrite = _ARITHMETIC.get(op)
        return rewrite(*terms) if rewrite else _function(op, terms)

    @property
    def number(self) -> Fraction | None:
        """The number that the formula equals, or None where it has symbols."""
        if self.kind != "sum":
            return Fraction(1) if self is ONE else None
        if not self.parts:
            return Fraction(0)
        term, coefficient = self.parts[0]
        return coefficient if len(self.parts) == 1 and term is ONE else None


def symbol(text: str, latex: str = "", identity: object = None) -> Term:
    """Return a symbol; two symbols are equal if their identities (by default their texts) are equal."""
    return Term("symbol", name=(text, latex or text), identity=text if identity is None else identity)


def constant(x: float) -> Term:
    """Return a number as the decimal fraction that Python prints: 0.1 is 1/10."""
    if not math.isfinite(x):
        return symbol(f"{x}".replace("inf", "∞"), {"inf": r"\infty", "-inf": r"-\infty"}.get(str(x), r"\mathrm{nan}"))
    return _KNOWN[x] if x in _KNOWN else _sum([(ONE, Fraction(repr(x)))])


def split(term: Term) -> tuple[Fraction, Term]:
    """Return the coefficient of a term and the rest: (3, x y) for 3 x y."""
    if term.kind == "sum" and len(term.parts) == 1:
        rest, coefficient = term.parts[0]
        return coefficient, rest
    return Fraction(1), term


def _summands(term: Term) -> Parts:
    return term.parts if term.kind == "sum" else ((term, Fraction(1)),)


def _factors(term: Term) -> Parts:
    return term.parts if term.kind == "product" else ((term, Fraction(1)),)


def _collect(parts: Iterable[tuple[Term, Fraction]]) -> Parts:
    found: dict[str, tuple[Term, Fraction]] = {}
    for term, x in parts:
        first, total = found.get(term.digest, (term, Fraction(0)))
        found[term.digest] = (first, total + x)
    return tuple([(term, _rounded(x)) for term, x in found.values() if x])


def _bits(x: Fraction) -> int:
    return max(x.numerator.bit_length(), x.denominator.bit_length())


def _rounded(x: Fraction) -> Fraction:
    if _bits(x) <= _MOST_BITS or not (10**-300 < abs(x) < 10**300):
        return x
    return Fraction(repr(float(x)))


def _sum(parts: Iterable[tuple[Term, Fraction]]) -> Term:
    collected = _collect(parts)
    if not collected:
        return ZERO
    if len(collected) == 1:
        term, x = collected[0]
        if x == 1:
            return term
        if x == -1 and term.kind == "sum":  # −(y − h) is h − y
            return _sum([(inner, -c) for inner, c in term.parts])
    return Term("sum", collected)


def _product(coefficient: Fraction, parts: Iterable[tuple[Term, Fraction]]) -> Term:
    if not coefficient:
        return ZERO
    collected = [(base, x) for base, x in _collect(parts) if base is not ONE]
    if coefficient < 0:  # −(y − h) h is (h − y) h
        for index, (base, x) in enumerate(collected):
            if x == 1 and _is_difference(base):
                collected[index] = (_sum([(term, -c) for term, c in base.parts]), x)
                return _product(-coefficient, collected)
    if not collected:
        term = ONE
    elif len(collected) == 1 and collected[0][1] == 1:
        term = collected[0][0]
    else:
        term = Term("product", tuple(collected))
    return _sum([(term, coefficient)])


def _is_difference(term: Term) -> bool:
    return term.kind == "sum" and len(term.parts) == 2 and {c for t, c in term.parts if t is not ONE} == {1, -1}


def _times(*terms: Term) -> Term:
    coefficient = Fraction(1)
    factors: list[tuple[Term, Fraction]] = []
    for term in terms:
        c, rest = split(term)
        coefficient *= c if term is not ZERO else 0
        factors += _factors(rest)
    return _product(coefficient, factors)


def _power(base: Term, exponent: Term) -> Term:
    n = exponent.number
    if n is None or (base is ZERO and n <= 0) or n.denominator > 10**6:
        return _function(ops.pow, (base, exponent))
    c, rest = split(base)
    if n.denominator == 1 and abs(n) * _bits(c) < _MOST_BITS:
        return _product(c**n.numerator, [(inner, x * n) for inner, x in _factors(rest)])
    if c == 1 and rest.kind != "product":
        return _product(Fraction(1), [(rest, n)])
    return _product(Fraction(1), [(base, n)])


def _function(op: Op, args: tuple[Term, ...]) -> Term:
    numbers = [arg.number for arg in args]
    if op.routes_gradient and None not in numbers:  # step(2) is 1, but √2 is not computed
        return constant(op.fn(*[float(x) for x in numbers if x is not None]))
    return Term("function", op=op, args=args)


def _where(condition: Term, x: Term, y: Term) -> Term:
    n = condition.number
    if n is None and x.digest != y.digest:
        return Term("function", op=ops.where, args=(condition, x, y))
    return y if n == 0 else x


ONE = Term("product")
ZERO = Term("sum")
_MINUS_ONE = Term("sum", ((ONE, Fraction(-1)),))
_KNOWN: dict[float, Term] = {}  # numbers with a usual symbolic form

_ARITHMETIC: dict[Op, Callable[..., Term]] = {
    ops.add: lambda x, y: _sum([*_summands(x), *_summands(y)]),
    ops.sub: lambda x, y: _sum([*_summands(x), *[(term, -c) for term, c in _summands(y)]]),
    ops.neg: lambda x: _times(_MINUS_ONE, x),
    ops.mul: _times,
    ops.div: lambda x, y: _times(x, _power(y, _MINUS_ONE)),
    ops.reciprocal: lambda x: _power(x, _MINUS_ONE),
    ops.square: lambda x: _times(x, x),
    ops.pow: _power,
    ops.where: _where,
}

_TWO, _TEN, _PI = constant(2.0), constant(10.0), symbol("π", r"\pi")
_KNOWN |= {
    math.pi: _PI,
    math.e: symbol("e"),
    2 / math.sqrt(math.pi): 2 / _PI**0.5,
    -2 / math.sqrt(math.pi): -2 / _PI**0.5,
    1 / math.sqrt(2 * math.pi): 1 / (2 * _PI) ** 0.5,
    math.sqrt(0.5): 1 / _TWO**0.5,
    -math.sqrt(0.5): -1 / _TWO**0.5,
    1 / math.log(2.0): 1 / ops.log(_TWO),
    1 / math.log(10.0): 1 / ops.log(_TEN),
}
