"""`backward_steps` lists the contributions of a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import passes, reverse_pass
from micrograd_bp.ops.reals import as_float


class Step(NamedTuple):
    """One contribution of the backward pass, from an operation to one of its arguments.

    `user`     the operation, whose argument number `argnum` is `node`
    `adjoint`  d root / d user;  `local`  d user / d node;  `amount`  their product
    `total`    the sum of the contributions to `node` so far
    """

    node: Value
    user: Value
    argnum: int
    adjoint: float
    local: float
    amount: float
    total: float


def backward_steps(root: Value, seed: float = 1.0) -> list[Step]:
    """Return the contributions of `root.backward(seed)` in their order, equal bit for bit; no `grad` is changed.

    The branch that a relu, where, ... does not select receives no contribution.

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
