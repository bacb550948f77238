"""A recorded graph replayed in mpmath, by the rows' textbook definitions: what every value, local derivative and
gradient would be without rounding. Shares with the engine the graph alone, none of its rules.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd_bp.engine import Value
from micrograd_bp.engine.chain import dependents, parents, passes, variables_among, zero_is_structural
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.ops.op import Op

_DIGITS = (90, 330, 1200)  # tried in turn, until a slope stands: erf' at 26 is 1e-294

UNDEFINED = (ValueError, ZeroDivisionError, OverflowError, NotImplementedError)


class Sums(NamedTuple):
    """For each variable the sum over paths, and that of the magnitudes; whether some of these are beyond the floats."""

    totals: list[Any]
    sizes: list[Any]
    overflow: bool


class _Change(NamedTuple):
    """A difference quotient, that of the right less that of the left, and how exact they are."""

    slope: Any
    bend: Any
    noise: Any


class Replay:
    """The graph `order` (in topological order) as a function of the leaves `variables`, at any number of digits."""

    def __init__(self, order: Sequence[Value], variables: Sequence[Value]) -> None:
        try:
            import mpmath
        except ImportError:
            raise MissingExtraError(
                "replaying a graph exactly needs mpmath:  pip install 'micrograd_bp[testing]'"
            ) from None
        self.m = mpmath.mp.clone()  # a precision of its own
        self.m.dps = _DIGITS[0]
        self.order = order
        self.variables = variables
        self.active = dependents(order, parents, variables)  # what depends on the variables
        self._point = [self.m.mpf(leaf.data) for leaf in variables]
        self.values = self._forward(self._point)

    def defines(self) -> bool:
        """Whether every operation that counts has an exact definition: in its row, or in mpmath under its name."""
        return all(node.op is None or node not in self.active or self._defined(node.op) for node in self.order)

    def finite(self) -> bool:
        """Whether all recorded values are."""
        return all(math.isfinite(node.data) for node in self.order)

    def _defined(self, op: Op) -> bool:
        return op.defined(self.m)

    def gradient(self, point: Sequence[Any] | None = None) -> list[Any]:
        """d root / d variable at the recorded point, or another; None where some local derivative does not exist."""
        for digits in _DIGITS:  # until what seems to cancel does so beyond doubt
            with self.m.workdps(max(digits, self.m.dps)):
                totals, sizes = self._sums(self._forward(self._point if point is None else point))
                doubt = [size * self._exactness() for total, size in zip(totals, sizes, strict=True) if total == 0]
            if not any(doubt) or max(doubt) < 1e-20:
                break
        return totals

    def _sums(self, values: dict[Value, Any]) -> tuple[list[Any], list[Any]]:
        """For each variable the derivative, and the size of the terms that add up to it."""
        adjoints, sizes = self._backward(values)
        zero = self.m.mpf(0)
        totals: list[Any] = []
        for leaf in self.variables:
            total = adjoints.get(leaf, zero)
            vanishes = abs(total) <= self._exactness() * sizes.get(leaf, zero)  # terms that cancel
            totals.append(None if self.m.isnan(total) else zero if vanishes else total)
        return totals, [sizes.get(leaf, zero) for leaf in self.variables]

    def _exactness(self) -> Any:
        """The relative error of a local derivative, at most: it stands to half the digits."""
        return self.m.mpf(10) ** (-2 * self.m.dps // 5)

    def adjoints(self, values: dict[Value, Any]) -> dict[Value, Any]:
        """d root / d node for the nodes that depend on the variables; nan where a local derivative does not exist."""
        return self._backward(values)[0]

    def _backward(self, values: dict[Value, Any]) -> tuple[dict[Value, Any], dict[Value, Any]]:
        """The adjoints, and what they would be if no two terms had opposite signs."""
        adjoints: dict[Value, Any] = {self.order[-1]: self.m.mpf(1)}
        sizes = dict(adjoints)
        for node in reversed(self.order):
            if node.op is None or node not in self.active or node not in adjoints:
                continue
            adjoint, variables = adjoints[node], variables_among(node.args)
            args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
            for place, arg in enumerate(node.args):
                if isinstance(arg, Value) and arg in self.active:
                    slope = self.slope(node.op, place, args)
                    local = self.m.nan if slope is None else slope
                    if local == 0 and zero_is_structural(node.op, place, variables):
                        continue
                    adjoints[arg] = adjoints.get(arg, 0) + adjoint * local
                    sizes[arg] = sizes.get(arg, 0) + sizes[node] * abs(local)
        return adjoints, sizes

    def hessian(self) -> list[list[Any]]:
        """The rows of second derivatives, by differences of exact gradients; None where they do not settle."""
        columns = []
        for i, x in enumerate(self._point):
            size = min(1, abs(x)) if x else 1
            self.m.dps = max(self.m.dps, 200 + 5 * int(-self.m.log10(size)))
            here = self._sums(self._forward(self._point))[0]
            coarse, fine = (self._difference(i, size * self.m.mpf(10) ** -power, here) for power in (12, 14))
            columns.append([self._settled(*pair) for pair in zip(coarse, fine, strict=True)])
        return [list(row) for row in zip(*columns, strict=True)]

    def _settled(self, coarse: _Change | None, fine: _Change | None) -> Any:
        if coarse is None or fine is None:
            return None
        slope, noise = fine.slope, fine.noise
        if abs(fine.bend) > noise and abs(fine.bend) > 0.5 * abs(coarse.bend):
            return None  # the slopes of the two sides differ, however near one looks
        if abs(slope) <= noise:
            return self.m.mpf(0)
        return slope if abs(coarse.slope - slope) <= 1e-14 * abs(slope) + noise else None

    def _difference(self, i: int, h: Any, here: list[Any]) -> list[_Change | None]:
        """The change of each first derivative, `here` at the point, as the i-th variable moves by h, over h."""
        (ahead, large), (behind, small) = (
            self._sums(self._forward([x + step * (place == i) for place, x in enumerate(self._point)]))
            for step in (h, -h)
        )
        noise = self._exactness() / h
        return [
            None
            if up is None or down is None or middle is None
            else _Change((up - down) / (2 * h), (up - 2 * middle + down) / h, noise * max(sizes))
            for up, middle, down, *sizes in zip(ahead, here, behind, large, small, strict=True)
        ]

    def recorded_sum(self) -> Sums:
        """The recorded local derivatives, multiplied and added up exactly."""
        sums: dict[Value, Any] = {self.order[-1]: self.m.mpf(1)}
        sizes = dict(sums)
        for node in reversed(self.order):
            if node not in sums:
                continue
            for place, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
                if not isinstance(arg, Value) or local is None or not passes(node, place, local):
                    continue
                sums[arg] = sums.get(arg, 0) + sums[node] * self.m.mpf(local)
                sizes[arg] = sizes.get(arg, 0) + sizes[node] * abs(local) + 2.0**-1022  # a product may underflow
        zero = self.m.mpf(0)
        overflow = any(sys.float_info.max < size < self.m.inf for size in sizes.values())
        return Sums([sums.get(v, zero) for v in self.variables], [sizes.get(v, zero) for v in self.variables], overflow)

    def roundings(self) -> list[Any]:
        """For each variable how far rounding may take a derivative that is computed by other formulas than the rows':
        every value, on the way to it, is known to an ulp more; rules may be written by the arguments or the result."""
        eps = self.m.mpf(2) ** -52
        values, errors = self.values, {leaf: eps * abs(self.values[leaf]) for leaf in self.variables}
        bends: dict[tuple[Value, int], tuple[Any, Any]] = {}  # each local derivative, and its error
        for node in self.order:
            if node.op is None or node not in self.active:
                continue
            args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
            own = [
                errors.get(arg, eps * abs(x)) if isinstance(arg, Value) else eps * abs(x)
                for arg, x in zip(node.args, args, strict=True)
            ]
            errors[node] = eps * abs(values[node])
            for place, arg in enumerate(node.args):
                local = self.slope(node.op, place, args) or self.m.mpf(0)
                errors[node] += abs(local) * own[place]
                if isinstance(arg, Value) and arg in self.active:
                    second = [abs(self._bend(node.op, place, other, args)) for other in range(len(args))]
                    inverted = self.m.sqrt(2 * second[place] * eps * abs(values[node]))  # where the slope is 0
                    if local:
                        inverted = min(inverted, second[place] * eps * abs(values[node] / local))
                    moved = sum(bend * error for bend, error in zip(second, own, strict=True))
                    bends[node, place] = (abs(local), eps * abs(local) + moved + inverted)
        sizes = {self.order[-1]: (self.m.mpf(1), self.m.mpf(0))}
        for node in reversed(self.order):
            size, error = sizes.get(node, (0, 0))
            for place, arg in enumerate(node.args):
                if isinstance(arg, Value) and (node, place) in bends and (size or error):
                    local, shift = bends[node, place]
                    before = sizes.get(arg, (0, 0))
                    sizes[arg] = (before[0] + size * local, before[1] + error * local + size * shift)
        return [sizes.get(leaf, (0, self.m.mpf(0)))[1] for leaf in self.variables]

    def _bend(self, op: Op, place: int, other: int, args: list[Any]) -> Any:
        """d² op / d args[place] d args[other]; 0 where there is none."""
        h = self.size(args) * self.m.mpf(10) ** -12
        ahead, behind = (
            self.slope(op, place, [x + step * (p == other) for p, x in enumerate(args)]) for step in (h, -h)
        )
        return self.m.mpf(0) if ahead is None or behind is None else (ahead - behind) / (2 * h)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _forward(self, point: Sequence[Any]) -> dict[Value, Any]:
        values = dict(zip(self.variables, point, strict=True))
        for node in self.order:
            if node not in values:
                values[node] = self.m.mpf(node.data)  # a leaf, or constant
                if node.op is not None and node in self.active:
                    args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
                    true = self.exact(node.op, args)
                    values[node] = values[node] if true is None else true
        return values

    def exact(self, op: Op, args: list[Any]) -> Any:
        """op(*args), or None where it has no real value or no definition."""
        if not self._defined(op):
            return None
        try:
            true = op.exact(self.m, *args)
        except UNDEFINED:
            return None
        return true if self.real(true) else None

    def slope(self, op: Op, place: int, args: list[Any]) -> Any:
        """d op / d args[place], by central differences so small, at so many digits, that 20 of them stand; None where
        the domain ends."""
        slope = None
        for digits in (max(self.m.dps, _DIGITS[0]), *_DIGITS[1:]):
            with self.m.workdps(digits):
                size = self.size(args)
                try:
                    coarse, slope = (
                        self._central(op, place, args, size * self.m.mpf(10) ** -power)
                        for power in (digits // 4, digits // 4 + 4)
                    )
                except UNDEFINED:
                    return None
                if not (self.real(coarse) and self.real(slope)):
                    return None
                if slope != 0 and abs(coarse - slope) <= 1e-20 * abs(slope):
                    break
        return slope

    def _central(self, op: Op, place: int, args: list[Any], h: Any) -> Any:
        above, below = list(args), list(args)
        above[place] = args[place] + h
        below[place] = args[place] - h
        return (op.exact(self.m, *above) - op.exact(self.m, *below)) / (2 * h)

    def size(self, args: Iterable[Any]) -> Any:
        """The scale of a small step away from args."""
        return min([self.m.mpf(1), *(abs(x) for x in args if x)])

    def real(self, x: Any) -> bool:
        """Whether x is a finite real number."""
        return isinstance(x, (int, self.m.mpf)) and bool(self.m.isfinite(x))
