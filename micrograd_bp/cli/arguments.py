"""The arguments of the commands: options, formulas (from the command line, a file or standard input), `name=number`."""

from __future__ import annotations

import argparse
import math
import sys
import unicodedata
from pathlib import Path
from typing import Any, NoReturn

from micrograd_bp.expression import LONGEST_TEXT

PROGRAM = "micrograd-bp"


class Options(argparse.ArgumentParser):
    """An argument parser whose errors have one line, and which reads `-x**2` as a formula."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        shown = "".join(f"\n  {PROGRAM} {command} {line}".rstrip() for line in examples.strip("\n").split("\n"))
        super().__init__(
            prog=f"{PROGRAM} {command}",
            description=description,
            epilog=f"examples:{shown}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Print the message on one line and exit with 2."""
        self.exit(2, f"{self.prog}: {one_line(message)} (see {self.prog} --help)\n")

    def add_formula(self, help: str) -> None:
        """Add arguments for a formula, or a file of formulas, and for values of its names."""
        self.add_argument("words", nargs="*", metavar="FORMULA NAME=NUMBER", type=_unshielded, help=help)
        self.add_argument("-f", "--file", metavar="FILE", help="read the formulas from a file (- is standard input)")

    def read(self, arguments: list[str]) -> argparse.Namespace:
        """Parse `arguments`, in which options and words may have any order."""
        short = {option[1] for option in self._option_string_actions if option[1] != "-"}
        end = arguments.index("--") if "--" in arguments else len(arguments)
        words = [_shielded(word) if _is_formula(word, short) else word for word in arguments[:end]]
        return self.parse_intermixed_args(words + [_shielded(word) for word in arguments[end + 1 :]])


def _is_formula(word: str, options: set[str]) -> bool:
    return len(word) > 1 and word[0] == "-" and word[1] != "-" and word[1] not in options


def _shielded(word: str) -> str:
    """Return a word that begins with - but is no option, such as -x**2, with a space that hides it from argparse."""
    return f" {word}" if word.startswith("-") and word != "-" else word


def _unshielded(word: str) -> str:
    return word[1:] if word.startswith(" -") else word


def formula_and_values(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Return the text of the formula and the words that give values."""
    if options.file is not None:
        return read_text(options.file), options.words
    if not options.words:
        raise ValueError('give a formula, such as "L = (w*x - y)**2" (the quotes keep the shell from interpreting it)')
    first, *words = options.words
    return (read_text("-") if first == "-" else first), words


def read_text(path: str) -> str:
    """Return the text of a UTF-8 file, or of standard input for "-", up to the greatest length of a formula."""
    limit = 4 * LONGEST_TEXT + 4
    if path == "-":
        stream: Any = getattr(sys.stdin, "buffer", sys.stdin)
        raw: bytes | str = stream.read(limit)
    else:
        with Path(path).expanduser().open("rb") as file:
            raw = file.read(limit)
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        if wrong.start > LONGEST_TEXT:  # the limit cut a character of a text that is too long
            return raw[: wrong.start].decode("utf-8-sig")
        name = "standard input" if path == "-" else path
        raise ValueError(f"{name}: byte {wrong.start + 1} is not UTF-8; save the file as UTF-8 text") from None


def values(words: list[str]) -> dict[str, float]:
    """Return `name=number` words as a dict.

    >>> values(["w=0.3", "x=-2"])
    {'w': 0.3, 'x': -2.0}

    Raises ValueError for other words, and for a name that is given twice.
    """
    found: dict[str, float] = {}
    for word in words:
        name, equals, digits = word.partition("=")
        name = unicodedata.normalize("NFC", name.strip())
        shown = one_line(word)
        if not (equals and name):
            hint = "; is the formula in quotes?" if word in ("=", "+", "-", "*", "/") or not equals else ""
            raise ValueError(f"a value is given as name=number, not {shown!r}{hint}")
        if name in found:
            raise ValueError(f"{one_line(name)} is given twice: {found[name]!r} and {one_line(digits)}")
        found[name] = finite(digits, shown)
    return found


def finite(digits: str, shown: str) -> float:
    """Return a typed number. Raises ValueError, which quotes `shown`, where it is not a finite number."""
    try:
        number = float(digits if digits.isascii() else "")
    except ValueError:
        comma = ": decimals are written with a point" if "," in digits else ""
        raise ValueError(f"{shown}: {one_line(digits)!r} is not a number{comma}") from None
    if not math.isfinite(number):
        large = "" if digits.strip(" +-")[:1].isalpha() else "; a float is at most 1.8e308"
        raise ValueError(f"{shown}: give a finite number{large}")
    return number


def digits(text: str) -> int:
    """Return the number of significant digits that an option gives."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 17:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to 17, not {one_line(text)!r}")
    return number


def one_line(text: str) -> str:
    """Return a text as one line of at most 300 characters, without control characters."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text[:400])
    line = " ".join(line.split())
    return line if len(line) <= 300 else line[:297] + "..."
