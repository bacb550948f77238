"""Forward mode: directional derivatives, derivatives of functions of one number, Hessian-vector products."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from micrograd_bp.autodiff.arguments import Function, along
from micrograd_bp.autodiff.dual import Dual
from micrograd_bp.autodiff.levels import Level, opened
from micrograd_bp.autodiff.pytree import check_same_structure, flatten
from micrograd_bp.autodiff.reverse import grad
from micrograd_bp.autodiff.variables import ended
from micrograd_bp.engine.chain import number_of, seeded
from micrograd_bp.ops.reals import as_float


def jvp(f: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
    """Return f(*args) and its tangent: the derivative of f at `args` in the direction `tangents`.

    `args` is the tuple of f's arguments, or the only argument of a function of one argument; `tangents` has the same
    structure (see `autodiff.arguments`). Both results have the structure of f's result. Raises ShapeError where the
    structures of `args` and `tangents` differ.

    >>> jvp(lambda x, y: [x * y, x + y], (2.0, 5.0), (1.0, 10.0))
    ([10.0, 7.0], [25.0, 11.0])
    >>> jvp(lambda x: x**2, 3.0, 1.0)
    (9.0, 6.0)
    """
    return along(partial(_jvp, f), f, args, tangents)


def _jvp(f: Function, args: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    leaves, paths, rebuild = flatten(args)
    directions, given, _ = flatten(tangents)
    check_same_structure(paths, given, "the tangents", "the arguments")
    level = Level()
    try:
        out = f(*rebuild([Dual(opened(x), seeded(opened(t)), level) for x, t in zip(leaves, directions, strict=True)]))
    finally:
        level.open = False
    results, _, put = flatten(out)
    slopes = [number_of(x.tangent) if isinstance(x, Dual) and x.level is level else 0.0 for x in results]
    return put([ended(x) for x in results]), put([ended(slope) for slope in slopes])


def derivative(f: Function, order: int = 1) -> Function:
    """Return the derivative of the given order of a function of one number, by nested forward mode.

    The result of f may be a structure of numbers. `taylor` is faster for high orders at one point. Raises ValueError
    where `order` is not a whole number from 0 on.

    >>> derivative(lambda x: x**3)(2.0), derivative(lambda x: x**3, order=2)(2.0)
    (12.0, 12.0)
    >>> derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0)  # perturbation confusion would give 2
    1.0
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"order is a whole number from 0 on, not {order!r}")
    for _ in range(order):
        f = _slope(f)
    return f


def _slope(f: Function) -> Function:
    return lambda x: _jvp(f, (x,), (1.0,))[1]


def hvp(f: Function, args: Any, vector: Any) -> Any:
    """Return the Hessian of a scalar function times `vector`, in one pass and without the matrix.

    `args` and `vector` are given as to `jvp`. The result has the structure of the arguments, or of the only argument.

    >>> hvp(lambda x, y: x**2 * y, (3.0, 5.0), (1.0, 0.0))
    (10.0, 6.0)
    """
    return along(partial(_jvp, grad(f)), f, args, vector)[1]


def directional_derivative(f: Function, point: Any, direction: Any) -> Any:
    """Return the directional derivative D_u f = grad f . u, where u is the direction scaled to length 1.

    `point` and `direction` are given as to `jvp`, but a list is read as the only argument where f accepts that, and the
    direction has plain numbers. The result is largest in the direction of the gradient, where it is the gradient's
    length, and smallest in the opposite direction (third tutorial, (3) and (4)). Raises ValueError where the
    direction's length is 0 or not finite.

    >>> f = lambda p: p[0] ** 2 + 3 * p[1] ** 2
    >>> round(directional_derivative(f, [4.0, -4.0], [3.0, 4.0]), 12)
    -14.4
    >>> round(directional_derivative(lambda x, y: x**2 + 3 * y**2, (4.0, -4.0), (3.0, 4.0)), 12)
    -14.4
    """
    numbers, _, rebuild = flatten(direction)
    length = math.hypot(*[as_float(x) for x in numbers])
    if not (math.isfinite(length) and length > 0.0):
        raise ValueError(f"a direction must have a positive finite length, not {length!r}")
    return along(partial(_jvp, f), f, point, rebuild([x / length for x in numbers]), listed=False)[1]
