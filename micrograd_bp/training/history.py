"""`History`: the record of a training and the state needed to resume it, in memory and as a JSON file."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograd_bp import files
from micrograd_bp.errors import StateError
from micrograd_bp.ops.reals import as_float, short
from micrograd_bp.training.optim import Optimiser

_FORMAT, _VERSION = "micrograd_bp training", 1


@dataclass
class History:
    """The record of a training, epoch by epoch, and the state needed to resume it.

    `cost`           the mean loss over the epoch's samples, with the l2 penalty; each batch counts before its step
    `gradient_norm`  the length of the gradient of the epoch's last batch
    `rate`           the learning rate of the epoch's last step, schedule included
    `stopped`        the reason of the end: "epochs", "cost", "gradient", "callback" or "interrupted"
    `state`          the state needed to resume training: `fit(..., resume=history)` continues from it
    """

    cost: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    stopped: str = "epochs"
    state: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def epochs(self) -> int:
        """The number of completed epochs."""
        return len(self.cost)

    def cut(self, epochs: int) -> None:
        """Forget the epochs after the first `epochs`."""
        for numbers in (self.cost, self.gradient_norm, self.rate):
            del numbers[epochs:]

    def save(self, path: str | Path) -> Path:
        """Write the history, its state and the model's parameters to a JSON file, and return the path.

        The file is replaced as a whole or not at all, so that a callback may save the history after each epoch.
        """
        return files.write(path, files.as_json({"format": _FORMAT, "version": _VERSION, **vars(self)}))

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Return the history that `save` wrote. Raises StateError for any other file."""
        try:
            content = files.read_json(path)
        except (ValueError, RecursionError) as error:
            raise StateError(f"{path} is not a file of saved training: {error}") from None
        if not isinstance(content, dict) or (content.pop("format", 0), content.pop("version", 0)) != (
            _FORMAT,
            _VERSION,
        ):
            raise StateError(f"{path} is not a file of saved training of version {_VERSION}")
        if set(content) != {"cost", "gradient_norm", "rate", "stopped", "state"}:
            raise StateError(f"{path} is not a file of saved training: it has the entries {', '.join(content)}")
        lists = [content[name] for name in ("cost", "gradient_norm", "rate")]
        if not all(isinstance(numbers, list) and len(numbers) == len(lists[0]) for numbers in lists):
            raise StateError(f"{path}: cost, gradient_norm and rate are lists of one number per epoch")
        if not isinstance(content["stopped"], str) or not isinstance(content["state"], dict):
            raise StateError(f"{path}: stopped is a word, and state an object")
        try:
            content |= {name: [as_float(x) for x in content[name]] for name in ("cost", "gradient_norm", "rate")}
        except (TypeError, OverflowError) as error:
            raise StateError(f"{path}: cost, gradient_norm and rate are lists of numbers: {error}") from None
        return cls(**content)


def state_of(optimiser: Optimiser, shuffle: random.Random) -> dict[str, Any]:
    """Return the state needed to resume training, as JSON data: parameters, optimiser, random numbers."""
    version, numbers, gauss = shuffle.getstate()
    return {
        "parameters": [p.data for p in optimiser.parameters],
        "optimiser": optimiser.state_dict(),
        "shuffle": [version, list(numbers), gauss],
    }


def restore(state: dict[str, Any], optimiser: Optimiser, shuffle: random.Random) -> None:
    """Set the parameters, the optimiser and the random numbers to what `state_of` returned."""
    version, numbers, gauss = state["shuffle"]
    optimiser.load_state_dict(state["optimiser"])
    shuffle.setstate((version, tuple(numbers), gauss))
    for p, x in zip(optimiser.parameters, state["parameters"], strict=True):
        p.data = x


def completed(epochs: Callable[[], str], optimiser: Optimiser, shuffle: random.Random, history: History) -> str:
    """Call `epochs`, which trains and extends the history, and return its reason to stop, "" without one.

    Where it is interrupted or fails, everything is as it was before. Ctrl-C is the reason "interrupted".
    """
    before, state, done = state_of(optimiser, shuffle), history.state, history.epochs
    try:
        reason = epochs()
        history.state = state_of(optimiser, shuffle)
    except BaseException as error:
        restore(before, optimiser, shuffle)
        history.cut(done)
        history.state = state
        if not isinstance(error, KeyboardInterrupt):
            raise
        return "interrupted"
    return reason


def resume_from(history: History, optimiser: Optimiser, shuffle: random.Random) -> None:
    """Continue from a history's state. Raise StateError, and change nothing, where it does not fit or is damaged."""
    if not history.state:
        return
    before = state_of(optimiser, shuffle)
    try:
        _check(history.state, len(optimiser.parameters))
        restore(history.state, optimiser, shuffle)
    except Exception as error:  # an optimiser of the user's may raise anything
        restore(before, optimiser, shuffle)
        raise StateError(f"the history's state does not fit this model and optimiser: {error}") from error


def _check(state: dict[str, Any], size: int) -> None:
    """Raise an error for a state with another number of parameters, or with nan where numbers are needed."""
    missing = {"parameters", "optimiser", "shuffle"} - set(state)
    if missing:
        raise ValueError(f"it has no {', '.join(sorted(missing))}")
    parameters, (_, _, gauss) = state["parameters"], state["shuffle"]
    if not isinstance(parameters, list) or len(parameters) != size:
        raise ValueError(f"it has not the {size} parameters of the model, but {short(parameters)}")
    for index, x in enumerate(parameters):
        if not math.isfinite(as_float(x)):
            raise ValueError(f"parameter {index} is {x!r}, not a finite number")
    for name, numbers in state["optimiser"].items():
        if isinstance(numbers, list) and any(x != x for x in numbers):
            raise ValueError(f"{name} of the optimiser contains nan")
    if gauss is not None:
        as_float(gauss)
