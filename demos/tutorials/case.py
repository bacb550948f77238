"""What a checkable case of a tutorial is: what is printed, what the engine says, and whether that is the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Result = Sequence[float | str]
Kind = Literal["", "hard", "notation", "wording"]


class Case(NamedTuple):
    """One thing that a tutorial says.

    `name`      tutorial and place
    `says`      what is printed, for people
    `ours`      the same by the engine: numbers, or text to be compared as text
    `printed`   what is printed, read as it stands: digits as text, a formula evaluated as it is written, or a text;
                None where it has no meaning as it stands
    `kind`      of the misprint: "hard" (a wrong number, formula or program), "notation", "wording"; "" for none
    `wrong`     what is wrong, and what it should be
    `mistake`   the mistake made again: gives what is printed
    `evidence`  something to show beside it
    """

    name: str
    says: str
    ours: Callable[[], Result]
    printed: Callable[[], Result] | None = None
    kind: Kind = ""
    wrong: str = ""
    mistake: Callable[[], Result] | None = None
    evidence: Callable[[], str] | None = None


def agree(ours: float | str, printed: float | str) -> bool:
    """A number and digits: to half a unit of the last decimal, or to 1e-15, rounding of its making; two numbers: to
    twelve digits, or to 1e-15; texts: exactly.

    >>> agree(0.12346, "0.1235"), agree(0.12344, "0.1235"), agree("-0.0000", "0.0000")
    (True, False, False)
    """
    if isinstance(ours, str):
        return ours == printed
    if isinstance(printed, str):
        decimals = len(printed.partition(".")[2])
        return abs(ours - float(printed)) <= max(0.5 * 10.0**-decimals, 1e-15)
    return math.isclose(ours, printed, rel_tol=1e-12, abs_tol=1e-15)


def all_agree(ours: Result, printed: Result) -> bool:
    """Whether there are as many of both, and each is the same."""
    return len(ours) == len(printed) and all(map(agree, ours, printed))


def flat(rows: Sequence[Sequence[str]]) -> list[str]:
    """The cells of a table, row by row."""
    return [cell for row in rows for cell in row]
