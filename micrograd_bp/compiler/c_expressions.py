"""A parser of the operations' C99 forms. Each backend translates the resulting tree into its own language.

The grammar has numbers, {0} for an argument, names, calls, + - * /, comparisons, ||, &&, ?: and brackets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from micrograd_bp.ops.op import Op

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|\{(\d)\}|([A-Za-z_]\w*)|([<>=!]=|\|\||&&|[-+*/()?:,<>!]))"
)
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/"))  # in ascending precedence
_CONDITIONS = {sign for level in _LEVELS[:4] for sign in level}


class Node(NamedTuple):
    """`kind` is "number", "argument", "call", "unary", "binary" or "choose"; `value`: number, index, name or sign."""

    kind: str
    value: Any
    parts: tuple[Node, ...] = ()


FUNCTIONS = {"fabs", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "pow", "hypot", "erf", "erfc"}
FUNCTIONS |= {f"{a}{name}{h}" for a in ("", "a") for name in ("sin", "cos", "tan") for h in ("", "h")}
FUNCTIONS |= {"atan2", "fmin", "fmax"}
"""The C functions that forms may call. LLVM would look up any other name in the libraries that the process loaded."""


@cache
def tree(op: Op) -> Node:
    """Return the tree of an operation's C99 form. Raises ValueError if it has none or the grammar does not allow it."""
    if not op.native:
        raise ValueError(f"{op.name} has no C99 form; give one with @op(native=...)")
    return _Reader(op).whole()


def has_forms(operations: Iterable[Op | None]) -> bool:
    """Whether all operations have a C99 form that this grammar allows; None stands for a leaf."""
    try:
        return all(op is None or bool(tree(op)) for op in operations)
    except ValueError:
        return False


class _Reader:
    def __init__(self, op: Op) -> None:
        self.op = op
        self.tokens: list[tuple[str, str]] = []
        index, text = 0, op.native.rstrip()
        while index < len(text):
            match = _TOKEN.match(text, index)
            if match is None:
                raise self.error()
            kind = ("number", "argument", "name", "sign")[(match.lastindex or 1) - 1]
            self.tokens.append((kind, match[match.lastindex or 0]))
            index = match.end()
        self.position = 0

    def error(self) -> ValueError:
        return ValueError(
            f"{self.op.name}: the C99 form {self.op.native!r} is not an expression that the compiler can read"
        )

    def sign(self) -> str:
        kind, text = self.tokens[self.position] if self.position < len(self.tokens) else ("", "")
        return text if kind == "sign" else ""

    def take(self, sign: str) -> None:
        if self.sign() != sign:
            raise self.error()
        self.position += 1

    def whole(self) -> Node:
        found = self.choice()
        if self.position != len(self.tokens) or found.value in _CONDITIONS:
            raise self.error()
        return found

    def choice(self) -> Node:
        condition = self.binary(0)
        if self.sign() != "?":
            return condition
        self.take("?")
        yes = self.choice()
        self.take(":")
        return Node("choose", "?", (condition, yes, self.choice()))

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while (sign := self.sign()) in _LEVELS[level]:
            self.take(sign)
            left = Node("binary", sign, (left, self.binary(level + 1)))
        return left

    def unary(self) -> Node:
        if self.sign() == "-":
            self.take("-")
            return Node("unary", "-", (self.unary(),))
        return self.primary()

    def primary(self) -> Node:
        if self.sign() == "(":
            self.take("(")
            inner = self.choice()
            self.take(")")
            return inner
        if self.position == len(self.tokens) or self.sign():
            raise self.error()
        kind, text = self.tokens[self.position]
        self.position += 1
        if kind == "number":
            return Node("number", float(text))
        if kind == "argument":
            if int(text) >= self.op.arity:
                raise self.error()
            return Node("argument", int(text))
        if text == "NAN":
            return Node("number", math.nan)
        if text not in FUNCTIONS:
            raise self.error()
        self.take("(")
        parts = [self.choice()]
        while self.sign() == ",":
            self.take(",")
            parts.append(self.choice())
        self.take(")")
        return Node("call", text, tuple(parts))


def written(node: Node, args: tuple[Any, ...], write: Callable[[str, Any, tuple[Any, ...]], Any]) -> Any:
    """Translate a tree: `write(kind, value, parts)` translates a node, `args` are the translated arguments."""
    if node.kind == "argument":
        return args[node.value]
    return write(node.kind, node.value, tuple([written(part, args, write) for part in node.parts]))
