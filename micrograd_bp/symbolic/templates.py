"""The parts of a formula as text and LaTeX: an operation's template with its arguments, numbers, and names."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

from micrograd_bp.ops.op import Op

_SUPERSCRIPTS = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_TUTORIAL_NAME = re.compile(r"([wbza])(\d+)_(\d+)(?:_(\d+))?")  # w^(l)_jk of the first tutorial, as networks name it
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
_GREEK = {unicodedata.name(chr(code)).split()[-1].lower(): chr(code) for code in range(0x3B1, 0x3CA) if code != 0x3C2}
_GREEK["lambda"] = _GREEK.pop("lamda")
_GREEK.pop("omicron")  # LaTeX has no \omicron
_LATEX_SPECIAL = {char: f"\\{char}" for char in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


class Part(str):
    """The text of an argument in a template; `{0:sup}` writes an integer as a superscript, any other text as ^text."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec != "sup":
            return str(self)
        digits = self.strip("()")
        return digits.translate(_SUPERSCRIPTS) if digits.lstrip("-−").isdecimal() else f"^{self}"


def fill(op: Op, args: list[tuple[str, int]], latex: bool = False) -> tuple[str, int]:
    """Return `op` applied to arguments, as (text, precedence); the arguments are given in the same form.

    With `latex`, the texts are LaTeX. An argument is written in brackets where its precedence requires them.

    >>> from micrograd_bp import ops
    >>> from micrograd_bp.ops.op import ATOM
    >>> fill(ops.pow, [fill(ops.add, [("x", ATOM), ("3", ATOM)]), ("2", ATOM)])
    ('(x + 3)²', 5)
    >>> fill(ops.div, [("1", ATOM), fill(ops.add, [("x", ATOM), ("3", ATOM)], latex=True)], latex=True)[0]
    '\\\\frac{1}{x + 3}'
    """
    template = op.latex if latex else op.text
    parts = []
    for index, ((text, precedence), need) in enumerate(zip(args, op.binds, strict=True)):
        enclosed = latex and f"{{{{{{{index}}}}}}}" in template  # in braces an argument needs no brackets
        if not (precedence >= need or enclosed):
            text = rf"\left({text}\right)" if latex else f"({text})"
        parts.append(Part(text))
    fraction = template.startswith(r"\frac")  # \frac needs no brackets in a product, unlike a / b
    return template.format(*parts), op.precedence + fraction


def number(x: float, digits: int = 4, latex: bool = False) -> str:
    """Return a number as text with `digits` significant digits and a minus sign (−); a small number is never written 0.

    >>> [number(x) for x in (0.25, -1e-7, 2.0, 123456.0)]
    ['0.25', '−1e−7', '2', '1.235e5']
    >>> number(-1e-7, latex=True)
    '-10^{-7}'
    """
    text = repr(x).removesuffix(".0") if digits >= 17 and math.isfinite(x) else f"{x:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if latex:
        if not math.isfinite(x):
            return {"inf": r"\infty", "-inf": r"-\infty"}.get(text, r"\mathrm{nan}")
        power = e and f"10^{{{int(exponent)}}}"
        return {"1": power, "-1": f"-{power}"}.get(mantissa, rf"{mantissa} \cdot {power}") if e else mantissa
    return (mantissa + (e and f"e{int(exponent)}")).replace("-", "−")


def one_line(text: str, longest: int = 40) -> str:
    """Return `text` in one line, with runs of white space as single spaces, cut to at most `longest` characters.

    >>> one_line("a\\n b", 40), one_line("abcdef", 4)
    ('a b', 'abc…')
    """
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def latex_name(name: str) -> str:
    """Return a name as LaTeX: with subscripts, with Greek letters and accents as commands, and other names escaped.

    >>> print(*[latex_name(name) for name in ("y_hat", "ŷ", "alpha", "σ", "w1_21", "b2", "loss", "50%")], sep="  ")
    \\hat{y}  \\hat{y}  \\alpha  \\sigma  w^{(1)}_{21}  b_{2}  \\mathit{loss}  \\text{50\\%}
    """
    tutorial = _TUTORIAL_NAME.fullmatch(name)
    if tutorial:
        letter, layer, j, k = tutorial.groups()
        return f"{letter}^{{({layer})}}_{{{j}{f',{k}' if k else ''}}}"
    stem, _, index = unicodedata.normalize("NFC", name).translate(_LOWERED).partition("_")
    if not index and (split := re.fullmatch(r"(\D+?)(\d+)", stem)):
        stem, index = split.groups()
    if index in _ACCENTS and _letter(stem):
        return rf"\{index}{{{_letter(stem)}}}"
    letter = _letter(stem)
    if letter and (not index or re.fullmatch(r"\w+", index, re.ASCII)):
        return letter + (f"_{{{index.replace('_', ',')}}}" if index else "")
    return rf"\text{{{_escaped(name)}}}"


def latex_names(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return the LaTeX of each name, no two alike and none in `reserved`.

    Where `latex_name` writes several names alike, those in ASCII are written as they are.

    >>> print(*latex_names(["x1", "x_1", "alpha", "α", "猫", "犬"]).values(), sep="  ")
    \\text{x1}  \\text{x\\_1}  \\text{alpha}  \\alpha  \\text{?}  \\text{?}[2]
    """
    usual = {name: latex_name(name) for name in names}
    often = Counter([*usual.values(), *reserved])
    found: dict[str, str] = {}
    used = set(reserved)
    for name, latex in usual.items():
        literal = often[latex] > 1 and name.isascii() and name.isprintable()
        found[name] = unused(rf"\text{{{_escaped(name)}}}" if literal else latex, used)
        used.add(found[name])
    return found


def unused(text: str, used: Collection[str]) -> str:
    """Return `text`, or `text[2]`, `text[3]`, ...: the first that is not in `used`."""
    candidates = (f"{text}[{k}]" for k in itertools.count(2))
    return text if text not in used else next(candidate for candidate in candidates if candidate not in used)


_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def _letter(stem: str) -> str:
    """Return a letter (also a Greek or accented one) or a word as LaTeX, and "" for any other text."""
    if stem in _GREEK:
        return f"\\{stem}"
    plain = unicodedata.normalize("NFD", stem)
    for word, accent in _ACCENTS.items():
        if plain[1:] == accent and _letter(plain[0]):
            return rf"\{word}{{{_letter(plain[0])}}}"
    greek = next((word for word, letter in _GREEK.items() if letter == stem), None)
    if greek:
        return f"\\{greek}"
    if not re.fullmatch(r"[A-Za-z]+", stem):
        return ""
    return stem if len(stem) == 1 else rf"\mathit{{{stem}}}"


def _escaped(name: str) -> str:
    ascii_only = "".join(c if c.isascii() and c.isprintable() else "?" for c in unicodedata.normalize("NFKD", name))
    return "".join(_LATEX_SPECIAL.get(c, c) for c in ascii_only)
