"""The demo of gradient descent, against closed forms: x_k = 4 · 0.6^k, y_k = -4 · (-0.2)^k."""

import pytest

from demos.tutorials.second import gradient_descent as demo
from demos.tutorials.second.printed_tables import printed


def test_the_tables_are_those_that_are_printed():
    assert demo.rows(demo.descend(demo.square, [4.0])) == printed("gradient_descent_1d")
    assert demo.rows(demo.descend(demo.bowl, [4.0, -4.0])) == printed("gradient_descent_2d")
    assert demo.rows(demo.descend(demo.square, [4.0], rate=0.21)) != printed("gradient_descent_1d")


def test_the_path_is_the_closed_form_start_and_end_included():
    path = demo.descend(demo.bowl, [4.0, -4.0])
    assert len(path) == 16
    assert path[0].point == (4.0, -4.0)
    assert path[0].gradient == (8.0, -24.0)
    for k, step in enumerate(path):
        x, y = 4 * 0.6**k, -4 * (-0.2) ** k
        assert step.point == pytest.approx((x, y), rel=1e-12)
        assert step.f == pytest.approx(x * x + 3 * y * y, rel=1e-12)


@pytest.mark.parametrize(
    ("f", "start", "without", "with_abs"),
    [(demo.square, [-4.0], 1, 15), (demo.bowl, [-4.0, -4.0], 1, 15), (demo.bowl, [4.0, -4.0], 15, 15)],
)
def test_without_an_absolute_value_a_negative_gradient_ends_the_loop(f, start, without, with_abs):
    assert len(demo.descend(f, start, absolute=False)) - 1 == without
    assert len(demo.descend(f, start)) - 1 == with_abs


def test_learning_rates_do_what_is_said_of_them():
    ends = {rate: [s.point[0] for s in demo.descend(demo.square, [4.0], rate, tolerance=0.0)] for rate in demo.RATES}
    assert all(len(xs) == 21 for xs in ends.values())
    assert 2.5 < ends[0.01][-1] < 4.0
    assert abs(ends[0.2][-1]) < 1e-3
    assert all(a * b < 0 for a, b in zip(ends[0.9], ends[0.9][1:], strict=False))
    assert abs(ends[0.9][-1]) < 0.1
    assert abs(ends[1.1][-1]) > 100


def test_formulas():
    assert [line[-1] for line in demo.formulas()] == ["2x", "3 (x + 3)²", "2x", "6y"]


def test_it_runs(tmp_path, capsys):
    demo.main(["--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert told.count("15, all as printed in the tutorial") == 2
    assert "NOT" not in told
    for name in ("contour.png", "surface.png", "learning_rates.png"):
        assert (tmp_path / name).stat().st_size > 20_000
