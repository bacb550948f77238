"""`Neuron`, `Layer`, `MLP`."""

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
_LAYER = {"neurons", "_frozen"}  # what a layer has by itself

if TYPE_CHECKING:

    class Outputs(Value, list[Value]):  # type: ignore[misc]  # no such object exists; it has the methods of both
        """What a layer or network gives: of one neuron its Value, of several the list of them.

        How many there are is known at run time only, so a type checker accepts what either of both can do.
        """

else:
    Outputs = Any


def identity(x: Value) -> Value:
    """No activation: the neuron's weighted sum itself."""
    return x


def activation_names() -> list[str]:
    """The names an activation may have: every row that can be called with one argument, and "identity"."""
    return ["identity", *(op.name for op in OPS.values() if op.arity - len(op.defaults) == 1)]


def activation_function(activation: str | Activation) -> Activation:
    """The function of an activation's name; a function is given back as it is.

    Raises ValueError for an unknown name, TypeError for what is neither.
    """
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
    """What an activation is called."""
    return activation.name if isinstance(activation, Op) else getattr(activation, "__name__", repr(activation))


class Neuron(Module):
    """a = activation(b + w[0] x[0] + w[1] x[1] + ...), z^(l)_j and a^(l)_j of the first tutorial.

    `w` is a list of leaves, `b` a leaf; in a network the sum is named `z1_2`, the output `a1_2`. Weights come from
    `init`, by default uniform on [-1, 1] with b = 0, drawn from `rng`, or from a `random.Random(seed)`, or else from
    Python's global generator.

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
        """micrograd's name for: the activation is not the identity."""
        return self.activation is not identity

    def __call__(self, x: Numbers) -> Value:
        w = self.w
        if type(x) not in (list, tuple) or len(x) != len(w):
            _check_inputs(x, len(w), "neuron")
            x = [x_k for _, x_k in zip(w, x, strict=True)]
        z: Any = reduce(add, map(mul, w, x), self.b)  # from left to right: ((b + w[0] x[0]) + w[1] x[1]) + ...
        if isinstance(z, Value):  # in forward mode it is a Dual, which has no name
            z._name = self._names[0]
        elif not isinstance(z, Operand):
            raise TypeError("each input is a number or a Value, not an array: call the network sample by sample")
        a: Any = self.activation(z)
        if isinstance(a, Value):
            if a._name is None and a._op is not None:
                a._name = self._names[1]
        elif not isinstance(a, Operand):
            name = activation_name(self.activation)
            raise TypeError(f"the activation {name} gave {type(a).__name__} {a!r}; it has to give a Value")
        result: Value = a  # to a type checker; in forward mode it is a Dual
        return result

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, {activation_name(self.activation)!r})"


class Layer(Module):
    """`n_outputs` neurons over the same `n_inputs`; of a single neuron the call gives its Value, else a list.

    Takes the keywords of `Neuron`.
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
    """Layers in a row: `MLP(2, [2, 1])` is the XOR network of the first tutorial.

    `activation` is that of the hidden layers, `output_activation` that of the last: a name (any row of one argument) or
    a function of a Value. Parameters are named as in the tutorial: `w1_21` is w^(1)_21, the weight from input 1 to
    neuron 2 of layer 1, `b1_2` its bias (w1_12_3 where a layer has ten or more of either). Initialisers as in `Neuron`.

    The call takes `n_inputs` numbers or Values; a one-element output is a single Value, else a list. Raises ShapeError
    (a ValueError) for another number of inputs.

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
        for place, size in enumerate(sizes):
            _check_size(f"sizes[{place}]", size)
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
    """w^(l)_jk as w<l>_<j><k>, with a second _ where a layer has ten or more neurons or inputs."""
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
    usual = isinstance(x, (list, tuple))  # asked first, for abstract classes take long to answer
    if not usual and (not hasattr(x, "__len__") or isinstance(x, (str, bytes, Mapping, Set))):
        raise TypeError(f"this {who} takes a sequence of {count} numbers or Values, not {type(x).__name__}")
    if len(x) != count:
        raise ShapeError(f"this {who} takes {count} inputs, {len(x)} given", f"{count} inputs", f"{len(x)} inputs")


def _bias(bias_init: float | str | Initialiser) -> Initialiser:
    return initialiser(bias_init) if callable(bias_init) or isinstance(bias_init, str) else constant(bias_init)


def _finite(drawn: float) -> float:
    if not math.isfinite(drawn):
        raise ValueError(f"the initialiser gives {drawn!r}; weights and biases begin as finite numbers")
    return drawn


def _generator(rng: random.Random | None, seed: int | None) -> random.Random:
    if rng is not None and seed is not None:
        raise ValueError("give rng or seed, not both")
    if rng is not None:
        return rng
    # without either: Python's global generator, so that random.seed(...) governs, as micrograd's users expect
    return (
        random.Random(int(seed) if isinstance(seed, Integral) else seed)
        if seed is not None
        else cast(random.Random, random)
    )
