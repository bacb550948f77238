"""A fork while another thread holds the engine's lock: the child computes, and finds whole gradients."""

import os

import pytest
from forks import printed_by

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

DURING_A_PASS = """
import threading, time
from forks import outcome_in_child
from micrograd_bp import Value, topological_order

x = Value(1.0)
root = x
for _ in range(10_000):
    root = root + 0.5 * x  # a pass that is not complete would leave the grad of x between two multiples of 5001
stop = threading.Event()

def work():
    while not stop.is_set():
        root.backward()

def whole():
    before = x.grad
    other = threading.Thread(target=root.backward, daemon=True)  # no thread of the child has the lock
    other.start()
    other.join(4)
    return before % 5001 == 0 and x.grad == before + 5001 and len(topological_order(root)) == 20_001

thread = threading.Thread(target=work)
thread.start()
outcomes = []
for k in range(8):
    time.sleep(0.01 + 0.003 * k)
    outcomes.append(outcome_in_child(whole, seconds=5))
stop.set()
thread.join()
print(*outcomes)
print(x.grad % 5001 == 0 and x.grad > 0)
"""

WITHIN_A_PASS = """
import os
from forks import outcome_in_child
from micrograd_bp import Value
from micrograd_bp.engine import forks, value

outcomes = []
held = []
forks.held_over_forks(lambda: held.append("entered") or value._lock)
with value._lock:  # the thread that forks may hold it itself
    outcomes.append(outcome_in_child(lambda: (Value(3.0) * 2.0).backward() is None))
x = Value(3.0)
(x * x).backward()
print(*outcomes, *held, x.grad)
"""


def test_the_child_of_a_fork_during_a_backward_pass():
    assert printed_by(DURING_A_PASS).splitlines() == [" ".join(["right"] * 8), "True"]


def test_a_thread_that_holds_the_lock_forks():
    assert printed_by(WITHIN_A_PASS) == "right entered 6.0\n"
