"""Explanations: `chain_rule.py` is `explain(loss, w)`, the chain rule as a person writes it; `backward_steps.py` lists
the contributions of a backward pass, `paths.py` sums products over paths, `tutorial.py` finds the number of a
textbook formula, `lines.py` and `render.py` write the result. `diagnose.py` finds where a nan or a gradient of 0
comes from.

The room uses `symbolic` and what is below it. Begin reading in `chain_rule.py`.
"""
