"""The demo of regression: NumPy's least squares, and what the sizes of batch and step do."""

import numpy as np
import pytest

from demos.tutorials.first import cost_and_batches as demo


def test_descent_goes_to_the_closed_form():
    X, Y = demo.points()
    slope, intercept = np.polynomial.Polynomial.fit(np.ravel(X), Y, 1, domain=[-1, 1]).coef[::-1]
    assert demo.least_squares(X, Y) == pytest.approx((slope, intercept), rel=1e-12)
    assert [p.data for p in demo.line((X, Y)).parameters()] == pytest.approx([slope, intercept], rel=1e-10)


def test_small_batches_are_faster_and_restless_and_smaller_steps_calm_them():
    data = demo.points()
    histories = demo.by_batches(data)
    best = demo.line(data)
    least = sum(0.5 * (best(x).data - y) ** 2 for x, y in zip(*data, strict=True)) / len(data[0])
    first, last = ({name: h.cost[i] for name, h in histories.items()} for i in (0, -1))
    assert first["full batch"] > first["mini-batches of 8"] > first["one sample at a time"]
    assert last["one sample at a time"] > 1.3 * least
    assert least <= last["one sample, decreasing steps"] < 1.01 * least
    assert histories["full batch"].cost == sorted(histories["full batch"].cost, reverse=True)


def test_one_cost_for_both():
    regression, classes = demo.shares_and_classes()
    assert all(0 < y < 1 for y in regression[1])
    assert set(classes[1]) == {0.0, 1.0}
    w, b = (p.data for p in demo.sigmoid_neuron(regression).parameters())
    assert w == pytest.approx(2.4, abs=0.5)  # the shares are σ(3 · (0.8x + noise))
    assert abs(b) < 0.3
    model = demo.sigmoid_neuron(classes)
    assert sum((model(x).data > 0.5) == (y > 0.5) for x, y in zip(*classes, strict=True)) >= 35


@pytest.mark.slow
def test_it_runs(tmp_path, capsys):
    demo.main(["--out", str(tmp_path)])
    assert "closed form" in capsys.readouterr().out
    for name in ("line.png", "batches.png", "one_cost.png"):
        assert (tmp_path / name).stat().st_size > 15_000
