"""Copies and pickles of graphs: deep ones, with what is shared still shared."""

import copy
import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

import pytest

import micrograd_bp as mb
from micrograd_bp import OPS, Value, nn

WAYS = {
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda thing, n=n: pickle.loads(pickle.dumps(thing, n))
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "pickle in Python": lambda thing: pickle.loads(pickle._dumps(thing)),
}
ways = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS)


@ways
def test_a_copied_graph_is_a_graph(duplicate):
    x, y = Value(0.3, name="x"), Value(-2.0)
    loss = mb.where(x, x * y, 1.0).tanh() + y.clip(-3, x)
    loss.backward()
    twin = duplicate(loss)
    assert [repr(n) for n in mb.topological_order(twin)] == [repr(n) for n in mb.topological_order(loss)]
    assert [n.local_grads for n in mb.topological_order(twin)] == [n.local_grads for n in mb.topological_order(loss)]
    twin.zero_grad()
    twin.backward()
    assert mb.topological_order(twin)[0].grad == x.grad
    assert x.has_grad


@ways
@pytest.mark.parametrize("order", ["x h loss", "loss h x", "h loss x", "loss x h"])
def test_shared_nodes_stay_shared(duplicate, order):
    x = Value(2.0)
    h = x * x
    loss = h * h + x
    nodes = {"x": x, "h": h, "loss": loss}
    names = order.split()
    twins = dict(zip(names, duplicate([nodes[name] for name in names]), strict=True))
    twins["loss"].backward()
    assert (twins["x"].grad, twins["h"].grad) == (33.0, 8.0)
    assert (x.grad, h.grad) == (0.0, 0.0)


@ways
def test_depth(duplicate):
    x = Value(1.0)
    v = x
    for _ in range(10_000):
        v = v * 1.0 + x
    new_x, new_v = duplicate((x, v))
    new_v.backward()
    assert new_x.grad == 10_001.0


@ways
def test_a_list_of_all_nodes_of_a_chain(duplicate):
    nodes = [Value(1.0)]
    for _ in range(5_000):
        nodes.append(nodes[-1] * 2.0)
    twins, backward = duplicate(nodes), duplicate(nodes[::-1])[::-1]
    for chain in (twins, backward):
        assert all(after.args[0] is before for before, after in pairwise(chain))


def test_a_pickle_is_of_the_state_at_its_time():
    x = Value(2.0)
    y = x * 3
    held = pickle.Pickler(io.BytesIO())  # its memo keeps what it has met alive
    held.dump(y)
    x.data = 7.0
    assert pickle.loads(pickle.dumps(y)).args[0].data == 7.0


def test_a_gradient_of_zero_is_not_an_absent_one():
    x, y = Value(1.0), Value(2.0)
    (x * 0).backward()
    for duplicate in WAYS.values():
        assert [duplicate(node).has_grad for node in (x, y)] == [True, False]


def test_shallow_copies():
    x = Value(2.0, name="x")
    y = x * x
    twin = copy.copy(y)
    twin.backward()
    assert twin is not y
    assert (twin.args, x.grad, y.grad) == ((x, x), 4.0, 0.0)
    leaf = copy.copy(x)
    leaf.data = 5.0
    assert (x.data, leaf.name) == (2.0, "x")


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_rows_are_copied_as_themselves(op):
    assert copy.deepcopy(op) is pickle.loads(pickle.dumps(op)) is op


def test_an_unknown_row_is_named():
    text = pickle.dumps(OPS["tanh"], 0).replace(b"Vtanh", b"Vtahn")
    with pytest.raises(LookupError, match="no operation 'tahn' is known here"):
        pickle.loads(text)


def test_models():
    model = nn.MLP(2, [3, 1], "tanh", seed=1)
    model.freeze("b*")
    for duplicate in WAYS.values():
        twin = duplicate(model)
        assert twin.state_dict() == model.state_dict()
        assert len(twin.parameters()) == len(model.parameters()) == 9
        assert twin([1, 2]).data == model([1, 2]).data
        assert not set(twin.parameters()) & set(model.parameters())


def test_across_processes():
    """A process started anew: a fork would copy the locks of threads that other libraries have started here."""
    x = Value(3.0)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(mb.adjoints, x * x, [x]).result() == [6.0]


class Weight(Value):
    """A subclass with its own `__init__` and an attribute."""

    def __init__(self, number, *, about):
        super().__init__(number, "w")
        self.about = about


class Slotted(Value):
    __slots__ = ("__secret", "empty", "tag")

    def __init__(self, number):
        super().__init__(number)
        self.tag, self.__secret = "t", [number]

    def secret(self):
        return self.__secret


class Chosen(Value):
    """A subclass that says what of it is copied."""

    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        self.kept, self.read = state["kept"], True


class Extended(Value):
    """A subclass that adds to what is copied anyway."""

    def __getstate__(self):
        state = super().__getstate__()
        attributes = state[0] if isinstance(state, tuple) else state
        return {**(attributes or {}), "kept": "kept", "tanh": 1.0}


class Constructed(Value):
    """A subclass with its own way to be pickled."""

    def __init__(self, number, log=()):
        super().__init__(number)
        self.log = [*log, "constructed"]

    def __reduce__(self):
        return type(self), (self.data, self.log)


class Plain(Value):
    pass


def leaf(kind):
    x = kind(3.0, about=["a"]) if kind is Weight else kind(3.0)
    if kind is Chosen:
        x.kept, x.dropped = [1.0], 2.0
    return x


@ways
@pytest.mark.parametrize("kind", [Plain, Weight, Slotted, Chosen, Extended, Constructed])
@pytest.mark.parametrize("order", ["x h loss", "loss h x", "h loss x", "loss x h"])
def test_leaves_of_subclasses_stay_shared(duplicate, kind, order):
    x = leaf(kind)
    x.grad = 0.5
    h = x * x
    loss = mb.where(x, h * h, 1.0) + x * 2
    nodes = {"x": x, "h": h, "loss": loss}
    names = order.split()
    twins = dict(zip(names, duplicate([nodes[name] for name in names]), strict=True))
    twin = twins["x"]
    assert (type(twin), twin is x, type(twins["h"])) == (kind, False, Value)
    before = twin.grad
    assert before == (0.0 if kind is Constructed else 0.5)
    twins["loss"].backward()
    assert (twin.grad - before, twins["h"].grad, x.grad) == (4 * 27 + 2.0, 18.0, 0.5)
    if kind is Weight:
        assert (twin.about, twin.name) == (["a"], "w")
        assert twin.about is not x.about
    if kind is Slotted:
        assert (twin.tag, twin.secret(), hasattr(twin, "empty")) == ("t", [3.0], False)
    if kind is Extended:
        assert (vars(twin), twin.has_grad) == ({"kept": "kept", "tanh": 1.0}, True)
    if kind is Chosen:
        assert vars(twin) == {"kept": [1.0], "read": True}
    if kind is Constructed:
        assert twin.log == ["constructed"] * 2


class Copying(Value):
    copies = 0

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = type(self)(self.data)
        twin.copies = self.copies + 1
        return twin


def test_deepcopy_of_a_subclass_that_defines_it():
    x = Copying(3.0)
    y = x * x
    for nodes in ([x, y], [y, x]):
        twins = copy.deepcopy(nodes)
        twins[nodes.index(y)].backward()
        twin = twins[nodes.index(x)]
        assert (twin.grad, twin.copies) == (6.0, 1)


@ways
def test_attributes_of_subclasses_may_refer_to_the_graph(duplicate):
    x, z = Plain(3.0), Plain(1.0)
    y = x * z
    x.me, x.product, z.other = x, y, x
    for root in (x, y, z):
        twin = duplicate(root)
        new_x = {id(x): twin, id(z): getattr(twin, "other", None)}.get(id(root)) or twin.args[0]
        new_y = new_x.product
        new_z = new_y.args[1]
        assert new_x.me is new_y.args[0] is new_z.other is new_x
        new_y.backward()
        assert (new_x.grad, new_z.grad, x.grad, z.grad) == (1.0, 3.0, 0.0, 0.0)


@ways
def test_a_deep_chain_over_leaves_of_subclasses(duplicate):
    for kind in (Plain, Constructed):
        x = kind(1.0)
        nodes = [x]
        for _ in range(1_500):
            nodes.append(nodes[-1] + x)
        twins = duplicate(nodes)
        twins[-1].backward()
        assert twins[0].grad == 1_501.0


def test_shallow_copies_of_subclasses():
    for kind in (Plain, Weight, Slotted, Chosen, Extended, Constructed):
        x = leaf(kind)
        y = x * x
        twin = copy.copy(x)
        assert (type(twin), twin is x, twin.data) == (kind, False, 3.0)
        y.backward()
        assert twin.grad == 0.0
        if kind is Weight:
            assert twin.about is x.about
        if kind is Slotted:
            assert twin.secret() is x.secret()


class Model(nn.Module):
    def __init__(self):
        self.w, self.b = Weight(3.0, about="slope"), [Plain(1.0)]
        self.tied = self.w

    def __call__(self, x):
        return self.w * x + self.b[0]


@ways
def test_modules_whose_leaves_are_of_subclasses(duplicate):
    model = Model()
    model.freeze("b.*")
    loss = model(2.0) * model.w
    twin, new_loss = duplicate((model, loss))
    assert twin.tied is twin.w
    assert (twin.w.about, type(twin.b[0])) == ("slope", Plain)
    assert twin.parameters() == [twin.w]
    new_loss.backward()
    assert (twin.w.grad, twin.b[0].grad, model.w.grad) == (2 * 2 * 3.0 + 1.0, 3.0, 0.0)


class Marked(Value):
    """A subclass whose state has all that a Value has, marks too."""

    def __getstate__(self):
        return {name: getattr(self, name) for name in ("_data", "_grad", "_has_grad", "_mark", "_name")}

    def __setstate__(self, state):
        for name, part in state.items():
            setattr(self, name, part)


@ways
def test_marks_of_another_process_hide_no_node(duplicate):
    """A node whose mark is larger than the next one would count as visited, and get no gradient."""
    for node in (Marked(3.0), Plain(3.0)):
        node._mark = 2**50
        y, twin = duplicate((Value(2.0) * 3.0, node))
        square = twin * twin
        square.backward()
        assert twin.grad == 6.0
        assert y.data == 6.0
