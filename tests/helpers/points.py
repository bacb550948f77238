"""Arguments for a row, drawn from the domain that the row states: as a hypothesis strategy, and as a fixed list."""

from __future__ import annotations

import math
import random
import sys

from hypothesis import strategies as st

from micrograd_bp.ops.domain import REAL, Interval
from micrograd_bp.ops.op import Op

# where things happen: zeros, edges of normal floats, saturation, overflow of squares, exponentials and products
_SPECIAL = (
    0.0,
    1e-320,
    2.3e-308,
    1e-300,
    1e-160,
    1e-20,
    1e-8,
    0.1,
    0.25,
    0.5,
    0.7,
    0.7518,
    1 - 2**-53,
    1.0,
    1 + 2**-52,
)
_SPECIAL += (
    1.278,
    1.5,
    math.pi / 2,
    2.0,
    3.0,
    5.0,
    10.0,
    19.1,
    20.0,
    26.0,
    36.8,
    37.5,
    40.0,
    100.0,
    354.0,
    372.0,
    700.0,
)
_SPECIAL += (709.7, 740.0, 745.2, 1e5, 1e16, 1e100, 1.3e154, 1.4e154, 1e200, 1e300, 1.7e308)


def _inside(interval: Interval) -> st.SearchStrategy[float]:
    low = max(interval.low, -sys.float_info.max)
    high = min(interval.high, sys.float_info.max)
    if interval.integer:
        return st.integers(-12, 12).map(float).filter(interval.holds)
    everywhere = st.floats(low, high, exclude_min=interval.open_low, exclude_max=interval.open_high)
    usual = st.floats(max(low, -40.0), min(high, 40.0)).filter(interval.holds)
    special = st.sampled_from([s for x in _SPECIAL for s in (x, -x)]).filter(interval.holds)
    return st.one_of(usual, everywhere, special)


def arguments(op: Op) -> st.SearchStrategy[list[float]]:
    """Argument lists inside the row's domain, over all of it."""
    boxes = op.domain or ((REAL,) * op.arity,)
    return st.sampled_from(boxes).flatmap(lambda box: st.tuples(*map(_inside, box)).map(list)).filter(op.allows)


def fixed(op: Op, count: int = 40) -> list[list[float]]:
    """Some argument lists inside the row's domain, always the same."""
    draw = random.Random(op.name)
    lists: list[list[float]] = []
    while len(lists) < count:
        args = [
            draw.choice((-1, 1)) * draw.choice((draw.choice(_SPECIAL), draw.uniform(0, 4))) for _ in range(op.arity)
        ]
        if op.allows(args):
            lists.append(args)
    return lists
