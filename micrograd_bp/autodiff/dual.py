"""Dual numbers for forward mode: every operation computes a primal and its tangent.

Each derivative has a level of its own, which separates it from a derivative inside it (perturbation confusion). An
operation acts on the highest level among its arguments; arguments of lower levels are constants there. Primal and
tangent may be floats, Values, or Duals of a lower level, so that forward mode nests in itself and in reverse mode.
"""

from __future__ import annotations

import itertools
from typing import Any

from micrograd_bp.engine.chain import contribution, local_derivative
from micrograd_bp.engine.number import Number, check_domain
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float

_levels = itertools.count(1)


def new_level() -> int:
    """Return a new level, above all others."""
    return next(_levels)


class Dual(Number):
    """The number `primal` + `tangent` ε with ε² = 0, on a level. The tangent is None where it is structurally zero.

    >>> x = Dual(3.0, 1.0, new_level())
    >>> y = x * x + 1 / x
    >>> round(y.primal, 6), round(y.tangent, 6)
    (9.333333, 5.888889)
    """

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def data(self) -> float:  # read-only, unlike the data of a Value
        """The primal below all levels, as a float."""
        primal = self.primal
        while isinstance(primal, Dual):
            primal = primal.primal
        return float(primal.data) if isinstance(primal, Number) else float(primal)

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        return self._through(op, args, checked=True)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        return self._through(op, args, checked=False)

    def _through(self, op: Op, args: tuple[Any, ...], checked: bool) -> Dual:
        level = max([arg.level for arg in args if isinstance(arg, Dual)])
        args = tuple([arg if isinstance(arg, Operand) else as_float(arg) for arg in args])
        primals = tuple([arg.primal if isinstance(arg, Dual) and arg.level == level else arg for arg in args])
        out = _evaluate(op, primals, checked)
        tangent: Any = None
        for index, arg in enumerate(args):
            if isinstance(arg, Dual) and arg.level == level and arg.tangent is not None:
                derivative = local_derivative(op.partials[index], primals, out)
                amount = contribution(op, index, args, derivative, arg.tangent)
                if amount is not None:
                    tangent = amount if tangent is None else tangent + amount
        return Dual(out, tangent, level)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"


def _evaluate(op: Op, args: tuple[Any, ...], checked: bool) -> Any:
    for arg in args:
        if isinstance(arg, Operand):
            return arg.apply(op, args) if checked else arg.apply_unchecked(op, args)
    out = op.fn(*args)
    if checked and out - out != 0.0:
        check_domain(op, args)
    return out
