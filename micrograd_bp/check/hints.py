"""What a wrong derivative looks like: the mistakes that people make, recognised by their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd_bp.check.replay import Replay
from micrograd_bp.engine import Value

_FACTORS = {2.0: "twice", 0.5: "half", 3.0: "3 times", 1 / 3: "a third of", 4.0: "4 times", 0.25: "a quarter of"}


def hint(i: int, computed: float, expected: Sequence[float], slack: float, names: Sequence[str]) -> str:
    """A sentence about the i-th derivative, wrong beside all that are expected; "" where it looks like nothing
    known."""
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
    """As `hint`, from the recorded graph: a use that was not counted, a factor of the chain rule left out or
    repeated."""
    exact = replay.adjoints(replay.values)

    def like(x: float) -> bool:
        return abs(computed - x) <= 1e-9 * abs(x)

    uses = [
        (node, float(exact[node] * (node.local_grads[place] or 0.0)))
        for node in replay.order
        for place, arg in enumerate(node.args)
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
                    return f"a factor {local:.6g}, the derivative of {node.op}, is there once too often"
    return ""
