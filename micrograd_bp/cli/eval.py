"""`micrograd-bp eval`: values, gradients and the chain rule of a formula."""

from __future__ import annotations

import difflib
import sys

from micrograd_bp.cli import inputs, report
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.expression import parse

ABOUT = """Values, gradients and the chain rule of a formula.

A formula is one or several assignments, separated by ; or line ends; the last one is the result. There are + - * / **,
brackets, numbers, pi, e, and every operation of micrograd_bp: sigmoid(x), maximum(x, y), leaky_relu(x, slope=0.1) ...
Names that are not assigned are leaves; each needs a value."""

EXAMPLES = """
"L = (sigmoid(w*x + b) - y)**2 / 2" w=0.3 b=0.1 x=0.5 y=1
"z = w*x + b; L = tanh(z)" w=2 x=-1 b=0.5 --wrt w --wrt z
"L = log(x)" x=2 --json
-f neuron.txt w=2 x=-1 b=0.5 --svg neuron.svg
"""


def run(arguments: list[str]) -> int:
    """Print what is asked for."""
    options = _options().read(arguments)
    report.check_ending(options.svg, ".svg")
    report.check_ending(options.html, ".html")
    text, words = inputs.formula_and_values(options)
    program = parse(text)
    found = program.run(inputs.values(words))
    root = found[program.result]
    root.backward()
    wrt = [_named(name, found, root) for name in dict.fromkeys(options.wrt)]
    if options.json:
        leaves = [name for name in found if name not in program.names and name]
        print(report.as_json(program, found, list(dict.fromkeys(options.wrt)) or leaves))
    elif options.latex:
        print(report.explanation(root, wrt, options.digits, latex=True))
    else:
        print(report.gradients(program, found, options.digits))
        print(f"\n{report.explanation(root, wrt, options.digits)}")
    for path in (options.svg, options.html):
        if path is not None:
            print(f"wrote {report.save(root, path)}", file=sys.stderr)
    return 0


def _options() -> inputs.Options:
    options = inputs.Options("eval", ABOUT, EXAMPLES)
    options.add_formula("a formula in quotes (- reads standard input), and a value for each leaf")
    options.add_argument("--wrt", metavar="NAME", action="append", default=[], help="explain this gradient only")
    options.add_argument("--digits", type=inputs.digits, default=4, help="significant digits, 1 to 17 (default 4)")
    options.add_argument("--svg", metavar="FILE", help="write the graph as a picture")
    options.add_argument("--html", metavar="FILE", help="write the graph as an interactive page")
    form = options.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="print the explanation as LaTeX only")
    form.add_argument("--json", action="store_true", help="print everything as JSON, numbers in full")
    return options


def _named(name: str, found: dict[str, Value], root: Value) -> Value:
    if name not in found or not name:
        close = difflib.get_close_matches(name, found, n=1)
        meant = f"is {close[0]} meant?" if close else f"there are {', '.join(filter(None, list(found)[:20]))}"
        raise ValueError(f"--wrt {name}: the formula has no such name; {meant}")
    if found[name] not in set(topological_order(root)):
        raise ValueError(f"--wrt {name}: the result does not depend on it")
    return found[name]
