"""What every demo needs on the command line: its options, headings, tables, and a line for each file that it writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from micrograd_bp.cli.output import table

__all__ = ["count", "heading", "options", "table", "wrote"]


def options(doc: str | None, name: str, quick: str = "") -> argparse.ArgumentParser:
    """Return a parser that knows --out (by default ./out/`name`) and, where `quick` says what it does, --quick.

    `doc` is the docstring of the demo; `--help` shows it as it is written.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("out", name), help="the folder for the files it writes (default %(default)s)"
    )
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def count(text: str) -> int:
    """Return the whole number that an option was given; anything below 1 is an argparse.ArgumentTypeError."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1 is needed, not {text}")
    return number


def heading(text: str) -> str:
    """Return the text with a line of dashes below it."""
    return f"{text}\n{'-' * len(text)}"


def wrote(path: Path) -> Path:
    """Print that this file was written, and return its path."""
    print(f"wrote {path}")
    return path
