# Written by `python .ci/stubs.py`.

from collections.abc import Callable
from typing import TypeVar, overload

from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import Real

__all__ = [
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

T = TypeVar("T", bound=Operand)

class _Of_x_y(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, x: Real, y: Real) -> float: ...
    @overload
    def __call__(self, x: T, y: T | Real) -> T: ...
    @overload
    def __call__(self, x: Real, y: T) -> T: ...

class _Of_x(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, x: Real) -> float: ...
    @overload
    def __call__(self, x: T) -> T: ...

class _Of_y_x(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, y: Real, x: Real) -> float: ...
    @overload
    def __call__(self, y: T, x: T | Real) -> T: ...
    @overload
    def __call__(self, y: Real, x: T) -> T: ...

class _Of_x_slope(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, x: Real, slope: Real = ...) -> float: ...
    @overload
    def __call__(self, x: T, slope: T | Real = ...) -> T: ...
    @overload
    def __call__(self, x: Real, slope: T) -> T: ...

class _Of_x_alpha(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, x: Real, alpha: Real = ...) -> float: ...
    @overload
    def __call__(self, x: T, alpha: T | Real = ...) -> T: ...
    @overload
    def __call__(self, x: Real, alpha: T) -> T: ...

class _Of_x_low_high(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, x: Real, low: Real, high: Real) -> float: ...
    @overload
    def __call__(self, x: T, low: T | Real, high: T | Real) -> T: ...
    @overload
    def __call__(self, x: Real, low: T, high: T | Real) -> T: ...
    @overload
    def __call__(self, x: Real, low: Real, high: T) -> T: ...

class _Of_condition_x_y(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, condition: Real, x: Real | Callable[[], Real], y: Real | Callable[[], Real]) -> float: ...
    @overload
    def __call__(
        self, condition: T, x: T | Real | Callable[[], T | Real], y: T | Real | Callable[[], T | Real]
    ) -> T: ...
    @overload
    def __call__(self, condition: Real, x: T | Callable[[], T], y: T | Callable[[], T]) -> T: ...
    @overload
    def __call__(self, condition: Real, x: T, y: Real | Callable[[], T | Real]) -> T: ...
    @overload
    def __call__(self, condition: Real, x: Real | Callable[[], T | Real], y: T) -> T: ...
    @overload
    def __call__(
        self, condition: Real, x: Real | Callable[[], T | Real], y: Real | Callable[[], T | Real]
    ) -> T | float: ...

add: _Of_x_y
sub: _Of_x_y
mul: _Of_x_y
div: _Of_x_y
neg: _Of_x
pow: _Of_x_y
square: _Of_x
reciprocal: _Of_x
one_minus_square: _Of_x
exp: _Of_x
gaussian: _Of_x
expm1: _Of_x
log: _Of_x
log1p: _Of_x
log2: _Of_x
log10: _Of_x
logaddexp: _Of_x_y
sqrt: _Of_x
cbrt: _Of_x
sin: _Of_x
cos: _Of_x
tan: _Of_x
asin: _Of_x
acos: _Of_x
atan: _Of_x
atan2: _Of_y_x
hypot: _Of_x_y
sinh: _Of_x
cosh: _Of_x
tanh: _Of_x
asinh: _Of_x
acosh: _Of_x
atanh: _Of_x
erf: _Of_x
erfc: _Of_x
sigmoid: _Of_x
softplus: _Of_x
log_sigmoid: _Of_x
logistic_density: _Of_x
relu: _Of_x
leaky_relu: _Of_x_slope
elu: _Of_x_alpha
gelu: _Of_x
silu: _Of_x
abs: _Of_x
sign: _Of_x
step: _Of_x
less: _Of_x_y
exceeds: _Of_x_y
maximum: _Of_x_y
minimum: _Of_x_y
clip: _Of_x_low_high
where: _Of_condition_x_y
