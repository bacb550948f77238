"""Explanations: `explain(loss, w)` writes the chain rule out, and `trace_nonfinite` and `why_zero` find the origin of a
nan and of a gradient of 0.

`chain_rule.py` is `explain`. `backward_steps.py` lists the contributions of a backward pass, `paths.py` sums products
of local derivatives over paths, `tutorial.py` finds the number of the textbook formula, `lines.py` arranges the result
in lines, and `render.py` writes them as text, Markdown, LaTeX and HTML. `diagnose.py` has the two diagnoses,
`operation_help.py` what `help` shows of an operation. The room uses `symbolic`, `autodiff` and what they use. Begin
reading in `chain_rule.py`.
"""
