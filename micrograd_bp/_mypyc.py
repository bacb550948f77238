"""What the modules that mypyc compiles tell it; interpreted, that is nothing."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
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


def as_method(row: Any, name: str) -> Any:
    """A row as a method of a class. Here, because Python binds its own functions faster than compiled ones."""

    def of_one(self: Any) -> Any:
        return row(self)

    def of_more(self: Any, *args: Any, **named: Any) -> Any:
        return row(self, *args, **named)

    first, *others = row.arguments
    method: Any = of_more if others else of_one
    method.__name__ = method.__qualname__ = name
    called = f"{row.name}({', '.join(row.arguments)})"
    method.__doc__ = f"Return {called}, where {first} is this number; `help(micrograd_bp.OPS[{row.name!r}])` says more."
    if others:
        needed = len(others) - len(row.defaults)
        parameters = [Parameter("self", Parameter.POSITIONAL_ONLY)]
        for place, argument in enumerate(others):
            default = row.defaults[place - needed] if place >= needed else Parameter.empty
            parameters.append(Parameter(argument, Parameter.POSITIONAL_OR_KEYWORD, default=default))
        method.__signature__ = Signature(parameters)
    return method
