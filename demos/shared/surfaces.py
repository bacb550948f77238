"""The shape of a function of several numbers: slopes in all directions, the Hessian's eigenvalues, gradient descent.

Every derivative comes from the engine. The functions take a list of numbers of any kind (floats, Values, Duals).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import micrograd_bp as mb

Function = Callable[[Any], Any]
Point = list[float]


def square(p: Any) -> Any:
    """Return x² at [x], the second tutorial's first example of gradient descent."""
    return p[0] ** 2


def bowl(p: Any) -> Any:
    """Return x² + 3y² at [x, y], the second tutorial's other example of gradient descent."""
    return p[0] ** 2 + 3 * p[1] ** 2


def steepness(f: Function, at: Sequence[float]) -> float:
    """Return |∇f|, the length of the gradient."""
    return math.hypot(*mb.grad(f)(list(at)))


def along(f: Function, p: Sequence[float], d: Sequence[float]) -> Callable[[Any], Any]:
    """Return the function t ↦ f(p + t d)."""
    return lambda t: f([x + t * step for x, step in zip(p, d, strict=True)])


def between(p: Sequence[float], q: Sequence[float], share: float = 0.5) -> Point:
    """Return the point at this share of the straight line from p to q."""
    return [a + share * (b - a) for a, b in zip(p, q, strict=True)]


# --- convexity --------------------------------------------------------------------------------------------------------


class Curvature(NamedTuple):
    """A Hessian's eigenvalues in ascending order, its eigenvectors as columns, and its definiteness."""

    eigenvalues: Any
    eigenvectors: Any
    kind: str


def curvature(f: Function, at: Sequence[float]) -> Curvature:
    """Return the curvature of f; an eigenvalue that rounding may have made of a 0 counts as 0.

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


def stationary(f: Function, near: Sequence[float], steps: int = 20) -> Point:
    """Return a point where the gradient is 0, found by Newton's method: a minimum, a maximum or a saddle."""
    at = np.array(near, dtype=float)
    for _ in range(steps):
        at = at - np.linalg.solve(np.array(mb.hessian(f)(at.tolist())), np.array(mb.grad(f)(at.tolist())))
    return [float(x) for x in at]


# --- the slope in a direction -----------------------------------------------------------------------------------------


def directions(gradient: Sequence[float], angles: Sequence[float], seed: int = 0) -> list[Point]:
    """Return unit vectors at these angles (in radians) from the gradient.

    They lie in one plane through the gradient. With more than two coordinates the seed draws that plane.
    """
    g = np.array(gradient) / math.hypot(*gradient)
    draw = random.Random(seed)
    across = np.array([-g[1], g[0]] if len(g) == 2 else [draw.uniform(-1.0, 1.0) for _ in g])
    across = across - (across @ g) * g
    across /= math.hypot(*across)
    return [(math.cos(phi) * g + math.sin(phi) * across).tolist() for phi in angles]


def slopes(f: Function, at: Sequence[float], angles: Sequence[float]) -> list[float]:
    """Return D_u f = ∇f · u for the directions u at these angles (in radians) from the gradient.

    The slopes are computed in forward mode: the gradient gives the directions and nothing else. These are (3) and (4)
    of the third tutorial.

    >>> [round(slope, 6) for slope in slopes(bowl, [4.0, -4.0], [0.0, math.pi])]
    [25.298221, -25.298221]
    """
    return [mb.directional_derivative(f, list(at), u) for u in directions(mb.grad(f)(list(at)), angles)]


# --- gradient descent -------------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """A point of a descent, f there, and the gradient that led there (at the start: the gradient of the start)."""

    point: tuple[float, ...]
    f: float
    gradient: tuple[float, ...]


def descend(
    f: Function,
    start: Sequence[float],
    rate: float = 0.2,
    iterations: int = 20,
    tolerance: float = 0.01,
    *,
    absolute: bool = True,
) -> list[Step]:
    """Return the path of gradient descent, point ← point − rate · gradient, with its start and its last point.

    The descent stops when every component of the gradient is below `tolerance`. As in the second tutorial, the gradient
    before the step is tested; with `absolute=False` it is tested without its absolute value, as the tutorial does it.
    """
    gradient_of = mb.value_and_grad(f)
    point = tuple(start)
    value, gradient = gradient_of(point)
    path = [Step(point, value, gradient)]
    for _ in range(iterations):
        point = tuple(x - rate * g for x, g in zip(point, gradient, strict=True))
        value, after = gradient_of(point)
        path.append(Step(point, value, gradient))
        if all((abs(g) if absolute else g) < tolerance for g in gradient):
            break
        gradient = after
    return path
