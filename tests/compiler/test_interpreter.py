"""The interpreter for large programs beside the replay and beside straight machine code."""

import functools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from needs import needs_llvm
from recorded import bits, raw

import micrograd_bp as mb
from micrograd_bp.check.strategies import expressions
from micrograd_bp.compiler import machine_code, numpy_batches, passes
from micrograd_bp.compiler.bytecode import assemble
from micrograd_bp.compiler.interpreter import Interpreter
from micrograd_bp.compiler.recording import record
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.nn import MLP

EXACT = [
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "square",
    "exp",
    "log",
    "tanh",
    "sin",
    "cos",
    "sqrt",
    "relu",
    "where",
    "maximum",
]


@pytest.mark.slow
@needs_llvm
@given(expressions(ops=EXACT))
def test_the_interpreter_has_the_replays_bits(expression):
    code = raw(expression)
    single, lanes = (Interpreter(code, len(code.results), n, False) for n in (1, 64))
    inputs = np.array([[x, *[x * 1.1] * 63] for x in expression.point]).reshape(len(expression.point), 64)
    expected = Replay(code)(expression.point)
    found = np.empty((len(expected), 64))
    empty = np.empty(0)
    lanes.run(inputs.ctypes.data, empty, found.ctypes.data, empty, 64, 64)
    one, out = np.array(expression.point, dtype=float), np.empty(len(expected))
    single.run(one.ctypes.data, empty, out.ctypes.data, empty, 1, 1)
    assert bits(out) == bits(expected)
    assert found[:, 0] == pytest.approx(expected, rel=1e-9, abs=1e-300, nan_ok=True)  # by vector functions


@functools.cache
def twice_compiled():
    """A model's error, to be compiled as it stands and, when that is asked for, for the interpreter: each once."""
    model = MLP(3, [6, 4, 2], "relu", "tanh", seed=2)
    f = lambda x, y: sum(mb.square(a - b) for a, b in zip(model(x), y, strict=True))  # noqa: E731
    return mb.compile(f, backend="native"), mb.compile(f, backend="native")


@needs_llvm
@pytest.mark.parametrize("count", [1, 63, 64, 200, 2500])
def test_large_programs_are_the_small_ones(monkeypatch, count):
    """The same model interpreted and compiled as it stands: values, single gradients and sums over batches."""
    straight, large = twice_compiled()
    draw = np.random.default_rng(4)
    X, Y = draw.normal(size=(count, 3)), draw.normal(size=(count, 2))
    X[0] = 0.0  # a kink and adjoints of 0
    expected = [straight.batched(X, Y, gradients=kind) for kind in ("parameters", "each", "sum")]
    value = straight.backward(X[0], Y[0])
    monkeypatch.setattr(machine_code, "STRAIGHT", -1)
    for (values, slopes), kind in zip(expected, ("parameters", "each", "sum"), strict=True):
        for threads in (1, 2):
            ours, found = large.batched(X, Y, gradients=kind, threads=threads)
            assert ours == pytest.approx(values, rel=1e-12)
            for a, b in zip(found, slopes, strict=True):
                assert a == pytest.approx(b, rel=1e-11, abs=1e-13 * count)
    assert large.backward(X[0], Y[0]) == value


def guarded(x, y):
    return mb.where(x, x * y, 0.0)


@needs_llvm
@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: [guarded(x, y), guarded(x, y) + x],
        lambda x, y: (lambda p: [mb.where(x, p, 0.0) + y, p + x])(x * y),  # the product has another user
        lambda x, y: (lambda p: [mb.where(x, p, 0.0) + y, p])(x * y),  # it is a result
        lambda x, y: (lambda p: [p, p + x])(x * y),
        lambda x, y: (lambda p: [p + p, p + x])(x * y),
        lambda x, y: (lambda p: [p, p])(x * y),
        lambda x, y: [x * y + y * y, mb.where(y, x * y, 0.0) + guarded(x, y)],
        lambda x, y: [2.0 * x + x * y + y * y + x * y * 3.0 + guarded(x, y) + guarded(y, x) + 4.0 * y, y],  # a chain
        lambda x, y: (lambda s: [s + y * y, s])(x + x * y + 3.0 * y),  # a result within it
        lambda x, y: (lambda s: [s + y * y + s * s])(x + x * y),  # used twice within it
        lambda x, y: [x * y, mb.where(x, y * y, 0.0), x * x],  # the guard is the factor of the product before it
        lambda x, y: [mb.where(x, y * y, 0.0), x * y, x * x],
        lambda x, y: [x * y, guarded(x, y + 1.0), x * 2.0, x * (y - 2.0), guarded(x, x + y), y * 2.0, 3.0 * y, x],
        lambda x, y: [
            mb.where(x, y * y, 0.0) + y,
            mb.where(2.0, x, y),
            mb.clip(x, 0.0, 0.5),
            x * 2.0,
            mb.Value(3.0) * 2.0,
        ],
    ],
)
def test_products_are_done_where_they_are_used(f):
    """In sums and guards, and in totals over samples, unless something else needs them too."""
    recording = record(f, (0.0, 0.0))
    code = passes.Code(recording.tape, recording.results)
    x = np.array([[0.0, 0.3, -0.0, math.inf, 2.0, 0.0] * 20, [math.inf, 0.1, 5.0, -1.0, 0.7, math.nan] * 20])
    count, n = x.shape[1], len(code.results)
    rows = np.concatenate([x, np.full((2, 8), 1e300)], axis=1)  # to whole groups of lanes, by what must not count
    p = numpy_batches.numbers_of(code)
    expected = np.array(numpy_batches.run(code, x, count, p))
    for each in range(n + 1):
        out, sums = np.empty((n, 128)), np.zeros(n - each)
        Interpreter(code, each, 64, False).run(rows.ctypes.data, p, out.ctypes.data, sums, count, 128)
        np.testing.assert_array_equal(out[:each, :count], expected[:each])
        np.testing.assert_allclose(sums, expected[each:].sum(axis=1), rtol=1e-14)


def test_places_are_used_again():
    def f(x):
        for k in range(100):
            x = mb.sin(x) + float(k)
        return x

    recording = record(f, (0.0,))
    assert assemble(passes.Code(recording.tape, recording.results), 1).registers <= 3


@needs_llvm
def test_what_is_not_selected_gets_nothing_interpreted_too(monkeypatch):
    """The derivative of sqrt at 0 is inf. It meets a computed 0, or is not selected."""
    monkeypatch.setattr(machine_code, "STRAIGHT", -1)
    w = mb.Value(0.0)
    product = mb.compile(lambda x: mb.sqrt(w) * x, backend="native")
    assert product.batched([1.0, 2.0], gradients="parameters")[1].tolist() == [float("inf")]
    assert math.isnan(product.batched([0.0, 2.0], gradients="parameters")[1][0])
    choice = mb.compile(lambda x: mb.where(mb.step(x), w, mb.sqrt(w) * x), backend="native")
    assert choice.batched([1.0, 2.0, 3.0], gradients="parameters")[1].tolist() == [3.0]


@needs_llvm
@pytest.mark.parametrize("count", [1, 5, 64, 70])
def test_guarded_products_in_loops(monkeypatch, count):
    """Layers of relu: their products are guarded, in sums over inputs (chains) and over samples (totals)."""
    monkeypatch.setattr(machine_code, "STRAIGHT", -1)
    model = MLP(3, [9, 7, 2], "relu", seed=1)
    rng = random.Random(2)
    X = [[rng.uniform(-2, 2) for _ in range(3)] for _ in range(count)]

    def loss(x):
        return sum(mb.square(a - 0.5) for a in model(x))

    compiled = mb.compile(loss, backend="native")
    values, slopes = compiled.batched(X, gradients="parameters")
    model.zero_grad()
    total = sum((loss(x) for x in X), mb.Value(0.0))
    total.backward()
    assert values.sum() == pytest.approx(total.data, rel=1e-13)
    assert slopes.tolist() == pytest.approx([p.grad for p in compiled.parameters(X[0])], rel=1e-12, abs=1e-13)


def test_operations_of_many_arguments_in_large_programs(monkeypatch, own_ops):
    pytest.importorskip("llvmlite", reason="needs llvmlite: pip install llvmlite")
    monkeypatch.setattr("micrograd_bp.compiler.machine_code.STRAIGHT", -1)
    rules = [lambda a, b, c, d, e, out, k=k: float(k) for k in range(1, 6)]

    @mb.op(*rules, native="{0} + 2 * {1} + 3 * {2} + 4 * {3} + 5 * {4}")
    def weighted(a, b, c, d, e):
        return a + 2 * b + 3 * c + 4 * d + 5 * e

    f = mb.compile(lambda x, y: weighted(x, y, 1.0, x, y) * 2.0, backend="native")
    assert f.value_and_grad(1.0, 10.0) == (156.0, (10.0, 14.0))
    assert f.batched([1.0], [10.0])[0].tolist() == [156.0]
