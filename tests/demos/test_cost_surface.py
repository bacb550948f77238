"""The cost surface: its numbers against the closed form, differences and mpmath; what is claimed can be refuted."""

import itertools
import math
import random

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import micrograd_bp as mb
from demos.shared import surfaces, xor
from demos.tutorials.first import cost_surface as demo
from micrograd_bp import closed_form

PARAMETERS = st.lists(st.floats(-6.0, 6.0), min_size=9, max_size=9)
POINTS = list(demo.POINTS.values())


def network(p):
    return closed_form.Network([[p[0:2], p[3:5]], [p[6:8]]], [[p[2], p[5]], [p[8]]], ["sigmoid", "sigmoid"])


def closed_gradient(p):
    (dW1, dW2), (db1, db2) = closed_form.gradient(network(list(p)), xor.X, xor.XOR_Y)
    return np.array([*dW1[0], db1[0], *dW1[1], db1[1], *dW2[0], db2[0]])


def exact_cost(p):
    """(COST) by its definition, in mpmath."""

    def s(z):
        return 1 / (1 + mpmath.exp(-z))

    total = mpmath.mpf(0)
    for (x1, x2), y in zip(xor.X, xor.XOR_Y, strict=True):
        hidden = p[6] * s(p[0] * x1 + p[1] * x2 + p[2]) + p[7] * s(p[3] * x1 + p[4] * x2 + p[5])
        total += (s(hidden + p[8]) - y) ** 2 / 8
    return total


def exact_second(p, d):
    """The second derivative along d: differences at 60 digits, right to about 20."""
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -12
        values = [exact_cost([mpmath.mpf(x) + k * h * m for x, m in zip(p, d, strict=True)]) for k in (-1, 0, 1)]
        return float((values[0] - 2 * values[1] + values[2]) / h**2)


@given(PARAMETERS)
def test_the_cost_is_that_of_the_closed_form(p):
    outputs = [closed_form.forward(network(p), x)[1][-1] for x in xor.X]
    assert xor.cost(p) == pytest.approx(closed_form.cost([[y] for y in xor.XOR_Y], outputs), rel=1e-13)
    assert mb.grad(xor.cost)(p) == pytest.approx(closed_gradient(p), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("p", POINTS)
def test_the_hessian_is_the_closed_gradients_slope(p):
    """Central differences of (3.2) to (3.6), of two steps, extrapolated."""

    def differences(h):
        return np.array([(closed_gradient(p + h * e) - closed_gradient(p - h * e)) / (2 * h) for e in np.eye(9)])

    expected = (4 * differences(5e-4) - differences(1e-3)) / 3
    assert np.array(mb.hessian(xor.cost)(list(p))) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("p", POINTS)
def test_the_hessian_by_definition(p):
    hessian = np.array(mb.hessian(xor.cost)(list(p)))
    assert np.array_equal(hessian, hessian.T) or hessian == pytest.approx(hessian.T, abs=1e-16)
    for i in range(9):
        for j in range(i + 1):
            one, two = np.eye(9)[i], np.eye(9)[j]
            mixed = (exact_second(p, one + two) - exact_second(p, one - two)) / 4
            assert hessian[i, j] == pytest.approx(mixed, abs=1e-15)


def test_the_cost_is_not_convex():
    for p in (xor.GENERIC, xor.START):
        found = surfaces.curvature(xor.cost, p)
        v = found.eigenvectors[:, 0]
        assert found.kind == "indefinite"
        assert exact_second(p, v) == pytest.approx(found.eigenvalues[0], rel=1e-10)
        assert exact_second(p, v) < 0
    assert surfaces.curvature(xor.cost, xor.START).eigenvalues[0] == pytest.approx(-0.0150760, abs=1e-7)


def test_trained_it_is_positive_definite():
    found = surfaces.curvature(xor.cost, xor.TRAINED)
    assert found.kind == "positive definite"
    with mpmath.workdps(40):  # Sylvester: all leading minors are positive
        matrix = mpmath.matrix(mb.hessian(xor.cost)(list(xor.TRAINED)))
        assert all(mpmath.det(matrix[:k, :k]) > 0 for k in range(1, 10))


def test_all_zero_is_no_minimum_though_gradient_and_hessian_allow_it():
    found = surfaces.curvature(xor.cost, demo.ZERO)
    assert surfaces.steepness(xor.cost, demo.ZERO) == 0.0
    assert found.kind == "positive semi-definite"
    assert list(found.eigenvalues[:8]) == [0.0] * 8
    assert found.eigenvalues[8] == pytest.approx(3 / 32, rel=1e-14)
    series = mb.taylor(surfaces.along(xor.cost, demo.ZERO, demo.DOWN), 0.0, 4)
    assert series[:4] == [0.125, 0.0, 0.0, 0.0]
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -6
        fourth = (exact_cost([h * mpmath.mpf(x) for x in demo.DOWN]) - mpmath.mpf(1) / 8) / h**4
    assert series[4] == pytest.approx(float(fourth), rel=1e-10)
    assert series[4] < 0


@pytest.mark.parametrize(
    ("f", "at", "eigenvalues", "kind"),
    [
        (surfaces.bowl, [4.0, -4.0], [2, 6], "positive definite"),
        (lambda p: (p[0] + p[1]) ** 2, [1.0, 2.0], [0, 4], "positive semi-definite"),
        (lambda p: -((p[0] + p[1]) ** 2), [1.0, 2.0], [-4, 0], "negative semi-definite"),
        (lambda p: p[0] ** 4, [0.0], [0], "positive semi-definite"),
        (lambda p: p[0] ** 3, [-1.0], [-6], "negative definite"),
        (lambda p: p[0] ** 2 - p[1] ** 2, [3.0, 0.5], [-2, 2], "indefinite"),
        (lambda p: p[0] * p[1] + 0 * p[2], [3.0, 0.5, 1.0], [-1, 0, 1], "indefinite"),
    ],
)
def test_what_a_matrix_is_called(f, at, eigenvalues, kind):
    found = surfaces.curvature(f, at)
    assert found.eigenvalues == pytest.approx(eigenvalues, abs=1e-15)
    assert found.kind == kind


def test_whether_the_cases_are_convex_is_as_they_say():
    """The midpoint of random points is never above their mean, or somewhere it is."""
    draw = random.Random(0)
    for name, f, at, said in demo.CASES:
        pairs = [[[draw.uniform(-3, 3) for _ in at] for _ in range(2)] for _ in range(300)]
        above = any(f(surfaces.between(p, q)) > (f(p) + f(q)) / 2 + 1e-9 for p, q in pairs)
        assert above == (said == "not convex"), name


@pytest.mark.parametrize(("f", "at"), [(f, at) for _, f, at in demo.SLOPES])
def test_slopes_are_the_gradients_length_times_the_cosine(f, at):
    angles = [math.radians(d) for d in range(360)]
    g = closed_gradient(at) if len(at) == 9 else np.array([2 * at[0], 6 * at[1]])
    found = surfaces.slopes(f, at, angles)
    assert found == pytest.approx([math.hypot(*g) * math.cos(phi) for phi in angles], abs=1e-13 * math.hypot(*g))
    assert (max(found), min(found)) == (found[0], found[180])
    units = surfaces.directions(mb.grad(f)(list(at)), angles)
    assert [math.hypot(*u) for u in units] == pytest.approx([1.0] * 360, rel=1e-14)
    assert [g @ u / math.hypot(*g) for u in units] == pytest.approx([math.cos(phi) for phi in angles], abs=1e-13)


@given(PARAMETERS, PARAMETERS)
@example([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0], [0.0] * 6 + [1.0, 3.0, 1.0])  # the gradient is 0
def test_no_direction_is_steeper_than_the_gradients(p, u):
    if math.hypot(*u) > 1e-3:
        slope = mb.directional_derivative(xor.cost, p, u)
        assert slope == pytest.approx(float(closed_gradient(p) @ u) / math.hypot(*u), rel=1e-8, abs=1e-14)
        rounding = 1e-16  # a slope is a sum of terms below 1: where they cancel, this is what rounding leaves
        assert abs(slope) <= surfaces.steepness(xor.cost, p) * (1 + 1e-12) + rounding


@given(PARAMETERS)
def test_eight_networks_have_the_same_outputs(p):
    for q in xor.copies(p).values():
        assert xor.difference(p, q) <= 1e-13
        assert xor.cost(q) == pytest.approx(xor.cost(p), rel=1e-12)
        outputs = [closed_form.forward(network(q), x)[1][-1][0] for x in xor.X]
        assert outputs == pytest.approx([xor.output(p, x) for x in xor.X], abs=1e-13)


def test_the_eight_differ_as_networks():
    assert len({tuple(q) for q in xor.copies(xor.GENERIC).values()}) == 8
    for undone in (xor.swap_units, lambda p: xor.flip_unit(p, 2)):
        assert undone(undone(xor.GENERIC)) == pytest.approx(xor.GENERIC, abs=1e-15)


def test_a_sign_flip_needs_the_next_bias():
    q = xor.flip_unit(xor.GENERIC, 1)
    q[8] = xor.GENERIC[8]
    assert xor.difference(xor.GENERIC, q) > 0.05


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("w2_11", "w2_12", 0.13158316706181972), ("w1_11", "w1_12", 0.12845660448960194)],
)
def test_the_printed_exchange_changes_the_cost(one, other, expected):
    q = xor.exchange(xor.GENERIC, one, other)
    assert xor.cost(xor.GENERIC) == pytest.approx(0.1285136822347869, rel=1e-14)
    assert xor.cost(q) == pytest.approx(expected, rel=1e-14)
    assert xor.difference(xor.GENERIC, q) > 0.1
    assert xor.exchange(xor.HAND_SET_XNOR, one, other) == xor.HAND_SET_XNOR  # which is why the print does not notice


def test_halfway_between_equal_networks_the_cost_is_above_both():
    swapped = xor.swap_units(xor.TRAINED)
    assert xor.cost(xor.TRAINED) == pytest.approx(0.0012499862135749592, rel=1e-12)
    assert xor.cost(surfaces.between(xor.TRAINED, swapped)) == pytest.approx(0.24025920303905143, rel=1e-13)
    for name, q in xor.copies(xor.TRAINED).items():
        assert xor.cost(q) == pytest.approx(xor.cost(xor.TRAINED), rel=1e-12)
        halfway = xor.cost(surfaces.between(xor.TRAINED, q))
        assert (halfway > 50 * xor.cost(q)) == (name != "as it is")


def test_a_descent_goes_down_into_the_valley_on_its_side():
    ends = []
    for start in demo.STARTS:
        path = demo.descent(start)
        costs = [demo.two_weights(p) for p in path]
        assert all(after < before for before, after in itertools.pairwise(costs))
        ends.append(surfaces.stationary(demo.two_weights, path[-1]))
        assert math.dist(ends[-1], path[-1]) < 0.5
        assert surfaces.curvature(demo.two_weights, ends[-1]).kind == "positive definite"
    assert math.dist(*ends) > 10
    saddle = surfaces.stationary(demo.two_weights, [-0.5, -0.3])
    assert surfaces.curvature(demo.two_weights, saddle).kind == "indefinite"
    assert demo.two_weights(saddle) > max(map(demo.two_weights, ends))
    for at in (*ends, saddle):
        full = [at[0], *demo.HELD[1:7], at[1], demo.HELD[8]]
        assert closed_gradient(full)[[0, 7]] == pytest.approx([0, 0], abs=1e-15)


@pytest.mark.slow
def test_it_runs(capsys, tmp_path):
    demo.main(["--out", str(tmp_path / "new")])
    printed = capsys.readouterr().out
    assert "eigenvalues < 0" in printed
    assert "0.240259" in printed
    assert "0.131583167062" in printed
    for name in ("hessian", "slopes", "symmetries", "segment", "surface"):
        assert (tmp_path / "new" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
