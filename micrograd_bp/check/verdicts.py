"""The verdict on a derivative, by comparison with a replay or with differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from micrograd_bp.autodiff.reverse import gradients, zero_times_infinity
from micrograd_bp.check import nodes
from micrograd_bp.check.differences import Slope
from micrograd_bp.check.hints import graph_hint, hint
from micrograd_bp.check.nodes import SAME, Edge
from micrograd_bp.check.replay import Replay, Sums
from micrograd_bp.check.scales import slopes_along, staircase
from micrograd_bp.check.subject import Subject
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.node import described

_EPS = 2.0**-52
_TINY = 2.0**-1000
_LEAST = 2.0**-1060  # smaller differences are ignored
_ROUGHLY = 1e-6  # the relative error that differences can confirm


@dataclass(frozen=True)
class Verdict:
    """The verdict on a derivative; the right one is `expected` ± `error`.

    For a wrong derivative, `kind` and `node` locate the mistake, and `clue` is a hint.
    """

    verdict: str
    expected: float
    error: float = 0.0
    reason: str = ""
    kind: str = "wrong gradient"
    node: Value | None = None
    clue: str = ""
    between: str = ""  # the right range at a kink, as text


class ByReplay:
    """Verdicts on the derivatives of one root of a recorded graph, by its replay."""

    method = "replay"

    def __init__(
        self, root: Value, leaves: Sequence[Value], names: Sequence[str], rtol: float | None, atol: float | None
    ):
        self.root = root
        self.leaves = leaves
        self.names = names
        self.rtol = SAME if rtol is None else rtol
        self.atol = atol or 0.0
        self.replay = Replay(topological_order(root), leaves)

    @cached_property
    def gradient(self) -> list[Any]:
        """The exact derivatives by all inputs, None where one does not exist."""
        return self.replay.gradient()

    @cached_property
    def corner(self) -> str:
        """A description of the first node on a kink, "" where there is none."""
        node = nodes.corner(self.replay)
        if node is None or node.op is None:
            return ""
        return f"{described(node)} is on a kink" + (
            f"; by convention {node.op.convention}" if node.op.convention else ""
        )

    @cached_property
    def wrong_edge(self) -> Edge | None:
        """The first edge with a wrong local derivative."""
        return next((edge for edge in nodes.edges(self.replay) if edge.verdict == "wrong"), None)

    @cached_property
    def wrong_value(self) -> Value | None:
        """The first node with a wrong value."""
        return nodes.wrong_value(self.replay)

    @cached_property
    def sums(self) -> Sums:
        """The gradient from the recorded local derivatives."""
        return self.replay.recorded_sum()

    @cached_property
    def roundings(self) -> list[Any]:
        """Bounds of the rounding errors of the derivatives."""
        return self.replay.roundings()

    def own(self, i: int, computed: float) -> Verdict:
        """Return the verdict on the engine's derivative; the rules and the sums are compared one by one."""
        smooth = self.replay.slope_of_values(i) if self.corner else self.gradient[i]
        true = self.gradient[i] if smooth is None else smooth
        expected = math.nan if true is None else float(true)
        near = true is not None and _near(computed, true, self.rtol, self.atol)
        if near and smooth is not None:
            return Verdict("right", expected)
        if self.wrong_value is not None:
            reason = (
                f"the value of {described(self.wrong_value)}, {self.wrong_value.data!r}, is not that of its definition"
            )
            return Verdict("wrong", expected, kind="wrong rule", node=self.wrong_value, reason=reason)
        if self.wrong_edge is not None:
            edge = self.wrong_edge
            return Verdict("wrong", expected, kind="wrong rule", node=edge.node, reason=describe(edge))
        total, size = self.sums.totals[i], self.sums.sizes[i]
        if self.sums.overflow and not math.isfinite(computed):
            return Verdict("ill-conditioned", expected, reason="every rule is right; a product of the chain overflows")
        # Infinite slopes at a kink may give nan.
        unclear = (self.corner or true is None) and not (math.isfinite(computed) and math.isfinite(float(total)))
        if not unclear and not _near(computed, total, 0.0, 8 * _EPS * (len(self.replay.order) + 8) * size):
            clue = graph_hint(self.leaves[i], computed, float(total), self.replay)
            return Verdict("wrong", float(total), kind="wrong accumulation", clue=clue)
        if math.isnan(computed) and (self.corner or true is None):
            where = zero_times_infinity(self.root)
            if where:
                return Verdict("ill-conditioned", math.nan, reason=str(where[0]))
        if self.corner and smooth is not None:
            return Verdict("ill-conditioned", expected, reason=f"{self.corner}; that of the whole function exists")
        if self.corner or true is None:
            return Verdict("kink", expected, reason=self.corner or "some local derivative does not exist here")
        if true == 0 and _near(computed, true, 0.0, 8 * _EPS * len(self.replay.order) * size):
            return Verdict("right", 0.0)
        return Verdict("ill-conditioned", expected, reason="every rule is right; rounding spoils the digits")

    def given(self, i: int, computed: float) -> Verdict:
        """Return the verdict on a derivative by `grad`, which may have the rounding errors of other formulas."""
        true = self.gradient[i]
        expected = math.nan if true is None else float(true)
        if true is None:
            return Verdict("kink", expected, reason="some local derivative does not exist here")
        if _near(computed, true, self.rtol, self.atol):
            return Verdict("right", expected)
        if self.atol == 0.0 and _near(computed, true, 0.0, 8 * self.roundings[i]):
            if true == 0:
                return Verdict("right", 0.0)
            return Verdict("ill-conditioned", expected, reason="rounding explains the difference")
        numbers = [math.nan if slope is None else float(slope) for slope in self.gradient]
        clue = hint(i, computed, numbers, 0.0, self.names) or graph_hint(
            self.leaves[i], computed, expected, self.replay
        )
        return Verdict("wrong", expected, clue=clue)

    # --- second derivatives -------------------------------------------------------------------------------------------

    @cached_property
    def hessian(self) -> list[list[Any]]:
        """The exact second derivatives, None where one does not exist."""
        return self.replay.hessian()

    @cached_property
    def _slopes(self) -> list[Replay | None]:
        """Replays of the graphs of the gradient, one for each input."""
        roots = gradients(self.root, self.leaves)
        return [Replay(topological_order(root), self.leaves) if isinstance(root, Value) else None for root in roots]

    @cached_property
    def _extreme(self) -> bool:
        """Whether the cube of some value is no normal float."""
        return any(x and not 1e-100 < abs(x) < 1e100 for x in self.replay.values.values())

    def _bend(self, i: int, j: int) -> Any:
        """Return the second derivative of a function on a kink, None where it or the first does not exist."""
        firsts = (self.replay.slope_of_values(i), self.replay.slope_of_values(j))
        return None if None in firsts else self.replay.bend_of_values(i, j)

    def second(self, i: int, j: int, computed: float) -> Verdict:
        """Return the verdict on a second derivative of the engine, which differentiates the rules."""
        true = self._bend(i, j) if self.corner else self.hessian[i][j]
        expected = math.nan if true is None else float(true)
        if true is None or self.gradient[i] is None or self.gradient[j] is None:
            return Verdict("kink", expected, reason=self.corner or "the second derivative does not exist here")
        if _near(computed, true, self.rtol, self.atol):
            return Verdict("right", expected)
        if self.corner:
            near = math.isnan(computed) or _near(computed, true, _ROUGHLY, _ROUGHLY * abs(self.gradient[i]))
            if near or self._extreme or not nodes.on_exact_kink(self.replay):
                reason = f"{self.corner}, which has no second derivative; that of the whole function exists"
                return Verdict("ill-conditioned", expected, reason=reason)
            reason = f"{self.corner}; its derivative is not the one of that convention"
            return Verdict("wrong", expected, kind="wrong rule", reason=reason)
        if self._extreme:
            reason = "second derivatives of such numbers leave the floats' range"
            return Verdict("ill-conditioned", expected, reason=reason)
        slope = self._slopes[i]
        again, size = (slope.gradient()[j], slope.recorded_sum().sizes[j]) if slope is not None else (0, 0)
        if again is None or abs(again - true) > _ROUGHLY * abs(true) + _EPS * size + _TINY:
            reason = "the rules are right for floats, but one of them does not hold for Values"
            return Verdict("wrong", expected, kind="wrong rule", reason=reason)
        noise = 64 * _EPS * (len(slope.order) * size + abs(self.gradient[i])) if slope is not None else 0
        if true == 0 and _near(computed, true, 0.0, noise):
            return Verdict("right", expected)
        if not _near(computed, true, 1e-2, noise):
            return Verdict("wrong", expected, kind="wrong accumulation")
        return Verdict("ill-conditioned", expected, reason="every rule is right; rounding spoils the digits")


class ByDifferences:
    """Verdicts on the derivatives of a function of which only values are known, by differences."""

    method = "differences"

    def __init__(
        self,
        subject: Subject,
        call: Callable[[Sequence[float]], list[float]],
        count: int,
        rtol: float | None,
        atol: float | None,
    ) -> None:
        self.subject = subject
        self.call = call
        self.count = count
        self.rtol = _ROUGHLY if rtol is None else rtol
        self.atol = atol or 0.0
        self._slopes: dict[int, list[Slope]] = {}

    def slopes(self, i: int) -> list[Slope]:
        """Return the slopes of all outputs by the i-th input."""
        if i not in self._slopes:
            along = self.subject.around(self.call, i, self.count)
            self._slopes[i] = slopes_along(along, self.subject.point[i], self.count)
        return self._slopes[i]

    def judge(self, k: int, i: int, computed: float) -> Verdict:
        """Return the verdict on the derivative of output k by input i."""
        if not math.isfinite(self.call(self.subject.point)[k]):
            return Verdict("ill-conditioned", math.nan, math.inf, reason="the function is not finite at this point")
        slope = self.slopes(i)[k]
        known = (slope.value, slope.error)
        slack = (
            (100.0 if slope.vague else 10.0) * slope.error
            + self.rtol * max(abs(computed), abs(slope.value))
            + self.atol
        )
        if slope.kind == "kink":
            sides = f"the slope is {slope.left:.6g} on the left and {slope.right:.6g} on the right"
            if slope.allows(computed, slack):
                return Verdict("kink", *known, reason=sides)
            return Verdict("wrong", *known, reason=sides, between=f"between {slope.left:.6g} and {slope.right:.6g}")
        if slope.kind == "jump":
            return self._at_jump(slope, computed)
        if slope.kind == "infinite":
            reason = "the slope grows without end here"
            if slope.left == slope.right:
                # The steepest quotient is a lower bound of the slope.
                beyond = computed * math.copysign(1.0, slope.left) > 0.5 * abs(slope.value)
                verdict = "kink" if computed == slope.left else "ill-conditioned" if beyond else "wrong"
                return Verdict(verdict, slope.left, 0.0, reason=reason)
            return Verdict("kink" if math.isinf(computed) else "ill-conditioned", *known, reason=reason)
        hidden = slope.value == 0.0 and abs(computed) <= self._resolution(k, i)
        if not math.isfinite(slope.error) or slope.useless or (hidden and computed != 0.0):
            return Verdict("ill-conditioned", *known, reason="no difference is reliable here")
        if not math.isfinite(computed) or abs(computed - slope.value) > slack:
            along = self.subject.around(self.call, i, self.count)
            if staircase(along, self.subject.point[i], k, slope, computed):
                return Verdict(
                    "ill-conditioned", *known, reason="the function is a staircase here, possibly due to rounding"
                )
            numbers = [self.slopes(j)[k].value for j in range(len(self.subject.point))]
            clue = hint(i, computed, numbers, slack, self.subject.names)
            return Verdict("wrong", *known, clue=clue)
        if slope.vague:
            return Verdict("ill-conditioned", *known, reason="differences cannot resolve so small a slope")
        return Verdict("right", *known)

    def _at_jump(self, slope: Slope, computed: float) -> Verdict:
        """Return the verdict at a jump: an infinite, a very steep and any slope between the one-sided slopes pass."""
        known = (slope.value, math.inf, "the function jumps here")
        slack = 1e-3 * (abs(slope.left) + abs(slope.right) + slope.natural) + self.atol
        steep = computed * slope.value > 0.0 and abs(computed) > 1e3 * slope.natural
        unclear = math.isnan(slope.value) or math.isnan(computed) or not math.isfinite(slack)
        if unclear or steep or slope.allows(computed, slack):
            return Verdict("kink", *known)
        between = f"{slope.value!r}, or what lies between {slope.left:.6g} and {slope.right:.6g},"
        return Verdict("wrong", *known, between=between)

    def _resolution(self, k: int, i: int) -> float:
        """Return the least slope that differences can resolve if numbers of size 1 are rounded inside the function."""
        size = max(1.0, abs(self.call(self.subject.point)[k]))
        return 4.0 * _EPS * size / min(max(abs(self.subject.point[i]), _TINY), 1.0)


def _near(computed: float, true: Any, rtol: float, slack: Any) -> bool:
    if not math.isfinite(computed):
        return computed == float(true) or (math.isnan(computed) and math.isnan(float(true)))
    return bool(abs(computed - true) <= rtol * abs(true) + slack + _LEAST)


def describe(edge: Edge) -> str:
    """Return a description of a wrong local derivative: the node, both numbers and the reason."""
    op = edge.node.op
    name = op.arguments[edge.index] if op is not None else ""
    at = ", ".join(f"{arg.data if isinstance(arg, Value) else arg!r}" for arg in edge.node.args)
    true = "" if edge.true is None else f", but {float(edge.true)!r} is right"
    because = f" ({edge.reason})" if edge.reason else ""
    return f"in {described(edge.node)}: d {op} / d {name} = {edge.recorded!r} at ({at}){true}{because}"
