"""Typed text to Values: `program.py` is `parse(text).run(values)`; `lexer.py` makes tokens of the text, `parser.py`
instructions of the tokens, `locations.py` puts a caret under a mistake. Nothing typed is ever evaluated by Python.
Begin reading in `program.py`.
"""

from micrograd_bp.expression.lexer import LONGEST_TEXT as LONGEST_TEXT
from micrograd_bp.expression.program import Program as Program
from micrograd_bp.expression.program import parse as parse
