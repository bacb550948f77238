"""Rows as text, Markdown, LaTeX and HTML."""

from __future__ import annotations

import unicodedata
from html import escape
from itertools import groupby

from micrograd_bp.explanation.lines import Row


def text(rows: list[Row]) -> str:
    """Lines of a terminal: within a block the signs stand under each other."""
    lines = []
    for block in _blocks(rows):
        left = max(_width(row.left) for row in block)
        sign = max(len(row.sign) for row in block)
        rights = [f"{_pad(row.left, left)} {row.sign:>{sign}} {row.right}" if row.sign else row.right for row in block]
        right = max([_width(line) for line, row in zip(rights, block, strict=True) if row.remark], default=0)
        lines += [f"{_pad(line, right)}   {row.remark}".rstrip() for line, row in zip(rights, block, strict=True)] + [
            ""
        ]
    return "\n".join(lines[:-1])


def latex(rows: list[Row]) -> str:
    r"""One `aligned` environment per block, for mathematics mode; blocks are parted by \\[2ex]."""
    blocks = []
    for block in _blocks(rows):
        lines = [
            f"{row.left} &{'' if row.sign in ('=', '') else ' '}{_SIGNS.get(row.sign, row.sign)} {row.right}"
            + (f" && {_remark(row.remark)}" if row.remark else "")
            for row in block
        ]
        blocks.append("\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}")
    if len(blocks) == 1:
        return blocks[0]
    return "\\begin{gathered}\n" + " \\\\[2ex]\n".join(blocks) + "\n\\end{gathered}"


def markdown(rows: list[Row]) -> str:
    """The LaTeX as displayed mathematics, block by block."""
    return "\n\n".join(f"$$\n{latex(block)}\n$$" for block in _blocks(rows))


def html(rows: list[Row]) -> str:
    """A table per block, of text; class names, no style of its own."""
    tables = []
    for block in _blocks(rows):
        lines = "".join(
            f"<tr><td>{escape(row.left)}</td><td>{escape(row.sign)}</td><td>{escape(row.right)}</td>"
            f"<td>{escape(row.remark)}</td></tr>\n"
            for row in block
        )
        tables.append(f"<table>\n{lines}</table>\n")
    return f'<div class="micrograd_bp explanation">\n{"".join(tables)}</div>\n'


_SIGNS = {"+=": r"\mathrel{{+}{=}}", "+": r"\quad{}+"}


def _remark(remark: str) -> str:
    return rf"\quad\text{{{remark}}}" if remark.startswith("(") else rf"\quad {remark}"


def _blocks(rows: list[Row]) -> list[list[Row]]:
    return [list(block) for empty, block in groupby(rows, lambda row: row == Row()) if not empty]


def _width(string: str) -> int:
    """Columns of a terminal: none for combining marks, two for wide letters."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in string)


def _pad(string: str, width: int) -> str:
    return string + " " * (width - _width(string))
