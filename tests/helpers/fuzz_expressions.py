"""Random expressions against mpmath, as many as one likes: values and gradients, and every alarm that should not be.

    python tests/fuzz_expressions.py --count 1000000 --jobs 2

Each expression is drawn by hypothesis (`expressions()`: all operations, kinks and ill-conditioned points
included), recorded, differentiated by `backward()`, and replayed in mpmath. Printed are the verdicts, the worst
error of a gradient in units in the last place relative to its condition number, and every expression whose
gradient is called wrong. Exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import collections
import math
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from tqdm import tqdm

from micrograd_bp import GradientMismatch, Value, check_gradient, grad, topological_order
from micrograd_bp.check.replay import Replay
from micrograd_bp.check.strategies import Expression, expressions

CHUNK = 2000


@dataclass
class Tally:
    """What a number of expressions gave."""

    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    unexplained: list[str] = field(default_factory=list)
    worst: tuple[float, str] = (0.0, "")  # error / (ulp x condition number), and where

    def add(self, other: Tally) -> None:
        self.verdicts += other.verdicts
        self.unexplained += other.unexplained
        self.worst = max(self.worst, other.worst)


def relative_error(e: Expression) -> float:
    """The error of the gradient in ulps over its condition number: the sum of all terms' sizes beside what they sum to.

    Rounding of the values that the derivatives are taken at counts as well: the exact gradient of the recorded
    numbers is what the engine's is held against.
    """
    leaves = [Value(x) for x in e.point]
    root = e(*leaves)
    root.backward()
    replay = Replay(topological_order(root), leaves)
    errors = [0.0]
    sums = replay.recorded_sum()
    for leaf, exact, size in zip(leaves, sums.totals, sums.sizes, strict=True):
        if 1e-290 < abs(exact) < 1e290 and math.isfinite(leaf.grad):
            condition = float(size / abs(exact)) * len(replay.order)
            errors.append(float(abs(leaf.grad - exact)) / math.ulp(float(abs(exact))) / max(condition, 1.0))
    return max(errors)


def black_box(e: Expression, tally: Tally) -> None:
    """The gradient once more, against values alone: as if the expression and its gradient were anybody's functions."""
    try:
        report = check_gradient(lambda *x: float(e(*x)), *e.point, grad=grad(e))
        tally.verdicts[f"by differences: {report.verdict}"] += 1
    except GradientMismatch as wrong:
        tally.verdicts["by differences: wrong"] += 1
        tally.unexplained.append(f"{e!r}\n{wrong}")


def run(start: int, count: int, max_nodes: int, by_differences: bool = False) -> Tally:
    """`count` expressions from the seed `start`."""
    tally = Tally()

    @seed(start)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(expressions(max_nodes=max_nodes, n_leaves=3))
    def one(e: Expression) -> None:
        try:
            report: Any = check_gradient(e, *e.point)
        except GradientMismatch as wrong:
            tally.verdicts["wrong"] += 1
            tally.unexplained.append(f"{e!r}\n{wrong}")
            return
        tally.verdicts[report.verdict] += 1
        if by_differences and report.verdict == "right":  # at a kink it may be a convention, else rounding
            black_box(e, tally)
        if report.verdict == "right" and report.method == "replay":
            tally.worst = max(tally.worst, (relative_error(e), repr(e)))

    one()
    return tally


def main() -> int:
    """Run as asked, print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="how many expressions")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--seed", type=int, default=0, help="where to start")
    parser.add_argument("--max-nodes", type=int, default=8, help="the largest expression")
    parser.add_argument("--differences", action="store_true", help="check each by differences of values as well")
    options = parser.parse_args()
    total = Tally()
    sizes = [min(CHUNK, options.count - done) for done in range(0, options.count, CHUNK)]
    with ProcessPoolExecutor(options.jobs) as pool, tqdm(total=options.count, unit="expression", disable=None) as bar:
        starts = [options.seed * 1_000_003 + i for i in range(len(sizes))]
        jobs = {
            pool.submit(run, at, n, options.max_nodes, options.differences): n
            for at, n in zip(starts, sizes, strict=True)
        }
        for job in as_completed(jobs):
            total.add(job.result())
            bar.update(jobs[job])
    print(f"{options.count} expressions asked for: {dict(total.verdicts.most_common())}")
    print(f"worst sum: {total.worst[0]:.3g} ulp per condition number and node, in {total.worst[1]}")
    print(f"unexplained: {len(total.unexplained)}")
    print(*total.unexplained, sep="\n\n")
    return 1 if total.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
