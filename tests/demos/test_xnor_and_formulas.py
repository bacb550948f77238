"""The demo of the first tutorial's networks: truth table, three ways to the same output, shapes."""

import math

import numpy as np
import pytest

from demos.shared.tutorial_networks import SAMPLE_X, four_layers, hand_set, three_outputs
from demos.shared.xor import HAND_SET_XNOR
from demos.tutorials.first import xnor_and_formulas as demo
from micrograd_bp.check.closed_form import Network, compare, forward
from micrograd_bp.errors import ShapeError


@pytest.mark.parametrize("z", [-30.0, -10.0, -5.0, -1.0, -0.35, 0.0, 0.25, 0.5, 1.0, 2.0, 2.65, 5.0, 10.0, 30.0])
def test_sigmoid_slopes(z):
    engine, quotient, product = demo.sigmoid_slopes(z)
    assert engine == pytest.approx(quotient, rel=1e-14)
    assert product == pytest.approx(quotient, rel=1e-15 * max(1.0, math.exp(z)))


def test_the_truth_table_of_xnor():
    printed = [(0, 0, 0, 1, 1), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (1, 1, 1, 0, 1)]
    rows = demo.truth_table(hand_set([2, 2, 1], HAND_SET_XNOR))
    assert [tuple(round(number) for number in row) for row in rows] == printed
    assert rows[0][2:] == pytest.approx((9.357622968839299e-14, 0.9999546021312976, 0.9999545608951235), rel=1e-12)
    assert rows[1][2:] == pytest.approx((4.5397868702434395e-05,) * 2 + (4.5480378505112315e-05,), rel=1e-12)


def test_element_by_element_in_matrix_form_and_by_the_engine():
    model = four_layers()
    net = Network.of(model)
    a = np.array(SAMPLE_X)
    for W, b in zip(net.W, net.b, strict=True):
        a = 1 / (1 + np.exp(-(W @ a + b)))
    assert [W.shape for W in net.W] == [(3, 3), (3, 3), (1, 3)]
    assert len(model.parameters()) == 28
    for h in (model(SAMPLE_X).data, demo.by_elements(model, SAMPLE_X)[0], forward(net, SAMPLE_X)[1][-1][0]):
        assert h == pytest.approx(a[0], rel=1e-15)
        assert h == pytest.approx(0.27548663706913, rel=1e-13)


def test_the_formulas_agree_with_backward():
    assert compare(four_layers(), [SAMPLE_X], [1.0]).worst.ulps <= 4
    assert compare(three_outputs(), [SAMPLE_X], [[0.0, 1.0, 0.0]]).worst.ulps <= 4


def test_a_bias_as_a_row_is_refused():
    assert "(1, 3)" in demo.bias_as_a_row(four_layers())
    net = Network.of(four_layers())
    with pytest.raises(ShapeError):
        Network(net.W, [b.reshape(1, -1) for b in net.b], net.activations)
    assert (net.W[0] @ np.ones((3, 1)) + net.b[0].reshape(1, 3)).shape == (3, 3)  # NumPy broadcasts it silently


def test_it_runs(tmp_path, capsys):
    demo.main(["--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert "28 parameters: W(1) 3x3, W(2) 3x3, W(3) 1x3" in told
    assert told.count("worst difference") == 2
    assert 'z1_1 -- "sigmoid function" --> a1_1' in told
    assert (tmp_path / "xnor_boundaries.png").stat().st_size > 20_000
    for name in ("xnor.svg", "four_layers.svg"):
        assert "<svg" in (tmp_path / name).read_text(encoding="utf-8")
