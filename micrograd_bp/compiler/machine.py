"""A tape as machine code: one sample at a time, or many, eight in the lanes of each operation and threads over blocks.

Imports passes, llvm, library and NumPy.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from micrograd_bp.compiler.library import PURE, Library, declarations
from micrograd_bp.compiler.llvm import program
from micrograd_bp.compiler.passes import Code, operations

LANES = 8
BLOCK = 1024  # samples for one thread; sums are taken in this order however many threads there are
_KINDS = (*[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)
_UNOPTIMISED = 5_000  # operations; optimising straight-line code takes more than linear time


class Machine:
    """Machine code for a tape: called with numbers as the replay is. Raises MissingExtraError without llvmlite."""

    def __init__(self, code: Code, fast_math: bool = False) -> None:
        self.code = code
        self.fast_math = fast_math
        self.inputs = len(code.tape.inputs)
        self.outputs = len(code.results)
        self._level = 0 if operations(code.tape) > _UNOPTIMISED else 2
        self._values = list(code.tape.parameters.values())
        self._libraries: list[Library] = []
        self._single = self._function("single", 1, self.outputs)
        self._many: dict[int, Any] = {}

    @property
    def code_bytes(self) -> int:
        """The size of the machine code so far."""
        return sum(library.code_bytes for library in self._libraries)

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """The results; parameters are read now."""
        x = np.array(inputs, dtype=float)
        found: list[float] = self.single(x).tolist()
        return found

    def single(self, x: Any) -> Any:
        """The results for a contiguous array of inputs, as an array."""
        out = np.empty(self.outputs)
        self._single(_pointer(x), _pointer(self.parameters()), _pointer(out), None, 1, 1)
        return out

    def parameters(self) -> Any:
        """The numbers of the parameters, now."""
        return np.array([p.data for p in self._values], dtype=float)

    def batch(self, columns: Any, each: int, threads: int | None = None) -> tuple[Any, Any]:
        """The first `each` results of every sample, a row for each result, and the sums of the others over samples.

        `columns` is a contiguous array, a row for each input. The sums do not depend on the number of threads.
        """
        if each not in self._many:
            self._many[each] = self._function("many", LANES, each)
        function = self._many[each]
        count = columns.shape[1] if self.inputs else 0
        groups = -(-count // LANES)
        padded = np.empty((self.inputs, groups * LANES))
        padded[:, :count] = columns
        padded[:, count:] = columns[:, -1:]
        out = np.empty((each, groups * LANES))
        blocks = range(0, groups, BLOCK // LANES)
        sums = np.zeros((len(blocks) + 1, self.outputs - each, LANES))
        p = self.parameters()

        def run(k: int, first: int, size: int) -> None:
            x, results = _pointer(padded, first * LANES), _pointer(out, first * LANES)
            function(x, _pointer(p), results, _pointer(sums[k]), size, groups * LANES)

        whole = count // LANES  # groups without a lane that only fills up
        tasks = [(k, first, min(BLOCK // LANES, whole - first)) for k, first in enumerate(blocks)]
        workers = min(threads or os.cpu_count() or 1, len(tasks))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(lambda task: run(*task), tasks))
        else:
            for task in tasks:
                run(*task)
        if whole < groups:
            run(len(blocks), whole, 1)
            sums[-1, :, count % LANES :] = 0.0
        return out[:, :count], sums.sum(axis=0).sum(axis=1)

    def _function(self, name: str, lanes: int, each: int) -> Any:
        text, called = program(self.code, name, lanes, each, self.fast_math)
        library = Library("\n".join([text, declarations(called, lanes), PURE, ""]), self._level)
        self._libraries.append(library)
        return library.function(name, *_KINDS)


def _pointer(array: Any, first: int = 0) -> int:
    address: int = array.ctypes.data + 8 * first
    return address
