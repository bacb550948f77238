"""How the page's chain rule goes up from each value: the same stations and formulas as `explain` has."""

from __future__ import annotations

from typing import Any

from micrograd_bp import ops
from micrograd_bp.engine import Value
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.printer import written
from micrograd_bp.symbolic.term import ONE, Term

_LONGEST_LABEL = 22  # characters of a formula on a card
_LONGEST = 120  # and of one in an equation
_MOST_EDGES = 60  # between stations; of more no formula is made


def users_of(order: list[Value]) -> dict[Value, list[tuple[Value, int]]]:
    """For each value its users and the place that it has there, in the order of the backward pass."""
    users: dict[Value, list[tuple[Value, int]]] = {node: [] for node in order}
    for user in reversed(order):
        for place, arg in enumerate(user.args):
            if isinstance(arg, Value):
                users[arg].append((user, place))
    return users


def links(order: list[Value], symbols: Symbols, digits: int) -> list[list[dict[str, Any]]]:
    """For each value, for each station right above it: its place in the order, and d station / d value as text.

    Stations are the root and values with names; values with several users, and those whose formula does not fit on a
    card, get one here.
    """
    users = users_of(order)
    root = order[-1]
    for node in order:  # arguments first: what they are called stands in the formula
        if len(users[node]) > 1 or len(symbols.definition(node, digits) if node.op else "") > _LONGEST_LABEL:
            symbols.called(node)
    found = []
    for node in order:
        above: dict[Value, Term | None] = {}
        for edge in users[node]:
            top, term = _climb(edge, users, root, symbols)
            if top in above:  # the value occurs several times in the formula of that station
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
    for user, place in reversed(edges):
        term = term * symbols.local(user, place)
    return top, term


def _link(top: Value, term: Term | None, symbols: Symbols, digits: int) -> dict[str, Any]:
    text, precedence = ("…", ops.mul.precedence) if term is None else written(term, digits)
    if len(text) > _LONGEST:
        text, precedence = "…", ops.mul.precedence
    return {"top": symbols.place[top], "text": text, "loose": precedence < ops.mul.precedence}
