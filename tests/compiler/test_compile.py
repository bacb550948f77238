"""Recorded functions: what the tape gives is what the engine gives, pass by pass and backend by backend."""

import copy
import gc
import math
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from points import fixed
from recorded import BACKENDS, bits, of_row

import micrograd_bp as mb
from micrograd_bp import Value, ops
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.check.strategies import expressions
from micrograd_bp.compiler import Compiled, array_libraries, c_expressions, numpy_batches, passes
from micrograd_bp.compiler.c_source import to_c
from micrograd_bp.errors import MissingExtraError, ShapeError, TraceError
from micrograd_bp.nn import MLP
from micrograd_bp.ops.op import OPS, Op

ROWS = list(OPS.values())


@pytest.mark.parametrize("op", ROWS, ids=str)
def test_numpy_agrees_with_the_row(op):
    points = fixed(op)
    columns = [np.array(column) for column in zip(*points, strict=True)]
    (found,) = numpy_batches.run(of_row(op), columns, len(points), np.empty(0))
    for ours, point in zip(found, points, strict=True):
        assert ours == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), point


@pytest.mark.slow
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
        f.value_and_grad(Value(1.0))
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
    with pytest.raises(TraceError, match="outside its recording"):
        mb.compile(lambda x: x * kept[0])(1.0)


def test_a_function_that_ignores_its_input_is_constant():
    f = mb.compile(lambda x: 3.0)
    assert f.value_and_grad(1.0) == (3.0, 0.0)
    assert f.batched(np.ones(3))[0].tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("form", ["{0} +", "{0} ** 2", "f({0}", "{1}", "", "x", "{0} $ 1"])
def test_native_forms_that_are_none_are_refused(form):
    op = Op("odd", lambda x: x, lambda x, out: 1.0, native=form or " ")
    with pytest.raises(ValueError, match="C99 form"):
        c_expressions.tree(op)


@pytest.mark.parametrize("form", ["tgamma({0})", "", "{0} > 0", "{0} ? 1"])
def test_rows_without_a_form_are_done_by_their_functions(form):
    """In NumPy number by number; no other language gets what is not C99, not even where C has such a name."""
    op = Op("gamma", math.gamma, lambda x, out: 1.0, native=form)
    assert array_libraries.function(op)(np.array([5.0, 6.0])).tolist() == [24.0, 120.0]
    other = array_libraries.Arrays("other", {}, np.where, float)
    with pytest.raises(ValueError, match="gamma"):
        array_libraries.function(op, other)
    with pytest.raises(ValueError, match="has no exp"):
        array_libraries.function(ops.exp, other)
    tape = Tape()
    code = passes.Code(tape, [tape.record(op, [tape.input()])])
    with pytest.raises(ValueError, match="gamma"):
        to_c(code, "f", "")
    assert not c_expressions.has_forms(code.tape.ops)


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


# --- how it is used, and by many threads ------------------------------------------------------------------------------


def test_without_the_libraries(monkeypatch):
    for module, method in {"jax": "to_jax", "torch": "to_torch"}.items():
        for name in (module, f"{module}.numpy", "jax.scipy"):
            monkeypatch.setitem(sys.modules, name, None)
        array_libraries.jax_arrays.cache_clear()
        array_libraries.torch_arrays.cache_clear()
        with pytest.raises(MissingExtraError, match=module):
            getattr(mb.compile(lambda x: x, backend="python"), method)(1.0)


def test_it_decorates_and_prints():
    @mb.compile
    def area(r):
        """The area of a circle."""
        return r * r * 3.14

    @mb.compile(fast_math=True, backend="python")
    def shifted(x):
        return x + 0.0

    assert (area.__name__, area.__doc__) == ("area", "The area of a circle.")
    assert "nothing is recorded" in str(area)
    assert area(2.0) == pytest.approx(12.56)
    assert "v1 = mul(x, x)" in str(area)
    assert shifted(-1.0) == -1.0
    assert shifted.listing(1.0) == "x = input\nreturn x"


def test_a_hessian_is_the_engines():
    f = lambda x, y: mb.tanh(x[0] * y) + x[1] ** 3 * y  # noqa: E731
    assert np.array(mb.compile(f).hessian([0.5, 2.0], 1.5)) == pytest.approx(np.array(mb.hessian(f)([0.5, 2.0], 1.5)))


def test_it_is_part_of_another_recording_and_is_copied():
    inner = mb.compile(lambda x, y: x * y)
    outer = mb.compile(lambda x: inner(x, 3.0) + x)
    assert outer.value_and_grad(2.0) == (8.0, 4.0)
    assert copy.deepcopy(outer).value_and_grad(2.0) == (8.0, 4.0)


def test_it_is_drawn():
    model = MLP(2, [2, 1], "sigmoid", seed=0)
    picture = mb.compile(lambda x: model(x)).draw([0.5, 1.0])
    assert "w1_11" in picture.dot
    assert "sigmoid" in picture.dot or "σ" in picture.dot


def test_stats_tell_what_compiling_took():
    f = mb.compile(lambda x: mb.exp(x) * 2.0 * 3.0 + mb.exp(x))
    passes, size, seconds = f.stats(1.0)
    assert passes[0] == ("recorded", passes[0][1])
    assert passes[-1][1] < passes[0][1]
    assert seconds > 0
    assert size >= 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda f: f.batched([[1.0, 2.0]], [1.0], threads=0), ValueError),
        (lambda f: f.batched([[1.0, 2.0]], [1.0], threads=True), ValueError),
        (lambda f: f.batched([[1.0, 2.0]], [1.0], gradients="all"), ValueError),
        (lambda f: f.batched([[1.0, 2.0]], [1.0, 2.0]), ShapeError),
        (lambda f: f.batched([["a", "b"]], [1.0]), TypeError),
        (lambda f: f.batched([[None, 1.0]], [1.0]), TypeError),
        (lambda f: f.batched([[1.0, 2.0]], [1.0], parameters=[1.0]), ShapeError),
        (lambda f: f.batched([[1.0, 2.0]], [1.0], parameters=["a"] * 17), TypeError),
        (lambda f: f.value_and_grad([1.0], 2.0), IndexError),
        (lambda f: f.value_and_grad(np.zeros((2, 2)), 2.0), TypeError),
        (lambda f: f.value_and_grad([mb.Value(1.0), 2.0], 2.0), TypeError),
        (lambda f: f.value_and_grad(["1", 2.0], 2.0), TypeError),
        (lambda f: f.value_and_grad([1.0, 2.0]), TypeError),
        (lambda f: f.jvp(([1.0, 2.0], 1.0), ([1.0], 1.0)), ShapeError),
    ],
)
def test_bad_input_is_refused_and_nothing_breaks(call, error):
    f = mb.compile(lambda x, y: (x[0] * y + x[1]) * 1.0)
    good = f.value_and_grad([1.0, 2.0], 3.0)
    with pytest.raises(error):
        call(f)
    assert f.value_and_grad([1.0, 2.0], 3.0) == good == (5.0, ([3.0, 1.0], 1.0))


def test_arrays_of_any_layout_and_kind():
    f = mb.compile(lambda w, s: w[0] * w[1] * s)
    for kind in (np.float64, np.float32, np.int64):
        w = np.arange(1, 13, dtype=kind).reshape(6, 2)
        expected = [f.value_and_grad([float(a), float(b)], 2.0) for a, b in w]
        for k, row in enumerate(w):
            value, (dw, ds) = f.value_and_grad(row, 2.0)
            assert (value, list(dw), float(ds)) == (expected[k][0], expected[k][1][0], expected[k][1][1])
        strided = np.zeros((6, 4), dtype=kind)[:, ::2]
        strided[:] = w
        values, (dw, _) = f.batched(strided, np.full(6, 2.0))
        assert values.tolist() == [value for value, _ in expected]
        assert dw.tolist() == [slopes[0] for _, slopes in expected]
        assert f.batched(np.asfortranarray(w)[::-1], np.full(6, 2.0))[0].tolist() == values[::-1].tolist()
    value, (dw, _) = f.value_and_grad(np.asfortranarray(np.arange(4.0).reshape(2, 2))[:, 1], 1.0)
    assert (value, dw.tolist()) == (3.0, [3.0, 1.0])


def test_lists_tuples_and_arrays_are_different_structures():
    f = mb.compile(lambda w: w[0] * w[1])
    for _ in range(2):
        assert f.value_and_grad([2.0, 3.0]) == (6.0, [3.0, 2.0])
        assert f.value_and_grad((2.0, 3.0)) == (6.0, (3.0, 2.0))
        assert f.value_and_grad({0: 2.0, 1: 3.0}) == (6.0, {0: 3.0, 1: 2.0})
        found = f.value_and_grad(np.array([2.0, 3.0]))[1]
        assert isinstance(found, np.ndarray)
        assert found.tolist() == [3.0, 2.0]
    assert isinstance(f.value_and_grad(np.array([2, 3]))[1], np.ndarray)
    dot = mb.compile(lambda m, v: (m @ v).sum())
    assert dot(np.eye(2), np.array([2.0, 3.0])) == 5.0


def test_results_are_not_overwritten_by_later_calls():
    f = mb.compile(lambda w: w[0] * w[1])
    first = f.value_and_grad(np.array([2.0, 3.0]))[1]
    again = f.value_and_grad(np.array([4.0, 5.0]))[1]
    third = f.value_and_grad(np.array([6.0, 7.0]))[1]
    assert [list(first), list(again), list(third)] == [[3.0, 2.0], [5.0, 4.0], [7.0, 6.0]]


def test_threads_do_not_disturb_each_other():
    from concurrent.futures import ThreadPoolExecutor

    f = mb.compile(lambda w: w[0] * w[1])
    f.value_and_grad(np.array([1.0, 1.0]))
    points = [np.array([float(k), k + 1.0]) for k in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(f.value_and_grad, points))
    assert all((value, list(g)) == (a * b, [b, a]) for (value, g), (a, b) in zip(found, points, strict=True))


def test_first_calls_by_many_threads():
    for _ in range(5):
        f = mb.compile(lambda x: sum((mb.tanh(x + i) for i in range(20)), 0.0))
        found = []

        def many(f=f, found=found):
            found.extend([f.value_and_grad(0.5) for _ in range(200)])

        threads = [threading.Thread(target=many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 800
        assert len(set(found)) == 1


def test_keyword_arguments_are_told_apart_to_the_bit():
    f = mb.compile(lambda x, c=0.0: mb.div(x, c))
    assert (f(1.0, c=0.0), f(1.0, c=-0.0)) == (math.inf, -math.inf)
    assert (f(1.0, c=np.float32(0.0)), f(1.0, c=np.float32(-0.0))) == (math.inf, -math.inf)
    g = mb.compile(lambda x, n=1: x * 2 if n is True else x)
    assert (g(1.0, n=True), g(1.0, n=1), g(1.0, n=(1,)), g(1.0, n=(True,))) == (2.0, 1.0, 1.0, 1.0)
    assert len(g._recordings) == 4
    with pytest.raises(TypeError, match="hashable"):
        g(1.0, n=[])


class Spring:
    def __init__(self, stiffness):
        self.stiffness = stiffness

    @mb.compile
    def energy(self, x):
        return self.stiffness * x * x

    @mb.compile(fast_math=True)
    def force(self, x, n=1):
        return -self.stiffness * x * n


def test_methods():
    soft, hard = Spring(2.0), Spring(3.0)
    assert (soft.energy(2.0), hard.energy(2.0)) == (8.0, 12.0)
    assert soft.energy is soft.energy
    assert hard.energy.value_and_grad(1.0) == (3.0, 6.0)
    assert soft.force(1.0, n=3) == -6.0
    assert isinstance(Spring.energy, Compiled)


def test_small_things():
    w = Value(2.0)
    assert mb.compile(lambda: w * 2).hessian() == []
    with pytest.raises(TypeError, match="tuple"):
        mb.compile(lambda x, y: x * y).hvp((2.0, 3.0), 1.0)


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was(on):
    (gc.enable if on else gc.disable)()
    seen = []

    def f(x):
        seen.append(gc.isenabled())
        if len(seen) > 1:
            raise ArithmeticError("of the user's function")
        return x * x

    try:
        compiled = mb.compile(f)
        assert compiled.value_and_grad(3.0) == (9.0, 6.0)
        with pytest.raises(ArithmeticError):
            compiled([1.0])
        assert (seen, gc.isenabled()) == ([False, False], on)
    finally:
        gc.enable()


def test_unknown_backends_are_refused():
    with pytest.raises(ValueError, match="native, python"):
        mb.compile(lambda x: x, backend="cuda")


def test_programs_know_their_sizes():
    f = mb.compile(lambda x, y: x * y)
    f.value_and_grad(1.0, 2.0)
    assert f.stats(1.0, 2.0).passes[0] == ("recorded", 1)
    assert f.stats(1.0, 2.0).seconds > 0
