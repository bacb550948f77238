"""Regression and classification with one cost; full batch, mini-batch, one sample at a time; a smaller step at the end.

A neuron with the identity is a line: gradient descent on (COST) goes where the closed form of linear regression is. The
same cost trains a neuron with the sigmoid on numbers between 0 and 1 (regression) and on 0 and 1 (classification).

Writes line.png (data, closed form, descent), batches.png (the cost by three sizes of batch, and with a step size that
decreases near the valley bottom), one_cost.png (the sigmoid neuron on both kinds of targets).
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import numpy as np

import micrograd_bp as mb
from common import BLUE, GREEN, GREY, ORANGE, RED, axes, figure, heading, options, save
from micrograd_bp import nn
from micrograd_bp.cli.output import table
from micrograd_bp.training.history import History
from micrograd_bp.training.optim import GradientDescent
from micrograd_bp.training.schedules import constant, cosine

Data = tuple[list[list[float]], list[float]]


def points(count: int = 40, seed: int = 1) -> Data:
    """x from -1 to 1 and y = 0.8x + 0.3 with normal noise of standard deviation 0.15."""
    draw = random.Random(seed)
    xs = [draw.uniform(-1.0, 1.0) for _ in range(count)]
    return [[x] for x in xs], [0.8 * x + 0.3 + draw.gauss(0.0, 0.15) for x in xs]


def least_squares(X: list[list[float]], Y: list[float]) -> tuple[float, float]:
    """Slope and intercept in closed form: covariance over variance, and through the middle."""
    xs = [x for (x,) in X]
    mean_x, mean_y = sum(xs) / len(xs), sum(Y) / len(Y)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, Y, strict=True))
    slope = covariance / sum((x - mean_x) ** 2 for x in xs)
    return slope, mean_y - slope * mean_x


def line(data: Data, epochs: int = 400, rate: float = 0.5) -> nn.MLP:
    """An identity neuron after full-batch descent."""
    model = nn.MLP(1, [1], seed=0)
    mb.fit(model, *data, learning_rate=rate, epochs=epochs, progress=False)
    return model


def by_batches(data: Data, epochs: int = 30, rate: float = 0.4) -> dict[str, History]:
    """The histories of four trainings of the identity neuron from the same start, the same number of epochs each."""
    sizes: dict[str, int | Literal["full"]] = {"full batch": "full", "mini-batches of 8": 8}
    sizes |= {"one sample at a time": 1, "one sample, smaller steps": 1}
    histories = {}
    for name, size in sizes.items():
        model = nn.MLP(1, [1], seed=0)
        smaller = cosine(epochs * len(data[0])) if "smaller" in name else constant()
        steps = GradientDescent(model.parameters(), rate, schedule=smaller)
        histories[name] = mb.fit(model, *data, optimiser=steps, batch=size, epochs=epochs, seed=3, progress=False)
    return histories


def sigmoid_neuron(data: Data, epochs: int = 1000) -> nn.MLP:
    """A sigmoid neuron after full-batch descent on the same cost."""
    model = nn.MLP(1, [1], "sigmoid", "sigmoid", seed=0)
    mb.fit(model, *data, learning_rate=2.0, epochs=epochs, progress=False)
    return model


def shares_and_classes() -> tuple[Data, Data]:
    """Targets between 0 and 1, and for the same x targets that are 0 or 1."""
    X, Y = points(seed=2)
    shares = [mb.sigmoid(3 * (y - 0.3)) for y in Y]
    return (X, shares), (X, [float(y > 0.3) for y in Y])


def plot_line(data: Data, model: nn.MLP, folder: Path) -> Path:
    """Points, the closed form's line and the neuron's."""
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
    """The cost of each epoch."""
    made = figure(7, 4)
    plot = axes(made, title="The same epochs, by sizes of batch", xlabel="epoch", ylabel="mean cost of the epoch")
    for (name, history), color in zip(histories.items(), (GREY, BLUE, RED, GREEN), strict=True):
        plot.plot(range(1, history.epochs + 1), history.cost, color=color, label=name)
    plot.legend()
    return save(made, folder, "batches.png")


def plot_one_cost(regression: Data, classes: Data, folder: Path) -> Path:
    """The sigmoid neuron's curve over both kinds of targets."""
    made = figure(9, 4)
    grid = np.linspace(-1.0, 1.0, 101).tolist()
    for place, (title, data) in enumerate((("Regression", regression), ("Classification", classes)), start=1):
        plot = axes(made, (1, 2, place), title=f"{title}, by (COST)", xlabel="x", ylabel="y")
        plot.plot([x for (x,) in data[0]], data[1], "o", color=GREY, markersize=4, label="targets")
        model = sigmoid_neuron(data)
        plot.set_xticks([-1, -0.5, 0, 0.5, 1])
        plot.plot(grid, [model([x]).data for x in grid], color=BLUE, label="σ(wx + b)")
        plot.legend()
    return save(made, folder, "one_cost.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, write the plots."""
    given = options(__doc__, "regression").parse_args(arguments)
    data = points()
    fitted = line(data)
    print(heading("a neuron with the identity, and linear regression"))
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
    print(f"\n{heading('the same 30 epochs')}")
    rows = [[name, f"{h.cost[0]:.6f}", f"{h.cost[4]:.6f}", f"{h.cost[-1]:.6f}"] for name, h in histories.items()]
    print(table([("mean cost of", "epoch 1", "epoch 5", "epoch 30"), *rows]))

    regression, classes = shares_and_classes()
    model = sigmoid_neuron(classes)
    right = sum((model(x).data > 0.5) == (y > 0.5) for x, y in zip(*classes, strict=True))
    print(f"\nclassification by the same cost: {right} of {len(classes[0])} right\n")

    plot_line(data, fitted, given.out)
    plot_batches(histories, given.out)
    plot_one_cost(regression, classes, given.out)


if __name__ == "__main__":
    main()
