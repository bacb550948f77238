"""What a gradient check says: a finding per derivative, the report, and the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

VERDICTS = ("right", "kink", "ill-conditioned", "wrong")  # the worst of a check's findings is its verdict


@dataclass(frozen=True)
class Finding:
    """One derivative. `name` is what it is taken by ("w[0]"; at second order "x, y"), `output` which number of the
    result it is of ("" where there is one only), `computed` what was checked, `expected` what is right within
    `error`, `verdict` one of `VERDICTS`, `reason` why it is not "right", or 0 (by a
    variable that the function does not use)."""

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
        """Which derivative this is, as text: "d f / d x", "d² f / d (x, y)"."""
        return f"d f{self.output} / d {self.name}" if "," not in self.name else f"d² f{self.output} / d ({self.name})"

    def __str__(self) -> str:
        sure = f" ± {self.error:.1g}" if self.error else ""
        because = f"  ({self.reason})" if self.reason else ""
        return f"{self.verdict}: {self.what} = {self.computed!r}, expected {self.expected!r}{sure}{because}"


@dataclass(frozen=True)
class NodeError:
    """How exact one recorded operation is, in units in the last place: `value` given the arguments that it got,
    `carried` with the errors of all that came before, `slopes` its local derivatives (None for constants)."""

    label: str
    value: float
    carried: float
    slopes: tuple[float | None, ...]

    def __str__(self) -> str:
        slopes = ", ".join("-" if ulps is None else f"{ulps:.2g}" for ulps in self.slopes)
        return f"{self.label}: value {self.value:.2g} ulp, carried {self.carried:.2g} ulp, derivatives {slopes} ulp"


class Report:
    """The findings of a check, the worst of them as `verdict`, and by which `method` the truth was found: "replay" (the
    recorded graph in mpmath) or "differences". `str()` of it is a table."""

    def __init__(
        self, findings: tuple[Finding, ...], method: str, measure: Callable[[], tuple[NodeError, ...]]
    ) -> None:
        self.findings = findings
        self.method = method
        self._measure = measure

    @property
    def verdict(self) -> str:
        """The worst verdict among the findings; "right" where there are none."""
        return max((f.verdict for f in self.findings), key=VERDICTS.index, default="right")

    @cached_property
    def nodes(self) -> tuple[NodeError, ...]:
        """The errors of the recorded operations; empty where nothing was replayed."""
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
    """A derivative is wrong, or what was checked is no function. Fields: `kind` ("wrong rule", "wrong accumulation",
    "wrong gradient", "not deterministic", "inputs changed"), `report` (None for the last two), `node` (the first node
    whose local derivative is wrong, if one was found)."""

    def __init__(self, message: str, kind: str, report: Report | None = None, node: object = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.report = report
        self.node = node
