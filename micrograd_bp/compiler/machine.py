"""A tape as machine code: one sample at a time, or many, in the lanes of each operation, threads over blocks of them.

Up to 5,000 operations it is compiled as it stands, eight samples at a time; beyond that it is interpreted. Imports
passes, llvm, library, interpreter and NumPy.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import numpy as np

from micrograd_bp.compiler.interpreter import Interpreter
from micrograd_bp.compiler.library import PURE, Library, declarations
from micrograd_bp.compiler.llvm import program
from micrograd_bp.compiler.passes import Code, operations

LANES = 8
BLOCK = 1024  # samples for one thread; sums are taken in this order however many threads there are
STRAIGHT = 5_000  # operations; beyond that the time LLVM takes for straight-line code grows faster than they do
_NO_NUMBERS = np.empty(0)
_DATA = attrgetter("_data")  # the property costs a call of Python each
_KINDS = (*[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)


class Straight:
    """A tape compiled as it stands: the first `each` results are stored, the others added up over the samples."""

    def __init__(self, code: Code, each: int, lanes: int, fast_math: bool) -> None:
        self.lanes = lanes
        self._sums = len(code.results) - each
        text, called = program(code, "program", lanes, each, fast_math)
        self.library = Library("\n".join([text, declarations(called, lanes), PURE, ""]))
        self._function = self.library.function("program", *_KINDS)

    def run(self, x: int, p: Any, out: int, sums: Any, count: int, stride: int) -> None:
        """`count` samples; what is stored goes on to the end of a group of lanes. `sums` None: nothing is added up."""
        lanes, whole = self.lanes, count // self.lanes
        if sums is None:
            self._function(x, _pointer(p), out, None, -(-count // lanes), stride)
            return
        lanewise = np.zeros((2, self._sums, lanes))
        self._function(x, _pointer(p), out, _pointer(lanewise), whole, stride)
        if rest := count % lanes:
            done = 8 * whole * lanes
            self._function(x + done, _pointer(p), out + done, _pointer(lanewise[1]), 1, stride)
            lanewise[1, :, rest:] = 0.0
        sums += lanewise.sum(axis=0).sum(axis=1)


class Machine:
    """Machine code for a tape: called with numbers as the replay is. Raises MissingExtraError without llvmlite."""

    def __init__(self, code: Code, fast_math: bool = False) -> None:
        self.code = code
        self.inputs = len(code.tape.inputs)
        self.outputs = len(code.results)
        self._fast_math = fast_math
        self._values = list(code.tape.parameters.values())
        self._memory = threading.local()
        self._runners: dict[tuple[int, bool], Straight | Interpreter] = {}

    @property
    def code_bytes(self) -> int:
        """The size of the machine code so far."""
        return sum(runner.library.code_bytes for runner in self._runners.values())

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """The results; parameters are read now."""
        found: list[float] = self.single([np.asarray(inputs, dtype=float)]).tolist()
        return found

    def single(self, parts: Sequence[Any]) -> Any:
        """The results for floats and arrays that together are the inputs, as an array."""
        work = self._work
        start = 0
        for part in parts:
            size = 1 if type(part) is float else part.size
            work.x[start : start + size] = part if size == 1 or part.ndim == 1 else part.ravel()
            start += size
        self._runner(self.outputs, True).run(work.at, self.parameters(), work.out_at, None, 1, 1)
        return work.out.copy()

    @property
    def _work(self) -> Any:
        """Memory for one sample, kept, because telling C where an array lies takes Python longer than it takes C.

        Each thread has its own."""
        work = self._memory
        if not hasattr(work, "x"):
            work.x, work.out = np.empty(self.inputs), np.empty(self.outputs)
            work.at, work.out_at = _pointer(work.x), _pointer(work.out)
        return work

    def parameters(self) -> Any:
        """The numbers of the parameters, now."""
        if not self._values:
            return _NO_NUMBERS
        return np.fromiter(map(_DATA, self._values), float, len(self._values))

    def batch(self, columns: Any, each: int, threads: int | None = None) -> tuple[Any, Any]:
        """The first `each` results of every sample, a row for each result, and the sums of the others over samples.

        `columns` has a row for each input. The sums do not depend on the number of threads.
        """
        runner, count = self._runner(each, False), columns.shape[1]
        size = -(-count // runner.lanes) * runner.lanes
        padded = np.empty((self.inputs, size))
        padded[:, :count] = columns
        padded[:, count:] = columns[:, -1:]
        out = np.empty((each, size))
        p = self.parameters()

        def run(first: int) -> Any:
            sums = np.zeros(self.outputs - each)
            runner.run(_pointer(padded, first), p, _pointer(out, first), sums, min(BLOCK, count - first), size)
            return sums

        starts = range(0, count, BLOCK)
        workers = min(threads or os.cpu_count() or 1, len(starts))
        total = np.zeros(self.outputs - each)
        if workers == 1:
            for first in starts:
                total += run(first)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for sums in pool.map(run, starts):
                    total += sums
        return out[:, :count], total

    def _runner(self, each: int, single: bool) -> Straight | Interpreter:
        if (each, single) not in self._runners:
            straight = operations(self.code.tape) <= STRAIGHT
            kind: Any = Straight if straight else Interpreter
            lanes = 1 if single else LANES if straight else Interpreter.LANES
            self._runners[each, single] = kind(self.code, each, lanes, self._fast_math)
        return self._runners[each, single]


def _pointer(array: Any, first: int = 0) -> int:
    """Where it lies, from its number `first` on; 0 for nothing."""
    address: int = array.ctypes.data + 8 * first if array.size else 0
    return address
