"""The value and the first three derivatives of every operation at special points, each with its source.

    python tests/special.py      writes the table as a page of the reference, docs/special_values.md

A source is one of these; none of them uses the derivative rules:

exact        the textbook definition, differentiated at a thousand digits
limit        the same, beside a point that the definition does not reach: an infinity, an end of the domain, a kink of
             which both sides agree
convention   stated here by hand, where the two sides of a kink differ
none         there is no derivative and no limit, or the argument is nan: nan
"""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from typing import NamedTuple

import mpmath

ROOT = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path.append(str(ROOT / "tests" / "helpers"))  # where pytest finds them, too

from higher import LARGEST, Slice, exact_derivatives  # noqa: E402

from micrograd_bp import OPS  # noqa: E402

INF, NAN = math.inf, math.nan
ORDERS = 4  # 0 to 3
POINTS = (0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 5e-324, -5e-324, 1e-300, -1e-300, 1e300, -1e300, 1.7e308, -1.7e308)
PAGE = ROOT / "docs" / "special_values.md"

# Operations of several arguments, as functions of one of them: (index, the other arguments).
SEVERAL = {
    "pow": ((0, (2.0,)), (0, (3.0,)), (0, (0.5,)), (0, (-1.0,)), (1, (2.0,))),
    "clip": ((0, (-1.0, 1.0)), (1, (0.0, 1.0)), (2, (0.0, -1.0))),
    "where": ((1, (1.0, 2.0)), (2, (0.0, 2.0))),
    "leaky_relu": ((0, (0.01,)), (1, (-2.0,))),
    "elu": ((0, (1.0,)), (0, (2.0,)), (1, (-2.0,))),
    "less": ((0, (1.0,)), (1, (1.0,))),
    "exceeds": ((0, (1.0,)), (1, (1.0,))),
    "maximum": ((0, (1.0,)), (1, (1.0,))),
    "minimum": ((0, (1.0,)), (1, (1.0,))),
}
BY_DEFAULT = ((0, (2.0,)), (1, (2.0,)))

# The derivatives of order 1 to 3 where the two sides of a kink differ; docs/semantics.md has the reasons.
CONVENTIONS: dict[tuple[str, float], tuple[float, float, float]] = {
    ("relu(x)", 0.0): (0.0, 0.0, 0.0),
    ("leaky_relu(x, 0.01)", 0.0): (0.01, 0.0, 0.0),
    ("elu(x, 1)", 0.0): (1.0, 1.0, 1.0),
    ("elu(x, 2)", 0.0): (2.0, 2.0, 2.0),
    ("abs(x)", 0.0): (0.0, NAN, NAN),
    ("sign(x)", 0.0): (0.0, 0.0, 0.0),
    ("step(x)", 0.0): (0.0, 0.0, 0.0),
    ("less(x, 1)", 1.0): (0.0, 0.0, 0.0),
    ("less(1, x)", 1.0): (0.0, 0.0, 0.0),
    ("exceeds(x, 1)", 1.0): (NAN, NAN, NAN),
    ("exceeds(1, x)", 1.0): (NAN, NAN, NAN),
    ("maximum(x, 1)", 1.0): (0.5, NAN, NAN),
    ("maximum(1, x)", 1.0): (0.5, NAN, NAN),
    ("minimum(x, 1)", 1.0): (0.5, NAN, NAN),
    ("minimum(1, x)", 1.0): (0.5, NAN, NAN),
    ("clip(x, -1, 1)", 1.0): (1.0, 0.0, 0.0),
    ("clip(x, -1, 1)", -1.0): (1.0, 0.0, 0.0),
    ("clip(0, x, 1)", 0.0): (0.0, 0.0, 0.0),
    ("clip(0, x, 1)", 1.0): (1.0, 0.0, 0.0),
    ("clip(0, -1, x)", 0.0): (0.0, 0.0, 0.0),
    ("clip(0, -1, x)", -1.0): (1.0, 0.0, 0.0),
}

# Where the package gives nan although there is a limit, from this order on: at ±inf, by operation.
GAPS = {"hypot": 1, "atan2": 2}


class Entry(NamedTuple):
    """A value or a derivative, and its source."""

    number: float
    source: str


def slices():
    """The functions of the table, one or more for each operation."""
    found = []
    for name, op in OPS.items():
        own = SEVERAL.get(name, ((0, ()),) if op.arity == 1 else BY_DEFAULT)
        found += [Slice(op, index, others) for index, others in own]
    return found


@functools.cache
def entries(f, x):
    """The entries of a function at x, of order 0 to 3; () outside the domain."""
    if not f.allows(x):
        return ()
    if x != x:
        return tuple([Entry(constant, "exact") if (constant := _constant(f, n)) is not None else Entry(NAN, "none")
                      for n in range(ORDERS)])  # fmt: skip
    chosen = CONVENTIONS.get((str(f), x + 0.0))
    inside = [side for side in (1, -1) if f.allows(math.nextafter(x, side * INF))]
    if math.isfinite(x) and len(inside) == 2 and not f.on_kink(x) and not chosen:
        return tuple([Entry(_as_float(d), "exact") for d in exact_derivatives(f, x)[:ORDERS]])
    if math.isinf(x):
        inside = [1 if x > 0 else -1]
    value = Entry(f.op.fn(*f.args(x)), "exact") if math.isfinite(x) else _limit(f, x, 0, inside)
    if chosen:
        return (value, *[Entry(number, "convention") for number in chosen])
    found = [value]
    for order in range(1, ORDERS):  # above a derivative that does not exist there is none
        found.append(Entry(NAN, "none") if found[-1].source == "none" else _limit(f, x, order, inside))
    return tuple(found)


def _limit(f, x, order, sides):
    if math.isinf(x) and f.op.name in ("sin", "cos", "tan"):
        return Entry(NAN, "none")
    limits = [_from(f, x, order, side) for side in sides]
    return Entry(limits[0], "limit") if limits.count(limits[0]) == len(limits) else Entry(NAN, "none")


def _from(f, x, order, side):
    """The limit from one side, by two points of which the second is much closer."""
    with mpmath.workdps(100):
        far, near = [exact_derivatives(f, x, side, distance)[order] for distance in (40, 80)]
        if abs(near) < 1e-30:
            return 0.0
        if abs(near) > 1.5 * abs(far):
            return math.copysign(INF, near)
        assert abs(near - far) < 1e-20 * abs(near), (str(f), x, order, far, near)
        return float(near)


def _constant(f, order):
    """The derivative of this order if it is the same everywhere, as the slope of x + 2, else None."""
    if order == 0:
        return None
    found = [
        _as_float(exact_derivatives(f, x)[order]) for x in (0.3, 0.7, 1.3, -0.6) if f.allows(x) and not f.on_kink(x)
    ]
    return found[0] if len(found) > 1 and found.count(found[0]) == len(found) else None


def has_gap(f, x, order):
    """Whether the package gives nan instead of the limit."""
    return math.isinf(x) and order >= GAPS.get(f.op.name, ORDERS)


def _as_float(d):
    return float(d) if abs(d) <= LARGEST else math.copysign(INF, d)


def page():
    """The table as Markdown."""
    lines = [INTRODUCTION]
    for f in slices():
        lines += [f"\n## {f}\n", "| x | f | f′ | f″ | f‴ |", "|---|---|---|---|---|"]
        for x in POINTS:
            if own := entries(f, x):
                cells = [_written(entry, has_gap(f, x, order)) for order, entry in enumerate(own)]
                lines.append(f"| {x:g} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _written(entry, gap):
    number = f"{entry.number or 0.0:.6g}"
    return number + {"exact": "", "limit": " →", "convention": " *", "none": ""}[entry.source] + " !" * gap


INTRODUCTION = """\
# Special values

This page has the value and the first three derivatives of every operation at special points, as numbers of six digits.
`python tests/special.py` writes it, and the tests compare every mode with it.

- A number without a mark is that of the textbook definition, differentiated at a thousand digits.
- An arrow (→) marks a limit, at an infinity, at an end of the domain, or where both sides of a kink agree.
- A star (*) marks a convention, where the sides of a kink differ ([semantics](semantics.md#kinks-and-ties)).
- An exclamation mark (!) says that the package gives nan although there is this limit.
- nan stands where there is no derivative and no limit, and for the argument nan.

Points outside the domain are left out: there, a Value raises DomainError. 5e-324 is the smallest float above 0, and
1.7e308 is near the largest. A derivative that is larger than all floats is inf.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
