"""How a function's arguments are named: `argnums`, and points with directions.

**A point** is what f is called with. A tuple is the tuple of f's arguments: at (2.0, 5.0) f is called as f(2.0, 5.0).
Anything else is f's only argument: a number, a dict, an array, a list, as in f([2.0, 5.0]). A direction is structured
as its point. `jvp`, `hvp`, `directional_derivative` and the `jvp` and `hvp` of a compiled function take both so.

f's signature decides where that does not fit: a tuple of two numbers is the only argument of a function that takes one,
and a list of two holds the arguments of a function that takes two. A list of one number may be either for a function of
one argument: `jvp` and `hvp` read it as the arguments, `directional_derivative` as the argument, since its points are
lists of coordinates. Where f can be called in both ways and raises TypeError in the first, the other one is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial, update_wrapper
from numbers import Integral
from typing import Any, SupportsIndex, TypeVar

from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.engine.custom_op import takes
from micrograd_bp.ops.op import Op, Operand

Argnums = SupportsIndex | Sequence[SupportsIndex] | None
Function = Callable[..., Any]
T = TypeVar("T")


def along(
    run: Callable[[tuple[Any, ...], tuple[Any, ...]], T], f: Function, point: Any, direction: Any, listed: bool = True
) -> T:
    """run(args, moves), where `args` are f's arguments at `point` and `moves` how they move along `direction`.

    `listed`: a list whose entries may be f's arguments, or f's only argument, is read as the arguments first.
    Raises TypeError where the point is a tuple of arguments and the direction no sequence.
    """
    point = tuple(point) if isinstance(point, Iterator) else point
    if not hasattr(point, "__len__") or isinstance(point, (Operand, Mapping, str, bytes)) or _is_number(point):
        return run((point,), (direction,))
    several, one = partial(_can_take, f, len(point)), partial(_can_take, f, 1)
    separate = isinstance(point, tuple) or (listed and not hasattr(point, "dtype"))
    if len(point) != 1:
        separate = (several() or not one()) if separate else (several() and not one())
    try:
        return _read(run, point, direction, separate)
    except TypeError:  # of the first reading; the other one may be meant where f takes both
        if several() and one():
            with suppress(TypeError):
                return _read(run, point, direction, not separate)
        raise


def _read(run: Callable[[tuple[Any, ...], tuple[Any, ...]], T], point: Any, direction: Any, separate: bool) -> T:
    if not separate:
        return run((point,), (direction,))
    if not isinstance(direction, Iterator) and (not hasattr(direction, "__len__") or _is_number(direction)):
        raise TypeError(
            f"the point is a {type(point).__name__} of {len(point)} arguments, so the direction is a tuple of as many, "
            f"not {type(direction).__name__} {direction!r}"
        )
    return run(tuple(point), tuple(direction))


def _is_number(x: Any) -> bool:
    return getattr(x, "ndim", None) == 0  # an array without an axis has __len__ too


def _can_take(f: Function, count: int) -> bool:
    return f.arity - len(f.defaults) <= count <= f.arity if isinstance(f, Op) else takes(f, count)


def check_argnums(argnums: Argnums) -> None:
    """Raise TypeError for what are no whole numbers, ValueError where there are none."""
    if argnums is None:
        return
    every = _listed(argnums)
    if not every:
        raise ValueError("argnums is empty: name at least one argument, or leave argnums out for all")
    for number in every:
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError(f"argnums is a whole number or a tuple of them, not {type(number).__name__} {number!r}")


def chosen(
    f: Function, argnums: Argnums, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Function, tuple[Any, ...], bool]:
    """f as a function of the arguments of `argnums` alone, these arguments, and whether the result is a tuple of one.

    The other arguments and the keywords are passed on as they are. Raises ValueError for a number without an argument
    or given twice, TypeError where there is nothing to differentiate by.
    """
    if argnums is None:
        if keywords and not args:
            raise TypeError(
                f"derivatives are taken by positional arguments; only keywords are given ({', '.join(keywords)})"
            )
        return partial(f, **keywords) if keywords else f, args, False
    numbers = [int(number) for number in _listed(argnums)]
    for number in numbers:
        if not -len(args) <= number < len(args):
            given = f"{len(args)} positional argument{'s' * (len(args) != 1)}"
            raise ValueError(f"argnums has {number}, and {given} {'are' if len(args) != 1 else 'is'} given")
    indices = [number % len(args) for number in numbers]
    if len(set(indices)) < len(indices):
        raise ValueError(f"argnums {tuple(numbers)} names an argument twice")
    for index in indices:
        flatten(args[index], f"[{index}]")  # an error names the argument by its number among all

    def of_chosen(*values: Any) -> Any:
        every = list(args)
        for index, value in zip(indices, values, strict=True):
            every[index] = value
        return f(*every, **keywords)

    alone = isinstance(argnums, Sequence) and len(indices) == 1
    return of_chosen, tuple([args[index] for index in indices]), alone


def _listed(argnums: Argnums) -> list[Any]:
    return list(argnums) if isinstance(argnums, Sequence) else [argnums]


def named_as(f: Function, derivative: Function, what: str) -> None:
    """Give `derivative` the name, signature and documentation of f; `what` it is of f is said first."""
    update_wrapper(derivative, f, updated=())
    name = getattr(f, "__name__", type(f).__name__)
    derivative.__doc__ = f"{what} of {name}.\n\n{getattr(f, '__doc__', None) or ''}".strip()
