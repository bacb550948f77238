"""The check of a recorded graph node by node: every local derivative and every value is compared with the exact one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from micrograd_bp.check.replay import UNDEFINED, Replay
from micrograd_bp.check.report import NodeError
from micrograd_bp.check.scales import slope_along
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import parents
from micrograd_bp.ops.op import Op

_EPS = 2.0**-52
_TINY = 2.0**-1000
_STEP = 1e-30  # to either side of a kink, relative to the arguments
SAME = 1e-9  # derivatives with a smaller relative difference follow the same formula


@dataclass(frozen=True)
class Edge:
    """The recorded derivative of `node` by its argument `index`, and the true one.

    `verdict` is "right", "imprecise" (right except for rounding), "kink" or "wrong".
    """

    node: Value
    index: int
    recorded: float
    true: Any
    verdict: str
    reason: str = ""


def edges(replay: Replay) -> Iterable[Edge]:
    """Yield every recorded local derivative that depends on the variables, in order, with its true value."""
    for node in replay.order:
        if node.op is None or node not in replay.active:
            continue
        numbers = _numbers(node)
        args = [replay.m.mpf(x) for x in numbers]
        indices = [p for p, arg in enumerate(node.args) if isinstance(arg, Value) and arg in replay.active]
        corner = on_kink(node.op, numbers, indices)
        for index in indices:
            recorded = node.local_grads[index]
            if recorded is not None:
                yield _edge(replay, node, node.op, index, args, recorded, corner)
        if corner and len(indices) == 2 and _met(node.op, numbers) == 1:
            yield from _diagonals(replay, node, node.op, indices, args)


def _edge(replay: Replay, node: Value, op: Op, index: int, args: list[Any], recorded: float, corner: bool) -> Edge:
    if not op.defined(replay.m):
        return _by_differences(node, op, index, recorded)
    true = None if corner else replay.slope(op, index, args)
    if true is None:
        return Edge(node, index, recorded, None, *_at_corner(replay, op, index, args, recorded, corner))
    error = abs(true - recorded) if math.isfinite(recorded) else replay.m.inf
    if error <= SAME * abs(true) or recorded == float(true):
        return Edge(node, index, recorded, true, "right")
    if not _TINY < abs(true) < 2.0**1000 and error <= 1e-3 * abs(true) + _TINY:
        return Edge(node, index, recorded, true, "imprecise", "beyond the range of normal floats")
    if error <= _blur(replay, op, index, args, true) or error <= 16 * _EPS * abs(node.data) / max(
        abs(args[index]), _TINY
    ):
        return Edge(node, index, recorded, true, "imprecise", "digits are lost in the rule")
    if not op.bound.holds(*map(float, args)):
        return Edge(node, index, recorded, true, "imprecise", op.bound.why)
    return Edge(node, index, recorded, true, "wrong")


def _by_differences(node: Value, op: Op, index: int, recorded: float) -> Edge:
    """Return the edge of an operation without a definition, which is compared with differences of its function."""
    numbers = _numbers(node)
    slope = slope_along(lambda x: [op.fn(*numbers[:index], x, *numbers[index + 1 :])], numbers[index])
    slack = 100.0 * slope.error + 1e-6 * abs(slope.value)
    if slope.kind == "kink":
        return Edge(node, index, recorded, None, "kink" if slope.allows(recorded, slack) else "wrong", "at a kink")
    if slope.kind == "smooth" and not slope.vague and not abs(recorded - slope.value) <= slack:
        return Edge(node, index, recorded, slope.value, "wrong", "by differences of its values")
    return Edge(node, index, recorded, slope.value, "right")


def _blur(replay: Replay, op: Op, index: int, args: list[Any], true: Any) -> Any:
    """Return the error that the bound of `op` allows: its ulps, and the change of the slope over its shift."""
    allowed = 4 * op.bound.ulps * _EPS * abs(true)
    if op.bound.shift:
        for k in range(op.arity):
            moved = list(args)
            moved[k] *= 1 - _EPS
            there = replay.slope(op, index, moved)
            allowed += 4 * op.bound.shift * abs(there - true) if there is not None else 0
    return allowed


def _at_corner(replay: Replay, op: Op, index: int, args: list[Any], recorded: float, corner: bool) -> tuple[str, str]:
    """Return verdict and reason at a kink or domain end, where any slope between the one-sided slopes is right."""
    where = f"{op.name} has a kink here" if corner else f"the domain of {op.name} ends here"
    where += f"; by convention {op.convention}" if corner and op.convention else ""
    slopes = [
        s
        for side in (-1, 1)
        if (s := _side(replay, op, [side * (p == index) for p in range(op.arity)], args)) is not None
    ]
    jump = max([abs(slope) for slope in slopes], default=0) * replay.size(args) * _STEP > 1e-9
    several = sum(kink(*map(float, args)) == 0.0 for kink in op.kinks) > 1  # their order is a matter of convention
    if not slopes or jump or several or math.isnan(recorded):
        return "kink", where
    low, high = min(slopes), max(slopes)
    slack = SAME * max(abs(low), abs(high)) + 1e-15
    nearer = [_side(replay, op, [side * (p == index) for p in range(op.arity)], args, _STEP**3) for side in (-1, 1)]
    if math.isinf(recorded):
        largest = max(abs(low), abs(high))
        grows = any(s is not None and abs(s) - largest > 1e-18 * largest for s in nearer)
        return ("kink", where) if grows else ("wrong", f"{where}, with finite slopes")
    if low - slack <= recorded <= high + slack:
        return "kink", where
    distance = min(abs(low - recorded), abs(high - recorded))
    if any(s is not None and abs(s - recorded) < distance - 1e-18 * abs(s) for s in nearer):
        return "kink", where  # the slope converges slowly, towards the recorded one: x**1.003 at 0
    return "wrong", f"{where}: outside the slopes {float(low):.6g} and {float(high):.6g} of its sides"


def _diagonals(replay: Replay, node: Value, op: Op, indices: list[int], args: list[Any]) -> Iterable[Edge]:
    """Yield the wrong edges along a kink, where the function is smooth and the derivatives must have the right sum."""
    recorded = [node.local_grads[index] or 0.0 for index in indices]
    for signs in ((1, 1), (1, -1)):
        direction = [0] * op.arity
        for index, sign in zip(indices, signs, strict=True):
            direction[index] = sign
        along_it = [float(x) + 2.0**-10 * d for x, d in zip(args, direction, strict=True)]
        if not _met(op, along_it):
            continue  # this direction leaves the kink
        ahead = _side(replay, op, direction, args)
        behind = _side(replay, op, [-d for d in direction], args)
        if ahead is None or behind is None or abs(ahead + behind) > SAME * abs(ahead):
            continue
        along = sum(sign * local for sign, local in zip(signs, recorded, strict=True))
        if math.isfinite(along) and abs(along - ahead) > SAME * max(1, abs(ahead)):
            reason = f"the derivatives together are {along:.6g} where it is smooth, with slope {float(ahead):.6g}"
            yield Edge(node, indices[0], recorded[0], None, "wrong", reason)


def _side(replay: Replay, op: Op, direction: Sequence[int], args: list[Any], step: float = _STEP) -> Any:
    """Return the one-sided slope at `args` in `direction` (on a diagonal the rate of change), or None."""
    h = replay.size(args) * step
    digits = 90 - int(replay.m.log10(h / max(1, *map(abs, args))))
    with replay.m.workdps(digits):
        try:
            there = op.exact(replay.m, *(x + h * d for x, d in zip(args, direction, strict=True)))
            rate = (there - op.exact(replay.m, *args)) / h
        except UNDEFINED:
            return None
    if not replay.real(rate):
        return None
    moving = [d for d in direction if d]
    return rate * moving[0] if len(moving) == 1 else rate


def corner(replay: Replay) -> Value | None:
    """Return the first node on a kink of its operation that changes of the variables would leave, or None."""
    for node in replay.order:
        if node.op is not None and node.op.kinks and node in replay.active:
            indices = [p for p, arg in enumerate(node.args) if isinstance(arg, Value) and arg in replay.active]
            if on_kink(node.op, _numbers(node), indices):
                return node
    return None


def on_exact_kink(replay: Replay) -> bool:
    """Return whether the first node on a kink is there without rounding: all numbers below it are exact."""
    node = corner(replay)
    below = [other for arg in parents(node) for other in topological_order(arg)] if node is not None else []
    return node is not None and all(replay.values[other] == other.data for other in below)


def wrong_value(replay: Replay) -> Value | None:
    """Return the first node whose value is not the exact value at its recorded arguments, or None."""
    for node in replay.order:
        if node.op is not None and node in replay.active:
            numbers = _numbers(node)
            if any(x == 0.0 and math.copysign(1.0, x) < 0.0 for x in numbers):
                continue  # the definitions have no -0
            true = replay.exact(node.op, [replay.m.mpf(x) for x in numbers])
            slack = 16 * _EPS * max([abs(x) for x in numbers]) + _TINY
            if true is not None and abs(true - node.data) > SAME * abs(true) + slack and abs(true) < 2.0**1000:
                return node
    return None


def node_errors(replay: Replay, label: Callable[[Value], str]) -> tuple[NodeError, ...]:
    """Return the rounding errors of every operation that depends on the variables."""
    found: dict[Value, list[float | None]] = {}
    for edge in edges(replay):
        slopes = found.setdefault(edge.node, [None] * len(edge.node.args))
        if edge.true is not None:
            slopes[edge.index] = _ulps(edge.recorded, edge.true)
    return tuple([
        NodeError(label(node), _ulps(node.data, replay.exact(node.op, [replay.m.mpf(x) for x in _numbers(node)])),
                  _ulps(node.data, replay.values[node]), tuple(slopes))
        for node, slopes in found.items() if node.op is not None
    ])  # fmt: skip


def on_kink(op: Op, numbers: Sequence[float], indices: Sequence[int]) -> bool:
    """Return whether the arguments lie on a kink of `op` that changes of those at `indices` would leave."""
    for kink in op.kinks:
        if kink(*numbers) == 0.0:
            for index in indices:
                for sign in (1e-3, -1e-3):
                    moved = list(numbers)
                    moved[index] += sign * abs(moved[index]) or sign
                    if kink(*moved) != 0.0:
                        return True
    return False


def _met(op: Op, numbers: Sequence[float]) -> int:
    """Return the number of kinks of `op` that meet at the arguments."""
    return sum(kink(*numbers) == 0.0 for kink in op.kinks)


def _numbers(node: Value) -> list[float]:
    return [arg.data if isinstance(arg, Value) else arg for arg in node.args]


def _ulps(computed: float, true: Any) -> float:
    """Return the error in units in the last place of the true number; inf where the computed one is not finite."""
    if true is None:
        return math.nan
    unit = math.ulp(float(true)) if abs(true) < 1.7e308 else math.inf
    return float(abs(true - computed) / unit) if math.isfinite(computed) else math.inf
