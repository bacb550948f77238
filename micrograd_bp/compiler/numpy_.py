"""Batches as NumPy arrays: taken apart into columns, put together again. Imports arrays, passes, errors and NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_bp.compiler.arrays import evaluate, numpy_arrays
from micrograd_bp.compiler.passes import Code
from micrograd_bp.errors import ShapeError


def run(code: Code, inputs: Sequence[Any], count: int) -> list[Any]:
    """The results for inputs that are arrays of `count` numbers each; parameters are read now."""
    parameters = [p.data for p in code.tape.parameters.values()]
    with np.errstate(all="ignore"):
        found = evaluate(code, numpy_arrays(), inputs, parameters)
    return [np.broadcast_to(np.asarray(x, dtype=float), (count,)) for x in found]


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
