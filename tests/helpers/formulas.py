"""Terms evaluated elsewhere: in mpmath, and in SymPy by a table of its own that shares nothing with ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import sympy

from micrograd_bp.symbolic.term import Term

Heaviside = {"step": lambda x: sympy.Heaviside(x, 0), "less": lambda x, y: sympy.Heaviside(y - x, 0)}
Heaviside["exceeds"] = lambda x, y: sympy.Heaviside(x - y, 0)
SYMPY: dict[str, Callable[..., Any]] = {
    name: getattr(sympy, name)
    for name in [
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "sign",
    ]
} | {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": lambda x, y: x**y,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "log2": lambda x: sympy.log(x, 2),
    "log10": lambda x: sympy.log(x, 10),
    "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)),
    "cbrt": lambda x: sympy.cbrt(x),
    "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "log_sigmoid": lambda x: -sympy.log(1 + sympy.exp(-x)),
    "gelu": lambda x: x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + sympy.exp(-x)),
    "abs": sympy.Abs,
}


def in_sympy(term: Term, symbols: Mapping[str, Any]) -> Any:
    """The term as a SymPy expression; `symbols` by their texts."""
    if term.kind == "symbol":
        return symbols.get(term.name[0], {"π": sympy.pi, "e": sympy.E}.get(term.name[0]))
    if term.kind == "function":
        return SYMPY[term.op.name](*[in_sympy(arg, symbols) for arg in term.args])
    rationals = [(in_sympy(part, symbols), sympy.Rational(x.numerator, x.denominator)) for part, x in term.parts]
    return sympy.Add(*[p * x for p, x in rationals]) if term.kind == "sum" else sympy.Mul(*[p**x for p, x in rationals])


def in_mpmath(term: Term, symbols: Mapping[str, Any]) -> Any:
    """The number that the term is where its symbols are the given numbers, by the rows' textbook definitions."""
    if term.kind == "symbol":
        return symbols[term.name[0]] if term.name[0] in symbols else {"π": mpmath.pi, "e": mpmath.e}[term.name[0]]
    if term.kind == "function":
        return term.op.exact(mpmath, *[in_mpmath(arg, symbols) for arg in term.args])
    numbers = [(in_mpmath(part, symbols), mpmath.mpf(x.numerator) / x.denominator) for part, x in term.parts]
    return mpmath.fsum(p * x for p, x in numbers) if term.kind == "sum" else mpmath.fprod(p**x for p, x in numbers)
