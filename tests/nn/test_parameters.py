"""`parameters()` and `zero_grad()` find what a plain recursion finds, in any structure, and what was changed in it."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_bp import Value
from micrograd_bp.engine.value import _lock
from micrograd_bp.nn import MLP, Layer, Module, Neuron


class Bag(Module):
    """A module that holds whatever it is given."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slope(Module):
    """An activation with a parameter."""

    def __init__(self, slope):
        self.slope = slope

    def __call__(self, z):
        return z * self.slope


def every(thing):
    """All leaves by the words of the documentation, some repeatedly: weights of networks first, then attributes."""
    first, items = [], []
    if isinstance(thing, Value):
        return [thing] if thing.op is None else []
    if isinstance(thing, (MLP, Layer)):
        layers = thing.layers if isinstance(thing, MLP) else [thing]
        first = [p for layer in layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    if isinstance(thing, Module):
        items = [attribute for name, attribute in vars(thing).items() if not name.startswith("_")]
    elif isinstance(thing, dict):
        items = thing.values()
    elif isinstance(thing, (list, tuple)) or (isinstance(thing, np.ndarray) and thing.dtype == object):
        items = thing
    return first + [leaf for item in items for leaf in every(item)]


def once(leaves, without=()):
    """Each leaf once, by its identity, without some."""
    left_out = {id(leaf) for leaf in without}
    return [leaf for leaf in {id(leaf): leaf for leaf in leaves}.values() if id(leaf) not in left_out]


def same(found, expected):
    return [id(p) for p in found] == [id(p) for p in expected]


def array(items):
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


@st.composite
def structures(draw):
    """A module of modules, containers, shared Values, computed values and what is no parameter; and its Values."""
    pool = [Value(float(k)) for k in range(8)]
    values = st.sampled_from(pool)
    activations = st.one_of(st.sampled_from(["tanh", "relu"]), st.builds(Slope, values))

    def network(sizes, activation, shared, extra, place):
        made = MLP(2, sizes, activation, seed=0)
        neurons = [neuron for layer in made.layers for neuron in layer.neurons]
        if shared is not None:
            neurons[place % len(neurons)].w[0] = shared
            neurons[-1].b = shared
        if extra is not None:
            holder = (made, made.layers[0], neurons[place % len(neurons)])[place % 3]
            holder.extra = extra
        pool.extend(p for neuron in neurons for p in (*neuron.w, neuron.b))
        return (made, made, made.layers[-1], neurons[-1])[place % 4]

    networks = st.builds(
        network,
        st.lists(st.integers(1, 2), min_size=1, max_size=2),
        activations,
        st.none() | values,
        st.none() | values,
        st.integers(0, 11),
    )
    atoms = st.one_of(values, values.map(lambda v: v * 2.0), networks, st.sampled_from(["text", 3, None, np.ones(2)]))

    def nested(inner):
        few = st.lists(inner, max_size=3)
        names = st.sampled_from(["a", "b", "_hidden", "c"])
        return st.one_of(
            few,
            few.map(tuple),
            few.map(array),
            few.map(lambda items: [items, items]),  # one object in two places
            st.dictionaries(st.sampled_from(["k", "_k", 1]), inner, max_size=3),
            st.dictionaries(names, inner, max_size=3).map(lambda attributes: Bag(**attributes)),
        )

    parts = draw(st.lists(st.recursive(atoms, nested, max_leaves=8), max_size=4))
    root = Bag(**{f"part{place}": part for place, part in enumerate(parts)})
    frozen = []
    for module in draw(st.lists(st.sampled_from(list(root.modules())), max_size=2)):
        frozen += every(module)
        module.freeze()
    return root, pool, frozen


@given(structures())
def test_parameters_are_those_of_a_plain_recursion(made):
    root, _, frozen = made
    assert same(root.parameters(), once(every(root), without=frozen))
    assert same([p for _, p in root.named_parameters()], once(every(root)))


@given(structures())
def test_zero_grad_clears_exactly_the_parameters_and_the_frozen_ones(made):
    root, pool, _ = made
    for value in pool:
        value.grad = 1.5
    root.zero_grad()
    found = {id(p) for p in every(root)}
    for value in pool:
        assert (value.grad, value.has_grad) == ((0.0, False) if id(value) in found else (1.5, True))


# --- nothing is remembered from one call to the next ------------------------------------------------------------------


def replace_weight(model):
    model.layers[0].neurons[1].w[0] = Value(9.0)


def replace_bias(model):
    model.layers[1].neurons[0].b = Value(9.0)


def append_layer(model):
    model.layers.append(Layer(1, 2))


def append_neuron(model):
    model.layers[0].neurons.append(Neuron(2))


def delete_layer(model):
    del model.layers[1]


def delete_weight(model):
    del model.layers[0].neurons[0].w[1]


def add_to_model(model):
    model.scale = Value(1.0)


def add_to_layer(model):
    model.layers[0].scale = [Value(1.0)]


def add_to_neuron(model):
    model.layers[0].neurons[1].scale = {"x": Value(1.0)}


def other_activation(model):
    model.layers[0].neurons[1].activation = Slope(Value(0.5))


def share(model):
    model.layers[0].neurons[0].w[1] = model.layers[1].neurons[0].b


def subclassed_neuron(model):
    class Own(Neuron):
        def __init__(self):
            super().__init__(2)
            self.temperature = Value(1.0)

    model.layers[0].neurons[0] = Own()


CHANGES = (
    *(replace_weight, replace_bias, append_layer, append_neuron, delete_layer, delete_weight, add_to_model),
    *(add_to_layer, add_to_neuron, other_activation, share, subclassed_neuron),
)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_changed_network_is_seen_as_it_is(change, frozen):
    model = MLP(2, [2, 1], seed=0)
    if frozen:
        model.freeze("w1_11", "b2_1")
    fixed = [p for name, p in model.named_parameters() if frozen and name in ("w1_11", "b2_1")]
    before = model.parameters()
    assert len(before) == 9 - len(fixed)
    model.zero_grad()
    change(model)
    assert not same(model.parameters(), before)
    assert same(model.parameters(), once(every(model), without=fixed))
    for p in every(model):
        p.grad = 1.0
    model.zero_grad()
    assert not any(p.has_grad for p in every(model))


def test_freezing_between_two_calls_is_seen():
    model = MLP(2, [2, 1], seed=0)
    assert len(model.parameters()) == 9
    model.freeze("w1_*")
    assert len(model.parameters()) == 5
    model.layers[0].neurons[0].unfreeze("w.1")
    assert len(model.parameters()) == 6
    model.unfreeze()
    assert len(model.parameters()) == 9


def test_the_list_is_the_callers():
    model = MLP(2, [2, 1], seed=0)
    model.parameters().clear()
    assert len(model.parameters()) == 9


def test_a_training_step_makes_no_names(monkeypatch):
    model = Bag(networks=[MLP(2, [2, 1], seed=0), Layer(2, 2), Neuron(2)])
    monkeypatch.setattr(Module, "_others", lambda self: 1 / 0)
    assert len(model.parameters()) == 9 + 6 + 3
    model.zero_grad()


# --- classes that say more about their parameters ---------------------------------------------------------------------


def test_a_class_that_names_its_parameters_itself_decides_which_they_are():
    class Half(Module):
        def __init__(self):
            self.used, self.unused = Value(1.0), Value(2.0)

        def named_parameters(self):
            yield "used", self.used

    model = Half()
    model.used.grad = model.unused.grad = 1.0
    assert same(model.parameters(), [model.used])
    model.zero_grad()
    assert (model.used.has_grad, model.unused.has_grad) == (False, True)


def test_parameters_of_the_users_own_are_cleared_too():
    class Hidden(Module):
        def __init__(self):
            self._hidden, self.seen = Value(1.0), Value(2.0)

        def parameters(self):
            return [self._hidden]

    model = Hidden()
    plain = MLP(1, [1], seed=0)
    other = Value(3.0)
    plain.parameters = lambda: [other]
    for value in (model._hidden, model.seen, other, *every(plain)):
        value.grad = 1.0
    model.zero_grad()
    plain.zero_grad()
    assert not any(value.has_grad for value in (model._hidden, model.seen, other, *every(plain)))


def test_a_class_with_names_of_its_own_gives_their_order():
    class Reversed(Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(2.0)

        def _all_named(self):
            yield "b", self.b
            yield from self._others()

    model = Reversed()
    assert same(model.parameters(), [model.b, model.a])


def test_a_weight_that_was_computed_is_cleared_with_what_it_was_made_from():
    model, source = MLP(1, [1], seed=0), Value(2.0)
    model.layers[0].neurons[0].w[0] = source * 3.0
    model([1.0]).backward()
    assert source.grad == 3.0
    model.zero_grad()
    assert not source.has_grad


def test_modules_in_the_place_of_weights_are_looked_into():
    model, slope = MLP(1, [1], seed=0), Value(2.0)
    model.layers[0].neurons[0].w[0] = Bag(slope=slope)
    slope.grad = 1.0
    assert same(model.parameters(), [p for _, p in model.named_parameters()])
    assert any(p is slope for p in model.parameters())
    model.zero_grad()
    assert not slope.has_grad


# --- depth, circles, threads ------------------------------------------------------------------------------------------


def test_nesting_may_be_deeper_than_the_recursion_limit():
    leaf = Value(1.0)
    nested = [leaf]
    for _ in range(20_000):
        nested = [nested]
    model = Bag(nested=nested)
    assert model.parameters() == [leaf]
    model = Bag(last=leaf)
    for _ in range(20_000):
        model = Bag(before=model)
    leaf.grad = 1.0
    model.zero_grad()
    assert not leaf.has_grad


def test_modules_that_refer_to_each_other_are_walked_once():
    child = Bag(weight=Value(1.0))
    parent = Bag(child=child)
    child.parent = parent
    assert same(parent.parameters(), [child.weight])
    parent.zero_grad()


def test_zero_grad_waits_for_the_backward_pass_of_another_thread():
    model = MLP(1, [1], seed=0)
    for p in model.parameters():
        p.grad = 1.0
    clearing = threading.Thread(target=model.zero_grad)
    with _lock:  # held by a backward pass from beginning to end
        clearing.start()
        clearing.join(0.05)
        assert clearing.is_alive()
        assert all(p.has_grad for p in model.parameters())
    clearing.join()
    assert not any(p.has_grad for p in model.parameters())
