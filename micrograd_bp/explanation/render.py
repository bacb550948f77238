"""The lines of an explanation as text, Markdown, LaTeX and HTML."""

from __future__ import annotations

import unicodedata
from html import escape
from itertools import groupby

from micrograd_bp.explanation.lines import Line


def text(lines: list[Line]) -> str:
    """Return plain text in which the signs of a block are aligned."""
    texts = []
    for block in _blocks(lines):
        left = max(_width(line.left) for line in block)
        sign = max(len(line.sign) for line in block)
        rights = [
            f"{_pad(line.left, left)} {line.sign:>{sign}} {line.right}" if line.sign else line.right for line in block
        ]
        right = max([_width(text) for text, line in zip(rights, block, strict=True) if line.remark], default=0)
        texts += [f"{_pad(text, right)}   {line.remark}".rstrip() for text, line in zip(rights, block, strict=True)] + [
            ""
        ]
    return "\n".join(texts[:-1])


def latex(lines: list[Line]) -> str:
    r"""Return one `aligned` environment per block, for math mode; \\[2ex] separates the blocks."""
    blocks = []
    for block in _blocks(lines):
        texts = [
            f"{line.left} &{'' if line.sign in ('=', '') else ' '}{_SIGNS.get(line.sign, line.sign)} {line.right}"
            + (f" && {_remark(line.remark)}" if line.remark else "")
            for line in block
        ]
        blocks.append("\\begin{aligned}\n" + " \\\\\n".join(texts) + "\n\\end{aligned}")
    if len(blocks) == 1:
        return blocks[0]
    return "\\begin{gathered}\n" + " \\\\[2ex]\n".join(blocks) + "\n\\end{gathered}"


def markdown(lines: list[Line]) -> str:
    """Return the LaTeX as one displayed formula per block."""
    return "\n\n".join(f"$$\n{latex(block)}\n$$" for block in _blocks(lines))


def html(lines: list[Line]) -> str:
    """Return one table of plain text per block."""
    tables = []
    for block in _blocks(lines):
        texts = "".join(
            f"<tr><td>{escape(line.left)}</td><td>{escape(line.sign)}</td><td>{escape(line.right)}</td>"
            f"<td>{escape(line.remark)}</td></tr>\n"
            for line in block
        )
        tables.append(f"<table>\n{texts}</table>\n")
    return f'<div class="micrograd_bp explanation">\n{"".join(tables)}</div>\n'


_SIGNS = {"+=": r"\mathrel{{+}{=}}", "+": r"\quad{}+"}


def _remark(remark: str) -> str:
    return rf"\quad\text{{{remark}}}" if remark.startswith("(") else rf"\quad {remark}"


def _blocks(lines: list[Line]) -> list[list[Line]]:
    return [list(block) for empty, block in groupby(lines, lambda line: line == Line()) if not empty]


def _width(string: str) -> int:
    """Return the width in terminal columns: 0 for a combining mark, 2 for a wide letter."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in string)


def _pad(string: str, width: int) -> str:
    return string + " " * (width - _width(string))
