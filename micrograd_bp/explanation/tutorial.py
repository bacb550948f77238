"""Which formula of the first tutorial an equation is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from micrograd_bp import ops
from micrograd_bp.engine import Value
from micrograd_bp.explanation.paths import Equation, Way
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.term import Term

_PARAMETER = re.compile(r"(w)(\d+)_(\d)\d|(w)(\d+)_(\d+)_\d+|(b)(\d+)_(\d+)")
_SUM = re.compile(r"z\d+_\d+")


def formula_number(equation: Equation, all_equations: Mapping[Value, Equation], symbols: Symbols) -> str:
    """ "(3.2)" and (3.5) for a weight and a bias of the output layer, (3.3) and (3.6) of a hidden one.

    They are stated for the sigmoid, and (3.2) and (3.5) for half the squared error; for others the general (3.1) and
    (3.4) hold. "" where the value is no parameter of a network.
    """
    parameter = _PARAMETER.fullmatch(equation.node.name or "")
    if not parameter:
        return ""
    letter, layer, j = (group for group in parameter.groups() if group)
    found = {_number(way, letter, f"{layer}_{j}", all_equations, symbols) for way in equation.ways}
    return found.pop() if len(found) == 1 else ""


def _number(way: Way, letter: str, neuron: str, all_equations: Mapping[Value, Equation], symbols: Symbols) -> str:
    tops = [top for top, _, _ in way.chain[-2:]]
    if [top.name for top in tops] != [f"a{neuron}", f"z{neuron}"]:
        return ""
    general, output, hidden = ("(3.1)", "(3.2)", "(3.3)") if letter == "w" else ("(3.4)", "(3.5)", "(3.6)")
    a = tops[0]
    if a is way.head and a not in all_equations:  # the output itself, no cost
        return general
    above = [way] if a is not way.head else all_equations[a].ways
    factors = [w.chain[-3 if w is way else -1] for w in above]
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
    """Whether the term is a − y for some y, also for y = 0: the derivative of half the squared error."""
    if term.digest == a.digest:
        return True
    parts = {part.digest: c for part, c in term.parts}
    return term.kind == "sum" and len(parts) == 2 and parts.get(a.digest) == 1 and -1 in parts.values()
