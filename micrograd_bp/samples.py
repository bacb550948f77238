"""Samples and targets as `fit` takes them, checked and made plain. Imports op and errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrograd_bp.errors import ShapeError
from micrograd_bp.op import Operand, as_float

Sample = tuple[Any, Any]


def paired(X: Sequence[Any], Y: Sequence[Any]) -> list[Sample]:
    """(x, y) for each sample, NumPy rows as lists.

    Raises TypeError for what is no sequence of numbers, ShapeError for other lengths, ValueError for nan and inf.
    """
    for name, data in (("X", X), ("Y", Y)):
        if not hasattr(data, "__len__") or isinstance(data, (str, bytes, dict, set)):
            raise TypeError(f"{name} is a sequence, one entry for each sample, not {type(data).__name__}")
    if len(X) != len(Y):
        raise ShapeError(f"{len(X)} samples in X and {len(Y)} in Y", f"{len(X)} targets", f"{len(Y)} targets")
    if not len(X):
        raise ShapeError("X is empty: at least one sample is needed", "at least one sample", "none")
    samples = [(_plain(x), _plain(y)) for x, y in zip(X, Y, strict=True)]
    for name, place in (("X", 0), ("Y", 1)):
        for i, sample in enumerate(samples):
            for number in _numbers(sample[place]):
                if not math.isfinite(number):
                    raise ValueError(f"{name}[{i}] has {number!r}; data are finite numbers")
    return samples


def _plain(entry: Any) -> Any:
    """NumPy rows as lists: one conversion instead of one for each use."""
    return entry.tolist() if hasattr(entry, "tolist") else entry


def _numbers(entry: Any) -> list[float]:
    if isinstance(entry, Operand):
        raise TypeError("data are plain numbers, not Values: what is trained are the model's parameters")
    return [as_float(x) for x in entry] if hasattr(entry, "__len__") else [as_float(entry)]
