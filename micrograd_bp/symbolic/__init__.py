"""Formulas: `term.py` has formulas that simplify themselves, `rules.py` applies derivative rules to them, `printer.py`
writes them as text and LaTeX, `templates.py` fills the template of an operation, and `graph_formulas.py` names the
values of a recorded graph and writes their formulas. Begin reading in `graph_formulas.py`.
"""
