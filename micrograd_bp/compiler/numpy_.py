"""A tape on NumPy arrays: a number for each sample of a batch. Imports passes, native, errors, op and NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from micrograd_bp.compiler.native import Node, tree, written
from micrograd_bp.compiler.passes import Code
from micrograd_bp.errors import ShapeError
from micrograd_bp.op import Op

_ERF, _ERFC = (np.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc))
_NAMES = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "hypot",
    "fmin",
    "fmax",
]
_FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(np, name) for name in _NAMES}
_FUNCTIONS |= {f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
_FUNCTIONS |= {"fabs": np.abs, "atan2": np.arctan2, "pow": np.float_power, "erf": _ERF, "erfc": _ERFC}
_SIGNS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "||": np.logical_or,
    "&&": np.logical_and,
}


@cache
def function(op: Op) -> Callable[..., Any]:
    """The row as a function of arrays. ValueError where its C99 form calls what NumPy has not."""
    form = tree(op)
    _check(form, op)
    return lambda *args: written(form, args, _write)


def _check(node: Node, op: Op) -> None:
    if node.kind == "call" and node.value not in _FUNCTIONS:
        raise ValueError(f"{op.name}: NumPy has no {node.value}(), which its native form {op.native!r} calls")
    for part in node.parts:
        _check(part, op)


def _write(kind: str, value: Any, parts: tuple[Any, ...]) -> Any:
    if kind == "number":
        return value
    if kind == "call":
        return _FUNCTIONS[value](*parts)
    if kind == "unary":
        return np.negative(*parts)
    return np.where(*parts) if kind == "choose" else _SIGNS[value](*parts)


def run(code: Code, inputs: Sequence[Any], count: int) -> list[Any]:
    """The results for inputs that are arrays of `count` numbers each; parameters are read now."""
    tape = code.tape
    numbers: list[Any] = [None] * len(tape)
    for place, x in tape.constants.items():
        numbers[place] = x
    for place, parameter in tape.parameters.items():
        numbers[place] = parameter.data
    for place, x in zip(tape.inputs, inputs, strict=True):
        numbers[place] = x
    last = _last_uses(code)
    with np.errstate(all="ignore"):
        for place, op in enumerate(tape.ops):
            if op is not None:
                numbers[place] = function(op)(*[numbers[arg] for arg in tape.args[place]])
                for arg in last.get(place, ()):
                    numbers[arg] = None  # a large batch's numbers are freed where they are used for the last time
    return [np.broadcast_to(np.asarray(numbers[place], dtype=float), (count,)) for place in code.results]


def _last_uses(code: Code) -> dict[int, list[int]]:
    """By place, the numbers that nothing after it needs."""
    last: dict[int, int] = {}
    results = set(code.results)
    for place, args in enumerate(code.tape.args):
        for arg in args:
            last[arg] = place
    found: dict[int, list[int]] = {}
    for arg, place in last.items():
        if arg not in results:
            found.setdefault(place, []).append(arg)
    return found


def columns(arrays: tuple[Any, ...]) -> tuple[Any, list[Any], int]:
    """An array with a row for each input, a sample's structure for each argument, and the number of samples."""
    given = [np.asarray(array, dtype=float) for array in arrays]
    if not given or any(array.ndim == 0 for array in given) or len({len(array) for array in given}) != 1:
        shapes = ", ".join(str(array.shape) for array in given)
        raise ShapeError(f"arrays with a sample per first index are needed, as many in each; the shapes are {shapes}")
    if not len(given[0]):
        raise ShapeError("there are no samples: at least one is needed")
    flat = [array.reshape(len(array), array[0].size).T for array in given]
    return np.ascontiguousarray(np.concatenate(flat)), [array[0].tolist() for array in given], len(given[0])


def shaped(slopes: Any, arrays: tuple[Any, ...], summed: bool) -> Any:
    """Derivatives by each input in the shapes of the arrays; `summed` over the samples, one number for each."""
    found, start = [], 0
    for array in map(np.asarray, arrays):
        size = array[0].size
        own = np.asarray(slopes[start : start + size], dtype=float)
        start += size
        found.append(own.reshape(array.shape[1:]) if summed else own.T.reshape(array.shape))
    return found[0] if len(found) == 1 else tuple(found)


def shapes(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shapes of floats and arrays of doubles; empty where there is anything else."""
    found: list[tuple[int, ...]] = []
    for arg in args:
        if type(arg) is np.ndarray and arg.dtype == np.float64:
            found.append(arg.shape)
        elif type(arg) is float:
            found.append(())
        else:
            return ()
    return tuple(found)


def split(found: Any, args: tuple[Any, ...]) -> tuple[float, Any]:
    """Value and gradient, in the shapes of floats and arrays."""
    parts, start = [], 1
    for arg in args:
        if type(arg) is float:
            parts.append(float(found[start]))
            start += 1
        else:
            parts.append(found[start : start + arg.size].reshape(arg.shape))
            start += arg.size
    return float(found[0]), parts[0] if len(parts) == 1 else tuple(parts)
