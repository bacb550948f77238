"""A scalar automatic-differentiation engine in which every derivative can be read, checked and drawn.

`Value` is a number that remembers how it was made; `backward()` applies the chain rule; every operation of the table in
`ops.py` is a function here (`mb.exp(x)`, of floats too) and a method of Values (`x.exp()`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from micrograd_bp import copying as copying
from micrograd_bp import engine as engine
from micrograd_bp import losses as losses
from micrograd_bp import nn as nn
from micrograd_bp import optim as optim
from micrograd_bp import page as page
from micrograd_bp import schedules as schedules
from micrograd_bp.anomaly import trace_nonfinite as trace_nonfinite
from micrograd_bp.anomaly import why_zero as why_zero
from micrograd_bp.calculus import adjoints as adjoints
from micrograd_bp.calculus import derivative as derivative
from micrograd_bp.calculus import directional_derivative as directional_derivative
from micrograd_bp.calculus import grad as grad
from micrograd_bp.calculus import gradients as gradients
from micrograd_bp.calculus import hessian as hessian
from micrograd_bp.calculus import hvp as hvp
from micrograd_bp.calculus import jacobian as jacobian
from micrograd_bp.calculus import jvp as jvp
from micrograd_bp.calculus import value_and_grad as value_and_grad
from micrograd_bp.calculus import vjp as vjp
from micrograd_bp.check import GradientMismatch as GradientMismatch
from micrograd_bp.check import check_gradient as check_gradient
from micrograd_bp.custom import op as op
from micrograd_bp.domain import Bound as Bound
from micrograd_bp.domain import Interval as Interval
from micrograd_bp.draw import draw as draw
from micrograd_bp.engine import Value as Value
from micrograd_bp.engine import topological_order as topological_order
from micrograd_bp.errors import DomainError as DomainError
from micrograd_bp.errors import ExpressionError as ExpressionError
from micrograd_bp.errors import MissingExtraError as MissingExtraError
from micrograd_bp.errors import PoleError as PoleError
from micrograd_bp.errors import ShapeError as ShapeError
from micrograd_bp.errors import StateError as StateError
from micrograd_bp.errors import TraceError as TraceError
from micrograd_bp.errors import TrainingError as TrainingError
from micrograd_bp.explain import explain as explain
from micrograd_bp.expression import parse as parse
from micrograd_bp.op import OPS as OPS
from micrograd_bp.op import Op as Op
from micrograd_bp.ops import *
from micrograd_bp.symbolic import derivative_formula as derivative_formula
from micrograd_bp.symbolic import formula as formula
from micrograd_bp.taylor import taylor as taylor
from micrograd_bp.train import fit as fit

if TYPE_CHECKING:
    from micrograd_bp.compiler import compile as compile  # noqa: A004 (the name that users expect)

__version__ = "0.1.0"
compiled: bool = not engine.__file__.endswith(".py")
"""Whether the core runs as machine code; the same source gives the same results either way."""
if compiled:
    importlib.import_module("micrograd_bp.slopes")  # the table's rules at floats, written by the build: .ci/rules.py


def __getattr__(name: str) -> Any:
    """What NumPy hangs on is loaded when it is asked for."""
    if name == "compile":
        return importlib.import_module("micrograd_bp.compiler").compile
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
