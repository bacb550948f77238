"""`is_real` decides what counts as a real number; `as_float` converts such a number to a float."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy

    Real: TypeAlias = float | Fraction | numpy.floating[Any] | numpy.integer[Any] | numpy.bool_
    """The numbers that `is_real` accepts, as a type; to a type checker `float` includes int and bool."""


class Numbers(Protocol):
    """A type for lists, tuples and NumPy arrays; a NumPy array is no `Sequence` to type checkers."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, index: int, /) -> Any: ...


def as_float(x: object) -> float:
    """Return a real number as a float: an int, a bool, a Fraction, a NumPy scalar or a 0-d array.

    Raises TypeError for anything else and OverflowError for a finite number that is too large for a float.

    >>> as_float(True), as_float(3)
    (1.0, 3.0)
    >>> as_float("3")
    Traceback (most recent call last):
    ...
    TypeError: a real number is needed, not str '3': convert it with float(...) first
    """
    if type(x) is float:
        return x
    if type(x) is int and -(2**53) <= x <= 2**53:  # exact, and most constants are such: x**2, 2 * x
        return float(x)
    if is_real(x):
        try:
            number = float(x)  # type: ignore[arg-type]  # is_real has checked the type
        except OverflowError:
            number = math.inf
        given: Any = x  # untyped, because NumPy's comparisons return a bool of NumPy
        if math.isinf(number) and bool(given != number):
            raise OverflowError(f"{type(x).__name__} {short(x)} is too large for a float (at most 1.8e308)")
        return number
    raise TypeError(f"a real number is needed, not {shown(x)}: {_remedy(x)}")


def is_real(x: object) -> bool:
    """Return whether `x` is a real number: a `numbers.Real`, or a NumPy scalar or 0-d array of one."""
    if isinstance(x, (float, int, numbers.Real)):
        return True
    kind: str = getattr(getattr(x, "dtype", None), "kind", "")  # this needs no import of NumPy
    return type(x).__module__ == "numpy" and getattr(x, "ndim", None) == 0 and kind in "biuf"


def short(x: object) -> str:
    """Return the repr of `x`, cut to 40 characters."""
    try:
        text = repr(x)
    except ValueError:  # Python does not print an int of more than 4300 digits
        return "of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."


def kind(x: object) -> str:
    """Return how a message names the type of `x`; classes of this package that users do not know have a `KIND`."""
    named: str = getattr(type(x), "KIND", type(x).__name__)
    return named


def shown(x: object) -> str:
    """Return how a message names `x`: its kind and, where users know its class, its text."""
    return kind(x) if hasattr(type(x), "KIND") else f"{kind(x)} {short(x)}"


def _remedy(x: object) -> str:
    if hasattr(type(x), "KIND"):
        return "use it in arithmetic and in this package's functions"
    if hasattr(type(x), "apply_unchecked"):  # an Operand; this module cannot import its class
        return "use the node itself, or its .data for the bare number"
    if isinstance(x, numbers.Complex):
        return "this package computes with real numbers only: pass .real or .imag"
    if x is None:
        return "is a return statement missing?"
    if isinstance(x, (str, bytes)) or type(x).__name__ == "Decimal":
        return "convert it with float(...) first"
    return "for several numbers use one at a time, or a NumPy object array of Values"
