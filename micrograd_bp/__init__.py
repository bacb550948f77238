"""A scalar automatic-differentiation engine in which every derivative can be read, checked and drawn.

`Value` is a number that remembers how it was made; `backward()` applies the chain rule; every operation of the table in
`ops.py` is a function here (`mb.exp(x)`, of floats too) and a method of Values (`x.exp()`).
"""

from micrograd_bp import copying as copying
from micrograd_bp import nn as nn
from micrograd_bp.draw import draw as draw
from micrograd_bp.engine import Value as Value
from micrograd_bp.engine import topological_order as topological_order
from micrograd_bp.errors import DomainError as DomainError
from micrograd_bp.errors import MissingExtraError as MissingExtraError
from micrograd_bp.errors import PoleError as PoleError
from micrograd_bp.errors import ShapeError as ShapeError
from micrograd_bp.errors import StateError as StateError
from micrograd_bp.op import OPS as OPS
from micrograd_bp.op import Op as Op
from micrograd_bp.ops import *

__version__ = "0.1.0"
