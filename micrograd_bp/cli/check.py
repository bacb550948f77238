"""`micrograd-bp check` compares a typed derivative with the engine's and finds the mistake."""

from __future__ import annotations

import difflib
import re
import unicodedata

from micrograd_bp.cli.arguments import Options, digits, formula_and_values
from micrograd_bp.cli.arguments import values as values_of
from micrograd_bp.cli.compare import Comparison, same
from micrograd_bp.cli.diagnosis import diagnosis
from micrograd_bp.engine import topological_order
from micrograd_bp.errors import ExpressionError
from micrograd_bp.expression import Program, parse
from micrograd_bp.expression.locations import error
from micrograd_bp.symbolic.templates import number

ABOUT = """Compare a derivative that you worked out with the engine's.

Both are computed at the given point and at points near it, so that a wrong formula cannot be right by chance. The
derivative may use all names of the formula. If it is wrong, its factors are compared with those of the chain rule.

The exit code is 0 for a right derivative, 1 for a wrong one, and 2 for input that cannot be read or computed."""

EXAMPLES = """
"L = (w*x - y)**2/2" "dL/dw = (w*x - y)*x" w=2 x=3 y=1
"z = w*x; a = sigmoid(z); L = a**2" "dL/dw = 2*a*x" w=1 x=2
"z = w*x; a = sigmoid(z); L = a**2" "dL/dw = 2*a * a*(1 - a) * x" w=1 x=2
"""
_LARGEST = 500  # values; in larger graphs the mistake is not looked for


def run(arguments: list[str]) -> int:
    """Print the verdict, and return 0 for a right derivative or 1 for a wrong one."""
    options = Options("check", ABOUT, EXAMPLES)
    options.add_formula("the formula, the derivative as dL/dw = ..., both in quotes, and a value for each leaf")
    options.add_argument("--digits", type=digits, default=4, help="significant digits, 1 to 17 (default 4)")
    chosen = options.read(arguments)
    text, words = formula_and_values(chosen)
    if not words:
        raise ValueError('the derivative is missing; give it as "dL/dw = ..."')
    derivative, *given = words
    program, values = _opened(parse(text), values_of(given))
    of, wrt, typed = _typed(derivative, program)
    try:
        comparison = Comparison(program, typed, of, wrt, values)
    except ExpressionError as wrong:
        raise (_moved(wrong, derivative) if wrong.text == typed.text else wrong) from None
    yours = number(comparison.answers[0], chosen.digits)
    truth = number(comparison.truths[0], chosen.digits)
    beside = len(comparison.truths) - 1
    if comparison.right:
        also = f"both agree at {beside} points near it as well" if beside else "no point near it could be tried"
        print(f"right: ∂{of}/∂{wrt} = {truth} here; {also}")
        return 0
    if beside and comparison.right_beside and comparison.at_kink():
        print(
            f"right: at {beside} points near; this point is on a kink, where {truth} is a convention (yours is {yours})"
        )
        return 0
    print(f"wrong: yours is {yours}, ∂{of}/∂{wrt} is {truth}")
    if same(comparison.answers[:1], comparison.truths[:1]):
        print("(it is right at this point by chance, and wrong at points near it)")
    if len(topological_order(comparison.graphs[0][of])) <= _LARGEST:
        print(*diagnosis(comparison), sep="\n")
    return 1


def _opened(program: Program, values: dict[str, float]) -> tuple[Program, dict[str, float]]:
    """Return `w = 2; L = w**2` as `L = w**2` and w=2, so that the other points vary w."""
    found = program.run(values)
    fixed = {n: found[n].data for n in program.names if found[n].op is None and found[n].name == n}
    rest = [a for a in program.assignments if a.name not in fixed]
    if not fixed or not rest:
        return program, values
    return parse("\n".join(f"{a.name} = {a.text}" if a.name else a.text for a in rest)), values | fixed


def _typed(text: str, program: Program) -> tuple[str, str, Program]:
    """Return L, w and the formula from `dL/dw = ...`. Raises ExpressionError for another form or an unknown name."""
    match = re.fullmatch(r"\s*[d∂]\s*([^\s/=]+)\s*/\s*[d∂]\s*([^\s/=]+)\s*=(.*)", text, re.DOTALL)
    if match is None:
        raise error("the derivative has the form dL/dw = ...", text, 0)
    of, wrt = (unicodedata.normalize("NFC", name) for name in match.groups()[:2])
    names = [*program.names, *program.leaves, *program.constants]
    for group, name, allowed in ((1, of, list(program.names)), (2, wrt, names)):
        if name not in allowed:
            raise error(f"the formula has no name '{name}'{_meant(name, allowed)}", text, match.start(group))
    if not match[3].strip():
        raise error("a formula is missing after =", text, len(text.rstrip()))
    padded = " " * match.start(3) + match[3]
    try:
        typed = parse(padded)
    except ExpressionError as wrong:
        raise _moved(wrong, text) from None
    if typed.names:
        raise error("the derivative is one formula, without assignments", text, len(text) - len(match[3].lstrip()))
    for name in typed.leaves:
        if name not in names:
            raise error(f"the formula has no name '{name}'{_meant(name, names)}", text, typed.uses[name])
    return of, wrt, typed


def _meant(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return (
        f": did you mean {close[0]}?"
        if close
        else f"; its names are {', '.join(names[:20])}"
        if names
        else f": write {name} = ... in the formula"
    )


def _moved(wrong: ExpressionError, text: str) -> ExpressionError:
    """Return an error in the padded formula as an error in the whole text."""
    starts = [0, *(end.end() for end in re.finditer("\r\n?|\n", text))]
    return error(wrong.message, text, starts[wrong.line - 1] + wrong.column - 1)
