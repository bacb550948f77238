"""A test that leaves changed what others use fails, is named, and does not spoil the tests after it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp as mb

SMALL = """
import gc, math, os, sys
import mpmath, numpy as np, pytest
import micrograd_bp as mb
from micrograd_bp.engine.number import Number

def wrong(x, out):
    return 42.0

def test_changes_a_rule():
    mb.OPS["tanh"].partials = (wrong,)

def test_changes_another_fact():
    mb.OPS["tanh"].kinks = (wrong,)

def test_loses_the_compiled_rule():
    mb.tanh.partials = mb.tanh.partials

def test_adds():
    mb.op(lambda x, out: 1.0, name="mine")(lambda x: x)

def test_removes():
    del mb.OPS["sin"]

def test_replaces():
    mb.OPS["sin"] = mb.OPS["cos"]

def test_reorders():
    mb.OPS["sin"] = mb.OPS.pop("sin")

def test_changes_a_method():
    Number.exp = lambda self: 0.0

def test_changes_the_folder(tmp_path):
    os.chdir(tmp_path)

def test_changes_the_environment():
    os.environ["MICROGRAD_BP_CACHE"] = "elsewhere"

def test_changes_the_collector():
    gc.disable()

def test_changes_numpy():
    np.seterr(all="raise")

def test_changes_mpmath():
    mpmath.mp.dps = 50

@pytest.fixture
def undone():
    yield
    mb.tanh.convention = ""

def test_is_undone_by_its_fixture(undone):
    mb.tanh.convention = "any"

def test_owns_what_it_changes(change_op, own_ops, monkeypatch, tmp_path):
    change_op(mb.tanh, partials=(wrong,), fn=math.sin, convention="none")
    mb.op(lambda x, out: 1.0, name="mine")(lambda x: x)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "elsewhere")

def test_is_not_spoilt_by_the_others():
    x = mb.Value(0.5)
    assert math.isclose(x.tanh().local_grads[0], 1 - math.tanh(0.5) ** 2)
    assert list(mb.OPS)[:2] == ["add", "sub"]
    assert "mine" not in mb.OPS and not hasattr(x, "mine")
    assert x.exp().data == math.exp(0.5) and x.sin().data == math.sin(0.5)
    assert gc.isenabled() and os.environ["MICROGRAD_BP_CACHE"] == "off" and mpmath.mp.dps == 15
"""

CHANGES = {
    "test_changes_a_rule": "tanh._partials was changed; tanh.slopes was changed",
    "test_changes_another_fact": "tanh.kinks was changed",
    "test_adds": "the operation 'mine' was added; the method 'mine' of numbers was changed; ROW_METHODS was changed",
    "test_removes": "the operation 'sin' was removed",
    "test_replaces": "the operation 'sin' was replaced by another",
    "test_reorders": "the operations are in another order",
    "test_changes_a_method": "the method 'exp' of numbers was changed",
    "test_changes_the_folder": "the working directory was changed",
    "test_changes_the_environment": "os.environ was changed",
    "test_changes_the_collector": "whether cycles are collected was changed",
    "test_changes_numpy": "NumPy's handling of errors was changed",
    "test_changes_mpmath": "mpmath's precision was changed",
}


ORDERS = {"as written": (), "in reverse": ("--order=reverse",), "by 3": ("--order=3",), "by 4": ("--order=4",)}


def run(folder, *options):
    """What pytest prints of the small file, with the conftest of these tests and no other configuration."""
    (folder / "test_small.py").write_text(SMALL)
    (folder / "pytest.ini").write_text("[pytest]\n")
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    places = [str(Path(__file__).parent / "helpers"), *filter(None, sys.path)]
    code = f"import sys; sys.path[:0] = {places!r}; import pytest; sys.exit(pytest.main())"
    command = [sys.executable, "-c", code, "-p", "no:cacheprovider", "-v", "-rEf", *options]
    plain = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_PROFILE": "dev", "COLUMNS": "300"}
    environment = os.environ | plain
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What is printed in each order."""
    return {name: run(tmp_path_factory.mktemp("small"), *options).stdout for name, options in ORDERS.items()}


@pytest.mark.parametrize("order", ORDERS)
def test_each_change_is_noticed_and_put_back(printed, order):
    told = dict(re.findall(r"(?m)^ERROR test_small\.py::(\w+) - .*? what other tests use: (.*)$", printed[order]))
    if mb.compiled:
        assert told.pop("test_loses_the_compiled_rule") == "tanh.slopes was changed"
    assert told.keys() == CHANGES.keys(), printed[order]
    for name, sentence in CHANGES.items():
        assert told[name].startswith(sentence)
    assert "test_small.py::test_is_not_spoilt_by_the_others PASSED" in printed[order]
    assert not re.search(r"(?m)^FAILED", printed[order]), printed[order]


def test_the_order_is_the_one_asked_for(printed):
    order = {name: re.findall(r"::(\w+) PASSED", text) for name, text in printed.items()}
    written = order["as written"]
    assert order["in reverse"] == written[::-1]
    assert sorted(order["by 3"]) == sorted(order["by 4"]) == sorted(written)
    assert len({tuple(names) for names in order.values()}) == len(ORDERS)


def test_an_order_that_there_is_not_is_refused(tmp_path):
    assert (
        "--order is 'reverse' or a whole number, the seed of a shuffle, not 'any'"
        in run(tmp_path, "--order=any").stderr
    )
