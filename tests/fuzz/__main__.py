"""Runs random programs through all modes against an oracle of 60 digits.

    python -m tests.fuzz --programs 1000000 --workers 2

Programs have loops, branches, sequences, nested derivatives, copies in the middle, data that is assigned between
passes, user-defined operations, special numbers. Printed are counts per kind, per mode and quantity, and for each kind
of failure the smallest program that shows it, as a regression test. Exits with 1 if there is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

os.environ.setdefault("MICROGRAD_BP_CACHE", "off")

from .check import Finding, examine
from .modes import own_operations
from .program import KINDS, draw
from .shrink import as_test, shrunk

CHUNK = 500
SHOWN = 2  # failures that are shrunk and shown of each sort


@dataclass
class Tally:
    """What a number of programs gave."""

    kinds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.kinds += other.kinds
        self.states += other.states
        self.outcomes += other.outcomes
        self.modes += other.modes
        self.wrong += other.wrong
        self.findings += other.findings


def run(first: int, count: int, kinds: tuple[str, ...] = KINDS, most: int = 1000) -> Tally:
    """Run the programs of `count` seeds from `first`; keep the first `most` findings."""
    tally = Tally()
    with own_operations() as own:
        for seed in range(first, first + count):
            program = draw(seed, kinds)
            report = examine(program, own, switched=kinds)
            tally.kinds.update(program.kinds)
            tally.states[report.state] += 1
            tally.outcomes += report.outcomes
            tally.modes.update(report.modes)
            for finding in report.findings:
                tally.wrong[f"{finding.mode}: {finding.quantity}"] += 1
                if len(tally.findings) < most:
                    tally.findings.append(finding)
    return tally


def smallest(findings: list[Finding]) -> list[Finding]:
    """Return the failures, some of each sort, shrunk."""
    chosen, seen = [], Counter[tuple[str, str]]()
    for finding in findings:
        sort = finding.mode, finding.quantity
        seen[sort] += 1
        if seen[sort] <= SHOWN:
            chosen.append(finding)
    with own_operations() as own:
        return [shrunk(finding, own) for finding in chosen]


def show(tally: Tally, programs: int, seconds: float) -> None:
    """Print the counts."""
    print(f"{programs} programs in {seconds:.0f} s ({programs / max(seconds, 1e-9):.0f}/s)")
    for title, counts in (("programs by kind", tally.kinds), ("the oracle's view", tally.states),
                          ("runs by mode", tally.modes), ("results", tally.outcomes)):  # fmt: skip
        print(f"\n{title}")
        for name, count in counts.most_common():
            print(f"  {count:>9}  {name}")
    print(f"\nunexplained: {sum(tally.wrong.values())}")
    for name, count in tally.wrong.most_common():
        print(f"  {count:>9}  {name}")


def main() -> int:
    """Run as asked, print the report."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=10_000, help="how many programs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first program; program k has the seed SEED + k")
    parser.add_argument("--workers", type=int, default=1, help="how many processes (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, metavar="KIND",
                        help=f"only these kinds of programs: {', '.join(KINDS)}")  # fmt: skip
    parser.add_argument("--show", type=int, metavar="SEED", help="print the program of a seed, and what it gives")
    options = parser.parse_args()
    kinds = tuple(options.kinds)
    if options.show is not None:
        program = draw(options.show, kinds)
        print(f"{sorted(program.kinds)} at {program.point} along {program.direction}\n{program.source}")
        print(*run(options.show, 1, kinds).findings, sep="\n")
        return 0
    start, total = time.perf_counter(), Tally()
    firsts = range(options.seed, options.seed + options.programs, CHUNK)
    end = options.seed + options.programs
    from tqdm import tqdm

    with ProcessPoolExecutor(options.workers) as pool, tqdm(total=options.programs, unit="", disable=None) as bar:
        jobs = {pool.submit(run, at, min(CHUNK, end - at), kinds, 20): min(CHUNK, end - at) for at in firsts}
        for job in as_completed(jobs):
            total.add(job.result())
            bar.update(jobs[job])
            bar.set_postfix(unexplained=sum(total.wrong.values()))
    show(total, options.programs, time.perf_counter() - start)
    for finding in smallest(sorted(total.findings, key=lambda finding: finding.program.seed)):
        print(f"\n# {finding}\n{as_test(finding)}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
