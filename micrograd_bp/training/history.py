"""`History`: what a training did, and what it needs to go on; as a file."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograd_bp.errors import StateError
from micrograd_bp.training.optim import Optimiser

_FORMAT, _VERSION = "micrograd_bp training", 1


@dataclass
class History:
    """What `fit` did, epoch by epoch, and what it needs to go on.

    `cost`           the mean loss over the epoch's samples, each before the step that it led to, penalty included
    `gradient_norm`  the length of the gradient of the epoch's last batch
    `rate`           the step size of the epoch's last step
    `stopped`        why it ended: "epochs", "cost", "gradient", "callback" or "interrupted"
    `state`          what `fit(..., resume=history)` continues from
    """

    cost: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    stopped: str = "epochs"
    state: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def epochs(self) -> int:
        """The number of epochs that were trained."""
        return len(self.cost)

    def save(self, path: str | Path) -> Path:
        """Write the history with its state, the model's parameters included, to a JSON file; returns the path."""
        path = Path(path)
        content = {"format": _FORMAT, "version": _VERSION, **vars(self)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read what `save` wrote. Raises StateError where the file is none such."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise StateError(f"{path} is not a file of saved training: {error}") from None
        if not isinstance(content, dict) or (content.pop("format", 0), content.pop("version", 0)) != (
            _FORMAT,
            _VERSION,
        ):
            raise StateError(f"{path} is not a file of saved training of version {_VERSION}")
        if set(content) != {"cost", "gradient_norm", "rate", "stopped", "state"}:
            raise StateError(f"{path} is not a file of saved training: it has {', '.join(content)}")
        return cls(**content)


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
