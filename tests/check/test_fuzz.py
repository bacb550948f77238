"""A short run of the fuzz target, and that it can fail."""

import fuzz_expressions

import micrograd_bp as mb


def test_a_short_run_has_nothing_unexplained():
    tally = fuzz_expressions.run(12345, 400, 8, by_differences=True)
    assert tally.unexplained == []
    assert sum(tally.verdicts.values()) >= 350
    assert tally.verdicts["right"] > 250
    assert tally.verdicts["by differences: right"] > 250
    assert 0.0 < tally.worst[0] < 10.0


def test_a_wrong_rule_is_reported(change_op):
    change_op(mb.OPS["sigmoid"], partials=(lambda x, out: out * out,))
    assert any("sigmoid" in found for found in fuzz_expressions.run(1, 400, 4).unexplained)
