"""The demo of one to three neurons: the tutorial's tables, the mistakes in two of them, and NumPy beside it."""

import numpy as np
import pytest

from demos.shared.tutorial_networks import NEURONS
from demos.tutorials.second import one_to_three_neurons as demo
from demos.tutorials.second.printed_tables import printed

# the misprinted tables' first and last rows as they should be, recomputed by formulas and complex step
CORRECTED = {
    "several_points": [
        (0.11108222984197325, 0.3108803353038043, 0.1092812929142794),
        (0.08224282747816723, 0.48604957305310037, 0.2585653510206317),
    ],
    "series": [
        (0.08926175320447459, 0.3002537486818328, 0.20579568438757195, 0.10050749736366567, 0.21030936792704769),
        (0.06699453105418962, 0.3057684592312628, 0.3057217002336196, 0.11153691846252549, 0.3875372076335882),
    ],
}


@pytest.mark.parametrize("name", NEURONS)
def test_tables_are_those_printed_but_for_two_misprints(name):
    training = demo.train(NEURONS[name])
    found = demo.cells(training.rows[: -1 if training.stopped else None])
    if name in demo.MISTAKES:
        assert not any(ours == theirs for ours, theirs in zip(found, printed(name), strict=True))
        assert demo.cells(demo.MISTAKES[name][1]()) == printed(name)
    else:
        assert found == printed(name)


@pytest.mark.parametrize("name", CORRECTED)
def test_the_misprinted_tables_corrected(name):
    rows = demo.train(NEURONS[name]).rows
    assert len(rows) == 20
    assert rows[0] == pytest.approx(CORRECTED[name][0], rel=1e-13)
    assert rows[-1] == pytest.approx(CORRECTED[name][1], rel=1e-13)


def test_the_identity_neuron_in_closed_form():
    """r_k = -3 · 0.5^k; it stops at the sixth epoch, w and b unmoved."""
    training = demo.train(NEURONS["neuron_identity"])
    assert training.stopped
    for k, (loss, w, b) in enumerate(training.rows[:-1]):
        assert loss == pytest.approx(0.5 * (3 * 0.5**k) ** 2, rel=1e-13)
        assert (w, b) == pytest.approx((0.5 + 1.2 * (1 - 0.5 ** (k + 1)), 1 + 0.6 * (1 - 0.5 ** (k + 1))), rel=1e-13)
    assert [f"{x:.4f}" for x in training.rows[-1]] == ["0.0044", "1.6625", "1.5813"]
    assert training.rows[-1][1:] == training.rows[-2][1:]


def test_several_points_by_numpy():
    system = NEURONS["several_points"]
    X, Y = np.array(system.X), np.array(system.Y)
    w, b = system.parameters.values()
    for loss, w_after, b_after in demo.train(system).rows:
        a = 1 / (1 + np.exp(-(w * X + b)))
        assert loss == pytest.approx(np.mean(0.5 * (a - Y) ** 2), rel=1e-13)
        delta = (a - Y) * a * (1 - a)
        w, b = w - 0.1 * np.mean(delta * X), b - 0.1 * np.mean(delta)
        assert (w_after, b_after) == pytest.approx((w, b), rel=1e-13)


def test_the_biases_of_the_layer_enter_through_their_sum_only():
    rows = demo.train(NEURONS["layer"]).rows
    assert [b22 - b21 for *_, b21, b22 in rows] == pytest.approx([0.1] * 20, rel=1e-12)
    assert len(NEURONS["layer"].parameters) == 2 * len(NEURONS["series"].parameters)


def test_the_least_cost_of_several_points_is_above_the_stop():
    system = NEURONS["several_points"]
    least = demo.least_cost(system.X, system.Y)
    assert least == pytest.approx((0.04 + 0.04 + 0.01 + 0.09 + 2 * 0.0025) / 14, rel=1e-12)
    assert demo.STOP < least < demo.train(system, 500).rows[-1][0]
    assert demo.least_cost([1.0, 2.0], [0.2, 0.9]) == 0.0


def test_it_runs(tmp_path, capsys):
    demo.main(["--out", str(tmp_path), "--explain"])
    printed_text = capsys.readouterr().out
    assert printed_text.count("lines are as printed in the tutorial") == 3
    assert printed_text.count("MISPRINT") == 2
    assert printed_text.count("With this mistake 20 of 20 lines are as printed") == 2
    assert printed_text.count("flowchart LR") == 5
    assert printed_text.count("∂L/∂") > 20
    for name in ("costs.png", "several_points.png"):
        assert (tmp_path / name).stat().st_size > 20_000
