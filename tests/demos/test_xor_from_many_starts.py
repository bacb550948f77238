"""XOR from many starts: trained as by the command and by the closed form, shares, and where starts stay."""

import mpmath
import numpy as np
import pytest

from demos.shared import xor_on_arrays
from demos.tutorials.first import xor_from_many_starts as demo
from micrograd_bp.cli import xor


@pytest.mark.parametrize("seed", [0, 3])
def test_a_start_is_what_the_command_trains(seed):
    model = xor.tutorial_model(seed)
    costs = xor.train(model, 0.15, 230)
    start = demo.train_start(230, seed)
    assert start.costs == [*costs[:229:50], costs[-1]]
    assert start.parameters == [p.data for p in model.parameters()]
    assert (start.epochs, start.seed) == (230, seed)


@pytest.mark.slow
def test_starts_are_those_of_the_closed_form_in_any_number_of_processes():
    two = demo.train_all(3, 120, 2)
    assert [start.seed for start in two] == [0, 1, 2]
    assert two == [demo.train_start(120, seed) for seed in range(3)]
    other = xor_on_arrays.train(range(3), 120)
    assert [start.costs[-1] for start in two] == pytest.approx(list(other.cost), rel=1e-12)
    after = xor_on_arrays.train(range(3), 121).outputs.T  # its outputs are those before the last update
    assert [start.outputs for start in two] == [pytest.approx(list(outputs), rel=1e-12) for outputs in after]


def made(outputs, cost, epochs=300):
    return demo.Start(7, epochs, [0.5, cost], outputs, [0.1 * i for i in range(9)])


def test_outcomes():
    starts = [
        made([0.04, 0.96, 0.95, 0.05], 0.0049),
        made([0.1, 0.9, 0.8, 0.2], 0.05),
        made([0.07, 0.66, 0.66, 0.67], 0.34),
        made([0.04, 0.5, 0.95, 0.51], 0.26),
    ]
    assert [start.outcome for start in starts] == [*demo.OUTCOMES, "does not classify"]
    assert [start.truth_table for start in starts] == ["0110", "0110", "0111", "0011"]
    reach, classify = demo.shares(starts)
    assert (reach[1], classify[1]) == ("1 of 4", "2 of 4")
    assert [row[2] for row in demo.unlearned(starts)] == ["0011", "0111"]  # by cost


def test_a_cost_at_the_stop_is_not_below_it():
    assert made([0.05, 0.95, 0.95, 0.05], 0.005).outcome == "classifies, no stop"


@pytest.mark.parametrize(("successes", "trials"), [(75, 200), (184, 200), (0, 6), (6, 6), (1, 2)])
def test_wilson_is_where_the_share_is_as_far_as_is_likely(successes, trials):
    """The ends solve (p' - p)² = z² p (1 - p) / n for p."""
    z2 = 2 * mpmath.erfinv(mpmath.mpf("0.95")) ** 2
    seen = mpmath.mpf(successes) / trials
    ends = mpmath.polyroots([1 + z2 / trials, -2 * seen - z2 / trials, seen**2])
    assert demo.wilson(successes, trials) == pytest.approx(sorted(map(float, ends)), rel=1e-9, abs=1e-12)


@pytest.fixture(scope="module")
def done():
    """The 200 starts, by the closed form."""
    return xor_on_arrays.two_hundred_starts()


def test_the_intervals_of_200_starts(done):
    reached, classified = (demo.wilson(n, 200) for n in (done.reached(), done.classified()))
    assert [round(100 * p) for p in (*reached, *classified)] == [31, 44, 87, 95]


def test_a_wider_level_is_a_wider_interval():
    low, high = demo.wilson(75, 200, level=0.5)
    assert demo.wilson(75, 200)[0] < low < 75 / 200 < high < demo.wilson(75, 200)[1]


def test_a_single_neuron_says_a_half():
    start = demo.follow(demo.neuron(0), 5_000)
    assert start.outputs == pytest.approx([0.5] * 4, abs=0.01)
    assert start.costs[-1] == pytest.approx(0.5, rel=1e-3)
    assert start.outcome == "does not classify"
    assert start.costs[-1] == pytest.approx(float(xor_on_arrays.train([0], 5_000, sizes=(2, 1)).cost[0]), rel=1e-12)


def test_what_it_costs_to_take_inputs_for_one(done):
    """The best output for inputs that are not told apart is the mean of their targets."""
    for targets, level in (([1, 0], 1 / 4), ([1, 1, 0], 1 / 3)):
        assert sum(0.5 * (np.mean(targets) - y) ** 2 for y in targets) == pytest.approx(level)
    assert done.cost[[26, 34]] == pytest.approx([1 / 3, 1 / 4], rel=0.03)
    assert done.outputs[:, 26] == pytest.approx([0, 2 / 3, 2 / 3, 2 / 3], abs=0.08)
    assert done.outputs[:, 34] == pytest.approx([0, 1 / 2, 1, 1 / 2], abs=0.06)


@pytest.mark.slow
def test_two_of_the_others_need_more_epochs():
    more = xor_on_arrays.train([26, 34, 83, 132], 60_000)
    assert (more.stopped >= 0).tolist() == [False, False, True, True]
    assert more.classified() == 2


@pytest.mark.slow
def test_it_runs(tmp_path, capsys):
    demo.main(["--quick", "--jobs", "1", "--count", "2", "--epochs", "60", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "0 of 2" in printed
    assert "A single neuron" in printed
    for name in ("starts.png", "borders.png"):
        assert (tmp_path / name).stat().st_size > 15_000


@pytest.mark.parametrize("words", ["--count 0", "--epochs -1", "--jobs x"])
def test_counts_are_from_one(words, capsys):
    with pytest.raises(SystemExit):
        demo.main(words.split())
    assert f"argument {words.split()[0]}" in capsys.readouterr().err
