"""The cost of the first tutorial's XOR network as a function of its nine parameters: shape, slopes, symmetries.

`landscape.py` shows it in tables and plots. Imports the package and NumPy.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import micrograd_bp as mb
from micrograd_bp.cli.xor import tutorial_model
from systems import XOR_X, XOR_Y
from systems import cost as mean_error

Function = Callable[[Sequence[Any]], Any]
Point = list[float]

NAMES = ("w1_11", "w1_12", "b1_1", "w1_21", "w1_22", "b1_2", "w2_11", "w2_12", "b2_1")
ZERO = [0.0] * 9
START = [p.data for p in tutorial_model(3).parameters()]


def output(p: Sequence[Any], x: Sequence[float]) -> Any:
    """h(x) of the 2-2-1 network with the parameters `NAMES`, numbers of any kind."""
    w11, w12, b1, w21, w22, b2, v1, v2, b = p
    a1 = mb.sigmoid(b1 + w11 * x[0] + w12 * x[1])
    a2 = mb.sigmoid(b2 + w21 * x[0] + w22 * x[1])
    return mb.sigmoid(b + v1 * a1 + v2 * a2)


def cost(p: Sequence[Any], targets: Sequence[float] = XOR_Y) -> Any:
    """(COST) over the four samples; XOR's targets unless others are given.

    >>> cost(ZERO)
    0.125
    """
    return mean_error(lambda x: output(p, x), XOR_X, targets)


def xnor_cost(p: Sequence[Any]) -> Any:
    """(COST) with the targets of XNOR."""
    return cost(p, [1.0 - y for y in XOR_Y])


def bowl(p: Sequence[Any]) -> Any:
    """x² + 3y², the second tutorial's example of gradient descent."""
    return p[0] ** 2 + 3 * p[1] ** 2


def steepness(f: Function, at: Sequence[float]) -> float:
    """|∇f|."""
    return math.hypot(*mb.grad(f)(list(at)))


def along(f: Function, p: Sequence[float], d: Sequence[float]) -> Callable[[Any], Any]:
    """t ↦ f(p + t d)."""
    return lambda t: f([x + t * move for x, move in zip(p, d, strict=True)])


# --- convexity --------------------------------------------------------------------------------------------------------


class Curvature(NamedTuple):
    """A Hessian's eigenvalues, smallest first, its eigenvectors (columns), and what such a matrix is called."""

    eigenvalues: Any
    eigenvectors: Any
    kind: str


def curvature(f: Function, at: Sequence[float]) -> Curvature:
    """Of f's Hessian; an eigenvalue within rounding of 0, beside the largest entry, is 0.

    >>> curvature(bowl, [4.0, -4.0]).kind
    'positive definite'
    """
    hessian = np.array(mb.hessian(f)(list(at)))
    values, vectors = np.linalg.eigh(hessian)
    values[np.abs(values) <= 1e-14 * np.max(np.abs(hessian))] = 0.0
    if values[0] < 0.0 < values[-1]:
        kind = "indefinite"
    else:
        kind = "negative " if values[0] < 0.0 else "positive "
        kind += "definite" if np.all(values) else "semi-definite"
    return Curvature(values, vectors, kind)


CASES: tuple[tuple[str, Function, Point, str], ...] = (
    ("x² + 3y²", bowl, [4.0, -4.0], "convex"),
    ("(x + y)²", lambda p: (p[0] + p[1]) ** 2, [1.0, 2.0], "convex, level along x = −y"),
    ("x⁴", lambda p: p[0] ** 4, [0.0], "convex"),
    ("x³", lambda p: p[0] ** 3, [0.0], "not convex"),
    ("x³", lambda p: p[0] ** 3, [-1.0], "not convex"),
    ("x² − y²", lambda p: p[0] ** 2 - p[1] ** 2, [0.0, 0.0], "not convex"),
)
"""Functions that show what a Hessian at a point proves: name, function, point, whether the function is convex."""

DOWN = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, -0.05]
"""A direction in which the cost falls from `ZERO`, though gradient and Hessian do not show it."""


# --- the slope in a direction -----------------------------------------------------------------------------------------


def directions(gradient: Sequence[float], angles: Sequence[float], seed: int = 0) -> list[Point]:
    """Unit vectors at these angles from the gradient, in a plane through it (of more than two numbers, one drawn)."""
    g = np.array(gradient) / math.hypot(*gradient)
    draw = random.Random(seed)
    across = np.array([-g[1], g[0]] if len(g) == 2 else [draw.uniform(-1.0, 1.0) for _ in g])
    across = across - (across @ g) * g
    across /= math.hypot(*across)
    return [(math.cos(phi) * g + math.sin(phi) * across).tolist() for phi in angles]


def slopes(f: Function, at: Sequence[float], angles: Sequence[float]) -> list[float]:
    """D_u f = ∇f · u for u at these angles from the gradient, forward mode: the gradient is not used for it.

    >>> [round(slope, 6) for slope in slopes(bowl, [4.0, -4.0], [0.0, math.pi])]
    [25.298221, -25.298221]
    """
    return [mb.directional_derivative(f, list(at), u) for u in directions(mb.grad(f)(list(at)), angles)]


# --- networks that compute the same -----------------------------------------------------------------------------------


def swap_units(p: Sequence[float]) -> Point:
    """Both hidden units exchanged whole: the weights and the bias into each, and the weight out of it."""
    return [*p[3:6], *p[0:3], p[7], p[6], p[8]]


def flip_unit(p: Sequence[float], j: int) -> Point:
    """Hidden unit j (1 or 2) gives 1 − a in place of a: σ(−z) = 1 − σ(z), and b + v a = (b + v) − v (1 − a)."""
    q = list(p)
    for place in (3 * j - 3, 3 * j - 2, 3 * j - 1, 5 + j):
        q[place] = -q[place]
    q[8] = p[8] + p[5 + j]
    return q


def exchange(p: Sequence[float], one: str, other: str) -> Point:
    """Two parameters exchanged, by name."""
    q = dict(zip(NAMES, p, strict=True))
    q[one], q[other] = q[other], q[one]
    return list(q.values())


CHANGES: dict[str, Callable[[Sequence[float]], Point]] = {
    "as it is": list,
    "units 1 and 2 exchanged whole": swap_units,
    "sign flip of unit 1": lambda p: flip_unit(p, 1),
    "sign flip of unit 2": lambda p: flip_unit(p, 2),
    "as printed: w2_11 with w2_12": lambda p: exchange(p, "w2_11", "w2_12"),
    "as printed: w1_11 with w1_12": lambda p: exchange(p, "w1_11", "w1_12"),
    "as printed: w1_21 with w1_22": lambda p: exchange(p, "w1_21", "w1_22"),
}
"""The symmetries, and what the first tutorial prints as one."""


def difference(p: Sequence[float], q: Sequence[float]) -> float:
    """By how much the outputs of two networks differ at most, over a grid of inputs from −3 to 4."""
    grid = [(i / 2, j / 2) for i, j in itertools.product(range(-6, 9), repeat=2)]
    return max(abs(float(output(p, x) - output(q, x))) for x in grid)


def copies(p: Sequence[float]) -> dict[str, Point]:
    """The 2! · 2² = 8 networks with the outputs of p, by what is done to p.

    >>> from systems import TRAINED
    >>> list(copies(TRAINED))[-2:]
    ['swap + flip 1', 'swap + flip 1 + flip 2']
    """
    steps = {"swap": swap_units, "flip 1": CHANGES["sign flip of unit 1"], "flip 2": CHANGES["sign flip of unit 2"]}
    made = {}
    for done in itertools.product((False, True), repeat=3):
        q, names = list(p), [name for name, is_done in zip(steps, done, strict=True) if is_done]
        for name in names:
            q = steps[name](q)
        made[" + ".join(names) or "as it is"] = q
    return made


def between(p: Sequence[float], q: Sequence[float], share: float = 0.5) -> Point:
    """The network at this share of the way from p to q."""
    return [a + share * (b - a) for a, b in zip(p, q, strict=True)]


# --- two weights ------------------------------------------------------------------------------------------------------

HELD = [-5.0, 8.0, -2.0, -4.0, -1.0, 5.0, -8.0, -5.0, 5.0]
"""Parameters around which the surface over w1_11 and w2_12 has two valleys; looked for."""

STARTS = ([4.0, 0.5], [-4.0, -1.0])


def two_weights(w: Sequence[Any]) -> Any:
    """The XOR cost over w1_11 and w2_12, the other seven held."""
    return cost([w[0], *HELD[1:7], w[1], HELD[8]])


def descent(f: Function, start: Sequence[float], rate: float, steps: int) -> list[Point]:
    """The points of gradient descent, the start and one after each step: (5) of the third tutorial."""
    path = [list(start)]
    for _ in range(steps):
        path.append([x - rate * d for x, d in zip(path[-1], mb.grad(f)(path[-1]), strict=True)])
    return path


def stationary(f: Function, near: Sequence[float], steps: int = 20) -> Point:
    """A point where the gradient is 0: Newton's method, whether that is a minimum or a saddle."""
    at = np.array(near, dtype=float)
    for _ in range(steps):
        at = at - np.linalg.solve(np.array(mb.hessian(f)(at.tolist())), np.array(mb.grad(f)(at.tolist())))
    return [float(x) for x in at]
