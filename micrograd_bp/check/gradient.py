"""`check_gradient`: whether a gradient is right, and if not, what is wrong with it."""

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
    """Check the derivatives of f at `inputs` (numbers, or nested structures and arrays of numbers).

    Without `grad`, f is a function of Values and what is checked is this package's own gradient: by `backward()`
    (`mode="reverse"`), by dual numbers ("forward") or "both"; with `order=2` the second derivatives too, which takes
    seconds for tens of inputs. With
    `wrt`, the derivatives by leaves that f uses by itself, such as `model.parameters()`, are checked as well.

    With `grad`, a function of the same arguments, what it gives is checked: the gradient in the structure of the
    arguments, or for several results of f the Jacobian, row by row. Both may be functions of plain floats or arrays, by
    any library, as long as numbers come out. Dicts are matched by their keys, arrays have to have the inputs' shapes.
    Where f raises an error beside the point, it is taken to end there.

    The truth comes from the recorded graph, replayed in mpmath by the operations' definitions (extra `testing`),
    where f is written with this package's functions and the graph does not change near the point; else from values
    of f alone, by extrapolated differences. Allowed is an error of `rtol` of the derivative (1e-9 for a replay,
    1e-6 for differences) plus `atol` (nothing, or what rounding explains).

    Returns a `Report` whose `verdict` is "right"; "kink" where f has no derivative and the one given lies between the
    slopes of both sides; or "ill-conditioned" where floats cannot tell: the rules are right, but rounding (or a step
    across something) spoils the digits. Raises `GradientMismatch` for a wrong gradient, with the names, both
    numbers, the first node whose local derivative is wrong, and what the mistake looks like; also where f is not
    deterministic or changes its inputs. Raises ValueError or TypeError for arguments that make no sense.

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
        raise TypeError(f"f is a function, not {type(f).__name__}: pass the function and its inputs, f, x, y")
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"mode is one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    if type(order) is not int or order not in (1, 2):
        raise ValueError(f"order is 1 or 2, not {order!r}")
    if grad is not None and not callable(grad):
        raise TypeError(f"grad is a function of the arguments of f, not {type(grad).__name__}")
    if grad is not None and (order != 1 or mode != "reverse"):
        raise ValueError(
            "order and mode are for this package's own derivatives; to check a hand-written Hessian, check its rows: "
            "check_gradient(grad_f, *inputs, grad=hessian_f)"
        )
    if isinstance(wrt, Value) or not all(isinstance(leaf, Value) and leaf.op is None for leaf in wrt):
        raise TypeError("wrt is a sequence of leaves, such as model.parameters() or [w]")
    if wrt and (grad is not None or mode != "reverse"):
        raise ValueError("wrt goes with mode='reverse' and without grad: f reads these leaves by itself")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not (is_real(tolerance) and tolerance >= 0.0):
            raise ValueError(f"{name} is a number from 0 on, not {tolerance!r}")
    subject = Subject(f, inputs, wrt)
    if not subject.point:
        raise ValueError("there is nothing to differentiate by: give inputs, or leaves by wrt=")
    return Check(subject, grad, _MODES[mode], rtol, atol).run(order)
