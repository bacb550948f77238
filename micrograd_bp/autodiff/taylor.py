"""Taylor series: `taylor(f, x, order)` from the derivative rules of the table.

For out = op(args), the chain rule is out' = sum of rule(args, out) · arg'. For power series, k · out_k is coefficient
k - 1 of the right-hand side, which depends only on coefficients of `out` below k. The rules of the table are therefore
sufficient: each is applied once, to series whose coefficients are computed when they are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_bp.autodiff.levels import Level, Leveled, evaluate, opened
from micrograd_bp.autodiff.variables import ended
from micrograd_bp.engine.chain import (
    Flow,
    contribution,
    guarded_product,
    joined,
    local_derivative,
    number_of,
    restricted,
    times,
)
from micrograd_bp.ops.op import Op, Operand

MOST = 10
SCALE = 16.0  # a power of two above MOST: k · out_k / SCALE is finite where out_k is finite


class SeriesLevel(Level):
    """The level of series of one order, with the results of the rules, because rules repeat computations."""

    __slots__ = ("order", "results")

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        self.results: dict[Any, Series] = {}


class Series(Leveled):
    """A power series c_0 + c_1 t + ... in which c_0 and later coefficients are numbers of any lower level.

    A structurally zero coefficient is None. A series that an operation made has the operation and its arguments; its
    coefficients above c_0 are computed from these in turn.
    """

    __slots__ = ("args", "coefficients", "op", "slopes")

    level: SeriesLevel

    def __init__(
        self, level: SeriesLevel, coefficients: list[Any], op: Op | None = None, args: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(level)
        self.coefficients = coefficients
        self.op = op
        self.args = args
        self.slopes: list[tuple[int, Series, Any]] | None = None  # index, argument, d self / d argument

    @property
    def primal(self) -> Any:
        """The number c_0."""
        return self.coefficients[0]

    def extended(self, op: Op, args: tuple[Any, ...], checked: bool) -> Any:
        level = self.level
        if checked:
            out = _applied(level, op, args, True)
            out.coefficient(level.order)  # at once, so that later operations do not descend into a deep graph
            return out
        key = (op, *[id(arg) if isinstance(arg, Operand) else repr(arg) for arg in args])  # 0.0 == -0.0
        if key not in level.results:
            out = _applied(level, op, args, False)
            if any(isinstance(arg, Operand) and not _on(level, arg) for arg in args):
                return out  # the data of a Value may change
            level.results[key] = out
        return level.results[key]

    def coefficient(self, k: int) -> Any:
        """Return c_k, and compute it and those before it where that is not done yet."""
        while len(self.coefficients) <= k:
            self.coefficients.append(self._next())
        return self.coefficients[k]

    def _next(self) -> Any:
        k = len(self.coefficients)
        total = self._sum(k, 1.0)
        if isinstance(total, float) and total - total != 0.0:  # k · out_k is not finite, but out_k may be
            return self._sum(k, 1.0 / SCALE) / k * SCALE
        if total is None or k == 1:
            return total
        return total.of(total.number / k) if isinstance(total, Flow) else total / k

    def _sum(self, k: int, scale: float) -> Any:
        """Return `scale` · k · out_k: coefficient k - 1 of the sum of rule(args, out) · arg'."""
        op: Any = self.op
        if self.slopes is None:
            self.slopes = [
                (index, arg, local_derivative(op.partials[index], self.args, self))
                for index, arg in enumerate(self.args)
                if _on(self.level, arg)
            ]
        total = None
        for index, arg, slope in self.slopes:
            for i in range(k):
                c = arg.coefficient(k - i)
                s = slope.coefficient(i) if _on(self.level, slope) else slope if i == 0 else None
                if s is None or c is None:
                    continue
                c = times((k - i) * scale, c)
                if i == 0 or op is guarded_product:
                    amount = contribution(op, index, self.args, s, c)
                elif isinstance(s, Flow):
                    amount = restricted(times(s.number, c), s)
                else:
                    amount = times(s, c)
                if amount is not None:
                    total = amount if total is None else joined(total, amount)
        return total

    def on_primal(self, primal: Any) -> Series:
        self.coefficient(self.level.order)
        return Series(self.level, [primal, *self.coefficients[1:]])

    def mapped(self, parts: Callable[[Any], list[Any]]) -> list[Any]:
        self.coefficient(self.level.order)
        each = [parts(c) for c in self.coefficients]
        return [Series(self.level, list(coefficients)) for coefficients in zip(*each, strict=True)]

    def __repr__(self) -> str:
        return f"Series({self.coefficients!r}, level={self.level.height})"


def _on(level: Level, number: Any) -> bool:
    return isinstance(number, Series) and number.level is level


def _applied(level: SeriesLevel, op: Op, args: tuple[Any, ...], checked: bool) -> Series:
    primals = tuple([arg.primal if _on(level, arg) else arg for arg in args])
    return Series(level, [evaluate(op, primals, checked)], op, args)


def taylor(f: Callable[[Any], Any], x: Any, order: int) -> list[Any]:
    """Return the Taylor coefficients f(x), f'(x), f''(x) / 2!, ..., f⁽ⁿ⁾(x) / n! of a function of one number.

    `order` is n, from 0 to 10. The coefficients are floats, or numbers that are being differentiated where x or f has
    such numbers. Raises ValueError for another order, TypeError where f does not return a number, and DomainError where
    an operation of f leaves its real domain.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 5)
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    >>> taylor(lambda x: x * taylor(lambda y: x + y, 1.0, 1)[1], 1.0, 1)
    [1.0, 1.0]
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MOST:
        raise ValueError(f"order is a whole number from 0 to {MOST}, not {order!r}")
    level = SeriesLevel(order)
    try:
        out = f(Series(level, [opened(x), 1.0, *[None] * (order - 1)][: order + 1]))
        if _on(level, out):
            out.coefficient(order)
            coefficients = [number_of(c) for c in out.coefficients]
        else:
            coefficients = [out, *[0.0] * order]
    finally:
        level.open = False
        level.results.clear()
    return [ended(c) for c in coefficients]
