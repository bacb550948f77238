"""The replay of a recorded graph in mpmath, by the textbook definitions of the operations.

It gives every value, local derivative and gradient without rounding. It shares the graph with the engine, but none of
its derivative rules.
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

_DIGITS = (90, 330, 1200)  # tried in this order until a slope is certain: erf' at 26 is 1e-294

UNDEFINED = (ValueError, ZeroDivisionError, OverflowError, NotImplementedError)


class Sums(NamedTuple):
    """For each variable the sum over paths and the sum of magnitudes; and whether a magnitude overflows a float."""

    totals: list[Any]
    sizes: list[Any]
    overflow: bool


class _Change(NamedTuple):
    """A central difference quotient, the right one-sided quotient minus the left one, and the error of both."""

    slope: Any
    bend: Any
    noise: Any


class Replay:
    """The graph `order`, in topological order, as a function of the leaves `variables`, at any number of digits."""

    def __init__(self, order: Sequence[Value], variables: Sequence[Value]) -> None:
        try:
            import mpmath
        except ImportError:
            raise MissingExtraError(
                "an exact replay of a graph needs mpmath:  pip install 'micrograd_bp[testing]'"
            ) from None
        self.m = mpmath.mp.clone()  # a context with its own precision
        self.m.dps = _DIGITS[0]
        self.order = order
        self.variables = variables
        self.active = dependents(order, parents, variables)  # the nodes that depend on the variables
        self._point = [self.m.mpf(leaf.data) for leaf in variables]
        self.values = self._forward(self._point)

    def defines(self) -> bool:
        """Return whether every operation that depends on the variables has an exact definition."""
        return all(node.op is None or node not in self.active or self._defined(node.op) for node in self.order)

    def finite(self) -> bool:
        """Return whether all recorded values are finite."""
        return all(math.isfinite(node.data) for node in self.order)

    def _defined(self, op: Op) -> bool:
        return op.defined(self.m)

    def gradient(self, point: Sequence[Any] | None = None) -> list[Any]:
        """Return d root / d variable at `point`, by default the recorded one; None where it does not exist."""
        for digits in _DIGITS:  # until it is certain which sums cancel
            with self.m.workdps(max(digits, self.m.dps)):
                totals, sizes = self._sums(self._forward(self._point if point is None else point))
                doubt = [size * self._exactness() for total, size in zip(totals, sizes, strict=True) if total == 0]
            if not any(doubt) or max(doubt) < 1e-20:
                break
        return totals

    def _sums(self, values: dict[Value, Any]) -> tuple[list[Any], list[Any]]:
        """Return the derivative by each variable, and the sum of the magnitudes of its terms."""
        adjoints, sizes = self._backward(values)
        zero = self.m.mpf(0)
        totals: list[Any] = []
        for leaf in self.variables:
            total = adjoints.get(leaf, zero)
            vanishes = abs(total) <= self._exactness() * sizes.get(leaf, zero)  # terms that cancel
            totals.append(None if self.m.isnan(total) else zero if vanishes else total)
        return totals, [sizes.get(leaf, zero) for leaf in self.variables]

    def _exactness(self) -> Any:
        """Return the bound of the relative error of a local derivative, which has about 2/5 of the digits."""
        return self.m.mpf(10) ** (-2 * self.m.dps // 5)

    def adjoints(self, values: dict[Value, Any]) -> dict[Value, Any]:
        """Return d root / d node of nodes that depend on the variables; nan where a derivative does not exist."""
        return self._backward(values)[0]

    def _backward(self, values: dict[Value, Any]) -> tuple[dict[Value, Any], dict[Value, Any]]:
        """Return the adjoints, and the sums of the magnitudes of their terms."""
        adjoints: dict[Value, Any] = {self.order[-1]: self.m.mpf(1)}
        sizes = dict(adjoints)
        for node in reversed(self.order):
            if node.op is None or node not in self.active or node not in adjoints:
                continue
            adjoint, variables = adjoints[node], variables_among(node.args)
            args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
            for index, arg in enumerate(node.args):
                if isinstance(arg, Value) and arg in self.active:
                    slope = self.slope(node.op, index, args)
                    local = self.m.nan if slope is None else slope
                    if local == 0 and zero_is_structural(node.op, index, variables):
                        continue
                    adjoints[arg] = adjoints.get(arg, 0) + adjoint * local
                    sizes[arg] = sizes.get(arg, 0) + sizes[node] * abs(local)
        return adjoints, sizes

    def hessian(self) -> list[list[Any]]:
        """Return the Hessian by differences of exact gradients; an entry is None where they do not converge."""
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
            return None  # the one-sided slopes differ at both steps
        if abs(slope) <= noise:
            return self.m.mpf(0)
        return slope if abs(coarse.slope - slope) <= 1e-14 * abs(slope) + noise else None

    def _difference(self, i: int, h: Any, here: list[Any]) -> list[_Change | None]:
        """Return difference quotients, by variable i with step h, of all first derivatives (`here` at the point)."""
        (ahead, large), (behind, small) = (
            self._sums(self._forward([x + step * (index == i) for index, x in enumerate(self._point)]))
            for step in (h, -h)
        )
        noise = self._exactness() / h
        return [
            None
            if up is None or down is None or middle is None
            else _Change((up - down) / (2 * h), (up - 2 * middle + down) / h, noise * max(sizes))
            for up, middle, down, *sizes in zip(ahead, here, behind, large, small, strict=True)
        ]

    def slope_of_values(self, i: int) -> Any:
        """Return d root / d variable i from values of the root alone, None where its one-sided slopes differ.

        On a kink of a node, the function may have a derivative that the derivatives of the nodes do not tell.
        """
        size = self.size([self._point[i]])
        with self._finely(size):
            here = self._moved({})
            steps = (size * self.m.mpf(10) ** -power for power in (30, 32))
            return _agreed(*([(self._moved({i: s}) - here) / s for s in (h, -h)] for h in steps))

    def bend_of_values(self, i: int, j: int) -> Any:
        """Return the second derivative of the root by variables i and j likewise, by differences on all sides."""
        size = self.size([self._point[i], self._point[j]])
        with self._finely(size):
            here = self._moved({})
            found = []
            for h in (size * self.m.mpf(10) ** -power for power in (30, 32)):
                one = {(k, s): self._moved({k: s}) for k in (i, j) for s in (h, -h)}
                if i == j:
                    sides = [(self._moved({i: 2 * s}) - 2 * one[i, s] + here) / h**2 for s in (h, -h)]
                else:
                    sides = [
                        (self._moved({i: s, j: t}) - one[i, s] - one[j, t] + here) / (s * t)
                        for s in (h, -h)
                        for t in (h, -h)
                    ]
                found.append(sides)
            return _agreed(*found)

    def _finely(self, size: Any) -> Any:
        """Return a context with the digits for differences at steps far below `size`."""
        return self.m.workdps(200 + 5 * int(-self.m.log10(size)))

    def _moved(self, steps: dict[int, Any]) -> Any:
        """Return the root's value where some variables are changed by steps."""
        return self._forward([x + steps.get(index, 0) for index, x in enumerate(self._point)])[self.order[-1]]

    def recorded_sum(self) -> Sums:
        """Return the gradient from the recorded local derivatives, multiplied and added exactly."""
        sums: dict[Value, Any] = {self.order[-1]: self.m.mpf(1)}
        sizes = dict(sums)
        for node in reversed(self.order):
            if node not in sums:
                continue
            for index, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
                if not isinstance(arg, Value) or local is None or not passes(node, index, local):
                    continue
                sums[arg] = sums.get(arg, 0) + sums[node] * self.m.mpf(local)
                sizes[arg] = sizes.get(arg, 0) + sizes[node] * abs(local) + 2.0**-1022  # a product may underflow
        zero = self.m.mpf(0)
        overflow = any(sys.float_info.max < size < self.m.inf for size in sizes.values())
        return Sums([sums.get(v, zero) for v in self.variables], [sizes.get(v, zero) for v in self.variables], overflow)

    def roundings(self) -> list[Any]:
        """Return a bound of the rounding error of each derivative, for a gradient that uses other formulas.

        Every operation adds an error of one ulp to its value, and a rule may use its arguments or its result.
        """
        eps = self.m.mpf(2) ** -52
        values, errors = self.values, {leaf: eps * abs(self.values[leaf]) for leaf in self.variables}
        bends: dict[tuple[Value, int], tuple[Any, Any]] = {}  # each local derivative with its error
        for node in self.order:
            if node.op is None or node not in self.active:
                continue
            args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
            own = [
                errors.get(arg, eps * abs(x)) if isinstance(arg, Value) else eps * abs(x)
                for arg, x in zip(node.args, args, strict=True)
            ]
            errors[node] = eps * abs(values[node])
            for index, arg in enumerate(node.args):
                local = self.slope(node.op, index, args) or self.m.mpf(0)
                errors[node] += abs(local) * own[index]
                if isinstance(arg, Value) and arg in self.active:
                    second = [abs(self._bend(node.op, index, other, args)) for other in range(len(args))]
                    inverted = self.m.sqrt(2 * second[index] * eps * abs(values[node]))  # for a slope of 0
                    if local:
                        inverted = min(inverted, second[index] * eps * abs(values[node] / local))
                    moved = sum(bend * error for bend, error in zip(second, own, strict=True))
                    bends[node, index] = (abs(local), eps * abs(local) + moved + inverted)
        sizes = {self.order[-1]: (self.m.mpf(1), self.m.mpf(0))}
        for node in reversed(self.order):
            size, error = sizes.get(node, (0, 0))
            for index, arg in enumerate(node.args):
                if isinstance(arg, Value) and (node, index) in bends and (size or error):
                    local, shift = bends[node, index]
                    before = sizes.get(arg, (0, 0))
                    sizes[arg] = (before[0] + size * local, before[1] + error * local + size * shift)
        return [sizes.get(leaf, (0, self.m.mpf(0)))[1] for leaf in self.variables]

    def _bend(self, op: Op, index: int, other: int, args: list[Any]) -> Any:
        """Return d² op / d args[index] d args[other], or 0 where it does not exist."""
        h = self.size(args) * self.m.mpf(10) ** -12
        ahead, behind = (
            self.slope(op, index, [x + step * (p == other) for p, x in enumerate(args)]) for step in (h, -h)
        )
        return self.m.mpf(0) if ahead is None or behind is None else (ahead - behind) / (2 * h)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _forward(self, point: Sequence[Any]) -> dict[Value, Any]:
        values = dict(zip(self.variables, point, strict=True))
        for node in self.order:
            if node not in values:
                values[node] = self.m.mpf(node.data)  # a leaf, or a node that does not depend on the variables
                if node.op is not None and node in self.active:
                    args = [values[arg] if isinstance(arg, Value) else self.m.mpf(arg) for arg in node.args]
                    true = self.exact(node.op, args)
                    values[node] = values[node] if true is None else true
        return values

    def exact(self, op: Op, args: list[Any]) -> Any:
        """Return op(*args), or None where it has no real value or no definition."""
        if not self._defined(op):
            return None
        try:
            true = op.exact(self.m, *args)
        except UNDEFINED:
            return None
        return true if self.real(true) else None

    def slope(self, op: Op, index: int, args: list[Any]) -> Any:
        """Return d op / d args[index] with 20 certain digits, by central differences; None where the domain ends."""
        slope = None
        for digits in (max(self.m.dps, _DIGITS[0]), *_DIGITS[1:]):
            with self.m.workdps(digits):
                size = self.size(args)
                try:
                    coarse, slope = (
                        self._central(op, index, args, size * self.m.mpf(10) ** -power)
                        for power in (digits // 4, digits // 4 + 4)
                    )
                except UNDEFINED:
                    return None
                if not (self.real(coarse) and self.real(slope)):
                    return None
                if slope != 0 and abs(coarse - slope) <= 1e-20 * abs(slope):
                    break
        return slope

    def _central(self, op: Op, index: int, args: list[Any], h: Any) -> Any:
        above, below = list(args), list(args)
        above[index] = args[index] + h
        below[index] = args[index] - h
        return (op.exact(self.m, *above) - op.exact(self.m, *below)) / (2 * h)

    def size(self, args: Iterable[Any]) -> Any:
        """Return the scale of small steps from `args`: the least magnitude of a nonzero argument, at most 1."""
        return min([self.m.mpf(1), *(abs(x) for x in args if x)])

    def real(self, x: Any) -> bool:
        """Return whether x is a finite real number."""
        return isinstance(x, (int, self.m.mpf)) and bool(self.m.isfinite(x))


def _agreed(coarse: list[Any], fine: list[Any]) -> Any:
    """Return the limit of difference quotients on several sides, None where they do not approach one number.

    The fine steps are 1/100 of the coarse ones, and the quotients differ from the limit by a multiple of the step.
    """
    before, after = max(coarse) - min(coarse), max(fine) - min(fine)
    far, near = sum(coarse) / len(coarse), sum(fine) / len(fine)
    settled = abs(near - far) <= 1e-9 * abs(near) or abs(near) <= 0.1 * abs(far)
    if not settled or after > max(0.1 * before, 1e-20 * abs(near)):
        return None
    limit = (100 * near - far) / 99
    return limit if abs(limit) > 1e-20 * max(map(abs, coarse)) else 0 * limit
