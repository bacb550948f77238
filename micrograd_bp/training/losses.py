"""Losses of one sample, and their mean.

Each takes what a network gives, a Value or a sequence of them, and what it should give; the result is a Value, or
a float where only floats went in. `mean` makes the cost of several samples; `LOSSES` has the losses by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from micrograd_bp import ops
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import as_float

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
Sample = tuple[Any, Any]  # what a model is given, and what it should give


def half_squared_error(outputs: Any, targets: Any) -> Any:
    """1/2 Σ_j (y_j − a_j)²: (COSTt) of the first tutorial, L of the second.

    >>> half_squared_error([0.5, 0.0], [1.0, 0.0])
    0.125
    """
    return 0.5 * squared_error(outputs, targets)


def squared_error(outputs: Any, targets: Any) -> Any:
    """Σ_j (a_j − y_j)²: the quadratic cost of the third tutorial, equations (1) and (2).

    >>> squared_error(0.5, 1.0)
    0.25
    """
    return _total(ops.square(a - y) for a, y in _pairs(outputs, targets))


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """1/n Σ_j (a_j − y_j)² over the n outputs."""
    return squared_error(outputs, targets) / len(_sequence(outputs))


def binary_cross_entropy(logit: Any, target: Any) -> Any:
    """−y ln σ(z) − (1 − y) ln (1 − σ(z)) from the logit z, before the sigmoid, for y from 0 to 1; finite for every z.

    >>> round(binary_cross_entropy(0.0, 1.0), 6), binary_cross_entropy(-1000.0, 1.0)
    (0.693147, 1000.0)
    """
    ((z, y),) = _pairs(logit, target)
    if isinstance(y, float) and not 0.0 <= y <= 1.0:
        raise ValueError(f"the target of a binary cross-entropy is from 0 to 1, not {y!r}")
    return ops.softplus(z) - y * z


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """ln Σ_j exp(z_j) − Σ_j y_j z_j from the logits z, before any softmax, for probabilities y or the index of a class.

    Nothing is subtracted for the sake of stability that a recorded graph would freeze: ln(e^a + e^b) is a +
    softplus(b − a).

    >>> round(cross_entropy([1.0, 2.0, 3.0], 2), 6), cross_entropy([1000.0, 0.0], 1)
    (0.407606, 1000.0)
    """
    scores = _sequence(logits)
    if not scores:
        raise ShapeError("a cross-entropy needs a logit for each class", "at least one", "none")
    if isinstance(target, Integral) and not isinstance(target, bool):
        place = int(target)
        if not 0 <= place < len(scores):
            raise ValueError(f"class {target} of {len(scores)}: they are numbered from 0 to {len(scores) - 1}")
        target = [float(j == place) for j in range(len(scores))]
    log_total = scores[0]
    for z in scores[1:]:
        log_total = log_total + ops.softplus(z - log_total)
    return log_total - _total(y * z for z, y in _pairs(scores, target) if isinstance(y, Operand) or y != 0.0)


def hinge(scores: Any, targets: Any) -> Any:
    """Σ_j max(0, 1 − y_j s_j) for targets of −1 and 1.

    >>> hinge(0.25, -1.0)
    1.25
    """
    pairs = _pairs(scores, targets)
    for _, y in pairs:
        if isinstance(y, float) and y not in (-1.0, 1.0):
            raise ValueError(f"the target of a hinge loss is −1 or 1, not {y!r}")
    return _total(ops.relu(1.0 - y * s) for s, y in pairs)


def l2_penalty(parameters: Iterable[Any], strength: float) -> Any:
    """strength · Σ p².

    >>> l2_penalty([1.0, -2.0], 0.5)
    2.5
    """
    return as_float(strength) * _total(ops.square(p) for p in parameters)


def mean(losses: Iterable[Any]) -> Any:
    """Their mean: of half squared errors (COST) of the first tutorial.

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
    """The loss of a name; a function is given back as it is.

    Raises ValueError for an unknown name, TypeError for what is neither.
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}, or any function of outputs and targets")
        return LOSSES[loss]
    if not callable(loss):
        raise TypeError(f"a loss is a name or a function, not {type(loss).__name__}")
    return loss


def _total(terms: Iterable[Any]) -> Any:
    every = list(terms)
    if not every:
        raise ShapeError("a loss of nothing: at least one number is needed", "at least one", "none")
    total = every[0]
    for term in every[1:]:
        total = total + term
    return total


def _sequence(values: Any) -> list[Any]:
    if isinstance(values, Operand) or not hasattr(values, "__len__"):
        return [values if isinstance(values, Operand) else as_float(values)]
    if isinstance(values, (str, bytes, Mapping)):
        raise TypeError(f"numbers or Values are needed, not {type(values).__name__}")
    return [value if isinstance(value, Operand) else as_float(value) for value in values]


def _pairs(outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    got, wanted = _sequence(outputs), _sequence(targets)
    if len(got) != len(wanted):
        raise ShapeError(
            f"{len(got)} outputs and {len(wanted)} targets: a target for each output is needed",
            f"{len(got)} targets",
            f"{len(wanted)} targets",
        )
    return list(zip(got, wanted, strict=True))
