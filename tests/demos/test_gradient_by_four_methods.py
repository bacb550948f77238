"""One training, four ways to the gradient: the same numbers, counted calls, and a check that refuses what is wrong."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_bp as mb
from demos.engine import gradient_by_four_methods as demo
from demos.shared.xor import XOR_Y, X, tutorial_model
from micrograd_bp import GradientMismatch, closed_form

PARAMETERS = st.lists(st.floats(-5.0, 5.0), min_size=9, max_size=9)


@pytest.fixture(scope="module")
def runs():
    return [demo.train(method()) for method in demo.METHODS]


def test_the_four_are_the_same_training(runs):
    *others, engine = runs
    assert engine.costs[0] == pytest.approx(0.16364164094711942, rel=1e-15)
    assert engine.costs[-1] == pytest.approx(0.00277622831823, rel=1e-11)
    for run, most in zip(others, (2e-9, 2e-14, 2e-14), strict=True):
        assert run.costs == pytest.approx(engine.costs, abs=most)
        assert max(demo.distances(run, engine)) <= most
    differences, formulas, checked = others
    assert max(demo.distances(differences, engine)) > 1e-12  # differences are no exact gradient
    assert (formulas.costs, formulas.path) == (checked.costs, checked.path)  # a check changes nothing


def test_it_is_the_training_that_fit_does(runs):
    model = tutorial_model(3)
    history = mb.fit(model, X, XOR_Y, learning_rate=demo.ALPHA, epochs=demo.EPOCHS, progress=False)
    assert runs[-1].costs[:-1] == history.cost
    assert runs[-1].path[-1] == [p.data for p in model.parameters()]


def test_it_is_the_training_in_exact_numbers(runs):
    """The engine's costs against gradient descent in mpmath, by differences at 50 digits."""

    def s(z):
        return 1 / (1 + mpmath.exp(-z))

    def cost(p):
        total = 0
        for (x1, x2), y in zip(X, XOR_Y, strict=True):
            hidden = p[6] * s(p[0] * x1 + p[1] * x2 + p[2]) + p[7] * s(p[3] * x1 + p[4] * x2 + p[5])
            total += (s(hidden + p[8]) - y) ** 2 / 8
        return total

    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -16
        p = [mpmath.mpf(x) for x in demo.START]
        for k in range(60):
            assert runs[-1].costs[k] == pytest.approx(float(cost(p)), rel=1e-14)
            sides = [[cost([x + by * (i == j) for j, x in enumerate(p)]) for by in (h, -h)] for i in range(9)]
            p = [x - 10 * (up - down) / (2 * h) for x, (up, down) in zip(p, sides, strict=True)]


def test_calls_are_counted(runs):
    differences, formulas, checked, engine = runs
    assert (differences.cost_calls, differences.gradient_calls) == (300 * (2 * 9 + 1), 300)
    assert (formulas.cost_calls, formulas.gradient_calls) == (300, 300)
    assert (engine.cost_calls, engine.gradient_calls) == (300, 300)
    assert checked.cost_calls > 300 + 6
    assert checked.gradient_calls > 300 + 6
    assert all(len(run.costs) == len(run.path) == 301 for run in runs)


@given(PARAMETERS)
def test_the_written_out_formulas_are_the_closed_form(p):
    right = demo.by_hand(p, lambda z, a: a * (1 - a))
    assert right == pytest.approx(demo.formulas(*p), rel=1e-9, abs=1e-15)
    assert right == pytest.approx(mb.grad(demo.cost)(p), rel=1e-9, abs=1e-15)
    outputs = [closed_form.forward(demo.network(p), x)[1][-1] for x in X]
    assert demo.error(*p) == pytest.approx(closed_form.cost([[y] for y in XOR_Y], outputs), rel=1e-13)


def test_the_mistake_is_the_third_tutorials():
    assert closed_form.sigma_prime(0.712257432295742) == pytest.approx(0.220793265944315, rel=1e-14)
    ratios = np.array(demo.mistaken(*demo.START)) / np.array(demo.formulas(*demo.START))
    assert np.all(ratios > 0)  # the signs are right: nobody sees it from outside
    assert not np.any(np.isclose(ratios, 1, rtol=0.05))


def test_the_mistake_is_refused_before_the_first_step():
    with pytest.raises(GradientMismatch) as refused:
        demo.train(demo.by_checked_formulas(demo.mistaken))
    assert refused.value.kind == "wrong gradient"
    found = {finding.name: finding for finding in refused.value.report.findings}
    assert {finding.verdict for finding in found.values()} == {"wrong"}
    for name, right in zip(demo.NAMES, demo.formulas(*demo.START), strict=True):
        assert found[name].expected == pytest.approx(right, rel=1e-12)
    assert demo.refusal() == str(refused.value)
    assert "8 more are wrong" in demo.refusal()


def test_unchecked_the_mistake_learns_nothing(runs):
    wrong = demo.train(demo.by_formulas(demo.mistaken))
    assert min(wrong.costs) > 0.124
    assert runs[-1].costs[-1] < 0.003


def test_a_formula_that_goes_wrong_later_is_refused_at_the_next_check():
    steps = []

    def tired(*p):
        gradient = demo.formulas(*p)
        return gradient if len(steps) < 60 else [2 * d for d in gradient]

    method = demo.by_checked_formulas(tired, every=50)
    find = method.find
    watched = method._replace(find=lambda k, p: (steps.append(k), find(k, p))[1])
    with pytest.raises(GradientMismatch, match="wrong gradient"):
        demo.train(watched)
    assert steps[-1] == 100


def test_differences_have_a_best_step():
    def off(h):
        _, gradient = demo.by_differences(h).find(0, demo.START)
        return max(abs(d - e) for d, e in zip(gradient, demo.formulas(*demo.START), strict=True))

    assert off(demo.STEP) < 1e-10
    assert off(1e-2) > 1e-7  # bent
    assert off(1e-12) > 1e-7  # rounded


def test_it_runs(capsys, tmp_path):
    demo.main(["--quick", "--out", str(tmp_path / "new")])
    printed = capsys.readouterr().out
    assert "checked formulas" in printed
    assert "wrong gradient: d f / d w1_11" in printed
    assert (tmp_path / "new" / "four_methods.png").read_bytes().startswith(b"\x89PNG")
