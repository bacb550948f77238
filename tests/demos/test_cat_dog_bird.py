"""The demo of three outputs: targets, scaling, what is learnt, beside NumPy and the closed form."""

import numpy as np
import pytest

from demos.networks import cat_dog_bird as demo
from demos.shared.classification import Data, split
from micrograd_bp.check.closed_form import Network, cost, forward


def test_targets_are_the_tutorials():
    assert [demo.one_hot(kind) for kind in range(3)] == np.eye(3).tolist()
    assert [demo.decode(demo.one_hot(kind)) for kind in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("h", [[0.2, 0.7, 0.6], [1e-9, 0.0, -1.0], [0.1, 0.1, 0.2], [0.5, 0.5, 0.5]])
def test_the_largest_output_is_the_kind(h):
    assert demo.decode(h) == int(np.argmax(h))


def test_animals_are_drawn_by_the_seed():
    assert demo.measured(30, 4) == demo.measured(30, 4) != demo.measured(30, 5)
    data = demo.measured(3000)
    assert [data.Y.count(kind) for kind in range(3)] == [1000] * 3
    logs = np.log(data.X)
    for kind, name in enumerate(demo.KINDS):
        of = logs[np.array(data.Y) == kind]
        assert of.mean(0) == pytest.approx(np.log(demo.TYPICAL[name]), abs=0.1)
        assert of.std(0) == pytest.approx(demo.SPREAD[name], rel=0.1)


def test_kinds_overlap():
    """No single measurement tells all of them apart."""
    data = demo.measured(3000)
    X, Y = np.array(data.X), np.array(data.Y)
    for column in X.T:
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert column[one == Y].max() > column[other == Y].min()
            assert column[other == Y].max() > column[one == Y].min()


def test_scaling_is_that_of_the_training_animals():
    train, test = split(demo.measured(), 0)
    scale = demo.Scale.of(train.X)
    logs = np.log(train.X)
    assert pytest.approx((np.log(test.X) - logs.mean(0)) / logs.std(0), rel=1e-12) == scale(test).X
    assert np.mean(scale(train).X, axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert np.std(scale(train).X, axis=0) == pytest.approx([1, 1, 1])
    assert scale(test).Y == test.Y


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_it_learns_to_tell_them_apart(seed):
    train, test = split(demo.measured(seed=seed), seed)
    scale = demo.Scale.of(train.X)
    model, history = demo.learn(scale(train), 60, seed)
    said = demo.outputs(model, scale(test).X)
    net = Network.of(model)
    assert [W.shape for W in net.W] == [(3, 3)] * 3
    assert said == pytest.approx(np.array([forward(net, x)[1][-1] for x in scale(test).X]), rel=1e-12)
    assert np.mean([demo.decode(h) == y for h, y in zip(said, test.Y, strict=True)]) >= 0.9
    on_all = cost([demo.one_hot(y) for y in train.Y], demo.outputs(model, scale(train).X))
    assert on_all == pytest.approx(history.cost[-1], rel=0.3)  # which is a mean over an epoch of updates
    assert on_all < 0.2 * history.cost[0]


def test_shuffled_kinds_cannot_be_learnt():
    """What passes above is not passed by a network that learnt nothing."""
    train, test = split(demo.measured(), 0)
    scale = demo.Scale.of(train.X)
    model, _ = demo.learn(scale(Data(train.X, sorted(train.Y))), 10)
    assert np.mean([demo.decode(h) == y for h, y in zip(demo.outputs(model, scale(test).X), test.Y, strict=True)]) < 0.7


def test_it_runs(tmp_path, capsys):
    demo.main(["--quick", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "h(x) ≈ (0, 1, 0)ᵀ  =>  a Dog" in printed
    assert "classified as bird" in printed
    for name in ("cost.png", "animals.png"):
        assert (tmp_path / name).stat().st_size > 15_000
