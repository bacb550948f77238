"""Dual numbers for forward mode: every operation computes a primal and its tangent.

Primal and tangent may be floats, Values, traced numbers, or numbers of a lower level, so that forward mode nests in
itself, in power series, in reverse mode and in recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_bp.autodiff.levels import Level, Leveled, evaluate
from micrograd_bp.engine.chain import contribution, joined, local_derivative
from micrograd_bp.ops.op import Op


class Dual(Leveled):
    """The number `primal` + `tangent` ε with ε² = 0, on a level. The tangent is None where it is structurally zero.

    >>> x = Dual(3.0, 1.0, Level())
    >>> y = x * x + 1 / x
    >>> round(y.primal, 6), round(y.tangent, 6)
    (9.333333, 5.888889)
    """

    __slots__ = ("_primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: Level) -> None:
        super().__init__(level)
        self._primal = primal
        self.tangent = tangent

    @property
    def primal(self) -> Any:
        """The number without its tangent."""
        return self._primal

    def extended(self, op: Op, args: tuple[Any, ...], checked: bool) -> Dual:
        level = self.level
        primals = tuple([arg._primal if isinstance(arg, Dual) and arg.level is level else arg for arg in args])
        out = evaluate(op, primals, checked)
        tangent: Any = None
        for index, arg in enumerate(args):
            if isinstance(arg, Dual) and arg.level is level and arg.tangent is not None:
                derivative = local_derivative(op.partials[index], primals, out)
                amount = contribution(op, index, args, derivative, arg.tangent)
                if amount is not None:
                    tangent = amount if tangent is None else joined(tangent, amount)
        return Dual(out, tangent, level)

    def on_primal(self, primal: Any) -> Dual:
        return Dual(primal, self.tangent, self.level)

    def mapped(self, parts: Callable[[Any], list[Any]]) -> list[Any]:
        return [
            Dual(primal, tangent, self.level)
            for primal, tangent in zip(parts(self._primal), parts(self.tangent), strict=True)
        ]

    def __repr__(self) -> str:
        return f"Dual({self._primal!r}, {self.tangent!r}, level={self.level.height})"
