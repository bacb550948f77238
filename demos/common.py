"""What the demos share: their options, how a figure looks, where it goes. Imports matplotlib."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from micrograd_bp.errors import MissingExtraError

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:
    raise MissingExtraError("the plots need  pip install 'micrograd_bp[demos]'") from None

BLUE, ORANGE, GREEN, RED, GREY = "#3c88c8", "#d9822b", "#3f9b4f", "#c23b3b", "#888888"


def options(doc: str | None, name: str, quick: str = "") -> argparse.ArgumentParser:
    """A parser with --out, by default ./out/`name`, and --quick where `quick` says what it makes smaller."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("out", name), help="folder for what is written (default %(default)s)"
    )
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def count(text: str) -> int:
    """The type of an option that is a whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1 is needed, not {text}")
    return number


def figure(width: float = 7.0, height: float = 4.0) -> Figure:
    """An empty figure, sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def axes(of: Figure, place: int | tuple[int, int, int] = 111, **labels: Any) -> Axes:
    """Axes with a light grid and without a frame; `labels` are title, xlabel, ylabel and the like."""
    made: Axes = of.add_subplot(*(place if isinstance(place, tuple) else (place,)), **labels)
    made.grid(alpha=0.3)
    made.spines[["top", "right"]].set_visible(False)
    return made


def heading(text: str) -> str:
    """A heading, underlined."""
    return f"{text}\n{'-' * len(text)}"


def save(made: Figure, folder: Path, name: str) -> Path:
    """Write the figure to `folder`/`name`, say so, and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    made.savefig(path, dpi=130)
    print(f"wrote {path}")
    return path


def printed(name: str) -> list[list[str]]:
    """A table of a tutorial as it is printed there, from the folder `tutorials/printed`: rows of cells."""
    text = (Path(__file__).parent / "tutorials" / "printed" / f"{name}.txt").read_text(encoding="ascii")
    return [line.split() for line in text.splitlines()]
