"""The cases of the second tutorial: derivatives, gradient descent, networks of one to three neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import micrograd_bp as mb
from demos.shared.surfaces import bowl, descend, square
from demos.shared.tutorial_networks import NEURONS
from demos.tutorials import derivations
from demos.tutorials.cases.case import Case, Result, flat
from demos.tutorials.first.xnor_and_formulas import sigmoid_slopes
from demos.tutorials.second import one_to_three_neurons as neurons
from demos.tutorials.second.gradient_descent import extent
from demos.tutorials.second.gradient_descent import rows as table_rows
from demos.tutorials.second.printed_tables import printed
from micrograd_bp import Value
from micrograd_bp.autodiff.reverse import adjoints
from micrograd_bp.training.losses import half_squared_error, mean_squared_error

_POINTS = ((-2.5, 1.0), (-0.3, 0.4), (0.0, -1.0), (1.7, 3.0), (4.0, -4.0))
_Z = (-5.0, -1.0, -0.35, 0.0, 0.25, 1.0, 2.65, 5.0)
_STOP = "stopped at iteration 15: x = 0.0019"


def _formula(name: str, says: str, f: Callable[[Any], Any], *written: Callable[[float, float], float]) -> Case:
    """Compare the gradient of a function of (x, y) with its printed partial derivatives, by x, or by x and y."""
    return Case(
        f"second/{name}",
        says,
        lambda: [mb.grad(f)([*point])[i] for point in _POINTS for i in range(len(written))],
        lambda: [float(formula(*point)) for point in _POINTS for formula in written],
    )


def _lines(name: str, title: str) -> Case:
    """Compare the printed chain rule of a network, line by line and without the misprints, with the engine."""
    derivation = next(d for d in derivations.DERIVATIONS if d.title.endswith(title))
    lines = [line for line in derivation.lines if not line.misprint]

    def by_name() -> tuple[Value, dict[str, Value]]:
        loss = derivation.build()
        return loss, {str(node.name): node for node in mb.topological_order(loss)}

    def ours() -> Result:
        loss, found = by_name()
        return adjoints(loss, [found[line.wrt] for line in lines])

    def as_printed() -> Result:
        numbers = {name: node.data for name, node in by_name()[1].items()}
        return [line.evaluate(numbers) for line in lines]

    return Case(f"second/{name}", "; ".join(f"dL/d{line.wrt} = {line.printed}" for line in lines), ours, as_printed)


def _table(name: str, file: str, says: str, last: tuple[str, ...] = (), wrong: str = "") -> Case:
    """Compare a printed table with the training; `last` is what is printed of the epoch that stopped it."""

    def mistaken() -> Result:
        return flat(neurons.cells(neurons.MISTAKES[file][1]()))

    return Case(
        f"second/{name}",
        says,
        lambda: flat(neurons.cells(neurons.train(NEURONS[file]).rows)),
        lambda: [*flat(printed(file)), *last],
        "hard" if wrong else "",
        wrong,
        mistaken if wrong else None,
    )


def _ends(f: Callable[[Any], Any], start: list[float], absolute: bool) -> Result:
    """Return the iteration at which the descent stops, and its last point."""
    path = descend(f, start, absolute=absolute)
    return [str(len(path) - 1), *(f"{x:.4f}" for x in path[-1].point)]


def _contour() -> Result:
    path = descend(bowl, [4.0, -4.0])
    low, high = extent(path)
    return [float(len(path)), low, high, bowl((low, high))]


def _losses(times: int) -> list[float]:
    """Return the losses of the several points, each point taken this many times."""
    system, leaves = NEURONS["several_points"], NEURONS["several_points"].leaves()
    pairs = list(zip(system.X, system.Y, strict=True)) * times
    return [half_squared_error(system.predict(leaves, x), y).data for x, y in pairs]


def _growth() -> Result:
    """Return the factors by which the sum and the mean of the losses grow when every point occurs twice."""
    once, twice = _losses(1), _losses(2)
    return [sum(twice) / sum(once), (sum(twice) / 14) / (sum(once) / 7)]


def _error_slope() -> Result:
    """Return dL/dŷ at ŷ = 0.6 and y = 1."""
    y_hat = Value(0.6, "ŷ")
    return adjoints(half_squared_error(y_hat, 1.0), [y_hat])


def _least_cost() -> float:
    system = NEURONS["several_points"]
    return neurons.least_cost([*system.X], [*system.Y])


def _layer_loss(bias: str) -> Result:
    """Return the loss of the layer with this parameter instead of b_1^(2)."""
    leaves = NEURONS["layer"].leaves()
    return [f"{NEURONS['layer'].first_loss(leaves | {'b21': leaves[bias]}).data:.4f}"]


SECOND = (
    _formula("derivative-of-a-parabola", "d/dx (x**2 + 1) = 2*x", lambda p: p[0] ** 2 + 1, lambda x, y: 2 * x),
    _formula(
        "derivative-of-a-cube",
        "d/dx (x + 3)**3 = 3*(x + 3)**2",
        lambda p: (p[0] + 3) ** 3,
        lambda x, y: 3 * (x + 3) ** 2,
    ),
    _formula("derivative-by-x", "d/dx (x**2 + 3*y**2) = 2*x", bowl, lambda x, y: 2 * x),
    Case(
        "second/derivative-by-y",
        "d/dy (x**2 + 3*y**2) = 6*y",
        lambda: [mb.grad(bowl)([*point])[1] for point in _POINTS],
        lambda: [6 * y for _, y in _POINTS],
    ),
    _formula("gradient", "[2*x, 6*y]", bowl, lambda x, y: 2 * x, lambda x, y: 6 * y),
    _formula("descent-1d-formula", "f'(x) = d/dx x² = 2x", square, lambda x, y: 2 * x),
    Case("second/descent-1d-start", "gradient = 8.0", lambda: list(mb.grad(square)([4.0])), lambda: ["8.0"]),
    Case(
        "second/descent-1d-table",
        f"15 iterations; {_STOP}",
        lambda: [*flat(table_rows(descend(square, [4.0]))), *_ends(square, [4.0], True)],
        lambda: [*flat(printed("gradient_descent_1d")), "15", "0.0019"],
    ),
    _formula("descent-2d-formula", "∇f(x, y) = (2x, 6y)", bowl, lambda x, y: 2 * x, lambda x, y: 6 * y),
    Case(
        "second/descent-2d-start",
        "gradient = [8.0, -24.0]",
        lambda: list(mb.grad(bowl)([4.0, -4.0])),
        lambda: ["8.0", "-24.0"],
    ),
    Case(
        "second/descent-2d-table",
        f"15 iterations; {_STOP}, y = 0.0000",
        lambda: [
            *flat(table_rows(descend(bowl, [4.0, -4.0]))),
            *_ends(bowl, [4.0, -4.0], True),
        ],
        lambda: [*flat(printed("gradient_descent_2d")), "15", "0.0019", "0.0000"],
    ),
    Case(
        "second/descent-1d-stop",
        "if gradient < 0.01: break   (from x = -4)",
        lambda: _ends(square, [-4.0], True),
        lambda: ["1", "-2.4000"],
        "hard",
        "abs(gradient) < 0.01: any negative gradient ends the loop. The printed run starts at 4 and is not affected",
        lambda: _ends(square, [-4.0], False),
    ),
    Case(
        "second/descent-2d-stop",
        "if gradient_xy[0] < 0.01 and gradient_xy[1] < 0.01: break   (from (-4, -4))",
        lambda: _ends(bowl, [-4.0, -4.0], True),
        lambda: ["1", "-2.4000", "0.8000"],
        "hard",
        "abs() of both components, or their length, has to be small",
        lambda: _ends(bowl, [-4.0, -4.0], False),
    ),
    Case(
        "second/descent-comment",
        "we subtract from the gradient",
        lambda: list(descend(square, [4.0])[1].point),
        lambda: [mb.grad(square)([4.0])[0] - 0.2 * 4.0],
        "wording",
        "learning rate times gradient is subtracted from x, as the program does",
    ),
    Case(
        "second/descent-2d-contour",
        "path of 16 points on a square from -5 to 5",
        _contour,
        lambda: [16.0, -5.0, 5.0, 100.0],
    ),
    _lines("identity-formulas", "a single neuron with the identity"),
    _table(
        "identity-table",
        "neuron_identity",
        "5 epochs; stopping early at epoch 6, loss = 0.0044, w = 1.6625, b = 1.5813",
        ("6", "0.0044", "1.6625", "1.5813"),
    ),
    Case(
        "second/sigmoid-derivative",
        "dŷ/dz = e^-z / (1 + e^-z)² = σ(z)(1 − σ(z))",
        lambda: [sigmoid_slopes(z)[0] for z in _Z for _ in range(2)],
        lambda: [slope for z in _Z for slope in sigmoid_slopes(z)[1:]],
    ),
    _lines("sigmoid-formulas", "a single neuron with the sigmoid"),
    _table("sigmoid-table", "neuron_sigmoid", "20 epochs, the last: loss = 0.0726, w = 0.3986, b = 0.2972"),
    Case(
        "second/loss-name",
        "compute model loss (mean squared error)",
        lambda: [half_squared_error(2.0, 5.0)],
        lambda: [mean_squared_error(2.0, 5.0)],
        "wording",
        "0.5·(ŷ − y)² is half the squared error: 4.5 in the first epoch, as its table has it",
    ),
    _table(
        "several-points-table",
        "several_points",
        "20 epochs, the last: average loss = 0.0894, w = 0.3859, b = 0.2718",
        wrong="made with z and x that the cell before had left behind; Z and X are meant",
    ),
    Case(
        "second/several-points-sign",
        "dL_p = y_p − ŷ_p",
        _error_slope,
        lambda: [1.0 - 0.6],
        "hard",
        "dL_p/dŷ_p = ŷ_p − y_p, as the program has it",
    ),
    Case(
        "second/several-points-mean",
        "totals keep increasing with the number of points, averages do not",
        _growth,
        lambda: [2.0, 1.0],
        evidence=lambda: f"sum {sum(_losses(1)):.12f}, mean {sum(_losses(1)) / 7:.12f}",
    ),
    Case(
        "second/several-points-stop",
        "if avg_loss < 0.01: break   (not reached in the printed run)",
        lambda: ["never" if _least_cost() > 0.01 else "reached"],
        lambda: ["never"],
        evidence=lambda: f"no neuron can cost less than {_least_cost():.10f}",
    ),
    _lines("series-formulas", "two neurons in series"),
    _table(
        "series-table",
        "series",
        "20 epochs, the last: loss = 0.0670, W = [0.3051, 0.3048], B = [0.1116, 0.3878]",
        wrong="made with w1 = w2 - learning_rate * dL_dw1, where w2 is already updated; w1 = w1 - ... is meant",
    ),
    Case(
        "second/series-sigmoid-notation",
        "d/dz = σ(z)·(1 − σ(z))",
        lambda: [sigmoid_slopes(0.25)[0]],
        None,
        "notation",
        "dσ(z)/dz: the operator has nothing to act on (twice: also in the next section)",
    ),
    _lines("layer-formulas", "two neurons in a layer"),
    _table("layer-table", "layer", "20 epochs, the last: loss = 0.0445, w11 = 0.3026, ..., b22 = 0.3512"),
    Case(
        "second/layer-bias",
        "z_3 = (w_1^(2) a_1 + b_2^(1)) + (w_2^(2) a_2 + b_2^(2))",
        lambda: _layer_loss("b21"),
        lambda: _layer_loss("b12"),
        "hard",
        "the first bias is b_1^(2), which gives the loss printed for the first epoch, 0.0739",
    ),
    Case(
        "second/layer-parameters",
        "we have doubled the number of model parameters",
        lambda: [len(NEURONS["layer"].parameters) / len(NEURONS["series"].parameters)],
        lambda: [2.0],
    ),
)
"""In the order of the tutorial."""
