"""The networks of the three tutorials as they are written there, with their parameters, samples and named values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.nn import MLP
from micrograd_bp.training.losses import Loss, half_squared_error, squared_error

Parameters = Mapping[str, Value]


def slope(z: float) -> float:
    """Return σ'(z) = σ(z)(1 − σ(z)), which is (1.2) of the first tutorial and (17) of the third."""
    return mb.sigmoid(z) * (1 - mb.sigmoid(z))


def named(name: str, value: Value) -> Value:
    """Give the value this name, and return it."""
    value.name = name
    return value


class System(NamedTuple):
    """A network with its parameters at the start, its samples and the loss of one sample.

    `predict` takes parameters by name and the numbers of one sample, and returns the output, or a list of outputs.
    """

    title: str
    parameters: dict[str, float]
    X: Sequence[Any]
    Y: Sequence[Any]
    predict: Callable[[Parameters, Any], Any]
    loss: Loss = half_squared_error

    def leaves(self) -> dict[str, Value]:
        """Return the parameters as new leaves, by name."""
        return {name: Value(x, name) for name, x in self.parameters.items()}

    def first_loss(self, parameters: Parameters | None = None) -> Value:
        """Return the loss of the first sample, L, or C with several outputs; the sample's numbers are leaves too."""
        x, y = (_sample(name, numbers) for name, numbers in (("x", self.X[0]), ("y", self.Y[0])))
        outputs = self.predict(parameters or self.leaves(), x)
        return named("C" if isinstance(outputs, list) else "L", self.loss(outputs, y))


def _sample(name: str, numbers: Any) -> Any:
    if isinstance(numbers, (list, tuple)):
        return [Value(x, f"{name}{k}") for k, x in enumerate(numbers, start=1)]
    return Value(numbers, name)


def _identity(p: Parameters, x: Any) -> Value:
    return named("ŷ", p["w"] * x + p["b"])


def _sigmoid(p: Parameters, x: Any) -> Value:
    return named("ŷ", named("z", p["w"] * x + p["b"]).sigmoid())


def _series(p: Parameters, x: Any) -> Value:
    a1 = named("a1", named("z1", p["w1"] * x + p["b1"]).sigmoid())
    return named("ŷ", named("z2", p["w2"] * a1 + p["b2"]).sigmoid())


def _layer(p: Parameters, x: Any) -> Value:
    a1 = named("a1", named("z1", p["w11"] * x + p["b11"]).sigmoid())
    a2 = named("a2", named("z2", p["w12"] * x + p["b12"]).sigmoid())
    return named("ŷ", named("z3", (p["w21"] * a1 + p["b21"]) + (p["w22"] * a2 + p["b22"])).sigmoid())


def _two_outputs(p: Parameters, x: Any) -> list[Value]:
    x1, x2 = x
    h1 = named("h1", named("z_h1", p["b1"] + x1 * p["ω1"] + x2 * p["ω3"]).sigmoid())
    h2 = named("h2", named("z_h2", p["b2"] + x1 * p["ω2"] + x2 * p["ω4"]).sigmoid())
    a1 = named("a1", named("z_a1", p["b3"] + p["ω5"] * h1 + p["ω7"] * h2).sigmoid())
    a2 = named("a2", named("z_a2", p["b4"] + p["ω6"] * h1 + p["ω8"] * h2).sigmoid())
    return [a1, a2]


def squares_halved(h: Any, y: Any) -> Any:
    """Return (h − y)² / 2, written as the README writes it."""
    return (h - y) ** 2 / 2


_WEIGHTS = (0.3, 0.2, -0.4, 0.6, 0.7, -0.3, 0.5, -0.1)
_SERIES = {"w1": 0.3, "w2": 0.2, "b1": 0.1, "b2": 0.2}
_LAYER = {"w11": 0.3, "w12": 0.2, "w21": 0.1, "w22": 0.2, "b11": 0.1, "b12": 0.2, "b21": 0.1, "b22": 0.2}

NEURONS = {
    "neuron_identity": System("a single neuron, identity", {"w": 0.5, "b": 1.0}, [2.0], [5.0], _identity),
    "neuron_sigmoid": System("a single neuron, sigmoid", {"w": 0.3, "b": 0.1}, [0.5], [1.0], _sigmoid),
    "several_points": System(
        "several data points, a single neuron",
        {"w": 0.3, "b": 0.1},
        [0.5, 0.8, 1.5, 0.4, 0.4, 1.0, 1.9],
        [1.0, 1.2, 1.2, 0.6, 0.5, 1.1, 1.3],
        _sigmoid,
    ),
    "series": System("two neurons in series", _SERIES, [0.5], [1.0], _series),
    "layer": System("two neurons in a layer", _LAYER, [0.5], [1.0], _layer),
}
"""The networks of the second tutorial, by the names of their printed tables."""

ONE_NEURON = System("a sigmoid neuron and its error", {"w": 2.0, "b": 0.7}, [-1.5], [1.0], _sigmoid, squares_halved)
"""The neuron with which the README of the project begins."""

TWO_OUTPUTS = System(
    "the 2-2-2 example of the third tutorial",
    {f"ω{i}": w for i, w in enumerate(_WEIGHTS, start=1)} | {"b1": 0.25, "b2": 0.45, "b3": 0.15, "b4": 0.35},
    [[2.0, 3.0]],
    [[1.0, 0.2]],
    _two_outputs,
    squared_error,
)


def hand_set(sizes: Sequence[int], numbers: Sequence[float]) -> MLP:
    """Return a network of sigmoids with these parameters, given neuron by neuron: the weights, then the bias."""
    model = MLP(sizes[0], list(sizes[1:]), "sigmoid", "sigmoid")
    model.load_state_dict(dict(zip(model.state_dict(), numbers, strict=True)))
    return model


def mean_cost(model: Callable[[Any], Any], X: Sequence[Any], Y: Sequence[Any]) -> Any:
    """Return (COST) of the first tutorial, the mean of half the squared errors of the samples."""
    return mb.losses.mean(half_squared_error(model(x), y) for x, y in zip(X, Y, strict=True))


def four_layers() -> MLP:
    """Return the first tutorial's 3-3-3-1 network, with parameters that are in no way special."""
    rows = [[-0.4398, -0.0777, -0.7566, 0.2354], [0.0452, -0.1817, -0.8567, 0.1021], [-0.8021, 0.9726, 0.3881, -0.7319]]
    rows += [[-0.1026, 0.2804, -0.459, 0.4049], [-0.3963, -0.8533, -0.8948, 0.2259], [0.615, 0.6266, -0.9901, -0.0651]]
    rows += [[-0.3399, -0.8218, -0.0641, -0.4057]]
    return hand_set([3, 3, 3, 1], [number for row in rows for number in row])


def three_outputs() -> MLP:
    """Return the 3-3-3-3 network of the same tutorial (cat, dog, bird), with parameters that are in no way special."""
    rows = [[0.5622, 0.2117, 0.4196, 0.2128], [-0.8218, 0.2614, 0.9616, -0.1396], [-0.1532, -0.7752, 0.9165, -0.6179]]
    rows += [[0.352, -0.6056, 0.3441, 0.5693], [0.9855, -0.581, 0.7077, -0.6258], [0.3978, -0.5566, -0.6305, 0.4476]]
    rows += [
        [0.9083, -0.3191, -0.1172, -0.0052],
        [0.3122, -0.1194, -0.9995, 0.1044],
        [-0.4795, -0.0555, 0.5225, -0.232],
    ]
    return hand_set([3, 3, 3, 3], [number for row in rows for number in row])


SAMPLE_X = [0.2, -0.7, 1.1]
"""An input for the networks of three inputs."""
