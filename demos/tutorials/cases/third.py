"""The cases of the third tutorial outside its example: directions, learning rates, sums over layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import micrograd_bp as mb
from demos.shared.surfaces import bowl, descend, slopes, square
from demos.shared.tutorial_networks import SAMPLE_X, four_layers
from demos.tutorials.cases.case import Case, Result
from demos.tutorials.second.gradient_descent import RATES
from micrograd_bp import Value
from micrograd_bp.autodiff.reverse import adjoints
from micrograd_bp.training.losses import squared_error

_AT = [4.0, -4.0]  # where x² + 3y² is differentiated in all directions
_ANGLES = [math.tau * i / 360 for i in range(360)]


def _directional() -> Result:
    """Return D_u f at (4, −4) at 360 angles from the gradient, and the largest and the smallest of these slopes."""
    found = slopes(bowl, _AT, _ANGLES)
    return [*found, max(found), min(found)]


def _directional_as_printed() -> Result:
    length = math.hypot(8.0, -24.0)
    return [*(length * math.cos(phi) for phi in _ANGLES), length, -length]


def _rates() -> Result:
    """Return how the descent on x² from x = 4 behaves with each learning rate."""
    ends = {rate: [step.point[0] for step in descend(square, [4.0], rate, tolerance=0.0)] for rate in RATES}
    slow, good, oscillates, overshoots = ends.values()
    return [
        "slow" if slow[-1] > 2.0 and abs(good[-1]) < 0.01 else "",
        "oscillates" if all(a * b < 0 for a, b in pairwise(oscillates)) else "",
        "overshoots" if abs(overshoots[-1]) > 4.0 else "",
    ]


def _one_neuron() -> tuple[Result, Result]:
    """Return dC/dw and dC/db of one neuron by the engine, and by (11) and (13)."""
    w, b, before, y = Value(0.7), Value(0.15), 0.4, 1.0
    z = w * before + b
    a = mb.sigmoid(z)
    slope = 2 * (a.data - y) * a.data * (1 - a.data)
    return adjoints(squared_error(a, y), [w, b]), [slope * before, slope]


def _layers() -> tuple[Value, list[list[Value]], list[list[list[float]]]]:
    """Return the cost of the 3-3-3-1 network for y = 1, its activations layer by layer, and its weights."""
    model = four_layers()
    a: list[list[Value]] = [model.layers[0](SAMPLE_X)]
    a.append(model.layers[1](a[0]))
    a.append([model.layers[2](a[1])])
    weights = [[[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers]
    return squared_error(a[2], [1.0]), a, weights


def _hidden_slopes() -> Result:
    """Return dC/da_k^(1) of the 3-3-3-1 network by the engine."""
    cost, a, _ = _layers()
    return adjoints(cost, a[0])


def _summed(k: int, over: Sequence[int]) -> float:
    """Return dC/da_k^(1) = Σ_j dC/da_j^(2) σ'(z_j^(2)) w_jk^(2), with the sum over these neurons."""
    cost, a, weights = _layers()
    gradient = adjoints(cost, a[1])
    return sum(gradient[j] * a[1][j].data * (1 - a[1][j].data) * weights[1][j][k] for j in over)


THIRD = (
    Case(
        "third/(3)-(4)",
        "D_u f = ∇f · u = |∇f| cos φ; the largest along ∇f, the smallest against it   (x² + 3y², 360 directions)",
        _directional,
        _directional_as_printed,
    ),
    Case(
        "third/learning-rates",
        "too small: slow; too high: oscillates or overshoots",
        _rates,
        lambda: ["slow", "oscillates", "overshoots"],
    ),
    Case(
        "third/(10)-(13)",
        "∂C/∂ω = 2(a − y) σ'(z) a_before, ∂C/∂b = 2(a − y) σ'(z)   (one neuron)",
        lambda: _one_neuron()[0],
        lambda: _one_neuron()[1],
    ),
    Case(
        "third/(14)-limits",
        "∂C/∂a_k^(L−1) = Σ_{j=0}^{L−1} ...   (3-3-3-1, L = 2)",
        lambda: [_hidden_slopes()[0]],
        lambda: [_summed(0, range(2))],
        "hard",
        "L counts layers; the sum runs over the neurons of layer L, j = 0 .. n_L − 1. In the 2-2-2 example both are 2",
        evidence=lambda: f"with the sum over all neurons {_summed(0, range(3)):.15f}",
    ),
    Case(
        "third/(15)-recursion",
        "∂C/∂a_j^(L) = Σ_{j=0}^{(L+1)−1} [∂C/a_j^(L+1)] [σ'(z_j^(L+1))] [ω_j^(L+1)]",
        _hidden_slopes,
        None,
        "hard",
        "j is summed over and is not; Σ_{i=0}^{n_(L+1)−1} ∂C/∂a_i^(L+1) σ'(z_i^(L+1)) ω_ij^(L+1)",
        evidence=lambda: "with i: " + ", ".join(f"{_summed(j, range(3)):.15f}" for j in range(3)),
    ),
    Case(
        "third/page-source",
        "katex.render(..., C_to_aj)",
        list,
        None,
        "notation",
        "no element of the page has that id: the call ends its block with an error; eq_ff is never rendered into",
    ),
)
"""In the order of the tutorial."""
