"""`@op` makes a user-defined operation from a Python function and its derivative rules."""

from __future__ import annotations

import inspect
import keyword
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

from micrograd_bp.engine.number import ROW_METHODS, add_method
from micrograd_bp.engine.value import Value
from micrograd_bp.ops.domain import Bound, Interval
from micrograd_bp.ops.op import OPS, Op, Rule
from micrograd_bp.ops.reals import as_float

_origins: dict[str, tuple[Op, str]] = {}  # the last definition of each name, and the function's own name
_BARE = "@op needs the derivative rules in brackets, one (*args, out) -> d out / d arg per argument: @op(rule)"


def op(
    *partials: Rule,
    name: str | None = None,
    domain: tuple[tuple[Interval, ...], ...] = (),
    kinks: tuple[Rule, ...] = (),
    convention: str = "",
    routes_gradient: bool = False,
    symbol: str = "",
    text: str = "",
    latex: str = "",
    exact: Rule | None = None,
    bound: Bound | None = None,
    native: str = "",
) -> Callable[[Callable[..., float]], Op]:
    """Return a decorator that makes an operation from a function of floats, with one derivative rule per argument.

    A rule is `(*args, out) -> d out / d arg`. It is written with + - * and this package's functions, so that it also
    holds for Values and dual numbers, which gives higher derivatives. The keywords are the facts of `Op`; the names of
    the arguments and their defaults are those of the function. The operation is a function, a method of Values and an
    activation of networks, and it is drawn, copied and pickled (by name) like the operations of the table. Type
    checkers know the function but not the method, which is added at run time. Its value is nan outside `domain` and
    where the function raises ValueError or divides by zero; it is inf where the function raises OverflowError.

    A cell of a notebook may be run again: a function of the same name and module replaces the operation. Nodes that
    were recorded before keep the old one, and cannot be pickled any more.

    Raises ValueError for a name that is taken or is no identifier, and TypeError where the number of rules is not the
    number of arguments or a rule does not take all arguments and the result.

    >>> import math, micrograd_bp as mb
    >>> @op(lambda x, out: mb.div(1.0, mb.cosh(x)), symbol="gd")
    ... def gudermann(x):
    ...     return math.atan(math.sinh(x))
    >>> x = Value(0.5)
    >>> (gudermann(x) + x.gudermann()).backward()
    >>> round(x.grad, 6)
    1.773638
    >>> del mb.OPS["gudermann"]
    """

    if len(partials) == 1 and callable(partials[0]) and not takes(partials[0], 2):
        raise TypeError(_BARE)

    def define(function: Callable[..., float], *more: object) -> Op:
        if more or not callable(function):
            raise TypeError(_BARE)
        called = function.__name__ if name is None else name
        parameters = list(inspect.signature(function).parameters.values())
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in parameters):
            raise TypeError(f"{called}: an operation takes a fixed number of positional arguments")
        if not parameters or len(partials) != len(parameters):
            names = ", ".join(p.name for p in parameters)
            raise TypeError(f"{called}({names}) needs a derivative rule for each argument, {len(partials)} given")
        if not all(map(callable, partials)):
            raise TypeError(f"{called}: a derivative rule is a function (*args, out) -> d out / d arg")
        if not all(takes(rule, len(parameters) + 1) for rule in partials):
            raise TypeError(f"{called}: a derivative rule takes ({', '.join(p.name for p in parameters)}, out)")
        if not called.isidentifier() or keyword.iskeyword(called) or called.startswith("_"):
            raise ValueError(f"{called!r} cannot name an operation: give name=, an identifier without a leading _")
        known = OPS.get(called)
        origin = f"{getattr(function, '__module__', None)}.{getattr(function, '__qualname__', type(function).__name__)}"
        again = known is not None and _origins.get(called) == (known, origin)
        if (known is not None and not again) or (hasattr(Value, called) and called not in ROW_METHODS):
            raise ValueError(f"the name {called!r} is taken: give another one by name=")
        operation = Op(
            called,
            function,
            *[_free_of_errors(rule) for rule in partials],
            arguments=tuple(p.name for p in parameters),
            defaults=tuple(as_float(p.default) for p in parameters if p.default is not p.empty),
            domain=domain,
            kinks=kinks,
            convention=convention,
            routes_gradient=routes_gradient,
            symbol=symbol,
            text=text,
            latex=latex,
            exact=exact,
            by_name=False,
            bound=bound,
            native=native,
            description=inspect.getdoc(function) or "",
        )
        inner = _free_of_errors(function)
        operation.fn = lambda *args: as_float(inner(*args)) if operation.allows(args) else math.nan
        OPS[called] = operation
        _origins[called] = operation, origin
        add_method(operation, called)
        return operation

    return define


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with `count` positional arguments; True where Python does not know."""
    if type(function) is FunctionType and not hasattr(function, "__wrapped__"):  # a fast path for the usual case
        code, optional = function.__code__, len(function.__defaults__ or ())
        if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()) or count < code.co_argcount - optional:
            return False
        return count <= code.co_argcount or bool(code.co_flags & inspect.CO_VARARGS)
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError) as error:
        return isinstance(error, ValueError)
    return True


def _free_of_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with nan or inf where it raises, and with floats for ints."""

    def quiet(*args: Any) -> Any:
        try:
            result = function(*args)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan
        return as_float(result) if isinstance(result, int) else result

    return quiet
