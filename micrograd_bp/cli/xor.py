"""Train the XOR network of the first tutorial and check every gradient against the formulas (3.2) to (3.6).

Settings, initial parameters and stopping rule are those of the tutorial's script: alpha = 0.15, full batch of m = 4, at
most 30,000 epochs; training stops when the four half squared errors sum to less than 0.005. `--seed 3` has the initial
parameters of that script after np.random.seed(3). About 38 % of the initialisations reach the stop within 30,000
epochs, and 92 % of the networks classify XOR.
"""

from __future__ import annotations

import argparse
import io
import math
import os
from pathlib import Path

import numpy as np

from micrograd_bp import files
from micrograd_bp.check.closed_form import compare
from micrograd_bp.cli.arguments import Options
from micrograd_bp.engine import Value
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.nn import MLP
from micrograd_bp.training.loop import fit

try:
    from matplotlib.figure import Figure
except ImportError:
    raise MissingExtraError("xor draws with matplotlib:  pip install 'micrograd_bp[demos]'") from None

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 0.0]
STOP = 0.005

EXAMPLES = """

--seed 5 --alpha 0.5 --out pictures
"""


def tutorial_model(seed: int) -> MLP:
    """Return a 2-2-1 sigmoid network with the tutorial's parameters: W1, W2, b1 uniform on [0, 1), b2 = 0.1."""
    draws = np.random.RandomState(seed)  # the tutorial uses the legacy generator
    (w11, w12), (w21, w22) = draws.uniform(size=(2, 2))
    ((v1, v2),) = draws.uniform(size=(1, 2))
    b1, b2 = draws.uniform(size=2)
    model = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid")
    names = ("w1_11", "w1_12", "b1_1", "w1_21", "w1_22", "b1_2", "w2_11", "w2_12", "b2_1")
    model.load_state_dict(dict(zip(names, (w11, w12, b1, w21, w22, b2, v1, v2, 0.1), strict=True)))
    return model


def error(h: Value, y: Value | float) -> Value:
    """Return (COSTt), half the squared error of one sample."""
    return 0.5 * (h - y) ** 2


def train(model: MLP, alpha: float, epochs: int) -> list[float]:
    """Train by gradient descent on (COST), and return the sum of the four errors in each epoch."""
    m = len(X)
    history = fit(model, X, Y, loss=error, learning_rate=alpha, epochs=epochs, stop_cost=STOP / m)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return [m * cost for cost in history.cost]


def plot(costs: list[float], path: Path) -> None:
    """Write the cost curve to a file."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="cost: sum of the four half squared errors", title="XOR, 2-2-1")
    axes.semilogy(range(1, len(costs) + 1), costs, color="#3c88c8", linewidth=2)
    axes.axhline(STOP, color="#e58e2e", linestyle="--", linewidth=1)
    axes.annotate(f"stop: {STOP}", (0, STOP), xytext=(4, 4), textcoords="offset points", color="#b3661a")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format="png")
    files.write(path, picture.getvalue())


def run(arguments: list[str]) -> int:
    """Train, print the tables, write the pictures, and return 0."""
    parser = Options("xor", __doc__, EXAMPLES)
    parser.add_argument("--seed", type=_seed, default=3, help="seed of the initial draws (default 3, which converges)")
    parser.add_argument("--alpha", type=_positive, default=0.15, help="learning rate (default 0.15)")
    parser.add_argument("--epochs", type=_count, default=30_000, help="at most so many epochs (default 30000)")
    parser.add_argument("--out", type=_folder, default=Path("out"), help="folder for the pictures (default ./out)")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)  # fails before the training where the folder cannot be written

    model = tutorial_model(options.seed)
    costs = train(model, options.alpha, options.epochs)
    reached = f"stopped at {costs[-1]:.8f} < {STOP}" if costs[-1] < STOP else f"cost {costs[-1]:.6f}, stop not reached"
    print(f"{len(costs)} epochs, {reached}\n")

    print("x1  x2  XOR  output")
    for x, y in zip(X, Y, strict=True):
        h = model(x).data
        print(f" {x[0]:.0f}   {x[1]:.0f}    {y:.0f}  {h:.6f}  {'right' if (h > 0.5) == (y > 0.5) else 'wrong'}")

    print("\nparameters")
    for name, p in model.named_parameters():
        print(f"{name:5}  {p.data: .6f}")

    print("\nbackward() compared with the closed-form formulas")
    print(compare(model, X, Y))

    curve = options.out / "xor_cost.png"
    plot(costs, curve)
    sample = error(model([Value(X[1][0], "x1"), Value(X[1][1], "x2")]), Value(Y[1], "y"))
    sample.name = "E"
    model.zero_grad()
    sample.backward()
    graph = sample.graph(title="XOR: the error of the sample (0, 1)").save(options.out / "xor_graph.svg")
    print(f"\nwrote {curve} (the cost curve) and {graph} (the graph of one sample)")
    return 0


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"give a positive finite number, not {text}")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"give a whole number from 0 to 2**32 - 1, not {text}")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"give a whole number, at least 1, not {text}")
    return number


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists() and not (path.is_dir() and os.access(path, os.W_OK)):
        raise argparse.ArgumentTypeError(f"give a folder that can be written to, not {text}")
    return path
