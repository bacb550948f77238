"""`Number`: the base class of every kind of number other than floats, with Python's operators and named methods.

Each operator applies one operation; each operation is a method of the same name (`x.tanh()`, `x.maximum(y)`).
"""

from __future__ import annotations

import math
import sys
from typing import Any, Self

from micrograd_bp._mypyc import as_method, mypyc_attr
from micrograd_bp.errors import DomainError, PoleError
from micrograd_bp.ops import abs as absolute
from micrograd_bp.ops import add, div, mul, neg, sub
from micrograd_bp.ops import pow as power
from micrograd_bp.ops.op import OPS, Op, Operand
from micrograd_bp.ops.reals import as_float, is_real, kind

_USUAL = (Operand, float, int)  # these types are checked first, because that is fast


def _fits(other: object) -> bool:
    """Return whether an operator takes `other`. For an array or a foreign class it does not: its own operator runs.

    Raises TypeError, with the remedy, for built-in types that are no real numbers.
    """
    if is_real(other):
        return True
    if type(other).__module__ in ("builtins", "decimal"):
        as_float(other)
    return False


def _has_data(other: object) -> bool:
    return isinstance(other, Number) or is_real(other)


def _comparable(other: Any) -> Any:
    # Other numbers are not converted, because Python compares big ints and Fractions exactly.
    return other.data if isinstance(other, Number) else other


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Number(Operand):
    """An operand with Python's operators and a method for each operation. Subclasses define `apply` and `data`."""

    __slots__ = ()

    @property
    def data(self) -> float:
        """The number as a float."""
        raise AttributeError(f"{type(self).__name__} has no data")

    @property
    def primal(self) -> Any:
        """The number that this one extends by derivatives, or the number itself."""
        return self

    def __add__(self, other: Any) -> Self | Any:
        return self.apply(add, (self, other)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __radd__(self, other: Any) -> Self | Any:
        if type(other) is int and other == 0:
            return self  # the start of sum([...])
        return self.apply(add, (other, self)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __sub__(self, other: Any) -> Self | Any:
        return self.apply(sub, (self, other)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __rsub__(self, other: Any) -> Self | Any:
        return self.apply(sub, (other, self)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __mul__(self, other: Any) -> Self | Any:
        return self.apply(mul, (self, other)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __rmul__(self, other: Any) -> Self | Any:
        return self.apply(mul, (other, self)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __truediv__(self, other: Any) -> Self | Any:
        return self.apply(div, (self, other)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Self | Any:
        return self.apply(div, (other, self)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __pow__(self, other: Any) -> Self | Any:
        return self.apply(power, (self, other)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __rpow__(self, other: Any) -> Self | Any:
        return self.apply(power, (other, self)) if isinstance(other, _USUAL) or _fits(other) else NotImplemented

    def __neg__(self) -> Any:
        return self.apply(neg, (self,))

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Any:
        return self.apply(absolute, (self,))

    def __lt__(self, other: Any) -> bool:
        return self.data < _comparable(other) if _has_data(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self.data <= _comparable(other) if _has_data(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self.data > _comparable(other) if _has_data(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self.data >= _comparable(other) if _has_data(other) else NotImplemented

    def __bool__(self) -> bool:
        return self.data != 0.0

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __float__(self) -> float:
        what = kind(self) if hasattr(type(self), "KIND") else f"a {kind(self)}"
        raise TypeError(
            f"{what} is not converted to a float, because that would drop its gradient: take .data for the number, "
            f"or this package's functions, such as mb.exp(v) or v.exp(), to stay in the graph"
        )

    def __int__(self) -> int:
        return int(self.__float__())

    # The following are for NumPy, which calls methods of the elements of object arrays.

    def exp2(self) -> Any:
        """Return 2 to the power of this number."""
        return self.apply(power, (2.0, self))

    def fabs(self) -> Any:
        """Return the absolute value."""
        return absolute(self)

    def conjugate(self) -> Self:
        """Return this number, which is real."""
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Return `np.f(x, ...)` where an argument is a Number. For arrays of Numbers NumPy does not call this.

        For objects NumPy computes `maximum` and `minimum` by comparing them, and `logaddexp` and `isnan` not at all.
        """
        function = _UFUNCS.get(ufunc.__name__) if method == "__call__" and not options else None
        if function is not None:
            for x in inputs:
                if not isinstance(x, _USUAL):
                    break
            else:
                return function(*inputs)
            if function in _NOT_BY_NUMPY:
                return _by_elements(function, inputs)
        return getattr(ufunc, method)(*[_as_array(x) if isinstance(x, Number) else x for x in inputs], **options)


def bottom(number: Any) -> Any:
    """Return the number below all derivatives that are being taken: a float, or a Number that extends no other."""
    while isinstance(number, Number):
        below = number.primal
        if below is number:
            break
        number = below
    return number


def _as_array(number: Number) -> Any:
    """Return an array of one Number: NumPy computes with its elements, and calls no `__array_ufunc__` for it."""
    array: Any = sys.modules["numpy"].empty((), object)
    array[()] = number
    return array


def _by_elements(function: Any, inputs: tuple[Any, ...]) -> Any:
    """Return the array of `function` of the elements of arrays. (NumPy's `frompyfunc` would warn of each nan.)"""
    numpy: Any = sys.modules["numpy"]
    elements: Any = numpy.broadcast(*[_as_array(x) if isinstance(x, Number) else x for x in inputs])
    out: Any = numpy.empty(elements.shape, object)
    out.flat = [function(*args) for args in elements]
    return out[()]


_UFUNCS: dict[str, Any] = {
    **{name: op for name, op in OPS.items() if name not in ("less", "step", "where", "clip")},
    "subtract": sub,
    "multiply": mul,
    "divide": div,
    "isnan": lambda x: math.isnan(x.data),
    "isinf": lambda x: math.isinf(x.data),
    "isfinite": lambda x: math.isfinite(x.data),
}
_NOT_BY_NUMPY = (OPS["maximum"], OPS["minimum"], OPS["logaddexp"])
ROW_METHODS: set[str] = set()


def add_method(op: Op, name: str) -> None:
    """Make an operation a method of all Numbers. (A `__getattr__` would slow down every attribute.)"""
    ROW_METHODS.add(name)
    setattr(Number, name, as_method(op, name))


for _row in OPS.values():
    add_method(_row, _row.name)
    if _row.name[1:4] in ("sin", "cos", "tan"):  # NumPy calls .arctan() on the elements of an object array
        add_method(_row, f"arc{_row.name[1:]}")


def check_domain(op: Op, numbers: tuple[float, ...]) -> None:
    """Raise DomainError if the numbers are outside the operation's domain; PoleError for a division by zero."""
    if not op.allows(numbers):
        message, domain = op.refusal(numbers)
        division = op.pole >= 0 and numbers[op.pole] == 0.0
        raise (PoleError if division else DomainError)(message, op.name, numbers, domain)
