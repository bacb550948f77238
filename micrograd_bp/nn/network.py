"""Fully connected networks: `Neuron`, `Layer` and `MLP`."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import reduce
from numbers import Integral
from operator import add, mul
from typing import TYPE_CHECKING, Any, cast

from micrograd_bp.engine import Value
from micrograd_bp.errors import ShapeError
from micrograd_bp.nn.initialisers import Initialiser, constant, initialiser
from micrograd_bp.nn.leaves import Walk
from micrograd_bp.nn.module import Module
from micrograd_bp.ops.op import OPS, Op, Operand
from micrograd_bp.ops.reals import Numbers

Activation = Callable[[Value], Value]
_LAYER = {"neurons", "_frozen"}  # the attributes of a layer without user-defined ones

if TYPE_CHECKING:

    class Outputs(Value, list[Value]):  # type: ignore[misc]  # no such object exists; the type has the methods of both
        """The Value of one neuron or the list of several; their number is known only at run time."""

else:
    Outputs = Any


def identity(x: Value) -> Value:
    """Return x, the weighted sum of the neuron: the activation of a linear neuron."""
    return x


def activation_names() -> list[str]:
    """Return the names of activations: "identity" and every operation that can be called with one argument."""
    return ["identity", *(op.name for op in OPS.values() if op.arity - len(op.defaults) == 1)]


def activation_function(activation: str | Activation) -> Activation:
    """Return the activation of a name, or a function unchanged. Raise ValueError or TypeError for anything else."""
    if isinstance(activation, str):
        if activation == "identity":
            return identity
        if activation not in activation_names():
            raise ValueError(
                f"no activation {activation!r}; there are {', '.join(activation_names())}, or any function"
            )
        return cast(Activation, OPS[activation])
    if not callable(activation):
        raise TypeError(f"an activation is a name or a function, not {type(activation).__name__}")
    return activation


def activation_name(activation: Activation) -> str:
    """Return the name of an activation."""
    return activation.name if isinstance(activation, Op) else getattr(activation, "__name__", repr(activation))


class Neuron(Module):
    """A neuron: z = b + w[0] x[0] + w[1] x[1] + ... and a = activation(z), z^(l)_j and a^(l)_j of the first tutorial.

    `w` is a list of `n_inputs` leaves, and `b` is a leaf. In a network the values are named `z1_2` and `a1_2`. Weights
    are drawn by `init` (uniform on [-1, 1] by default) and the bias by `bias_init` (0 by default), from `rng`, from
    `random.Random(seed)`, or from Python's global generator. The call takes `n_inputs` numbers or Values; it raises
    ShapeError (a ValueError) for another number of inputs.

    >>> neuron = Neuron(2, "sigmoid")
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 20.0, 20.0, -30.0
    >>> round(neuron([1, 1]).data, 6)
    0.999955
    """

    def __init__(
        self,
        n_inputs: int,
        activation: str | Activation = "relu",
        *,
        init: str | Initialiser = "uniform",
        bias_init: float | str | Initialiser = 0.0,
        rng: random.Random | None = None,
        seed: int | None = None,
        nonlin: bool = True,
        n_outputs: int = 1,
    ) -> None:
        _check_size("n_inputs", n_inputs)
        draw, draw_bias = initialiser(init), _bias(bias_init)
        source = _generator(rng, seed)
        self.activation = activation_function(activation if nonlin else "identity")
        self.w = [Value(_finite(draw(source, n_inputs, n_outputs)), name=f"w{k}") for k in range(1, n_inputs + 1)]
        self.b = Value(_finite(draw_bias(source, n_inputs, n_outputs)), name="b")
        self._names = ("z", "a")

    @property
    def nonlin(self) -> bool:
        """Whether the activation is not the identity (the name in micrograd)."""
        return self.activation is not identity

    def __call__(self, x: Numbers) -> Value:
        w = self.w
        if type(x) not in (list, tuple) or len(x) != len(w):
            _check_inputs(x, len(w), "neuron")
            x = [x_k for _, x_k in zip(w, x, strict=True)]
        z: Any = reduce(add, map(mul, w, x), self.b)  # from left to right: ((b + w[0] x[0]) + w[1] x[1]) + ...
        if isinstance(z, Value):  # in forward mode z is a Dual, which has no name
            z._name = self._names[0]
        elif not isinstance(z, Operand):
            raise TypeError("each input is a number or a Value, not an array: call the network sample by sample")
        a: Any = self.activation(z)
        if isinstance(a, Value):
            if a._name is None and a._op is not None:
                a._name = self._names[1]
        elif not isinstance(a, Operand):
            name = activation_name(self.activation)
            raise TypeError(f"the activation {name} returned {type(a).__name__} {a!r}: it must return a Value")
        result: Value = a  # in forward mode it is a Dual
        return result

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, {activation_name(self.activation)!r})"


class Layer(Module):
    """A layer of `n_outputs` neurons with the same `n_inputs` inputs; it takes the keywords of `Neuron`.

    The call returns the list of the neurons' Values, or the single Value where there is one neuron.

    >>> layer = Layer(2, 3, "tanh", seed=1)
    >>> layer, len(layer([0.5, 1.0]))
    (Layer(2, 3, 'tanh'), 3)
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: str | Activation = "relu",
        *,
        init: str | Initialiser = "uniform",
        bias_init: float | str | Initialiser = 0.0,
        rng: random.Random | None = None,
        seed: int | None = None,
        nonlin: bool = True,
    ) -> None:
        _check_size("n_outputs", n_outputs)
        source = _generator(rng, seed)
        self.neurons = [
            Neuron(n_inputs, activation, init=init, bias_init=bias_init, rng=source, nonlin=nonlin, n_outputs=n_outputs)
            for _ in range(n_outputs)
        ]
        _name_all(self.neurons, "")

    def __call__(self, x: Numbers) -> Outputs:
        out: Any = [neuron(x) for neuron in self.neurons]
        given: Outputs = out[0] if len(out) == 1 else out
        return given

    def __repr__(self) -> str:
        first = self.neurons[0]
        return f"Layer({len(first.w)}, {len(self.neurons)}, {activation_name(first.activation)!r})"

    def _all_named(self) -> Iterator[tuple[str, Value]]:
        yield from _tutorial_names(self.neurons, "")
        yield from self._others()

    def _walk_first(self, walk: Walk) -> None:
        if walk.weights(self.neurons, Neuron):
            walk.skip(self.neurons)


class MLP(Module):
    """A multilayer perceptron: `MLP(2, [2, 1])` is the XOR network of the first tutorial.

    `sizes` are the widths of the layers. `activation` is that of the hidden layers and `output_activation` that of the
    last: the name of an operation of one argument, or a function of a Value. Parameters have the names of the tutorial:
    `w1_21` is w^(1)_21, the weight from input 1 to neuron 2 of layer 1, and `b1_2` is the bias of that neuron
    (`w1_12_3` where a layer has ten or more neurons or inputs). The keywords are those of `Neuron`.

    The call takes `n_inputs` numbers or Values, and returns the list of outputs, or the single Value where there is one
    output. Raises ShapeError (a ValueError) for another number of inputs.

    >>> model = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid", seed=1)
    >>> model
    MLP(2, [2, 1], activation='sigmoid', output_activation='sigmoid')  # 9 parameters
    >>> list(model.state_dict())
    ['w1_11', 'w1_12', 'b1_1', 'w1_21', 'w1_22', 'b1_2', 'w2_11', 'w2_12', 'b2_1']
    """

    def __init__(
        self,
        n_inputs: int,
        sizes: Sequence[int],
        activation: str | Activation = "relu",
        output_activation: str | Activation = "identity",
        *,
        init: str | Initialiser = "uniform",
        bias_init: float | str | Initialiser = 0.0,
        rng: random.Random | None = None,
        seed: int | None = None,
    ) -> None:
        _check_size("n_inputs", n_inputs)
        if not hasattr(sizes, "__len__") or isinstance(sizes, (str, bytes, Mapping, Set)):
            raise TypeError(f"sizes is a sequence of whole numbers, one for each layer, not {type(sizes).__name__}")
        widths = [n_inputs, *sizes]
        if len(widths) == 1:
            raise ShapeError("sizes is empty: an MLP needs at least one layer", "at least one size", "none")
        for index, size in enumerate(sizes):
            _check_size(f"sizes[{index}]", size)
        functions = [activation_function(activation)] * (len(sizes) - 1) + [activation_function(output_activation)]
        source = _generator(rng, seed)
        self.layers = [
            Layer(n, m, function, init=init, bias_init=bias_init, rng=source)
            for n, m, function in zip(widths, sizes, functions, strict=False)
        ]
        for number, layer in enumerate(self.layers, start=1):
            _name_all(layer.neurons, str(number))

    def __call__(self, x: Numbers) -> Outputs:
        _check_inputs(x, len(self.layers[0].neurons[0].w), "MLP")
        values: Any = x
        for layer in self.layers:
            out: Any = layer(values)
            values = out if isinstance(out, list) else [out]
        given: Outputs = values[0] if len(values) == 1 else values
        return given

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.layers]
        hidden = activation_name(self.layers[0].neurons[0].activation)
        output = activation_name(self.layers[-1].neurons[0].activation)
        named = f"activation={hidden!r}, " if len(sizes) > 1 else ""
        n_inputs, count = len(self.layers[0].neurons[0].w), sum(1 for _ in self.named_parameters())
        return f"MLP({n_inputs}, {sizes}, {named}output_activation={output!r})  # {count} parameters"

    def _all_named(self) -> Iterator[tuple[str, Value]]:
        for number, layer in enumerate(self.layers, start=1):
            yield from _tutorial_names(layer.neurons, str(number))
        yield from self._others()

    def _walk_first(self, walk: Walk) -> None:
        for layer in self.layers:
            if walk.weights(layer.neurons, Neuron) and type(layer) is Layer and vars(layer).keys() <= _LAYER:
                walk.frozen |= layer._frozen
                walk.skip(layer)


def _tutorial_names(neurons: list[Neuron], layer: str) -> Iterator[tuple[str, Value]]:
    """Yield (name, parameter), where w^(l)_jk is w<l>_<j><k>, or w<l>_<j>_<k> for ten or more neurons or inputs."""
    gap = "_" if max(len(neurons), len(neurons[0].w)) > 9 else ""
    for j, neuron in enumerate(neurons, start=1):
        for k, w in enumerate(neuron.w, start=1):
            yield f"w{layer}_{j}{gap}{k}", w
        yield f"b{layer}_{j}", neuron.b


def _name_all(neurons: list[Neuron], layer: str) -> None:
    for name, parameter in _tutorial_names(neurons, layer):
        parameter.name = name
    for j, neuron in enumerate(neurons, start=1):
        neuron._names = (f"z{layer}_{j}", f"a{layer}_{j}")


def _check_size(name: str, size: object) -> None:
    if isinstance(size, bool) or not isinstance(size, Integral):
        raise TypeError(f"{name} is a whole number, not {type(size).__name__} {size!r}")
    if int(size) < 1:
        raise ShapeError(f"{name} is {size}; at least 1 is needed", "at least 1", str(size))


def _check_inputs(x: Any, count: int, who: str) -> None:
    usual = isinstance(x, (list, tuple))  # checked first, because isinstance is slow for abstract classes
    if not usual and (not hasattr(x, "__len__") or isinstance(x, (str, bytes, Mapping, Set))):
        raise TypeError(f"this {who} takes a sequence of {count} numbers or Values, not {type(x).__name__}")
    if len(x) != count:
        raise ShapeError(f"this {who} takes {count} inputs, {len(x)} given", f"{count} inputs", f"{len(x)} inputs")


def _bias(bias_init: float | str | Initialiser) -> Initialiser:
    return initialiser(bias_init) if callable(bias_init) or isinstance(bias_init, str) else constant(bias_init)


def _finite(drawn: float) -> float:
    if not math.isfinite(drawn):
        raise ValueError(f"the initialiser returned {drawn!r}: weights and biases must be finite")
    return drawn


def _generator(rng: random.Random | None, seed: int | None) -> random.Random:
    if rng is not None and seed is not None:
        raise ValueError("give rng or seed, not both")
    if rng is not None:
        return rng
    # The default is Python's global generator, so that random.seed(...) has an effect, as in micrograd.
    if seed is None:
        return cast(random.Random, random)
    return random.Random(int(seed) if isinstance(seed, Integral) else seed)
