"""Hints for wrong derivatives: common mistakes, which are recognised by the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd_bp.check.replay import Replay
from micrograd_bp.engine import Value

_FACTORS = {2.0: "twice", 0.5: "half", 3.0: "3 times", 1 / 3: "a third of", 4.0: "4 times", 0.25: "a quarter of"}


def hint(i: int, computed: float, expected: Sequence[float], slack: float, names: Sequence[str]) -> str:
    """Return a hint for the wrong i-th derivative, or ""; `expected` are the right derivatives by all inputs."""
    right = expected[i]

    def like(x: float) -> bool:
        return math.isfinite(x) and abs(computed - x) <= slack + 1e-9 * abs(x)

    if computed == 0.0:
        return "it is 0 or missing, but the function changes"
    if not math.isfinite(computed):
        return "it is not finite, but the function is smooth here"
    if like(-right):
        return "it has the opposite sign"
    for j, other in enumerate(expected):
        if j != i and like(other):
            return f"it is the derivative by {names[j]}: are two of them swapped?"
    for factor, word in _FACTORS.items():
        if like(factor * right):
            return f"it is {word} the right one"
    return ""


def graph_hint(leaf: Value, computed: float, expected: float, replay: Replay) -> str:
    """Return a hint from the recorded graph: a use that is not counted, a missing or repeated factor; or ""."""
    exact = replay.adjoints(replay.values)

    def like(x: float) -> bool:
        return abs(computed - x) <= 1e-9 * abs(x)

    uses = [
        (node, float(exact[node] * (node.local_grads[index] or 0.0)))
        for node in replay.order
        for index, arg in enumerate(node.args)
        if arg is leaf and node in exact
    ]
    if len(uses) > 1:
        for node, term in uses:
            if like(term):
                return f"only one of {len(uses)} uses is counted, that in {node.op}"
            if like(expected - term):
                return f"one of {len(uses)} uses is not counted, that in {node.op}"
    for node in replay.order:
        parallel = [
            sum(d or 0.0 for b, d in zip(node.args, node.local_grads, strict=True) if b is a) for a in node.args
        ]
        for local in (*node.local_grads, *parallel):
            if local and math.isfinite(local) and abs(local) != 1.0:
                if like(expected / local):
                    return f"a factor {local:.6g} is missing, the derivative of {node.op}"
                if like(expected * local):
                    return f"a factor {local:.6g}, the derivative of {node.op}, occurs once too often"
    return ""
