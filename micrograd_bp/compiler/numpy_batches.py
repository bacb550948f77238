"""Batches as NumPy arrays: taken apart into rows, put together again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from micrograd_bp.compiler.array_libraries import evaluate, numpy_arrays
from micrograd_bp.compiler.passes import Code
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.reals import as_float

MULTIPLE = 64
_DOUBLE = np.dtype(float)
_DATA = attrgetter("_data")  # the property costs a call of Python each


def numbers_of(code: Code, given: Any = None) -> Any:
    """The numbers of the parameters, now; or those that are given, checked."""
    parameters = code.tape.parameters
    if given is None:
        return np.fromiter(map(_DATA, parameters.values()), float, len(parameters))
    found = np.ascontiguousarray(_doubles(given))
    if found.shape != (len(parameters),):
        raise ShapeError(f"an array of the {len(parameters)} parameters is needed, not of shape {found.shape}")
    return found


def run(code: Code, inputs: Sequence[Any], count: int, parameters: Any) -> list[Any]:
    """The results for inputs that are arrays of `count` numbers each."""
    with np.errstate(all="ignore"):
        found = evaluate(code, numpy_arrays(), inputs, parameters.tolist())
    return [np.broadcast_to(np.asarray(x, dtype=float), (count,)) for x in found]


def aligned(*shape: int) -> Any:
    """Zeros that begin where vectors of eight do: one that lies across two lines of the cache takes twice as long."""
    size = math.prod(shape)
    memory = np.zeros(size + 7)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + size].reshape(shape)


def columns(arrays: tuple[Any, ...]) -> tuple[Any, int, tuple[Any, ...]]:
    """An array with a row for each input, the number of samples, and the shapes of one.

    The rows go on with the last sample to a multiple of `MULTIPLE`, so that machine code takes whole groups of them.
    """
    given = [_doubles(array) for array in arrays]
    if not given or any(array.ndim == 0 for array in given) or len({len(array) for array in given}) != 1:
        shapes = ", ".join(str(array.shape) for array in given)
        raise ShapeError(f"arrays with a sample per first index are needed, as many in each; the shapes are {shapes}")
    count = len(given[0])
    if not count:
        raise ShapeError("there are no samples: at least one is needed")
    sizes = [array[0].size for array in given]
    rows, row = aligned(sum(sizes), -(-count // MULTIPLE) * MULTIPLE), 0
    for array, size in zip(given, sizes, strict=True):
        rows[row : row + size, :count] = array.reshape(count, size).T
        row += size
    rows[:, count:] = rows[:, count - 1 : count]
    return rows, count, tuple([array.shape[1:] for array in given])


def _doubles(array: Any) -> Any:
    found = np.asarray(array)
    if found.dtype.kind == "O":  # NumPy would take None for nan
        found = np.array([as_float(number) for number in found.flat]).reshape(found.shape)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"arrays of numbers are needed, not of {found.dtype}")
    return found.astype(float, copy=False)


def shaped(slopes: Any, shapes: tuple[Any, ...], samples: tuple[int, ...] = ()) -> Any:
    """Derivatives by each input in the shapes of a sample, after the number of `samples` where they are not summed."""
    found, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        own = np.asarray(slopes[start : start + size], dtype=float)
        start += size
        found.append(own.T.reshape((*samples, *shape)))
    return found[0] if len(found) == 1 else tuple(found)


def shapes(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shapes of floats and arrays of doubles; None in it for anything else."""
    return tuple(
        [
            arg.shape if type(arg) is np.ndarray and arg.dtype is _DOUBLE else () if type(arg) is float else None
            for arg in args
        ]
    )
