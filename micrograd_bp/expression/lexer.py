"""The lexer: it splits text into numbers, names, signs and line ends, and suggests a replacement for other text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator

from micrograd_bp.expression.locations import described, error

LONGEST_TEXT = 1_000_000  # characters; a program of that length takes about 300 MB
_LONGEST_NAME = 100

NUMBER, NAME, SIGN, LINE_END, END = "number", "name", "sign", "the end of the line", "the end"
Token = tuple[str, str, int]  # kind, text, offset

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\f]+|\#[^\r\n]*)
      | (?P<line>\r\n?|\n)
      | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?)
      | (?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)
      | (?P<refused>\*\*=|//=|->|:=|\.\.\.|[-+*/%@&|^<>=!]=|//|<<|>>|<>)
      | (?P<sign>\*\*|[-+*/=();,])""",
    re.VERBOSE,
)

_COMPARISON = "there are no comparisons: write less(x, y), which is 1 where x < y, else 0"
_BITS = "there are no operations on bits"
_INSTEAD = {
    "^": "write ** for powers",
    ":=": "write = for an assignment",
    "//": "write / for a division",
    "%": "there is no remainder",
    "@": "there are no matrices; write * for a product",
    ".": "there are no attributes: write sigmoid(x), not x.sigmoid()",
    "...": "write all terms out",
    "[": "there are no lists and no x[0]: use names such as x_0, and ( ) around formulas",
    "]": "there are no lists and no x[0]: use names such as x_0, and ( ) around formulas",
    "{": "write ( ) around formulas",
    "}": "write ( ) around formulas",
    '"': "there is no text in formulas",
    "'": "there is no text in formulas; write a name such as dx instead of x'",
    "\\": "to go on in the next line, put the formula in brackets",
    "!": "there is no factorial",
    "&": _BITS,
    "|": "write abs(x) for |x|",
    "~": _BITS,
    "<<": _BITS,
    ">>": _BITS,
    ":": "write = for an assignment",
    "->": "write = for an assignment",
    **dict.fromkeys(("<", ">", "==", "<=", ">=", "!=", "<>", "≤", "≥", "≠"), _COMPARISON),
    **dict.fromkeys("−–—‐‑", "write -"),
    **dict.fromkeys("·⋅∙×∗•", "write * for a product"),
    **dict.fromkeys("÷∕⁄", "write / for a division"),
    **dict.fromkeys("∂∇", "derivatives are not part of a formula"),
    "√": "write sqrt(x)",
    "∞": "numbers are finite",
}
_NO_LETTERS = {"\N{MIDDLE DOT}", "\N{GREEK ANO TELEIA}"}  # Python allows them in identifiers, but a product is meant
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, the last of which is END.

    Raises ExpressionError at the first character without a meaning, and for a text of more than 1,000,000 characters.

    >>> [token for _, token, _ in tokens("a = 2*ŷ  # twice")]
    ['a', '=', '2', '*', 'ŷ', '']
    """
    if len(text) > LONGEST_TEXT:
        raise error(f"a text has at most {LONGEST_TEXT:,} characters", text, LONGEST_TEXT)
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise _refused(text, offset, text[offset])
        kind, found = match.lastgroup, match[0]
        if kind == "sign":
            yield SIGN, found, offset
        elif kind == "name":
            found = _name_at(text, offset, found)
            yield NAME, _same_everywhere(text, offset, found), offset
        elif kind == "number":
            yield NUMBER, found, offset
        elif kind == "line":
            yield LINE_END, found, offset
        elif kind == "refused":
            raise _refused(text, offset, found)
        offset += len(found)
    yield END, "", len(text)


def number(token: Token, text: str) -> float:
    """Return the number of a token. Raise ExpressionError where it is too large or too small for a float."""
    _, digits, offset = token
    try:
        x = float(digits)
    except ValueError:  # 1__0
        raise error("not a number: _ stands between two digits only", text, offset) from None
    if math.isinf(x):
        raise error("the number is too large for a float (at most 1.8e308)", text, offset)
    if x == 0.0 and re.search("[1-9]", re.split("[eE]", digits)[0]):
        raise error("the number is too small for a float (at least 4.9e-324)", text, offset)
    return x


def _name_at(text: str, offset: int, run: str) -> str:
    """Return the name at the beginning of `run`, which has letters, digits and characters beyond ASCII."""
    if run.isascii():
        return run
    for length, character in enumerate(run):
        if character in _NO_LETTERS or not f"{'a' * (length > 0)}{character}".isidentifier():
            if length == 0:
                raise _refused(text, offset, character)
            return run[:length]
        if _INVISIBLE.match(character):
            raise error(f"{described(character)} cannot be seen: remove it", text, offset + length)
    return run


def _same_everywhere(text: str, offset: int, name: str) -> str:
    """Return a name in composed form, so that ŷ is one name in both encodings. Lookalike characters are errors."""
    if len(name) > _LONGEST_NAME:
        raise error(f"a name has at most {_LONGEST_NAME} characters, this one has {len(name):,}", text, offset)
    if name.isascii():
        return name
    composed, plain = (unicodedata.normalize(form, name) for form in ("NFC", "NFKC"))
    if composed != plain:
        odd = next(c for c in composed if unicodedata.normalize("NFKC", c) != c)
        raise error(f"{described(odd)} looks like another character: write the name as {plain}", text, offset)
    return composed


def _refused(text: str, offset: int, found: str) -> Exception:
    """Return the error for a character or sign outside the grammar, with a replacement where there is one."""
    if found in _INSTEAD:
        named = described(found) if len(found) == 1 else f"'{found}'"
        return error(f"{named}: {_INSTEAD[found]}", text, offset)
    if found[-1] == "=":
        return error(f"'{found}': write name = ... with a new name", text, offset)
    plain = unicodedata.normalize("NFKC", found)
    if plain != found and plain.isascii() and plain.isdigit():
        raised = unicodedata.normalize("NFKD", found) != found and "SUPERSCRIPT" in unicodedata.name(found, "")
        return error(f"{described(found)}: write {'**' if raised else '_'}{plain}", text, offset)
    if found.isspace():
        return error(f"{described(found)}: write a plain space", text, offset)
    return error(f"{described(found)} has no meaning here", text, offset)
