"""Checks of gradients: `gradient.py` has `check_gradient`, `closed_form.py` has the formulas (1.2) to (3.6) of the
first tutorial; `strategies.py` (which needs hypothesis) and `random_expressions.py` draw programs for property tests.

In a check, `subject.py` calls the function, `match.py` assigns given derivatives to inputs, `replay.py` computes the
exact derivatives from a recorded graph in mpmath, `differences.py` and `scales.py` estimate them from values alone,
`nodes.py` computes the error of each operation, `verdicts.py`, `overflow.py` and `hints.py` judge a derivative,
`run.py` runs the check, and `report.py` defines its result.
"""

from micrograd_bp.check.gradient import check_gradient
from micrograd_bp.check.report import Finding, GradientMismatch, NodeError, Report

__all__ = ["Finding", "GradientMismatch", "NodeError", "Report", "check_gradient"]
