"""The settings of a training, checked before it begins. Imports optim, nn and op."""

from __future__ import annotations

import math
from typing import Any

from micrograd_bp.nn import Module
from micrograd_bp.op import as_float, short
from micrograd_bp.optim import OPTIMISERS, Optimiser


def optimiser_for(optimiser: str | Optimiser, learning_rate: float, model: Any) -> Optimiser:
    """The optimiser of that name for the model, or the one that is given."""
    if isinstance(optimiser, Optimiser):
        return optimiser
    if not isinstance(optimiser, str):
        raise TypeError(f"an optimiser is a name or an Optimiser, not {type(optimiser).__name__}")
    if optimiser not in OPTIMISERS:
        raise ValueError(f"no optimiser {optimiser!r}; there are {', '.join(OPTIMISERS)}, or an Optimiser")
    if not isinstance(model, Module):
        raise TypeError("a model that is no Module has no parameters(): give an Optimiser of its parameters")
    return OPTIMISERS[optimiser](model.parameters(), learning_rate)


def check_settings(l2: object, **others: object) -> None:
    """ValueError for what is not finite or too small; stops and clip may be None."""
    if not 0.0 <= as_float(l2) < math.inf:
        raise ValueError(f"l2 is a finite number from 0, not {l2!r}")
    for name, number in others.items():
        if number is not None and not 0.0 < as_float(number) < math.inf:
            raise ValueError(f"{name} is a finite number above 0, not {number!r}")


def whole_number(name: str, count: object) -> int:
    """TypeError or ValueError for what is no whole number from 1."""
    if isinstance(count, bool) or not isinstance(count, int):
        also = ' or "full"' if name == "batch" else ""
        raise TypeError(f"{name} is a whole number{also}, not {short(count)}")
    if count < 1:
        raise ValueError(f"{name} is at least 1, not {count}")
    return count
