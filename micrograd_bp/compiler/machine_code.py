"""The native backend: `Machine` runs a tape as machine code, for one sample or for a batch in lanes and threads.

A program of up to 5,000 numbers is compiled as straight-line code, eight samples at a time; a larger
one is interpreted.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd_bp.compiler.c_expressions import tree
from micrograd_bp.compiler.interpreter import Interpreter
from micrograd_bp.compiler.llvm_build import compiling, linked
from micrograd_bp.compiler.llvm_ir import program
from micrograd_bp.compiler.numpy_batches import MULTIPLE, aligned, numbers_of
from micrograd_bp.compiler.passes import Code, operations
from micrograd_bp.compiler.recording import collector_paused

LANES = 8
WORK = 4_000_000  # operations per block of samples; the sums of the blocks are added in order for any number of threads
STRAIGHT = 5_000  # inputs, operations and results; beyond that, LLVM's compile time grows faster than linearly
_KINDS = (*[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)


class Straight:
    """Straight-line code of a tape: it stores the first `each` results and sums the others over the samples."""

    def __init__(self, code: Code, each: int, lanes: int, fast_math: bool) -> None:
        self.lanes = lanes
        self._sums = len(code.results) - each
        self.library = linked(*program(code, lanes, each, fast_math))
        self._function = self.library.function("program", *_KINDS)
        self._single = self.library.function("single", ctypes.c_void_p)

    def run(self, x: int, p: Any, out: int, sums: Any, count: int, stride: int) -> None:
        """Compute `count` samples. The stores fill whole groups of lanes, beyond `count` if it is no multiple."""
        lanes, whole = self.lanes, count // self.lanes
        lanewise = aligned(self._sums, lanes)
        self._function(x, _pointer(p), out, _pointer(lanewise), whole, stride)
        if rest := count % lanes:
            last, done = aligned(self._sums, lanes), 8 * whole * lanes
            self._function(x + done, _pointer(p), out + done, _pointer(last), 1, stride)
            lanewise[:, :rest] += last[:, :rest]
        sums += lanewise @ np.ones(lanes)

    def caller(self, work: Work) -> Callable[[], None]:
        """Return a function that computes the sample in `work`; it passes the addresses once, to save time."""
        return functools.partial(self._single, ctypes.c_void_p(_pointer(work.addresses)))


class Work:
    """Memory for one sample: `call` computes `out` from the inputs `x` and the parameters `p`."""

    def __init__(self, inputs: int, parameters: int, outputs: int, runner: Straight | Interpreter) -> None:
        self.x, self.p, self.out = np.empty(inputs), np.empty(parameters), np.empty(outputs)
        self.addresses = np.array([_pointer(array) for array in (self.x, self.p, self.out)])
        self.runner = runner  # keeps the code alive
        self.call = runner.caller(self)


class Machine:
    """Machine code for a tape, called like `Replay`. Raises MissingExtraError without llvmlite."""

    def __init__(self, code: Code, fast_math: bool = False) -> None:
        self.code = code
        self.inputs = len(code.tape.inputs)
        self.outputs = len(code.results)
        self._fast_math = fast_math
        self._parameters = len(code.tape.parameters)
        self._size = operations(code.tape) + self.inputs + self.outputs
        self._memory = threading.local()
        self._runners: dict[tuple[int, bool], Straight | Interpreter] = {}
        for op in code.tape.ops:
            if op is not None:
                tree(op)  # raises ValueError where there is no form

    @property
    def code_bytes(self) -> int:
        """The size of the machine code compiled so far, in bytes."""
        return sum(runner.library.code_bytes for runner in self._runners.values())

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """Return the results with the present parameters."""
        work = self._work()
        work.x[:] = inputs
        work.call()
        found: list[float] = work.out.tolist()
        return found

    def at_shapes(self, shapes: tuple[Any, ...]) -> Callable[[tuple[Any, ...]], tuple[float, Any]]:
        """Return a function from arguments of these shapes (floats and arrays of doubles) to value and gradient.

        Knowing where each number goes saves most of the time of calling a small program.
        """
        ends = np.cumsum([0, *[math.prod(shape) for shape in shapes]]).tolist()
        inputs = [slice(*both) for both in pairwise(ends)]
        outputs = [slice(start + 1, end + 1) for start, end in pairwise(ends)]
        flat = all(len(shape) == 1 for shape in shapes)

        def run(args: tuple[Any, ...]) -> tuple[float, Any]:
            work = self._work()
            x = work.x
            for own, part in zip(inputs, args if flat else [np.ravel(arg) for arg in args]):  # noqa: B905 (strict= is slower)
                x[own] = part
            work.call()
            found = work.out.copy()
            parts: list[Any] = [found[own] for own in outputs]
            if not flat:
                pairs = zip(parts, shapes, strict=True)
                parts = [part.reshape(shape) if shape else part.item() for part, shape in pairs]
            return found.item(0), parts[0] if len(parts) == 1 else tuple(parts)

        return run

    def _work(self) -> Work:
        """Return this thread's memory, with the present parameters."""
        try:
            work: Work = self._memory.work
        except AttributeError:
            runner = self._runner(self.outputs, True)
            work = self._memory.work = Work(self.inputs, self._parameters, self.outputs, runner)
        if self._parameters:
            work.p[:] = numbers_of(self.code)
        return work

    def batch(self, columns: Any, count: int, each: int, threads: int | None, p: Any) -> tuple[Any, Any]:
        """Return the first `each` results as an array (each, count), and the sums of the others over the samples.

        `columns` is an array (inputs, samples) from `numpy_batches.columns`, padded beyond `count` to whole groups of
        lanes; `p` holds the parameters. The sums do not depend on the number of threads.
        """
        runner, size = self._runner(each, False), columns.shape[1]
        out = aligned(each, size)
        block = max(MULTIPLE, WORK // self._size // MULTIPLE * MULTIPLE)
        x, y = _pointer(columns), _pointer(out)

        def run(first: int) -> Any:
            sums = np.zeros(self.outputs - each)
            runner.run(x + 8 * first, p, y + 8 * first, sums, min(block, count - first), size)
            return sums

        starts = range(0, count, block)
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
            arrays = 0 if single else 3 * (self.inputs + each)  # LLVM takes long to prove that they do not overlap
            straight = self._size + arrays <= STRAIGHT
            kind: Any = Straight if straight else Interpreter
            lanes = 1 if single else LANES if straight else Interpreter.LANES
            with collector_paused(), compiling:
                if (each, single) not in self._runners:  # another thread may have compiled it
                    self._runners[each, single] = kind(self.code, each, lanes, self._fast_math)
        return self._runners[each, single]


def _pointer(array: Any) -> int:
    """Return the address of an array, 0 for an empty one."""
    address: int = array.ctypes.data if array.size else 0
    return address
