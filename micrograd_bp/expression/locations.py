"""Places in a text: line and column, and the line with a caret under the place."""

from __future__ import annotations

import unicodedata

from micrograd_bp.errors import ExpressionError

_BEFORE, _AFTER = 44, 28  # how many characters of a long line are shown on either side of the place


def error(message: str, text: str, offset: int) -> ExpressionError:
    """The error that says `message` about the place `offset` of `text`.

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
    """Line and column, both from 1, of a place; lines end with a line feed, a carriage return, or both."""
    line = text.count("\n", 0, offset) + text.count("\r", 0, offset) - text.count("\r\n", 0, offset) + 1
    return line, offset - max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset))


def display_width(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining marks none.

    >>> display_width("ŷ"), display_width("y\u0302"), display_width("値")
    (1, 1, 2)
    """
    return sum(map(_width, text))


def described(character: str) -> str:
    """A character for a message: itself where that says enough, else its number and name; nothing a terminal obeys.

    >>> described("^"), described("−"), described(chr(0))
    ("'^'", "'−' (U+2212 MINUS SIGN)", 'U+0000')
    """
    if character.isascii() and character.isprintable():
        return f"'{character}'" if character != "'" else '"\'"'
    number = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
    return f"'{character}' ({number})" if character.isprintable() and _width(character) else number


def _excerpt(text: str, start: int, offset: int, end: int) -> tuple[str, int]:
    """The line from `start` to `end`, cut around the place, in characters that stay on it; and the caret's column."""
    first, last = max(start, offset - _BEFORE), min(end, offset + _AFTER)
    before = ("…" if first > start else "") + _clean(text[first:offset])
    after = _clean(text[offset:last]) + ("…" if last < end else "")
    on_mark = bool(before and after and not _width(after[0]))
    return before + after, display_width(before) - on_mark


def _clean(text: str) -> str:
    """Tabs as spaces, and a visible sign for what is invisible or would steer the terminal."""
    return "".join(c if c.isprintable() else " " if c in "\t\f" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
