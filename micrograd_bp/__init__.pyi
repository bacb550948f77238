# Written by `python .ci/stubs.py`.

from micrograd_bp import engine as engine
from micrograd_bp import nn as nn
from micrograd_bp.autodiff.forward import derivative as derivative
from micrograd_bp.autodiff.forward import directional_derivative as directional_derivative
from micrograd_bp.autodiff.forward import hvp as hvp
from micrograd_bp.autodiff.forward import jvp as jvp
from micrograd_bp.autodiff.reverse import adjoints as adjoints
from micrograd_bp.autodiff.reverse import grad as grad
from micrograd_bp.autodiff.reverse import gradients as gradients
from micrograd_bp.autodiff.reverse import hessian as hessian
from micrograd_bp.autodiff.reverse import jacobian as jacobian
from micrograd_bp.autodiff.reverse import value_and_grad as value_and_grad
from micrograd_bp.autodiff.reverse import vjp as vjp
from micrograd_bp.autodiff.taylor import taylor as taylor
from micrograd_bp.check import GradientMismatch as GradientMismatch
from micrograd_bp.check import check_gradient as check_gradient
from micrograd_bp.check import closed_form as closed_form
from micrograd_bp.check import strategies as strategies
from micrograd_bp.compiler import compile as compile
from micrograd_bp.drawing import draw as draw
from micrograd_bp.engine import Value as Value
from micrograd_bp.engine import op as op
from micrograd_bp.engine import topological_order as topological_order
from micrograd_bp.errors import DomainError as DomainError
from micrograd_bp.errors import ExpressionError as ExpressionError
from micrograd_bp.errors import MissingExtraError as MissingExtraError
from micrograd_bp.errors import PoleError as PoleError
from micrograd_bp.errors import ShapeError as ShapeError
from micrograd_bp.errors import StateError as StateError
from micrograd_bp.errors import TraceError as TraceError
from micrograd_bp.errors import TrainingError as TrainingError
from micrograd_bp.explanation.chain_rule import explain as explain
from micrograd_bp.explanation.diagnose import trace_nonfinite as trace_nonfinite
from micrograd_bp.explanation.diagnose import why_zero as why_zero
from micrograd_bp.expression import parse as parse
from micrograd_bp.ops.domain import Bound as Bound
from micrograd_bp.ops.domain import Interval as Interval
from micrograd_bp.ops.op import OPS as OPS
from micrograd_bp.ops.op import Op as Op
from micrograd_bp.ops.table import *
from micrograd_bp.symbolic.graph_formulas import derivative_formula as derivative_formula
from micrograd_bp.symbolic.graph_formulas import formula as formula
from micrograd_bp.training import fit as fit
from micrograd_bp.training import losses as losses
from micrograd_bp.training import optim as optim
from micrograd_bp.training import schedules as schedules

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
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "pow",
    "square",
    "reciprocal",
    "one_minus_square",
    "exp",
    "gaussian",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "hypot",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
    "erfc",
    "sigmoid",
    "softplus",
    "log_sigmoid",
    "logistic_density",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "abs",
    "sign",
    "step",
    "less",
    "exceeds",
    "maximum",
    "minimum",
    "clip",
    "where",
]
__version__: str
compiled: bool
