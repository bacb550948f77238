"""A case: one statement of a tutorial that can be checked, as it is printed and as the engine computes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Result = Sequence[float | str]
Kind = Literal["", "hard", "notation", "wording"]


class Case(NamedTuple):
    """One statement of a tutorial.

    `name`      the tutorial, and a short name of the statement
    `says`      the statement as it is printed, to be read
    `ours`      returns the same by the engine: numbers, or text that is compared as text
    `printed`   returns the statement as it stands: digits as text, the value of a formula as it is written, or a text;
                None where the statement has no value as it stands
    `kind`      the kind of misprint: "hard" (a wrong number, formula or program), "notation", "wording"; "" for none
    `wrong`     what is wrong, and what is meant
    `mistake`   makes the mistake again, and returns the printed result
    `evidence`  returns a further fact to show beside the case
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
    """Tell whether both are the same.

    A number agrees with digits to half a unit of the last decimal, or to 1e-15, which is rounding. Two numbers agree to
    twelve digits, or to 1e-15. Texts agree exactly.

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
    """Tell whether both have the same length and agree entry by entry."""
    return len(ours) == len(printed) and all(map(agree, ours, printed))


def flat(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells of a table, line by line."""
    return [cell for row in rows for cell in row]
