"""`Comparison` compares a typed derivative with the engine's, and computes the factors of the chain rule.

All numbers are lists over points: the given point first, then points near it.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from micrograd_bp import ops
from micrograd_bp.autodiff.reverse import adjoints
from micrograd_bp.cli import output
from micrograd_bp.drawing.labels import labels
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.errors import ExpressionError
from micrograd_bp.expression import Program
from micrograd_bp.symbolic.templates import number as written

POINTS = 8  # besides the given one
_TRIES = 200
_LONGEST_FORMULA = 40  # characters
_LARGEST_FORMULA = 60  # values
_AGREES = 1e-6  # relative: far above rounding, far below a mistake
Numbers = list[float]  # one per point


@dataclass(frozen=True)
class Factor:
    """One factor of a product: its label, its numbers, and its formula if that is short."""

    label: str
    numbers: Numbers
    formula: str = ""

    def __str__(self) -> str:
        here = written(self.numbers[0])
        return f"{self.label} = {here}" if self.formula in ("", here) else f"{self.label} = {self.formula} = {here}"


class Comparison:
    """`typed`, a formula for d `of` / d `wrt` in the names of `program`, at `values` and at points near them.

    `truths` and `answers` are the engine's derivative and the typed one at each point. Raises ExpressionError where
    the program or the typed formula cannot be computed at the given point.
    """

    def __init__(self, program: Program, typed: Program, of: str, wrt: str, values: Mapping[str, float]) -> None:
        self.of, self.wrt = of, wrt
        self.graphs: list[dict[str, Value]] = []
        self.typed_roots: list[Value] = []
        self._take(program, typed, values)
        draw = random.Random(0)
        for _ in range(_TRIES):
            near = {name: x + draw.uniform(-0.4, 0.4) * max(abs(x), 1.0) for name, x in values.items()}
            try:
                self._take(program, typed, near)
            except ExpressionError:  # outside a domain
                continue
            if len(self.graphs) > POINTS:
                break
        self.truths = self.derivatives(wrt)
        self.answers = [root.data for root in self.typed_roots]

    def _take(self, program: Program, typed: Program, values: Mapping[str, float]) -> None:
        graph = program.run({name: x for name, x in values.items() if name in program.uses})
        known = {name: node.data for name, node in graph.items()}
        root = typed.run({name: known[name] for name in typed.uses if name in known})[""]
        self.graphs.append(graph)
        self.typed_roots.append(root)

    def derivatives(self, wrt: str) -> Numbers:
        """Return the engine's d of / d wrt at each point."""
        return [adjoints(graph[self.of], [graph[wrt]])[0] for graph in self.graphs]

    @property
    def right(self) -> bool:
        return same(self.answers, self.truths)

    @property
    def right_beside(self) -> bool:
        """Whether both agree at all points except the given one."""
        return same(self.answers[1:], self.truths[1:])

    def at_kink(self) -> bool:
        """Whether the given point is on a kink of an operation, where the derivative is a convention."""
        for node in topological_order(self.graphs[0][self.of]):
            numbers = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
            if node.op and any(kink(*numbers) == 0.0 for kink in node.op.kinks):
                return True
        return False

    def links(self) -> list[Factor]:
        """Return the factors of the chain rule from `of` to `wrt`.

        Each factor leads from one value that every path passes to the next. A value without a name is skipped if the
        factor above or below is constant: (σ(z) − y)² / 2 has the single factor ∂L/∂σ(z).
        """
        orders = [topological_order(graph[self.of]) for graph in self.graphs]
        passed = stations(orders[0], self.graphs[0][self.wrt])
        numbers = [
            [adjoints(order[upper], [order[lower]])[0] for order in orders]
            for upper, lower in itertools.pairwise(passed)
        ]
        k = 1
        while k < len(passed) - 1:
            if orders[0][passed[k]].name is None and (constant(numbers[k - 1]) or constant(numbers[k])):
                numbers[k - 1 : k + 1] = [product([numbers[k - 1], numbers[k]])]
                del passed[k]
            else:
                k += 1
        called = labels(orders[0], 4)
        ends = itertools.pairwise([orders[0][index] for index in passed])
        return [
            Factor(f"∂{bracketed(called[upper])}/∂{bracketed(called[lower])}", link, self._formula(upper, lower))
            for (upper, lower), link in zip(ends, numbers, strict=True)
        ]

    def _formula(self, upper: Value, lower: Value) -> str:
        """Return d upper / d lower in symbols, or "" where it is long or `lower` has no name."""
        if lower.name is None or len(topological_order(upper)) > _LARGEST_FORMULA:
            return ""
        text = output.derivative(upper, lower) or ""
        return text if len(text) <= _LONGEST_FORMULA else ""

    def paths(self, most: int = 6) -> list[Factor]:
        """Return the product of local derivatives along each path from `of` to `wrt`; [] for one or over `most`."""
        if len(topological_order(self.graphs[0][self.of])) > 500:
            return []
        each = [list(_paths(graph[self.of], graph[self.wrt], most + 1)) for graph in self.graphs]
        if not 1 < len(each[0]) <= most:
            return []
        called = labels(topological_order(self.graphs[0][self.of]), 4)
        found = []
        for paths in zip(*each, strict=True):
            nodes = [called[node] or "…" for node in paths[0][0]]
            found.append(Factor(" → ".join(nodes), [number for _, number in paths]))
        return found

    def typed_factors(self) -> list[Factor]:
        """Return the factors of the typed formula; a divisor becomes 1/factor."""
        each = [_factors(root) for root in self.typed_roots]
        called = labels(topological_order(self.typed_roots[0]), 4)
        found = []
        for parts in zip(*each, strict=True):
            node, exponent = parts[0]
            label = (called[node] or "…") if isinstance(node, Value) else written(node)
            numbers = [n.data if isinstance(n, Value) else n for n, _ in parts]
            found.append(
                Factor(label, numbers) if exponent > 0 else Factor(f"1/{bracketed(label)}", product([], numbers))
            )
        return found


def stations(order: list[Value], end: Value) -> list[int]:
    """Return the indices in a topological order of the nodes that every path from its last node to `end` passes.

    >>> x = Value(2.0)
    >>> order = topological_order((x * x).exp())
    >>> [order[index].op for index in stations(order, x)]
    [exp, mul, None]
    """
    index_of = {node: i for i, node in enumerate(order)}
    above, below = [0] * len(order), [0] * len(order)  # paths from the root, paths to the end
    above[-1] = below[index_of[end]] = 1
    for node in reversed(order):
        for arg in node.args:
            if isinstance(arg, Value):
                above[index_of[arg]] += above[index_of[node]]
    for node in order:
        if node is not end:
            below[index_of[node]] = sum(below[index_of[arg]] for arg in node.args if isinstance(arg, Value))
    return [i for i in reversed(range(len(order))) if below[i] and above[i] * below[i] == below[-1]]


def _paths(root: Value, end: Value, most: int) -> list[tuple[list[Value], float]]:
    """Return at most `most` paths as (nodes, product of local derivatives), in the order of the arguments."""
    found: list[tuple[list[Value], float]] = []
    stack: list[tuple[list[Value], float]] = [([root], 1.0)]
    reaching = {end}
    for node in topological_order(root):
        if any(isinstance(arg, Value) and arg in reaching for arg in node.args):
            reaching.add(node)
    while stack and len(found) < most:
        nodes, number = stack.pop()
        if nodes[-1] is end:
            found.append((nodes, number))
            continue
        edges = [*zip(nodes[-1].args, nodes[-1].local_grads, strict=True)]
        for arg, local in reversed(edges):
            if isinstance(arg, Value) and arg in reaching:
                stack.append(([*nodes, arg], number * (local or 0.0)))
    return found


def _factors(root: Value) -> list[tuple[Value | float, int]]:
    """Return the factors of a product with the exponent 1 or -1, left to right; powers up to 4 are expanded."""
    found: list[tuple[Value | float, int]] = []
    stack: list[tuple[Value | float, int]] = [(root, 1)]
    while stack:
        node, exponent = stack.pop()
        op, args = (node.op, node.args) if isinstance(node, Value) else (None, ())
        if op is ops.mul or op is ops.div:
            stack += [(args[1], exponent if op is ops.mul else -exponent), (args[0], exponent)]
        elif op is ops.neg:
            stack += [(args[0], exponent), (-1.0, 1)]
        elif op is ops.pow and args[1] in (2.0, 3.0, 4.0):
            stack += [(args[0], exponent)] * int(args[1])
        else:
            found.append((node, exponent))
    return found


def same(first: Numbers, second: Numbers) -> bool:
    """Whether two functions agree at all points."""
    scale = max(map(abs, second), default=0.0)
    return all(math.isclose(a, b, rel_tol=_AGREES, abs_tol=1e-9 * scale) for a, b in zip(first, second, strict=True))


def ratio(first: Numbers, second: Numbers) -> float | None:
    """Return first / second if it is one number other than 0 at all points, else None."""
    if any(x == 0.0 or y == 0.0 for x, y in zip(first, second, strict=True)):
        return None
    quotients = [x / y for x, y in zip(first, second, strict=True)]
    mean = sum(quotients) / len(quotients)
    return mean if mean != 0.0 and all(math.isclose(q, mean, rel_tol=_AGREES) for q in quotients) else None


def constant(numbers: Numbers) -> bool:
    """Whether a function has the same number at all points."""
    return all(math.isclose(x, numbers[0], rel_tol=1e-12) for x in numbers)


def product(factors: Sequence[Numbers], divisor: Numbers | None = None) -> Numbers:
    """Return the product of functions, divided by `divisor`."""
    count = len(factors[0]) if factors else len(divisor or [])
    tops = [math.prod(f[i] for f in factors) for i in range(count)]
    return tops if divisor is None else [x / y if y != 0.0 else math.nan for x, y in zip(tops, divisor, strict=True)]


def bracketed(label: str) -> str:
    """Return a label in brackets, unless it is a name, a number or a call.

    >>> [bracketed(label) for label in ("ŷ", "w·x", "x²", "σ(z)", "0.5")]
    ['ŷ', '(w·x)', '(x²)', 'σ(z)', '0.5']
    """
    *outer, inner = label.removesuffix(")").split("(") if label.endswith(")") else [label]
    plain = all(part.isidentifier() and "·" not in part for part in (*outer, inner)) and len(outer) <= 1
    return label if plain or re.fullmatch(r"[0-9.]+", label) else f"({label or '…'})"
