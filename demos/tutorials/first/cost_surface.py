"""The cost surface of a network: is it convex, how steep is it, and which networks compute the same?

The cost is (COST) of the first tutorial for its XOR network 2-2-1, a function of nine parameters. The demo prints five
tables and draws a plot for each:

- hessian.png: the eigenvalues of the Hessian, which show that the cost is not convex;
- slopes.png: the slope in all directions, (3) and (4) of the third tutorial;
- symmetries.png: the changes of the parameters that leave the network's function as it is;
- segment.png: the cost on the straight line between networks that compute the same;
- surface.png: the cost over two weights, with two descents on it.
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table
from demos.shared.figures import BLUE, GREEN, GREY, ORANGE, RED, axes, binary_points, colour_plane, figure, save
from demos.shared.surfaces import (
    Function,
    Point,
    along,
    between,
    bowl,
    curvature,
    descend,
    slopes,
    stationary,
    steepness,
)
from demos.shared.xor import (
    CHANGES,
    GENERIC,
    HAND_SET_XNOR,
    NAMES,
    START,
    TRAINED,
    XOR_Y,
    X,
    copies,
    cost,
    difference,
    output,
    xnor_cost,
)

ZERO = [0.0] * 9
DOWN = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, -0.05]
"""A direction in which the cost falls from `ZERO`, though gradient and Hessian do not show it."""

POINTS = {
    "all zero": ZERO,
    "some weights": GENERIC,
    "the tutorial's start (seed 3)": START,
    "trained, 28897 epochs": TRAINED,
}
SLOPES = (("x² + 3y² at (4, −4)", bowl, [4.0, -4.0]), ("E of XOR at the start", cost, START))

CASES: tuple[tuple[str, Function, Point, str], ...] = (
    ("x² + 3y²", bowl, [4.0, -4.0], "convex"),
    ("(x + y)²", lambda p: (p[0] + p[1]) ** 2, [1.0, 2.0], "convex, level along x = −y"),
    ("x⁴", lambda p: p[0] ** 4, [0.0], "convex"),
    ("x³", lambda p: p[0] ** 3, [0.0], "not convex"),
    ("x³", lambda p: p[0] ** 3, [-1.0], "not convex"),
    ("x² − y²", lambda p: p[0] ** 2 - p[1] ** 2, [0.0, 0.0], "not convex"),
)
"""Functions that show what a Hessian at a point proves: name, function, point, and whether the function is convex."""

HELD = [-5.0, 8.0, -2.0, -4.0, -1.0, 5.0, -8.0, -5.0, 5.0]
"""Parameters around which the surface over w1_11 and w2_12 has two valleys; they were searched for."""

STARTS = ([4.0, 0.5], [-4.0, -1.0])
RATE, STEPS = 5.0, 400


def two_weights(w: Sequence[Any]) -> Any:
    """Return the XOR cost over w1_11 and w2_12, the other seven parameters being held at `HELD`."""
    return cost([w[0], *HELD[1:7], w[1], HELD[8]])


def descent(start: Sequence[float]) -> list[Point]:
    """Return the points of gradient descent on `two_weights`, the start and one after each step."""
    return [list(step.point) for step in descend(two_weights, start, RATE, STEPS, tolerance=0.0)]


def report_curvature() -> str:
    """Return tables of eigenvalues: of the XOR cost at some points, and of functions whose convexity is known."""
    rows = [("E of XOR at", "E", "|∇E|", "smallest", "largest", "eigenvalues < 0", "the Hessian is")]
    for name, p in POINTS.items():
        values, _, kind = curvature(cost, p)
        numbers = f"{cost(p):.6f}", f"{steepness(cost, p):.6f}", f"{values[0]:.6f}", f"{values[-1]:.6f}"
        rows.append((name, *numbers, str(sum(values < 0.0)), kind))
    cases = [("f", "at", "eigenvalues", "the Hessian is", "f is")]
    for name, f, at, verdict in CASES:
        values, _, kind = curvature(f, at)
        cases.append((name, f"({', '.join(f'{x:g}' for x in at)})", ", ".join(f"{v:g}" for v in values), kind, verdict))
    series = mb.taylor(along(cost, ZERO, DOWN), 0.0, 4)
    return "\n".join(
        [
            heading("Convexity: the Hessian of the XOR cost, 9 × 9"),
            table(rows),
            "\nA negative eigenvalue at one point proves that E is not convex.\n",
            table(cases),
            "\nConvex means: positive semi-definite everywhere. Positive definite everywhere is enough, but more than",
            "is needed (x⁴); semi-definite at one point proves nothing (x³). With all parameters 0 the gradient of E",
            "is 0 and its Hessian is semi-definite, yet this is no minimum: along one direction",
            f"E = {series[0]:g} − {-series[4]:.6f} t⁴ + ...",
        ]
    )


def report_slopes() -> str:
    """Return tables of D_u f beside |∇f| cos φ."""
    degrees = range(0, 361, 45)
    lines = [heading("Slopes: D_u f = ∇f · u = |∇f| cos φ   (third tutorial, (3) and (4))")]
    for name, f, at in SLOPES:
        size = steepness(f, at)
        rows = [("φ", "D_u f", "|∇f| cos φ")]
        for angle, slope in zip(degrees, slopes(f, at, [math.radians(d) for d in degrees]), strict=True):
            rows.append((f"{angle}°", f"{slope:z.12f}", f"{size * math.cos(math.radians(angle)):z.12f}"))
        lines += [f"{name}: |∇f| = {size:.12g}", table(rows), ""]
    return "\n".join([*lines, "A function rises most along its gradient, falls most against it, and is level across."])


def report_symmetries() -> str:
    """Return tables that show what each change does to the cost and to the outputs."""
    lines = [heading("Symmetries: which changes leave the network's function as it is")]
    networks = (
        ("XNOR, printed", HAND_SET_XNOR, xnor_cost),
        ("XOR, some weights", GENERIC, cost),
        ("XOR, trained", TRAINED, cost),
    )
    for title, p, f in networks:
        rows = [(title, "E", "change of E", "outputs differ by")]
        for name, change in CHANGES.items():
            q = change(p)
            rows.append((name, f"{f(q):.12f}", f"{f(q) - f(p):+.1e}", f"{difference(p, q):.1e}"))
        lines += [table(rows), ""]
    lines += [
        "The first tutorial says that the cost does not change if two weights that arrive at one neuron are",
        "exchanged. It does change, unless they are equal as in its XNOR network. What can be exchanged are two",
        "whole units.",
    ]
    return "\n".join(lines)


def report_segment() -> str:
    """Return a table of the cost halfway to each network that computes the same as the trained one."""
    rows = [("from the trained network to", "E there", "E halfway")]
    for name, q in copies(TRAINED).items():
        if q != TRAINED:
            rows.append((name, f"{cost(q):.6f}", f"{cost(between(TRAINED, q)):.6f}"))
    return "\n".join(
        [
            heading(f"Between networks of equal cost, {cost(TRAINED):.6f}"),
            table(rows),
            "\nA convex cost would nowhere be above its values at the ends. (Two minima of equal cost alone prove",
            "nothing: a convex function may be level between them.) Halfway to the swap both units are the same:",
            "they act as one unit, which cannot compute XOR.",
        ]
    )


def report_surface() -> str:
    """Return a table of the points where two descents end, and of the saddle between them."""
    rows = [("(w1_11, w2_12)", "point", "E", "|∇E|", "eigenvalues", "the Hessian is")]
    ends = [descent(start)[-1] for start in STARTS]
    points = {f"descent from ({a:g}, {b:g})": end for (a, b), end in zip(STARTS, ends, strict=True)}
    points |= {"the minimum there": stationary(two_weights, ends[0]), "and there": stationary(two_weights, ends[1])}
    points["the saddle between"] = stationary(two_weights, [-0.5, -0.3])
    for name, at in points.items():
        values, _, kind = curvature(two_weights, at)
        numbers = f"{two_weights(at):.6f}", f"{steepness(two_weights, at):.1e}"
        rows.append((name, f"({at[0]:.4f}, {at[1]:.4f})", *numbers, ", ".join(f"{v:.6f}" for v in values), kind))
    return "\n".join(
        [
            heading(f"The surface over two weights, the others held; α = {RATE:g}, {STEPS} steps"),
            table(rows),
            "\nThere are two valleys (the other weights were chosen so), and the start decides which one is found.",
        ]
    )


def plot_curvature(folder: Path) -> Path:
    """Plot the eigenvalues at the points, and the cost along two directions in which it falls."""
    made = figure(13, 4.2)
    left = axes(made, 131, title="Eigenvalues of the Hessian of E", xlabel="eigenvalue", ylim=(-0.7, 3.5))
    for row, (p, colour) in enumerate(zip(POINTS.values(), (GREY, BLUE, ORANGE, GREEN), strict=True)):
        left.plot(curvature(cost, p).eigenvalues, [row] * 9, "o", color=colour, alpha=0.7)
    left.set_xscale("symlog", linthresh=1e-4)
    left.set_xticks([-1e-2, -1e-4, 0, 1e-4, 1e-2])
    left.set_yticks(range(4), ["all zero", "some\nweights", "start", "trained"])
    left.axvspan(-0.03, 0, color=RED, alpha=0.08, linewidth=0)
    left.text(-0.027, 3.3, "not convex", color=RED, va="center")

    values, vectors, _ = curvature(cost, START)
    line, t = along(cost, START, vectors[:, 0]), np.linspace(-2, 2, 101)
    first, second = mb.taylor(line, 0.0, 2)[1:]
    middle = axes(made, 132, title="E along the eigenvector of the smallest", xlabel="t, from the start", ylabel="E")
    middle.plot(t, [line(x) for x in t], color=ORANGE, linewidth=2, label="E")
    middle.plot(
        t, line(0.0) + first * t + second * t * t, "--", color=GREY, label=f"to the second order, λ = −{-values[0]:.4f}"
    )
    middle.plot([-2, 2], [line(-2.0), line(2.0)], ":", color=RED, label="a chord, below the curve")
    middle.legend(frameon=False)

    down, t = along(cost, ZERO, DOWN), np.linspace(-4, 4, 101)
    series = mb.taylor(down, 0.0, 4)
    right = axes(made, 133, title="All zero: ∇E = 0, no eigenvalue < 0", xlabel="t", ylabel="E")
    right.plot(t, [down(x) for x in t], color=BLUE, linewidth=2, label="E along one direction")
    near = t[abs(t) <= 1.9]
    right.plot(near, series[0] + series[4] * near**4, "--", color=GREY, label=f"{series[0]:g} − {-series[4]:.6f} t⁴")
    right.legend(frameon=False)
    return save(made, folder, "hessian.png")


def plot_slopes(folder: Path) -> Path:
    """Plot the directions on the contour lines, the slopes around the point, and the slope by angle."""
    made = figure(14, 4.4)
    x, y = np.meshgrid(np.linspace(-1, 9, 81), np.linspace(-8, 2, 81))
    left = axes(made, 131, title="x² + 3y² and its gradient at (4, −4)", xlabel="x", ylabel="y", aspect="equal")
    left.contour(x, y, bowl([x, y]), levels=[4, 16, 36, 64, 100, 144, 196], colors=GREY, linewidths=0.8)
    g = np.array(mb.grad(bowl)([4.0, -4.0])) / steepness(bowl, [4.0, -4.0])
    plain = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    for u, colour, text in ((g, RED, "up"), (-g, GREEN, "down"), (np.array([-g[1], g[0]]), BLUE, "level")):
        tip = np.array([4.0, -4.0]) + 2.6 * u
        left.annotate("", (tip[0], tip[1]), (4, -4), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
        x_text, y_text = tip + 0.7 * u
        left.text(x_text, y_text, text, color=colour, ha="center", va="center", bbox=plain)
    left.plot(4, -4, "o", color="black")

    angles = np.linspace(0, 2 * math.pi, 181)
    found = np.array(slopes(bowl, [4.0, -4.0], angles.tolist()))
    around: Any = made.add_subplot(132, projection="polar", rlim=(0, 29))
    around.set_title("D_u f around the point, by φ", pad=14)
    around.plot(angles, np.where(found >= 0, found, np.nan), color=RED, linewidth=2, label="D_u f > 0")
    around.plot(angles, np.where(found <= 0, -found, np.nan), color=GREEN, linewidth=2, label="D_u f < 0 (its size)")
    around.set_rticks([10, 20])
    around.set_rlabel_position(83)
    around.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)

    right = axes(made, 133, title="D_u f / |∇f|, in two and in nine dimensions", xlabel="φ in degrees")
    right.plot(np.degrees(angles), np.cos(angles), color=GREY, linewidth=5, alpha=0.4, label="cos φ")
    few = angles[::6]
    for (name, f, at), mark in zip(SLOPES, ("o", "x"), strict=True):
        found = np.array(slopes(f, at, few.tolist())) / steepness(f, at)
        right.plot(np.degrees(few), found, mark, color=BLUE if mark == "o" else ORANGE, fillstyle="none", label=name)
    right.set_xticks(range(0, 361, 90))
    right.legend(frameon=False, loc="upper center")
    return save(made, folder, "slopes.png")


def plot_symmetries(folder: Path) -> Path:
    """Plot the output of the trained network over the plane of its inputs, after each kind of change."""
    made = figure(13, 3.6)
    x = np.linspace(-0.5, 1.5, 61).tolist()
    shown = ["as it is", "units 1 and 2 exchanged whole", "sign flip of unit 1", "as printed: w2_11 with w2_12"]
    for index, name in enumerate(shown, start=1):
        p = CHANGES[name](TRAINED)
        panel = axes(made, 140 + index, xlabel=f"x1          E = {cost(p):.6f}", aspect="equal")
        panel.set_title(name, fontsize=10)
        panel.set_ylabel("x2" if index == 1 else "")
        filled = colour_plane(panel, x, x, functools.partial(output, p))
        binary_points(panel, X, XOR_Y)
    made.colorbar(filled, ax=made.axes, shrink=0.75, label="output", ticks=[0, 0.5, 1])
    return save(made, folder, "symmetries.png")


def plot_segment(folder: Path) -> Path:
    """Plot the cost on the straight lines to the networks that compute the same."""
    made = figure(7.5, 4.5)
    panel = axes(
        made,
        title="E on the straight line between networks with the same outputs",
        xlabel="position on the line: 0 is the trained network, 1 its copy",
        ylabel="E",
        ylim=(-0.01, 0.26),
    )
    t = np.linspace(0, 1, 201)
    styles = {"swap": RED, "flip 1": BLUE, "flip 2": GREEN, "swap + flip 1 + flip 2": ORANGE}
    for name, colour in styles.items():
        q = copies(TRAINED)[name]
        panel.plot(t, [cost(between(TRAINED, q, float(s))) for s in t], color=colour, linewidth=2)
        panel.text(0.5, cost(between(TRAINED, q)) + 0.004, name, color=colour, ha="center")
    panel.axhline(cost(TRAINED), color="black", linestyle="--", linewidth=1)
    panel.text(0.5, cost(TRAINED) + 0.004, "a convex cost would not rise above this line", ha="center")
    return save(made, folder, "segment.png")


def plot_surface(folder: Path) -> Path:
    """Plot the surface over two weights with two descents, in three dimensions and from above."""
    made = figure(13, 5.4)
    w = np.linspace(-8, 8, 65)
    height = np.array([[two_weights([a, b]) for a in w] for b in w])
    hills = made.add_subplot(121, projection="3d", title="E over w1_11 and w2_12, with two descents")
    hills.plot_surface(*np.meshgrid(w, w), height, cmap="cividis", alpha=0.75, linewidth=0, rcount=65, ccount=65)
    hills.set_xlabel(NAMES[0], labelpad=8)
    hills.set_ylabel(NAMES[7], labelpad=8)
    hills.set_zlabel("E", labelpad=10)
    hills.view_init(elev=38, azim=-60)
    above = axes(made, 122, title="The same from above", xlabel=NAMES[0], ylabel=NAMES[7], aspect="equal")
    made.colorbar(above.contourf(w, w, height, levels=24, cmap="cividis"), ax=above, label="E")
    for start, colour in zip(STARTS, (RED, "white"), strict=True):
        path = np.array(descent(start))
        hills.plot(*path.T, [two_weights(p) + 0.003 for p in path.tolist()], color=colour, linewidth=2.5, zorder=10)
        above.plot(*path.T, ".-", color=colour, linewidth=1.5, markersize=4)
        above.plot(*path[0], "o", color=colour, markeredgecolor="black", markersize=8)
    top = stationary(two_weights, [-0.5, -0.3])
    above.plot(*top, "x", color="black", markersize=9, markeredgewidth=2)
    above.annotate("saddle", (top[0], top[1]), (8, 0), textcoords="offset points", va="center")
    return save(made, folder, "surface.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables and draw the plots."""
    folder = options(__doc__, "cost_surface").parse_args(arguments).out
    reports = (report_curvature, report_slopes, report_symmetries, report_segment, report_surface)
    print("\n\n\n".join(report() for report in reports), end="\n\n")
    for plot in (plot_curvature, plot_slopes, plot_symmetries, plot_segment, plot_surface):
        plot(folder)


if __name__ == "__main__":
    main()
