"""Gradient descent on f(x) = x² and f(x, y) = x² + 3y², as in the second tutorial: formulas, tables, paths.

The derivatives are the engine's. A step is simultaneous: both coordinates move by the gradient of the old point. The
tutorial tests `gradient < 0.01`, without an absolute value: started at x = -4 its loop ends after one step. Its
printed runs happen to start where that does no harm, and come out here to the last digit.

Writes contour.png (the path of the second run), surface.png (the same in three dimensions) and learning_rates.png
(too small, good, oscillating, diverging).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import micrograd_bp as mb
from common import BLUE, GREEN, ORANGE, RED, axes, figure, heading, options, printed, save
from micrograd_bp import Value
from micrograd_bp.cli.output import table


class Step(NamedTuple):
    """A point of the descent, f there, and the gradient that led there (at the start: the gradient of the start)."""

    point: tuple[float, ...]
    f: float
    gradient: tuple[float, ...]


def square(point: Any) -> Any:
    """x², at [x]."""
    return point[0] ** 2


def bowl(point: Any) -> Any:
    """x² + 3y², at [x, y]."""
    x, y = point
    return x**2 + 3 * y**2


def descend(
    f: Callable[[Any], Any],
    start: Sequence[float],
    rate: float = 0.2,
    iterations: int = 20,
    tolerance: float = 0.01,
    *,
    absolute: bool = True,
) -> list[Step]:
    """The path, start and last point included: point ← point − rate · gradient, until the gradient is small.

    The gradient that is tested is the one before the step, as in the tutorial; `absolute=False` tests it without its
    absolute value, as the tutorial does.
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


def rows(path: Sequence[Step]) -> list[list[str]]:
    """The tutorial's table: iteration, coordinates, f; 4 decimals, -0.0000 included."""
    return [[str(i), *(f"{x:.4f}" for x in (*s.point, s.f))] for i, s in enumerate(path[1:], start=1)]


def formulas() -> list[tuple[str, str, str]]:
    """(f, by, derivative) of the functions of the tutorial's section on derivatives."""
    x, y = Value(4.0, "x"), Value(-4.0, "y")
    functions = [(x**2 + 1, x), ((x + 3) ** 3, x), (bowl((x, y)), x), (bowl((x, y)), y)]
    return [(str(mb.formula(f)), str(by.name), str(mb.derivative_formula(f, by))) for f, by in functions]


def extent(path: Sequence[Step]) -> tuple[float, float]:
    """The square that the tutorial plots: the path's least coordinate minus 1, and as far to the other side."""
    low = min(x for step in path for x in step.point) - 1
    return low, max(-low, *(x for step in path for x in step.point))


RATES = {0.01: "too small: slow", 0.2: "good", 0.9: "too high: oscillates", 1.1: "higher: diverges"}


def contour(path: Sequence[Step], folder: Path) -> Path:
    """The tutorial's plot: 50 levels on a grid of 400 x 400 points, and the path."""
    made = figure(8, 6)
    plot = axes(made, title="Gradient descent path on f(x, y) = x² + 3y²", xlabel="x", ylabel="y")
    line = np.linspace(*extent(path), 400)
    grid = np.meshgrid(line, line)
    plot.contour(*grid, bowl(grid), levels=50, cmap="viridis", linewidths=0.8)
    xs, ys = zip(*(s.point for s in path), strict=True)
    plot.plot(xs, ys, marker="o", color=RED, label="gradient descent path")
    plot.annotate("start", (xs[0], ys[0]), xytext=(8, -4), textcoords="offset points", color=RED)
    plot.legend(loc="upper right")
    return save(made, folder, "contour.png")


def surface(path: Sequence[Step], folder: Path) -> Path:
    """The same descent on the surface, in three dimensions."""
    made = figure(8, 6)
    plot = made.add_subplot(projection="3d", title="The same path on the surface", xlabel="x", ylabel="y", zlabel="f")
    line = np.linspace(*extent(path), 60)
    grid = np.meshgrid(line, line)
    plot.plot_surface(*grid, bowl(grid), cmap="viridis", alpha=0.55, linewidth=0)
    xs, ys = zip(*(s.point for s in path), strict=True)
    plot.plot(xs, ys, [s.f for s in path], color=RED, marker="o", markersize=4, zorder=10)
    plot.view_init(elev=45, azim=120)
    return save(made, folder, "surface.png")


def learning_rates(folder: Path) -> Path:
    """x after each step, for four learning rates on x²."""
    made = figure(9, 5)
    made.suptitle("Learning rates on f(x) = x², from x = 4")
    colors = (BLUE, GREEN, ORANGE, RED)
    for place, ((rate, remark), color) in enumerate(zip(RATES.items(), colors, strict=True), start=1):
        path = descend(square, [4.0], rate, tolerance=0.0)
        plot = axes(made, (2, 2, place), title=f"{rate}, {remark}", xlabel="iteration", ylabel="x")
        plot.plot([s.point[0] for s in path], marker=".", color=color)
        plot.set_xticks(range(0, 21, 4))
    return save(made, folder, "learning_rates.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the formulas and tables, write the plots."""
    given = options(__doc__, "gradient_descent").parse_args(arguments)

    print(heading("Derivatives"))
    print("\n".join(f"d/d{by} ({f}) = {derivative}" for f, by, derivative in formulas()))

    for name, f, start, columns in (
        ("gradient_descent_1d", square, (4.0,), ("iteration", "x", "f(x)")),
        ("gradient_descent_2d", bowl, (4.0, -4.0), ("iteration", "x", "y", "f(x, y)")),
    ):
        path = descend(f, start)
        found = rows(path)
        print(f"\n{heading(f'{columns[-1]} from {start}, gradient {path[0].gradient}')}")
        print(table([columns, *found]))
        same = "all as printed in the tutorial" if found == printed(name) else "NOT as printed in the tutorial"
        print(f"stopped after iteration {len(found)}, {same}")

    print(f"\n{heading('The stop without an absolute value')}")
    print("from      as printed                 with abs()")
    for f, start in ((square, (-4.0,)), (bowl, (-4.0, -4.0)), (bowl, (4.0, -4.0))):
        wrong, right = (descend(f, start, absolute=absolute) for absolute in (False, True))
        ends = [f"stops at {len(p) - 1:2}, {', '.join(f'{x:.4f}' for x in p[-1].point):15}" for p in (wrong, right)]
        print(f"{', '.join(f'{x:g}' for x in start):8}  {'  '.join(ends)}")

    print()
    second = descend(bowl, (4.0, -4.0))
    contour(second, given.out)
    surface(second, given.out)
    learning_rates(given.out)


if __name__ == "__main__":
    main()
