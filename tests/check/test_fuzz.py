"""A short run of the fuzz target, and that it can fail."""

import fuzz_expressions
import pytest

import micrograd_bp as mb


@pytest.mark.parametrize("count", [100, pytest.param(400, marks=pytest.mark.slow)])
def test_a_short_run_has_nothing_unexplained(count):
    tally = fuzz_expressions.run(12345, count, 8, by_differences=True)
    assert tally.unexplained == []
    assert sum(tally.verdicts.values()) >= 0.9 * count
    assert tally.verdicts["right"] > 0.6 * count
    assert tally.verdicts["by differences: right"] > 0.6 * count
    assert 0.0 < tally.worst[0] < 10.0


@pytest.mark.slow
def test_a_wrong_rule_is_reported(change_op):
    change_op(mb.OPS["sigmoid"], partials=(lambda x, out: out * out,))
    assert any("sigmoid" in found for found in fuzz_expressions.run(1, 150, 4).unexplained)
