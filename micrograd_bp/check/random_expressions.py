"""`Expression`, a random function whose repr is its code; `strategies.expressions` draws them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from micrograd_bp.ops.op import ATOM, OPS, Op


class Expression:
    """A function of floats or Values, drawn by `expressions()`, with a `point` at which to check it; its repr is code.

    >>> import micrograd_bp as mb
    >>> e = Expression([("tanh", "x"), ("mul", 0, "y")], {"x": 0.5, "y": 2.0})
    >>> e
    lambda x, y: mb.tanh(x) * y  # at 0.5, 2.0
    >>> e(0.5, 2.0) == mb.tanh(0.5) * 2.0
    True
    """

    def __init__(self, lines: Sequence[tuple[Any, ...]], point: dict[str, float]) -> None:
        """Each line has an operation's name and its arguments: names of leaves, numbers of earlier lines, or floats."""
        used = _used(lines)
        index = {line: i for i, line in enumerate(used)}
        self.lines = [(lines[i][0], *(index[a] if type(a) is int else a for a in lines[i][1:])) for i in used]
        leaves = {arg for line in self.lines for arg in line[1:] if isinstance(arg, str)}
        self.inputs = {name: x for name, x in point.items() if name in leaves}

    @property
    def point(self) -> tuple[float, ...]:
        """The numbers of the variables at which to check the expression."""
        return tuple(self.inputs.values())

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self.inputs):
            raise TypeError(f"the expression takes {len(self.inputs)} arguments, {len(args)} given")
        leaves = dict(zip(self.inputs, args, strict=True))
        results: list[Any] = []
        for name, *given in self.lines:
            operands = [leaves[a] if isinstance(a, str) else results[a] if type(a) is int else a for a in given]
            results.append(OPS[name](*operands))
        return results[-1]

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in self.inputs])

    @property
    def code(self) -> str:
        """The function as Python code, in which a line that is used twice is named at its first use."""
        uses: dict[int, int] = {}
        for line in self.lines:
            for arg in line[1:]:
                if type(arg) is int:
                    uses[arg] = uses.get(arg, 0) + 1
        named = {i: f"t{k}" for k, i in enumerate(sorted(i for i, n in uses.items() if n > 1), start=1)}
        first = _first_uses(self.lines)
        texts: list[tuple[str, int]] = []
        for i, (name, *given) in enumerate(self.lines):
            args = []
            for k, arg in enumerate(given):
                if type(arg) is not int:
                    args.append((repr(arg) if isinstance(arg, float) else arg, ATOM if arg == arg else 0))
                elif arg in named and first[arg] != (i, k):
                    args.append((named[arg], ATOM))
                elif arg in named:
                    args.append((f"({named[arg]} := {texts[arg][0]})", ATOM))
                else:
                    args.append(texts[arg])
            texts.append(_python(OPS[name], args))
        return f"lambda {', '.join(self.inputs)}: {texts[-1][0]}"

    def __repr__(self) -> str:
        return f"{self.code}  # at {', '.join(map(repr, self.point))}"


def _used(lines: Sequence[tuple[Any, ...]]) -> list[int]:
    """Return the numbers of the lines on which the last line depends, in order."""
    needed = {len(lines) - 1}
    for i in reversed(range(len(lines))):
        if i in needed:
            needed.update(arg for arg in lines[i][1:] if type(arg) is int)
    return sorted(needed)


def _first_uses(lines: Sequence[tuple[Any, ...]]) -> dict[int, tuple[int, int]]:
    """Return where Python first uses each line when it evaluates the last one: depth first, left to right."""
    first: dict[int, tuple[int, int]] = {}
    stack = [(len(lines) - 1, k) for k in reversed(range(1, len(lines[-1])))]
    while stack:
        i, k = stack.pop()
        arg = lines[i][k]
        if type(arg) is int and arg not in first:
            first[arg] = (i, k - 1)
            stack.extend((arg, below) for below in reversed(range(1, len(lines[arg]))))
    return first


def _python(op: Op, args: list[tuple[str, int]]) -> tuple[str, int]:
    """Return an operation as Python code: with an operator that C and Python share, else as a call."""
    if re.fullmatch(r"\{0\} [-+*/] \{1\}|-\{0\}", op.native):
        needs = op.binds if op.arity > 1 else (ATOM,)  # in Python -x * y and -(x * y) are different expressions
        parts = [text if need <= has else f"({text})" for (text, has), need in zip(args, needs, strict=True)]
        return op.native.format(*parts), op.precedence
    return f"mb.{op.name}({', '.join(text for text, _ in args)})", ATOM
