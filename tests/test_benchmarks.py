"""The benchmarks measure what they say: the same gradients, a process each, and a report of what was left out."""

import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from needs import needs_gcc, needs_llvm

import benchmarks.__main__ as bench
from benchmarks import minimal
from benchmarks.peers import METHODS, Nodes
from benchmarks.report import markdown, medians
from benchmarks.workloads import workloads
from micrograd_bp import Value, topological_order
from micrograd_bp.nn import MLP

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _what_benchmarks_set_is_put_back(monkeypatch):
    """They put the demos' folder on the path, and variables for libraries' threads into the environment."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with mock.patch.dict(os.environ):
        yield


@pytest.mark.parametrize("name", ["chain", "xor", "gpt"])
def test_the_minimal_engine_and_ours_give_the_same_gradients(name):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200_000)
    try:
        ours, theirs = (Nodes(leaf)(workloads()[name])[2] for leaf in (Value, minimal.Value))
    finally:
        sys.setrecursionlimit(limit)
    assert bench.agree(ours, theirs)
    assert any(ours)


def test_workloads_are_as_large_as_they_say():
    for name in ("chain", "moons", "xor", "gpt"):
        workload, leaves = workloads()[name], [Value(x) for x in workloads()[name].inputs]
        root = workload.f(leaves, METHODS)
        assert workload.operations == pytest.approx(len(topological_order(root)) - len(leaves), rel=0.1)


@pytest.mark.parametrize(("name", "samples"), [("step", 1), ("batch", 8)])
def test_training_steps_are_as_large_as_they_say(name, samples):
    workload, model = workloads()[name], MLP(2, [16, 16, 1])
    assert len(model.parameters()) == len(workload.inputs)
    nodes = len(topological_order(workload.f(model, METHODS))) - len(workload.inputs)
    assert workload.operations == pytest.approx(workload.steps * nodes, rel=0.01)
    assert 640 < nodes / samples < 650


def test_training_steps_end_with_the_gradients_that_micrograd_has():
    micrograd, networks = pytest.importorskip("micrograd.engine"), pytest.importorskip("micrograd.nn")
    workload = workloads()["batch"]._replace(steps=3)
    first = Nodes(Value, MLP)(workload._replace(steps=1))[2]
    ours = Nodes(Value, MLP)(workload)
    theirs = Nodes(micrograd.Value, networks.MLP)(workload)
    assert bench.agree(ours[2], theirs[2])
    assert not bench.agree(ours[2], first)  # the parameters have moved
    assert any(ours[2])
    assert ours[0] > 0.0
    assert ours[1] > 0.0


def test_another_gradient_is_noticed():
    assert bench.agree([1.0, 2.0], [1.0, 2.0 + 1e-10])
    assert not bench.agree([1.0, 2.0], [1.0, 2.0 + 1e-8])


def test_it_runs(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--rounds",
        "2",
        "--only",
        "interpreted",
        "minimal",
        "floats",
        "compiled",
    ]
    command += ["--workloads", "chain", "xor", "step", "--no-scale", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "## chain" in text
    assert text.count("| interpreted |") == 6
    assert text.count("| minimal |") == 4  # it has no networks
    assert "another gradient" not in text
    assert (tmp_path / "results.png").stat().st_size > 10_000


def test_a_worker_that_is_not_there_says_why():
    worker = bench.Worker("minigrad")
    if worker.fault is None:
        worker.close()
        pytest.skip("the peer is installed")
    assert "minigrad" in worker.fault
    assert worker.ask("chain") == {"error": worker.fault}
    worker.close()


def test_the_report_names_what_was_left_out():
    times = {("xor", True, "minimal"): [(1.0, 2.0), (3.0, 4.0)], ("xor", True, "interpreted"): [(1.0, 1.0)]}
    assert medians(times["xor", True, "minimal"]) == (2.0, 3.0, 5.0, 3.0, 7.0)
    scale = {"minimal": {"memory": {"resident": 500.4, "sizeof": 64}, "depth": {"error": "RecursionError"}}}
    text = markdown(times, {"torch, gpt": "another gradient"}, scale, 2)
    assert "| minimal | 2000.00 | 3000.00 | 5000.00 (3000.00 to 7000.00) | 2.50 |" in text
    assert "- torch, gpt: another gradient" in text
    assert "| minimal | 500 | 64 | RecursionError | – | – | – |" in text


@needs_llvm
@pytest.mark.slow
@needs_gcc
def test_compiled_programs_are_measured_beside_c(tmp_path):
    command = [sys.executable, "-m", "benchmarks.compiled", "--quick", "--rounds", "1", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "COMPILED.md").read_text(encoding="utf-8")
    assert text.count("| ours |") == 4
    assert "| C |" in text


@needs_llvm
def test_another_gradient_of_a_compiled_program_is_noticed():
    from benchmarks.compiled import check

    check("ours", [1.0, 2.0], [1.0, 2.0 + 1e-13])
    for wrong in ([1.0, 2.0 + 1e-10], [1.0, float("nan")]):
        with pytest.raises(RuntimeError, match="another gradient"):
            check("theirs", wrong, [1.0, 2.0])
