"""`where` with functions: only what is chosen is computed, or, in a recording, may be outside its domain."""

import copy
import inspect
import math
import pickle

import numpy as np
import pytest
from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp import Value

BACKENDS = ["python", pytest.param("native", marks=needs_llvm)]


def root(x):
    """sqrt(x) for x > 0, else 2x, which is outside the domain of the root."""
    return mb.where(mb.step(x), lambda: mb.sqrt(x), lambda: 2.0 * x)


def nested(x):
    inner = lambda: mb.where(mb.less(x, 4.0), lambda: mb.log(x), lambda: x * x)  # noqa: E731
    return mb.where(mb.step(x), inner, 3.0)


def bounded(x):
    """asin(x) between its bounds, ±π/2 outside, where it has no value."""
    return mb.where(mb.less(mb.abs(x), 1.0), lambda: mb.asin(x), lambda: mb.sign(x) * (math.pi / 2))


POINTS = [  # function, x, value, first and second derivative by hand
    (root, 4.0, 2.0, 0.25, -1 / 32),
    (root, -4.0, -8.0, 2.0, 0.0),
    (root, 0.0, 0.0, 2.0, 0.0),
    (nested, 2.0, math.log(2.0), 0.5, -0.25),
    (nested, 5.0, 25.0, 10.0, 2.0),
    (nested, -1.0, 3.0, 0.0, 0.0),
    (nested, 0.0, 3.0, 0.0, 0.0),
    (bounded, 0.6, math.asin(0.6), 1.25, 0.6 / 0.64**1.5),
    (bounded, 2.0, math.pi / 2, 0.0, 0.0),
    (bounded, -1.0, -math.pi / 2, 0.0, 0.0),
]
each_point = pytest.mark.parametrize(("f", "x", "value", "slope", "second"), POINTS)


@each_point
def test_every_mode(f, x, value, slope, second):
    leaf = Value(x)
    out = f(leaf)
    assert isinstance(out, Value)
    out.backward()
    assert (out.data, leaf.grad) == pytest.approx((value, slope))
    created = out.backward(create_graph=True).get(leaf, Value(0.0))
    assert created.data == pytest.approx(slope)
    assert f(x) == pytest.approx(value)
    near = pytest.approx(second)
    assert mb.grad(f)(x) == pytest.approx(slope)
    assert mb.derivative(f)(x) == pytest.approx(slope)
    assert mb.grad(mb.grad(f))(x) == near
    assert mb.derivative(f, 2)(x) == near
    assert mb.derivative(mb.grad(f))(x) == near
    assert mb.grad(mb.derivative(f))(x) == near
    assert mb.hessian(f)(x)[0][0] == near
    assert mb.taylor(f, x, 2) == pytest.approx([value, slope, second / 2])


@each_point
@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled(f, x, value, slope, second, backend):
    c = mb.compile(f, backend=backend)
    c(1.0)  # recorded elsewhere
    assert c(x) == pytest.approx(value)
    assert c.value_and_grad(x) == pytest.approx((value, slope))
    assert c.jvp(x, 1.0) == pytest.approx((value, slope))
    assert c.hvp(x, 1.0) == pytest.approx(second)
    assert c.hessian(x)[0][0] == pytest.approx(second)
    values, slopes = c.batched(np.full(9, x))
    assert values == pytest.approx(value)
    assert slopes == pytest.approx(slope)
    assert mb.compile(mb.grad(f), backend=backend)(x) == pytest.approx(slope)
    assert mb.compile(mb.derivative(f), backend=backend)(x) == pytest.approx(slope)


def test_what_is_not_chosen_is_not_called():
    called = []

    def branch(name, value):
        return lambda: called.append(name) or value

    x = Value(2.0)
    assert mb.where(x, branch("x", 1.0), branch("y", 2.0)).data == 1.0
    assert mb.where(x > 3, branch("x", 1.0), branch("y", 2.0)) == 2.0
    assert mb.where(condition=0, x=branch("x", x), y=branch("y", x)) is x
    assert mb.step(x).where(branch("x", x), y=0.0).data == 2.0
    assert mb.where(math.nan, branch("x", 1.0), branch("y", 2.0)) == mb.where(math.nan, 1.0, 2.0)
    assert mb.where(np.bool_(False), branch("x", 1.0), branch("y", 2.0)) == 2.0
    assert called == ["x", "y", "y", "x", "x", "y"]


def test_the_bare_form_raises_where_the_other_does_not():
    x = Value(-1.0)
    with pytest.raises(mb.DomainError):
        mb.where(x > 0, mb.sqrt(x), 0.0)
    assert mb.where(x > 0, lambda: mb.sqrt(x), 0.0) == 0.0
    assert mb.where(mb.step(x), lambda: 1.0 / (x + 1.0), x).data == -1.0
    with pytest.raises(mb.DomainError):
        mb.where(x < 0, lambda: mb.sqrt(x), 0.0)


def test_the_result_is_of_the_kind_of_its_parts():
    x = Value(2.0)
    assert isinstance(mb.where(x, lambda: 1, lambda: x), Value)
    assert isinstance(mb.where(False, x, lambda: 1), Value)
    assert isinstance(mb.where(True, lambda: 1, x), Value)
    assert type(mb.where(True, lambda: 1, lambda: 2)) is float
    assert mb.where(True, lambda: x * x, lambda: 0.0).op is mb.mul  # as by `if`


def test_parameters_choose_when_the_program_runs():
    w = Value(-2.0)
    c = mb.compile(lambda x: x * mb.where(mb.step(w), lambda: mb.log(w), lambda: 1.0 / (w - 2.0)))
    for number, factor, slope in ((-2.0, -0.25, -0.0625), (math.e, 1.0, 1 / math.e), (2.0, math.log(2.0), 0.5)):
        w.data, w.grad = number, 0.0
        assert c(3.0) == pytest.approx(3.0 * factor)
        assert c.backward(3.0) == pytest.approx(3.0 * factor)
        assert w.grad == pytest.approx(3.0 * slope)


def test_a_recording_raises_no_domain_error_and_the_thread_does_afterwards():
    w = Value(-1.0)
    assert math.isnan(mb.compile(lambda x: x * mb.sqrt(w))(1.0))
    with pytest.raises(mb.DomainError):
        mb.sqrt(w)


@needs_llvm
@pytest.mark.parametrize("batch", ["full", 3])
def test_training(batch):
    class Root(mb.nn.Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            z = x[0] * self.w
            return mb.where(mb.step(z), lambda: mb.sqrt(z), lambda: z)

    found = []
    for compiled in (False, True):
        model = Root()
        x = [[k / 3] for k in range(-5, 5)]
        history = mb.fit(model, x, [1.0] * 10, epochs=5, batch=batch, compiled=compiled, progress=False)
        found.append([model.w.data, *history.cost])
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_mistakes():
    x = Value(1.0)
    with pytest.raises(TypeError, match="argument"):
        mb.where(x, lambda t: t, 0.0)
    with pytest.raises(TypeError, match="return statement"):
        mb.where(x, lambda: None, 0.0)
    with pytest.raises(TypeError, match="takes 3 arguments, 2 given"):
        mb.where(x, lambda: x)
    with pytest.raises(TypeError, match="real number"):
        mb.where(lambda: x, 1.0, lambda: x)


def test_it_is_an_operation_as_the_others():
    assert copy.deepcopy(mb.where) is pickle.loads(pickle.dumps(mb.where)) is mb.OPS["where"] is mb.where
    assert isinstance(mb.where, mb.Op)
    assert "functions without arguments" in mb.where.__doc__
    assert list(inspect.signature(mb.where).parameters) == ["condition", "x", "y"]
    assert mb.check_gradient(root, 4.0)
    assert mb.check_gradient(root, -4.0)
