"""The number that an equation has in the first tutorial."""

from __future__ import annotations

import re
from collections.abc import Mapping

from micrograd_bp import ops
from micrograd_bp.engine import Value
from micrograd_bp.explanation.paths import Equation, Path
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.term import Term

_PARAMETER = re.compile(r"(w)(\d+)_(\d)\d|(w)(\d+)_(\d+)_\d+|(b)(\d+)_(\d+)")
_SUM = re.compile(r"z\d+_\d+")


def formula_number(equation: Equation, all_equations: Mapping[Value, Equation], symbols: Symbols) -> str:
    """Return the number of the formula, such as "(3.2)", or "" where the value is not a parameter of a network.

    For sigmoid neurons, a weight and a bias have (3.2) and (3.5) in the output layer with half the squared error, and
    (3.3) and (3.6) in a hidden layer. In all other cases they have the general (3.1) and (3.4).
    """
    parameter = _PARAMETER.fullmatch(equation.node.name or "")
    if not parameter:
        return ""
    letter, layer, j = (group for group in parameter.groups() if group)
    found = {_number(path, letter, f"{layer}_{j}", all_equations, symbols) for path in equation.paths}
    return found.pop() if len(found) == 1 else ""


def _number(path: Path, letter: str, neuron: str, all_equations: Mapping[Value, Equation], symbols: Symbols) -> str:
    tops = [top for top, _, _ in path.chain[-2:]]
    if [top.name for top in tops] != [f"a{neuron}", f"z{neuron}"]:
        return ""
    general, output, hidden = ("(3.1)", "(3.2)", "(3.3)") if letter == "w" else ("(3.4)", "(3.5)", "(3.6)")
    a = tops[0]
    if a is path.head and a not in all_equations:  # root is the output, not a cost
        return general
    above = [path] if a is not path.head else all_equations[a].paths
    factors = [w.chain[-3 if w is path else -1] for w in above]
    if a.op is not ops.sigmoid:
        return general
    if all(_SUM.fullmatch(top.name or "") for top, _, _ in factors):
        return hidden
    error = all(
        top is w.head and top not in all_equations and _is_error(term, symbols.called(a))
        for w, (top, _, term) in zip(above, factors, strict=True)
    )
    return output if error else general


def _is_error(term: Term, a: Term) -> bool:
    """Whether the term is a − y for some y (or a, for y = 0), the derivative of half the squared error."""
    if term.digest == a.digest:
        return True
    parts = {part.digest: c for part, c in term.parts}
    return term.kind == "sum" and len(parts) == 2 and parts.get(a.digest) == 1 and -1 in parts.values()
