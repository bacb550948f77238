"""Machine code reads and writes what it is given, nothing beyond: arrays end where the process may not go on."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite", reason="needs llvmlite: pip install llvmlite")

BOUNDS = """
import ctypes, itertools, mmap, sys
import numpy as np
import micrograd_bp as mb
from micrograd_bp.compiler.interpreter import Interpreter
from micrograd_bp.compiler.machine_code import LANES, Straight
from micrograd_bp.compiler.recording import derived, record
from micrograd_bp.training.native_loop import Loop
from micrograd_bp.nn import MLP

libc = ctypes.CDLL(None, use_errno=True)
kept = []

def guarded(numbers, kind=float):
    # memory for so many numbers that ends at a page of which nothing may be read or written
    size = 8 * numbers
    pages = -(-size // mmap.PAGESIZE) + 1
    memory = mmap.mmap(-1, pages * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    last = start + (pages - 1) * mmap.PAGESIZE
    assert libc.mprotect(ctypes.c_void_p(last), mmap.PAGESIZE, 0) == 0
    kept.append(memory)
    array = np.frombuffer(memory, dtype=kind, count=numbers, offset=(pages - 1) * mmap.PAGESIZE - size)
    array[:] = 0
    return array

model = MLP(2, [5, 3], "tanh", seed=1)
f = lambda x, y: sum((a - b) ** 2 for a, b in zip(model(x), y, strict=True))
recording = record(f, ([0.0, 0.0], [0.0, 0.0, 0.0]))
for what in sys.argv[1:] or ("value", "gradient", "parameters"):
    code = derived(recording, what)
    n = len(code.results)
    p = guarded(len(code.tape.parameters))
    p[:] = [v.data for v in code.tape.parameters.values()]
    ways = [(Straight, 1), (Straight, LANES), (Interpreter, 1), (Interpreter, 64)]
    for (kind, lanes), each in itertools.product(ways, {1, n}):
        runner = kind(code, each, lanes, False)
        for count in (1,) if lanes == 1 else (1, 7, 8, 63, 64, 65, 130):
            size = -(-count // lanes) * lanes
            x, out, sums = guarded(5 * size), guarded(each * size), guarded(max(n - each, 1))
            x[:] = 0.5
            runner.run(x.ctypes.data, p, out.ctypes.data, sums[: n - each], count, size)
            assert np.isfinite(out).all() and out.any()
print("within", flush=True)
if len(sys.argv) > 1:  # does this test see anything?
    short = guarded(5 * 8 - 1)
    runner = Straight(code, 1, 8, False)
    runner.run(short.ctypes.data, p, guarded(8).ctypes.data, guarded(n - 1), 8, 8)
    print("not seen")
"""


def run(*arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", BOUNDS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="mprotect")
def test_nothing_is_touched_beyond_the_arrays():
    done = run()
    assert (done.returncode, done.stdout) == (0, "within\n"), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="mprotect")
def test_a_read_beyond_would_be_seen():
    done = run("value")
    assert done.stdout == "within\n"
    assert done.returncode < 0  # killed
