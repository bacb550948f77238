"""`script` translates operations into JavaScript: functions from their C99 forms, derivative rules by applying them.

So the page computes with the rules of the table, and no derivative is written a second time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from micrograd_bp.engine.number import Number
from micrograd_bp.ops.op import Op

_MATH = (
    "exp expm1 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan atan2 hypot sinh cosh tanh asinh acosh atanh"
)
_JAVASCRIPT = {name: f"Math.{name}" for name in _MATH.split()}
_JAVASCRIPT |= {"fabs": "Math.abs", "NAN": "NaN"}
_JAVASCRIPT |= {name: name for name in ("erf", "erfc", "fmin", "fmax", "pow")}  # in special.js
_NAME = re.compile(r"[A-Za-z_]\w*")
_C99 = re.compile(r"(?:[A-Za-z_]\w*|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\{\d\}|[-+*/()?:,<>=!&| ])+")
_PARAMETERS = "abcdefgh"


class Script(Number):
    """A JavaScript expression. An operation applied to it becomes a call, and is added to `used`."""

    __slots__ = ("text", "used")

    def __init__(self, text: str, used: set[Op]) -> None:
        self.text = text
        self.used = used

    @property
    def data(self) -> float:
        raise TypeError("a derivative rule must not decide by a number: use where, step or sign")

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Script:
        self.used.add(op)
        return Script(f"F.{op.name}({', '.join(_text(arg) for arg in args)})", self.used)


def script(ops: Iterable[Op]) -> str:
    """Return JavaScript that sets `F[name]`, the functions of the operations, and `D[name]`, their derivative rules.

    `F` also has the operations that the rules use.

    >>> from micrograd_bp import ops
    >>> print(script([ops.square]))
    F.square = (a) => a * a;
    F.mul = (a, b) => a * b;
    D.square = [(a, out) => F.mul(2.0, a)];
    """
    wanted = sorted(set(ops), key=lambda op: op.name)
    used: set[Op] = set()
    rules = [f"D.{op.name} = [{', '.join(_rules(op, used))}];" for op in wanted]
    called = [*wanted, *sorted(used.difference(wanted), key=lambda op: op.name)]
    functions = [f"F.{op.name} = ({', '.join(_parameters(op))}) => {_function(op)};" for op in called]
    return "\n".join([*functions, *rules])


def not_in_javascript(ops: Iterable[Op]) -> list[str]:
    """Return the names of the operations, among these and those that their rules use, that `script` cannot translate.

    They were defined again, or have no C99 form, or one that calls an unknown function, or a rule that decides by a
    number or calls a function that is not an operation.
    """
    wanted, used = set(ops), set[Op]()
    refused = set()
    for op in wanted:
        try:
            _rules(op, used)
        except TypeError:
            refused.add(op)
    return sorted({op.name for op in wanted | used if op in refused or op.superseded or not _is_known(op)})


def _parameters(op: Op) -> str:
    return _PARAMETERS[: op.arity]


def _rules(op: Op, used: set[Op]) -> list[str]:
    """Return the derivative rules as JavaScript. Raises TypeError where a rule cannot be applied to text."""
    args = [Script(name, used) for name in (*_parameters(op), "out")]
    names = ", ".join(arg.text for arg in args)
    return [f"({names}) => {_text(rule(*args))}" for rule in op.partials]


def _function(op: Op) -> str:
    """Return the C99 form with JavaScript's names of functions; the rest has the same syntax in C and JavaScript."""
    return _NAME.sub(lambda m: _JAVASCRIPT[m[0]], op.native).format(*_parameters(op))


def _is_known(op: Op) -> bool:
    """Whether `_function` can translate the operation."""
    readable = _C99.fullmatch(op.native) is not None and op.arity <= len(_PARAMETERS)
    return readable and _JAVASCRIPT.keys() >= set(_NAME.findall(op.native))


def _text(x: Any) -> str:
    """Return a number or expression in JavaScript."""
    if isinstance(x, Script):
        return x.text
    number = float(x)
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
