"""`micrograd-bp play`: a reserved command without a function."""

from __future__ import annotations

from micrograd_bp.cli.arguments import Options


def run(arguments: list[str]) -> int:
    """Raise ValueError with the alternatives."""
    Options("play", "Reserved for a page that shows formulas in the browser; it does not exist.", "").read(arguments)
    raise ValueError("play does not exist; eval --html writes a page, and repl reads formulas line by line")
