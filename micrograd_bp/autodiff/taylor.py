"""Taylor series: `taylor(f, x, order)` from the rows' derivative rules.

For out = op(args), the chain rule is out' = sum of rule(args, out) · arg'. Read for power series it gives coefficient k
of `out` from coefficients below k: k · out_k is coefficient k - 1 of the right-hand side. So the table's rules are all
that is needed, applied to series that are one coefficient shorter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_bp.engine.number import Number, check_domain, local_derivative
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float

MOST = 10


class Series(Number):
    """A power series c_0 + c_1 t + ... + c_n t^n, cut off there."""

    __slots__ = ("coefficients", "known")

    def __init__(self, coefficients: list[float], known: dict[Any, list[float]]) -> None:
        self.coefficients = coefficients
        self.known = known  # results by row and arguments: a rule's series are the beginnings of longer ones

    @property
    def data(self) -> float:  # of a Series it is read-only
        """The number itself, c_0."""
        return self.coefficients[0]

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        numbers = tuple([arg.data if isinstance(arg, Series) else as_float(arg) for arg in args])
        out = op.fn(*numbers)
        if out - out != 0.0:
            check_domain(op, numbers)
        return self.apply_unchecked(op, args)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        orders = [len(arg.coefficients) for arg in args if isinstance(arg, Series)]
        length = min(orders)
        rows = [arg.coefficients[:length] if isinstance(arg, Series) else [as_float(arg)] for arg in args]
        key = (op, *(tuple(map(repr, row)) for row in rows))  # as text, for 0.0 == -0.0
        if key not in self.known:
            self.known[key] = self._extend(op, args, rows, length)
        return Series(self.known[key], self.known)

    def _extend(self, op: Op, args: tuple[Any, ...], rows: list[list[float]], length: int) -> list[float]:
        out = [op.fn(*[row[0] for row in rows])]
        for k in range(1, length):
            lower = tuple(
                [
                    Series(row[:k], self.known) if isinstance(arg, Series) else row[0]
                    for arg, row in zip(args, rows, strict=True)
                ]
            )
            total = 0.0
            for arg, row, rule in zip(args, rows, op.partials, strict=True):
                if isinstance(arg, Series):
                    slope = local_derivative(rule, lower, Series(out[:k], self.known))
                    slopes = slope.coefficients if isinstance(slope, Series) else [as_float(slope)]
                    total += sum(s * (k - i) * row[k - i] for i, s in enumerate(slopes))
            out.append(total / k)
        return out

    def __repr__(self) -> str:
        return f"Series({self.coefficients!r})"


def taylor(f: Callable[[Any], Any], x: float, order: int) -> list[float]:
    """The Taylor coefficients f(x), f'(x), f''(x) / 2!, ..., f⁽ⁿ⁾(x) / n! of a function of one number, to order n ≤ 10.

    Raises ValueError for another order, TypeError where f gives no number, DomainError outside the domain.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 5)
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MOST:
        raise ValueError(f"order is a whole number from 0 to {MOST}, not {order!r}")
    out = f(Series([as_float(x), 1.0, *[0.0] * (order - 1)][: order + 1], {}))
    if isinstance(out, Series):
        return list(out.coefficients)
    if isinstance(out, Operand):
        raise TypeError(f"the function must give a number made from its argument alone, not {type(out).__name__}")
    return [as_float(out), *[0.0] * order]
