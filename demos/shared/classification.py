"""What the classifiers share: labelled data, their division into two parts, and the confusion matrix."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Data(NamedTuple):
    """Samples, each a list of numbers, and the class of each, an index."""

    X: list[list[float]]
    Y: list[int]


def split(data: Data, seed: int, share: float = 0.2) -> tuple[Data, Data]:
    """Return training and test data: the samples are shuffled, and `share` of them, rounded, are test data."""
    order = random.Random(seed).sample(range(len(data.X)), len(data.X))
    held = round(share * len(order))

    def part(indices: Sequence[int]) -> Data:
        return Data([data.X[i] for i in indices], [data.Y[i] for i in indices])

    return part(order[held:]), part(order[:held])


def confusion(predicted: Sequence[int], true: Sequence[int], classes: int) -> NDArray[np.int64]:
    """Return the matrix that counts how often class i (the line) was taken for class j (the column).

    >>> confusion([0, 1, 1], [0, 0, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    counted = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counted, (list(true), list(predicted)), 1)
    return counted
