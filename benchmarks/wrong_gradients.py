"""Wrong gradients, and who finds them: `check_gradient`, `torch.autograd.gradcheck`, `jax.test_util.check_grads`.

    python benchmarks/wrong_gradients.py

Each mutant is a function and a derivative with one mistake of a kind that people make. Every checker gets the same pair
at the same point, as its library takes hand-written derivatives, with its default settings (double precision).
Each also gets the right derivative. What is not installed is left out.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import micrograd_bp as mb

Rule = Callable[..., tuple[Any, ...]]


@dataclass(frozen=True)
class Mutant:
    """`f` and its derivatives `right` and `wrong` as functions of (m, *x), m a library of elementary functions."""

    name: str
    f: Callable[..., Any]
    right: Rule
    wrong: Callable[[], Rule]
    point: tuple[float, ...]


def _s(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _always(rule: Rule) -> Callable[[], Rule]:
    return lambda: rule


def _stale() -> Rule:
    seen: list[Any] = []

    def rule(m: Any, x: Any) -> tuple[Any, ...]:
        seen.append(x)
        return (2 * seen[0],)

    return rule


def _counts_calls() -> Rule:
    calls: list[int] = []

    def rule(m: Any, x: Any) -> tuple[Any, ...]:
        calls.append(1)
        return (m.cos(x) * (1 + 1e-3 * len(calls)),)

    return rule


def _rounded() -> Rule:
    return lambda m, x: (2 * (x // 0.001) * 0.001,)


_SQUARE = (lambda m, x: x * x, lambda m, x: (2 * x,))
_PRODUCT = (lambda m, x, y: x * y + x, lambda m, x, y: (y + 1, x))
_RATIO = (lambda m, x, y: x / y, lambda m, x, y: (1 / y, -x / (y * y)))
_TANH = (lambda m, x: m.tanh(x), lambda m, x: (1 - m.tanh(x) ** 2,))
_NEURON = (
    lambda m, w, x, b: _s(m, w * x + b),
    lambda m, w, x, b: tuple(_s(m, w * x + b) * _s(m, -(w * x + b)) * d for d in (x, w, 1.0)),
)
_LOSS = (
    lambda m, w, b: 0.5 * (_s(m, 1.5 * w + b) - 0.3) ** 2,
    lambda m, w, b: tuple(
        (_s(m, 1.5 * w + b) - 0.3) * _s(m, 1.5 * w + b) * _s(m, -(1.5 * w + b)) * d for d in (1.5, 1.0)
    ),
)
_TWICE = (lambda m, x: x * m.sin(x), lambda m, x: (m.sin(x) + x * m.cos(x),))
_DEEP = (
    lambda m, x: m.exp(m.sin(x * x)),
    lambda m, x: (m.exp(m.sin(x * x)) * m.cos(x * x) * 2 * x,),
)
_NORM = (
    lambda m, x, y: m.sqrt(x * x + y * y),
    lambda m, x, y: (x / m.sqrt(x * x + y * y), y / m.sqrt(x * x + y * y)),
)
_LOG = (lambda m, x: m.log(x), lambda m, x: (1 / x,))
_SIN = (lambda m, x: m.sin(x), lambda m, x: (m.cos(x),))
_CUBE = (lambda m, x: x**3, lambda m, x: (3 * x**2,))
_ABS = (lambda m, x: m.abs(x), lambda m, x: (x / m.abs(x),))
_TINY = (lambda m, x: 1e-9 * m.sin(x), lambda m, x: (1e-9 * m.cos(x),))
_STEEP = (lambda m, x: m.sin(1e4 * x), lambda m, x: (1e4 * m.cos(1e4 * x),))
_LARGE = (lambda m, x: m.log(x) + 1e3, lambda m, x: (1 / x,))
_FAR = (lambda m, x: m.sqrt(x), lambda m, x: (0.5 / m.sqrt(x),))

_ALL: list[tuple[str, tuple[Any, Any], Rule | Callable[[], Rule], tuple[float, ...]]] = [
    ("wrong sign: x²", _SQUARE, lambda m, x: (-2 * x,), (1.5,)),
    ("wrong sign: x / y by y", _RATIO, lambda m, x, y: (1 / y, x / (y * y)), (1.5, 2.0)),
    ("wrong sign: sin", _SIN, lambda m, x: (-m.cos(x),), (0.7,)),
    ("wrong sign: the second term", _TWICE, lambda m, x: (m.sin(x) - x * m.cos(x),), (0.7,)),
    ("wrong function: sin for cos", _SIN, lambda m, x: (m.sin(x),), (0.7,)),
    ("wrong argument: cos(2x)", _SIN, lambda m, x: (m.cos(2 * x),), (0.7,)),
    ("wrong argument: tanh' of the value", _TANH, lambda m, x: (1 - m.tanh(m.tanh(x)) ** 2,), (0.7,)),
    ("wrong argument: 1 - x² for tanh", _TANH, lambda m, x: (1 - x * x,), (0.7,)),
    ("missing square: 1 - tanh", _TANH, lambda m, x: (1 - m.tanh(x),), (0.7,)),
    ("swapped arguments: x y + x", _PRODUCT, lambda m, x, y: (x, y + 1), (1.5, 2.5)),
    ("swapped arguments: x / y", _RATIO, lambda m, x, y: (-x / (y * y), 1 / y), (1.5, 2.0)),
    ("swapped arguments: norm", _NORM, lambda m, x, y: _NORM[1](m, y, x), (1.5, 2.0)),
    ("missing chain factor: x of a weight", _NEURON, lambda m, w, x, b: (_NEURON[1](m, w, x, b)[2],) * 3, (0.5,
    2.0, 0.1)), ("missing chain factor: sigmoid'", _LOSS, lambda m, w, b: tuple((_s(m, 1.5 * w + b) - 0.3) * d for
    d in (1.5, 1.0)), (0.5, 0.1)), ("missing chain factor: 2x", _DEEP, lambda m, x: (m.exp(m.sin(x * x)) * m.cos(x
    * x),), (0.8,)), ("missing chain factor: cos", _DEEP, lambda m, x: (m.exp(m.sin(x * x)) * 2 * x,), (0.8,)),
    ("missing chain factor: exp", _DEEP, lambda m, x: (m.cos(x * x) * 2 * x,), (0.8,)),
    ("missing factor 1/2: the error's", _LOSS, lambda m, w, b: tuple(2 * d for d in _LOSS[1](m, w, b)), (0.5, 0.1)),
    ("repeated chain factor", _LOSS, lambda m, w, b: tuple(d * _s(m, 1.5 * w + b) for d in _LOSS[1](m, w, b)),
    (0.5, 0.1)), ("missing argument: the bias gets nothing", _NEURON, lambda m, w, x, b: (*_NEURON[1](m, w, x,
    b)[:2], 0.0 * b), (0.5, 2.0, 0.1)), ("missing gradient: 0", _CUBE, lambda m, x: (0.0 * x,), (1.5,)),
    ("not a number", _CUBE, lambda m, x: (x * math.nan,), (1.5,)),
    ("dropped accumulation: first use", _TWICE, lambda m, x: (x * m.cos(x),), (0.7,)),
    ("dropped accumulation: second use", _TWICE, lambda m, x: (m.sin(x),), (0.7,)),
    ("dropped accumulation: x x", _SQUARE, lambda m, x: (x,), (1.5,)),
    ("counted twice", _PRODUCT, lambda m, x, y: (2 * (y + 1), x), (1.5, 2.5)),
    ("off-by-one power: x³", _CUBE, lambda m, x: (3 * x**3,), (1.5,)),
    ("off-by-one power: x / y by y", _RATIO, lambda m, x, y: (1 / y, -x / y), (1.5, 2.0)),
    ("off-by-one factor: 2 x²", _CUBE, lambda m, x: (2 * x**2,), (1.5,)),
    ("power not lowered: sqrt", _FAR, lambda m, x: (0.5 * m.sqrt(x),), (3.0,)),
    ("additive: + 0.001", _SIN, lambda m, x: (m.cos(x) + 1e-3,), (0.7,)),
    ("additive: + 0.00001", _SIN, lambda m, x: (m.cos(x) + 1e-5,), (0.7,)),
    ("scaled: 0.01 % too much", _LOG, lambda m, x: (1.0001 / x,), (2.5,)),
    ("a constant with few digits", _NORM, lambda m, x, y: (x / (m.sqrt(x * x + y * y) + 2e-6), _NORM[1](m, x,
    y)[1]), (1.5, 2.0)), ("rounded: a table of 3 digits", _SQUARE, _rounded, (1.23456,)),
    ("stale value: that of the first call", _SQUARE, _stale, (1.5,)),
    ("depends on earlier calls", _SIN, _counts_calls, (0.7,)),
    ("wrong at a kink: |x|' = 2 at 0", _ABS, lambda m, x: (2 + 0.0 * x,), (0.0,)),
    ("wrong kink: |x|' changes sign at 0.1", _ABS, lambda m, x: ((x - 0.1) / m.abs(x - 0.1),), (0.05,)),
    ("wrong kink: relu' is 1 from -1 on", (lambda m, x: (x + m.abs(x)) / 2, lambda m, x: (0.5 + 0.5 * x /
    m.abs(x),)), lambda m, x: (1.0 + 0.0 * x,), (-0.5,)), ("small gradients: wrong sign of 1e-9 cos", _TINY, lambda
    m, x: (-1e-9 * m.cos(x),), (0.7,)), ("small gradients: 0 for 1e-9 cos", _TINY, lambda m, x: (0.0 * x,), (0.7,)),
    ("steep: sin(10⁴ x) without the factor", _STEEP, lambda m, x: (m.cos(1e4 * x),), (0.7,)),
    ("small x: 1 / x at 1e-6, 1 % too much", _LOG, lambda m, x: (1.01 / x,), (1e-6,)),
    ("large x: 1 / x at 1e6, wrong sign", _LARGE, lambda m, x: (-1 / x,), (1e6,)),
    ("large x: sqrt' at 1e12, twice", _FAR, lambda m, x: (1 / m.sqrt(x),), (1e12,)),
]  # fmt: skip

_STATEFUL = (_stale, _counts_calls, _rounded)
MUTANTS = [
    Mutant(name, f, right, wrong if wrong in _STATEFUL else _always(wrong), point)  # type: ignore[arg-type]
    for name, (f, right), wrong, point in _ALL
]


def found_by_us(mutant: Mutant, rule: Rule) -> bool:
    """Whether `check_gradient` refuses the rule."""
    try:
        mb.check_gradient(lambda *x: mutant.f(mb, *x), *mutant.point, grad=lambda *x: rule(_FLOATS, *x))
    except mb.GradientMismatch:
        return True
    return False


class _FLOATS:
    exp, sin, cos, tanh, log, sqrt, abs = math.exp, math.sin, math.cos, math.tanh, math.log, math.sqrt, abs


def found_by_torch(mutant: Mutant, rule: Rule) -> bool:
    """Whether `torch.autograd.gradcheck` refuses the rule as the backward of an autograd Function."""
    import torch

    def forward(ctx: Any, *x: Any) -> Any:
        ctx.save_for_backward(*x)
        return mutant.f(torch, *x)

    def backward(ctx: Any, *seeds: Any) -> Any:
        return tuple(seeds[0] * d for d in rule(torch, *ctx.saved_tensors))

    parts = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    function: Any = type("Function", (torch.autograd.Function,), parts)
    x = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in mutant.point]
    return not torch.autograd.gradcheck(function.apply, x, raise_exception=False)


def found_by_jax(mutant: Mutant, rule: Rule) -> bool:
    """Whether `jax.test_util.check_grads` refuses the rule as a custom_vjp."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    f = jax.custom_vjp(lambda *x: mutant.f(jax.numpy, *x))
    f.defvjp(
        lambda *x: (mutant.f(jax.numpy, *x), x),
        lambda x, seed: tuple(seed * jax.numpy.asarray(d) for d in rule(jax.numpy, *x)),
    )
    try:
        check_grads(f, tuple(map(jax.numpy.float64, mutant.point)), order=1, modes=["rev"])
    except AssertionError:
        return True
    return False


def main() -> None:
    """Print the table and the counts."""
    checkers = {"ours": found_by_us}
    for name, checker in (("torch", found_by_torch), ("jax", found_by_jax)):
        if importlib.util.find_spec(name):
            checkers[name] = checker
    width = max(len(mutant.name) for mutant in MUTANTS)
    print(f"{'':{width}}  " + "  ".join(f"{name:>6}" for name in checkers))
    caught = dict.fromkeys(checkers, 0)
    alarms = dict.fromkeys(checkers, 0)
    for mutant in MUTANTS:
        row = []
        for name, finds in checkers.items():
            found = finds(mutant, mutant.wrong())
            caught[name] += found
            if mutant.point != (0.0,):  # where a kink has no right derivative
                with contextlib.suppress(ZeroDivisionError):
                    alarms[name] += finds(mutant, mutant.right)
            row.append("found" if found else "-")
        print(f"{mutant.name:{width}}  " + "  ".join(f"{said:>6}" for said in row))
    print(f"{f'found, of {len(MUTANTS)}':{width}}  " + "  ".join(f"{n:6d}" for n in caught.values()))
    print(f"{'false alarms on the right ones':{width}}  " + "  ".join(f"{n:6d}" for n in alarms.values()))


if __name__ == "__main__":
    main()
