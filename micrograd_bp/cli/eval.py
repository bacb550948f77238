"""`micrograd-bp eval` prints the values, the gradients and the chain rule of a formula."""

from __future__ import annotations

import difflib
import itertools
import sys

import micrograd_bp as mb
from micrograd_bp.cli import output
from micrograd_bp.cli.arguments import Options, digits, formula_and_values, values
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.expression import Program, parse
from micrograd_bp.expression.stable_forms import hint_at, unstable_forms

ABOUT = """Print the values, the gradients and the chain rule of a formula.

A formula is one or several assignments, separated by ; or line ends; the last one is the result. It may contain
+ - * / **, brackets, numbers, pi, e, and every operation of micrograd_bp: sigmoid(x), leaky_relu(x, slope=0.1) ...
Names that are not assigned are leaves; each needs a value.

--json prints an object with result, values, gradients, formulas (as typed) and derivatives (of the result, as formulas;
null where the graph is too large)."""

EXAMPLES = """
"L = (sigmoid(w*x + b) - y)**2 / 2" w=0.3 b=0.1 x=0.5 y=1
"z = w*x + b; L = tanh(z)" w=2 x=-1 b=0.5 --wrt w --wrt z
"L = log(x)" x=2 --json
-f neuron.txt w=2 x=-1 b=0.5 --svg neuron.svg
"""

_LARGEST = 200  # values; in larger graphs only the gradients of --wrt are explained


def run(arguments: list[str]) -> int:
    """Print the results, and return 0."""
    options = _options().read(arguments)
    output.check_ending(options.svg, ".svg")
    output.check_ending(options.html, ".html")
    text, words = formula_and_values(options)
    program = parse(text)
    given = values(words)
    try:
        found = program.run(given)
    except mb.ExpressionError as wrong:
        raise _with_hint(wrong, program, given) from wrong
    result = _result(program, found)
    root = found[result]
    root.backward()
    below = topological_order(root)
    chosen = list(dict.fromkeys(options.wrt))
    wrt = [_named(name, found, set(below)) for name in chosen]
    leaves = [name for name, node in found.items() if node.op is None and node.name == name and node is not root]
    if options.json:
        print(output.as_json(program, result, found, chosen or leaves))
    else:
        if not options.latex:
            print(output.gradients(result, found, options.digits))
        if wrt or len(below) <= _LARGEST:
            reached = set(below)
            shown = wrt or [found[name] for name in leaves if found[name] in reached]
            explained = output.explanation(root, shown, options.digits, options.latex)
        else:
            explained = f"(no explanation for {len(below):,} values; ask for one gradient with --wrt NAME)"
        if explained:
            print(explained if options.latex else f"\n{explained}")
        for form in [] if options.latex else unstable_forms(root):
            print(f"\nhint: {form}")
    for path in (options.svg, options.html):
        if path is not None:
            print(f"wrote {output.save(root, path)}", file=sys.stderr)
    return 0


def _options() -> Options:
    options = Options("eval", ABOUT, EXAMPLES)
    options.add_formula("a formula in quotes (- reads standard input), and a value for each leaf")
    options.add_argument(
        "--wrt", metavar="NAME", action="append", default=[], help="explain this gradient only (repeatable)"
    )
    options.add_argument("--digits", type=digits, default=4, help="significant digits, 1 to 17 (default 4)")
    options.add_argument("--svg", metavar="FILE", help="write the graph as a picture")
    options.add_argument("--html", metavar="FILE", help="write the graph as an interactive page")
    form = options.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="print the explanation as LaTeX only")
    form.add_argument("--json", action="store_true", help="print everything as JSON, numbers in full")
    return options


def _result(program: Program, found: dict[str, Value]) -> str:
    """Return the name of the result; a result without a name gets a free one."""
    if program.result:
        return program.result
    name = next(name for k in itertools.count() if (name := f"f{k or ''}") not in found)
    root = found.pop("")
    if root.name is None:
        root.name = name
    found[name] = root
    return name


def _with_hint(wrong: mb.ExpressionError, program: Program, given: dict[str, float]) -> mb.ExpressionError:
    """Return the error with the stable operation in place of a formula that overflows, if the table has one."""
    root = program.unchecked(given)
    hint = hint_at(root) if isinstance(root, Value) else ""
    if not hint:
        return wrong
    return mb.ExpressionError(wrong.message, wrong.text, wrong.line, wrong.column, f"{wrong}\nhint: {hint}")


def _named(name: str, found: dict[str, Value], below: set[Value]) -> Value:
    if name not in found:
        close = difflib.get_close_matches(name, found, n=1)
        meant = f"did you mean {close[0]}?" if close else f"the names are {', '.join(list(found)[:20])}"
        raise ValueError(f"--wrt {name}: the formula does not have this name; {meant}")
    if found[name] not in below:
        raise ValueError(f"--wrt {name}: the result does not depend on it")
    return found[name]
