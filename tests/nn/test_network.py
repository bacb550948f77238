"""Networks: structure, names, initialisers, freezing, saving; and the code of micrograd's users."""

import json
import math
import random

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import OPS, ShapeError, StateError, Value, nn


def test_shapes_and_names():
    model = nn.MLP(3, [4, 4, 1])
    assert isinstance(model([1.0, 2.0, 3.0]), Value)
    assert len(model.parameters()) == 41
    assert model.layers[1].neurons[2].w[3].name == "w2_34"
    assert model.layers[1].neurons[2].b.name == "b2_3"
    assert [n.nonlin for layer in model.layers for n in layer.neurons] == [True] * 8 + [False]
    assert repr(model) == "MLP(3, [4, 4, 1], activation='relu', output_activation='identity')  # 41 parameters"
    assert repr(model.layers[0]) == "Layer(3, 4, 'relu')"
    assert repr(model.layers[0].neurons[0]) == "Neuron(3, 'relu')"
    assert isinstance(nn.MLP(1, [1, 2])([1]), list)
    assert isinstance(nn.MLP(2, [1, 1, 1])([1, 2]), Value)


def test_sizes_may_be_numpy_integers():
    assert repr(nn.MLP(np.int64(2), np.array([2, 1]))).startswith("MLP(2, [2, 1], ")


def test_nodes_are_named_as_in_the_tutorial():
    a = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=0)([1, 2])
    z = a.args[0]
    assert (a.name, z.name, z.args[1].args[1].name) == ("a2_1", "z2_1", "a1_2")


def test_names_stay_apart_in_wide_layers():
    names = list(nn.MLP(11, [12, 1]).state_dict())
    assert len(set(names)) == len(names) == 12 * 12 + 13
    assert names[0] == "w1_1_1"
    assert "w1_11_1" in names
    assert list(nn.Layer(2, 2).state_dict()) == ["w_11", "w_12", "b_1", "w_21", "w_22", "b_2"]
    assert list(nn.Neuron(2).state_dict()) == ["w.0", "w.1", "b"]


def test_the_sum_is_taken_in_the_written_order():
    neuron = nn.Neuron(3, "identity")
    for p, x in zip(neuron.parameters(), (0.1, 0.2, 0.3, 0.7), strict=True):
        p.data = x
    assert neuron([1.1, 1.2, 1.3]).data == ((0.7 + 0.1 * 1.1) + 0.2 * 1.2) + 0.3 * 1.3


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.arity - len(op.defaults) == 1])
def test_any_row_of_one_argument_is_an_activation(name):
    neuron = nn.Neuron(1, name, init=nn.constant(0.3))
    assert neuron([1.7]).data == OPS[name](0.3 * 1.7) if OPS[name].allows([0.51, *OPS[name].defaults]) else True


def test_a_function_is_an_activation():
    model = nn.MLP(1, [1], output_activation=lambda z: z * z + 1)
    assert model([0]).data == 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.MLP(2, []), ShapeError, "sizes is empty"),
        (lambda: nn.MLP(0, [1]), ShapeError, "n_inputs is 0; at least 1"),
        (lambda: nn.MLP(2, [3, 0]), ShapeError, r"sizes\[1\] is 0"),
        (lambda: nn.MLP(2, [3, 1.0]), TypeError, r"sizes\[1\] is a whole number, not float"),
        (lambda: nn.MLP(2, [3, True]), TypeError, "not bool"),
        (lambda: nn.Layer(2, -1), ShapeError, "n_outputs is -1"),
        (
            lambda: nn.MLP(2, [1], activation="tahn"),
            ValueError,
            "no activation 'tahn'; there are identity, neg, .*tanh",
        ),
        (lambda: nn.MLP(2, [1], output_activation="maximum"), ValueError, "no activation 'maximum'"),
        (lambda: nn.MLP(2, [1], activation=3), TypeError, "a name or a function, not int"),
        (lambda: nn.MLP(2, [1], init="zeros"), ValueError, "no initialiser 'zeros'; there are uniform, normal"),
        (lambda: nn.MLP(2, [1], init=nn.uniform(0, math.nan)), ValueError, "high must be finite, not nan"),
        (lambda: nn.MLP(2, [1], bias_init=math.inf), ValueError, "value must be finite"),
        (lambda: nn.MLP(2, [1], seed=1, rng=random.Random(1)), ValueError, "rng or seed, not both"),
        (lambda: nn.MLP(2, [1])([1.0]), ShapeError, "this MLP takes 2 inputs, 1 given"),
        (lambda: nn.MLP(2, [1])([1.0, 2.0, 3.0]), ShapeError, "this MLP takes 2 inputs, 3 given"),
        (lambda: nn.Neuron(2)([]), ShapeError, "this neuron takes 2 inputs, 0 given"),
        (lambda: nn.MLP(2, [1])(["1", 2.0]), TypeError, "not str '1'"),
        (lambda: nn.MLP(2, [1])("12"), TypeError, "takes a sequence of 2 numbers or Values, not str"),
        (lambda: nn.MLP(2, [1])(x for x in (1, 2)), TypeError, "not generator"),
        (lambda: nn.MLP(2, [1])({0: 1, 1: 2}), TypeError, "not dict"),
        (lambda: nn.MLP(2, [1])(np.ones((2, 2))), TypeError, "sample by sample"),
        (lambda: nn.MLP(2, 3), TypeError, "sizes is a sequence of whole numbers, one for each layer, not int"),
        (
            lambda: nn.MLP(1, [1], output_activation=lambda z: 1.0)([1]),
            TypeError,
            "returned float 1.0: it must return a Value",
        ),
        (lambda: nn.MLP(1, [1]).freeze(3), TypeError, "the name of a parameter is a str, not int"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_initialisers():
    def weights(init, n_inputs=50, n_outputs=40):
        layer = nn.Layer(n_inputs, n_outputs, init=init, seed=3)
        return np.array([w.data for neuron in layer.neurons for w in neuron.w])

    for init, low, high in (("uniform", -1, 1), (nn.uniform(0, 1), 0, 1), (nn.xavier, -0.2582, 0.2582)):
        w = weights(init)
        assert low <= w.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < w.max() <= high
    for init, std in (("he", 0.2), (nn.normal(3.0), 3.0), ("xavier", (2 / 90) ** 0.5)):
        assert weights(init).std() == pytest.approx(std, rel=0.05)
    assert {p.data for p in nn.MLP(2, [2], init=nn.constant(0.5), bias_init=0.25).parameters()} == {0.5, 0.25}
    biases = [layer.neurons[0].b.data for layer in nn.MLP(2, [1, 1], bias_init=nn.uniform(2, 3), seed=1).layers]
    assert all(2 <= b <= 3 for b in biases)


def test_seeds():
    assert nn.MLP(2, [2], seed=5).state_dict() == nn.MLP(2, [2], rng=random.Random(5)).state_dict()
    assert nn.MLP(2, [2], seed=5).state_dict() != nn.MLP(2, [2], seed=6).state_dict()
    random.seed(5)
    assert nn.MLP(2, [2]).state_dict() == nn.MLP(2, [2], seed=5).state_dict()


def test_zero_grad_and_gradients():
    model = nn.MLP(2, [2, 1], "tanh", seed=2)
    model([1, 2]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad or p.has_grad for p in model.parameters())


# --- modules of one's own ---------------------------------------------------------------------------------------------


class Odd(nn.Module):
    def __init__(self):
        self.inner = nn.MLP(1, [1], seed=0)
        self.pair = (Value(1.0), {"x": Value(2.0)})
        self.array = np.array([Value(3.0), Value(4.0)])
        self.tied = self.inner.layers[0].neurons[0].b
        self.last_output = Value(1.0) * 2
        self.text, self.count = "text", 3


def test_parameters_are_found_wherever_they_are():
    names = [name for name, _ in Odd().named_parameters()]
    assert names == ["inner.w1_11", "inner.b1_1", "pair.0", "pair.1.x", "array.0", "array.1"]


def test_a_module_in_the_manner_of_micrograd():
    class Old(nn.Module):
        def __init__(self):
            self.hidden = [Value(1.0)]

        def parameters(self):
            return self.hidden

    module = Old()
    (module.hidden[0] * 3).backward()
    module.zero_grad()
    assert module.hidden[0].grad == 0
    assert nn.Module().parameters() == []


# --- freezing ---------------------------------------------------------------------------------------------------------


def test_freezing():
    model = nn.MLP(2, [2, 1], seed=1)
    model.freeze("w1_*", "b2_1")
    assert [p.name for p in model.parameters()] == ["b1_1", "b1_2", "w2_11", "w2_12"]
    assert len(dict(model.named_parameters())) == len(model.state_dict()) == 9
    with pytest.raises(ValueError, match=r"no parameter is called 'w3_11'; there are w1_11, .* and 1 more"):
        model.freeze("b1_1", "w3_11")
    assert len(model.parameters()) == 4
    model.unfreeze("w1_1*")
    assert len(model.parameters()) == 6
    model.layers[1].freeze()
    assert [p.name for p in model.parameters()] == ["w1_11", "w1_12", "b1_1", "b1_2"]
    model.unfreeze()
    assert len(model.parameters()) == 9
    model.freeze()
    assert model.layers[0].parameters() == []
    model.layers[0].neurons[1].unfreeze("w.0")
    assert [p.name for p in model.parameters()] == ["w1_21"]
    model.freeze()
    model([1, 2]).backward()
    model.zero_grad()
    assert model.parameters() == []
    assert not any(p.has_grad for _, p in model.named_parameters())


# --- saving and loading -----------------------------------------------------------------------------------------------


def test_save_and_load(tmp_path):
    model = nn.MLP(2, [2, 1], seed=1)
    model.parameters()[0].data = 0.1 + 0.2
    path = model.save(tmp_path / "new" / "xor.json")
    other = nn.MLP(2, [2, 1], seed=2)
    other.load(path)
    assert other.state_dict() == model.state_dict()
    assert [p.name for p in path.parent.iterdir()] == ["xor.json"]


@pytest.mark.parametrize(
    ("change", "message", "field", "names"),
    [
        (lambda s: s.pop("b1_2"), "missing: b1_2", "missing", ("b1_2",)),
        (lambda s: s.update(w9=1.0), "unexpected: w9", "unexpected", ("w9",)),
        (lambda s: s.update(b1_1=math.nan), "not finite numbers: b1_1 = nan", "invalid", ("b1_1 = nan",)),
        (lambda s: s.update(b1_1="1"), "not finite numbers: b1_1 = '1'", "invalid", ("b1_1 = '1'",)),
        (lambda s: s.update(b1_1=10**400), "not finite numbers: b1_1 = 1000", "invalid", None),
        (lambda s: s.update(b1_1=None), "not finite numbers: b1_1 = None", "invalid", ("b1_1 = None",)),
    ],
)
def test_states_that_do_not_fit_change_nothing(change, message, field, names):
    model = nn.MLP(2, [2, 1], seed=1)
    before, state = model.state_dict(), nn.MLP(2, [2, 1], seed=2).state_dict()
    change(state)
    with pytest.raises(StateError, match=message) as caught:
        model.load_state_dict(state)
    assert names is None or getattr(caught.value, field) == names
    assert model.state_dict() == before
    with pytest.raises(TypeError, match="mapping of names to numbers, not list"):
        model.load_state_dict([1.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a file of saved parameters"),
        ("[1]", "it has no format"),
        ('{"format": "other"}', "it has no format"),
        ('{"format": "micrograd_bp parameters", "version": 99}', "version 99; this package reads version 1"),
        ('{"format": "micrograd_bp parameters", "version": 1}', "it has no parameters"),
        ('{"format": "micrograd_bp parameters", "version": 1, "parameters": 3}', "it has no parameters"),
    ],
)
def test_files_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(StateError, match=message):
        nn.MLP(1, [1]).load(path)
    with pytest.raises(FileNotFoundError):
        nn.MLP(1, [1]).load(tmp_path / "nowhere.json")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    model = nn.MLP(1, [1], seed=1)
    path = model.save(tmp_path / "m.json")
    before = path.read_text()
    monkeypatch.setattr(json, "dumps", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save(path)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_every_kind_of_derivative_goes_through_a_network():
    model = nn.MLP(2, [2, 1], "tanh", seed=1)
    x = [1.0, 2.0]
    gradient = [slope.data for slope in mb.grad(model)(x)]  # traced: the weights are Values
    rows = [[entry.data for entry in row] for row in mb.hessian(model)(x)]
    for place, unit in enumerate(([1.0, 0.0], [0.0, 1.0])):
        assert mb.jvp(model, (x,), (unit,))[1].data == pytest.approx(gradient[place], rel=1e-12)
        products = mb.hvp(model, (x,), (unit,))
        assert [p.data for p in products] == pytest.approx(rows[place], rel=1e-12)


def test_a_replaced_layer_is_called():
    class Doubled(nn.Layer):
        def __call__(self, x):
            return [2 * out for out in super().__call__(x)]

    model = nn.MLP(1, [2, 1], "tanh", seed=1)
    doubled = Doubled(1, 2, "tanh", seed=1)
    doubled.neurons = model.layers[0].neurons
    before = model([1.0]).data
    model.layers[0] = doubled
    assert model([1.0]).data == model.layers[1](model.layers[0]([1.0])).data != before


def test_parameters_that_a_subclass_or_an_activation_adds_are_found():
    class Slope(nn.Module):
        def __init__(self):
            self.slope = Value(0.25)

        def __call__(self, z):
            return z.relu() - self.slope * (-z).relu()

    activation = Slope()
    model = nn.MLP(2, [2, 1], activation=activation, seed=1)
    model.scale = Value(2.0)
    assert activation.slope in model.parameters()
    assert model.scale in model.parameters()
    assert len(model.parameters()) == len(model.state_dict()) == 9 + 2
    assert activation.slope in model.layers[0].parameters()


def test_freezing_twice_adds_up():
    model = nn.MLP(2, [2, 1], seed=0)
    model.freeze("w1_11")
    model.freeze("b1_1")
    assert len(model.parameters()) == 7
    frozen = nn.MLP(2, [2, 1], seed=0)
    frozen.freeze()
    frozen.load_state_dict(dict.fromkeys(frozen.state_dict(), 0.5))
    assert set(frozen.state_dict().values()) == {0.5}


def test_seed_0_is_a_seed_and_layers_differ():
    a, b = nn.MLP(2, [2, 2], seed=0), nn.MLP(2, [2, 2], seed=np.int64(0))
    assert a.state_dict() == b.state_dict()
    assert a.layers[0].neurons[0].w[0].data != a.layers[1].neurons[0].w[0].data


def test_names_that_collide_are_refused():
    class Twice(nn.Module):
        def __init__(self):
            self.d = {1: Value(1.0), "1": Value(2.0)}

    with pytest.raises(ValueError, match=r"two parameters of this Twice are called 'd\.1'"):
        Twice().state_dict()


def test_a_diverged_model_does_not_replace_a_good_file(tmp_path):
    model = nn.MLP(1, [1], seed=1)
    path = model.save(tmp_path / "a" / "b" / "good.json")
    good = path.read_text()
    model.parameters()[0].data = np.inf
    with pytest.raises(StateError, match="no file is written: w1_1"):
        model.save(path)
    assert path.read_text() == good
    path.write_text(good.replace('"parameters": {', '"parameters": 3, "x": {'))
    with pytest.raises(StateError, match="it has no parameters"):
        model.load(path)


@pytest.mark.parametrize("sizes", [{4, 1}, {4: 1}, "41"])
def test_sizes_have_an_order(sizes):
    with pytest.raises(TypeError, match="sizes is a sequence"):
        nn.MLP(2, sizes)


def test_weights_begin_finite():
    with pytest.raises(ValueError, match="the initialiser returned nan"):
        nn.MLP(2, [1], init=lambda *a: np.nan)
