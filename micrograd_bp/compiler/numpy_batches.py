"""Batches on NumPy arrays: the Python backend's computation, and the array layout that machine code reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from micrograd_bp.compiler.array_libraries import evaluate, numpy_arrays
from micrograd_bp.compiler.passes import Code
from micrograd_bp.engine.node import RECORDING, refuse_while_recording
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.reals import as_float

MULTIPLE = 64  # samples; the arrays of a batch are padded to a multiple of it
_DOUBLE = np.dtype(float)
_DATA = attrgetter("_data")  # faster than the property `data`


def numbers_of(code: Code, given: Any = None) -> Any:
    """Return the present numbers of the parameters, or `given` as an array. ShapeError for another length."""
    parameters = code.tape.parameters
    if given is None:
        if RECORDING and parameters:
            refuse_while_recording(next(iter(parameters.values())))
        return np.fromiter(map(_DATA, parameters.values()), float, len(parameters))
    found = np.ascontiguousarray(_doubles(given))
    if found.shape != (len(parameters),):
        raise ShapeError(
            f"parameters is an array of {len(parameters)} numbers, one per parameter, not of shape {found.shape}"
        )
    return found


def run(code: Code, inputs: Sequence[Any], count: int, parameters: Any) -> list[Any]:
    """Return the results for inputs that are arrays of `count` numbers each, in the same form."""
    with np.errstate(all="ignore"):
        found = evaluate(code, numpy_arrays(), inputs, parameters.tolist())
    return [np.broadcast_to(np.asarray(x, dtype=float), (count,)) for x in found]


def aligned(*shape: int) -> Any:
    """Return zeros that begin at a multiple of 64 bytes, so that no vector of eight doubles crosses a cache line."""
    size = math.prod(shape)
    memory = np.zeros(size + 7)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + size].reshape(shape)


def columns(arrays: tuple[Any, ...]) -> tuple[Any, int, tuple[Any, ...]]:
    """Return an array of shape (inputs, samples), the number of samples, and the shapes of one sample's arguments.

    Zeros follow up to a multiple of `MULTIPLE`, so that machine code computes whole groups of lanes.
    Raises ShapeError for arrays without a first axis, of different lengths or empty.
    """
    given = [_doubles(array) for array in arrays]
    if not given or any(array.ndim == 0 for array in given) or len({len(array) for array in given}) != 1:
        shapes = ", ".join(str(array.shape) for array in given)
        raise ShapeError(
            f"the arguments are arrays with the samples along the first axis, all equally long; the shapes are {shapes}"
        )
    count = len(given[0])
    if not count:
        raise ShapeError("the arrays are empty: at least one sample is needed")
    sizes = [array[0].size for array in given]
    rows, row = aligned(sum(sizes), -(-count // MULTIPLE) * MULTIPLE), 0
    for array, size in zip(given, sizes, strict=True):
        rows[row : row + size, :count] = array.reshape(count, size).T
        row += size
    return rows, count, tuple([array.shape[1:] for array in given])


def _doubles(array: Any) -> Any:
    found = np.asarray(array)
    if found.dtype.kind == "O":  # NumPy would take None for nan
        found = np.array([as_float(number) for number in found.flat]).reshape(found.shape)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"the arguments are arrays of numbers, not of {found.dtype}")
    return found.astype(float, copy=False)


def shaped(slopes: Any, shapes: tuple[Any, ...], samples: tuple[int, ...] = ()) -> Any:
    """Return the derivatives by the inputs as one array per argument, of shape (*samples, *shape of the argument)."""
    found, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        own = np.asarray(slopes[start : start + size], dtype=float)
        start += size
        found.append(own.T.reshape((*samples, *shape)))
    return found[0] if len(found) == 1 else tuple(found)


def shapes(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the shapes of floats and arrays of doubles, with None for any other argument."""
    return tuple(
        [
            arg.shape if type(arg) is np.ndarray and arg.dtype is _DOUBLE else () if type(arg) is float else None
            for arg in args
        ]
    )
