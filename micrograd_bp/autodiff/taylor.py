"""Taylor series: `taylor(f, x, order)` from the derivative rules of the table.

For out = op(args), the chain rule is out' = sum of rule(args, out) · arg'. For power series, k · out_k is coefficient
k - 1 of the right-hand side, which depends only on coefficients of `out` below k. The rules of the table are therefore
sufficient: they are applied to series that are one coefficient shorter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_bp.engine.chain import contribution, local_derivative
from micrograd_bp.engine.number import Number, check_domain
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float

MOST = 10
SCALE = 16.0  # a power of two above MOST: k · out_k / SCALE is finite where out_k is finite


class Series(Number):
    """A power series c_0 + c_1 t + ... + c_n t^n, truncated there. A structurally zero coefficient is None."""

    __slots__ = ("coefficients", "known")

    def __init__(self, coefficients: list[float | None], known: dict[Any, list[float | None]]) -> None:
        self.coefficients = coefficients
        self.known = known  # results by operation and arguments, because rules repeat computations

    @property
    def data(self) -> float:  # read-only, unlike the data of a Value
        """The number c_0."""
        first = self.coefficients[0]
        return 0.0 if first is None else first

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        numbers = tuple([arg.data if isinstance(arg, Series) else as_float(arg) for arg in args])
        out = op.fn(*numbers)
        if out - out != 0.0:
            check_domain(op, numbers)
        return self.apply_unchecked(op, args)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        length = min([len(arg.coefficients) for arg in args if isinstance(arg, Series)])
        given: list[Any] = [arg.coefficients[:length] if isinstance(arg, Series) else [as_float(arg)] for arg in args]
        key = (op, *(tuple(map(repr, coefficients)) for coefficients in given))  # as text, because 0.0 == -0.0
        if key not in self.known:
            self.known[key] = self._extend(op, args, given, length)
        return Series(self.known[key], self.known)

    def _extend(self, op: Op, args: tuple[Any, ...], given: list[Any], length: int) -> list[float | None]:
        out: list[float | None] = [op.fn(*[coefficients[0] for coefficients in given])]
        for k in range(1, length):
            lower = tuple(
                [
                    Series(coefficients[:k], self.known) if isinstance(arg, Series) else coefficients[0]
                    for arg, coefficients in zip(args, given, strict=True)
                ]
            )
            total = self._coefficient(op, lower, given, out, 1.0)
            if total is not None and total - total != 0.0:  # k · out_k is not finite, but out_k may be
                scaled = self._coefficient(op, lower, given, out, 1.0 / SCALE)
                total = None if scaled is None else scaled / k * SCALE
            elif total is not None:
                total /= k
            out.append(total)
        return out

    def _coefficient(
        self, op: Op, lower: tuple[Any, ...], given: list[Any], out: list[float | None], scale: float
    ) -> float | None:
        """Return `scale` · k · out_k, from coefficient k - 1 of the sum of rule(args, out) · arg'."""
        k, total = len(out), None
        for index, arg in enumerate(lower):
            if not isinstance(arg, Series):
                continue
            slope = local_derivative(op.partials[index], lower, Series(out, self.known))
            slopes = slope.coefficients[:k] if isinstance(slope, Series) else [slope]
            for i, s in enumerate(slopes):
                c = given[index][k - i]
                if s is None or c is None:
                    continue
                amount = (
                    contribution(op, index, lower, s, (k - i) * (c * scale)) if i == 0 else s * ((k - i) * (c * scale))
                )
                if amount is not None:
                    total = amount if total is None else total + amount
        return total

    def __repr__(self) -> str:
        return f"Series({self.coefficients!r})"


def taylor(f: Callable[[Any], Any], x: float, order: int) -> list[float]:
    """Return the Taylor coefficients f(x), f'(x), f''(x) / 2!, ..., f⁽ⁿ⁾(x) / n! of a function of one number.

    `order` is n, from 0 to 10. Raises ValueError for another order, TypeError where f does not return a number, and
    DomainError where an operation of f leaves its real domain.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 5)
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MOST:
        raise ValueError(f"order is a whole number from 0 to {MOST}, not {order!r}")
    out = f(Series([as_float(x), 1.0, *[None] * (order - 1)][: order + 1], {}))
    if isinstance(out, Series):
        return [0.0 if c is None else c for c in out.coefficients]
    if isinstance(out, Operand):
        raise TypeError(f"the function must return a number computed from its argument, not {type(out).__name__}")
    return [as_float(out), *[0.0] * order]
