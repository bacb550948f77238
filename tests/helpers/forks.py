"""Forks, for scripts that run in a process of their own: pytest's process has threads of other libraries."""

import os
import signal
import subprocess
import sys
import time


def outcome_in_child(work, seconds=10.0):
    """Fork, and return "right" if `work()` is true in the child, else "wrong", or "stuck" if it goes on."""
    child = os.fork()
    if not child:
        status = 2
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "wrong" if status else "right"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "stuck"


def printed_by(script):
    """Return what a script prints that runs in a new process with the paths of this one."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert not done.stderr, done.stderr
    return done.stdout
