"""Formulas that overflow or cancel where an operation of the table does not: log(1 + exp(u)) for softplus(u).

`FORMS` is the table. `unstable_forms` finds its formulas in a recorded graph, and computes both sides at the numbers of
the graph: a formula is reported only where its value or its derivatives have lost their digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from micrograd_bp import ops
from micrograd_bp.autodiff.reverse import adjoints
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.node import described
from micrograd_bp.engine.number import Number
from micrograd_bp.expression.parser import Instruction
from micrograd_bp.expression.program import applied_unchecked, computed, parse
from micrograd_bp.ops.op import Op

# what is written, what keeps its digits; of several that fit a node, the first is reported
FORMS = (
    ("log(1 + exp(u))", "softplus(u)"),
    ("log1p(exp(u))", "softplus(u)"),
    ("log(sigmoid(u))", "log_sigmoid(u)"),
    ("log(1 - sigmoid(u))", "log_sigmoid(-u)"),
    ("log1p(-sigmoid(u))", "log_sigmoid(-u)"),
    ("log(1 / (1 + exp(-u)))", "log_sigmoid(u)"),
    ("log(exp(u) + exp(v))", "logaddexp(u, v)"),
    ("log(exp(u) + exp(v) + exp(w))", "logaddexp(logaddexp(u, v), w)"),
    ("log(exp(u))", "u"),
    ("log(u + sqrt(u**2 + 1))", "asinh(u)"),
    ("log(u + sqrt(u**2 - 1))", "acosh(u)"),
    ("log(1 + u)", "log1p(u)"),
    ("log(1 - u)", "log1p(-u)"),
    ("(exp(u) - exp(-u)) / (exp(u) + exp(-u))", "tanh(u)"),
    ("(exp(2*u) - 1) / (exp(2*u) + 1)", "tanh(u)"),
    ("exp(u) - 1", "expm1(u)"),
    ("u / (1 + exp(-u))", "silu(u)"),
    ("1 / (1 + exp(-u))", "sigmoid(u)"),
    ("1 / (1 + exp(u))", "sigmoid(-u)"),
    ("exp(u) / (1 + exp(u))", "sigmoid(u)"),
    ("exp(u) / (exp(u) + exp(v))", "sigmoid(u - v)"),
    ("1 - sigmoid(u)", "sigmoid(-u)"),
    ("1 - tanh(u)**2", "4 * sigmoid(2*u) * sigmoid(-2*u)"),
    ("1 - erf(u)", "erfc(u)"),
    ("1 - cos(u)", "2 * sin(u/2)**2"),
    ("sqrt(u**2 + v**2)", "hypot(u, v)"),
    ("sqrt(u**2 - v**2)", "sqrt((u - v) * (u + v))"),
    ("sqrt(u**2 + v)", "hypot(u, sqrt(v))"),
    ("sqrt(u**2)", "abs(u)"),
    ("sqrt(u)**2", "u"),
    ("cbrt(u)**3", "u"),
    ("cbrt(u**3)", "u"),
)
_LOST = 1e-8  # a larger relative difference of the two sides is reported: half of the digits


class UnstableForm(NamedTuple):
    """A formula of the table in a graph: its top node, all its nodes, both texts, and what u, v and w are."""

    node: Value
    nodes: tuple[Value, ...]
    unstable: str
    stable: str
    bound: dict[str, Value | float]

    def __str__(self) -> str:
        where = ", ".join(f"{name} is {_shown(number)}" for name, number in self.bound.items())
        return f"{self.stable} is {self.unstable} and keeps its digits here, where {where}"


def unstable_forms(root: Value) -> list[UnstableForm]:
    """Return the formulas of the table in the graph that lose digits at its numbers, those nearest to the root first.

    >>> x = Value(1000.0, "x")
    >>> print(unstable_forms((1 + x.exp()).log())[0])
    softplus(u) is log(1 + exp(u)) and keeps its digits here, where u is x = 1000.0
    """
    return list(_unstable_forms(root))


def _unstable_forms(root: Value, containing: Value | None = None) -> Iterator[UnstableForm]:
    within: set[Value] = set()  # the nodes of formulas that were found
    for node in reversed(topological_order(root)):
        if node in within or node.op is None:
            continue
        top = _usual(node)[0]
        for unstable, stable, pattern in _patterns():
            if pattern.op is not top:
                continue
            match = next(_matches(pattern, node, {}, ()), None)
            if match is None or (containing is not None and containing not in match[1]):
                continue
            if _loses(unstable, stable, match[0]):
                yield UnstableForm(node, match[1], unstable, stable, match[0])
                within.update(match[1])
                break


def hint_at(root: Value, node: Value | None = None) -> str:
    """Return what to write instead of the first unstable formula, "" where there is none.

    If `node` is given, it is the first that contains this node.
    """
    return next((str(form) for form in _unstable_forms(root, node)), "")


def _shown(number: Value | float) -> str:
    if not isinstance(number, Value):
        return repr(number)
    return f"{described(number)} = {number.data!r}"


# --- matching ---------------------------------------------------------------------------------------------------------


class _Pattern(Number):
    """A number of a formula in the table: an operation on patterns and floats, or a name that stands for any number."""

    __slots__ = ("args", "name", "op")

    def __init__(self, op: Op | None, args: tuple[Any, ...], name: str = "") -> None:
        self.op = op
        self.args = args
        self.name = name

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> _Pattern:
        return _Pattern(*_rewritten(op, args))


_Match = tuple[dict[str, Value | float], tuple[Value, ...]]


@cache
def _patterns() -> tuple[tuple[str, str, _Pattern], ...]:
    names = {name: _Pattern(None, (), name) for name in "uvw"}
    return tuple([(unstable, stable, _evaluated(unstable, names)) for unstable, stable in FORMS])


def _rewritten(op: Op, args: tuple[Any, ...]) -> tuple[Op, tuple[Any, ...]]:
    """Return an operation in the form in which formulas are compared: x·x and x**2 as x², x + (−1) as x − 1 ..."""
    x, y = args[0], args[-1]
    if op is ops.pow and y in (2.0, -1.0, 0.5) and type(y) is float:
        return {2.0: ops.square, -1.0: ops.reciprocal, 0.5: ops.sqrt}[y], (x,)
    if op is ops.mul and _same(x, y):
        return ops.square, (x,)
    if op is ops.mul and -1.0 in (a for a in args if type(a) is float):
        return ops.neg, (y if type(x) is float else x,)
    if op is ops.div and type(x) is float and x == 1.0:
        return ops.reciprocal, (y,)
    if op is ops.sub and type(x) is float and x == 0.0:
        return ops.neg, (y,)
    if op is ops.add:
        for one, other in ((x, y), (y, x)):
            if type(other) is float and other < 0.0:
                return ops.sub, (one, -other)
            if isinstance(other, Value) and other.op is ops.neg:
                return ops.sub, (one, other.args[0])
    return op, args


def _usual(node: Value) -> tuple[Op, tuple[Any, ...]]:
    op = node.op
    if op is None:
        raise TypeError("a leaf has no operation")
    return _rewritten(op, node.args)


def _matches(pattern: Any, number: Any, bound: dict[str, Any], nodes: tuple[Value, ...]) -> Iterator[_Match]:
    """Yield what the names stand for, and the nodes, wherever the pattern fits the number."""
    if not isinstance(pattern, _Pattern):
        if type(number) is float and number == pattern:
            yield bound, nodes
    elif pattern.op is None:
        if pattern.name not in bound:
            yield {**bound, pattern.name: number}, nodes
        elif _same(bound[pattern.name], number):
            yield bound, nodes
    elif isinstance(number, Value) and number.op is not None:
        op, args = _usual(number)
        if op is pattern.op:
            exchanged = op in (ops.add, ops.mul)
            for order in (args, args[::-1]) if exchanged else (args,):
                found: list[_Match] = [(bound, (*nodes, number))]
                for part, arg in zip(pattern.args, order, strict=True):
                    found = [after for before in found for after in _matches(part, arg, *before)]
                yield from found


def _same(a: Any, b: Any, depth: int = 3) -> bool:
    """Return whether two numbers of a graph are one node, or computed in the same way."""
    if a is b or not (isinstance(a, Value) and isinstance(b, Value)):
        return a is b or (type(a) is float and type(b) is float and a == b)
    if depth == 0 or a.op is None or a.op is not b.op:
        return False
    return all(_same(x, y, depth - 1) for x, y in zip(a.args, b.args, strict=True))


# --- comparing --------------------------------------------------------------------------------------------------------


def _loses(unstable: str, stable: str, bound: Mapping[str, Value | float]) -> bool:
    """Return whether value and derivatives of the two sides differ, and the stable side has them."""
    numbers = {name: x.data if isinstance(x, Value) else x for name, x in bound.items()}
    written, right = (_with_slopes(text, numbers) for text in (unstable, stable))
    return not any(map(math.isnan, right)) and any(
        not (a == b or abs(a - b) <= _LOST * abs(b)) for a, b in zip(written, right, strict=True)
    )


def _with_slopes(text: str, numbers: Mapping[str, float]) -> list[float]:
    leaves = {name: Value(x) for name, x in numbers.items()}
    root = _evaluated(text, leaves)
    return [root.data, *adjoints(root, list(leaves.values()))]


def _evaluated(text: str, known: Mapping[str, Any]) -> Any:
    """Return a formula at `known` numbers; it follows IEEE 754 and does not check domains."""
    return computed(_code(text), known, applied_unchecked)


@cache
def _code(text: str) -> list[Instruction]:
    return parse(text).assignments[0].code
