"""One training with four methods for the gradient: differences, formulas, formulas under a check, and the engine.

The network is XOR 2-2-1 of the first tutorial, from the start of its script (seed 3). It is trained by gradient descent
with α = 10 and learns within 300 epochs. The demo sets the costs of the four trainings side by side. Then the check
refuses formulas with the third tutorial's mistake, σ' taken at the activation, and the demo shows what happens without
a check.

It writes four_methods.png (the cost curves, and how far the parameters differ from the engine's).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from demos.shared.command_line import heading, options, table
from demos.shared.figures import BLUE, GREEN, GREY, ORANGE, RED, axes, figure, save
from demos.shared.xor import NAMES, START, XOR_Y, X, cost
from micrograd_bp import GradientMismatch, Value, check_gradient, closed_form
from micrograd_bp.check.closed_form import Network, sigma_prime

Numbers = Sequence[float]
Both = tuple[float, list[float]]  # the cost, and its gradient

ALPHA, EPOCHS, EVERY = 10.0, 300, 50
STEP = 6e-6
"""The step of the differences, about the cube root of 2⁻⁵²; with a smaller one the rounding errors grow."""


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.function(*args)


# --- the cost and its gradient ----------------------------------------------------------------------------------------


def network(p: Numbers) -> Network:
    """Return the network with the parameters p, in the order of `NAMES`, as arrays."""
    weights, biases = [[p[0:2], p[3:5]], [p[6:8]]], [[p[2], p[5]], [p[8]]]
    return Network([np.array(w) for w in weights], [np.array(b) for b in biases], ["sigmoid", "sigmoid"])


def in_order(dW: Sequence[Any], db: Sequence[Any]) -> list[float]:
    """Return arrays of derivatives as a list, in the order of `NAMES`."""
    return [float(d) for w, b in zip(dW, db, strict=True) for row, b_j in zip(w, b, strict=True) for d in (*row, b_j)]


def error(
    w1_11: Any, w1_12: Any, b1_1: Any, w1_21: Any, w1_22: Any, b1_2: Any, w2_11: Any, w2_12: Any, b2_1: Any
) -> Any:
    """Return (COST) of floats or Values; the parameters have the names that the check will report."""
    return cost((w1_11, w1_12, b1_1, w1_21, w1_22, b1_2, w2_11, w2_12, b2_1))


def formulas(*p: float) -> list[float]:
    """Return the gradient by (3.2), (3.3), (3.5) and (3.6)."""
    return in_order(*closed_form.gradient(network(p), X, XOR_Y))


def by_hand(p: Numbers, slope: Callable[[Any, Any], Any]) -> list[float]:
    """Return the gradient by the same formulas, written out for this network with `slope(z, a)` for σ'(z)."""
    net = network(p)
    total = np.zeros(9)
    for x, y in zip(X, XOR_Y, strict=True):
        (z1, z2), (_, a1, a2) = closed_form.forward(net, x)
        db2 = (a2 - y) * slope(z2, a2)  # (3.5)
        db1 = slope(z1, a1) * (net.W[1].T @ db2)  # (3.6)
        total += in_order([np.outer(db1, x), np.outer(db2, a1)], [db1, db2])  # (3.3), (3.2)
    return [float(d) for d in total / len(X)]


def mistaken(*p: float) -> list[float]:
    """Return the gradient with σ'(a) for σ'(z): σ is applied twice, as in the third tutorial's 0.220793265944315."""
    return by_hand(p, lambda z, a: sigma_prime(a))


# --- the four methods -------------------------------------------------------------------------------------------------


class Method(NamedTuple):
    """A method that finds the cost and its gradient at step k and parameters p; it counts its calls of both."""

    name: str
    find: Callable[[int, list[float]], Both]
    cost: Counted
    gradient: Counted


def by_differences(h: float = STEP) -> Method:
    """Return the method (E(p + h) − E(p − h)) / 2h, parameter by parameter; it needs only the cost."""
    e = Counted(error)

    def slope(p: list[float], index: int) -> float:
        up, down = ([x + by * (k == index) for k, x in enumerate(p)] for by in (h, -h))
        return float(e(*up) - e(*down)) / (2 * h)

    gradient = Counted(lambda p: [slope(p, index) for index in range(len(p))])
    return Method("differences", lambda k, p: (e(*p), gradient(p)), e, gradient)


def by_formulas(derived: Callable[..., list[float]] = formulas) -> Method:
    """Return the method of the closed form, without a check."""
    e, gradient = Counted(error), Counted(derived)
    return Method("formulas", lambda k, p: (e(*p), gradient(*p)), e, gradient)


def by_checked_formulas(derived: Callable[..., list[float]] = formulas, every: int = EVERY) -> Method:
    """Return the method of the closed form, checked before every `every`-th step; a wrong one is a GradientMismatch."""
    e, gradient = Counted(error), Counted(derived)

    def find(k: int, p: list[float]) -> Both:
        if k % every == 0:
            check_gradient(e, *p, grad=gradient)
        return e(*p), gradient(*p)

    return Method("checked formulas", find, e, gradient)


def by_engine() -> Method:
    """Return the method of the engine: the cost of Values, and `backward()`."""
    e, backward = Counted(error), Counted(Value.backward)

    def find(k: int, p: list[float]) -> Both:
        leaves = [Value(x, name) for x, name in zip(p, NAMES, strict=True)]
        total = e(*leaves)
        backward(total)
        return total.data, [leaf.grad for leaf in leaves]

    return Method("engine", find, e, backward)


METHODS: tuple[Callable[[], Method], ...] = (by_differences, by_formulas, by_checked_formulas, by_engine)


class Run(NamedTuple):
    """A training: cost and parameters at the start and after each epoch, calls of both functions, and seconds."""

    name: str
    costs: list[float]
    path: list[list[float]]
    cost_calls: int
    gradient_calls: int
    seconds: float


def train(method: Method, epochs: int = EPOCHS) -> Run:
    """Train by gradient descent from `START`."""
    started = time.perf_counter()
    costs: list[float] = []
    path = [list(START)]
    for k in range(epochs):
        now, gradient = method.find(k, path[-1])
        costs.append(now)
        path.append([x - ALPHA * d for x, d in zip(path[-1], gradient, strict=True)])
    seconds = time.perf_counter() - started
    return Run(method.name, [*costs, error(*path[-1])], path, method.cost.calls, method.gradient.calls, seconds)


def distances(run: Run, other: Run) -> list[float]:
    """Return the largest difference of a parameter between two trainings, epoch by epoch."""
    pairs = zip(run.path, other.path, strict=True)
    return [max(abs(x - y) for x, y in zip(p, q, strict=True)) for p, q in pairs]


def refusal() -> str:
    """Return the error message of the check for the mistaken formulas, before the first step."""
    try:
        train(by_checked_formulas(mistaken), 1)
    except GradientMismatch as wrong:
        return str(wrong)
    raise RuntimeError("the mistaken formulas passed the check")


# --- the report ------------------------------------------------------------------------------------------------------


def report_runs(runs: Sequence[Run], epochs: int) -> str:
    """Return a table of the costs side by side, and a table of calls and seconds."""
    costs = [("epoch", *[run.name for run in runs])]
    shown = [k for k in (0, 1, 10, 50, 100, 150, 200, 250, 300) if k <= epochs]
    costs += [(str(k), *[f"{run.costs[k]:.16f}" for run in runs]) for k in shown]
    engine = runs[-1]
    effort = [("gradient by", "calls of the cost", "of the gradient", "seconds", "largest difference from the engine")]
    for run in runs:
        off = f"{max(distances(run, engine)):.1e}" if run is not engine else ""
        effort.append((run.name, str(run.cost_calls), str(run.gradient_calls), f"{run.seconds:.3f}", off))
    return "\n".join(
        [
            heading(f"The cost by epoch of gradient descent with α = {ALPHA:g}"),
            table(costs),
            "",
            heading("Calls and seconds"),
            table(effort),
            "\nDifferences call the cost twice for each of the 9 parameters, and once more for the curve: the number",
            "of calls grows with the number of parameters. Formulas and engine make one forward and one backward",
            f"pass for any number of parameters. The check, before every {EVERY}th step, needs a few more calls.",
        ]
    )


def report_mistake(run: Run, engine: Run) -> str:
    """Return the error message of the check, and the result of the training without it."""
    return "\n".join(
        [
            heading("The third tutorial's mistake: σ'(a) for σ'(z)"),
            "With the check, before the first step:",
            *[f"    {line}" for line in refusal().splitlines()],
            f"Without it, the cost begins at {run.costs[0]:.4f}, is {min(run.costs):.4f} at best and ends at",
            f"{run.costs[-1]:.4f}; the engine's ends at {engine.costs[-1]:.4f}. Nothing is learned, without an error.",
        ]
    )


def plot(runs: Sequence[Run], wrong: Run, folder: Path) -> Path:
    """Plot the cost curves, and how far the parameters differ from the engine's."""
    made = figure(12, 4.5)
    left = axes(made, 121, title="XOR 2-2-1: one training, four methods", xlabel="epoch", ylabel="cost E")
    looks = ((GREY, 9.0, "-"), (BLUE, 6.0, "-"), (GREEN, 3.5, "-"), ("black", 1.2, "--"))
    for run, (colour, width, line) in zip(runs, looks, strict=True):
        left.plot(run.costs, line, color=colour, linewidth=width, label=run.name, alpha=0.9)
    left.plot(wrong.costs, color=RED, linewidth=1.5, label="σ'(a) for σ'(z), unchecked")
    left.legend(frameon=False)

    right = axes(made, 122, title="Largest difference of a parameter from the engine's", xlabel="epoch", yscale="log")
    for run, (colour, width, line) in zip((*runs[:-1], wrong), (*looks[:-1], (RED, 1.5, "-")), strict=True):
        off = np.array(distances(run, runs[-1])[1:])
        where = np.flatnonzero(off)
        right.plot(where + 1, off[where], line, color=colour, linewidth=width / 2 + 0.5, label=run.name)
    right.lines[-1].set_label("σ'(a) for σ'(z), unchecked")
    right.axhline(2.0**-52, color=ORANGE, linestyle=":", linewidth=1.5, label="last place of 1")
    right.legend(frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.65))
    return save(made, folder, "four_methods.png")


def main(arguments: list[str] | None = None) -> None:
    """Train with the four methods, and a fifth time with the mistake."""
    given = options(__doc__, "gradient_by_four_methods", quick="40 epochs instead of 300").parse_args(arguments)
    epochs = 40 if given.quick else EPOCHS
    runs = [train(method(), epochs) for method in METHODS]
    wrong = train(by_formulas(mistaken), epochs)
    print(report_runs(runs, epochs), report_mistake(wrong, runs[-1]), sep="\n\n", end="\n\n")
    plot(runs, wrong, given.out)


if __name__ == "__main__":
    main()
