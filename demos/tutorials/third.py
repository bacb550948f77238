"""The cases of the third tutorial that are no part of its example: directions, learning rates, sums over layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import gradient_descent as descent
import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.autodiff.reverse import adjoints
from micrograd_bp.training.losses import squared_error
from systems import SAMPLE_X, four_layers
from tutorials.case import Case, Result

_AT = [4.0, -4.0]  # where x² + 3y² is differentiated in all directions
_ANGLES = [math.tau * i / 360 for i in range(360)]


def _directional() -> Result:
    """D_u f at (4, -4) for unit vectors at 360 angles from the gradient, and its largest and smallest."""
    gx, gy = mb.grad(descent.bowl)(_AT)
    ahead = math.atan2(gy, gx)
    along = [[math.cos(ahead + phi), math.sin(ahead + phi)] for phi in _ANGLES]
    slopes = [mb.directional_derivative(descent.bowl, _AT, u) for u in along]
    return [*slopes, max(slopes), min(slopes)]


def _directional_as_printed() -> Result:
    length = math.hypot(8.0, -24.0)
    return [*(length * math.cos(phi) for phi in _ANGLES), length, -length]


def _rates() -> Result:
    """What becomes of x² from x = 4 by learning rate: slow, good, oscillating, overshooting."""
    ends = {
        rate: [s.point[0] for s in descent.descend(descent.square, [4.0], rate, tolerance=0.0)]
        for rate in descent.RATES
    }
    slow, good, oscillates, overshoots = ends.values()
    return [
        "slow" if slow[-1] > 2.0 and abs(good[-1]) < 0.01 else "",
        "oscillates" if all(a * b < 0 for a, b in pairwise(oscillates)) else "",
        "overshoots" if abs(overshoots[-1]) > 4.0 else "",
    ]


def _one_neuron() -> tuple[Result, Result]:
    """dC/dw and dC/db of one neuron by the engine, and by (11) and (13)."""
    w, b, before, y = Value(0.7), Value(0.15), 0.4, 1.0
    z = w * before + b
    a = mb.sigmoid(z)
    slope = 2 * (a.data - y) * a.data * (1 - a.data)
    return adjoints(squared_error(a, y), [w, b]), [slope * before, slope]


def _layers() -> tuple[Value, list[list[Value]], list[list[list[float]]]]:
    """The cost of the 3-3-3-1 network for y = 1, its activations layer by layer, and its weights."""
    model = four_layers()
    a: list[list[Value]] = [model.layers[0](SAMPLE_X)]
    a.append(model.layers[1](a[0]))
    a.append([model.layers[2](a[1])])
    weights = [[[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers]
    return squared_error(a[2], [1.0]), a, weights


def _hidden_slopes() -> Result:
    """dC/da_k^(1) of the 3-3-3-1 network by the engine."""
    cost, a, _ = _layers()
    return adjoints(cost, a[0])


def _summed(k: int, over: Sequence[int]) -> float:
    """dC/da_k^(1) = Σ_j dC/da_j^(2) σ'(z_j^(2)) w_jk^(2), the sum taken over the neurons given."""
    cost, a, weights = _layers()
    slopes = adjoints(cost, a[1])
    return sum(slopes[j] * a[1][j].data * (1 - a[1][j].data) * weights[1][j][k] for j in over)


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
