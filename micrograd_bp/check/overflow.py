"""Verdicts on graphs in which a number overflows or loses its digits, although the written formula does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from micrograd_bp.check.replay import Replay
from micrograd_bp.check.verdicts import Verdict
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.node import described
from micrograd_bp.expression.stable_forms import hint_at


def doubted(verdict: Verdict, root: Value | float, leaves: Sequence[Value], i: int, computed: float) -> Verdict:
    """Return a verdict by differences on the derivative by the i-th leaf, in the light of the recorded graph.

    Differences compare with the function of floats: where a value overflows on the way, "right" is withdrawn unless the
    exact derivative of the formula agrees. Any other verdict is given a hint that names a stable operation.
    """
    if not isinstance(root, Value):
        return verdict
    if verdict.verdict == "right":
        order = topological_order(root)
        lost = next((node for node in order if not math.isfinite(node.data)), None)
        if lost is None or lost.op is None or not math.isfinite(root.data):
            return verdict
        replay = Replay(order, leaves)
        exact = replay.gradient()[i] if replay.defines() else None
        true = replay.values[root]
        if exact is None or (abs(exact - computed) <= 1e-9 * abs(exact) + 2.0**-1060 and abs(true - root.data) <= 1e-9):
            return verdict
        verdict = Verdict("ill-conditioned", float(exact), reason=f"{described(lost)} = {lost.data!r} on the way")
    hint = hint_at(root)
    if not hint:
        return verdict
    if verdict.verdict == "wrong":
        return replace(verdict, clue=f"{verdict.clue}; {hint}" if verdict.clue else hint)
    return replace(verdict, reason=f"{verdict.reason}; hint: {hint}")
