"""Optimisers, which change parameters by their gradients.

An optimiser reads the `grad` of its parameters and changes their `data`; all changes are computed from the old values.
`OPTIMISERS` maps names to optimisers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from micrograd_bp.engine import Value
from micrograd_bp.errors import StateError
from micrograd_bp.ops import sqrt
from micrograd_bp.ops.reals import as_float, short
from micrograd_bp.training.schedules import Schedule, constant

__all__ = ["OPTIMISERS", "Adam", "AdamW", "GradientDescent", "Optimiser", "clip_gradient", "gradient_norm"]


class Optimiser:
    """The base class of optimisers: `step()` changes the parameters by their gradients, `zero_grad()` clears these.

    `parameters`     the leaves that the optimiser changes; one that is given twice counts once, as in a Module
    `learning_rate`  the step size without the schedule, by default `usual_rate` of the class
    `schedule`       a function from the number of steps made to a factor of the learning rate
    `steps`          the number of steps made
    `rate`           the step size of the next step

    A subclass defines `_moves`, which returns the change of each parameter. It uses operations and + - * / only, since
    `fit(compiled=True)` calls it with traced numbers. Raises ValueError without parameters or for a learning rate that
    is not positive, TypeError for a parameter that is not a leaf.
    """

    usual_rate: float = 0.1
    _slots: tuple[str, ...] = ()  # the attributes of a subclass that hold one number per parameter from step to step

    def __init__(
        self, parameters: Iterable[Value], learning_rate: float | None = None, schedule: Schedule | None = None
    ) -> None:
        self.parameters = list(parameters)
        for p in self.parameters:
            if not isinstance(p, Value) or p.op is not None:
                raise TypeError(f"a parameter is a leaf Value, not {p!r}")
        self.parameters = list(dict.fromkeys(self.parameters))
        if not self.parameters:
            raise ValueError("an optimiser needs at least one parameter; are all parameters of the model frozen?")
        self.learning_rate = _positive("learning_rate", self.usual_rate if learning_rate is None else learning_rate)
        self.schedule = schedule or constant()
        self.steps = 0
        for name in self._slots:
            setattr(self, name, [0.0] * len(self.parameters))

    @property
    def rate(self) -> float:
        """The step size of the next step: `learning_rate` times `schedule(steps)`."""
        return self.learning_rate * self.schedule(self.steps)

    def step(self) -> None:
        """Change every parameter once. Where a gradient is not finite, nothing changes and ValueError is raised."""
        gradients = [p.grad for p in self.parameters]
        for p, gradient in zip(self.parameters, gradients, strict=True):
            if not math.isfinite(gradient):
                raise ValueError(f"the gradient of {p.name or 'a parameter'} is {gradient!r}; no parameter was changed")
        moves = self._moves(gradients, self.rate)
        self.steps += 1
        for p, move in zip(self.parameters, moves, strict=True):
            p.data += move

    def _moves(self, gradients: list[float], rate: float) -> list[float]:
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradients of the parameters to 0."""
        for p in self.parameters:
            p.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """Return the state needed to resume the optimiser, as JSON data; the parameters are not part of it."""
        return {"optimiser": type(self).__name__, "steps": self.steps} | {
            n: list(getattr(self, n)) for n in self._slots
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises StateError, and changes nothing, if it does not fit."""
        if state.get("optimiser") != type(self).__name__:
            raise StateError(f"the state is that of {state.get('optimiser')!r}, not of {type(self).__name__!r}")
        steps = state.get("steps")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise StateError(f"steps is a whole number, at least 0, not {steps!r}")
        lists = {name: state.get(name) for name in self._slots}
        for name, numbers in lists.items():
            if not isinstance(numbers, list) or len(numbers) != len(self.parameters):
                raise StateError(
                    f"{name} is a list of {len(self.parameters)} numbers, one per parameter, not {short(numbers)}"
                )
        try:
            loaded = {name: [as_float(x) for x in numbers] for name, numbers in lists.items() if numbers is not None}
        except (TypeError, OverflowError) as error:
            raise StateError(f"the state has something else than floats: {error}") from None
        self.steps = steps
        for name, numbers in loaded.items():
            setattr(self, name, numbers)


class GradientDescent(Optimiser):
    """Gradient descent: p ← p − rate · v with v ← momentum · v + gradient, and v = 0 before the first step.

    With `nesterov`, gradient + momentum · v takes the place of v. Without momentum, v is the gradient, and a step is
    w ← w − α dE/dw as in the tutorials. The default learning rate is 0.1.

    >>> w = Value(4.0)
    >>> descent = GradientDescent([w], learning_rate=0.2)
    >>> (w * w).backward()
    >>> descent.step()
    >>> w.data
    2.4
    """

    _slots = ("velocities",)
    velocities: list[float]

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float | None = None,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, schedule)
        self.momentum = _share("momentum", momentum)
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0")
        self.nesterov = nesterov

    def _moves(self, gradients: list[float], rate: float) -> list[float]:
        momentum = self.momentum
        if not momentum:
            return [-rate * g for g in gradients]
        self.velocities = [momentum * v + g for v, g in zip(self.velocities, gradients, strict=True)]
        if self.nesterov:
            return [-rate * (g + momentum * v) for v, g in zip(self.velocities, gradients, strict=True)]
        return [-rate * v for v in self.velocities]


class Adam(Optimiser):
    """Adam (Kingma and Ba 2015, algorithm 1): p ← p − rate · m̂ / (√v̂ + epsilon).

    m and v are running means of the gradient and its square, with the decay rates `betas`; m̂ and v̂ correct for their
    start at 0. The default learning rate is 0.001.
    """

    usual_rate = 1e-3
    _slots = ("means", "squares")
    means: list[float]
    squares: list[float]

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float | None = None,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, schedule)
        first, second = betas
        self.betas = (_share("betas[0]", first), _share("betas[1]", second))
        self.epsilon = _positive("epsilon", epsilon)

    def _moves(self, gradients: list[float], rate: float) -> list[float]:
        first, second = self.betas
        self.means = [first * m + (1.0 - first) * g for m, g in zip(self.means, gradients, strict=True)]
        self.squares = [second * v + (1.0 - second) * g * g for v, g in zip(self.squares, gradients, strict=True)]
        step = rate / (1.0 - first ** (self.steps + 1))
        scale = sqrt(1.0 - second ** (self.steps + 1))
        epsilon = self.epsilon
        pairs = zip(self.means, self.squares, strict=True)
        return [-step * m / (sqrt(v) / scale + epsilon) for m, v in pairs]


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): a step also subtracts rate · weight_decay · p."""

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float | None = None,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, betas=betas, epsilon=epsilon, schedule=schedule)
        self.weight_decay = as_float(weight_decay)
        if not 0.0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay is a finite number, at least 0, not {weight_decay!r}")

    def _moves(self, gradients: list[float], rate: float) -> list[float]:
        moves = super()._moves(gradients, rate)
        return [move - rate * self.weight_decay * p.data for move, p in zip(moves, self.parameters, strict=True)]


OPTIMISERS: dict[str, type[Optimiser]] = {
    "gradient_descent": GradientDescent,
    "adam": Adam,
    "adamw": AdamW,
}
"""The optimisers by name."""


def gradient_norm(parameters: Iterable[Value]) -> float:
    """Return the Euclidean length of the gradient; a parameter that is given twice counts once.

    >>> a, b = Value(0.0), Value(0.0)
    >>> a.grad, b.grad = 3.0, -4.0
    >>> gradient_norm([a, b])
    5.0
    """
    return math.hypot(*[p.grad for p in dict.fromkeys(parameters)])


def clip_gradient(parameters: Iterable[Value], longest: float) -> float:
    """Scale the gradient to the length `longest` if it is longer, and return its length before."""
    every = list(dict.fromkeys(parameters))
    longest = _positive("longest", longest)
    norm = gradient_norm(every)
    if norm > longest:
        for p in every:
            p.grad *= longest / norm
    return norm


def _positive(name: str, number: float) -> float:
    x = as_float(number)
    if not (math.isfinite(x) and x > 0.0):
        raise ValueError(f"{name} is a finite number above 0, not {number!r}")
    return x


def _share(name: str, number: float) -> float:
    x = as_float(number)
    if not 0.0 <= x < 1.0:
        raise ValueError(f"{name} is a number, at least 0 and below 1, not {number!r}")
    return x
