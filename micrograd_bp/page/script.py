"""JavaScript from the rows: each function from its C99 form, each derivative rule by applying it to text.

So the page computes with what is written in the table, and nothing is differentiated twice. Imports number, op and ops.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from micrograd_bp.number import Number
from micrograd_bp.op import Op

_MATH = {name: f"Math.{name}" for name in dir(math)} | {"fabs": "Math.abs", "fmin": "Math.min", "fmax": "Math.max"}
_IN_JAVASCRIPT = frozenset(
    [
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "cbrt",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "hypot",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "pow",
        "fabs",
        "fmin",
        "fmax",
    ]
)
_OWN = frozenset({"erf", "erfc"})  # in page.js, for JavaScript has none
_NAME = re.compile(r"[A-Za-z_]\w*")


class Script(Number):
    """A JavaScript expression; rows applied to it are calls of the rows' functions, and are noted in `used`."""

    __slots__ = ("text", "used")

    def __init__(self, text: str, used: set[Op]) -> None:
        self.text = text
        self.used = used

    @property
    def data(self) -> float:  # type: ignore[override]  # has none
        raise TypeError("a rule must not decide by a number: use where, step or sign")

    def apply(self, op: Op, args: tuple[Any, ...]) -> Script:
        self.used.add(op)
        return Script(f"F.{op.name}({', '.join(_text(arg) for arg in args)})", self.used)


def script(ops: Iterable[Op]) -> str:
    """`F`, the functions of the rows and of those that their rules use, and `D`, the rules.

    >>> from micrograd_bp import ops
    >>> print(script([ops.square]))
    F.square = (a) => a * a;
    F.mul = (a, b) => a * b;
    D.square = [(a, out) => F.mul(2.0, a)];
    """
    wanted = sorted(set(ops), key=lambda op: op.name)
    used: set[Op] = set()
    rules = []
    for op in wanted:
        names = [Script(name, used) for name in (*_names(op), "out")]
        parameters = ", ".join(_text(name) for name in names)
        texts = [f"({parameters}) => {_text(rule(*names))}" for rule in op.partials]
        rules.append(f"D.{op.name} = [{', '.join(texts)}];")
    called = [*wanted, *sorted(used.difference(wanted), key=lambda op: op.name)]
    functions = [f"F.{op.name} = ({', '.join(_names(op))}) => {_function(op)};" for op in called]
    return "\n".join([*functions, *rules])


def not_in_javascript(ops: Iterable[Op]) -> list[str]:
    """The rows, among these and those that their rules use, whose C99 form calls what JavaScript does not have."""
    wanted, used = set(ops), set[Op]()
    for op in wanted:
        names = [Script(name, used) for name in (*_names(op), "out")]
        for rule in op.partials:
            rule(*names)
    return sorted(op.name for op in wanted | used if _unknown(op))


def _names(op: Op) -> list[str]:
    return ["a", "b", "c", "d", "e", "f", "g", "h"][: op.arity]


def _function(op: Op) -> str:
    """The C99 form with JavaScript's names; C and JavaScript write the rest alike."""
    text = _NAME.sub(lambda m: _javascript(m[0]), op.native)
    return text.format(*_names(op))


def _javascript(name: str) -> str:
    if name == "NAN":
        return "NaN"
    return _MATH[name] if name in _IN_JAVASCRIPT else name


def _unknown(op: Op) -> bool:
    names = set(_NAME.findall(op.native.format(*["0"] * op.arity)))
    return not names <= _IN_JAVASCRIPT | _OWN | {"NAN"} or op.arity > len(_names(op))


def _text(x: Any) -> str:
    """A number or expression in JavaScript."""
    if isinstance(x, Script):
        return x.text
    number = float(x)
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
