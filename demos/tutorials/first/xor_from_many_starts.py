"""The first tutorial's XOR training from 200 random starts: how many reach the stop, and how many classify?

The settings are those of the tutorial's script: weights and hidden biases are uniform on [0, 1), the bias of the output
is 0.1, the learning rate 0.15; a full batch has four samples; the training ends after 30,000 epochs, or when the half
squared errors sum to less than 0.005. Start number i is what the script does after np.random.seed(i). The engine trains
every network, in several processes.

A single neuron cannot learn XOR: its output is above 1/2 where b + w1 x1 + w2 x2 > 0. XOR needs b ≤ 0, b + w1 > 0 and
b + w2 > 0; then b + w1 + w2 > −b ≥ 0, but XOR needs at most 0 there.

Of 200 starts 75 reach the stop and 184 classify. The other 16 give the same output for two or three of the inputs. They
are not in minima but in valleys with a small slope: after 60,000 epochs two of them classify, and the others do not
after 100,000. All of it takes 21 minutes on one core; `shared/xor_on_arrays.py`, the same training on NumPy's arrays,
takes seconds.

The demo writes starts.png (all cost curves, and the final costs in ascending order) and borders.png (the outputs of a
single neuron and of a network of three over the plane).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

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

from demos.shared import xor_on_arrays
from demos.shared.command_line import count, heading, options, table
from demos.shared.figures import BLUE, GREEN, GREY, RED, axes, binary_points, colour_plane, figure, save
from demos.shared.surfaces import curvature, steepness
from demos.shared.xor import STOP, XOR_Y, X, cost, train, tutorial_model
from micrograd_bp.nn import MLP

KEPT = 50  # epochs between two points of a cost curve
OUTCOMES = {"reaches the stop": GREEN, "classifies, no stop": BLUE, "does not classify": RED}


class Start(NamedTuple):
    """How the training from one start ended.

    `epochs` counts the epochs that were begun; `costs` holds every fiftieth sum of the errors, and the last.
    """

    seed: int
    epochs: int
    costs: list[float]
    outputs: list[float]
    parameters: list[float]

    @property
    def truth_table(self) -> str:
        """The outputs for 00, 01, 10 and 11 as digits: 1 above 1/2, else 0."""
        return "".join("1" if output > 0.5 else "0" for output in self.outputs)

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        reached, classifies, neither = OUTCOMES
        return reached if self.costs[-1] < STOP else classifies if self.truth_table == "0110" else neither


def neuron(seed: int) -> MLP:
    """Return a single sigmoid neuron; both weights are uniform on [0, 1), the bias is 0.1."""
    weights, biases = xor_on_arrays.draws([seed], (2, 1))
    model = MLP(2, [1], "sigmoid", "sigmoid")
    model.load_state_dict(dict(zip(("w1_11", "w1_12", "b1_1"), [*weights[0].flat, *biases[0].flat], strict=True)))
    return model


def follow(model: MLP, epochs: int, seed: int = 0) -> Start:
    """Train the model as the tutorial's script does, and return how the training went."""
    history = train(model, epochs)
    costs = [len(X) * mean for mean in [*history.cost[:-1:KEPT], history.cost[-1]]]
    return Start(seed, history.epochs, costs, [model(x).data for x in X], [p.data for p in model.parameters()])


def train_start(epochs: int, seed: int) -> Start:
    """Train the network of three neurons from the draws of the seed, and return how the training went."""
    return follow(tutorial_model(seed), epochs, seed)


def train_all(starts: int, epochs: int, jobs: int) -> list[Start]:
    """Train from the starts 0, 1, ... in this number of processes; the results do not depend on that number."""
    with ProcessPoolExecutor(
        jobs,
        multiprocessing.get_context("spawn"),
        signal.signal,  # Ctrl-C ends a process at once, without its traceback
        (signal.SIGINT, signal.SIG_DFL),
    ) as pool:
        done = pool.map(functools.partial(train_start, epochs), range(starts))
        return list(tqdm(done, desc="training", unit=" starts", total=starts, disable=None))


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's confidence interval of a share, from the number of successes in so many trials.

    >>> [round(p, 3) for p in wilson(75, 200)]
    [0.311, 0.444]
    """
    z2 = statistics.NormalDist().inv_cdf(0.5 + level / 2) ** 2
    share = successes / trials
    middle = share + z2 / (2 * trials)
    half = (z2 * (share * (1 - share) + z2 / (4 * trials)) / trials) ** 0.5
    return (middle - half) / (1 + z2 / trials), (middle + half) / (1 + z2 / trials)


def shares(starts: Sequence[Start]) -> list[list[str]]:
    """Return the lines of a table: the two shares with their confidence intervals."""
    reached, classifies, _ = (sum(start.outcome == outcome for start in starts) for outcome in OUTCOMES)
    rows = []
    for name, successes in (("reach the stop", reached), ("classify", reached + classifies)):
        low, high = wilson(successes, len(starts))
        share = successes / len(starts)
        rows.append([name, f"{successes} of {len(starts)}", f"{share:.1%}", f"{low:.1%} to {high:.1%}"])
    return rows


def unlearned(starts: Sequence[Start]) -> list[list[str]]:
    """Return the lines of a table of the starts that do not classify: outputs, cost, slope, least curvature."""
    rows = []
    for start in sorted(starts, key=lambda start: start.costs[-1]):
        if start.outcome == "does not classify":
            least = curvature(cost, start.parameters).eigenvalues[0]
            outputs = " ".join(f"{output:.2f}" for output in start.outputs)
            slope = f"{steepness(cost, start.parameters):.1e}"
            rows.append([f"{start.seed}", outputs, start.truth_table, f"{start.costs[-1]:.4f}", slope, f"{least:.1e}"])
    return rows


def plot_starts(starts: Sequence[Start], folder: Path) -> Path:
    """Plot all cost curves, and the final costs in ascending order, coloured by outcome."""
    made = figure(11, 4.5)
    curves = axes(made, (1, 2, 1), title=f"XOR from {len(starts)} starts", xlabel="epoch", ylabel="sum of the errors")
    ends = axes(
        made,
        (1, 2, 2),
        title="The final costs in ascending order",
        xlabel="starts, by cost",
        ylabel="sum of the errors",
    )
    in_order = sorted(starts, key=lambda start: start.costs[-1])
    for outcome, color in OUTCOMES.items():
        of = [(rank, start) for rank, start in enumerate(in_order, start=1) if start.outcome == outcome]
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


def output(model: MLP, x: list[float]) -> float:
    """Return the output of the model at x."""
    return float(model(x).data)


def plot_borders(single: MLP, three: MLP, folder: Path) -> Path:
    """Plot the outputs of both networks over the plane, with a line at 1/2."""
    made = figure(10, 4.6)
    line = np.linspace(-0.5, 1.5, 81).tolist()
    for index, (title, model) in enumerate((("One neuron", single), ("Three neurons, 2-2-1", three)), start=1):
        plot = axes(made, (1, 2, index), title=title, xlabel="x1", ylabel="x2", aspect="equal")
        filled = colour_plane(plot, line, line, functools.partial(output, model))
        binary_points(plot, X, XOR_Y)
        plot.set(xticks=[-0.5, 0, 0.5, 1, 1.5], yticks=[-0.5, 0, 0.5, 1, 1.5])
    made.colorbar(filled, ax=made.axes, shrink=0.9, label="h(x)", ticks=[0, 0.5, 1])
    return save(made, folder, "borders.png")


def main(arguments: list[str] | None = None) -> None:
    """Train the networks, print the statistics and write the plots."""
    parser = options(__doc__, "xor_from_many_starts", quick="6 starts and 400 epochs")
    parser.add_argument("--count", type=count, default=200, help="number of starts (default %(default)s)")
    parser.add_argument("--epochs", type=count, default=30_000, help="largest number of epochs (default %(default)s)")
    parser.add_argument("--jobs", type=count, default=os.cpu_count(), help="number of processes (default %(default)s)")
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
        print(heading("The starts that do not classify"))
        print(table([("start", "outputs for 00 01 10 11", "table", "cost", "|∇E|", "least eigenvalue"), *rows]))
        print("Two inputs with one output, 1/2, cost 1/4; three inputs with one output, 2/3, cost 1/3.\n")

    print(heading("A single neuron"))
    singles = [neuron(seed) for seed in range(min(given.count, 5))]
    alone = [follow(single, min(given.epochs, 5_000), seed) for seed, single in enumerate(singles)]
    rows = [[f"{s.seed}", " ".join(f"{a:.3f}" for a in s.outputs), f"{s.costs[-1]:.4f}"] for s in alone]
    print(table([("start", "outputs for 00 01 10 11", "cost"), *rows]))
    print("Its least cost is 1/2, with the output 1/2 for every input: no line separates the points.\n")

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
