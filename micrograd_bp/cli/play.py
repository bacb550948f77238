"""`micrograd-bp play`: a name that is kept free."""

from __future__ import annotations

from micrograd_bp.cli.arguments import Options


def run(arguments: list[str]) -> int:
    """Say that it is not there."""
    Options("play", "Not there yet: this name is kept for a page to play with formulas in the browser.", "").read(
        arguments
    )
    raise ValueError("play is not there yet; eval --html writes a page, repl composes line by line")
