"""A program through some modes, held against the oracle and against each other.

What counts as an error:

- a number that differs from the oracle's by more than rounding explains. How much that is, the oracle says itself: it
  runs again with errors of relative size 1e-13 in every operation.
- a mode that differs from `backward`. The modes that go backwards agree to the bit but for NumPy's and LLVM's own
  functions, and for programs that take derivatives themselves and are recorded: the recording has the derivatives of
  all branches, so that sums of adjoints have another order. Forward modes agree up to rounding, where both are finite.
- an exception in one mode only, and one where the oracle has a value or none where it has none.

What does not: where a derivative does not exist (a kink along the way), the engine's convention, or nan. Where a
derivative is infinite on the way, so that the oracle takes the limit from both sides, nan or an infinity; so too where
it is infinite, or a kink is met, only when the oracle computes with the digits of floats. Where a number on the way
leaves the floats, whatever IEEE 754 gives, if the modes agree.
"""

from __future__ import annotations

import functools
import math
import random
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import micrograd_bp as mb

from . import oracle
from .modes import MODES, NotAssigned, Subject, modes_of
from .program import INNER, KINDS, Program

REFUSED = (mb.DomainError, ZeroDivisionError, OverflowError)  # the last two by Python's operators on floats
ORDERS = {"value": 0, "gradient": 1, "first": 1, "hessian": 2, "second": 2, "third": 3}
CLOSE = 1e-9
SAME = 1e-13
FLOOR = 1e-13  # what is left of terms that cancel; programs with extreme numbers are held to every digit
TINY = 1e-322  # two subnormal numbers
STEPS = (oracle.M.mpf(10) ** -25, oracle.M.mpf(10) ** -40)  # beside a singular point


@dataclass(frozen=True)
class Finding:
    """What a mode gave, and what it should have given."""

    program: Program
    mode: str
    quantity: str
    given: Any
    expected: Any
    why: str

    def __str__(self) -> str:
        return f"{self.mode}: {self.quantity} = {self.given!r}, {self.why} {self.expected!r}"


@dataclass
class Report:
    """What became of one program."""

    state: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)


class Examination:
    """The oracle's results for one program, computed when they are needed."""

    def __init__(self, program: Program, code: Any) -> None:
        self.program = program
        names = dict(oracle.NAMES)
        exec(code, names)
        self.f = names["f"]
        self.state = "known"
        self.notes: set[str] = set()
        self.exact: list[Any] = []

    def run(self, order: int) -> None:
        p = self.program
        try:
            if not all(map(math.isfinite, p.point)):
                raise oracle.Beyond
            self.exact, self.notes = oracle.along(self.f, p.point, p.direction, order)
            if any(x != x for x in self.exact):
                self.state = "singular"
        except oracle.Outside as error:
            self.state = "outside, a constant" if error.constant else "outside"
            self.notes = oracle.run.notes
        except oracle.Singular:
            self.state = "singular"
            try:
                self.exact, self.notes = oracle.along(self.f, p.point, p.direction, 0)
            except oracle.Outside:
                self.state = "outside"
            except (oracle.Singular, oracle.Beyond):  # a derivative within the program does not exist
                self.exact = []
        except oracle.Beyond:
            self.state = "beyond"

    @functools.cached_property
    def sharp(self) -> list[Any]:
        """The derivatives from so many digits that what cancels leaves some."""
        with oracle.M.workdps(oracle.MANY_DIGITS):
            try:
                return oracle.along(self.f, self.program.point, self.program.direction, len(self.exact) - 1)[0]
            except (oracle.Outside, oracle.Singular, oracle.Beyond):
                return self.exact

    def undecided(self, order: int) -> bool:
        """Whether a result depends on the number of the oracle's digits, which then decides whether a pole is met."""
        size = max(abs(x) for x in self.exact if x == x)
        return not abs(self.exact[order] - self.sharp[order]) <= 1e-9 * size

    @functools.cached_property
    def rounded(self) -> list[list[Any]]:
        """The oracle's results where rounding carries a number on the way to a corner, a pole or a domain's end: with
        the digits of floats, and with numbers that are 0 but for rounding. None of these where it does not."""
        p, runs = self.program, []
        for digits, snap in ((53, False), (oracle.M.prec, True)):
            with oracle.M.workprec(digits):
                try:
                    found, notes = oracle.along(self.f, p.point, p.direction, len(self.exact) - 1, snap=snap)
                except (oracle.Outside, oracle.Singular, oracle.Beyond):
                    found, notes = [oracle.NAN] * len(self.exact), {"edge"}
            if notes & {"edge", "kink"}:
                runs.append(found)
        return runs

    @functools.cached_property
    def spreads(self) -> tuple[list[float], set[str]] | None:
        """How far errors of 1e-13 move the results, and what was noted; None where the program then runs otherwise."""
        p, found, order = self.program, [], max(len(self.exact) - 1, 0)
        notes: set[str] = set()
        rng = random.Random(p.seed)
        try:
            for k in range(4):
                results, noted = oracle.along(self.f, p.point, p.direction, order, rng if k else None, watch=True)
                found.append(results)
                if k and (noted ^ self.notes) & {"edge", "kink"}:
                    return None
                notes |= noted
        except (oracle.Outside, oracle.Singular, oracle.Beyond):
            return None
        return [max([0.0, *(float(abs(r[k] - found[0][k])) for r in found)]) for k in range(order + 1)], notes

    @functools.cached_property
    def beside(self) -> list[list[list[Any]]]:
        """By side and step, the derivatives beside the point along the direction; a side outside the domain is left
        out."""
        p, sides = self.program, []
        for side in (1, -1):
            found = []
            try:
                for h in STEPS:
                    point = [oracle.M.mpf(x) + side * h * d for x, d in zip(p.point, p.direction, strict=True)]
                    found.append(oracle.along(self.f, point, p.direction, 3)[0])
            except (oracle.Outside, oracle.Singular, oracle.Beyond):
                continue
            sides.append(found)
        return sides

    def limits(self, order: int) -> list[float] | None:
        """The limits of a derivative from the sides on which the program is defined; None where they are not clear."""
        found = []
        for far, near in self.beside:
            a, b = far[order], near[order]
            if abs(b) > 1e12 and abs(b) > 10 * abs(a):
                found.append(math.copysign(math.inf, b))
            elif abs(a - b) <= 1e-6 * max(abs(b), 1e-6):
                found.append(float(b))
            else:
                return None
        return found or None


def weighed(result: dict[str, Any], quantity: str, direction: Sequence[float]) -> tuple[float, float]:
    """Return a quantity along the direction, and the sum of the absolute values of its terms."""
    given = result[quantity]
    if quantity == "gradient":
        terms = [d * g for d, g in zip(direction, given, strict=True) if d]
    elif quantity == "hessian":
        terms = [
            d * e * h
            for d, row in zip(direction, given, strict=True)
            for e, h in zip(direction, row, strict=True)
            if d and e
        ]
    else:
        return given, abs(given)
    return sum(terms), sum(map(abs, terms))


def close(a: float, b: float, scale: float = 0.0, slack: float = CLOSE) -> bool:
    if a == b or (a != a and b != b):
        return True
    return abs(a - b) <= max(slack * max(abs(a), abs(b), scale), TINY) < math.inf


def examine(
    program: Program, own: dict[str, Any], names: Sequence[str] | None = None, switched: Container[str] = KINDS
) -> Report:
    """Run a program through `backward` and other modes: those of `names`, or a random choice of all."""
    code = program.code()
    report = Report()
    possible = modes_of(program, switched)
    if names is None:
        rng = random.Random(program.seed ^ 0x5EED)
        names = [name for name in possible if rng.random() < MODES[name].share]
    chosen = ["backward", *(name for name in names if name != "backward" and name in possible)]
    exam = Examination(program, code)
    order = max(3 if name in ("taylor", "third derivative") else 2 if MODES[name].second else 1 for name in chosen)
    try:
        exam.run(order)
    except Exception as error:  # one program more to look at, and no end of the run
        report.state = "error"
        report.findings.append(Finding(program, "oracle", "error", f"{type(error).__name__}: {error}", "", "an error"))
        return report
    report.state, report.modes = exam.state, chosen
    subject = Subject(program, code, own)
    results: dict[str, dict[str, Any]] = {}
    refused: dict[str, Exception] = {}
    for name in chosen:
        try:
            result = MODES[name].run(subject)
            if strange := [x for x in _flat(list(result.values())) if not isinstance(x, (int, float))]:
                found = f"{type(strange[0]).__name__} in place of a number"
                report.findings.append(Finding(program, name, "error", found, "", "an error"))
                continue
            results[name] = result
        except REFUSED as error:
            refused[name] = error
        except NotAssigned:
            continue
        except Exception as error:
            report.findings.append(Finding(program, name, "error", f"{type(error).__name__}: {error}", "", "an error"))
    _compare_refusals(report, exam, results, refused)
    if "backward" not in results:
        return report
    reference = results["backward"]
    for name, result in results.items():
        facts = MODES[name]
        for quantity in result:
            if facts.family == "reverse" and name != "backward" and quantity in reference:
                bits = facts.bits and not (facts.traced and program.kinds & INNER)
                outcome = _same(exam, bits, result[quantity], reference[quantity], reference)
                if outcome == "wrong":
                    report.findings.append(
                        Finding(program, name, quantity, result[quantity], reference[quantity], "but backward gives")
                    )
                report.outcomes[f"{quantity} as backward: {outcome}"] += 1
                continue
            outcome, expected = _judge(exam, result, quantity, reference)
            if outcome == "wrong":
                given = weighed(result, quantity, program.direction)[0]
                report.findings.append(Finding(program, name, quantity, given, expected, "not"))
            report.outcomes[f"{quantity}: {outcome}"] += 1
    return report


def _flat(x: Any) -> list[Any]:
    return [y for part in x for y in _flat(part)] if isinstance(x, list) else [x]


def _compare_refusals(
    report: Report, exam: Examination, results: dict[str, Any], refused: dict[str, Exception]
) -> None:
    """A mode refuses exactly where the oracle does, but for rounding; compiled programs give nan there."""
    program = exam.program
    if exam.state == "outside" and "backward" in results:
        report.outcomes["outside: no error"] += 1
        # constants, also derivatives that are constants, are floats, on which operations follow IEEE 754
        value, floats = results["backward"]["value"], program.kinds & INNER
        if math.isfinite(value) and not floats and "cut" not in exam.notes and not _near_edge(exam):
            report.findings.append(Finding(program, "backward", "value", value, "a DomainError", "not"))
    for name, error in refused.items():
        if exam.state != "known" or _near_edge(exam):
            report.outcomes["outside: refused"] += 1
        else:
            report.findings.append(Finding(program, name, "error", f"{type(error).__name__}: {error}", "", "an error"))


def _near_edge(exam: Examination) -> bool:
    """Whether rounding, overflow or underflow may carry an argument over the end of a domain."""
    p = exam.program
    rng = random.Random(p.seed)
    seen = {"outside" if any(run[0] != run[0] for run in exam.rounded) else "inside"}
    for k in range(12):
        try:
            notes = oracle.along(exam.f, p.point, p.direction, 0, rng if k else None, watch=True)[1]
            if notes & {"range", "small divisor", "cancelled"}:
                return True
            seen.add("inside")
        except (oracle.Outside, oracle.Singular):
            seen.add("outside")
        except oracle.Beyond:
            return True
    return len(seen) > 1


def _same(exam: Examination, bits: bool, given: Any, expected: Any, reference: dict[str, Any]) -> str:
    """Return whether two modes that go backwards agree."""
    pairs = list(zip(given, expected, strict=True)) if isinstance(given, list) else [(given, expected)]
    if all(close(float(a), float(b), slack=SAME) for a, b in pairs):
        return "right"
    if bits:
        return "wrong"
    if exam.state == "beyond" or exam.spreads is None:
        return "ill-conditioned"
    spreads, notes = exam.spreads
    scale = max((abs(b) for _, b in pairs), default=0.0)
    if all(close(float(a), float(b), scale, 1e-11) for a, b in pairs):
        return "right"
    if notes & {"range", "kink", "edge", "cancelled"}:
        return "ill-conditioned"
    worst = max(*spreads[:2], FLOOR)
    return "ill-conditioned" if all(abs(a - b) <= worst * 1e-1 for a, b in pairs) else "wrong"


def _judge(exam: Examination, result: dict[str, Any], quantity: str, reference: dict[str, Any]) -> tuple[str, Any]:
    """Return the outcome for one quantity, and what was expected."""
    order = ORDERS[quantity]
    given, scale = weighed(result, quantity, exam.program.direction)
    if exam.state not in ("known", "singular"):
        if quantity == "first" and "value" in result:
            expected, size = weighed(reference, "gradient", exam.program.direction)
            if math.isfinite(given) and math.isfinite(expected) and not close(given, expected, size, 1e-6):
                if abs(given - expected) <= FLOOR or exam.program.kinds & {"extreme"}:
                    return "unclear", expected
                return "wrong", expected
        return "no oracle", None
    known = order < len(exam.exact) and exam.exact[order] == exam.exact[order]
    if known and not (order and "kink" in exam.notes):
        expected = exam.exact[order]
        if close(given, expected, scale):
            return "right", expected
        expected = exam.sharp[order]
        if close(given, expected, scale):
            return "right", expected
        size = max([1.0, *(float(abs(x)) for x in exam.exact if x == x)])
        size *= max([1.0, *(1.0 / abs(x) for x in exam.program.point if abs(x) > 1e-3)]) ** order  # terms like 1 / x**2
        if "extreme" not in exam.program.kinds and abs(given - expected) <= FLOOR * size:
            return "right but for rounding", expected
        if "cut" in exam.notes:
            return "convention (sign of a zero)", expected
        if given != given and "edge" in exam.notes:
            return "nan at a corner or pole that nothing reaches", expected
        if "edge" in exam.notes and exam.program.kinds & INNER:
            return "a derivative within is taken at a corner or pole", expected
        if exam.spreads is None:
            return "ill-conditioned", expected
        spreads, notes = exam.spreads
        if "range" in notes:
            return "out of range", expected
        if abs(given - expected) <= 10.0 * spreads[order] or spreads[order] > 1e-3 * abs(expected) > 0.0:
            return "ill-conditioned", expected
        if "kink" in notes:
            return "near a kink", expected
        if exam.undecided(order):
            return "the oracle's digits decide", expected
        if not math.isfinite(given) and "third power out of range" in notes:
            return "out of range", expected
        if exam.rounded and (not math.isfinite(given) or any(abs(given - run[order]) <= FLOOR for run in exam.rounded)):
            return "rounding meets a corner or pole", expected
        return "wrong", float(expected)
    if order == 0:
        return "no oracle", None
    if given != given:
        return "nan where no derivative is certain", None
    limits = exam.limits(order)
    if limits is None:
        return "limit not clear", None
    if all(close(given, limit, scale, 1e-6) or abs(given - limit) < 1e-12 for limit in limits):
        return "right (limit)", limits
    if math.isinf(given) and all(map(math.isinf, limits)):
        return "infinite, of another sign", limits
    if math.isinf(given) and exam.state == "singular":
        return "infinite where a slope on the way is", limits
    if min(limits) < max(limits) and not close(min(limits), max(limits), 0.0, 1e-6):
        return "convention (no derivative)", limits
    if "kink" in exam.notes or "kink" in (exam.spreads[1] if exam.spreads else ()):
        return f"convention (not the limit, order {order})", limits
    if exam.spreads and "range" in exam.spreads[1]:
        return "out of range", limits
    return "wrong", limits[0]
