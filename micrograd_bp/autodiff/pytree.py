"""Pytrees: nested lists, tuples, dicts and arrays of numbers, which are flattened to their leaves and rebuilt."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import is_real

Rebuild = Callable[[list[Any]], Any]


def flatten(thing: Any, path: str = "") -> tuple[list[Any], list[str], Rebuild]:
    """Return the numbers in `thing`, their paths (such as "[0]['w']"), and a function that rebuilds the structure.

    >>> leaves, paths, rebuild = flatten([1.0, {"w": (2.0, 3.0)}])
    >>> leaves, paths
    ([1.0, 2.0, 3.0], ['[0]', "[1]['w'][0]", "[1]['w'][1]"])
    >>> rebuild([10, 20, 30])
    [10, {'w': (20, 30)}]

    Raises TypeError, with the path, for anything else than numbers and such structures.
    """
    if isinstance(thing, Operand) or is_real(thing):
        return [thing], [path], lambda leaves: leaves[0]
    if isinstance(thing, dict):
        return _together(
            list(thing.values()),
            [f"{path}[{key!r}]" for key in thing],
            lambda items: dict(zip(thing, items, strict=True)),
        )
    if isinstance(thing, (list, tuple)):
        kind: Any = type(thing)
        # a named tuple takes its items as separate arguments
        make = (lambda items: kind(*items)) if hasattr(kind, "_fields") else kind
        return _together(list(thing), [f"{path}[{i}]" for i in range(len(thing))], make)
    if getattr(getattr(thing, "dtype", None), "kind", "") in tuple("biufO"):
        return _of_array(thing, path)
    where = f" at {path}" if path else ""
    raise TypeError(f"a number or a structure of numbers is needed{where}, not {type(thing).__name__} {thing!r}")


def _together(
    parts: list[Any], paths: list[str], make: Callable[[list[Any]], Any]
) -> tuple[list[Any], list[str], Rebuild]:
    flat = [flatten(part, path) for part, path in zip(parts, paths, strict=True)]

    def rebuild(leaves: list[Any]) -> Any:
        rest = iter(leaves)
        return make([put([next(rest) for _ in own]) for own, _, put in flat])

    return [leaf for own, _, _ in flat for leaf in own], [p for _, own, _ in flat for p in own], rebuild


def _of_array(array: Any, path: str) -> tuple[list[Any], list[str], Rebuild]:
    numbers = array.ravel().tolist()
    for number in numbers:
        flatten(number, path)

    def rebuild(leaves: list[Any]) -> Any:
        numpy: Any = sys.modules["numpy"]  # already loaded, because there is an array
        parts = [numpy.asarray(leaf, dtype=object if _traced(leaf) else None) for leaf in leaves]
        return numpy.stack(parts).reshape(array.shape + parts[0].shape) if parts else array.astype(float)

    indices = itertools.product(*map(range, array.shape)) if array.shape else [(0,)]
    return numbers, [f"{path}[{', '.join(map(str, index))}]" for index in indices], rebuild


def _traced(leaf: Any) -> bool:
    return isinstance(leaf, Operand) or getattr(getattr(leaf, "dtype", None), "kind", "") == "O"


def check_same_structure(expected: list[str], given: list[str], what: str, whose: str) -> None:
    """Raise ShapeError unless two structures have the same paths."""
    if expected != given:
        raise ShapeError(f"{what} must have the structure of {whose}: {expected} are needed, {given} given")
