"""The networks of one to three neurons of the second tutorial: 20 epochs of gradient descent each, as tables.

Three of the five tables are reproduced as they are printed, to the last decimal. The other two are misprints: the
table of several data points was made with a `z` and an `x` that an earlier cell had left behind, and the table of
neurons in series with `w1 = w2 - ...` instead of `w1 = w1 - ...`. With these mistakes the printed tables are
reproduced, too.

The demo writes costs.png (the five cost curves) and several_points.png (the data points and the curve of the neuron).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table
from demos.shared.figures import BLUE, GREEN, GREY, ORANGE, RED, axes, figure, save
from demos.shared.tutorial_networks import NEURONS, System
from demos.tutorials.second.printed_tables import printed
from micrograd_bp.training.history import History
from micrograd_bp.training.optim import GradientDescent

Row = tuple[float, ...]  # the loss before the step, the parameters after it
EPOCHS, RATE, STOP = 20, 0.1, 0.01


class Training(NamedTuple):
    """The numbers of each epoch; with `stopped`, the last epoch only found a loss below the stop and made no step."""

    rows: list[Row]
    stopped: bool


def train(system: System, epochs: int = EPOCHS) -> Training:
    """Train by gradient descent on the mean of the losses, until it is below 0.01 before a step."""
    parameters = system.leaves()
    rows: list[Row] = []

    def record(epoch: int, history: History) -> None:
        rows.append((history.cost[-1], *(p.data for p in parameters.values())))

    history = mb.fit(
        lambda x: system.predict(parameters, x),
        system.X,
        system.Y,
        loss=system.loss,
        optimiser=GradientDescent(parameters.values(), RATE),
        epochs=epochs,
        stop_cost=STOP,
        callbacks=[record],
        progress=False,
    )
    return Training(rows, history.stopped == "cost")


def stale_variables() -> list[Row]:
    """Return the printed table of several points: σ' and dz/dw come from the last forward pass of the cell before."""
    before, system = NEURONS["neuron_sigmoid"], NEURONS["several_points"]
    last = train(before, EPOCHS - 1).rows[-1]
    x = before.X[0]
    stale = mb.sigmoid(last[1] * x + last[2])
    w, b = system.parameters.values()
    rows: list[Row] = []
    for _ in range(EPOCHS):
        errors = [mb.sigmoid(w * x_p + b) - y_p for x_p, y_p in zip(system.X, system.Y, strict=True)]
        db = sum(e * stale * (1 - stale) for e in errors) / len(errors)
        loss = sum(0.5 * e**2 for e in errors) / len(errors)
        w, b = w - RATE * db * x, b - RATE * db
        rows.append((loss, w, b))
    return rows


def overwritten_weight() -> list[Row]:
    """Return the printed table of neurons in series: w1 = w2 - ..., where w2 has been updated already."""
    system = NEURONS["series"]
    parameters = system.leaves()
    rows: list[Row] = []
    for _ in range(EPOCHS):
        loss = system.loss(system.predict(parameters, system.X[0]), system.Y[0])
        for p in parameters.values():
            p.zero_grad()
        loss.backward()
        for name in ("w2", "b2", "w1", "b1"):
            old = parameters["w2" if name == "w1" else name].data
            parameters[name].data = old - RATE * parameters[name].grad
        rows.append((loss.data, *(p.data for p in parameters.values())))
    return rows


MISTAKES: dict[str, tuple[str, Callable[[], list[Row]]]] = {
    "several_points": ("z and x are left over from the cell before; Z and X are meant", stale_variables),
    "series": ("w1 = w2 - ...; w1 = w1 - ... is meant", overwritten_weight),
}


def cells(rows: list[Row]) -> list[list[str]]:
    """Return the lines of the tutorial's table: epoch, loss and parameters with 4 decimals."""
    return [[str(epoch), *(f"{x:.4f}" for x in row)] for epoch, row in enumerate(rows, start=1)]


def report(name: str) -> str:
    """Return the table of a network, beside the printed table where they differ."""
    system, training = NEURONS[name], train(NEURONS[name])
    found, tutorial = cells(training.rows[: -1 if training.stopped else None]), printed(name)
    columns = ["epoch", "loss", *system.parameters]
    same = sum(ours == theirs for ours, theirs in zip(found, tutorial, strict=True))
    if same == len(found):
        lines = [table([columns, *found]), f"All {same} lines are as printed in the tutorial."]
    else:
        beside = zip(found, tutorial, strict=True)
        columns += ["", "printed:", *columns[1:]]
        lines = [table([columns, *([*ours, "", "", *theirs[1:]] for ours, theirs in beside)])]
        why, mistake = MISTAKES[name]
        as_printed = sum(a == b for a, b in zip(cells(mistake()), tutorial, strict=True))
        lines.append(f"MISPRINT: {len(found) - same} of {len(found)} lines differ. The mistake: {why}.")
        lines.append(f"With this mistake {as_printed} of {len(found)} lines are as printed.")
    if training.stopped:
        loss, *numbers = cells(training.rows)[-1][1:]
        at = ", ".join(f"{n} = {x}" for n, x in zip(system.parameters, numbers, strict=True))
        lines.append(f"The training stopped at epoch {len(training.rows)}: loss {loss} < {STOP}, {at}.")
    return "\n".join(lines)


def least_cost(X: list[float], Y: list[float]) -> float:
    """Return the least mean half squared error of any function of x with values between 0 and 1."""
    total = 0.0
    for x in set(X):
        targets = [y for x_p, y in zip(X, Y, strict=True) if x_p == x]
        best = min(1.0, max(0.0, sum(targets) / len(targets)))
        total += sum(0.5 * (best - y) ** 2 for y in targets)
    return total / len(X)


def plot_costs(folder: Path) -> Path:
    """Plot the five cost curves."""
    made = figure(8, 4.5)
    plot = axes(made, title="Cost of the second tutorial's networks", xlabel="epoch", ylabel="cost", yscale="log")
    for system, color in zip(NEURONS.values(), (BLUE, ORANGE, GREEN, RED, GREY), strict=True):
        costs = [row[0] for row in train(system).rows]
        plot.plot(range(1, len(costs) + 1), costs, marker=".", color=color, label=system.title)
    plot.axhline(STOP, color="black", linestyle=":", linewidth=1, label=f"stop: {STOP}")
    plot.set_xticks(range(0, 21, 4))
    plot.legend(fontsize="small")
    return save(made, folder, "costs.png")


def plot_points(folder: Path) -> Path:
    """Plot the seven points, and the curve of the neuron before, after 20 and after 2,000 epochs."""
    system = NEURONS["several_points"]
    made = figure(8, 4.5)
    plot = axes(made, title="Several data points, a single neuron: ŷ = σ(wx + b) stays below 1", xlabel="x", ylabel="y")
    line = [i / 50 for i in range(101)]
    start = tuple(system.parameters.values())
    ends = {0: start, 20: train(system).rows[-1][1:], 2000: train(system, 2000).rows[-1][1:]}
    for (epochs, (w, b)), color in zip(ends.items(), (GREY, BLUE, GREEN), strict=True):
        plot.plot(
            line,
            [mb.sigmoid(w * x + b) for x in line],
            color=color,
            label=f"after {epochs} epochs" if epochs else "at the start",
        )
    plot.plot(system.X, system.Y, "o", color=RED, label="data")
    plot.axhline(1.0, color="black", linestyle=":", linewidth=1)
    plot.legend()
    return save(made, folder, "several_points.png")


def main(arguments: list[str] | None = None) -> None:
    """Print all tables and write the plots."""
    parser = options(__doc__, "one_to_three_neurons")
    parser.add_argument("--explain", action="store_true", help="print the factors of each gradient of the first epoch")
    given = parser.parse_args(arguments)
    for name, system in NEURONS.items():
        print(f"{heading(system.title)}\n\n{system.first_loss().graph(view='steps', constants=False).mermaid}\n")
        if given.explain:
            leaves = system.leaves()
            loss = system.first_loss(leaves)
            print("\n\n".join(str(mb.explain(loss, leaf)) for leaf in leaves.values()), "\n")
        print(report(name), "\n")
    several = NEURONS["several_points"]
    least = least_cost(list(several.X), list(several.Y))
    print(f"With several points the stop at {STOP} cannot be reached: no neuron costs less than {least:.10f}.\n")
    plot_costs(given.out)
    plot_points(given.out)


if __name__ == "__main__":
    main()
