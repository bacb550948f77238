"""`@op` turns a Python function and its derivative rules into an operation beside those of the table."""

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

_BARE = "@op needs the derivative rules in brackets, one (*args, out) -> d out / d arg per argument: @op(rule)"


def op(
    *partials: Rule,
    name: str | None = None,
    domain: tuple[tuple[Interval, ...], ...] = (),
    kinks: tuple[Rule, ...] = (),
    convention: str = "",
    symbol: str = "",
    text: str = "",
    latex: str = "",
    exact: Rule | None = None,
    bound: Bound | None = None,
    native: str = "",
) -> Callable[[Callable[..., float]], Op]:
    """A decorator: the function of floats below it becomes an operation, with one rule per argument.

    A rule is `(*args, out) -> d out / d arg`, written with + - * and this package's functions, so that it holds for
    Values and Duals too and higher derivatives come out. The other facts are those of `Op`; arguments and defaults are
    the function's own. The operation is called by its name as a function, is a method of Values and an activation of
    networks, is drawn, copied and pickled (by name) like any other. Type checkers know the function but not the method,
    which is added when the program runs. Where the function raises ValueError or divides by zero, and outside `domain`,
    its value is nan; where it overflows, inf.

    Raises ValueError for a name that is taken or no identifier, TypeError where the rules are not as many as the
    arguments or do not take all of them and the result.

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
            raise TypeError(f"{called}: an operation takes a fixed number of arguments by place")
        if not parameters or len(partials) != len(parameters):
            names = ", ".join(p.name for p in parameters)
            raise TypeError(f"{called}({names}) needs a derivative rule for each argument, {len(partials)} given")
        if not all(map(callable, partials)):
            raise TypeError(f"{called}: a derivative rule is a function (*args, out) -> d out / d arg")
        if not all(takes(rule, len(parameters) + 1) for rule in partials):
            raise TypeError(f"{called}: a derivative rule takes ({', '.join(p.name for p in parameters)}, out)")
        if not called.isidentifier() or keyword.iskeyword(called) or called.startswith("_"):
            raise ValueError(f"{called!r} is no name for an operation: give name=, an identifier without a leading _")
        if called in OPS or (hasattr(Value, called) and called not in ROW_METHODS):
            raise ValueError(f"the name {called!r} is taken; give another by name=")
        row = Op(
            called,
            function,
            *[_free_of_errors(rule) for rule in partials],
            arguments=tuple(p.name for p in parameters),
            defaults=tuple(as_float(p.default) for p in parameters if p.default is not p.empty),
            domain=domain,
            kinks=kinks,
            convention=convention,
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
        row.fn = lambda *args: as_float(inner(*args)) if row.allows(args) else math.nan
        OPS[called] = row
        add_method(row, called)
        return row

    return define


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments; True for built-in functions that do not tell."""
    if type(function) is FunctionType and not hasattr(function, "__wrapped__"):  # the usual case, which is fast
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
    """`function` as rows need it: nan or inf where Python raises, floats for other real numbers."""

    def quiet(*args: Any) -> Any:
        try:
            result = function(*args)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan
        return as_float(result) if isinstance(result, int) else result

    return quiet
