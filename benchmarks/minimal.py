"""A scalar engine as one writes it in an hour: slots, a closure per operation, a recursive sort. A peer to measure."""

from __future__ import annotations

import math
from collections.abc import Callable


def _nothing() -> None:
    pass


class Value:
    """A number, its gradient, and a closure that passes the gradient on."""

    __slots__ = ("data", "grad", "_backward", "_previous")

    def __init__(self, data: float, previous: tuple[Value, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self._backward: Callable[[], None] = _nothing
        self._previous = previous

    def __add__(self, other: Value | float) -> Value:
        y = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + y.data, (self, y))

        def backward() -> None:
            self.grad += out.grad
            y.grad += out.grad

        out._backward = backward
        return out

    def __mul__(self, other: Value | float) -> Value:
        y = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * y.data, (self, y))

        def backward() -> None:
            self.grad += y.data * out.grad
            y.grad += self.data * out.grad

        out._backward = backward
        return out

    def __pow__(self, power: float) -> Value:
        return self._unary(self.data**power, power * self.data ** (power - 1.0))

    def exp(self) -> Value:
        """e^x."""
        power = math.exp(self.data)
        return self._unary(power, power)

    def log(self) -> Value:
        """ln x."""
        return self._unary(math.log(self.data), 1.0 / self.data)

    def relu(self) -> Value:
        """max(x, 0)."""
        return self._unary(max(self.data, 0.0), float(self.data > 0.0))

    def _unary(self, data: float, slope: float) -> Value:
        out = Value(data, (self,))

        def backward() -> None:
            self.grad += slope * out.grad

        out._backward = backward
        return out

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + (-other)

    def __rsub__(self, other: float) -> Value:
        return other + (-self)

    def __truediv__(self, other: Value | float) -> Value:
        return self * other**-1.0

    def __rtruediv__(self, other: float) -> Value:
        return other * self**-1.0

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self) -> None:
        """The chain rule, from this value back."""
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                for argument in node._previous:
                    visit(argument)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
