"""The table of special values (tests/special.py) in every mode, and the page of the reference that shows it."""

import math
import sys
from pathlib import Path

import modes
import numpy as np
import pytest
from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp import OPS
from micrograd_bp.ops.table import HIGHER

sys.path.insert(0, str(Path(__file__).parents[1]))
import special
from higher import SMALLEST_NORMAL, allowed, exact_derivatives

QUICK = (
    "tanh",
    "sigmoid",
    "silu",
    "gelu",
    "sqrt",
    "cbrt",
    "asin",
    "acosh",
    "log",
    "abs",
    "relu",
    "elu",
    "maximum",
    "clip",
)
SLICES = special.slices()
every = pytest.mark.parametrize(
    "f", [f if f.op.name in QUICK else pytest.param(f, marks=pytest.mark.slow) for f in SLICES], ids=str
)


def agrees(f, x, order, computed, wider=1.0):
    """Whether a derivative is as the table has it: within the bound, and within the smallest normal float."""
    number, source = special.entries(f, x)[order]
    if (special.has_gap(f, x, order) or x != x) and computed != computed:
        return True
    if not math.isfinite(number) or source != "exact" or x != x:
        return computed == pytest.approx(number, rel=1e-15, abs=0.0, nan_ok=True)
    if not math.isfinite(computed):
        return False
    true = exact_derivatives(f, x)
    slack = allowed(true, x, order, HIGHER, wider) + (0.0 if order == 0 else 4.0 * SMALLEST_NORMAL)
    return abs(computed - true[order]) <= slack


@every
def test_special_values_in_every_mode(f):
    wrong = []
    for x in special.POINTS:
        own = special.entries(f, x)
        if not own:
            with pytest.raises(mb.DomainError):
                f(mb.Value(x))
        for order in range(len(own)):
            for mode, computed in modes.in_all_modes(f, x, order).items():
                if not agrees(f, x, order, computed):
                    wrong.append(f"order {order} at {x!r}, {mode}: {computed!r}, not {own[order]}")
    assert not wrong, f"{f}\n" + "\n".join(wrong)


@needs_llvm
@pytest.mark.slow
@every
def test_special_values_in_machine_code(f):
    points = [x for x in special.POINTS if special.entries(f, x)]
    for order in range(special.ORDERS):
        for computed in modes.native(f, np.array(points), order):
            for x, y in zip(points, computed, strict=True):
                assert agrees(f, x, order, y, wider=4.0), (str(f), order, x, y, special.entries(f, x)[order])


@pytest.mark.slow
def test_the_page_shows_the_table():
    assert special.PAGE.read_text(encoding="utf-8") == special.page(), "run python tests/special.py"


def test_every_operation_and_every_convention_is_in_the_table():
    assert {f.op for f in SLICES} == set(map(OPS.get, mb.ops.table.__all__))
    names = set(map(str, SLICES))
    assert {name for name, _ in special.CONVENTIONS} <= names
    page = special.PAGE.read_text(encoding="utf-8")
    assert all(f"\n## {name}\n" in page for name in names)


def test_a_wrong_entry_is_found(monkeypatch):
    monkeypatch.setitem(special.CONVENTIONS, ("abs(x)", 0.0), (1.0, 0.0, 0.0))
    special.entries.cache_clear()
    try:
        with pytest.raises(AssertionError, match=r"order 1 at 0.0, reverse: 0.0, not Entry\(number=1.0"):
            test_special_values_in_every_mode(next(f for f in SLICES if f.op.name == "abs"))
    finally:
        special.entries.cache_clear()
