"""The arguments by which a derivative is taken: `argnums`, and points with directions.

**A point** holds the arguments of f. A tuple is the tuple of the arguments: at (2.0, 5.0), f is called as f(2.0, 5.0).
Anything else is the only argument: a number, a dict, an array or a list, as in f([2.0, 5.0]). A direction has the
structure of its point. `jvp`, `hvp`, `directional_derivative` and the `jvp` and `hvp` of a compiled function use this
convention.

Where that does not fit the signature of f, the signature decides: a tuple of two numbers is the only argument of a
function of one argument, and a list of two numbers holds the arguments of a function of two. Where the signature
accepts both, `jvp` and `hvp` read a tuple or list as the arguments. `directional_derivative` reads a list as the only
argument, because its points are lists of coordinates, and where f raises TypeError it tries the other reading.
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
    """Return run(args, tangents): `args` are f's arguments at `point`, `tangents` their tangents along `direction`.

    With `listed`, an ambiguous list is the list of f's arguments; without, it is f's only argument, and the other
    reading is tried where f raises TypeError. Raises TypeError where the point is a tuple of arguments and the
    direction is not a sequence.
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
    except TypeError:  # f may expect the other reading
        if not listed and several() and one():
            with suppress(Exception):
                return _read(run, point, direction, not separate)
        raise


def _read(run: Callable[[tuple[Any, ...], tuple[Any, ...]], T], point: Any, direction: Any, separate: bool) -> T:
    if not separate:
        return run((point,), (direction,))
    if not isinstance(direction, Iterator) and (not hasattr(direction, "__len__") or _is_number(direction)):
        raise TypeError(
            f"the point is a {type(point).__name__} of {len(point)} arguments, so the direction must be a tuple "
            f"of {len(point)} numbers or structures, not {type(direction).__name__} {direction!r}"
        )
    return run(tuple(point), tuple(direction))


def _is_number(x: Any) -> bool:
    return getattr(x, "ndim", None) == 0  # a 0-d array has __len__, but no length


def _can_take(f: Function, count: int) -> bool:
    return f.arity - len(f.defaults) <= count <= f.arity if isinstance(f, Op) else takes(f, count)


def check_argnums(argnums: Argnums) -> None:
    """Raise TypeError unless `argnums` are whole numbers, and ValueError where there are none."""
    if argnums is None:
        return
    every = _listed(argnums)
    if not every:
        raise ValueError("argnums is empty: give the number of at least one argument, or omit argnums for all")
    for number in every:
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError(f"argnums is a whole number or a tuple of them, not {type(number).__name__} {number!r}")


def chosen(
    f: Function, argnums: Argnums, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Function, tuple[Any, ...], bool]:
    """Return f as a function of the arguments in `argnums`, these arguments, and whether `argnums` is a tuple of one.

    The other arguments and the keyword arguments are passed to f unchanged. Raises ValueError for a number without an
    argument or a number that occurs twice, and TypeError where there is no argument to differentiate by.
    """
    if argnums is None:
        if keywords and not args:
            raise TypeError(
                f"derivatives are taken by positional arguments, but only keywords are given ({', '.join(keywords)})"
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
        flatten(args[index], f"[{index}]")  # an error shows the argument's number among all arguments

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
    """Give `derivative` the name, signature and docstring of f; the docstring then begins with `what`."""
    update_wrapper(derivative, f, updated=())
    name = getattr(f, "__name__", type(f).__name__)
    derivative.__doc__ = f"{what} of {name}.\n\n{getattr(f, '__doc__', None) or ''}".strip()
