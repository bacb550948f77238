"""Locations in a text: line and column, and an excerpt with a caret."""

from __future__ import annotations

import unicodedata

from micrograd_bp.errors import ExpressionError

_BEFORE, _AFTER = 44, 28  # the number of characters that are shown before and after a location in a long line


def error(message: str, text: str, offset: int) -> ExpressionError:
    """Return the error with `message` about the character at `offset` in `text`.

    >>> print(error("one name per assignment", "a = b = 1", 6))
    line 1, column 7: one name per assignment
      a = b = 1
            ^
    """
    line, column = position(text, offset)
    start = offset - column + 1
    ends = [end for end in (text.find("\n", offset), text.find("\r", offset)) if end >= 0]
    shown, width = _excerpt(text, start, offset, min(ends, default=len(text)))
    return ExpressionError(
        message, text, line, column, f"line {line}, column {column}: {message}\n  {shown}\n  {' ' * width}^"
    )


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, both from 1. Lines end with a line feed, a carriage return, or both."""
    line = text.count("\n", 0, offset) + text.count("\r", 0, offset) - text.count("\r\n", 0, offset) + 1
    return line, offset - max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset))


def display_width(text: str) -> int:
    """Return the width of a text in terminal columns: 2 for a wide character, 0 for a combining mark, 1 for others.

    >>> display_width("ŷ"), display_width("y\u0302"), display_width("値")
    (1, 1, 2)
    """
    return sum(map(_width, text))


def described(character: str) -> str:
    """Return how a message shows a character: as it is where it is ASCII, else with its code and name, or as code only.

    >>> described("^"), described("−"), described(chr(0))
    ("'^'", "'−' (U+2212 MINUS SIGN)", 'U+0000')
    """
    if character.isascii() and character.isprintable():
        return f"'{character}'" if character != "'" else '"\'"'
    number = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
    return f"'{character}' ({number})" if character.isprintable() and _width(character) else number


def _excerpt(text: str, start: int, offset: int, end: int) -> tuple[str, int]:
    """Return the line from `start` to `end`, cut around `offset` and cleaned, and the column of the caret."""
    first, last = max(start, offset - _BEFORE), min(end, offset + _AFTER)
    before = ("…" if first > start else "") + _clean(text[first:offset])
    after = _clean(text[offset:last]) + ("…" if last < end else "")
    on_mark = bool(before and after and not _width(after[0]))
    return before + after, display_width(before) - on_mark


def _clean(text: str) -> str:
    """Return text with spaces for tabs and a replacement character for invisible and control characters."""
    return "".join(c if c.isprintable() else " " if c in "\t\f" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
