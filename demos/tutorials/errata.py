"""Check every statement of three tutorials on backpropagation that can be checked, and explain the misprints.

Every case is computed and nothing is looked up: a number is compared with the printed digits, a formula is evaluated as
it is written and compared with the gradient, a table is trained again, and a claim is put to the test. For a misprint
the report says what is wrong; where the mistake can be made again, it shows that it leads to the printed digits.

The demo writes errata.md (all cases as a table) and misprints.png (the relative errors of the printed numbers).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from demos.shared.command_line import heading, options, wrote
from demos.shared.figures import BLUE, RED, axes, figure, save
from demos.tutorials.cases import CASES
from demos.tutorials.cases.case import Case, Result, agree, all_agree


class Finding(NamedTuple):
    """The results of a case."""

    case: Case
    ours: Result
    printed: Result | None
    mistake: Result | None
    evidence: str

    @property
    def misprint(self) -> bool:
        """Whether the printed result differs from the result of the engine."""
        return self.printed is None or not all_agree(self.ours, self.printed)

    @property
    def verdict(self) -> str:
        return f"MISPRINT ({self.case.kind})" if self.misprint else "the same"

    def difference(self) -> tuple[str, str]:
        """Return the printed entry and ours where they first differ, or their last entries if they agree."""
        if self.printed is None:
            return "(has no value as it stands)", _shown(self.ours[0]) if self.ours else ""
        pairs = list(zip(self.printed, self.ours, strict=False))
        printed, ours = next(((p, o) for p, o in pairs if not agree(o, p)), pairs[-1])
        return _shown(printed), _shown(ours)


def _shown(entry: float | str) -> str:
    return entry if isinstance(entry, str) else f"{entry:.12g}"


def find(case: Case) -> Finding:
    """Compute a case, and return its results."""
    return Finding(
        case,
        case.ours(),
        None if case.printed is None else case.printed(),
        None if case.mistake is None else case.mistake(),
        case.evidence() if case.evidence else "",
    )


def report(finding: Finding) -> Iterator[str]:
    """Yield the lines of the report on one case."""
    case, (printed, ours) = finding.case, finding.difference()
    yield f"{case.name}: {finding.verdict}"
    yield f"    printed    {case.says}"
    if finding.ours:
        count = len(finding.ours)
        of = f"   (of {count})" if count > 1 else ""
        yield f"    it gives   {printed}" if finding.misprint else f"    engine     {ours}{of}"
        if finding.misprint:
            yield f"    engine     {ours}{of}"
    if case.wrong:
        yield f"    wrong      {case.wrong}"
    if finding.mistake is not None and finding.printed is not None:
        same = all_agree(finding.mistake, finding.printed)
        yield f"    mistake    made again: {'as printed, to the last digit' if same else 'NOT as printed'}"
    if finding.evidence:
        yield f"    see        {finding.evidence}"


def markdown(findings: Sequence[Finding]) -> str:
    """Return a Markdown table of all cases."""
    lines = [
        "| case | printed | read as it stands | the engine | verdict | what is wrong |",
        "|---|---|---|---|---|---|",
    ]
    for finding in findings:
        cells = [finding.case.name, finding.case.says, *finding.difference(), finding.verdict, finding.case.wrong]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    """Return a sentence that counts the cases and the misprints."""
    kinds = Counter(finding.case.kind for finding in findings if finding.misprint)
    by_kind = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{len(findings)} cases: {len(findings) - kinds.total()} as printed, {kinds.total()} misprints ({by_kind})"


def plot(findings: Sequence[Finding], folder: Path) -> Path:
    """Plot the relative error of each misprinted number."""
    made = figure(8, 6)
    off = []
    for finding in findings:
        printed, ours = finding.difference()
        if finding.case.kind == "hard" and finding.printed is not None:
            try:
                off.append((finding.case.name, abs(float(printed) - float(ours)) / abs(float(ours))))
            except ValueError:  # a text
                continue
    off.sort(key=lambda pair: pair[1])
    plot = axes(
        made,
        title="Misprints: relative errors of the printed numbers",
        xlabel="|printed − right| / |right|",
        xscale="log",
    )
    colors = [RED if error > 0.1 else BLUE for _, error in off]
    plot.barh([name for name, _ in off], [error for _, error in off], color=colors)
    plot.tick_params(axis="y", labelsize="small")
    return save(made, folder, "misprints.png")


def main(arguments: list[str] | None = None) -> int:
    """Print the report, write the table and the plot; return 1 if a case differs from what is recorded of it."""
    parser = options(__doc__, "errata")
    parser.add_argument("--misprints", action="store_true", help="print the misprints only")
    parser.add_argument(
        "--only", metavar="TEXT", default="", help='only the cases with this text in their name, such as "third/ω"'
    )
    given = parser.parse_args(arguments)
    chosen = [case for case in CASES if given.only in case.name]
    if not chosen:
        parser.error(f"--only {given.only}: no case has this text in its name; one name is {CASES[0].name}")
    findings = []
    for case in chosen:
        findings.append(finding := find(case))
        if finding.misprint or not given.misprints:
            print("\n".join(report(finding)), flush=True)
    print(f"\n{heading(summary(findings))}\n")
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "errata.md"
    path.write_text(markdown(findings), encoding="utf-8")
    wrote(path)
    plot(findings, given.out)
    return int(any(finding.misprint != bool(finding.case.kind) for finding in findings))


if __name__ == "__main__":
    raise SystemExit(main())
