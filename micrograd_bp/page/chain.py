"""The symbolic derivatives that the page needs for the chain rule; names and formulas are those of `explain`."""

from __future__ import annotations

from typing import Any

from micrograd_bp import ops
from micrograd_bp.engine import Value
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.printer import written
from micrograd_bp.symbolic.term import ONE, Term

_LONGEST_LABEL = 22  # characters; a longer formula on a card is replaced by a name
_LONGEST = 120  # characters; a longer formula in an equation is left out
_MOST_EDGES = 60  # between named values; a longer chain has no formula


def users_of(order: list[Value]) -> dict[Value, list[tuple[Value, int]]]:
    """Return, for each value, its users with the index of the argument, in the order of the backward pass."""
    users: dict[Value, list[tuple[Value, int]]] = {node: [] for node in order}
    for user in reversed(order):
        for index, arg in enumerate(user.args):
            if isinstance(arg, Value):
                users[arg].append((user, index))
    return users


def links(order: list[Value], symbols: Symbols, digits: int) -> list[list[dict[str, Any]]]:
    """Return, for each value and each next named value above it, the latter's index and d named / d value as text.

    The root counts as named. Values with several users, and those whose formula does not fit on a card, get a name.
    """
    users = users_of(order)
    root = order[-1]
    for node in order:  # arguments first, since their names occur in the formula
        if len(users[node]) > 1 or len(symbols.definition(node, digits) if node.op else "") > _LONGEST_LABEL:
            symbols.called(node)
    found = []
    for node in order:
        above: dict[Value, Term | None] = {}
        for edge in users[node]:
            top, term = _climb(edge, users, root, symbols)
            if top in above:  # the value occurs several times in the formula of `top`
                before = above[top]
                term = None if before is None or term is None else before + term
            above[top] = term
        found.append([_link(top, term, symbols, digits) for top, term in above.items()])
    return found


def _climb(
    edge: tuple[Value, int], users: dict[Value, list[tuple[Value, int]]], root: Value, symbols: Symbols
) -> tuple[Value, Term | None]:
    edges = [edge]
    while not (edges[-1][0] is root or len(users[edges[-1][0]]) > 1 or symbols.is_named(edges[-1][0])):
        edges.append(users[edges[-1][0]][0])
    top = edges[-1][0]
    if len(edges) > _MOST_EDGES:
        return top, None
    term = ONE
    for user, index in reversed(edges):
        term = term * symbols.local(user, index)
    return top, term


def _link(top: Value, term: Term | None, symbols: Symbols, digits: int) -> dict[str, Any]:
    text, precedence = ("…", ops.mul.precedence) if term is None else written(term, digits)
    if len(text) > _LONGEST:
        text, precedence = "…", ops.mul.precedence
    return {"top": symbols.place[top], "text": text, "loose": precedence < ops.mul.precedence}
