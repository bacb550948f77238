"""Initialisers: functions `(rng, n_inputs, n_outputs) -> float` that draw one weight, and functions that make them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

Initialiser = Callable[[random.Random, int, int], float]


def _check_finite(**numbers: float) -> None:
    for name, x in numbers.items():
        if not math.isfinite(x):
            raise ValueError(f"{name} must be finite, not {x!r}")


def uniform(low: float = -1.0, high: float = 1.0) -> Initialiser:
    """Return an initialiser with the uniform distribution on [low, high]; the XOR tutorial uses `uniform(0, 1)`.

    >>> uniform(0.0, 1.0)(random.Random(1), 2, 1)
    0.13436424411240122
    """
    _check_finite(low=low, high=high)
    return lambda rng, n_inputs, n_outputs: rng.uniform(low, high)


def normal(std: float = 1.0, mean: float = 0.0) -> Initialiser:
    """Return an initialiser with the normal distribution of the given standard deviation and mean."""
    _check_finite(std=std, mean=mean)
    return lambda rng, n_inputs, n_outputs: rng.gauss(mean, std)


def constant(value: float = 0.0) -> Initialiser:
    """Return an initialiser that gives `value` to every parameter.

    >>> constant(0.5)(random.Random(1), 2, 1)
    0.5
    """
    _check_finite(value=value)
    return lambda rng, n_inputs, n_outputs: float(value)


def xavier(rng: random.Random, n_inputs: int, n_outputs: int) -> float:
    """Draw uniformly with variance 2 / (n_inputs + n_outputs), for tanh and sigmoid (Glorot and Bengio 2010)."""
    limit = math.sqrt(6.0 / (n_inputs + n_outputs))
    return rng.uniform(-limit, limit)


def he(rng: random.Random, n_inputs: int, n_outputs: int) -> float:
    """Draw normally with variance 2 / n_inputs, for relu and similar activations (He et al. 2015)."""
    return rng.gauss(0.0, math.sqrt(2.0 / n_inputs))


INITIALISERS: dict[str, Initialiser] = {"uniform": uniform(), "normal": normal(), "xavier": xavier, "he": he}


def initialiser(init: str | Initialiser) -> Initialiser:
    """Return the initialiser of a name; return a function unchanged. Raise ValueError for an unknown name."""
    if callable(init):
        return init
    if init not in INITIALISERS:
        raise ValueError(
            f"no initialiser {init!r}; there are {', '.join(INITIALISERS)}, or a function (rng, n_in, n_out)"
        )
    return INITIALISERS[init]
