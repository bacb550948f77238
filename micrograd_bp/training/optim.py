"""Optimisers: what to do with gradients.

An optimiser reads `grad` and changes `data` of the parameters that it was given, all from one set of old values.
`OPTIMISERS` has the optimisers by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from micrograd_bp.engine import Value
from micrograd_bp.errors import StateError
from micrograd_bp.ops import sqrt
from micrograd_bp.ops.reals import as_float
from micrograd_bp.training.schedules import Schedule, constant

__all__ = ["OPTIMISERS", "Adam", "AdamW", "GradientDescent", "Optimiser", "clip_gradient", "gradient_norm"]


class Optimiser:
    """What optimisers have in common: `step()` moves the parameters by their gradients, `zero_grad()` clears these.

    `learning_rate` is the step size before the schedule, by default the class's `usual_rate`; `rate` is the one of the
    next step, `steps` how many were made.
    Subclasses say in `_moves` by how much each parameter changes, in rows and + - * /: traced numbers reach it too.
    """

    usual_rate: float = 0.1
    _slots: tuple[str, ...] = ()  # names of lists, one number per parameter, that a subclass carries from step to step

    def __init__(
        self, parameters: Iterable[Value], learning_rate: float | None = None, schedule: Schedule | None = None
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimiser needs parameters; are all of them frozen?")
        for p in self.parameters:
            if not isinstance(p, Value) or p.op is not None:
                raise TypeError(f"a parameter is a leaf Value, not {p!r}")
        self.learning_rate = _positive("learning_rate", self.usual_rate if learning_rate is None else learning_rate)
        self.schedule = schedule or constant()
        self.steps = 0
        for name in self._slots:
            setattr(self, name, [0.0] * len(self.parameters))

    @property
    def rate(self) -> float:
        """The step size of the next step: `learning_rate` times what the schedule gives after the steps done so far."""
        return self.learning_rate * self.schedule(self.steps)

    def step(self) -> None:
        """Move every parameter once. Raises ValueError, nothing moved, where a gradient is not finite."""
        gradients = [p.grad for p in self.parameters]
        for p, gradient in zip(self.parameters, gradients, strict=True):
            if not math.isfinite(gradient):
                raise ValueError(f"the gradient of {p.name or 'a parameter'} is {gradient!r}; nothing was moved")
        moves = self._moves(gradients, self.rate)
        self.steps += 1
        for p, move in zip(self.parameters, moves, strict=True):
            p.data += move

    def _moves(self, gradients: list[float], rate: float) -> list[float]:
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Put the parameters' gradients back to 0."""
        for p in self.parameters:
            p.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """What continues the descent exactly, as JSON can hold it; the parameters themselves are the model's."""
        return {"optimiser": type(self).__name__, "steps": self.steps} | {
            n: list(getattr(self, n)) for n in self._slots
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises StateError, nothing changed, where it is of another optimiser or size."""
        if state.get("optimiser") != type(self).__name__:
            raise StateError(f"the state is of {state.get('optimiser')!r}, not of {type(self).__name__!r}")
        steps = state.get("steps")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise StateError(f"steps is a whole number from 0, not {steps!r}")
        lists = {name: state.get(name) for name in self._slots}
        for name, numbers in lists.items():
            if not isinstance(numbers, list) or len(numbers) != len(self.parameters):
                raise StateError(f"{name} has to be a list of {len(self.parameters)} numbers")
        loaded = {name: [as_float(x) for x in numbers] for name, numbers in lists.items() if numbers is not None}
        self.steps = steps
        for name, numbers in loaded.items():
            setattr(self, name, numbers)


class GradientDescent(Optimiser):
    """p ← p − rate · v, with v = momentum · v + gradient; with `nesterov` gradient + momentum · v in place of v.

    Without momentum v is the gradient: the tutorials' w ← w − α dE/dw. The learning rate is 0.1 by default.

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
        # the first velocity is the gradient itself: 0 before
        self.velocities = [momentum * v + g for v, g in zip(self.velocities, gradients, strict=True)]
        if self.nesterov:
            return [-rate * (g + momentum * v) for v, g in zip(self.velocities, gradients, strict=True)]
        return [-rate * v for v in self.velocities]


class Adam(Optimiser):
    """p ← p − rate · m̂ / (√v̂ + epsilon), m and v running means of gradient and squared gradient (Kingma and Ba).

    `betas` are their decay rates, 0.9 and 0.999 by default; the hats correct for their start at 0. The learning rate is
    0.001 by default.
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
    """Adam, and each parameter shrinks by rate · weight_decay of itself (Loshchilov and Hutter)."""

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
            raise ValueError(f"weight_decay is a number from 0, not {weight_decay!r}")

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
    """The Euclidean length of the gradient.

    >>> a, b = Value(0.0), Value(0.0)
    >>> a.grad, b.grad = 3.0, -4.0
    >>> gradient_norm([a, b])
    5.0
    """
    return math.hypot(*[p.grad for p in parameters])


def clip_gradient(parameters: Iterable[Value], longest: float) -> float:
    """Shorten the gradient to length `longest` where it is longer; returns the length that it had."""
    every = list(parameters)
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
        raise ValueError(f"{name} is a number from 0 to below 1, not {number!r}")
    return x
