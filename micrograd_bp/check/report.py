"""The result of a gradient check: a finding for each derivative, the report, and the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

VERDICTS = ("right", "kink", "ill-conditioned", "wrong")  # from the best to the worst


@dataclass(frozen=True)
class Finding:
    """One derivative of a check.

    `name`      the variable by which it is taken ("w[0]"; at second order "x, y")
    `output`    the index of the function's result ("[1]"), "" where there is only one
    `point`     the value of the variable
    `computed`  the derivative that is checked
    `expected`  the right derivative, within `error`
    `verdict`   one of `VERDICTS`
    `reason`    the reason why it is not "right", or why it is 0
    """

    name: str
    output: str
    point: float
    computed: float
    expected: float
    error: float
    verdict: str
    reason: str = ""

    @property
    def what(self) -> str:
        """The derivative as text: "d f / d x", "d² f / d (x, y)"."""
        return f"d f{self.output} / d {self.name}" if "," not in self.name else f"d² f{self.output} / d ({self.name})"

    def __str__(self) -> str:
        sure = f" ± {self.error:.1g}" if self.error else ""
        because = f"  ({self.reason})" if self.reason else ""
        return f"{self.verdict}: {self.what} = {self.computed!r}, expected {self.expected!r}{sure}{because}"


@dataclass(frozen=True)
class NodeError:
    """The errors of one recorded operation, in units in the last place.

    `value` is the error of its value for its recorded arguments, `carried` includes the errors of the operations below
    it, and `slopes` are the errors of its local derivatives (None for constants).
    """

    label: str
    value: float
    carried: float
    slopes: tuple[float | None, ...]

    def __str__(self) -> str:
        slopes = ", ".join("-" if ulps is None else f"{ulps:.2g}" for ulps in self.slopes)
        return f"{self.label}: value {self.value:.2g} ulp, carried {self.carried:.2g} ulp, derivatives {slopes} ulp"


class Report:
    """The result of `check_gradient`: its `findings`, its worst `verdict`, and the `method` of the check.

    The method is "replay" (the recorded graph is replayed in mpmath) or "differences". `str()` gives a table.
    """

    def __init__(
        self, findings: tuple[Finding, ...], method: str, measure: Callable[[], tuple[NodeError, ...]]
    ) -> None:
        self.findings = findings
        self.method = method
        self._measure = measure

    @property
    def verdict(self) -> str:
        """The worst verdict of the findings, "right" where there are none."""
        return max((f.verdict for f in self.findings), key=VERDICTS.index, default="right")

    @cached_property
    def nodes(self) -> tuple[NodeError, ...]:
        """The errors of the recorded operations, () where no graph was replayed."""
        return self._measure()

    def __repr__(self) -> str:
        return f"Report(verdict={self.verdict!r}, method={self.method!r}, {len(self.findings)} findings)"

    def __str__(self) -> str:
        how = {"replay": "the recorded graph replayed in mpmath", "differences": "extrapolated differences"}[
            self.method
        ]
        head = f"{self.verdict}: {len(self.findings)} derivatives, checked against {how}"
        return "\n".join([head, *(f"  {finding}" for finding in self.findings)])


class GradientMismatch(AssertionError):
    """A derivative is wrong, or the function is not deterministic or changes its inputs.

    Fields: `kind` ("wrong rule", "wrong accumulation", "wrong gradient", "not deterministic", "inputs changed"),
    `report` (None for the last two kinds), and `node` (the first node with a wrong local derivative, or None).
    """

    def __init__(self, message: str, kind: str, report: Report | None = None, node: object = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.report = report
        self.node = node
