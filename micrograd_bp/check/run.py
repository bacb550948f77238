"""`Check`, which runs a check: it calls the function, computes the derivatives, judges them, and reports or raises."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from micrograd_bp.autodiff.forward import jvp
from micrograd_bp.autodiff.reverse import adjoints, gradients
from micrograd_bp.check.match import matched, matched_rows
from micrograd_bp.check.nodes import node_errors
from micrograd_bp.check.overflow import doubted
from micrograd_bp.check.report import Finding, GradientMismatch, NodeError, Report
from micrograd_bp.check.subject import Subject, Trace, changed
from micrograd_bp.check.verdicts import ByDifferences, ByReplay, Verdict, describe
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.node import described
from micrograd_bp.ops.reals import as_float

Matrix = list[list[float]]  # a row for each number that f returns


class Check:
    """One check of `subject`; `grad` is the gradient to be checked, or None for the engine's gradient in `modes`."""

    def __init__(
        self,
        subject: Subject,
        grad: Callable[..., Any] | None,
        modes: Sequence[str],
        rtol: float | None,
        atol: float | None,
    ) -> None:
        self.subject = subject
        self.grad = grad
        self._grad: Callable[..., Any] = grad or subject.f
        self.modes = modes
        self.rtol = rtol
        self.atol = atol
        self._faults: list[tuple[Finding, Verdict]] = []
        self._disturbances = 0
        self.trace = self._traced()
        self.outputs = subject.on_floats(subject.point) if self.trace is None else self.trace.outputs
        self._same_again()
        self.result = subject.result
        self.differences = ByDifferences(subject, self._call, len(self.outputs), rtol, atol)
        self.change = ""  # a hint: the part of the graph that should not change with the inputs, but does
        self.corner = ""  # the kink at the point, as text
        self.replays = self._replays()

    def run(self, order: int) -> Report:
        """Return the report on the derivatives up to `order`. Raise GradientMismatch where one is wrong."""
        findings = [finding for mode in self.modes for finding in self._firsts(mode)]
        if order == 2 and not self._faults:
            findings += [finding for mode in self.modes for finding in self._seconds(mode)]
        return self._checked(findings)

    # --- the function -------------------------------------------------------------------------------------------------

    def _traced(self) -> Trace | None:
        """Return a trace of f on Values; None where it accepts only floats, which is allowed with `grad`."""
        if self.grad is None:
            return self.subject.on_values()
        try:
            trace = self.subject.on_values()
        except GradientMismatch:
            raise
        except Exception:  # a function of floats may raise any error for Values
            return None
        return trace if any(isinstance(root, Value) for root in trace.roots) else None

    def _call(self, point: Sequence[float]) -> list[float]:
        return self.subject.on_floats(point) if self.trace is None else self.subject.on_values(point).outputs

    def _same_again(self) -> None:
        again = self._call(self.subject.point)
        if [repr(x) for x in again] != [repr(x) for x in self.outputs]:
            raise GradientMismatch(
                f"the function is not deterministic: called twice at {self.subject.point} it gives {self.outputs}, "
                f"then {again}; fix its random seed, and store no state between calls",
                "not deterministic",
            )

    def _replays(self) -> list[ByReplay | None] | None:
        """Return a replay per output (None for a constant), or None where the graph changes near the point."""
        trace = self.trace
        if trace is None or any(x - x != 0.0 for x in self.outputs) or not self._stays(trace):
            return None
        names = self.subject.names
        replays = [
            ByReplay(root, trace.leaves, names, self.rtol, self.atol) if isinstance(root, Value) else None
            for root in trace.roots
        ]
        usable = all(r is None or (r.replay.defines() and r.replay.finite()) for r in replays)
        self.corner = next((r.corner for r in replays if r is not None and r.corner), "")
        return replays if usable and not (self.corner and self.grad is not None) else None

    def _is_ours(self, k: int, i: int, computed: float) -> bool:
        """Return whether a derivative at a kink is the one of this package's conventions."""
        ours = self._own("reverse")[k][i]
        return repr(computed) == repr(ours) or (math.isfinite(ours) and abs(computed - ours) <= 1e-9 * abs(ours))

    def _stays(self, trace: Trace) -> bool:
        """Return whether graphs recorded beside the point, on both sides, differ only in the numbers of their nodes."""
        shape = trace.shape()
        for side in (1e-7, -1e-7):
            moved = [x + side * (1.0 + 0.1 * (i % 7)) * (abs(x) or 1.0) for i, x in enumerate(self.subject.point)]
            try:
                beside = self.subject.on_values(moved).shape()
            except (ArithmeticError, ValueError):  # the domain ends here
                continue
            if beside != shape:
                self.change = changed(shape, beside)
                return False
        return True

    # --- what is checked ----------------------------------------------------------------------------------------------

    def _own(self, mode: str) -> Matrix:
        """Return the engine's first derivatives."""
        if mode == "reverse":
            trace = self.subject.on_values()
            return [_by_backward(root, trace.leaves) for root in trace.roots]
        return _rows(self._along(self.subject.point, unit) for unit in self._units())

    def _along(self, point: Any, tangent: Sequence[float]) -> list[Any]:
        tangents: list[Any] = jvp(self.subject.on_leaves, (point,), (list(tangent),))[1]
        return tangents

    def _units(self) -> list[list[float]]:
        numbers = range(len(self.subject.point))
        return [[float(i == j) for j in numbers] for i in numbers]

    def _hessians(self, mode: str) -> list[Matrix]:
        """Return the engine's Hessian of each output: reverse over reverse, or forward over forward."""
        if mode == "reverse":
            trace = self.subject.on_values()
            roots = trace.roots
            slopes = [gradients(root, trace.leaves) if isinstance(root, Value) else [] for root in roots]
            return [
                [adjoints(g, trace.leaves) if isinstance(g, Value) else [0.0] * len(trace.leaves) for g in row]
                for row in slopes
            ]
        point, units = self.subject.point, self._units()
        blocks = [_rows(jvp(lambda p, u=u: self._along(p, u), (point,), (v,))[1] for v in units) for u in units]
        return [[block[k] for block in blocks] for k in range(len(self.outputs))]

    def _given(self) -> Matrix:
        """Return the derivatives of `grad` at the point, after calls of f and `grad` at another point."""
        self._disturb()
        args = self.subject.arguments(self.subject.point)
        given = self._grad(*args)
        self.subject.unchanged(args, self.subject.point)
        rows, columns = len(self.outputs), len(self.subject.point)
        like = args[0] if len(args) == 1 else args
        result = matched(given, like) if rows == 1 else matched_rows(given, self.result, like)
        if len(result) != rows * columns:
            needed = f"{columns}" if rows == 1 else f"{rows} x {columns}"
            raise ValueError(f"grad returns {len(result)} numbers; {needed} derivatives are needed")
        numbers = [x.data if isinstance(x, Value) else as_float(x) for x in result]
        return [numbers[k * columns : (k + 1) * columns] for k in range(rows)]

    def _disturb(self) -> None:
        """Call f and `grad` at another point, which reveals a function that depends on the state of its last call."""
        self._disturbances += 1
        elsewhere = [x + 0.125 * self._disturbances * (abs(x) or 1.0) for x in self.subject.point]
        for function in (self._grad, self.subject.f):
            with contextlib.suppress(Exception):
                function(*self.subject.arguments(elsewhere))

    def _given_twice(self) -> Matrix:
        first, second = self._given(), self._given()
        if repr(first) != repr(second):
            raise GradientMismatch(
                f"grad depends on earlier calls: at the same point it gives {first}, then {second}",
                "not deterministic",
            )
        return first

    # --- the verdicts -------------------------------------------------------------------------------------------------

    def _firsts(self, mode: str) -> Iterator[Finding]:
        matrix = self._own(mode) if self.grad is None else self._given_twice()
        unused = self.trace.unused() if self.trace is not None else set()
        for k, row in enumerate(matrix):
            truth = self.replays[k] if self.replays is not None else None
            for i, computed in enumerate(row):
                if self.replays is None:
                    verdict = self.differences.judge(k, i, computed)
                    outside = verdict.verdict == "wrong" and not verdict.between
                    if self.corner and outside and self._is_ours(k, i, computed):
                        verdict = replace(verdict, verdict="kink", reason=self.corner)
                elif truth is None:
                    verdict = self._constant(computed)
                elif self.grad is None:
                    verdict = truth.own(i, computed)
                elif truth.gradient[i] is None:  # the graph does not give the one-sided slopes
                    verdict = self.differences.judge(k, i, computed)
                else:
                    verdict = truth.given(i, computed)
                if self.replays is None and self.grad is None and self.trace is not None:
                    verdict = doubted(verdict, self.trace.roots[k], self.trace.leaves, i, computed)
                if verdict.verdict == "right" and i in unused:
                    verdict = replace(verdict, reason="the function does not use it")
                yield self._finding(k, self.subject.names[i], i, computed, verdict)

    def _seconds(self, mode: str) -> Iterator[Finding]:
        names = self.subject.names
        for k, matrix in enumerate(self._hessians(mode)):
            truth = self.replays[k] if self.replays is not None else None
            slopes = ByDifferences(self.subject, self._gradient_of(k), len(names), self.rtol, self.atol)
            for i, row in enumerate(matrix):
                for j, computed in enumerate(row):
                    if self.replays is None:
                        verdict = slopes.judge(i, j, computed)
                    else:
                        verdict = truth.second(i, j, computed) if truth is not None else self._constant(computed)
                    yield self._finding(k, f"{names[i]}, {names[j]}", j, computed, verdict)

    def _constant(self, computed: float) -> Verdict:
        return Verdict("right" if abs(computed) <= (self.atol or 0.0) else "wrong", 0.0)

    def _gradient_of(self, k: int) -> Callable[[Sequence[float]], list[float]]:
        def gradient(point: Sequence[float]) -> list[float]:
            trace = self.subject.on_values(point)
            return _by_backward(trace.roots[k], trace.leaves)

        return gradient

    def _finding(self, k: int, name: str, i: int, computed: float, verdict: Verdict) -> Finding:
        output = f"[{k}]" if len(self.outputs) > 1 else ""
        point = self.subject.point[i]
        finding = Finding(
            name, output, point, computed, verdict.expected, verdict.error, verdict.verdict, verdict.reason
        )
        if verdict.verdict == "wrong":
            self._faults.append((finding, verdict))
        return finding

    def _checked(self, findings: list[Finding]) -> Report:
        """Return the report. Raise GradientMismatch where a finding is wrong."""
        report = Report(tuple(findings), "differences" if self.replays is None else "replay", self._measure)
        if not self._faults:
            return report
        finding, verdict = max(self._faults, key=lambda fault: _off(fault[0]))
        more = f"; {len(self._faults) - 1} more are wrong" if len(self._faults) > 1 else ""
        sure = f" ± {finding.error:.1g}" if finding.error else ""
        right = verdict.between or f"{finding.expected!r}{sure}"
        lines = [
            f"{verdict.kind}: {finding.what} = {finding.computed!r}, but {right} is right",
            f"  at {self._at(finding)}; checked by {report.method}{more}",
        ]
        node, where = verdict.node, verdict.reason
        if self.replays is None and self.grad is None and self.trace is not None:
            node, where = self._first_wrong(where)
        lines += [f"  {where}"] if where else []
        lines += [f"  hint: {clue}" for clue in (verdict.clue, self.change) if clue]
        raise GradientMismatch("\n".join(lines), verdict.kind, report, node)

    def _at(self, finding: Finding) -> str:
        point = list(zip(self.subject.names, self.subject.point, strict=True))
        shown = point if len(point) <= 6 else [(n, x) for n, x in point if n in finding.name.split(", ")]
        return ", ".join(f"{name} = {x!r}" for name, x in shown)

    def _first_wrong(self, otherwise: str) -> tuple[Value | None, str]:
        """Return the first node with a wrong local derivative and its description, for a graph that is not replayed."""
        for root in self.trace.roots if self.trace is not None else ():
            if isinstance(root, Value) and self.trace is not None:
                truth = ByReplay(root, self.trace.leaves, self.subject.names, None, None)
                edge = truth.wrong_edge if truth.replay.finite() else None
                if edge is not None:
                    return edge.node, describe(edge)
        return None, otherwise

    def _measure(self) -> tuple[NodeError, ...]:
        replays = [truth.replay for truth in self.replays or () if truth is not None]
        return tuple(error for replay in replays for error in node_errors(replay, described))


def _by_backward(root: Value | float, leaves: Sequence[Value]) -> list[float]:
    """Return d root / d leaf by `backward()`, and restore the gradients of the leaves."""
    if not isinstance(root, Value):
        return [0.0] * len(leaves)
    before = [(leaf, leaf.grad) for leaf in topological_order(root) if leaf.op is None and leaf.has_grad]
    root.zero_grad()
    root.backward()
    gradient = [leaf.grad if leaf.has_grad else 0.0 for leaf in leaves]
    root.zero_grad()
    for leaf, grad in before:
        leaf.grad = grad
    return gradient


def _rows(columns: Iterable[Iterable[Any]]) -> Matrix:
    return [[x.data if isinstance(x, Value) else float(x) for x in row] for row in zip(*columns, strict=True)]


def _off(finding: Finding) -> float:
    """Return the relative error of a finding, inf where it is nan."""
    error = abs(finding.computed - finding.expected) / max(abs(finding.computed), abs(finding.expected), 1e-300)
    return math.inf if math.isnan(error) else error
