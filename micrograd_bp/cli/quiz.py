"""`micrograd-bp quiz` asks for a gradient, grades the answer and explains it."""

from __future__ import annotations

import argparse
import math
import random
import re
import sys

from micrograd_bp.cli import output
from micrograd_bp.cli.arguments import Options, one_line
from micrograd_bp.engine import Value
from micrograd_bp.expression import Program, parse
from micrograd_bp.symbolic.templates import number

ABOUT = """Ask for one gradient of a formula, given the values of its leaves.

The answer is a number, or a formula of numbers such as 2*0.5/3. It is compared at its own number of significant digits,
which is at least two unless the answer is exact. Without --answer it is read from the terminal or standard input.

The exit code is 0 for a right answer, 1 for a wrong one, and 2 for an answer that is not a number. The same level and
seed give the same question; without a seed, each run asks a new one."""

EXAMPLES = """
--level 3
--level 2 --seed 7 --answer 0.25
"""

# The formulas of each level; {f} and {g} are two activations, {n} is a small whole number.
_LEVELS: dict[int, tuple[str, ...]] = {
    1: ("L = w*x + b", "L = {n}*w - x", "L = w*x - y", "L = (w + b)*x"),
    2: ("L = (w*x - y)**2", "z = w*x + b; L = z**2 / 2", "L = (w + b)*(w - x)", "z = x / w; L = {n}*z"),
    3: ("z = w*x + b; L = {f}(z)", "a = {f}(w*x); L = {n}*a + b", "a = {f}(x); L = (w*a - y)**2 / 2"),
    4: ("z = w*x + b; a = {f}(z); L = (a - y)**2 / 2", "h = {f}(w*x); a = {g}(v*h + b); L = {n}*a"),
    5: (
        "z = w*x; a = {f}(z); L = a*z + w**2",
        "h = {f}(w*x + b); k = {g}(w*x - b); L = (h*k - y)**2",
        "h = {f}(w*x); a = {g}(w*h + b); L = (a - y)**2 / 2",
    ),
}
_ACTIVATIONS = ("sigmoid", "tanh", "exp", "sin", "relu", "softplus")


def run(arguments: list[str]) -> int:
    """Ask, grade and explain; return 0 for a right answer, 1 for a wrong one."""
    options = Options("quiz", ABOUT, EXAMPLES)
    options.add_argument("--level", type=int, choices=_LEVELS, default=1, help="the difficulty, 1 to 5 (default 1)")
    options.add_argument("--seed", type=_seed, help="the number of the question")
    options.add_argument("--answer", metavar="X", help="the answer")
    chosen = options.read(arguments)
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    program, values, name = question(chosen.level, seed)
    print(f"question {seed} of level {chosen.level}\n")
    print("\n".join(f"  {a.name} = {a.text}" for a in program.assignments))
    print(f"  at {', '.join(f'{leaf} = {number(x)}' for leaf, x in values.items())}\n", flush=True)
    typed = _asked(name) if chosen.answer is None else _shown(name, chosen.answer)
    found = program.run(values)
    found["L"].backward()
    right, why = graded(typed, found[name].grad)
    print(f"{'right' if right else 'wrong'}: {why}\n")
    print(output.explanation(found["L"], [found[name]], 4))
    return 0 if right else 1


def question(level: int, seed: int) -> tuple[Program, dict[str, float], str]:
    """Return a formula, the values of its leaves, and the name whose gradient is asked for.

    The question depends on `level` and `seed` only.

    >>> program, values, name = question(1, 0)
    >>> program.text, values, name
    ('L = w*x + b', {'w': 2.5, 'x': 1.5, 'b': -3.0}, 'w')
    """
    draw = random.Random(f"{level} {seed}")
    while True:
        f, g = draw.sample(_ACTIVATIONS, 2)
        program = parse(draw.choice(_LEVELS[level]).format(f=f, g=g, n=draw.randint(2, 4)))
        values = {leaf: draw.choice((-1, 1)) * draw.randint(1, 6) / 2 for leaf in program.leaves}
        name = draw.choice([leaf for leaf in program.leaves if level == 1 or leaf in "wxvb"])
        found = program.run(values)
        found["L"].backward()
        if 1e-3 < abs(found[name].grad) < 100 and not _on_kink(found):
            return program, values, name


def _on_kink(found: dict[str, Value]) -> bool:
    return any(
        kink(*[arg.data if isinstance(arg, Value) else arg for arg in node.args]) == 0.0
        for node in found.values()
        if node.op is not None
        for kink in node.op.kinks
    )


def graded(typed: str, truth: float) -> tuple[bool, str]:
    """Return whether an answer is right, and a text about the comparison.

    >>> graded("0.33", 1 / 3), graded("0.3", 1 / 3)[0], graded("1/3", 1 / 3)[0]
    ((True, 'it is 0.3333; compared at the 2 significant digits given'), False, True)

    Raises ValueError (ExpressionError for formulas) for an answer that is not a finite number.
    """
    answer = _number(typed)
    if math.isclose(answer, truth, rel_tol=1e-9):
        return True, f"it is {number(truth)}"
    mantissa = re.fullmatch(r"\s*[-+]?0*\.?0*(\d*\.?\d*)(?:[eE][-+]?\d+)?\s*", typed)
    shown = max(len(mantissa[1].replace(".", "")), 1) if mantissa else 4
    unit = 10.0 ** (math.floor(math.log10(abs(answer))) - shown + 1) if answer else 0.0
    near = abs(answer - truth) <= 0.501 * unit
    if near and shown < 2:
        return False, f"it is {number(truth)}; give at least 2 significant digits, unless the number is exact"
    if abs(answer + truth) <= 0.501 * unit:
        return False, f"it is {number(truth)}; the sign is wrong"
    how = f"the {shown} significant digit{'s' * (shown != 1)} given" if mantissa else "4 significant digits"
    return near, f"it is {number(truth)}; compared at {how}"


def _number(typed: str) -> float:
    program = parse(typed.replace("−", "-"))
    if program.leaves or program.names:
        raise ValueError(f"the answer is a number, such as 0.25 or 1/4, not {one_line(typed)!r}")
    return program.run({})[""].data


def _asked(name: str) -> str:
    if sys.stdin.isatty():
        return input(f"∂L/∂{name} = ")
    line = sys.stdin.readline(1000)
    if not line.strip():
        raise ValueError("there is no answer: give it with --answer, or as a line of standard input")
    return _shown(name, line)


def _shown(name: str, typed: str) -> str:
    print(f"∂L/∂{name} = {one_line(typed)}")
    return typed


def _seed(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"give a whole number, at least 0, not {one_line(text)!r}")
    return number
