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

    f(x) is written with the name of the value that it equals, guards against 0 · inf are omitted, and functions that
    exist for the rules are written by their definitions: σ′(x) as σ(x) (1 − σ(x)). σ(−x) becomes 1 − σ(x), and
    4 σ′(2x) becomes 1 − tanh(x)², and [x > 0] − [0 > x] becomes sign(x).
    """

    __slots__ = ("own", "term")

    def __init__(self, term: Term, own: dict[str, Term]) -> None:
        self.term = term
        self.own = own

    @property
    def data(self) -> float:  # a symbolic term raises TypeError
        return self.term.data

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        terms = [arg.term if isinstance(arg, _InRule) else constant(arg) for arg in args]
        if op is ops.where:
            return self._of(_selection(terms))
        x = self._of(terms[0])
        if op is ops.one_minus_square:
            return 1.0 - ops.square(x)
        if op is ops.gaussian:
            return ops.exp(-ops.square(x))
        if op is ops.logistic_density:
            return ops.sigmoid(x) * (1.0 - ops.sigmoid(x))
        if op is ops.sigmoid and _leads_negative(terms[0]):
            return 1.0 - ops.sigmoid(-x)
        if op is ops.hypot and terms[0].number is not None:
            return ops.sqrt(float(terms[0].number) ** 2 + ops.square(self._of(terms[1])))
        if op is ops.square and (u := _under_root(terms[0])) is not None:
            return ops.div(1.0, self._of(u))
        if op is ops.sub and terms[0].op is ops.exceeds and terms[1].op is ops.exceeds:
            (above, zero), (below, inside) = terms[0].args, terms[1].args
            if zero.number == below.number == 0 and inside.digest == above.digest:
                return self._of(apply(ops.sign, [inside]))
        result = apply(op, terms)
        if op is ops.mul and (u := _tanh_inside(result)) is not None:
            return 1.0 - ops.square(ops.tanh(self._of(u)))
        return self._of(self.own.get(result.digest, result))

    def _of(self, term: Term) -> _InRule:
        return _InRule(term, self.own)


def _selection(terms: list[Term]) -> Term:
    """Return where(condition, x, y) as a term: x if the condition only guards it, and [c] before 1 - [c]."""
    condition, x, y = terms
    if _is_guard(condition, x, y):
        return x
    if (1.0 - condition).op is ops.step:
        condition, x, y = 1.0 - condition, y, x
    if condition.op is ops.step and x.digest == condition.digest:
        x = constant(1.0)  # which the condition is where x is selected
    return apply(ops.where, [condition, x, y])


def _is_guard(condition: Term, x: Term, otherwise: Term) -> bool:
    """Return whether where(condition, x, otherwise) is x almost everywhere: no step or comparison is in the condition.

    A choice between two different numbers, such as the derivative of `where`, is no guard.
    """
    choice = x.number is not None and otherwise.number is not None and x.number != otherwise.number
    return not choice and not any(term.op is not None and term.op.routes_gradient for term in within(condition))


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


def _under_root(term: Term) -> Term | None:
    """Return u if the term is 1 / √u, else None."""
    if term.kind == "product" and len(term.parts) == 1:
        root, power = term.parts[0]
        return root.args[0] if root.op is ops.sqrt and power == -1 else None
    return None


def symbols_in(term: Term) -> set[str]:
    """Return the texts of the symbols in a term."""
    return {inner.name[0] for inner in within(term) if inner.kind == "symbol"}


def within(term: Term) -> Iterator[Term]:
    """Yield the term and all terms in it, each once."""
    seen, stack = {term.digest}, [term]
    while stack:
        top = stack.pop()
        yield top
        for inner in (*top.args, *(part for part, _ in top.parts)):
            if inner.digest not in seen:
                seen.add(inner.digest)
                stack.append(inner)
