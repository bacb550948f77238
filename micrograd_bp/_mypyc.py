"""Types and decorators for the modules that mypyc compiles. They have no effect where the modules are interpreted."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from mypy_extensions import i64 as i64
    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    i64 = int  # mypyc makes this a machine integer

    def mypyc_attr(**facts: bool) -> Callable[[T], T]:
        """Return a decorator that returns the class unchanged; only the compiler reads it."""
        return lambda cls: cls


def as_method(op: Any, name: str) -> Any:
    """Return an operation as a method. This module is not compiled: Python binds interpreted functions faster."""

    def of_one(self: Any) -> Any:
        return op(self)

    def of_more(self: Any, *args: Any, **named: Any) -> Any:
        return op(self, *args, **named)

    first, *others = op.arguments
    method: Any = of_more if others else of_one
    method.__name__ = method.__qualname__ = name
    called = f"{op.name}({', '.join(op.arguments)})"
    method.__doc__ = f"Return {called}, where {first} is this number; `help(micrograd_bp.OPS[{op.name!r}])` says more."
    if others:
        needed = len(others) - len(op.defaults)
        parameters = [Parameter("self", Parameter.POSITIONAL_ONLY)]
        for index, argument in enumerate(others):
            default = op.defaults[index - needed] if index >= needed else Parameter.empty
            parameters.append(Parameter(argument, Parameter.POSITIONAL_OR_KEYWORD, default=default))
        method.__signature__ = Signature(parameters)
    return method
