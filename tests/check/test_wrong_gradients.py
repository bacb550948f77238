"""Each of the wrong derivatives that the benchmark tabulates is caught, and none of the right ones."""

import pytest

from benchmarks import wrong_gradients

cases = pytest.mark.parametrize(
    "mutant", wrong_gradients.MUTANTS, ids=[mutant.name for mutant in wrong_gradients.MUTANTS]
)


@cases
def test_the_wrong_derivative_is_caught(mutant):
    assert wrong_gradients.found_by_us(mutant, mutant.wrong())


@cases
def test_the_right_one_is_not(mutant):
    if mutant.point != (0.0,):  # |x| has no derivative there
        assert not wrong_gradients.found_by_us(mutant, mutant.right)


def test_there_are_enough():
    assert len({mutant.name for mutant in wrong_gradients.MUTANTS}) >= 40
