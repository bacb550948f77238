"""Trainings that are killed at any moment and resumed are, bit for bit, those that were never interrupted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL, that is POSIX")
SCRIPT = Path(__file__).parents[1] / "helpers" / "killed.py"
REPORT = re.compile(
    r"(\d+) kills \(\d+ after the first save, \d+ in the middle of one\) in \d+ trainings, (\d+) differ\n"
    r"killed at each line of a save: (\d+) left the old file, (\d+) the new one, (\d+) another\n"
)


def report(*options):
    out = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True)
    found = REPORT.fullmatch(out.stdout)
    assert found, out.stderr
    return out.returncode, *map(int, found.groups())


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_and_resumed(kills):
    code, done, differ, old, new, others = report("--kills", str(kills), "--seed", str(kills))
    assert (code, done, differ, others) == (0, kills, 0, 0)
    assert old > 10
    assert new > 2


def test_a_careless_writer_is_found():
    code, *_, others = report("--kills", "0", "--careless")
    assert code == 1
    assert others
