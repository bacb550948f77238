"""Values from typed text: `program.py` has `parse(text).run(values)`, `lexer.py` splits the text into tokens,
`parser.py` makes instructions from the tokens, and `locations.py` shows a mistake with a caret. Python never evaluates
the text. `stable_forms.py` has the table of formulas that overflow or cancel, and finds them in a graph.
Begin reading in `program.py`.
"""

from micrograd_bp.expression.lexer import LONGEST_TEXT as LONGEST_TEXT
from micrograd_bp.expression.program import Program as Program
from micrograd_bp.expression.program import parse as parse
