"""The assignment of given derivatives to inputs and results, by the structures of both."""

from __future__ import annotations

from typing import Any

from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.check.subject import plain


def matched(given: Any, like: Any, where: str = "grad", row: bool = False) -> list[Any]:
    """Return the numbers of the gradient `given` in the order of the inputs `like`.

    Dicts are matched by keys, arrays and lists by shape; a `row` of a Jacobian may be flat. Raises ValueError for other
    keys or another shape. The caller checks the number of derivatives.
    """
    given, like = plain(given), plain(like)
    while isinstance(given, (list, tuple)) and len(given) == 1 and _depth(given) > _depth(like):
        given = given[0]  # a tuple of the gradients of all arguments, for one argument
    if isinstance(given, dict) or isinstance(like, dict):
        keys = _keys(given, like, where, "the input that it belongs to")
        return [number for key in keys for number in matched(given[key], like[key], f"{where}[{key!r}]")]
    shape, wanted = _shape(given), _shape(like)
    if shape == wanted is not None or () in (shape, wanted):
        return flatten(given)[0]
    if row and shape is not None and len(shape) == 1 and shape[0] == len(flatten(like)[0]):
        return flatten(given)[0]
    if shape is not None and wanted is not None:
        raise ValueError(f"{where} has shape {shape}; the input that it belongs to has {wanted}")
    if len(given) != len(like):
        raise ValueError(f"{where} has {len(given)} parts; the input that it belongs to has {len(like)}")
    pairs = enumerate(zip(given, like, strict=True))
    return [number for i, (part, own) in pairs for number in matched(part, own, f"{where}[{i}]")]


def matched_rows(given: Any, result: Any, like: Any, where: str = "grad") -> list[Any]:
    """Return the numbers of the Jacobian `given`, row by row in the order of `result`, each row in that of the inputs.

    Raises ValueError for other keys, another shape or another number of rows.
    """
    given, result = plain(given), plain(result)
    if isinstance(result, dict):
        keys = _keys(given, result, where, "the result of f")
        return [number for key in keys for number in matched_rows(given[key], result[key], like, f"{where}[{key!r}]")]
    if not isinstance(result, (list, tuple)):
        return matched(given, like, where, row=True)
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"{where} is a {type(given).__name__}; a row is needed for each number that f returns")
    results = list(result)
    if len(given) != len(results):
        results = flatten(result)[0]
    if len(given) != len(results):
        shape = _shape(given)
        message = f"{where} has shape {shape}" if shape else f"{where} has {len(given)} rows"
        raise ValueError(f"{message}; a row is needed for each of the {len(results)} numbers that f returns")
    pairs = enumerate(zip(given, results, strict=True))
    return [number for i, (part, own) in pairs for number in matched_rows(part, own, like, f"{where}[{i}]")]


def _keys(given: Any, like: Any, where: str, whose: str) -> list[Any]:
    """Return the keys of `like`. Raise ValueError where `given` has other keys."""
    if not isinstance(like, dict):
        raise ValueError(f"{where} has the keys {list(given)}; {whose} has none, it is a {type(like).__name__}")
    if not isinstance(given, dict):
        raise ValueError(f"{where} has no keys, it is a {type(given).__name__}; {whose} has {list(like)}")
    if set(given) != set(like):
        raise ValueError(f"{where} has the keys {list(given)}; {whose} has {list(like)}")
    return list(like)


def _depth(thing: Any) -> int:
    """Return the depth of nested lists."""
    return 1 + max(map(_depth, thing), default=0) if isinstance(thing, (list, tuple)) else 0


def _shape(thing: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers, as in NumPy, or None where the parts have different shapes."""
    if isinstance(thing, dict):
        return None
    if not isinstance(thing, (list, tuple)):
        return ()
    shapes = [_shape(part) for part in thing]
    same = all(shape is not None and shape == shapes[0] for shape in shapes)
    return (len(shapes), *(shapes[0] or () if shapes else ())) if same else None
