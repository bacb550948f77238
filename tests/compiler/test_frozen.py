"""A recording keeps nothing that may change: neither the number of a Value nor a random number."""

import copy
import os
import pickle
import random
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp import TraceError, Value
from micrograd_bp.nn import MLP, Module
from micrograd_bp.training import History

HERE = Path(__file__).name
w = Value(1.0, name="w")
shared = random.Random(3)
held = SimpleNamespace(rng=np.random.default_rng(5))

READS = {
    "branch": lambda x: x * w if w > 0 else -x * w,
    "branch alone": lambda x: x if w > 0 else -x,
    "up to": lambda x: x if w <= 1.0 else -x,
    "two Values": lambda x: x if w < w + 1.0 else -x,
    "truth": lambda x: (w and x) or 1.0,
    "not": lambda x: x * (not w),
    "of a sum": lambda x: x * w if w * 2.0 + 1.0 >= 1.0 else x,
    "equal to a number": lambda x: x if w == 1.0 else 1.0,
    "maximum of Python": lambda x: x * max(w, 0.0),
    "sorted": lambda x: x * sorted([w, w * 2.0, w * 3.0])[1],
    "data": lambda x: x * w.data,
    "data of a sum": lambda x: x * (w * w + 1.0).data,
    "gradient": lambda x: x * w.grad,
    "whether there is a gradient": lambda x: x if w.has_grad else 2.0 * x,
    "local derivative": lambda x: x * (w * w).local_grads[0],
    "adjoint": lambda x: x * mb.adjoints(w * w, [w])[0],
    "float": lambda x: x * float(w),
    "int": lambda x: x * int(w),
    "bool": lambda x: x * bool(w),
    "text": lambda x: x * float(f"{w:.3f}"),
    "detached": lambda x: x * w.detach(),
    "copied": lambda x: x * copy.deepcopy(w),
    "pickled": lambda x: x * pickle.loads(pickle.dumps(w)),
    "compiled": lambda x: x * mb.compile(lambda y: y * w).value_and_grad(2.0)[0],
    "compiled in Python": lambda x: x * mb.compile(lambda y: y * w, backend="python").value_and_grad(2.0)[0],
    "NumPy": lambda x: x * np.maximum(np.array([w], dtype=object), 0.0)[0],
}


def drawn_once_per_call(x):
    y = x * x
    keep = shared.random() < 0.5
    return y if keep else y * 0.0


def with_default(x, rng=np.random.default_rng(1)):  # noqa: B008
    return x * rng.normal()


DRAWS = {
    "random": lambda x: x * random.random(),
    "random, a method in Python": lambda x: x * random.gauss(0.0, 1.0),
    "random, a decision": lambda x: x if random.random() < 0.5 else -x,
    "shuffled": lambda x: random.sample([x, 2.0 * x], 2)[0],
    "NumPy": lambda x: x * np.random.normal(),  # noqa: NPY002
    "NumPy, several": lambda x: sum(x * r for r in np.random.rand(3)),  # noqa: NPY002
    "a global Random": drawn_once_per_call,
    "an attribute of a global": lambda x: x * held.rng.random(),
    "a default": with_default,
    "a partial": partial(lambda rng, x: x * rng.random(), random.Random(2)),
    "of C": lambda x: x * next(map(shared.uniform, [0.0], [1.0])),
    "a network without a seed": lambda x: MLP(1, [1])([x]),
    "through another function": lambda x: drawn_once_per_call(x) + 1.0,
}

PATHS = {
    "call": lambda f: f(2.0),
    "value_and_grad": lambda f: f.value_and_grad(2.0),
    "backward": lambda f: f.backward(2.0),
    "jvp": lambda f: f.jvp(2.0, 1.0),
    "hvp": lambda f: f.hvp(2.0, 1.0),
    "hessian": lambda f: f.hessian(2.0),
    "batched": lambda f: f.batched([2.0, 3.0]),
    "parameters": lambda f: f.parameters(2.0),
    "C": lambda f: f.to_c(2.0),
}


def refused(f, path="call"):
    with pytest.raises(TraceError) as caught:
        PATHS[path](mb.compile(f))
    return caught.value


@pytest.mark.parametrize("f", READS.values(), ids=READS.keys())
def test_reading_a_value_is_refused(f):
    error = refused(f)
    assert error.text.split(": ")[0].strip('"') in READS, error.text  # the line is that of the function
    assert HERE in str(error)
    assert "number of a Value" in str(error)
    assert w.data == 1.0  # and outside a recording it may be read as ever


@pytest.mark.parametrize("f", DRAWS.values(), ids=DRAWS.keys())
def test_a_random_number_is_refused(f):
    error = refused(f)
    assert HERE in str(error)
    assert "random number" in str(error)
    code = getattr(f, "func", f).__code__
    if f is not DRAWS["through another function"] and f is not drawn_once_per_call:
        assert code.co_firstlineno <= error.line <= code.co_firstlineno + 1
    else:
        assert error.text == "keep = shared.random() < 0.5"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("f", [READS["branch"], READS["data"], DRAWS["random"], drawn_once_per_call])
def test_in_every_path(f, path):
    assert refused(f, path).line > 0


def test_what_is_the_same_at_each_call_is_recorded():
    made = []

    def seeded(x):
        return x * random.Random(7).random() + np.random.default_rng(7).random()

    def drawn_at_first(x):
        if not made:
            made.append(shared.random())
        return x * made[0]

    system = random.SystemRandom()  # it has no state, so that a draw cannot be seen
    assert mb.compile(lambda x: x * (system is not None))(2.0) == 2.0
    assert mb.compile(seeded)(2.0) == seeded(2.0)
    assert mb.compile(drawn_at_first)(2.0) == 2.0 * made[0]
    table = {w: 3.0}
    assert mb.compile(lambda x: x * table[w] if w in table and w == w and w is not None else x)(2.0) == 6.0
    assert mb.compile(lambda x: x * (w * w + 1.0) * mb.maximum(w, 0.0))(2.0) == 4.0


def test_derivatives_at_constants_are_recorded():
    """A boundary condition: the derivative of a network at a fixed point depends on the parameters only."""
    v = Value(3.0)
    slope = mb.compile(lambda x: x * mb.derivative(lambda t: v * t * t)(2.0) + mb.grad(lambda t: mb.exp(v * t))(0.0))
    assert slope(2.0) == 27.0
    v.data = 5.0
    assert slope(2.0) == 45.0
    assert mb.compile(lambda x: x * mb.grad(mb.relu)(2.0))(3.0) == 3.0


OF_RELU = {
    "derivative": lambda v: mb.derivative(lambda t: mb.relu(v * t))(2.0),
    "grad": lambda v: mb.grad(lambda t: mb.relu(v * t))(2.0),
    "grad of grad": lambda v: mb.grad(mb.grad(lambda t: mb.relu(v * t) * t * t))(2.0),
    "derivative of grad": lambda v: mb.derivative(mb.grad(lambda t: mb.relu(v * t) * t * t))(2.0),
    "grad of derivative": lambda v: mb.grad(mb.derivative(lambda t: mb.relu(v * t) * t * t))(2.0),
    "taylor": lambda v: mb.taylor(lambda t: mb.relu(v * t) * t * t, 2.0, 2)[2],
    "hessian": lambda v: mb.hessian(lambda t: mb.relu(v * t) * t * t)(2.0)[0][0],
    "gradients": lambda v: mb.gradients(v * v * mb.relu(v), [v])[0],
    "create_graph": lambda v: (mb.relu(v) * v).backward(create_graph=True)[v],
    "0 · inf": lambda v: mb.derivative(lambda t: mb.relu(v) * mb.cbrt(t) + mb.relu(v * mb.sqrt(t)))(0.0),
}


@pytest.mark.parametrize("f", OF_RELU.values(), ids=OF_RELU.keys())
@pytest.mark.parametrize(("first", "then"), [(3.0, -1.0), (-1.0, 3.0), (0.0, 2.0)])
def test_what_an_operation_selects_is_decided_when_the_program_runs(f, first, then):
    v = Value(first)
    c = mb.compile(lambda x: x * f(v))
    for number in (first, then):
        v.data = number
        expected = f(Value(number))
        expected = 2.0 * (expected.data if isinstance(expected, Value) else expected)
        assert c(2.0) == pytest.approx(expected, nan_ok=True)


def test_a_compiled_function_in_another_is_recorded_with_its_parameters():
    v = Value(3.0)
    inner = mb.compile(lambda y: y * v)
    outer = mb.compile(lambda x: x * inner(2.0))
    assert outer(1.0) == 6.0
    v.data = 5.0
    assert outer(1.0) == 10.0
    assert inner(2.0) == 10.0


def test_a_recording_that_fails_leaves_nothing_behind():
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        mb.compile(fails)(1.0)
    assert w.data == 1.0
    assert w > 0
    refused(READS["branch"])
    assert w > 0


def test_other_threads_read_meanwhile():
    during, read = threading.Event(), threading.Event()

    def waits(x):
        during.set()
        assert read.wait(10.0)
        return x * w

    c = mb.compile(waits)
    thread = threading.Thread(target=c, args=(2.0,))
    thread.start()
    assert during.wait(10.0)
    try:
        assert w > 0
        assert w.data == 1.0
        assert mb.compile(lambda x: x * w)(3.0) == 3.0
        assert w.grad == 0.0
    finally:
        read.set()
        thread.join()
    assert c(2.0) == 2.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_within_a_recording():
    def forks(x):
        child = os.fork()
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        return x * w

    assert mb.compile(forks)(2.0) == 2.0
    assert w > 0


def test_a_draw_of_another_thread_is_not_taken_for_the_functions():
    def disturbed(x):
        if not calls:
            thread = threading.Thread(target=random.random)
            thread.start()
            thread.join()
        calls.append(x)
        return x * w

    calls = []
    assert mb.compile(disturbed)(2.0) == 2.0
    assert len(calls) == 2  # again, to see whether it draws


def test_a_thread_that_draws_all_the_time():
    stop = threading.Event()

    def draws():
        while not stop.is_set():
            random.random()

    thread = threading.Thread(target=draws)
    thread.start()
    try:
        assert [mb.compile(lambda x: x * w, backend="python")(2.0) for _ in range(20)] == [2.0] * 20
    finally:
        stop.set()
        thread.join()


def test_a_function_runs_once_where_nothing_is_drawn():
    calls = []
    mb.compile(lambda x: calls.append(x) or x * w)(2.0)
    assert len(calls) == 1


# --- training ---------------------------------------------------------------------------------------------------------

X = [[x / 4] for x in range(-8, 8)]
Y = [2 * x[0] + 1 for x in X]


class Net(Module):
    def __init__(self):
        self.w, self.b = Value(0.2), Value(0.1)


class Deciding(Net):
    def __call__(self, x):
        return x[0] * self.w + self.b if self.w > 0.5 else x[0] * self.w


class Mask(Module):
    def __init__(self):
        self._rng = random.Random(1)

    def __call__(self, x):
        return x * (self._rng.random() > 0.1)


class Dropout(Net):
    def __init__(self):
        super().__init__()
        self.layers = [MLP(20, [20], seed=0), {"mask": Mask()}]
        self.layers[0].freeze()

    def __call__(self, x):
        return self.layers[1]["mask"](x[0] * self.w) + self.b


class NumPyDropout(Net):
    def __call__(self, x):
        mask = np.random.binomial(1, 0.5, size=2)  # noqa: NPY002
        return x[0] * self.w * mask[0] + self.b * mask[1]


class Scaled(Net):
    def __call__(self, x):
        return x[0] * self.w + self.b.data


@needs_llvm
@pytest.mark.parametrize("batch", ["full", 4, 1])
@pytest.mark.parametrize("kind", [Deciding, Dropout, NumPyDropout, Scaled])
def test_fit_refuses_and_changes_nothing(kind, batch):
    model, history = kind(), History()
    with pytest.raises(TraceError) as caught:
        mb.fit(model, X, Y, batch=batch, epochs=3, compiled=True, progress=False, resume=history)
    assert HERE in str(caught.value)
    assert caught.value.text.startswith(("return x * (self", "return x[0] * self.w", "mask ="))
    assert (model.w.data, model.b.data) == (0.2, 0.1)
    assert history.cost == []


@needs_llvm
@pytest.mark.parametrize("batch", ["full", 4])
def test_a_loss_that_decides_by_a_parameter_is_refused(batch):
    model = MLP(1, [1], seed=0)
    weight = model.parameters()[0]
    loss = lambda out, y: mb.square(out - y) + (weight if weight > 0 else -weight)  # noqa: E731
    with pytest.raises(TraceError, match="where"):
        mb.fit(model, X, Y, loss=loss, batch=batch, epochs=3, compiled=True, progress=False)


@needs_llvm
@pytest.mark.parametrize("batch", ["full", 4])
def test_a_choice_by_where_trains_as_without_compiling(batch):
    class Choosing(Net):
        def __call__(self, x):
            return x[0] * self.w + mb.where(mb.less(0.5, self.w), self.b, 0.0)

    found = []
    for compiled in (False, True):
        model = Choosing()
        mb.fit(model, X, Y, batch=batch, epochs=20, compiled=compiled, progress=False)
        found.append(list(model.state_dict().values()))
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0][0] > 0.5  # the choice has changed on the way
