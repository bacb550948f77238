"""Values from typed text: `parse("L = (w*x - y)**2").run({"w": 2, "x": 1, "y": 3})`. Python never evaluates the text.

A text has assignments, separated by `;` or line ends, and comments after `#`. A formula has numbers, names, + - * / **,
brackets, and every operation as a function. A name has one value: it is assigned once, before it is used. A name that
is not assigned is a leaf, except `pi` and `e`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from micrograd_bp.engine import Value
from micrograd_bp.engine.number import check_domain
from micrograd_bp.engine.value import record
from micrograd_bp.errors import DomainError, ExpressionError, PoleError
from micrograd_bp.expression.lexer import LONGEST_TEXT
from micrograd_bp.expression.locations import error
from micrograd_bp.expression.parser import Assignment, Instruction, Parser
from micrograd_bp.ops.op import Op
from micrograd_bp.ops.reals import as_float

CONSTANTS = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True)
class Program:
    """A parsed text, the result of `parse`.

    `text`         the text
    `assignments`  the assignments in order, each with `name` and `text` (the right side)
    `leaves`       the names that need a value, in the order of their first use
    `constants`    the names `pi` and `e`, if they are used; a given value makes one a leaf
    `names`        the assigned names, in order
    `result`       the name of the last formula, "" where it has none
    `uses`         the names in formulas, each with the offset of its first use in the text
    """

    text: str
    assignments: tuple[Assignment, ...] = field(repr=False)
    leaves: tuple[str, ...]
    constants: tuple[str, ...]
    names: tuple[str, ...]
    result: str
    uses: dict[str, int] = field(repr=False)

    def run(self, values: Mapping[str, float]) -> dict[str, Value]:
        """Compute all formulas and return the leaves and the assigned names, each with its named node.

        The last formula is `[self.result]`. A formula without leaves, `w = 0.5`, gives a leaf; `a = b` gives the same
        node another name. Raises ExpressionError for a leaf without a value, outside a domain, and for a result that is
        not finite; ValueError for a value that is not finite or that no formula uses; TypeError for anything but a
        number.

        >>> values = parse("z = w*x; L = z**2").run({"w": 3.0, "x": 0.5})
        >>> values["L"].backward()
        >>> {name: v.grad for name, v in values.items()}
        {'w': 1.5, 'x': 9.0, 'z': 3.0, 'L': 1.0}
        """
        missing = [name for name in self.leaves if name not in values]
        if missing:
            raise error(_missing(missing), self.text, self.uses[missing[0]])
        assigned = set(self.names)
        for name in values:
            if name not in self.uses or name in assigned:
                raise ValueError(_stranger(name, self))
        found = {name: _leaf(name, values[name]) for name in (*self.leaves, *self.constants) if name in values}
        known: dict[str, Any] = {name: CONSTANTS[name] for name in self.constants} | found
        for assignment in self.assignments:
            number = computed(assignment.code, known, self._applied)
            node = number if isinstance(number, Value) else Value(number)
            if node.name is None and assignment.name:
                node.name = assignment.name
            found[assignment.name] = known[assignment.name] = node
        return found

    def unchecked(self, values: Mapping[str, float]) -> Any:
        """Return the last formula at these values. It follows IEEE 754, and no domain is checked; None without values.

        >>> parse("log(1 + exp(x))").unchecked({"x": 1000.0}).data
        inf
        """
        if not {*self.leaves} <= {*values}:
            return None
        known: dict[str, Any] = {name: CONSTANTS[name] for name in self.constants}
        known |= {name: Value(values[name], name) for name in (*self.leaves, *self.constants) if name in values}
        for assignment in self.assignments:
            known[assignment.name] = computed(assignment.code, known, applied_unchecked)
        return known[self.result]

    def _applied(self, op: Op, args: tuple[Any, ...], offset: int) -> Any:
        numbers = tuple([arg.data if isinstance(arg, Value) else arg for arg in args])
        try:
            out = op(*args)
            number = out.data if isinstance(out, Value) else out
            if not math.isfinite(number):
                check_domain(op, numbers)
        except PoleError as outside:
            raise error(f"division by zero: {outside}", self.text, offset) from outside
        except DomainError as outside:
            raise error(str(outside), self.text, offset) from outside
        if not math.isfinite(number):
            step = f"{op.name}({', '.join(map(repr, numbers))})"
            raise error(f"{step} overflows: a float is at most 1.8e308", self.text, offset)
        return out


def applied_unchecked(op: Op, args: tuple[Any, ...], offset: int = 0) -> Any:
    """Return op(*args), which follows IEEE 754 and is not checked."""
    if any(isinstance(arg, Value) for arg in args):
        return record(op, args)
    return op(*args)


def computed(
    code: list[Instruction], known: Mapping[str, Any], applied: Callable[[Op, tuple[Any, ...], int], Any]
) -> Any:
    """Return the number that the instructions of a formula compute; `applied(op, args, offset)` is one operation."""
    stack: list[Any] = []
    for what, offset, count, order in code:
        if isinstance(what, float):
            stack.append(what)
        elif isinstance(what, str):
            stack.append(known[what])
        else:
            given = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            args = given if order is None else [given[x] if isinstance(x, int) else x for x in order]
            stack.append(applied(what, tuple(args), offset))
    return stack[0]


def parse(text: str) -> Program:
    """Return the program for a typed text; the docstring of the module describes the grammar.

    Raises ExpressionError, with the line and column of the mistake, for a text outside the grammar, and TypeError for
    anything but a str.

    >>> program = parse("z = w*x + b; L = (sigmoid(z) - y)**2 / 2")
    >>> program.leaves, program.names, program.result
    (('w', 'x', 'b', 'y'), ('z', 'L'), 'L')
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression is a str, not {type(text).__name__}")
    parser = Parser(text)
    assignments = tuple(parser.assignments())
    names = tuple(assignment.name for assignment in assignments if assignment.name)
    assigned = set(names)
    free = [name for name in parser.uses if name not in assigned]
    constants = tuple(name for name in free if name in CONSTANTS)
    leaves = tuple(name for name in free if name not in CONSTANTS)
    return Program(text, assignments, leaves, constants, names, assignments[-1].name, parser.uses)


def _leaf(name: str, value: float) -> Value:
    number = as_float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} = {number!r}: a finite number is needed")
    return Value(number, name)


def _missing(names: list[str]) -> str:
    shown = names if len(names) <= 20 else [*names[:20], f"... ({len(names)} names)"]
    return f"no value is given for {', '.join(shown)}"


def _stranger(name: str, program: Program) -> str:
    if name in program.names:
        return f"{name} is computed by the expression, so that no value can be given for it"
    free = program.leaves + program.constants
    close = difflib.get_close_matches(name, free, n=1)
    meant = f": is {close[0]} meant?" if close else f"; its leaves are {', '.join(free[:20])}" if free else ""
    return f"{name!r} is not used by the expression{meant}"


__all__ = ["CONSTANTS", "LONGEST_TEXT", "Assignment", "ExpressionError", "Program", "parse"]
