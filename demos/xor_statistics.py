"""The first tutorial's XOR training from 200 random starts: how many stop, how many classify, where the others stay.

Settings are those of the tutorial's script: weights and hidden biases uniform on [0, 1), the output's bias 0.1, step
size 0.15, full batch of four, at most 30,000 epochs, stop where the half squared errors sum to less than 0.005. Start
number i is what the script does after np.random.seed(i). The engine trains each network, in processes of their own.

A single neuron cannot learn XOR: it says 1 where b + w1 x1 + w2 x2 > 0. XOR needs b ≤ 0, b + w1 > 0 and b + w2 > 0, so
that b + w1 + w2 > -b ≥ 0, where XOR needs 0 at most.

Of 200, 75 stop and 184 classify. The other 16 take two or three of the inputs for one; they are not in minima but in
valleys that still fall a little: by 60,000 epochs two of them classify, the others do not by 100,000 (`many_starts.py`,
the same training in NumPy, tells in seconds). Here all of it takes 21 minutes of computing, half of that on two cores.

Writes starts.png (all cost curves, and the costs at the end in order), borders.png (what a single neuron and a network
of three say in the plane).
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import statistics
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

import many_starts
from common import BLUE, GREEN, GREY, RED, axes, count, figure, heading, options, save
from micrograd_bp.cli.output import table
from micrograd_bp.cli.xor import STOP, X, Y, error, tutorial_model
from micrograd_bp.nn import MLP
from micrograd_bp.training.loop import fit
from xor_surface import cost, curvature, steepness

ALPHA = 0.15
KEPT = 50  # every so many epochs a point of the curve
OUTCOMES = {"reaches the stop": GREEN, "classifies, no stop": BLUE, "does not classify": RED}


class Start(NamedTuple):
    """What became of one start: epochs begun, every fiftieth sum of the errors and the last, outputs, parameters."""

    seed: int
    epochs: int
    costs: list[float]
    outputs: list[float]
    parameters: list[float]

    @property
    def truth_table(self) -> str:
        """The outputs for 00, 01, 10, 11 as digits, at 1/2."""
        return "".join("1" if output > 0.5 else "0" for output in self.outputs)

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        reached, classifies, neither = OUTCOMES
        return reached if self.costs[-1] < STOP else classifies if self.truth_table == "0110" else neither


def neuron(seed: int) -> MLP:
    """A single sigmoid neuron: both weights uniform on [0, 1), the bias 0.1."""
    weights, biases = many_starts.draws([seed], (2, 1))
    model = MLP(2, [1], "sigmoid", "sigmoid")
    model.load_state_dict(dict(zip(("w1_11", "w1_12", "b1_1"), [*weights[0].flat, *biases[0].flat], strict=True)))
    return model


def train(model: MLP, epochs: int, seed: int = 0) -> Start:
    """Train on XOR as the tutorial's script does."""
    stop = STOP / len(X)  # `fit` has the mean, the script the sum
    history = fit(model, X, Y, loss=error, learning_rate=ALPHA, epochs=epochs, stop_cost=stop, progress=False)
    costs = [len(X) * cost for cost in [*history.cost[:-1:KEPT], history.cost[-1]]]
    return Start(seed, history.epochs, costs, [model(x).data for x in X], [p.data for p in model.parameters()])


def train_start(epochs: int, seed: int) -> Start:
    """Train the network of three neurons from the draws of `seed`."""
    return train(tutorial_model(seed), epochs, seed)


def train_all(starts: int, epochs: int, jobs: int) -> list[Start]:
    """Starts 0, 1, ... in so many processes, with a progress bar in terminals; the same in any number of processes."""
    with ProcessPoolExecutor(
        jobs,
        multiprocessing.get_context("spawn"),
        signal.signal,  # Ctrl-C ends a process at once, without its traceback
        (signal.SIGINT, signal.SIG_DFL),
    ) as pool:
        done = pool.map(functools.partial(train_start, epochs), range(starts))
        return list(tqdm(done, desc="training", unit=" starts", total=starts, disable=None))


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share: the p at which what was seen is not further off than is likely at that level.

    >>> [round(p, 3) for p in wilson(75, 200)]
    [0.311, 0.444]
    """
    z2 = statistics.NormalDist().inv_cdf(0.5 + level / 2) ** 2
    share = successes / trials
    middle = share + z2 / (2 * trials)
    half = (z2 * (share * (1 - share) + z2 / (4 * trials)) / trials) ** 0.5
    return (middle - half) / (1 + z2 / trials), (middle + half) / (1 + z2 / trials)


def shares(starts: Sequence[Start]) -> list[list[str]]:
    """The two shares with their intervals, as rows of a table."""
    reached, classifies, _ = (sum(start.outcome == outcome for start in starts) for outcome in OUTCOMES)
    rows = []
    for name, successes in (("reach the stop", reached), ("classify", reached + classifies)):
        low, high = wilson(successes, len(starts))
        share = successes / len(starts)
        rows.append([name, f"{successes} of {len(starts)}", f"{share:.1%}", f"{low:.1%} to {high:.1%}"])
    return rows


def unlearned(starts: Sequence[Start]) -> list[list[str]]:
    """Where the starts that do not classify are: outputs, cost, slope and least curvature, as rows of a table."""
    rows = []
    for start in sorted(starts, key=lambda start: start.costs[-1]):
        if start.outcome == "does not classify":
            least = curvature(cost, start.parameters).eigenvalues[0]
            outputs = " ".join(f"{output:.2f}" for output in start.outputs)
            slope = f"{steepness(cost, start.parameters):.1e}"
            rows.append([f"{start.seed}", outputs, start.truth_table, f"{start.costs[-1]:.4f}", slope, f"{least:.1e}"])
    return rows


def plot_starts(starts: Sequence[Start], folder: Path) -> Path:
    """All cost curves, and the costs at the end in order, by outcome."""
    made = figure(11, 4.5)
    curves = axes(made, (1, 2, 1), title=f"XOR from {len(starts)} starts", xlabel="epoch", ylabel="sum of the errors")
    ends = axes(made, (1, 2, 2), title="The costs at the end, in order", xlabel="start", ylabel="sum of the errors")
    in_order = sorted(starts, key=lambda start: start.costs[-1])
    for outcome, color in OUTCOMES.items():
        of = [(place, start) for place, start in enumerate(in_order, start=1) if start.outcome == outcome]
        for _, start in of:
            epochs = [*range(1, start.epochs, KEPT), start.epochs]
            curves.semilogy(epochs, start.costs, color=color, linewidth=0.8, alpha=0.3)
        if of:
            label = f"{outcome}: {len(of)}"
            ends.semilogy([p for p, _ in of], [s.costs[-1] for _, s in of], ".", color=color, markersize=5, label=label)
    for plot in (curves, ends):
        plot.axhline(STOP, color=GREY, linestyle="--", linewidth=1)
        plot.set_ylim(STOP * 0.7, 1.0)
    for level, name in ((1 / 3, "1/3"), (1 / 4, "1/4")):
        ends.axhline(level, color=GREY, linestyle=":", linewidth=1)
        ends.annotate(name, (0, level), xytext=(2, 2), textcoords="offset points", color=GREY)
    ends.annotate(f"stop: {STOP}", (1, STOP), xytext=(0, -12), textcoords="offset points", color=GREY)
    ends.legend(loc="center left")
    return save(made, folder, "starts.png")


def plot_borders(single: MLP, three: MLP, folder: Path) -> Path:
    """What both networks say in the plane, with the border at 1/2."""
    made = figure(10, 4.6)
    line = np.linspace(-0.5, 1.5, 81)
    for place, (title, model) in enumerate((("One neuron", single), ("Three neurons, 2-2-1", three)), start=1):
        plot = axes(made, (1, 2, place), title=title, xlabel="x1", ylabel="x2", aspect="equal")
        said = [[model([x1, x2]).data for x1 in line] for x2 in line]
        filled = plot.contourf(line, line, said, levels=np.linspace(0, 1, 21), cmap="RdYlGn", alpha=0.6)
        plot.contour(line, line, said, levels=[0.5], colors=["black"], linewidths=1.5)
        for x, y in zip(X, Y, strict=True):
            plot.plot(*x, "o", color=GREEN if y else RED, markersize=11, markeredgecolor="white")
        plot.set(xticks=[-0.5, 0, 0.5, 1, 1.5], yticks=[-0.5, 0, 0.5, 1, 1.5])
    made.colorbar(filled, ax=made.axes, shrink=0.9, label="h(x)", ticks=[0, 0.5, 1])
    return save(made, folder, "borders.png")


def main(arguments: list[str] | None = None) -> None:
    """Train, print the statistics, write the plots."""
    parser = options(__doc__, "xor_statistics", quick="6 starts and 400 epochs")
    parser.add_argument("--count", type=count, default=200, help="so many starts (default %(default)s)")
    parser.add_argument("--epochs", type=count, default=30_000, help="at most so many epochs (default %(default)s)")
    parser.add_argument("--jobs", type=count, default=os.cpu_count(), help="processes (default %(default)s)")
    given = parser.parse_args(arguments)
    if given.quick:
        given.count, given.epochs = min(given.count, 6), min(given.epochs, 400)

    starts = train_all(given.count, given.epochs, given.jobs)
    print(heading(f"XOR, 2-2-1, {given.count} starts, at most {given.epochs} epochs"))
    print(table([("", "starts", "share", "95 % interval (Wilson)"), *shares(starts)]))
    stops = [start.epochs for start in starts if start.outcome == "reaches the stop"]
    if stops:
        print(f"epochs to the stop: {min(stops)} to {max(stops)}, median {statistics.median(stops):g}")
    print(f"truth tables at the end: {_counted(starts)}\n")

    if rows := unlearned(starts):
        print(heading("those that do not classify"))
        print(table([("start", "outputs for 00 01 10 11", "table", "cost", "|∇E|", "least eigenvalue"), *rows]))
        print(
            "1/4 is what it costs to take two inputs for one, which get 1/2; 1/3 to take three for one, which get 2/3\n"
        )

    print(heading("a single neuron"))
    singles = [neuron(seed) for seed in range(min(given.count, 5))]
    alone = [train(single, min(given.epochs, 5_000), seed) for seed, single in enumerate(singles)]
    rows = [[f"{s.seed}", " ".join(f"{a:.3f}" for a in s.outputs), f"{s.costs[-1]:.4f}"] for s in alone]
    print(table([("start", "outputs for 00 01 10 11", "cost"), *rows]))
    print("its least cost is 1/2, with 1/2 for every input; no line has all four on the right side\n")

    best = min(starts, key=lambda start: start.costs[-1])
    model = tutorial_model(best.seed)
    for parameter, number in zip(model.parameters(), best.parameters, strict=True):
        parameter.data = number
    plot_starts(starts, given.out)
    plot_borders(singles[0], model, given.out)


def _counted(starts: Sequence[Start]) -> str:
    tables = Counter(start.truth_table for start in starts)
    return ", ".join(f"{name} {times}" for name, times in sorted(tables.items(), key=lambda pair: (-pair[1], pair[0])))


if __name__ == "__main__":
    main()
