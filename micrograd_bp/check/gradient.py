"""`check_gradient`, which decides whether a gradient is right and finds the mistake if it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd_bp.check.report import Report
from micrograd_bp.check.run import Check
from micrograd_bp.check.subject import Subject
from micrograd_bp.engine import Value
from micrograd_bp.ops.reals import is_real

_MODES = {"reverse": ("reverse",), "forward": ("forward",), "both": ("reverse", "forward")}


def check_gradient(
    f: Callable[..., Any],
    *inputs: Any,
    grad: Callable[..., Any] | None = None,
    order: int = 1,
    mode: str = "reverse",
    rtol: float | None = None,
    atol: float | None = None,
    wrt: Sequence[Value] = (),
) -> Report:
    """Check the derivatives of f at `inputs` (numbers, or nested structures and arrays of numbers); return a `Report`.

    Without `grad`, f is a function of Values, and this package's gradient is checked: by `backward()`
    (`mode="reverse"`), by dual numbers ("forward"), or by "both". With `order=2` the second derivatives are also
    checked, which takes seconds for tens of inputs. With `wrt`, the derivatives by these leaves, such as
    `model.parameters()`, which f uses directly, are also checked.

    With `grad`, a function of the same arguments, its result is checked: the gradient in the structure of the
    arguments, or, for several results of f, the Jacobian with one row for each result. f and `grad` may be functions of
    floats or arrays of any library that return numbers. Dicts are matched by their keys, and arrays must have the
    shapes of the inputs. An error of f beside the point means that its domain ends there.

    The exact derivative is computed from the recorded graph, replayed in mpmath by the definitions of the operations
    (extra `testing`), where f is written with this package's functions and the graph does not change near the point.
    Otherwise it is estimated from values of f by extrapolated differences. The allowed error is `rtol` times the
    derivative (1e-9 for a replay, 1e-6 for differences) plus `atol` (by default 0, or the error due to rounding).

    The verdict of the report is "right"; "kink" where f has no derivative and the computed one lies between the
    one-sided slopes; or "ill-conditioned" where the rules are right but rounding, or a step across a discontinuity,
    makes the digits uncertain. Raises `GradientMismatch` for a wrong gradient, with both numbers, the first node whose
    local derivative is wrong, and a hint; also where f is not deterministic or changes its inputs. Raises ValueError or
    TypeError for invalid arguments.

    >>> import micrograd_bp as mb
    >>> check_gradient(lambda x, y: mb.tanh(x) * y, 0.5, 2.0).verdict
    'right'
    >>> check_gradient(lambda x: mb.relu(x), 0.0).verdict
    'kink'
    >>> check_gradient(lambda x: x**3, 2.0, grad=lambda x: 3 * x)
    Traceback (most recent call last):
    ...
    micrograd_bp.check.report.GradientMismatch: wrong gradient: d f / d x = 6.0, but 12.0 is right
      at x = 2.0; checked by replay
      hint: it is half the right one
    """
    if not callable(f):
        raise TypeError(f"f is a function, not {type(f).__name__}: give the function and then its inputs, f, x, y")
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"mode is one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    if type(order) is not int or order not in (1, 2):
        raise ValueError(f"order is 1 or 2, not {order!r}")
    if grad is not None and not callable(grad):
        raise TypeError(f"grad is a function of the arguments of f, not {type(grad).__name__}")
    if grad is not None and (order != 1 or mode != "reverse"):
        raise ValueError(
            "order and mode apply to this package's derivatives only; to check a hand-written Hessian, check its rows: "
            "check_gradient(grad_f, *inputs, grad=hessian_f)"
        )
    if isinstance(wrt, Value) or not all(isinstance(leaf, Value) and leaf.op is None for leaf in wrt):
        raise TypeError("wrt is a sequence of leaves, such as model.parameters() or [w]")
    if wrt and (grad is not None or mode != "reverse"):
        raise ValueError("wrt needs mode='reverse' and no grad, because f uses these leaves directly")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not (is_real(tolerance) and tolerance >= 0.0):
            raise ValueError(f"{name} is a number from 0 on, not {tolerance!r}")
    subject = Subject(f, inputs, wrt)
    if not subject.point:
        raise ValueError("there is no number to differentiate by: give inputs, or leaves as wrt=")
    return Check(subject, grad, _MODES[mode], rtol, atol).run(order)
