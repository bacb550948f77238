"""Gradient descent on f(x) = x² and f(x, y) = x² + 3y², as in the second tutorial: formulas, tables and paths.

The derivatives come from the engine. Both coordinates move at the same time, by the gradient of the old point. The
tutorial tests `gradient < 0.01` without an absolute value, so that its loop ends after one step when it starts at
x = −4. Its printed runs start where this does no harm, and they are reproduced here to the last digit.

The demo writes contour.png (the path of the second run), surface.png (the same path in three dimensions) and
learning_rates.png (learning rates that are too small, good, too high, and so high that the descent diverges).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table
from demos.shared.figures import BLUE, GREEN, ORANGE, RED, axes, figure, save
from demos.shared.surfaces import Step, bowl, descend, square
from demos.tutorials.second.printed_tables import printed
from micrograd_bp import Value


def rows(path: Sequence[Step]) -> list[list[str]]:
    """Return the lines of the tutorial's table: iteration, coordinates and f with 4 decimals, -0.0000 included."""
    return [[str(i), *(f"{x:.4f}" for x in (*s.point, s.f))] for i, s in enumerate(path[1:], start=1)]


def formulas() -> list[tuple[str, str, str]]:
    """Return (function, variable, derivative) as text for the tutorial's section on derivatives."""
    x, y = Value(4.0, "x"), Value(-4.0, "y")
    functions = [(x**2 + 1, x), ((x + 3) ** 3, x), (bowl((x, y)), x), (bowl((x, y)), y)]
    return [(str(mb.formula(f)), str(by.name), str(mb.derivative_formula(f, by))) for f, by in functions]


def extent(path: Sequence[Step]) -> tuple[float, float]:
    """Return the ends of the square that the tutorial plots: the least coordinate minus 1, and its opposite."""
    low = min(x for step in path for x in step.point) - 1
    return low, max(-low, *(x for step in path for x in step.point))


RATES = {0.01: "too small: slow", 0.2: "good", 0.9: "too high: oscillates", 1.1: "higher: diverges"}


def contour(path: Sequence[Step], folder: Path) -> Path:
    """Draw the tutorial's plot: 50 contour lines from a grid of 400 × 400 points, and the path."""
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
    """Plot the same path on the surface, in three dimensions."""
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
    """Plot x after each step for four learning rates on x²."""
    made = figure(9, 5)
    made.suptitle("Learning rates on f(x) = x², from x = 4")
    colors = (BLUE, GREEN, ORANGE, RED)
    for index, ((rate, remark), color) in enumerate(zip(RATES.items(), colors, strict=True), start=1):
        path = descend(square, [4.0], rate, tolerance=0.0)
        plot = axes(made, (2, 2, index), title=f"{rate}, {remark}", xlabel="iteration", ylabel="x")
        plot.plot([s.point[0] for s in path], marker=".", color=color)
        plot.set_xticks(range(0, 21, 4))
    return save(made, folder, "learning_rates.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the formulas and the tables, and write the plots."""
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

    print(f"\n{heading('The stopping rule without and with an absolute value')}")
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
