"""The Python backend, the reference for all others: it replays a tape in plain Python, and batches with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_bp.compiler import numpy_batches
from micrograd_bp.compiler.passes import Code


class Replay:
    """A program that applies the operations of a tape one after the other, each by its own Python function."""

    def __init__(self, code: Code) -> None:
        self.code = code
        tape = code.tape
        self._start = [tape.constants.get(index, 0.0) for index in range(len(tape))]
        self._steps: list[tuple[int, Callable[..., float], tuple[int, ...]]] = [
            (index, op.fn, args)
            for index, (op, args) in enumerate(zip(tape.ops, tape.args, strict=True))
            if op is not None
        ]

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """Return the results with the present parameters. Outside a domain they are nan or infinite, as in C."""
        tape, numbers = self.code.tape, self._start.copy()
        for index, parameter in tape.parameters.items():
            numbers[index] = parameter.data
        for index, x in zip(tape.inputs, inputs, strict=True):
            numbers[index] = x
        for index, fn, args in self._steps:
            if len(args) == 2:
                numbers[index] = fn(numbers[args[0]], numbers[args[1]])
            else:
                numbers[index] = fn(*[numbers[arg] for arg in args])
        return [numbers[index] for index in self.code.results]

    def batch(self, columns: Any, count: int, each: int, threads: int | None, p: Any) -> tuple[Any, Any]:
        """Return what `Machine.batch` returns; `threads` has no effect."""
        found = numpy_batches.run(self.code, columns[:, :count], count, p)
        return np.array(found[:each]), np.array([own.sum() for own in found[each:]])
