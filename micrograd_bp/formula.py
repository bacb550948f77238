"""Formulas as text: a row's template filled with the texts of its arguments, brackets where they are needed.

Imports op.
"""

from __future__ import annotations

from micrograd_bp.op import Op

_SUPERSCRIPTS = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


class Part(str):
    """The text of an argument in a template; `{0:sup}` writes an integer as a superscript, all else as ^text."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec != "sup":
            return str(self)
        digits = self.strip("()")
        return digits.translate(_SUPERSCRIPTS) if digits.lstrip("-−").isdecimal() else f"^{self}"


def fill(op: Op, args: list[tuple[str, int]]) -> tuple[str, int]:
    """`op` applied to arguments given as (text, precedence): its text and its precedence.

    >>> from micrograd_bp import ops
    >>> from micrograd_bp.op import ATOM
    >>> fill(ops.pow, [fill(ops.add, [("x", ATOM), ("3", ATOM)]), ("2", ATOM)])
    ('(x + 3)²', 4)
    """
    parts = [
        Part(text if precedence >= need else f"({text})")
        for (text, precedence), need in zip(args, op.binds, strict=True)
    ]
    return op.text.format(*parts), op.precedence


def number(x: float, digits: int = 4) -> str:
    """A number for people: `digits` significant digits, a true minus sign; a small number never reads as 0.

    >>> [number(x) for x in (0.25, -1e-7, 2.0, 123456.0)]
    ['0.25', '−1e−7', '2', '1.235e5']
    """
    text = f"{x:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return (mantissa + (e and f"e{int(exponent)}")).replace("-", "−")
