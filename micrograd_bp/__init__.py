"""A scalar automatic-differentiation engine in which every derivative can be read, checked and drawn.

`Value` is a number that remembers how it was made; `backward()` applies the chain rule; every operation of the table in
`ops/table.py` is a function here (`mb.exp(x)`, of floats too) and a method of Values (`x.exp()`), and `help(mb.exp)`
shows its formula, derivative and domain. `OPS` has the operations by name; `compiled` tells whether the core runs as
machine code, as it does where it was installed with a C compiler.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING

from micrograd_bp import engine, nn
from micrograd_bp import page as _page  # noqa: F401  # teaches pictures to save themselves as .html
from micrograd_bp.autodiff.forward import derivative, directional_derivative, hvp, jvp
from micrograd_bp.autodiff.reverse import adjoints, grad, gradients, hessian, jacobian, value_and_grad, vjp
from micrograd_bp.autodiff.taylor import taylor
from micrograd_bp.check import GradientMismatch, check_gradient
from micrograd_bp.drawing import draw
from micrograd_bp.engine import Value, op, topological_order
from micrograd_bp.engine import value as _value
from micrograd_bp.errors import (
    DomainError,
    ExpressionError,
    MissingExtraError,
    PoleError,
    ShapeError,
    StateError,
    TraceError,
    TrainingError,
)
from micrograd_bp.explanation import operation_help as _operation_help  # noqa: F401  # teaches operations to help()
from micrograd_bp.explanation.chain_rule import explain
from micrograd_bp.explanation.diagnose import trace_nonfinite, why_zero
from micrograd_bp.expression import parse
from micrograd_bp.ops.domain import Bound, Interval
from micrograd_bp.ops.op import OPS, Op
from micrograd_bp.ops.table import *
from micrograd_bp.symbolic.graph_formulas import derivative_formula, formula
from micrograd_bp.training import fit, losses, optim, schedules

if _TYPE_CHECKING:
    from micrograd_bp.check import closed_form
    from micrograd_bp.check import strategies as strategies
    from micrograd_bp.compiler import compile  # noqa: A004 (the name that users expect)

__version__ = "0.1.0"
__all__ = [
    "OPS",
    "Bound",
    "DomainError",
    "ExpressionError",
    "GradientMismatch",
    "Interval",
    "MissingExtraError",
    "Op",
    "PoleError",
    "ShapeError",
    "StateError",
    "TraceError",
    "TrainingError",
    "Value",
    "adjoints",
    "check_gradient",
    "closed_form",
    "compile",
    "compiled",
    "derivative",
    "derivative_formula",
    "directional_derivative",
    "draw",
    "engine",
    "explain",
    "fit",
    "formula",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "losses",
    "nn",
    "op",
    "optim",
    "parse",
    "schedules",
    "taylor",
    "topological_order",
    "trace_nonfinite",
    "value_and_grad",
    "vjp",
    "why_zero",
]
__all__ += OPS  # every operation of the table is a function here

compiled: bool = not _value.__file__.endswith(".py")
"""Whether the core runs as machine code; the same source gives the same results either way."""
if compiled:
    _importlib.import_module("micrograd_bp.ops.slopes")  # the table's rules at floats, written by the build

_LAZY = {
    "closed_form": "micrograd_bp.check.closed_form",  # needs NumPy
    "compile": "micrograd_bp.compiler",  # needs NumPy
    "strategies": "micrograd_bp.check.strategies",  # needs hypothesis, so it is not in __all__
}


def __getattr__(name: str) -> object:
    """What needs NumPy or an extra is imported when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _importlib.import_module(_LAZY[name])
    found: object = module.compile if name == "compile" else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY, "__all__", "__doc__", "__file__", "__name__", "__path__", "__version__"})
