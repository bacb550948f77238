"""A cat, a dog or a bird: the first tutorial's network with three outputs, trained on invented measurements.

Each animal has a mass in kg, a length in cm and a voice with a pitch in Hz. A seed draws these numbers, with so much
variation that the kinds overlap. The 3-3-3-3 network of sigmoids takes their logarithms, scaled by the training data;
its targets are (1, 0, 0) for a cat, (0, 1, 0) for a dog and (0, 0, 1) for a bird. It learns by (COST), the mean of half
the squared distances, in mini-batches. The largest of its outputs names the kind.

The demo writes cost.png (the cost curve) and animals.png (the test animals, with the misclassified ones marked).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from demos.shared.classification import Data, confusion, split
from demos.shared.command_line import count, heading, options, table
from demos.shared.figures import BLUE, GREEN, ORANGE, RED, axes, figure, save
from micrograd_bp.nn import MLP
from micrograd_bp.training.history import History
from micrograd_bp.training.loop import fit

KINDS = ("cat", "dog", "bird")
FEATURES = ("mass in kg", "length in cm", "voice in Hz")
TYPICAL = {"cat": (4.2, 48.0, 620.0), "dog": (14.0, 72.0, 450.0), "bird": (0.6, 26.0, 2300.0)}
SPREAD = {"cat": (0.25, 0.12, 0.25), "dog": (0.7, 0.3, 0.4), "bird": (1.0, 0.4, 0.6)}  # of the logarithms
LOOKS = {"cat": ("o", BLUE), "dog": ("s", ORANGE), "bird": ("^", GREEN)}


class Scale(NamedTuple):
    """The means and standard deviations of the logarithms of the features."""

    means: list[float]
    deviations: list[float]

    @classmethod
    def of(cls, X: Sequence[Sequence[float]]) -> Scale:
        """Return the scale of these animals, which are given in kg, cm and Hz."""
        columns = [[math.log(x) for x in column] for column in zip(*X, strict=True)]
        means = [math.fsum(column) / len(column) for column in columns]
        squares = [math.fsum((x - m) ** 2 for x in column) for column, m in zip(columns, means, strict=True)]
        return cls(means, [math.sqrt(square / len(X)) for square in squares])

    def __call__(self, data: Data) -> Data:
        scaled = [
            [(math.log(x) - m) / s for x, m, s in zip(row, self.means, self.deviations, strict=True)] for row in data.X
        ]
        return Data(scaled, data.Y)


def measured(size: int = 150, seed: int = 0) -> Data:
    """Return this many animals, a cat, a dog and a bird in turn, with log-normal measurements around typical ones."""
    draw = random.Random(seed)
    kinds = [i % len(KINDS) for i in range(size)]
    return Data(
        [
            [typical * math.exp(draw.gauss(0.0, spread)) for typical, spread in zip(TYPICAL[k], SPREAD[k], strict=True)]
            for k in (KINDS[kind] for kind in kinds)
        ],
        kinds,
    )


def one_hot(kind: int, classes: int = len(KINDS)) -> list[float]:
    """Return the target of a kind: 1 at its index, 0 elsewhere.

    >>> one_hot(1)
    [0.0, 1.0, 0.0]
    """
    return [float(j == kind) for j in range(classes)]


def learn(train: Data, epochs: int = 120, seed: int = 0) -> tuple[MLP, History]:
    """Train the 3-3-3-3 network of sigmoids on scaled animals by (COST); return it and the history."""
    model = MLP(3, [3, 3, 3], "sigmoid", "sigmoid", init="xavier", seed=seed)
    history = fit(
        model,
        train.X,
        [one_hot(kind) for kind in train.Y],
        loss="half_squared_error",
        learning_rate=2.0,
        batch=5,
        epochs=epochs,
        seed=seed,
    )
    return model, history


def outputs(model: MLP, X: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the three outputs for each animal; the animals are scaled."""
    return [[a.data for a in model(x)] for x in X]


def decode(h: Sequence[float]) -> int:
    """Return the index of the largest output: 0 is a cat, 1 a dog, 2 a bird.

    >>> KINDS[decode([0.2, 0.7, 0.6])]
    'dog'
    """
    return max(range(len(h)), key=lambda j: h[j])


def plot_cost(history: History, folder: Path) -> Path:
    """Plot the mean cost of each epoch."""
    made = figure(7, 4)
    plot = axes(made, title="Cat, dog, bird: the cost", xlabel="epoch", ylabel="mean of (COST) in the epoch")
    plot.plot(range(1, history.epochs + 1), history.cost, color=BLUE)
    plot.set_ylim(bottom=0)
    return save(made, folder, "cost.png")


def plot_animals(animals: Data, found: Sequence[int], folder: Path) -> Path:
    """Plot mass and voice of each animal, with a red ring around the misclassified ones."""
    made = figure(7, 4.5)
    plot = axes(made, title="Test animals", xlabel=FEATURES[0], ylabel=FEATURES[2], xscale="log", yscale="log")
    for kind, name in enumerate(KINDS):
        points = [(x[0], x[2]) for x, y in zip(animals.X, animals.Y, strict=True) if y == kind]
        marker, color = LOOKS[name]
        plot.plot(*zip(*points, strict=True), marker, color=color, label=name)
    wrong = [(x[0], x[2]) for x, y, s in zip(animals.X, animals.Y, found, strict=True) if y != s]
    if wrong:
        plot.plot(
            *zip(*wrong, strict=True), "o", color=RED, markersize=13, markerfacecolor="none", label="misclassified"
        )
    plot.set_xticks((0.1, 0.3, 1, 3, 10, 30), ("0.1", "0.3", "1", "3", "10", "30"))
    plot.set_yticks((200, 500, 1000, 2000, 5000, 10_000), ("200", "500", "1000", "2000", "5000", "10000"))
    plot.minorticks_off()
    plot.legend()
    return save(made, folder, "animals.png")


def main(arguments: list[str] | None = None) -> None:
    """Train the network, print the tables, and write the plots."""
    parser = options(__doc__, "cat_dog_bird", quick="30 epochs")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of animals, weights and batches (default %(default)s)"
    )
    parser.add_argument("--epochs", type=count, default=120, help="number of epochs (default %(default)s)")
    given = parser.parse_args(arguments)
    epochs = min(given.epochs, 30) if given.quick else given.epochs

    print(heading("The targets, as the tutorial writes them"))
    for kind, name in enumerate(KINDS):
        print(f"h(x) ≈ ({', '.join(f'{y:.0f}' for y in one_hot(kind))})ᵀ  =>  a {name.capitalize()}")

    train, test = split(measured(seed=given.seed), given.seed)
    scale = Scale.of(train.X)
    model, history = learn(scale(train), epochs, given.seed)
    predicted = outputs(model, scale(test).X)
    found = [decode(h) for h in predicted]
    right = sum(f == y for f, y in zip(found, test.Y, strict=True))
    learnt = sum(decode(h) == y for h, y in zip(outputs(model, scale(train).X), train.Y, strict=True))

    print(f"\n{heading('The first test animals')}")
    rows = [
        [KINDS[y], f"{x[0]:.2f}", f"{x[1]:.0f}", f"{x[2]:.0f}", *(f"{a:.4f}" for a in h), KINDS[f]]
        for x, y, h, f in list(zip(test.X, test.Y, predicted, found, strict=True))[:10]
    ]
    print(table([("", *FEATURES, "cat", "dog", "bird", "answer"), *rows]))

    print(f"\n{heading(f'{len(train.X)} training animals, {len(test.X)} test animals, {epochs} epochs')}")
    print(f"The cost is {history.cost[0]:.6f} in the first epoch and {history.cost[-1]:.6f} in the last.")
    print(f"Correct: {learnt} of {len(train.X)} training animals, {right} of {len(test.X)} test animals.\n")
    counts = [[kind, *map(str, row)] for kind, row in zip(KINDS, confusion(found, test.Y, len(KINDS)), strict=True)]
    print(table([("", *(f"classified as {kind}" for kind in KINDS)), *counts]))
    print()
    plot_cost(history, given.out)
    plot_animals(test, found, given.out)


if __name__ == "__main__":
    main()
