"""Batches spread over processes: the same bits for any number of them, here and on a cluster."""

import builtins
import os
from unittest import mock

import pytest

import micrograd_bp as mb
from demos.engine import training_in_processes as demo
from micrograd_bp import Value
from micrograd_bp.errors import MissingExtraError, TrainingError
from micrograd_bp.nn import MLP
from micrograd_bp.training.optim import GradientDescent

pytest.importorskip("joblib", reason="needs joblib: pip install joblib")
X, Y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]], [0.0, 1.0, 1.0, 0.0, 0.5]


def trained(workers, **settings):
    model = MLP(2, [3, 1], "tanh", seed=4)
    history = mb.fit(model, X, Y, epochs=4, workers=workers, progress=False, **settings)
    return [p.data for p in model.parameters()], history


@pytest.mark.parametrize("settings", [{}, {"batch": 2, "optimiser": "adam"}, {"l2": 0.1, "clip": 0.05}])
def test_any_number_of_workers_gives_the_same_bits(settings):
    one, history = trained(1, **settings)
    two, again = trained(2, **settings)
    three, _ = trained(3, **settings)
    assert one == two == three
    assert (history.cost, history.gradient_norm) == (again.cost, again.gradient_norm)
    alone, plain = trained(None, **settings)
    assert one == pytest.approx(alone, rel=1e-12)
    assert history.cost == pytest.approx(plain.cost, rel=1e-12)


def test_frozen_parameters_stay():
    model = MLP(2, [2, 1], "tanh", seed=4)
    model.freeze("w1_*")
    before = model.state_dict()
    mb.fit(model, X, Y, epochs=2, workers=2, progress=False)
    after = model.state_dict()
    moved = {name for name in before if before[name] != after[name]}
    assert moved
    assert not any(name.startswith("w1_") for name in moved)


def test_what_cannot_be_sent_is_refused_before_anything_is_trained():
    w = Value(1.0)
    with pytest.raises(TypeError, match="top level of a module"):
        mb.fit(lambda x: w * x, [1.0], [2.0], optimiser=GradientDescent([w], 0.1), epochs=1, workers=2, progress=False)
    assert w.data == 1.0


@pytest.mark.parametrize(("workers", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_numbers_of_workers(workers, error):
    with pytest.raises(error, match="workers"):
        trained(workers)


def test_a_cost_that_is_not_finite_is_named_as_without_workers():
    def fails(workers):
        model = MLP(2, [1], "identity", seed=0)
        with pytest.raises(TrainingError) as raised:
            mb.fit(model, X, Y, learning_rate=1e200, epochs=9, workers=workers, progress=False)
        return raised.value, [p.data for p in model.parameters()]

    (one, left), (plain, left_plain) = fails(2), fails(None)
    assert one.epoch == plain.epoch
    assert left == pytest.approx(left_plain)


def test_without_joblib(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "joblib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r"micrograd_bp\[parallel\]"):
        trained(2)


def test_the_demo_here_and_on_a_cluster(tmp_path, capsys):
    pytest.importorskip("distributed", reason="needs distributed: pip install distributed")
    with mock.patch.dict(os.environ):  # dask sets variables for the threads of its workers
        demo.main(["--quick", "--dask", "--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert told.count("the same bits") == 3
    assert "NOT" not in told
    assert (tmp_path / "speed.png").stat().st_size > 8_000
