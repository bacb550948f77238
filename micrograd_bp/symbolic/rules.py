"""Derivative rules applied to formula terms, in the form in which they are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from micrograd_bp import ops
from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import Op
from micrograd_bp.symbolic.term import Term, constant, split


def apply(op: Op, args: list[Term]) -> Term:
    """Return an operation applied to terms."""
    return args[0].apply_unchecked(op, tuple(args))


def local_term(op: Op, index: int, args: list[Term], out: Term) -> Term:
    """Return d op / d argument `index` as a term: the operation's derivative rule at `args` and `out`."""
    own = {apply(op, args).digest: out}
    result = op.partials[index](*[_InRule(term, own) for term in (*args, out)])
    return result.term if isinstance(result, _InRule) else constant(result)


class _InRule(Number):
    """A term that is passed to a derivative rule, so that the result is the usual formula.

    f(x) is written with the name of the value that it equals, guards against 0 · inf are omitted, and σ(−x) is
    written as 1 − σ(x).
    """

    __slots__ = ("own", "term")

    def __init__(self, term: Term, own: dict[str, Term]) -> None:
        self.term = term
        self.own = own

    @property
    def data(self) -> float:  # a symbolic term raises TypeError
        return self.term.data

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> _InRule:
        terms = [arg.term if isinstance(arg, _InRule) else constant(arg) for arg in args]
        if op is ops.where and _is_guard(terms[0], terms[1]):
            return _InRule(terms[1], self.own)
        if op is ops.sigmoid and _leads_negative(terms[0]):
            return 1.0 - self.apply_unchecked(op, (_InRule(-terms[0], self.own),))
        result = apply(op, terms)
        if op is ops.mul and (u := _tanh_inside(result)) is not None:
            return 1.0 - ops.square(self.apply_unchecked(ops.tanh, (_InRule(u, self.own),)))
        return _InRule(self.own.get(result.digest, result), self.own)


def _is_guard(condition: Term, x: Term) -> bool:
    """Return whether where(condition, x, ...) is x almost everywhere: the condition contains no step or comparison."""
    return x.number is None and not any(term.op is not None and term.op.routes_gradient for term in _within(condition))


def _leads_negative(term: Term) -> bool:
    return term.kind == "sum" and term.number is None and term.parts[0][1] < 0


def _tanh_inside(term: Term) -> Term | None:
    """Return u if the term is 4 σ(2u) (1 − σ(2u)), which is 1 − tanh(u)², else None."""
    c, product = split(term)
    if c == 4 and product.kind == "product" and len(product.parts) == 2:
        for (s, x), (rest, y) in (product.parts, product.parts[::-1]):
            if s.op is ops.sigmoid and x == y == 1 and rest.digest == (1.0 - s).digest:
                return s.args[0] / 2.0
    return None


def symbols_in(term: Term) -> set[str]:
    """Return the texts of the symbols in a term."""
    return {inner.name[0] for inner in _within(term) if inner.kind == "symbol"}


def _within(term: Term) -> Iterator[Term]:
    """Yield the term and all terms in it, each once."""
    seen, stack = {term.digest}, [term]
    while stack:
        top = stack.pop()
        yield top
        for inner in (*top.args, *(part for part, _ in top.parts)):
            if inner.digest not in seen:
                seen.add(inner.digest)
                stack.append(inner)
