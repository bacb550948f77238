"""Terms as text and LaTeX in the usual notation: 2x, 3 (x + 3)², 1 / (2·√x)."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from fractions import Fraction

from micrograd_bp import ops
from micrograd_bp.ops.op import ATOM
from micrograd_bp.symbolic.templates import fill, number
from micrograd_bp.symbolic.term import ONE, Term, split

Written = tuple[str, int]  # text and precedence

_HALF = Fraction(1, 2)
_MOST_HALVES = 12  # x / 2 ... x / 12, but 0.01·x


def typeset(term: Term, digits: int = 4, latex: bool = False) -> str:
    """Return a formula as text or LaTeX; numbers that are no short fractions have `digits` significant digits.

    >>> from micrograd_bp.symbolic.term import symbol
    >>> x, y = symbol("x"), symbol("y_hat", "\\\\hat{y}")
    >>> print(*[typeset(term) for term in (3 * (x + 3) ** 2, 2 * x, 0.5 / x.sqrt(), -(y - x) / 3)], sep="; ")
    3 (x + 3)²; 2x; 1 / (2·√x); (x − y_hat) / 3
    >>> typeset(-2.5 * y * x.exp(), latex=True)
    '-2.5 \\\\hat{y} \\\\cdot e^{x}'
    """
    return written(term, digits, latex)[0]


def written(term: Term, digits: int = 4, latex: bool = False) -> Written:
    """Return the text of `typeset` with its precedence."""
    return _Writer(digits, latex).write(term)


class _Writer:
    """A writer of terms in one notation, with the texts of the terms that are already written."""

    def __init__(self, digits: int, latex: bool) -> None:
        self.digits = digits
        self.latex = latex
        self.written: dict[str, Written] = {}

    def write(self, term: Term) -> Written:
        """Return a term as text with its precedence."""
        stack = [term]
        while stack:
            top = stack[-1]
            waiting = [part for part in _inner(top) if part.digest not in self.written]
            if waiting:
                stack += waiting
            else:
                stack.pop()
                self.written[top.digest] = self._one(top)
        return self.written[term.digest]

    def _one(self, term: Term) -> Written:
        if term.kind == "symbol":
            return term.name[self.latex], ATOM
        if term.kind == "function" and term.op:
            return fill(term.op, [self._known(arg) for arg in term.args], self.latex)
        if term.kind == "product" or len(term.parts) == 1:
            return self._scaled(*split(term))
        if not term.parts:
            return "0", ATOM
        return self._sum(term)

    def _known(self, term: Term) -> Written:
        return self.written[term.digest]

    def _sum(self, term: Term) -> Written:
        parts = sorted(term.parts, key=lambda part: part[1] < 0) if term.parts[0][1] < 0 else term.parts
        (first, c), *others = parts
        total = self._scaled(c, first)
        for summand, c in others:
            total = fill(ops.add if c > 0 else ops.sub, [total, self._scaled(abs(c), summand)], self.latex)
        return total

    def _scaled(self, c: Fraction, term: Term) -> Written:
        """Return c times a term that has no coefficient."""
        if c < 0:
            return fill(ops.neg, [self._scaled(-c, term)], self.latex)
        if term.kind != "product":
            above, below = [self._known(term)], []
        else:
            above = [self._power(base, x) for base, x in term.parts if x > 0]
            below = [self._power(base, -x) for base, x in term.parts if x < 0]
        number_above, number_below = self._coefficient(c, fraction=bool(below) or term is not ONE)
        if number_above != "1" or not above:
            above.insert(0, (number_above, ATOM))
        if number_below != "1":
            below.insert(0, (number_below, ATOM))
        numerator = self._times(above)
        return fill(ops.div, [numerator, self._times(below)], self.latex) if below else numerator

    def _coefficient(self, c: Fraction, fraction: bool) -> tuple[str, str]:
        p, q = c.numerator, c.denominator
        if c >= 10**308:
            return f"{Decimal(p) / q:.{self.digits}g}", "1"
        short = Fraction(f"{float(c):.{self.digits}g}") == c
        if q == 1 and p < 10**6:
            return str(p), "1"
        if (fraction and p == 1 and q <= _MOST_HALVES) or (not short and q <= 999 and p <= 999):
            return str(p), str(q)
        return number(float(c), self.digits, self.latex), "1"

    def _power(self, base: Term, exponent: Fraction) -> Written:
        if exponent == 1:
            return self._known(base)
        if exponent == _HALF:
            return fill(ops.sqrt, [self._known(base)], self.latex)
        up = number(float(exponent), self.digits, self.latex)
        return fill(ops.pow, [self._known(base), (up, ATOM)], self.latex)

    def _times(self, factors: list[Written]) -> Written:
        total = factors[0]
        for index, factor in enumerate(factors[1:]):
            product = fill(ops.mul, [total, factor], self.latex)
            between = self._between(total[0], factor) if index == 0 else None
            total = product if between is None else (total[0] + between + self._bracketed(factor), product[1])
        return total

    def _between(self, left: str, right: Written) -> str | None:
        """Return the text between a number and the factor after it, or None for the multiplication sign."""
        if not left.replace(".", "").isdecimal():
            return None
        text = self._bracketed(right)
        if text.startswith(("(", r"\left(")):
            return " "
        if self.latex:
            return None if text[0].isdecimal() or text.startswith(r"\frac") else " "
        letters = unicodedata.normalize("NFC", text).rstrip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻").split("·")[0]
        return "" if len(letters) == 1 and letters.isalpha() else None

    def _bracketed(self, factor: Written) -> str:
        text, precedence = factor
        if precedence >= ops.mul.binds[1]:
            return text
        return rf"\left({text}\right)" if self.latex else f"({text})"


def _inner(term: Term) -> list[Term]:
    if term.kind == "function":
        return list(term.args)
    if term.kind == "product":
        return [base for base, _ in term.parts]
    return [inner for part, _ in term.parts for inner in (_inner(part) if part.kind == "product" else [part])]
