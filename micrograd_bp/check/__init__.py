"""Checks of gradients: `gradient.py` is `check_gradient`; `closed_form.py` has the textbook formulas (1.2) to (3.6);
`strategies.py` (needs hypothesis) and `random_expressions.py` make random programs for property tests.

Inside `check_gradient`: `subject.py` is the function and how it is called, `match.py` which derivative belongs to
which input, `replay.py` the truth from a recorded graph in mpmath, `differences.py` and `scales.py` the truth from
values alone, `nodes.py` the error of each operation, `verdicts.py`, `hints.py` and `run.py` decide, `report.py` says
it.
"""

from micrograd_bp.check.gradient import check_gradient
from micrograd_bp.check.report import Finding, GradientMismatch, NodeError, Report

__all__ = ["Finding", "GradientMismatch", "NodeError", "Report", "check_gradient"]
