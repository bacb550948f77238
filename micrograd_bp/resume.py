"""What a training is gone on from: parameters, the optimiser's state, the generator that shuffles.

Imports optim, history and errors.
"""

from __future__ import annotations

import random
from typing import Any

from micrograd_bp.errors import StateError
from micrograd_bp.history import History
from micrograd_bp.optim import Optimiser


def state_of(steps: Optimiser, shuffle: random.Random) -> dict[str, Any]:
    """All of it, as JSON can hold it."""
    version, numbers, gauss = shuffle.getstate()
    return {
        "parameters": [p.data for p in steps.parameters],
        "optimiser": steps.state_dict(),
        "shuffle": [version, list(numbers), gauss],
    }


def restore(state: dict[str, Any], steps: Optimiser, shuffle: random.Random) -> None:
    """Back to `state`. Raises StateError, KeyError, TypeError or ValueError where it does not fit."""
    version, numbers, gauss = state["shuffle"]
    steps.load_state_dict(state["optimiser"])
    shuffle.setstate((version, tuple(numbers), gauss))
    for p, x in zip(steps.parameters, state["parameters"], strict=True):
        p.data = x


def resume_from(history: History, steps: Optimiser, shuffle: random.Random) -> None:
    """Continue from a history's state. Raises StateError, nothing changed, where it does not fit."""
    if not history.state:
        return
    before = state_of(steps, shuffle)
    try:
        restore(history.state, steps, shuffle)
    except (KeyError, TypeError, ValueError) as error:
        restore(before, steps, shuffle)
        raise StateError(f"the history's state does not fit this model and optimiser: {error}") from None
