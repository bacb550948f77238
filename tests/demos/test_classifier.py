"""The demo of classifiers: data, splits, counting beside NumPy, and what two moons come to."""

import sys

import numpy as np
import pytest

from demos.networks import classifier as demo
from demos.shared.classification import Data
from micrograd_bp import MissingExtraError, losses
from micrograd_bp.nn import MLP


def numbered(size):
    return Data([[float(i)] for i in range(size)], [i % 3 for i in range(size)])


@pytest.mark.parametrize(("size", "share", "held"), [(10, 0.2, 2), (7, 0.5, 4), (9, 0.0, 0), (1797, 0.2, 359)])
def test_each_sample_is_in_one_part(size, share, held):
    train, test = demo.split(numbered(size), 1, share)
    assert len(test.X) == held
    assert sorted([*train.X, *test.X]) == numbered(size).X
    assert all(y == x % 3 for part in (train, test) for (x,), y in zip(*part, strict=True))


def test_splits_are_drawn_by_the_seed():
    assert demo.split(numbered(50), 1) == demo.split(numbered(50), 1) != demo.split(numbered(50), 2)


def test_moons_are_half_circles():
    X, Y = demo.moons(200, noise=0.0)
    assert (Y.count(0), Y.count(1)) == (100, 100)
    for (x1, x2), y in zip(X, Y, strict=True):
        assert np.hypot(x1 - y, x2 - y / 2) == pytest.approx(1.0)
        assert x2 >= 0 if y == 0 else x2 <= 0.5
    noise = np.subtract(demo.moons(2000).X, demo.moons(2000, noise=0.0).X)
    assert noise.std() == pytest.approx(0.15, rel=0.05)


@pytest.mark.slow
def test_digits_are_the_ones_that_scikit_learn_has():
    datasets = pytest.importorskip("sklearn.datasets")
    X, Y = demo.digits()
    images, target = datasets.load_digits(return_X_y=True)
    assert np.array_equal(16 * np.array(X), images)
    assert list(target) == Y
    assert (np.min(X), np.max(X), len(Y)) == (0, 1, 1797)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'micrograd_bp\[demos\]'"):
        demo.digits()


def test_counting_in_matrix_form_is_what_the_network_says():
    task = demo.moons_task(0)
    model = MLP(2, [5, 3], "tanh", init="xavier", seed=2)
    said = [[z.data for z in model(x)] for x in task.test.X]
    assert demo.logits(model, task.test.X) == pytest.approx(np.array(said), rel=1e-12, abs=1e-14)
    assert demo.classify(model, task.test.X) == np.argmax(said, axis=1).tolist()
    assert demo.accuracy(model, task.test) == np.mean(np.argmax(said, axis=1) == task.test.Y)
    cost = losses.mean(losses.cross_entropy(z, y) for z, y in zip(said, task.test.Y, strict=True))
    assert demo.mean_cross_entropy(model, task.test) == pytest.approx(cost, rel=1e-12)


def test_the_confusion_matrix():
    draw = np.random.default_rng(3)
    said, true = draw.integers(0, 4, 200).tolist(), draw.integers(0, 4, 200).tolist()
    counted = demo.confusion(said, true, 4)
    expected = [[sum(s == j and t == i for s, t in zip(said, true, strict=True)) for j in range(4)] for i in range(4)]
    assert counted.tolist() == expected


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_moons_are_told_apart_where_no_line_can(seed):
    task = demo.moons_task(seed)._replace(epochs=25)
    model, log = demo.learn(task, seed)
    assert [row.epoch for row in log] == list(range(26))
    assert log[-1].test == demo.accuracy(model, task.test) >= 0.93
    assert log[-1].cost < 0.2 * log[0].cost
    rows = np.c_[np.ones(len(task.train.X)), task.train.X]
    line = np.linalg.lstsq(rows, 2.0 * np.array(task.train.Y) - 1.0)[0]
    by_line = np.mean((rows @ line > 0) == np.array(task.train.Y))
    assert by_line + 0.03 < log[-1].train


@pytest.mark.slow
def test_digits_are_learnt_in_part_from_few():
    pytest.importorskip("sklearn")
    task = demo.digits_task(0, quick=True)
    told = []
    _, log = demo.learn(task, 0, told.append)
    assert told == log
    assert log[0].test < 0.3
    assert log[-1].test > 0.6
    assert log[-1].cost < log[1].cost < log[0].cost


def test_the_same_seed_is_the_same_training():
    task = demo.moons_task(3, quick=True)._replace(epochs=1)
    assert demo.learn(task, 3)[1] == demo.learn(task, 3)[1] != demo.learn(task, 4)[1]


@pytest.mark.parametrize("name", ["digits", "moons"])
def test_it_runs(name, tmp_path, capsys, monkeypatch):
    if name == "digits":
        pytest.importorskip("sklearn")
        X, Y = demo.digits()
        monkeypatch.setattr(demo, "digits", lambda: Data(X[:100], Y[:100]))
    demo.main([name, "--quick", "--epochs", "1", "--out", str(tmp_path)])
    assert "test accuracy" in capsys.readouterr().out
    kinds = {"digits": ("training", "confusion", "wrong"), "moons": ("training", "boundary")}[name]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}_{kind}.png" for kind in kinds)
    assert all(path.stat().st_size > 10_000 for path in tmp_path.iterdir())


def test_a_picture_where_nothing_is_wrong(tmp_path):
    assert demo.plot_wrong(Data([[0.0] * 64], [1]), [1], tmp_path).stat().st_size > 1_000
