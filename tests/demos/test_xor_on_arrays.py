"""Training from many starts at once: the engine's numbers column by column, and the statistics of 200 starts."""

import numpy as np
import pytest

from demos.shared import xor_on_arrays as demo
from demos.shared.xor import XNOR_Y
from micrograd_bp.cli.xor import train, tutorial_model


@pytest.mark.parametrize("seed", [0, 3, 12])
def test_a_column_is_what_the_engine_trains(seed):
    model = tutorial_model(seed)
    costs = train(model, 0.15, 300)
    column = demo.train(range(20), 300)
    assert column.cost[seed] == pytest.approx(costs[-1], rel=1e-12)
    W, b = demo.draws([seed])
    assert [float(w) for w in W[0][0, :, 0]] == [w.data for w in tutorial_model(seed).layers[0].neurons[0].w]
    assert [float(x) for x in b[0][:, 0]] == [neuron.b.data for neuron in tutorial_model(seed).layers[0].neurons]


def test_200_starts():
    done = demo.two_hundred_starts()
    assert (done.reached(), done.classified()) == (75, 184)
    stops = done.stopped[done.stopped >= 0]
    assert (stops.min(), np.median(stops), stops.max(), done.stopped[3]) == (27003, 29075, 29964, 28896)
    assert np.all(done.cost[done.stopped >= 0] < demo.STOP)
    assert np.all(np.abs(done.outputs - np.array(demo.XOR_Y)[:, None])[:, done.stopped >= 0] < 0.1)


def test_labels_of_xnor_and_a_second_hidden_layer():
    xnor = demo.two_hundred_starts(Y=XNOR_Y)
    assert (xnor.reached(), xnor.classified(XNOR_Y)) == (17, 109)
    deep = demo.two_hundred_starts((2, 2, 2, 1))
    assert (deep.reached(), deep.classified()) == (3, 34)


def test_no_line_separates_xor():
    grid = np.linspace(-10, 10, 41)
    w1, w2, b = np.meshgrid(grid, grid, grid, indexing="ij")
    right = sum(
        ((b + w1 * x1 + w2 * x2 > 0) == bool(y)).astype(int) for (x1, x2), y in zip(demo.X, demo.XOR_Y, strict=True)
    )
    assert right.max() == 3
    perceptrons = demo.train(range(50), 5000, sizes=(2, 1))
    assert (perceptrons.reached(), perceptrons.classified()) == (0, 0)
    assert perceptrons.cost.min() == pytest.approx(0.5, rel=1e-3)
