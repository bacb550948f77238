"""The derivative of one value with respect to another as equations: sums over paths of products of local derivatives.

A path leads from a value up to the root or to the next value with several users, which has an equation of its own. So
there are never more equations than values, even where the graph has exponentially many paths.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import dependents, parents, passes
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.term import ONE, ZERO, Term

Edge = tuple[Value, int]  # a value and the index of one of its arguments


class Factor(NamedTuple):
    """d `top` / d `bottom` for two named values with only unnamed ones between; the edges go from the top down."""

    top: Value
    bottom: Value
    edges: tuple[Edge, ...]


class Product(NamedTuple):
    """The numbers of one path; multiplied from left to right they give the engine's `amount`, bit for bit."""

    numbers: tuple[float, ...]
    amount: float


class Path(NamedTuple):
    """A path from `head`, the root or a value with several users, down to the value of the equation.

    `chain` has (top, bottom, symbolic derivative) of each factor, from the top. If the value occurs several times in
    the lowest formula, `products` has one product per occurrence, and the symbolic derivative is the sum.
    """

    head: Value
    chain: tuple[tuple[Value, Value, Term], ...]
    products: tuple[Product, ...]


class Equation(NamedTuple):
    """d root / d `node` as the sum over `paths`, which is `value`."""

    node: Value
    paths: tuple[Path, ...]
    value: float


def equations(root: Value, target: Value, symbols: Symbols, seed: float = 1.0) -> list[Equation]:
    """Return the equation of `target` and those of the values with several users above it, nearest first."""
    users = _users_between(root, target)
    chains: dict[Value, list[tuple[Value, list[Factor]]]] = {}
    waiting = [target]
    while waiting:
        node = waiting.pop()
        if node not in chains and node is not root:
            chains[node] = [_climb(node, edge, users, root, symbols) for edge in users[node]]
            waiting += [head for head, _ in chains[node]]
    # from the root down, so that each head's adjoint is known before it is used
    adjoints: dict[Value, float | None] = {root: seed}
    found = []
    for node in sorted(chains, key=lambda node: symbols.place[node], reverse=True):
        paths, adjoints[node] = _summed(chains[node], adjoints, symbols)
        found.append(Equation(node, paths, adjoints[node] or 0.0))
    return found[::-1]


def _users_between(root: Value, target: Value) -> dict[Value, list[Edge]]:
    """Return, for each value on a path from `root` to `target`, its users on such paths in backward order."""
    order = topological_order(root)
    leads = dependents(order, parents, [target])
    users: dict[Value, list[Edge]] = {node: [] for node in order if node in leads}
    for user in reversed(order):
        if user in leads and user is not target:
            for index, arg in enumerate(user.args):
                if isinstance(arg, Value) and arg in leads:
                    users[arg].append((user, index))
    return users


def _climb(
    node: Value, edge: Edge, users: dict[Value, list[Edge]], root: Value, symbols: Symbols
) -> tuple[Value, list[Factor]]:
    """Go from `node` along `edge` to the first value with several users or the root; return it and the factors."""
    factors: list[Factor] = []
    bottom, edges = node, [edge]
    while True:
        top = edges[-1][0]
        is_head = top is root or len(users[top]) > 1
        if is_head or symbols.is_named(top):
            symbols.called(top)
            factors.append(Factor(top, bottom, tuple(reversed(edges))))
            bottom, edges = top, []
        if is_head:
            return top, factors[::-1]
        edges.append(users[top][0])


def _summed(
    chains: list[tuple[Value, list[Factor]]], adjoints: dict[Value, float | None], symbols: Symbols
) -> tuple[tuple[Path, ...], float | None]:
    """Return the paths and the sum of their products, which is None where nothing passes along any of them."""
    paths: dict[tuple[Value, ...], Path] = {}
    total: float | None = None
    for head, factors in chains:
        product = _multiplied(adjoints[head], factors)
        if product is None:
            product = Product((0.0,), 0.0)
        else:
            total = product.amount if total is None else total + product.amount
        stops = (head, *(factor.top for factor in factors))
        if stops in paths:  # the value occurs more than once in the lowest formula
            path = paths[stops]
            top, bottom, term = path.chain[-1]
            chain = (*path.chain[:-1], (top, bottom, term + _term(factors[-1], symbols)))
            paths[stops] = Path(head, chain, (*path.products, product))
        else:
            terms = tuple((factor.top, factor.bottom, _term(factor, symbols)) for factor in factors)
            paths[stops] = Path(head, terms, (product,))
    return tuple(paths.values()), total


def _term(factor: Factor, symbols: Symbols) -> Term:
    term = ONE
    for user, index in factor.edges:
        local = symbols.local(user, index)
        if local is not ONE:
            term = term * local
        if term is ZERO:
            break
    return term


def _multiplied(adjoint: float | None, factors: list[Factor]) -> Product | None:
    """Return the product of the factors as the engine computes it, bit for bit; None where nothing passes.

    Factors of 1 and powers of 2 are merged with their neighbours.
    """
    if adjoint is None:
        return None
    numbers = [] if adjoint == 1.0 else [adjoint]
    total = adjoint
    for factor in factors:
        before = total
        locals_ = [user.local_grads[index] or 0.0 for user, index in factor.edges]
        for (user, index), local in zip(factor.edges, locals_, strict=True):
            if not passes(user, index, local):
                return None
            total = total * local
        shown = _shown(locals_)
        product = before
        for number in shown:
            product *= number
        numbers += shown if product == total else locals_
    return Product(tuple(numbers), total)


def _shown(locals_: list[float]) -> list[float]:
    """Merge powers of 2 at the start, and factors of 1 and −1, into their neighbours; such products are exact."""
    first = 0
    while first < len(locals_) - 1 and abs(math.frexp(locals_[first])[0]) == 0.5:  # a power of two
        first += 1
    shown = [math.prod(locals_[: first + 1])]
    for local in locals_[first + 1 :]:
        if local == -1.0:
            shown[-1] = -shown[-1]
        elif local != 1.0:
            shown.append(local)
    return shown
