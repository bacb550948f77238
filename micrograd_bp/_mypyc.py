"""What the modules that mypyc compiles tell it; interpreted, that is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from mypy_extensions import i64 as i64
    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    i64 = int  # a machine integer to the compiler

    def mypyc_attr(**facts: bool) -> Callable[[T], T]:
        """A decorator that leaves the class as it is: the compiler reads it, Python has no use for it."""
        return lambda cls: cls


def as_method(row: Callable[..., Any], name: str, arity: int) -> Callable[..., Any]:
    """A row as a method of a class. Here, because Python binds its own functions faster than compiled ones."""

    def of_one(number: Any) -> Any:
        return row(number)

    def of_more(number: Any, *args: Any, **named: Any) -> Any:
        return row(number, *args, **named)

    method = of_one if arity == 1 else of_more
    method.__name__ = method.__qualname__ = name
    return method
