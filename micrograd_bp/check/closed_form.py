"""The closed-form backpropagation formulas of the first tutorial, in NumPy, for any depth and width.

With a^(0) = x, z^(l)_j = b^(l)_j + sum_k w^(l)_jk a^(l-1)_k and a^(l)_j = sigma(z^(l)_j), for one sample (x, y):

    (1.2)    sigma'(z) = sigma(z) (1 - sigma(z))
    (COSTt)  E_t = 1/2 sum_j (y_j - a^(L)_j)^2                    (COST)  E = 1/m sum_t E_t
    (3.1)    dE_t/dw^(l)_jk = dE_t/da^(l)_j  da^(l)_j/dz^(l)_j  dz^(l)_j/dw^(l)_jk
    (3.2)    dE_t/dw^(L)_jk = (a_j - y_j) sigma'(z_j) a^(L-1)_k
    (3.3)    dE_t/dw^(l)_jk = sigma'(z_j) a^(l-1)_k  sum_i dE_t/da^(l+1)_i sigma'(z_i) w^(l+1)_ij
    (3.4)    dE_t/db^(l)_j = dE_t/da^(l)_j  da^(l)_j/dz^(l)_j  dz^(l)_j/db^(l)_j
    (3.5)    dE_t/db^(L)_j = (a_j - y_j) sigma'(z_j)
    (3.6)    dE_t/db^(l)_j = sigma'(z_j)  sum_i dE_t/da^(l+1)_i sigma'(z_i) w^(l+1)_ij

These corrections are made to the printed formulas: y has the index j; the sum over i in (3.6) starts at 1, as in (3.3),
because there is no row w_0j; the layers run from L down to 1, not to 2; (COST) is the mean of the errors, not their
sum; (3.5) follows from (3.4). 1 - sigma(z) is computed as sigma(-z), which is equal and keeps its digits in saturation.

`ACTIVATIONS` has the functions that may replace sigma, by name. This module does not use the table of operations, so
that it is an independent check of the engine.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograd_bp.errors import ShapeError
from micrograd_bp.nn.network import MLP, activation_name

__all__ = [
    "ACTIVATIONS",
    "Comparison",
    "Network",
    "Row",
    "backpropagate",
    "compare",
    "cost",
    "cost_of_sample",
    "forward",
    "gradient",
    "sigma",
    "sigma_prime",
]

Array = NDArray[np.float64]


def sigma(z: ArrayLike) -> Array:
    """Return sigma(z) = 1 / (1 + e^-z), elementwise and without overflow.

    >>> sigma([0.0, -1000.0])
    array([0.5, 0. ])
    """
    z = np.asarray(z, dtype=float)
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0.0, 1.0, e) / (1.0 + e))


def sigma_prime(z: ArrayLike) -> Array:
    """Return (1.2), the derivative sigma(z) (1 - sigma(z)) at z, elementwise.

    >>> sigma_prime([0.0, 1000.0])
    array([0.25, 0.  ])
    """
    z = np.asarray(z, dtype=float)
    return sigma(z) * sigma(-z)


ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (sigma, sigma_prime),
    "identity": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, lambda z: 4.0 * sigma_prime(2.0 * z)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0.0, 1.0, 0.0)),
}
"""The activations with a closed form, by name: sigma and its derivative, both functions of z."""


@dataclass
class Network:
    """The arrays of a network, an entry per layer: W[l] of shape (s_l, s_(l-1)), b[l] of shape (s_l,), activations[l].

    The entry of the first layer has index 0. Raises ShapeError where the shapes do not fit. (The tutorial prints b as a
    row, R^(1 x 3); here its shape is (3,).)
    """

    W: list[Array]
    b: list[Array]
    activations: list[str]

    def __post_init__(self) -> None:
        self.W = [np.asarray(W, dtype=float) for W in self.W]
        self.b = [np.asarray(b, dtype=float) for b in self.b]
        if not len(self.W) == len(self.b) == len(self.activations) > 0:
            given = f"{len(self.W)} W, {len(self.b)} b, {len(self.activations)} activations"
            raise ShapeError(f"a network has a W, a b and an activation for each layer, not {given}")
        width = self.W[0].shape[-1] if self.W[0].ndim else 0
        for number, (W, b) in enumerate(zip(self.W, self.b, strict=True), start=1):
            if W.ndim != 2 or W.shape[1] != width or b.shape != W.shape[:1]:
                raise ShapeError(
                    f"layer {number} has W of shape {W.shape} and b of shape {b.shape}; over {width} inputs they are "
                    f"(s, {width}) and (s,)"
                )
            width = W.shape[0]

    @classmethod
    def of(cls, model: MLP) -> Network:
        """Return the arrays of a model. Raise ValueError for an activation that is not in ACTIVATIONS."""
        if not isinstance(model, MLP):
            raise TypeError(f"the formulas hold for an MLP, not for {type(model).__name__}")
        layers = [layer.neurons for layer in model.layers]
        names = [activation_name(neurons[0].activation) for neurons in layers]
        for name, neurons in zip(names, layers, strict=True):
            if any(neuron.activation is not neurons[0].activation for neuron in neurons):
                raise ValueError("the neurons of a layer have different activations; the formulas need one per layer")
            if name not in ACTIVATIONS:
                raise ValueError(f"no closed form for the activation {name!r}; there is {', '.join(ACTIVATIONS)}")
        return cls(
            [np.array([[w.data for w in neuron.w] for neuron in neurons]) for neurons in layers],
            [np.array([neuron.b.data for neuron in neurons]) for neurons in layers],
            names,
        )


def forward(net: Network, x: ArrayLike) -> tuple[list[Array], list[Array]]:
    """Return z^(1)..z^(L) and a^(0)..a^(L) of one sample; each z is summed in the order b, k = 1, 2, ..."""
    a = [np.asarray(x, dtype=float)]
    if a[0].shape != (net.W[0].shape[1],):
        raise ShapeError(f"x has shape {a[0].shape}; this network takes ({net.W[0].shape[1]},)")
    z: list[Array] = []
    for W, b, name in zip(net.W, net.b, net.activations, strict=True):
        total = b
        for k, a_k in enumerate(a[-1]):
            total = total + W[:, k] * a_k
        z.append(total)
        a.append(ACTIVATIONS[name][0](total))
    return z, a


def cost_of_sample(y: ArrayLike, h: ArrayLike) -> float:
    """Return (COSTt): half the squared distance of the output h from the target y, both of shape (s_L,)."""
    expected, output = np.asarray(y, dtype=float), np.asarray(h, dtype=float)
    if expected.shape != output.shape:
        raise ShapeError(f"y has shape {expected.shape}, the output {output.shape}")
    return float(0.5 * np.sum((expected - output) ** 2))


def cost(Y: ArrayLike, H: ArrayLike) -> float:
    """Return (COST), the mean of (COSTt) over the m samples: the rows of Y and H, both of shape (m, s_L).

    >>> round(cost([[0], [1], [1], [0]], [[0.1], [0.8], [0.7], [0.3]]), 6)
    0.02875
    """
    expected, outputs = np.asarray(Y, dtype=float), np.asarray(H, dtype=float)
    if len(expected) != len(outputs) or not len(expected):
        raise ShapeError(f"Y has {len(expected)} rows, H {len(outputs)}; both need the same number, at least one")
    return math.fsum(cost_of_sample(y, h) for y, h in zip(expected, outputs, strict=True)) / len(expected)


def backpropagate(net: Network, x: ArrayLike, y: ArrayLike) -> tuple[list[Array], list[Array]]:
    """Return dE_t/dW^(l) and dE_t/db^(l) of one sample by (3.2), (3.3), (3.5) and (3.6), in the shapes of W and b.

    >>> net = Network([np.array([[2.0, 1.0]])], [np.array([0.5])], ["identity"])
    >>> backpropagate(net, [1.0, 3.0], [5.0])
    ([array([[0.5, 1.5]])], [array([0.5])])
    """
    z, a = forward(net, x)
    target = np.asarray(y, dtype=float)
    if target.shape != a[-1].shape:
        raise ShapeError(f"y has shape {target.shape}; this network gives {a[-1].shape}")
    last = len(net.W) - 1
    dW: list[Array] = [np.empty(0)] * len(net.W)
    db: list[Array] = [np.empty(0)] * len(net.b)
    dE_da = a[-1] - target
    for layer in range(last, -1, -1):
        slope = ACTIVATIONS[net.activations[layer]][1](z[layer])
        db[layer] = dE_da * slope  # (3.4): (3.5) at the output, else (3.6)
        dW[layer] = db[layer][:, None] * a[layer][None, :]  # (3.1): (3.2) at the output, else (3.3)
        dE_da = np.sum(db[layer][:, None] * net.W[layer], axis=0)  # sum_i dE/da_i sigma'(z_i) w_ij
    return dW, db


def gradient(net: Network, X: ArrayLike, Y: ArrayLike) -> tuple[list[Array], list[Array]]:
    """Return dE/dW^(l) and dE/db^(l) of (COST): the means of `backpropagate` over the rows of X and Y."""
    X, Y = _samples(X, Y)
    parts = [backpropagate(net, x, y) for x, y in zip(X, Y, strict=True)]
    mean_W = [np.mean([dW[layer] for dW, _ in parts], axis=0) for layer in range(len(net.W))]
    mean_b = [np.mean([db[layer] for _, db in parts], axis=0) for layer in range(len(net.W))]
    return mean_W, mean_b


# --- the engine beside the formulas -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One parameter of a comparison.

    `engine` and `closed_form` are its derivatives of (COST) by `backward()` and by the formula. `ulps` is the largest
    difference in a single sample, in units in the last place of the formula's result.
    """

    parameter: str
    formula: str
    engine: float
    closed_form: float
    ulps: float


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`; `str()` gives a table."""

    rows: list[Row]
    samples: int

    @property
    def worst(self) -> Row:
        """The parameter with the largest difference."""
        return max(self.rows, key=lambda row: row.ulps if row.ulps == row.ulps else math.inf)

    def __str__(self) -> str:
        width = max(len(row.parameter) for row in self.rows)
        heading = f"{'':{width}}  formula  {'backward()':>24}  {'closed form':>24}    ulp"
        lines = [
            f"{row.parameter:{width}}   ({row.formula})  {row.engine:24.17g}  {row.closed_form:24.17g}  {row.ulps:5.3g}"
            for row in self.rows
        ]
        of = f"over {self.samples} sample{'s' * (self.samples != 1)}, each compared on its own"
        return "\n".join(
            [heading, *lines, f"worst difference: {self.worst.ulps:.3g} ulp, {self.worst.parameter} ({of})"]
        )


def compare(model: MLP, X: ArrayLike, Y: ArrayLike) -> Comparison:
    """Return a comparison of `backward()` with the formulas, for every parameter and over all samples.

    X has the shape (m, n_inputs) or (n_inputs,), and Y has the shape (m, n_outputs), (m,) or (n_outputs,). The model is
    not changed, because the backward passes run on a copy. Raises ShapeError where the shapes do not fit, and
    ValueError for an activation without a closed form and for shared or additional parameters.

    >>> model = MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    >>> comparison = compare(model, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> [row.formula for row in comparison.rows]
    ['3.3', '3.3', '3.6', '3.3', '3.3', '3.6', '3.2', '3.2', '3.5']
    """
    net = Network.of(model)
    X, Y = _samples(X, Y, net.W[0].shape[1], net.W[-1].shape[0])
    twin = copy.deepcopy(model)
    parameters = dict(twin.named_parameters())
    engine = np.array([list(_backward(twin, x, y).values()) for x, y in zip(X, Y, strict=True)])
    closed = np.array([_in_order(*backpropagate(net, x, y)) for x, y in zip(X, Y, strict=True)])
    if engine.shape != closed.shape:
        own = f"{engine.shape[1]} parameters of its own, {closed.shape[1]} in the formulas"
        raise ValueError(f"the formulas have weights and biases, each once; this model has {own}")
    ulps = np.abs(engine - closed) / np.spacing(np.abs(closed))
    in_last = sum(len(n.w) + 1 for n in model.layers[-1].neurons)
    rows = []
    for index, name in enumerate(parameters):
        weight_formula, bias_formula = ("3.2", "3.5") if index >= len(parameters) - in_last else ("3.3", "3.6")
        formula = bias_formula if name.startswith("b") else weight_formula
        mean_engine, mean_closed = float(np.mean(engine[:, index])), float(np.mean(closed[:, index]))
        rows.append(Row(name, formula, mean_engine, mean_closed, float(np.max(ulps[:, index]))))
    return Comparison(rows, len(X))


def _backward(model: MLP, x: Array, y: Array) -> dict[str, float]:
    """Return the engine's gradient of (COSTt), by parameter name."""
    model.zero_grad()
    out = model([float(x_k) for x_k in x])
    outputs: Sequence[Any] = out if isinstance(out, list) else [out]
    (0.5 * sum((h - float(y_j)) ** 2 for h, y_j in zip(outputs, y, strict=True))).backward()
    return {name: p.grad for name, p in model.named_parameters()}


def _in_order(dW: list[Array], db: list[Array]) -> list[float]:
    """Return the derivatives in the order of `MLP.named_parameters`: for each neuron its weights, then its bias."""
    return [float(d) for W, b in zip(dW, db, strict=True) for w, b_j in zip(W, b, strict=True) for d in (*w, b_j)]


def _samples(
    X: ArrayLike, Y: ArrayLike, n_inputs: int | None = None, n_outputs: int | None = None
) -> tuple[Array, Array]:
    """Return X and Y as 2-d arrays. One sample may be given as a 1-d X; targets of one output as a 1-d Y."""
    X, Y = np.asarray(X, dtype=float), np.asarray(Y, dtype=float)
    if X.ndim == 1:
        X, Y = X[None, :], Y.reshape(1, -1)
    if Y.ndim == 1:
        Y = Y[:, None]
    if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or len(X) == 0:
        raise ShapeError(f"X has shape {X.shape} and Y {Y.shape}; as many rows of each are needed, at least one")
    for name, array, width in (("X", X, n_inputs), ("Y", Y, n_outputs)):
        if width is not None and array.shape[1] != width:
            raise ShapeError(f"{name} has {array.shape[1]} columns; this model has {width}")
    return X, Y
