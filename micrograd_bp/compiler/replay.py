"""A tape replayed in plain Python: the reference for every other backend; batches by NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_bp.compiler import numpy_batches
from micrograd_bp.compiler.passes import Code


class Replay:
    """The steps of a tape, taken one after the other by the rows' own functions."""

    def __init__(self, code: Code) -> None:
        self.code = code
        tape = code.tape
        self._start = [tape.constants.get(place, 0.0) for place in range(len(tape))]
        self._steps: list[tuple[int, Callable[..., float], tuple[int, ...]]] = [
            (place, op.fn, args)
            for place, (op, args) in enumerate(zip(tape.ops, tape.args, strict=True))
            if op is not None
        ]

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """The results; parameters are read now. Outside a domain they are nan or infinite, as in C."""
        tape, numbers = self.code.tape, self._start.copy()
        for place, parameter in tape.parameters.items():
            numbers[place] = parameter.data
        for place, x in zip(tape.inputs, inputs, strict=True):
            numbers[place] = x
        for place, fn, args in self._steps:
            if len(args) == 2:
                numbers[place] = fn(numbers[args[0]], numbers[args[1]])
            else:
                numbers[place] = fn(*[numbers[arg] for arg in args])
        return [numbers[place] for place in self.code.results]

    def batch(self, rows: Any, count: int, each: int, threads: int | None, p: Any) -> tuple[Any, Any]:
        """As `Machine.batch`, without threads."""
        found = numpy_batches.run(self.code, rows[:, :count], count, p)
        return np.array(found[:each]), np.array([own.sum() for own in found[each:]])
