"""Compiled functions in many threads, and forks while another thread compiles."""

import gc
import os
import sys
import threading
from types import SimpleNamespace

import pytest
from forks import printed_by
from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.compiler import program, recording
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.recording import collector_paused

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def impatient():
    """Threads take turns as often as Python allows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(work, count=8):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


BACKENDS = ["python", pytest.param("native", marks=needs_llvm)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_backward_in_threads_loses_no_update(backend, impatient):
    weights = [Value(1.0) for _ in range(20)]
    f = mb.compile(lambda x: sum((w * x for w in weights), 0.0), backend=backend)
    root = sum((3.0 * w for w in weights), Value(0.0))

    def work():
        for _ in range(300):
            f.backward(2.0)
            root.backward()  # the engine's own passes add to the same leaves

    in_threads(work)
    assert {w.grad for w in weights} == {8 * 300 * (2.0 + 3.0)}


@pytest.mark.skipif(mb.compiled, reason="of the interpreted build: MICROGRAD_BP_BUILD=pure pip install .")
def test_backward_that_is_interrupted_changes_no_gradient():
    class Stop(Value):
        """A parameter whose gradient cannot be set while `stops`."""

        stops = False

        @property
        def grad(self):
            return Value.grad.__get__(self)

        @grad.setter
        def grad(self, grad):
            if self.stops:
                raise KeyboardInterrupt
            Value.grad.__set__(self, grad)

    first, second = Value(2.0), Stop(5.0)
    f = mb.compile(lambda x: x * first + x * second, backend="python")
    f.backward(3.0)
    third = mb.compile(lambda x: x * untouched + x * second, backend="python")
    untouched = Value(1.0)
    second.stops = True
    for compiled in (f, third):
        with pytest.raises(KeyboardInterrupt):
            compiled.backward(3.0)
    assert (first.grad, second.grad, untouched.has_grad) == (3.0, 3.0, False)


@needs_llvm
def test_first_calls_in_threads_compile_once(impatient, monkeypatch):
    made = []
    real = Machine._runner
    monkeypatch.setattr(Machine, "_runner", lambda self, *which: made.append(real(self, *which)) or made[-1])
    f = mb.compile(lambda x: sum((mb.tanh(x + i) for i in range(20)), 0.0), backend="native")
    barrier, tapes = threading.Barrier(8), []

    def work():
        barrier.wait()
        f.value_and_grad(0.5)
        tapes.append(f._recorded((0.5,), {})[1].tape)

    in_threads(work)
    assert len(set(map(id, made))) == len(set(map(id, tapes))) == 1
    assert len(made) == 8  # each thread has memory of its own


def test_threads_that_record_at_the_same_time_use_one_program(monkeypatch):
    def f(x):
        both.wait(10)
        return x * x

    def optimised(*given, real=program.optimise):
        both.wait(10)
        return real(*given)

    both, found = threading.Barrier(2), []
    monkeypatch.setattr(program, "optimise", optimised)
    compiled = mb.compile(f, backend="python")
    in_threads(lambda: found.append(compiled._ready((3.0,), {}, "value")), 2)
    (_, first, run), (_, second, other) = found
    assert first is second
    assert run is other


# --- the collector ----------------------------------------------------------------------------------------------------


def test_the_collector_is_on_after_pauses_in_threads(impatient):
    def work():
        for _ in range(1000):
            with collector_paused():
                pass

    for _ in range(20):
        in_threads(work)
        assert gc.isenabled()


def test_the_collector_is_off_until_the_last_pause_ends():
    def enters():
        with collector_paused():
            entered.set()
            assert leave.wait(10)

    entered, leave = threading.Event(), threading.Event()
    other = threading.Thread(target=enters)
    with collector_paused():
        with collector_paused():
            pass
        assert not gc.isenabled()
        other.start()
        assert entered.wait(10)
    assert not gc.isenabled()
    leave.set()
    other.join()
    assert gc.isenabled()


def test_the_collector_stays_off_where_it_was_off():
    gc.disable()
    try:
        with collector_paused(), collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ZeroDivisionError), collector_paused():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_pause_that_begins_while_another_ends(monkeypatch):
    def isenabled():
        state = gc.isenabled()
        if threading.current_thread() is other:
            asked.set()
            ended.wait(10)
        return state

    def pauses():
        with collector_paused():
            pass

    asked, ended = threading.Event(), threading.Event()
    other = threading.Thread(target=pauses)
    monkeypatch.setattr(recording, "gc", SimpleNamespace(isenabled=isenabled, enable=gc.enable, disable=gc.disable))
    with collector_paused():
        other.start()
        asked.wait(0.1)
    ended.set()
    other.join()
    assert gc.isenabled()


# --- forks ------------------------------------------------------------------------------------------------------------

DURING_A_COMPILATION = """
import os, threading, time
os.environ["MICROGRAD_BP_CACHE"] = "off"
import llvmlite.binding as llvm
from forks import outcome_in_child
import micrograd_bp as mb

def program(size):
    def f(x):
        v = x
        for _ in range(size):
            v = v * 0.999 + mb.tanh(x + v)
        return v
    return mb.compile(f, backend="native")

optimising, real = threading.Event(), llvm.create_pass_builder
llvm.create_pass_builder = lambda *given: optimising.set() or real(*given)

def work():
    return mb.compile(lambda x: x * x, backend="native")(3.0) == 9.0 and f.value_and_grad(0.5)[0] == f.f(0.5)

outcomes = []
for delay in (0.0, 0.05):
    f = program(300)
    optimising.clear()
    thread = threading.Thread(target=f.value_and_grad, args=(0.5,))
    thread.start()
    optimising.wait(30)
    time.sleep(delay)
    outcomes.append(outcome_in_child(work, seconds=10) if thread.is_alive() else "too late")
    thread.join()
print(*outcomes)
"""

DURING_A_CALL_BY_OTHERS = """
import os, threading, time
os.environ["MICROGRAD_BP_CACHE"] = "off"
import llvmlite.binding as llvm
from forks import outcome_in_child
import micrograd_bp as mb

mb.compile(lambda x: x + 1.0, backend="native")(1.0)
calling = threading.Event()

def work():
    with llvm.ffi.lib._lock:  # as each call into LLVM has it, whoever makes it
        calling.set()
        time.sleep(0.3)

thread = threading.Thread(target=work)
thread.start()
calling.wait(30)
print(outcome_in_child(lambda: mb.compile(lambda x: x * x, backend="native")(3.0) == 9.0, seconds=5))
thread.join()
"""

DURING_A_RECORDING = """
import gc, os, threading
os.environ["MICROGRAD_BP_CACHE"] = "off"
from forks import outcome_in_child
import micrograd_bp as mb
from micrograd_bp.compiler.recording import _collector

recording, go_on = threading.Event(), threading.Event()

def f(x):
    recording.set()
    go_on.wait(30)
    return x * x

thread = threading.Thread(target=mb.compile(f), args=(3.0,))
thread.start()
recording.wait(30)
outcomes = [outcome_in_child(gc.isenabled)]  # no thread of the child is recording

def g(x):
    outcomes.append(outcome_in_child(lambda: not gc.isenabled()))  # this one goes on recording in the child
    return x

mb.compile(g)(1.0)
go_on.set()
thread.join()
gc.disable()
outcomes.append(outcome_in_child(lambda: not gc.isenabled()))  # switched off by the user

def begins():
    with _collector.lock:
        begun.set()
        ended.wait(30)

begun, ended = threading.Event(), threading.Event()
thread = threading.Thread(target=begins)
thread.start()
begun.wait(30)
outcomes.append(outcome_in_child(lambda: mb.compile(lambda x: x + x)(1.0) == 2.0, seconds=5))
ended.set()
thread.join()
print(*outcomes)
"""


@needs_fork
@needs_llvm
def test_the_child_of_a_fork_during_a_compilation():
    assert printed_by(DURING_A_COMPILATION) == "right right\n"


@needs_fork
@needs_llvm
def test_the_child_of_a_fork_during_a_call_into_llvm_by_other_code():
    assert printed_by(DURING_A_CALL_BY_OTHERS) == "right\n"


@needs_fork
def test_the_child_of_a_fork_during_a_recording_has_its_collector():
    assert printed_by(DURING_A_RECORDING) == "right right right right\n"
