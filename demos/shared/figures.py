"""How the plots of the demos look: colours, axes, a plane coloured by a network's output. It needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from demos.shared.command_line import wrote
from micrograd_bp.errors import MissingExtraError

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:
    raise MissingExtraError("the plots need  pip install 'micrograd_bp[demos]'") from None

BLUE, ORANGE, GREEN, RED, GREY = "#3c88c8", "#d9822b", "#3f9b4f", "#c23b3b", "#888888"


def figure(width: float = 7.0, height: float = 4.0) -> Figure:
    """Return an empty figure; its width and height are given in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def axes(made: Figure, position: int | tuple[int, int, int] = 111, **labels: Any) -> Axes:
    """Return axes with a light grid and without a frame; `labels` are title, xlabel, ylabel and the like."""
    plot: Axes = made.add_subplot(*(position if isinstance(position, tuple) else (position,)), **labels)
    plot.grid(alpha=0.3)
    plot.spines[["top", "right"]].set_visible(False)
    return plot


def colour_plane(plot: Axes, x1: Sequence[float], x2: Sequence[float], h: Callable[[list[float]], float]) -> Any:
    """Colour the plane by h([x1, x2]), red at 0, green at 1, a black line at 1/2; the result is for a colour bar.

    `x1` and `x2` are equally spaced coordinates.
    """
    values = [[h([across, up]) for across in x1] for up in x2]
    half_1, half_2 = (x1[1] - x1[0]) / 2, (x2[1] - x2[0]) / 2
    filled = plot.imshow(
        values,
        cmap="RdYlGn",
        vmin=0.0,
        vmax=1.0,
        alpha=0.6,
        origin="lower",
        interpolation="bilinear",
        extent=(x1[0] - half_1, x1[-1] + half_1, x2[0] - half_2, x2[-1] + half_2),
        aspect=plot.get_aspect(),
    )
    plot.contour(x1, x2, values, levels=[0.5], colors=["black"], linewidths=1.5)
    plot.grid(visible=False)
    plot.set(xlim=(x1[0], x1[-1]), ylim=(x2[0], x2[-1]))
    return filled


def binary_points(plot: Axes, X: Sequence[Sequence[float]], Y: Sequence[float]) -> None:
    """Draw points with two coordinates: green where the target is 1, red where it is 0."""
    for x, y in zip(X, Y, strict=True):
        plot.plot(*x, "o", color=GREEN if y else RED, markersize=10, markeredgecolor="white", zorder=3)


def save(made: Figure, folder: Path, name: str) -> Path:
    """Write the figure as `folder`/`name`, print that, and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    made.savefig(path, dpi=130)
    return wrote(path)
