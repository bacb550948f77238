"""The backward pass, contribution by contribution."""

from __future__ import annotations

from typing import NamedTuple

from micrograd_bp.engine import Value, topological_order
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

    As there, an adjoint of exactly 0 is not passed on, and an infinite or nan one only to what a relu, where, ... took.

    >>> a = Value(3.0, "a")
    >>> [(step.amount, step.total) for step in backward_steps(a * a)]
    [(3.0, 3.0), (3.0, 6.0)]
    """
    order = topological_order(root)
    adjoints = dict.fromkeys(order, 0.0) | {root: as_float(seed)}
    steps = []
    for user in reversed(order):
        adjoint = adjoints[user]
        for place, (node, local) in enumerate(zip(user.args, user.local_grads, strict=True)):
            if isinstance(node, Value) and local is not None and passes(user, adjoint, local):
                adjoints[node] += adjoint * local
                steps.append(Step(node, user, place, adjoint, local, adjoint * local, adjoints[node]))
    return steps


def passes(user: Value, adjoint: float, local: float) -> bool:
    """Whether anything goes from `user` to an argument; where it does not, the contribution is 0, also of 0 · inf."""
    refused = adjoint - adjoint != 0.0 and local == 0.0 and user.op is not None and user.op.routes_gradient
    return adjoint != 0.0 and not refused
