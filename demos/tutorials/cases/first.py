"""The cases of the first tutorial: notation, XNOR, cost, convexity, and formulas (1.2) to (3.6)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

import micrograd_bp as mb
from demos.shared.surfaces import between, bowl, curvature
from demos.shared.tutorial_networks import SAMPLE_X, four_layers, hand_set, mean_cost, three_outputs
from demos.shared.xor import GENERIC, HAND_SET_XNOR, TRAINED, XOR_Y, X, exchange, flip_unit, swap_units
from demos.shared.xor import cost as xor_cost
from demos.shared.xor_on_arrays import two_hundred_starts
from demos.tutorials.cases.case import Case, Result
from demos.tutorials.cases.first_xor import counts, perceptrons
from demos.tutorials.first.xnor_and_formulas import by_elements, sigmoid_slopes, truth_table
from micrograd_bp.check.closed_form import Network, backpropagate, compare
from micrograd_bp.nn import MLP

_Y, _H = [0.0, 1.0, 1.0, 0.0], [0.1, 0.8, 0.7, 0.3]  # targets, and outputs chosen to try the cost on
_ANIMALS = ("Cat", "Dog", "Bird")


def _formula(name: str, tag: str, says: str, model: MLP, parameter: str) -> Case:
    """Compare a formula with `backward()`, for the parameters whose names begin with `parameter`."""
    y = [[0.0, 1.0, 0.0]] if len(model.layers[-1].neurons) == 3 else [1.0]

    def rows() -> list[tuple[float, float]]:
        every = compare(model, [SAMPLE_X], y).rows
        return [(r.engine, r.closed_form) for r in every if r.formula in tag and r.parameter.startswith(parameter)]

    return Case(f"first/{name}", says, lambda: [a for a, _ in rows()], lambda: [b for _, b in rows()])


def _derivatives(chosen: str) -> Result:
    """Return derivatives of the 3-3-3-3 network by the engine, chosen by parameter or by the number of a formula."""
    rows = compare(three_outputs(), [SAMPLE_X], [[0.0, 1.0, 0.0]]).rows
    return [row.engine for row in rows if chosen in (row.parameter, row.formula)]


def _one_hot() -> Result:
    """Return the animals that a layer of three outputs names after it was trained on the tutorial's three targets."""
    rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    model = MLP(3, [3], "sigmoid", "sigmoid", seed=0)
    mb.fit(model, rows, rows, learning_rate=5.0, epochs=500, progress=False)
    found = [[a.data for a in model(row)] for row in rows]
    return [f"{_ANIMALS[h.index(max(h))]} {' '.join(f'{a:.0f}' for a in h)}" for h in found]


@cache
def _separately() -> tuple[float, float]:
    """Return the mean of a perceptron's least errors for each sample of XOR alone, and its least mean error."""
    alone = []
    for x, y in zip(X, XOR_Y, strict=True):
        model = MLP(2, [1], "sigmoid", "sigmoid", seed=0)
        alone.append(mb.fit(model, [x], [y], learning_rate=5.0, epochs=1000, progress=False).cost[-1])
    return sum(alone) / 4, float(np.min(perceptrons().cost)) / 4


def _least_eigenvalue() -> float:
    """Return the least eigenvalue of the Hessian of the XOR cost, at parameters that are in no way special."""
    return float(curvature(xor_cost, GENERIC).eigenvalues[0])


def _midpoint() -> tuple[float, float, float]:
    """Return the costs of the trained network, of its copy with exchanged units, and of the network halfway between."""
    other = swap_units(TRAINED)
    return xor_cost(TRAINED), xor_cost(other), xor_cost(between(TRAINED, other))


def _layers_with_gradient() -> Result:
    dW, _ = backpropagate(Network.of(four_layers()), SAMPLE_X, [1.0])
    return [" ".join(str(layer) for layer, d in enumerate(dW, start=1) if np.any(d != 0.0))]


FIRST = (
    Case(
        "first/(1.2)",
        "σ'(z) = e^-z / (1 + e^-z)² = 1/(1 + e^-z) · (1 − 1/(1 + e^-z)) = σ(z)(1 − σ(z))",
        lambda: [sigmoid_slopes(z)[0] for z in (-30.0, -10.0, -1.0, 0.0, 0.5, 2.0) for _ in range(2)],
        lambda: [slope for z in (-30.0, -10.0, -1.0, 0.0, 0.5, 2.0) for slope in sigmoid_slopes(z)[1:]],
        evidence=lambda: "as floats the last form loses digits where z is large: 1 − σ(z) cancels",
    ),
    Case(
        "first/3-3-3-1",
        "a_i^(l) = σ(b_i + Σ_k w_ik a_k), h = a_1^(3)",
        lambda: [four_layers()(SAMPLE_X).data],
        lambda: by_elements(four_layers(), SAMPLE_X),
    ),
    Case(
        "first/shapes-W",
        "W^(1), W^(2) ∈ R^(3x3), W^(3) ∈ R^(1x3)",
        lambda: ["{}x{}".format(*W.shape) for W in Network.of(four_layers()).W],
        lambda: ["3x3", "3x3", "1x3"],
    ),
    Case(
        "first/shapes-b",
        "b^(1), b^(2) ∈ R^(1x3)",
        lambda: ["{}x{}".format(*(np.eye(3) @ np.ones((3, 1)) + np.ones((3, 1))).shape)],
        lambda: ["{}x{}".format(*(np.eye(3) @ np.ones((3, 1)) + np.ones((1, 3))).shape)],
        "hard",
        "b ∈ R^(3x1): z = W a + b is 3x1, and with a row NumPy makes it 3x3 without a word",
    ),
    Case(
        "first/index-of-W",
        "z^(j) = w^(j−1) · x   (the components of z^(3))",
        lambda: [str(Network.of(four_layers()).W[2].shape[0])],
        lambda: [str(Network.of(four_layers()).W[1].shape[0])],
        "hard",
        "z^(j) = W^(j) a^(j−1) + b^(j), as everywhere else; z^(1) would need a W^(0)",
    ),
    Case(
        "first/one-hot",
        "(1, 0, 0) a Cat, (0, 1, 0) a Dog, (0, 0, 1) a Bird",
        _one_hot,
        lambda: ["Cat 1 0 0", "Dog 0 1 0", "Bird 0 0 1"],
    ),
    Case(
        "first/XNOR-table",
        "x1 x2 a1 a2 h: 0 0 0 1 1; 1 0 0 0 0; 0 1 0 0 0; 1 1 1 0 1",
        lambda: ["".join(f"{number:.0f}" for number in row) for row in truth_table(hand_set([2, 2, 1], HAND_SET_XNOR))],
        lambda: ["00011", "10000", "01000", "11101"],
    ),
    Case(
        "first/XNOR-inputs",
        "a network with 3 inputs and 2 layers",
        lambda: [str(Network.of(hand_set([2, 2, 1], HAND_SET_XNOR)).W[0].shape[1])],
        lambda: ["3"],
        "wording",
        "two inputs; three only if the bias is counted",
    ),
    Case(
        "first/(COST)",
        "E = 1/m Σ_t E_t, E_t = 1/2 ‖y − h‖²",
        lambda: [mean_cost(lambda h: h[0], [[h] for h in _H], _Y)],
        lambda: [sum(0.5 * (y - h) ** 2 for y, h in zip(_Y, _H, strict=True)) / 4],
    ),
    Case(
        "first/cost-is-a-sum",
        "we define E as the sum of the errors",
        lambda: [mean_cost(lambda h: h[0], [[h] for h in _H], _Y)],
        lambda: [sum(0.5 * (y - h) ** 2 for y, h in zip(_Y, _H, strict=True))],
        "wording",
        "(COST) is their mean",
    ),
    Case(
        "first/minimise-each",
        "minimising E is minimising the error for each training data, then taking the average",
        lambda: ["no" if _separately()[1] > 100 * _separately()[0] else "yes"],
        lambda: ["yes"],
        "wording",
        "one set of weights serves all samples: the mean is minimised; what is averaged is the gradient",
        evidence=lambda: (
            "a perceptron on XOR: errors of each sample alone go to a mean of {:.6f}, "
            "the least mean found is {:.6f}".format(*_separately())
        ),
    ),
    Case(
        "first/only-if-convex",
        "gradient descent achieves the global minimum only if E is convex",
        lambda: ["also where it is not" if _least_eigenvalue() < 0 and two_hundred_starts().reached() else "?"],
        lambda: ["only if"],
        "wording",
        "it is guaranteed to only if E is convex (and the step small): the cost of XOR is not convex",
        evidence=lambda: f"{counts()}, where the cost is near its infimum 0",
    ),
    Case(
        "first/Hessian-convexity",
        "E is convex if its Hessian is positive-definite   (x² + 3y²)",
        lambda: [curvature(bowl, [4.0, -4.0]).kind],
        lambda: ["positive definite"],
        evidence=lambda: (
            "not an only if: x⁴ is convex, and its second derivative at 0 is "
            f"{mb.derivative(lambda x: x**4, order=2)(0.0):g}"
        ),
    ),
    Case(
        "first/exchanged-weights",
        "the cost is not modified if we exchange the weights w_jk and w_jm arriving at neuron a_j",
        lambda: [xor_cost(exchange(GENERIC, "w2_11", "w2_12")), xor_cost(exchange(GENERIC, "w1_11", "w1_12"))],
        lambda: [xor_cost(GENERIC), xor_cost(GENERIC)],
        "hard",
        "whole units are exchanged: their incoming weights and bias, and their outgoing weights",
        evidence=lambda: (
            f"so exchanged the cost is {xor_cost(swap_units(GENERIC)):.15f}, "
            f"with the sign of a unit flipped {xor_cost(flip_unit(GENERIC, 1)):.15f}"
        ),
    ),
    Case(
        "first/not-convex-by-symmetry",
        "two different networks and two minima: E is not convex",
        lambda: ["not convex" if _midpoint()[2] > max(_midpoint()[:2]) else "?"],
        lambda: ["not convex"],
        evidence=lambda: "E of both {:.12f} and {:.12f}, halfway between {:.12f}".format(*_midpoint()),
    ),
    Case(
        "first/Hessian-of-XOR",
        "the cost of a neural network is generally not convex",
        lambda: ["not convex" if _least_eigenvalue() < 0 else "?"],
        lambda: ["not convex"],
        evidence=lambda: f"the least eigenvalue of its Hessian is {_least_eigenvalue():.12f}",
    ),
    Case(
        "first/chain-rule",
        "f(g(x))' = f'(g(x)) g'(x)   (sin of x³)",
        lambda: [mb.derivative(lambda x: mb.sin(x**3))(x) for x in (-1.3, 0.2, 2.1)],
        lambda: [math.cos(x**3) * 3 * x**2 for x in (-1.3, 0.2, 2.1)],
    ),
    _formula("(3.1)", "(3.2) (3.3)", "∂E/∂w_jk = ∂E/∂a_j · ∂a_j/∂z_j · ∂z_j/∂w_jk", four_layers(), "w"),
    _formula("(3.2)", "(3.2)", "∂E/∂w_jk^(L) = (a_j − y) a_j (1 − a_j) a_k^(L−1)", four_layers(), "w3"),
    Case(
        "first/(3.2)-index-of-y",
        "(a_j^(L) − y^(t))",
        lambda: _derivatives("3.2"),
        None,
        "notation",
        "y^(t) is a vector when there are several outputs: a_j − y_j",
    ),
    _formula("(3.3)", "(3.3)", "∂E/∂w_jk = σ'(z_j) a_k Σ_{i=1} ∂E/∂a_i σ'(z_i) w_ij", three_outputs(), "w"),
    _formula("(3.4)-(3.5)", "(3.5)", "∂E/∂b_j^(L) = −(y_j − a_j) a_j (1 − a_j)", three_outputs(), "b3"),
    Case(
        "first/(3.5)-label",
        "(3.1) is written: ... (3.5)",
        lambda: _derivatives("b3_1"),
        lambda: _derivatives("w3_11"),
        "notation",
        "(3.4) is: (3.5) is by b, and (3.1) by w",
    ),
    Case(
        "first/(3.6)",
        "∂E/∂b_j = σ'(z_j) Σ_{i=0}^{s} ...   (terms of the sum, s = 3)",
        lambda: [str(Network.of(three_outputs()).W[1].shape[0])],
        lambda: [str(len(range(3 + 1)))],
        "hard",
        "i from 1, as in (3.3): there is no w_0j",
        evidence=lambda: "from 1 the formula is backward() to {:g} ulp".format(
            max(r.ulps for r in compare(three_outputs(), [SAMPLE_X], [[0.0, 1.0, 0.0]]).rows if r.formula == "3.6")
        ),
    ),
    Case(
        "first/layer-range",
        "derivatives for all the layers (L−1), (L−2), ..., 2   (and L before them)",
        _layers_with_gradient,
        lambda: ["2 3"],
        "hard",
        "down to 1: W^(1) and b^(1) are parameters, and the script of XOR trains them",
    ),
)
"""In the order of the tutorial, but for XOR."""
