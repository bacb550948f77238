"""The texts that `help(mb.tanh)` and `inspect.signature(mb.tanh)` show, generated from the operation on request.

Nothing here is specific to an operation, so a new one needs no documentation of its own. Importing this module sets the
attributes of `Op` that `help` and `inspect` read.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from micrograd_bp import ops
from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import OPS, Choice, Op
from micrograd_bp.ops.reals import as_float
from micrograd_bp.symbolic.printer import typeset
from micrograd_bp.symbolic.rules import apply, local_term
from micrograd_bp.symbolic.term import Term, constant, symbol

_POINTS = {1: ((0.5,), (2.0,), (-0.5,)), 2: ((3.0, 2.0), (0.5, 0.5))}
_MOST_CASES = 4
_FAR = 1e6  # a definition that compares with a larger number works around a limit of mpmath


def documentation(op: Op) -> str:
    """Return the help text of an operation: formula, derivatives, domain, kinks, accuracy and an example.

    >>> print(documentation(ops.log).partition(">>>")[0].rstrip())
    Return log(x).
    <BLANKLINE>
    `log(x)` of floats is a float; of Values it is a Value that remembers the derivative, as is `x.log()`.
    <BLANKLINE>
    Derivative by x:  1 / x
    Domain:           x in (0, inf); outside it Values raise DomainError, floats give nan or an infinity
    Accuracy:         the derivative is within 4 ulp
    """
    args = [symbol(name) for name in op.arguments]
    out = apply(op, args)
    formula, definition = typeset(out), _tried(lambda: _definition(op, args, ()))
    first = f"Return {formula}." if definition in (None, formula) else f"Return {formula} = {definition}."
    call = f"{op.name}{signature(op)}"
    method = f"{op.arguments[0]}.{op.name}({', '.join(op.arguments[1:])})"
    use = f"`{call}` of floats is a float; of Values it is a Value that remembers the derivative, as is `{method}`."
    facts = [(f"Derivative by {name}", _derivative(op, index, args, out)) for index, name in enumerate(op.arguments)]
    domain = op.where_real()
    outside = "outside it Values raise DomainError, floats give nan or an infinity"
    facts.append(("Domain", f"{domain}; {outside}" if domain else "all real numbers"))
    kinks = [_tried(lambda kink=kink: f"{typeset(kink(*args))} = 0") for kink in op.kinks]  # type: ignore[misc]
    if kinks:
        where = " or ".join(filter(None, kinks)) or "its own rule says so"
        facts.append(("Kinks", f"the derivative jumps or is infinite where {where}"))
    if op.convention:
        facts.append(("Convention there" if kinks else "Convention", op.convention))
    facts.append(("Accuracy", f"the derivative is within {op.bound!r}"))
    width = max(len(fact) for fact, _ in facts) + 3
    listed = "\n".join(f"{fact + ':':{width}}{text}" for fact, text in facts)
    return "\n\n".join(filter(None, [op.description, first, use, listed, _tried(lambda: _example(op))]))


def signature(op: Op) -> inspect.Signature:
    """Return the signature of an operation: the names of its arguments with their defaults."""
    needed = op.arity - len(op.defaults)
    defaults = [inspect.Parameter.empty] * needed + list(op.defaults)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(name, kind, default=x) for name, x in zip(op.arguments, defaults, strict=True)]
    )


def _tried(act: Callable[[], str]) -> str | None:
    """Return act(), or None if it raises, since a user's function or rule need not accept a formula."""
    try:
        return act()
    except Exception:
        return None


def _derivative(op: Op, index: int, args: list[Term], out: Term) -> str:
    text = _tried(lambda: typeset(local_term(op, index, args, out)))
    return text or "computed by a rule that has no formula"


def _example(op: Op) -> str:
    """Return a doctest at the first point that is smooth and has finite numbers; "" if there is none."""
    needed = op.arity - len(op.defaults)
    for point in _POINTS.get(needed, ((1.0, 0.5, 2.0)[:needed],)):
        numbers = (*point, *op.defaults)
        if len(point) != needed or not op.allows(numbers) or any(kink(*numbers) == 0.0 for kink in op.kinks):
            continue
        out = op.fn(*numbers)
        slopes = [rule(*numbers, out) for rule in op.slopes[:needed]]
        if all(map(math.isfinite, (out, *slopes))):
            names = op.arguments[:needed]
            result = "y" if "y" not in names else "z"
            called = f"mb.{op.name}" if vars(ops).get(op.name) is op else f"mb.OPS[{op.name!r}]"
            shown = " ".join(f"{{{text}:.6g}}" for text in (result, *(f"{name}.grad" for name in names)))
            lines = [
                "import micrograd_bp as mb",
                f"{', '.join(names)} = {', '.join(f'mb.Value({x})' for x in point)}",
                f"{result} = {called}({', '.join(names)})",
                f"{result}.backward()",
                f'print(f"{shown}")',
            ]
            return "\n".join([*(f">>> {line}" for line in lines), " ".join(f"{x:.6g}" for x in (out, *slopes))])
    return ""


def _definition(op: Op, args: list[Term], answers: tuple[bool, ...]) -> str:
    """Return the textbook definition in symbols, such as "a if x > 0 else b".

    The definition runs once for each result of its comparisons; `answers` are the results of the first comparisons.
    """
    asked: list[str] = []

    def decide(comparison: str) -> bool:
        asked.append(comparison)
        return len(asked) > len(answers) or answers[len(asked) - 1]

    result = op.exact(_Symbols(decide), *[_Case(term, decide) for term in args])
    if len(asked) == len(answers):
        return typeset(result.term if isinstance(result, _Case) else constant(result))
    if len(answers) == _MOST_CASES:
        raise RecursionError(f"the definition of {op.name} has too many cases for a formula")
    yes, no = _definition(op, args, (*answers, True)), _definition(op, args, (*answers, False))
    return f"{f'({yes})' if ' if ' in yes else yes} if {asked[len(answers)]} else {no}"


class _Symbols:
    """Takes the place of mpmath in a definition, with functions of terms."""

    def __init__(self, decide: Callable[[str], bool]) -> None:
        self.decide = decide

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "mpf":
            return lambda x: x
        op = OPS[{"fabs": "abs", "power": "pow"}.get(name, name)]
        return lambda *args: _Case(constant(0.0), self.decide).apply_unchecked(op, args)


class _Case(Number):
    """A term as the argument of a definition; `decide` answers its comparisons."""

    __slots__ = ("decide", "term")

    def __init__(self, term: Term, decide: Callable[[str], bool]) -> None:
        self.term = term
        self.decide = decide

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> _Case:
        return _Case(apply(op, [_bare(arg) for arg in args]), self.decide)

    def __lt__(self, other: Any) -> bool:
        return self._compared("<", other)

    def __le__(self, other: Any) -> bool:
        return self._compared("≤", other)

    def __gt__(self, other: Any) -> bool:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> bool:
        return self._compared("≥", other)

    def __eq__(self, other: object) -> bool:
        return self._compared("=", other)

    def __ne__(self, other: object) -> bool:
        return self._compared("≠", other)

    __hash__ = None  # type: ignore[assignment]  # == asks `decide`, so cases cannot be keys

    def _compared(self, sign: str, other: Any) -> bool:
        limit = _bare(other).number
        if limit is not None and abs(limit) > _FAR:
            return (limit > 0) == (sign in "<≤≠")
        return self.decide(f"{typeset(self.term)} {sign} {typeset(_bare(other))}")


def _bare(x: Any) -> Term:
    return x.term if isinstance(x, _Case) else constant(as_float(x))


class _PerOperation:
    """An attribute of `Op` that is computed on each access to an operation; the class has a value of its own."""

    def __init__(self, of_operation: Callable[[Op], Any], of_class: Any) -> None:
        self.of_operation = of_operation
        self.of_class = of_class

    def __get__(self, op: Op | None, owner: type[Op]) -> Any:
        return self.of_class if op is None else self.of_operation(op)


for _kind in (Op, Choice):
    _kind.__doc__ = _PerOperation(documentation, _kind.__doc__)  # type: ignore[assignment]  # computed on access
Op.__signature__ = _PerOperation(signature, None)  # type: ignore[attr-defined]  # `inspect` reads it
