"""Recorded functions: what the tape gives is what the engine gives, pass by pass and backend by backend."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import fixed
from recorded import BACKENDS, Named, bits, of_row, raw

import micrograd_bp as mb
from micrograd_bp import Value, ops
from micrograd_bp.compiler import arrays, native, numpy_, passes
from micrograd_bp.compiler.c import to_c
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.errors import ShapeError, TraceError
from micrograd_bp.nn import MLP
from micrograd_bp.op import OPS, Op
from micrograd_bp.strategies import expressions
from micrograd_bp.tape import Tape, append_gradient

ROWS = list(OPS.values())


@given(expressions())
def test_value_and_gradient_are_those_of_the_engine(expression):
    leaves = [Value(x) for x in expression.point]
    root = expression(*leaves)
    if not isinstance(root, Value):
        return
    root.backward()
    value, *gradient = Replay(raw(expression))(expression.point)
    assert bits([value]) == bits([root.data])
    for ours, leaf in zip(gradient, leaves, strict=True):
        size = max(abs(leaf.grad), sum(abs(c) for c in contributions(root, leaf)))
        assert ours == pytest.approx(leaf.grad, rel=1e-9, abs=1e-12 * size, nan_ok=True)


def contributions(root, leaf):
    """What is added up in the leaf's gradient: sums may be taken in another order."""
    order = mb.topological_order(root)
    adjoints = dict(zip(order, mb.adjoints(root, order), strict=True))
    for node in order:
        for arg, local in zip(node.args, node.local_grads, strict=True):
            if arg is leaf and local is not None and math.isfinite(adjoints[node] * local):
                yield adjoints[node] * local


@pytest.mark.parametrize(
    "step", [passes.fold_constants, passes.simplify, passes.eliminate_common, passes.eliminate_dead]
)
@given(data=st.data())
def test_each_pass_keeps_every_bit(step, data):
    expression = data.draw(expressions())
    code = raw(expression)
    before, after = Replay(code), Replay(step(code))
    numbers = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324])
    for inputs in (expression.point, data.draw(st.tuples(*[numbers] * len(expression.point)))):
        assert bits(before(inputs)) == bits(after(inputs))


@given(expressions())
def test_all_passes_shorten_and_keep(expression):
    code = raw(expression)
    short, log = passes.optimise(code)
    assert log[-1][1] <= log[0][1] == passes.operations(code.tape)
    assert bits(Replay(short)(expression.point)) == bits(Replay(code)(expression.point))


def test_a_pass_that_is_wrong_is_found(monkeypatch):
    """x + 0.0 is x, but for -0.0."""
    code = raw(Named(lambda x: x + 0.0, (1.0,)), "value")
    assert passes.operations(passes.simplify(code).tape) == 1
    assert passes.operations(passes.eliminate_dead(passes.simplify_fast(code)).tape) == 0
    assert bits(Replay(code)([-0.0])) != bits(Replay(passes.simplify_fast(code))([-0.0]))


def test_identities():
    def count(f, *point, fast=False):
        return passes.optimise(raw(Named(f, point), "value"), fast)[1][-1][1]

    assert count(lambda x: x * 1.0 + -0.0, 2.0) == 0
    assert count(lambda x: x.neg().neg() / 1.0, 2.0) == 0
    assert count(lambda x: x**1.0 - 0.0, 2.0) == 0
    assert count(lambda x, y: (x * y) + (y * x), 2.0, 3.0) == 2
    assert count(lambda x: mb.where(1.0, x, x.exp()), 2.0) == 0
    assert count(lambda x: x * 0.0 + x, 2.0) == 2
    assert count(lambda x: x * 0.0 + x, 2.0, fast=True) == 0
    assert count(lambda x: (x - x) + x**2.0, 2.0, fast=True) == 1
    assert count(lambda x: mb.exp(1.0) * x, 2.0) == 1
    opposite = mb.compile(lambda x: mb.exp(3.0 * x) - mb.exp(x * -3.0))
    assert "= neg(v1)" in opposite.listing(1.0)
    assert opposite(0.3) == mb.exp(3.0 * 0.3) - mb.exp(0.3 * -3.0)


@pytest.mark.parametrize("op", ROWS, ids=str)
def test_numpy_agrees_with_the_row(op):
    points = fixed(op)
    columns = [np.array(column) for column in zip(*points, strict=True)]
    (found,) = numpy_.run(of_row(op), columns, len(points), np.empty(0))
    for ours, point in zip(found, points, strict=True):
        assert ours == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), point


@given(expressions())
def test_batches_are_the_samples(expression):
    compiled = mb.compile(expression)
    arrays = [np.array([x, x * 1.01, x]) for x in expression.point]
    if not arrays:
        return
    values, gradients = compiled.batched(*arrays)
    single, gradient = compiled.value_and_grad(*expression.point)
    gradients, gradient = ([gradients], [gradient]) if len(arrays) == 1 else (gradients, gradient)
    scale = max([abs(single), 1e-12, *[abs(g) for g in gradient if math.isfinite(g)]])
    if math.isfinite(scale) and scale < 1e12:
        last_digits = 1e-9 * scale + 1e-13  # of vector functions, which log(tanh(9.5)) lets come to the fore
        assert values[0] == pytest.approx(single, rel=1e-9, abs=last_digits, nan_ok=True)
        assert bits([values[0]]) == bits([values[2]])
        for column, g in zip(gradients, gradient, strict=True):
            assert column[0] == pytest.approx(g, rel=1e-6, abs=last_digits, nan_ok=True)


# --- the interface ----------------------------------------------------------------------------------------------------


def test_structures():
    f = mb.compile(lambda w: w["a"] * w["b"][0] + w["b"][1])
    assert f({"a": 2.0, "b": [3.0, 1.0]}) == 7.0
    assert f.value_and_grad({"a": 2.0, "b": [3.0, 1.0]}) == (7.0, {"a": 3.0, "b": [2.0, 1.0]})
    assert mb.compile(lambda x, y: [x + y, (x * y,)])(2.0, 5.0) == [7.0, (10.0,)]
    assert f({"a": 1.0, "b": [1.0, 1.0]}) == 2.0


def test_other_structures_are_recorded_anew_and_the_same_ones_are_not():
    calls = []

    def total(x):
        calls.append(len(x))
        return sum(x)

    f = mb.compile(total)
    assert [f([1.0, 2.0]), f([3.0, 4.0]), f([1.0] * 5)] == [3.0, 7.0, 5.0]
    assert calls == [2, 5]


def test_parameters_are_read_anew_and_get_gradients():
    model = MLP(2, [3, 1], "tanh", seed=2)
    f = mb.compile(lambda x, y: (model(x) - y) ** 2)
    for shift in (0.0, 0.25):
        for p in model.parameters():
            p.data += shift
        model.zero_grad()
        loss = (model([0.5, -1.0]) - 1.0) ** 2
        loss.backward()
        eager = [p.grad for p in model.parameters()]
        model.zero_grad()
        assert f.backward([0.5, -1.0], 1.0) == loss.data
        assert [p.grad for p in model.parameters()] == pytest.approx(eager, rel=1e-13)
        f.backward([0.5, -1.0], 1.0)
        assert [p.grad for p in model.parameters()] == pytest.approx([2 * g for g in eager], rel=1e-13)


def test_what_is_computed_from_parameters_alone_follows_them():
    w = Value(3.0, "w")
    f = mb.compile(lambda x: x * (w * w))
    assert f(2.0) == 18.0
    w.data = 1.0
    assert f(2.0) == 2.0
    assert f.backward(2.0) == 2.0
    assert w.grad == 4.0


def test_higher_derivatives():
    f = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))
    at = [1.5, 0.5]
    for direction in ([1.0, 0.0], [0.0, 1.0], [0.3, -2.0]):
        exact = np.array(mb.hessian(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))(at)) @ direction
        assert f.hvp((at,), (direction,)) == pytest.approx(exact.tolist(), rel=1e-13)
        value, slope = f.jvp((at,), (direction,))
        assert value == f(at)
        assert slope == pytest.approx(np.dot(mb.grad(f.f)(at), direction), rel=1e-13)


def test_batches_of_models():
    model = MLP(2, [4, 1], "relu", seed=1)
    f = mb.compile(lambda x, y: (model(x) - y) ** 2)
    X, Y = np.random.default_rng(0).normal(size=(7, 2)), np.arange(7.0)
    values, (dX, dY) = f.batched(X, Y)
    assert dX.shape == (7, 2)
    assert dY.shape == (7,)
    for x, y, value, dx, dy in zip(X.tolist(), Y.tolist(), values, dX, dY, strict=True):
        single, (gx, gy) = f.value_and_grad(x, y)
        assert value == pytest.approx(single, rel=1e-13)
        assert [*dx, dy] == pytest.approx([*gx, gy], rel=1e-13)
    summed = f.batched(X, Y, gradients="sum")[1]
    assert summed[0] == pytest.approx(dX.sum(axis=0), rel=1e-13)
    matrix = mb.compile(lambda m: m[0][0] * m[1][1])
    assert matrix.batched(np.arange(8.0).reshape(2, 2, 2))[0].tolist() == [0.0, 28.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_may_be_given_as_an_array(backend):
    model = MLP(2, [4, 1], "relu", seed=1)
    f = mb.compile(lambda x, y: (model(x) - y) ** 2, backend=backend)
    X, Y = np.random.default_rng(0).normal(size=(7, 2)), np.arange(7.0)
    parameters = f.parameters(X[0].tolist(), 0.0)
    numbers = np.array([p.data for p in parameters]) * 1.5
    before = f.batched(X, Y, gradients="parameters")
    values, slopes = f.batched(X, Y, gradients="parameters", parameters=numbers)
    assert values.tolist() != before[0].tolist()
    assert f.batched(X, Y, gradients="parameters")[1].tolist() == before[1].tolist()  # nothing was changed
    for p, x in zip(parameters, numbers.tolist(), strict=True):
        p.data = x
    after = f.batched(X, Y, gradients="parameters")
    assert (after[0].tolist(), after[1].tolist()) == (values.tolist(), slopes.tolist())
    every_other = np.repeat(numbers, 2)[::2]  # not contiguous
    assert f.batched(X, Y, parameters=every_other)[0].tolist() == values.tolist()


def test_adjoints_of_zero_pass_nothing_on():
    """sqrt at 0 has an infinite slope; what is multiplied by 0 gets no gradient, as in the engine."""
    f = mb.compile(lambda x, y: mb.sqrt(x) * y)
    assert f.value_and_grad(0.0, 0.0) == (0.0, (0.0, 0.0))
    assert f.value_and_grad(0.0, 2.0)[1][0] == math.inf
    g = mb.compile(lambda x: mb.where(x, x, mb.log(x)))
    assert g.value_and_grad(2.0) == (2.0, 1.0)


def test_listing():
    f = mb.compile(lambda x, y: x * y + x * y)
    assert f.listing(1.0, 2.0).splitlines() == [
        "x0 = input",
        "x1 = input",
        "v1 = mul(x0, x1)",
        "v2 = add(v1, v1)",
        "return v2",
    ]
    assert f.stats(1.0, 2.0).passes[0][0] == "recorded"
    assert "sigmoid" in mb.compile(lambda x: mb.sigmoid(x)).listing(0.0, gradient=True)


# --- what is refused --------------------------------------------------------------------------------------------------


def branches(x):
    if x > 0:
        return x
    return -x


@pytest.mark.parametrize(
    "f",
    [
        branches,
        lambda x: x or 1.0,
        lambda x: float(x),
        lambda x: math.exp(x),
        lambda x: max(x, 1.0),
        lambda x: 1.0 if x == 2.0 else x,
        lambda x: 1.0 if x != x * 2.0 else x,
    ],
)
def test_decisions_are_refused_and_the_line_is_shown(f):
    with pytest.raises(TraceError, match="where") as refused:
        mb.compile(f)(2.0)
    assert "test_compile.py" in str(refused.value)
    assert refused.value.line > 0
    assert refused.value.text


@pytest.mark.parametrize("result", [None, "text", object()])
def test_what_is_no_number_is_refused(result):
    with pytest.raises(TraceError):
        mb.compile(lambda x: result)(1.0)


def test_a_gradient_is_of_one_number():
    with pytest.raises(TraceError, match="one number"):
        mb.compile(lambda x: [x, x]).value_and_grad(1.0)


def test_inputs_are_plain_numbers():
    f = mb.compile(lambda x: x * x)
    with pytest.raises(TypeError, match="plain numbers"):
        f(Value(1.0))
    with pytest.raises(TypeError):
        f("1")
    with pytest.raises(TypeError, match="function"):
        mb.compile(3.0)
    with pytest.raises(ShapeError):
        f.jvp((1.0,), ([1.0],))
    with pytest.raises(ValueError, match="each"):
        f.batched(np.ones(2), gradients="mean")
    for data in ([np.float64(1.0)], [np.ones(2), np.ones(3)], [np.empty((0, 2))], []):
        with pytest.raises(ShapeError):
            mb.compile(lambda *xs: 1.0).batched(*data)


def test_a_slot_that_escapes_is_refused():
    kept = []
    mb.compile(lambda x: kept.append(x) or x * x)(1.0)
    with pytest.raises(TraceError, match="another recording"):
        mb.compile(lambda x: x * kept[0])(1.0)


def test_a_function_that_ignores_its_input_is_constant():
    f = mb.compile(lambda x: 3.0)
    assert f.value_and_grad(1.0) == (3.0, 0.0)
    assert f.batched(np.ones(3))[0].tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("form", ["{0} +", "{0} ** 2", "f({0}", "{1}", "", "x", "{0} $ 1"])
def test_native_forms_that_are_none_are_refused(form):
    op = Op("odd", lambda x: x, lambda x, out: 1.0, native=form or " ")
    with pytest.raises(ValueError, match="native form"):
        native.tree(op)


@pytest.mark.parametrize("form", ["tgamma({0})", "", "{0} > 0", "{0} ? 1"])
def test_rows_without_a_form_are_done_by_their_functions(form):
    """In NumPy number by number; no other language gets what is not C99, not even where C has such a name."""
    op = Op("gamma", math.gamma, lambda x, out: 1.0, native=form)
    assert arrays.function(op)(np.array([5.0, 6.0])).tolist() == [24.0, 120.0]
    other = arrays.Arrays("other", {}, np.where, float)
    with pytest.raises(ValueError, match="gamma"):
        arrays.function(op, other)
    with pytest.raises(ValueError, match="has no exp"):
        arrays.function(ops.exp, other)
    tape = Tape()
    code = passes.Code(tape, [tape.record(op, [tape.input()])])
    with pytest.raises(ValueError, match="gamma"):
        to_c(code, "f", "")
    assert not native.has_forms(code.tape.ops)


@pytest.mark.parametrize("backend", BACKENDS)
def test_operations_of_ones_own(backend, own_ops):
    def gamma(x):
        return math.gamma(x)

    row = mb.op(lambda x, out: out * 2.0)(gamma)
    f = mb.compile(lambda x: row(x) + x)
    assert f.value_and_grad(5.0) == (29.0, 49.0)
    assert f.batched([5.0])[0].tolist() == [29.0]
    if backend == "native":
        with pytest.raises(ValueError, match="native="):
            mb.compile(row, backend="native")(5.0)


def test_appended_gradients_leave_what_was_recorded():
    tape = Tape()
    x = tape.input("x")
    y = tape.record(ops.square, (x,))
    before = (list(tape.ops), list(tape.args))
    append_gradient(tape, y, [x])
    assert (tape.ops[:2], tape.args[:2]) == before
