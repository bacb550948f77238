"""The tables of the second tutorial as they are printed there, kept in the folder `printed`."""

from __future__ import annotations

from pathlib import Path


def printed(name: str) -> list[list[str]]:
    """Return the printed table of this name, a list of cells for each line; each cell keeps its digits as text."""
    text = (Path(__file__).parent / "printed" / f"{name}.txt").read_text(encoding="ascii")
    return [line.split() for line in text.splitlines()]
