"""The backward pass, contribution by contribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import passes, reverse_pass
from micrograd_bp.ops.reals import as_float


class Step(NamedTuple):
    """One contribution of the backward pass: `node`, argument `place` of `user`, gets `adjoint` · `local` = `amount`,
    which makes `total`."""

    node: Value
    user: Value
    place: int
    adjoint: float
    local: float
    amount: float
    total: float


def backward_steps(root: Value, seed: float = 1.0) -> list[Step]:
    """What `root.backward(seed)` adds where, in its order, bit for bit; no gradient is touched.

    As there, nothing passes to what a relu, where, ... did not select.

    >>> a = Value(3.0, "a")
    >>> [(step.amount, step.total) for step in backward_steps(a * a)]
    [(3.0, 3.0), (3.0, 6.0)]
    """
    steps: list[Step] = []
    totals: dict[Value, float] = {}

    def contributions(user: Value, adjoint: float) -> Iterator[tuple[Value, float]]:
        for index, (node, local) in enumerate(zip(user.args, user.local_grads, strict=True)):
            if isinstance(node, Value) and local is not None and passes(user, index, local):
                amount = adjoint * local
                totals[node] = totals.get(node, 0.0) + amount
                steps.append(Step(node, user, index, adjoint, local, amount, totals[node]))
                yield node, amount

    reverse_pass(topological_order(root), as_float(seed), contributions)
    return steps
