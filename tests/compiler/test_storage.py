"""Recorded functions as files: what is loaded is what was saved, damaged files are refused."""

import copy
import json

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.compiler import Compiled
from micrograd_bp.errors import StateError
from micrograd_bp.nn import MLP


def test_what_is_loaded_is_what_was_saved(tmp_path):
    model = MLP(2, [4, 1], "tanh", seed=2)
    f = mb.compile(lambda x, y: {"loss": mb.square(model(x) - y["target"])})
    points = [([0.5, -0.2], {"target": 0.3}), (np.array([0.1, 0.2]), {"target": 1.0})]
    expected = [f(*point) for point in points]
    f.save(tmp_path / "f.json")
    loaded = Compiled.load(tmp_path / "f.json")
    assert [loaded(*point) for point in points] == expected
    assert len(loaded.parameters(*points[0])) == 17
    assert loaded.parameters(*points[0])[0].name
    loaded.parameters(*points[0])[0].data += 1.0
    assert loaded(*points[0]) != expected[0]
    assert f(*points[0]) == expected[0]
    loaded.save(tmp_path / "again.json")
    assert Compiled.load(tmp_path / "again.json")(*points[1]) == loaded(*points[1])
    with pytest.raises(ValueError, match="loaded"):
        loaded([1.0, 2.0, 3.0], {"target": 0.0})


def test_derivatives_of_what_is_loaded(tmp_path):
    f = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]) * 0.0 + float("inf") * 0.0 * 0.0 + 1.0)
    g = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))
    g([1.0, 2.0])
    g.save(tmp_path / "g.json")
    loaded = Compiled.load(tmp_path / "g.json", backend="python")
    assert loaded.value_and_grad([1.5, 2.0]) == g.value_and_grad([1.5, 2.0])
    assert loaded.hessian([1.5, 2.0]) == g.hessian([1.5, 2.0])
    f([1.0, 2.0])
    f.save(tmp_path / "f.json")  # constants that JSON has no words for
    assert np.isnan(Compiled.load(tmp_path / "f.json")([1.0, 2.0]))


def spoil(text):
    """The file, damaged in ways that a careless reader would not notice."""
    whole = json.loads(text)
    yield ""
    yield json.dumps({"format": "other"})
    yield json.dumps(whole | {"version": 99})
    for change in (
        {"ops": [*whole["recordings"][0]["ops"][:-1], "no_such_row"]},
        {"takes": [[999] * len(args) for args in whole["recordings"][0]["takes"]]},
        {"takes": whole["recordings"][0]["takes"][1:]},
        {"results": [-1]},
        {"results": ["0"]},
        {"inputs": []},
        {"constants": {"0": "zz"}},
        {"parameters": {"0": 5}},
    ):
        yield json.dumps(whole | {"recordings": [whole["recordings"][0] | change]})


def test_damaged_files_are_refused(tmp_path):
    f = mb.compile(lambda x, y: mb.exp(x) * y + 1.0)
    f(1.0, 2.0)
    path = tmp_path / "f.json"
    f.save(path)
    for text in spoil(path.read_text()):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(StateError):
            Compiled.load(tmp_path / "bad.json")


def test_what_cannot_be_saved_is_said(tmp_path):
    with pytest.raises(ValueError, match="call the function once"):
        mb.compile(lambda x: x).save(tmp_path / "f.json")
    f = mb.compile(lambda x, *, n: x**n)
    assert f(2.0, n=3) == 8.0
    assert f(2.0, n=4) == 16.0
    with pytest.raises(ValueError, match="keyword"):
        f.save(tmp_path / "f.json")
    with pytest.raises(TypeError, match="hashable"):
        f(2.0, n=[3])
    assert not (tmp_path / "f.json").exists()


def spoiled(whole):
    """A saved program, damaged."""
    (first,) = whole["recordings"]
    yield {"fast_math": "no"}
    yield {"parameters": [["w", "0x1p99999"]]}
    for change in (
        {"args": {"tuple": [None]}},
        {"args": [None, None]},
        {"args": {"tuple": [{"array": [10**13]}]}},
        {"args": {"tuple": [{"array": [-1, -2]}]}},
        {"result": [None, None]},
        {"result": []},
        {"parameters": dict.fromkeys(first["parameters"], -1)},
        {"inputs": first["inputs"][:1]},
        {"inputs": first["inputs"] * 2},
        {"inputs": [first["inputs"][0]] * 3},  # as many as there are arguments, but two leaves get no number
        {"constants": dict.fromkeys(first["inputs"], "0x0p+0")},  # leaves that are inputs as well
        {"constants": {str(first["ops"].index("mul")): "0x0p+0"}},  # the result of an operation
        {"constants": {str(len(first["ops"])): "0x0p+0"}},  # not on the tape
        {"parameters": {}},
    ):
        yield {"recordings": [first | change]}


def test_damaged_structures_are_refused(tmp_path):
    w = Value(2.0, name="w")
    f = mb.compile(lambda v: v[0] * w + v[-1])
    f([1.0, 2.0, 3.0])
    path = tmp_path / "f.json"
    f.save(path)
    whole = json.loads(path.read_text())
    for change in spoiled(whole):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(StateError):
            Compiled.load(path)
    path.write_text('{"format": "micrograd_bp program", "version": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(StateError):
        Compiled.load(path)
    path.write_text(json.dumps(whole))
    loaded = Compiled.load(path)
    assert loaded([1.0, 2.0, 3.0]) == 5.0
    with pytest.raises(TypeError, match="load it again"):
        copy.deepcopy(loaded)


def test_named_tuples_are_not_saved_as_plain_ones(tmp_path):
    from typing import NamedTuple

    class Point(NamedTuple):
        x: float
        y: float

    f = mb.compile(lambda p: p.x * p.y)
    f(Point(2.0, 3.0))
    with pytest.raises(TypeError, match="Point"):
        f.save(tmp_path / "f.json")
    assert not (tmp_path / "f.json").exists()
