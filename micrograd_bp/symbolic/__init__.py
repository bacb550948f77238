"""Formulas: `term.py` holds formulas that simplify themselves, `rules.py` applies derivative rules to them,
`printer.py` writes them as text and LaTeX, `templates.py` fills an operation's template, `graph_formulas.py` names the
values of a recorded graph and writes their formulas.

The room uses `ops` and `engine`. Begin reading in `graph_formulas.py`.
"""
