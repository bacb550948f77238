"""Hypothesis strategies for numbers, expressions and networks, and `@gradient_property`: property tests of gradients.

All examples lie in the domains of the operations, have a repr that is code for them, and shrink to short ones.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from micrograd_bp.check.gradient import check_gradient
from micrograd_bp.check.random_expressions import Expression as Expression
from micrograd_bp.engine import Value
from micrograd_bp.errors import DomainError, MissingExtraError
from micrograd_bp.nn import MLP
from micrograd_bp.ops.domain import REAL, Interval
from micrograd_bp.ops.op import OPS, Op
from micrograd_bp.ops.reals import as_float

try:
    import hypothesis
    from hypothesis import strategies as st
except ImportError:
    raise MissingExtraError("property tests need hypothesis:  pip install 'micrograd_bp[testing]'") from None

__all__ = ["expressions", "gradient_property", "mlps", "points_in", "values"]

Domain = Op | Interval | Sequence[tuple[Interval, ...]]

_PLAIN = (0.5, 1.0, -1.0, 2.0, 3.0)  # common constants
_TOO_LARGE = 1e6  # a bound for the values in an expression, so that its gradient is significant
_AWAY = 1e-2  # the least distance to a kink with `away_from_kinks`


def values(low: float = -10.0, high: float = 10.0, name: str | None = None) -> st.SearchStrategy[Value]:
    """Return a strategy for leaves with numbers from `low` to `high`, which shrink towards 1.

    >>> hypothesis.find(values(0.25, 1.0), lambda v: v.data > 0.5)
    Value(1.0)
    """
    return _numbers(Interval(low, high)).map(lambda x: Value(x, name))


def points_in(domain: Domain, away_from_kinks: bool = False) -> st.SearchStrategy[tuple[float, ...]]:
    """Return a strategy for points in a domain: of an operation, an interval, or boxes (an interval per argument).

    With `away_from_kinks`, which needs an operation, the points have a distance of at least 0.01 from its kinks. Raises
    ValueError for an unknown operation, or where `away_from_kinks` is given without an operation.

    >>> import micrograd_bp as mb
    >>> hypothesis.find(points_in(mb.log), lambda args: True)[0] > 0
    True
    """
    if isinstance(domain, str):
        (domain,) = _operations([domain])
    if isinstance(domain, Op):
        boxes = domain.domain or ((REAL,) * domain.arity,)
        inside = _points(boxes).filter(domain.allows)
        return inside.filter(functools.partial(_off_kinks, domain)) if away_from_kinks else inside
    if away_from_kinks:
        raise ValueError("only an operation has kinks to keep away from: give the operation, not its domain")
    return _points(((domain,),) if isinstance(domain, Interval) else domain)


@st.composite
def expressions(
    draw: st.DrawFn,
    ops: Iterable[Op | str] | None = None,
    max_nodes: int = 8,
    n_leaves: int = 2,
    away_from_kinks: bool = False,
    leaf: st.SearchStrategy[float] | None = None,
) -> Expression:
    """Return a strategy for expressions of at most `max_nodes` operations in at most `n_leaves` variables.

    The operations are from `ops`, by default all. At the point of an expression, every operation is in its domain and
    its value is at most a million; with `away_from_kinks` it is also at least 0.01 from a kink. `leaf` draws the
    numbers of the variables. Nodes are shared: an argument is an earlier node, a variable, or a small constant. Raises
    ValueError for an unknown operation and for counts below 1.

    >>> hypothesis.find(expressions(ops=["tanh", "sin"]), lambda e: "tanh" in e.code)
    lambda x: mb.tanh(x)  # at 1.0
    """
    operations = _operations(ops)
    _at_least_1(max_nodes=max_nodes, n_leaves=n_leaves)
    names = [*"xyzuvw"][:n_leaves] + [f"x{i}" for i in range(7, n_leaves + 1)]
    point = {name: draw(_numbers(Interval(-10.0, 10.0)) if leaf is None else leaf) for name in names}
    known: list[tuple[Any, float]] = [(name, point[name]) for name in reversed(names)]  # the last one is the simplest
    lines: list[tuple[Any, ...]] = []
    for _ in range(draw(st.integers(1, max_nodes))):
        first = known[-1 - draw(st.integers(0, len(known) - 1))]
        rest = [
            draw(st.integers(0, len(known) + len(_PLAIN) - 1)) for _ in range(max(op.arity for op in operations) - 1)
        ]
        chosen = [first, *(known[-1 - k] if k < len(known) else (_PLAIN[k - len(known)],) * 2 for k in rest)]
        numbers = [number for _, number in chosen]
        op = draw(st.sampled_from(operations).filter(functools.partial(_fits, numbers=numbers, away=away_from_kinks)))
        lines.append((op.name, *(arg for arg, _ in chosen[: op.arity])))
        known.append((len(lines) - 1, op.fn(*numbers[: op.arity])))
    return Expression(lines, point)


@st.composite
def mlps(
    draw: st.DrawFn,
    n_inputs: int | None = None,
    max_width: int = 3,
    max_layers: int = 2,
    activations: Sequence[str] = ("tanh", "sigmoid", "softplus", "identity"),
) -> MLP:
    """Return a strategy for small networks whose weights and biases are multiples of 1/8 between -2 and 2.

    `activations` are the names from which that of the hidden layers is drawn.

    >>> hypothesis.find(mlps(n_inputs=2), lambda model: True)
    MLP(2, [1], output_activation='identity')  # 3 parameters
    """
    _at_least_1(max_width=max_width, max_layers=max_layers)
    first = draw(st.integers(1, max_width)) if n_inputs is None else n_inputs
    widths = draw(st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers))
    model = MLP(first, widths, activation=draw(st.sampled_from(activations)), seed=0)
    for parameter in model.parameters():
        parameter.data = draw(st.integers(-16, 16)) / 8.0
    return model


def gradient_property(
    function: Callable[..., Any] | None = None,
    *,
    grad: Callable[..., Any] | None = None,
    order: int = 1,
    mode: str = "reverse",
    **strategies: st.SearchStrategy[Any],
) -> Any:
    """Return a property test that the gradient of the decorated function is right at all drawn points.

    Each parameter is drawn from the strategy of its name, by default from `values()`. `grad`, `order` and `mode` are
    those of `check_gradient`. Points outside the domain, at which the function or `grad` raises ValueError or
    ArithmeticError, are drawn again; kinks and ill-conditioned points pass.

    Raises TypeError for a strategy without a parameter, or a parameter with a default.

    >>> import micrograd_bp as mb
    >>> @gradient_property(y=values(0.1, 10.0))
    ... def test_ratio(x, y):
    ...     return mb.log(x * x + 1) / y
    >>> test_ratio()
    """

    def decorate(f: Callable[..., Any]) -> Callable[..., None]:
        names = list(inspect.signature(f).parameters)
        for name, parameter in inspect.signature(f).parameters.items():
            if parameter.default is not parameter.empty:
                raise TypeError(f"{f.__name__}: {name} has a default; give it a strategy, {name}=values(), instead")
        strangers = [name for name in strategies if name not in names]
        if strangers:
            raise TypeError(f"{f.__name__} has no parameter {strangers[0]!r}; it has {', '.join(names)}")

        @hypothesis.given(**{name: strategies.get(name, values()) for name in names})
        @functools.wraps(f)
        def test(**inputs: Any) -> None:
            try:
                check_gradient(f, *(inputs[name] for name in names), grad=grad, order=order, mode=mode)
            except DomainError:
                hypothesis.reject()
            except (ArithmeticError, ValueError):
                if any(_ends(function, [inputs[name] for name in names]) for function in (f, grad) if function):
                    hypothesis.reject()
                raise

        return test

    return decorate if function is None else decorate(function)


def _ends(f: Callable[..., Any], inputs: list[Any]) -> bool:
    """Return whether a function of floats has no value at `inputs`."""
    try:
        f(*(x.data if isinstance(x, Value) else x for x in inputs))
    except (ArithmeticError, ValueError):
        return True
    return False


# --- how they are made ------------------------------------------------------------------------------------------------


def _operations(ops: Iterable[Op | str] | None) -> list[Op]:
    """Return operations given by name or as `Op`. Raise ValueError for an unknown name or an empty list."""
    given = list(OPS.values()) if ops is None else [ops] if isinstance(ops, (str, Op)) else list(ops)
    unknown = [op for op in given if not (isinstance(op, Op) or op in OPS)]
    if unknown or not given:
        what = f"no operation {unknown[0]!r}" if unknown else "no operation given"
        raise ValueError(f"{what}; there are {', '.join(OPS)}")
    return [op if isinstance(op, Op) else OPS[op] for op in given]


def _at_least_1(**counts: int) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} is a whole number from 1, not {count!r}")


def _numbers(interval: Interval) -> st.SearchStrategy[float]:
    """Return a strategy for an interval: first small integers from 1 on (wrong rules may hold at 0), then others."""
    low = max(as_float(interval.low), -sys.float_info.max)
    high = min(as_float(interval.high), sys.float_info.max)
    if not low <= high:
        raise ValueError(f"there is no number from {interval.low!r} to {interval.high!r}")
    least, most = math.ceil(max(low, -5.0)), math.floor(min(high, 5.0))
    small = [x for x in sorted(map(float, range(least, most + 1)), key=lambda x: abs(x - 0.9)) if interval.holds(x)]
    whole = [st.sampled_from(small)] if small else []
    if interval.integer:
        return whole[0] if whole else st.just(float(math.ceil(low)))
    usual = (
        []
        if max(low, -10.0) >= min(high, 10.0)
        else [st.floats(max(low, -10.0), min(high, 10.0)).filter(interval.holds)]
    )
    anywhere = st.floats(
        low, high, exclude_min=interval.open_low, exclude_max=interval.open_high, allow_subnormal=False
    )
    return st.one_of(*whole, *usual, anywhere)


def _points(boxes: Iterable[tuple[Interval, ...]]) -> st.SearchStrategy[tuple[float, ...]]:
    return st.one_of([st.tuples(*map(_numbers, box)) for box in boxes])


def _off_kinks(op: Op, args: Sequence[float]) -> bool:
    return all(abs(kink(*args)) >= _AWAY for kink in op.kinks)


def _fits(op: Op, numbers: Sequence[float], away: bool) -> bool:
    args = numbers[: op.arity]
    if not op.allows(args) or (away and not _off_kinks(op, args)):
        return False
    out = op.fn(*args)
    return math.isfinite(out) and abs(out) <= _TOO_LARGE
