"""Losses of one sample, and their mean.

A loss takes the outputs of a model (a Value or a sequence of n) and the targets (a number or n of them), and returns a
Value, or a float for outputs that are floats. `mean` combines the losses of samples into the cost. `LOSSES` maps names
to losses. A loss raises ShapeError where there is not one target per output.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from micrograd_bp import ops
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import as_float, short

__all__ = [
    "LOSSES",
    "binary_cross_entropy",
    "cross_entropy",
    "half_squared_error",
    "hinge",
    "l2_penalty",
    "loss_function",
    "mean",
    "mean_squared_error",
    "squared_error",
]

Loss = Callable[[Any, Any], Any]
Sample = tuple[Any, Any]  # input and target


def half_squared_error(outputs: Any, targets: Any) -> Any:
    """Return 1/2 Σ_j (y_j − a_j)², which is (COSTt) in the first tutorial and L in the second.

    >>> half_squared_error([0.5, 0.0], [1.0, 0.0])
    0.125
    """
    return 0.5 * squared_error(outputs, targets)


def squared_error(outputs: Any, targets: Any) -> Any:
    """Return Σ_j (a_j − y_j)², the quadratic cost of the third tutorial, equations (1) and (2).

    >>> squared_error(0.5, 1.0)
    0.25
    """
    return _total(ops.square(a - y) for a, y in _pairs(outputs, targets))


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """Return 1/n Σ_j (a_j − y_j)² over the n outputs."""
    return squared_error(outputs, targets) / len(_sequence(outputs))


def binary_cross_entropy(logit: Any, target: Any) -> Any:
    """Return −y ln σ(z) − (1 − y) ln (1 − σ(z)) for the logit z (the input of the sigmoid) and a target y from 0 to 1.

    It keeps its digits for every z: it is softplus(−z) for y = 1, not softplus(z) − z. Raises ValueError for a target
    outside [0, 1].

    >>> round(binary_cross_entropy(0.0, 1.0), 6), binary_cross_entropy(-1000.0, 1.0)
    (0.693147, 1000.0)
    """
    ((z, y),) = _pairs(logit, target)
    if isinstance(y, float):
        if not 0.0 <= y <= 1.0:
            raise ValueError(f"the target of a binary cross-entropy is a number from 0 to 1, not {y!r}")
        if y in (0.0, 1.0):
            return ops.softplus(-z if y else z)
    return (1.0 - y) * ops.softplus(z) + y * ops.softplus(-z)


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """Return −Σ_j y_j ln p_j for the probabilities p_j = exp(z_j) / Σ_k exp(z_k), the softmax of the logits z.

    The target is the index of a class or a sequence of probabilities y, whose sum is 1 to six digits. For a class c it
    is ln(1 + Σ exp(z_j − z_c)) over the others, summed by `logaddexp`. All terms are positive, so that it neither
    overflows nor loses digits, and unlike a subtraction of the largest logit it holds for a graph that is replayed with
    other numbers. Logits may be −inf. Raises ValueError for any other target, ShapeError where there are no logits or
    not one target for each.

    >>> round(cross_entropy([1.0, 2.0, 3.0], 2), 6), cross_entropy([1000.0, 0.0], 1), cross_entropy([0.0, 50.0], 1)
    (0.407606, 1000.0, 1.9287498479639178e-22)
    """
    scores = _sequence(logits)
    if not scores:
        raise ShapeError("a cross-entropy needs a logit for each class", "at least one", "none")
    if isinstance(target, Integral) and not isinstance(target, bool):
        index = int(target)
        if not 0 <= index < len(scores):
            raise ValueError(
                f"class {target} does not exist: the {len(scores)} classes are numbered from 0 to {len(scores) - 1}"
            )
        return _log_total([z - scores[index] for j, z in enumerate(scores) if j != index], scores[index])
    weights = [y for _, y in _pairs(scores, target)]
    base, total = _checked_probabilities(weights)
    others = [(z - scores[base], y) for j, (z, y) in enumerate(zip(scores, weights, strict=True)) if j != base]
    log_total = _log_total([d for d, _ in others], scores[base])
    if isinstance(total, Operand) or total != 1.0:
        log_total = total * log_total
    for difference, y in others:
        if isinstance(y, Operand) or y != 0.0:
            log_total = log_total - y * difference
    return log_total


def _log_total(differences: Sequence[Any], base: Any) -> Any:
    """Return ln(1 + Σ exp(d)) over the differences d of the other logits from the logit `base`."""
    if not differences:
        return base - base
    log_total = ops.softplus(differences[0])
    for difference in differences[1:]:
        log_total = ops.logaddexp(log_total, difference)
    return log_total


def _checked_probabilities(weights: Sequence[Any]) -> tuple[int, Any]:
    """Return the index of the largest of the probabilities and their sum.

    Measured from the logit of the largest, the terms of a cross-entropy do not cancel. The numbers of a tape are not
    compared or checked: the index is 0.
    """
    numbers = [y for y in weights if isinstance(y, float)]
    if len(numbers) < len(weights):
        return 0, _total(weights)
    total = math.fsum(numbers) if min(numbers) >= 0.0 else math.nan
    if not math.fabs(total - 1.0) <= 1e-6:
        raise ValueError(
            "the target of a cross-entropy is the index of a class or a probability for each class, from 0 to 1 with "
            f"the sum 1, not {short(numbers)}"
        )
    return numbers.index(max(numbers)), total


def hinge(scores: Any, targets: Any) -> Any:
    """Return Σ_j max(0, 1 − y_j s_j) for scores s and targets y of −1 or 1. Raises ValueError for other targets.

    >>> hinge(0.25, -1.0)
    1.25
    """
    pairs = _pairs(scores, targets)
    for _, y in pairs:
        if isinstance(y, float) and y not in (-1.0, 1.0):
            raise ValueError(f"the target of a hinge loss is −1 or 1, not {y!r}")
    return _total(ops.relu(1.0 - y * s) for s, y in pairs)


def l2_penalty(parameters: Iterable[Any], strength: float) -> Any:
    """Return strength · Σ p² over the parameters p.

    >>> l2_penalty([1.0, -2.0], 0.5)
    2.5
    """
    return as_float(strength) * _total(ops.square(p) for p in parameters)


def mean(losses: Iterable[Any]) -> Any:
    """Return the mean of losses; the mean of half squared errors is (COST) in the first tutorial.

    >>> mean([1.0, 2.0])
    1.5
    """
    every = list(losses)
    return _total(every) / len(every)


LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (half_squared_error, squared_error, mean_squared_error, binary_cross_entropy, cross_entropy, hinge)
}
"""The losses by name."""


def loss_function(loss: str | Loss) -> Loss:
    """Return the loss of that name; a function is returned as it is.

    Raises ValueError for an unknown name, TypeError for anything that is neither a str nor callable.
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(
                f"there is no loss {loss!r}; give {', '.join(LOSSES)}, or a function of outputs and targets"
            )
        return LOSSES[loss]
    if not callable(loss):
        raise TypeError(f"a loss is a name or a function, not {type(loss).__name__}")
    return loss


def _total(terms: Iterable[Any]) -> Any:
    every = list(terms)
    if not every:
        raise ShapeError("the loss or mean of no numbers is not defined: give at least one", "at least one", "none")
    total = every[0]
    for term in every[1:]:
        total = total + term
    return total


def _sequence(values: Any) -> list[Any]:
    if isinstance(values, Operand) or not hasattr(values, "__len__"):
        return [values if isinstance(values, Operand) else as_float(values)]
    if isinstance(values, (str, bytes, Mapping)):
        raise TypeError(f"outputs and targets are numbers, Values or sequences of them, not {type(values).__name__}")
    return [value if isinstance(value, Operand) else as_float(value) for value in values]


def _pairs(outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    got, wanted = _sequence(outputs), _sequence(targets)
    if len(got) != len(wanted):
        raise ShapeError(
            f"there are {len(got)} outputs and {len(wanted)} targets: give one target per output",
            f"{len(got)} targets",
            f"{len(wanted)} targets",
        )
    return list(zip(got, wanted, strict=True))
