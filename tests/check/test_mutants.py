"""Each of the wrong derivatives that the benchmark tabulates is caught, and none of the right ones."""

import importlib.util
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("mutants", Path(__file__).parents[2] / "benchmarks" / "mutants.py")
mutants = importlib.util.module_from_spec(_SPEC)
sys.modules["mutants"] = mutants  # dataclasses look their module up
_SPEC.loader.exec_module(mutants)

cases = pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=[mutant.name for mutant in mutants.MUTANTS])


@cases
def test_the_wrong_derivative_is_caught(mutant):
    assert mutants.found_by_us(mutant, mutant.wrong())


@cases
def test_the_right_one_is_not(mutant):
    if mutant.point != (0.0,):  # |x| has no derivative there
        assert not mutants.found_by_us(mutant, mutant.right)


def test_there_are_enough():
    assert len({mutant.name for mutant in mutants.MUTANTS}) >= 40
