"""One cost for regression and classification, and gradient descent in full batches, mini-batches and single samples.

A neuron with the identity is a line, so gradient descent on (COST) arrives at the closed form of linear regression. The
same cost trains a neuron with the sigmoid on targets between 0 and 1 (regression) and on 0 and 1 (classification).

The demo writes line.png (data, closed form and descent), batches.png (the cost with three batch sizes, and with a step
size that decreases) and one_cost.png (the sigmoid neuron on both kinds of targets).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table
from demos.shared.figures import BLUE, GREEN, GREY, ORANGE, RED, axes, figure, save
from micrograd_bp import nn
from micrograd_bp.training.history import History
from micrograd_bp.training.optim import GradientDescent
from micrograd_bp.training.schedules import constant, cosine

Data = tuple[list[list[float]], list[float]]


def points(count: int = 40, seed: int = 1) -> Data:
    """Return points with x from −1 to 1 and y = 0.8x + 0.3, with normal noise of standard deviation 0.15."""
    draw = random.Random(seed)
    xs = [draw.uniform(-1.0, 1.0) for _ in range(count)]
    return [[x] for x in xs], [0.8 * x + 0.3 + draw.gauss(0.0, 0.15) for x in xs]


def least_squares(X: list[list[float]], Y: list[float]) -> tuple[float, float]:
    """Return slope and intercept in closed form: the slope is covariance over variance, the line meets the means."""
    xs = [x for (x,) in X]
    mean_x, mean_y = sum(xs) / len(xs), sum(Y) / len(Y)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, Y, strict=True))
    slope = covariance / sum((x - mean_x) ** 2 for x in xs)
    return slope, mean_y - slope * mean_x


def line(data: Data, epochs: int = 400, rate: float = 0.5) -> nn.MLP:
    """Return a neuron with the identity after full-batch gradient descent."""
    model = nn.MLP(1, [1], seed=0)
    mb.fit(model, *data, learning_rate=rate, epochs=epochs, progress=False)
    return model


def by_batches(data: Data, epochs: int = 30, rate: float = 0.4) -> dict[str, History]:
    """Train the identity neuron four times from the same start for the same epochs, and return the histories."""
    sizes: dict[str, int | Literal["full"]] = {"full batch": "full", "mini-batches of 8": 8}
    sizes |= {"one sample at a time": 1, "one sample, decreasing steps": 1}
    histories = {}
    for name, size in sizes.items():
        model = nn.MLP(1, [1], seed=0)
        schedule = cosine(epochs * len(data[0])) if "decreasing" in name else constant()
        optimiser = GradientDescent(model.parameters(), rate, schedule=schedule)
        histories[name] = mb.fit(model, *data, optimiser=optimiser, batch=size, epochs=epochs, seed=3, progress=False)
    return histories


def sigmoid_neuron(data: Data, epochs: int = 1000) -> nn.MLP:
    """Return a sigmoid neuron after full-batch gradient descent on the same cost."""
    model = nn.MLP(1, [1], "sigmoid", "sigmoid", seed=0)
    mb.fit(model, *data, learning_rate=2.0, epochs=epochs, progress=False)
    return model


def shares_and_classes() -> tuple[Data, Data]:
    """Return data with targets between 0 and 1, and data with the same x and targets that are 0 or 1."""
    X, Y = points(seed=2)
    shares = [mb.sigmoid(3 * (y - 0.3)) for y in Y]
    return (X, shares), (X, [float(y > 0.3) for y in Y])


def plot_line(data: Data, model: nn.MLP, folder: Path) -> Path:
    """Plot the points, the line of the closed form and the line of the neuron."""
    made = figure(7, 4)
    plot = axes(made, title="Linear regression is a neuron with the identity", xlabel="x", ylabel="y")
    slope, intercept = least_squares(*data)
    plot.plot([x for (x,) in data[0]], data[1], "o", color=GREY, markersize=4, label="data")
    plot.plot(
        [-1, 1], [intercept - slope, intercept + slope], color=ORANGE, linewidth=5, alpha=0.5, label="closed form"
    )
    plot.plot([-1, 1], [model([x]).data for x in (-1.0, 1.0)], color=BLUE, label="gradient descent")
    plot.legend()
    return save(made, folder, "line.png")


def plot_batches(histories: dict[str, History], folder: Path) -> Path:
    """Plot the cost of each epoch for each batch size."""
    made = figure(7, 4)
    plot = axes(
        made,
        title="The same epochs, four batch settings",
        xlabel="epoch",
        ylabel="mean cost of the epoch",
    )
    for (name, history), color in zip(histories.items(), (GREY, BLUE, RED, GREEN), strict=True):
        plot.plot(range(1, history.epochs + 1), history.cost, color=color, label=name)
    plot.legend()
    return save(made, folder, "batches.png")


def plot_one_cost(fitted: Sequence[tuple[str, Data, nn.MLP]], folder: Path) -> Path:
    """Plot targets and curve for each title, data and sigmoid neuron."""
    made = figure(9, 4)
    grid = np.linspace(-1.0, 1.0, 101).tolist()
    for index, (title, data, model) in enumerate(fitted, start=1):
        plot = axes(made, (1, 2, index), title=f"{title} by (COST)", xlabel="x", ylabel="y")
        plot.plot([x for (x,) in data[0]], data[1], "o", color=GREY, markersize=4, label="targets")
        plot.set_xticks([-1, -0.5, 0, 0.5, 1])
        plot.plot(grid, [model([x]).data for x in grid], color=BLUE, label="σ(wx + b)")
        plot.legend()
    return save(made, folder, "one_cost.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables and write the plots."""
    given = options(__doc__, "cost_and_batches").parse_args(arguments)
    data = points()
    fitted = line(data)
    print(heading("A neuron with the identity, and linear regression"))
    (w, b), (slope, intercept) = (p.data for p in fitted.parameters()), least_squares(*data)
    print(
        table(
            [
                ("", "descent", "closed form"),
                ("w", f"{w:.12f}", f"{slope:.12f}"),
                ("b", f"{b:.12f}", f"{intercept:.12f}"),
            ]
        )
    )

    histories = by_batches(data)
    print(f"\n{heading('Four trainings of 30 epochs')}")
    rows = [[name, f"{h.cost[0]:.6f}", f"{h.cost[4]:.6f}", f"{h.cost[-1]:.6f}"] for name, h in histories.items()]
    print(table([("mean cost of", "epoch 1", "epoch 5", "epoch 30"), *rows]))

    kinds = zip(("Regression", "Classification"), shares_and_classes(), strict=True)
    neurons = [(title, targets, sigmoid_neuron(targets)) for title, targets in kinds]
    _, classes, model = neurons[-1]
    right = sum((model(x).data > 0.5) == (y > 0.5) for x, y in zip(*classes, strict=True))
    print(f"\nThe same cost for classification: {right} of {len(classes[0])} points are classified correctly.\n")

    plot_line(data, fitted, given.out)
    plot_batches(histories, given.out)
    plot_one_cost(neurons, given.out)


if __name__ == "__main__":
    main()
