"""Machine code and C beside the replay in plain Python, row by row and on random expressions."""

import builtins
import ctypes
import functools
import math
import platform
import shutil
import subprocess
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from points import fixed
from recorded import bits, of_row, raw

import micrograd_bp as mb
from micrograd_bp.compiler import library, machine, numpy_, passes
from micrograd_bp.compiler.assembly import assembled
from micrograd_bp.compiler.c import constant, to_c
from micrograd_bp.compiler.interpreter import Interpreter
from micrograd_bp.compiler.llvm import program
from micrograd_bp.compiler.machine import Machine
from micrograd_bp.compiler.recording import record
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.nn import MLP
from micrograd_bp.op import OPS, Op
from micrograd_bp.strategies import expressions
from micrograd_bp.tape import Tape

ROWS = list(OPS.values())
needs_llvm = pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs llvmlite: pip install llvmlite")
    not __import__("importlib.util").util.find_spec("llvmlite"), reason="needs llvmlite: pip install llvmlite"
)
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler: apt install gcc libc6-dev")


def in_c(code, tmp_path, *options):
    """The code's C file, compiled by gcc: a function of a list of numbers."""
    source, library = tmp_path / "program.c", tmp_path / "program.so"
    source.write_text(to_c(code, "program", "test"))
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([*command, *options, str(source), "-o", str(library), "-lm"], check=True)
    function = ctypes.CDLL(str(library)).program
    function.restype = None

    def run(numbers):
        x, out = (ctypes.c_double * max(1, len(numbers)))(*numbers), (ctypes.c_double * len(code.results))()
        function(x, out)
        return list(out)

    return run


@needs_llvm
@pytest.mark.parametrize("op", ROWS, ids=str)
def test_machine_code_agrees_with_the_row(op):
    run = Machine(of_row(op))
    for point in fixed(op):
        (found,) = run(point)
        assert found == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), point


@needs_gcc
def test_c_agrees_with_the_rows(tmp_path):
    """All rows in one file."""
    for op in ROWS:
        folder = tmp_path / op.name
        folder.mkdir()
        run = in_c(of_row(op), folder)
        for point in fixed(op):
            (found,) = run(point)
            assert found == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), (op, point)


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


@needs_llvm
@given(expressions(ops=EXACT))
def test_machine_code_has_the_replays_bits(expression):
    code = raw(expression)
    assert bits(Machine(code)(expression.point)) == bits(Replay(code)(expression.point))


@needs_llvm
def test_a_model_bit_for_bit_single_and_in_batches():
    model = MLP(2, [8, 8, 1], "tanh", seed=3)
    f = lambda x, y: (model(x) - y) ** 2  # noqa: E731 (both are of the same function)
    python, native = mb.compile(f, backend="python"), mb.compile(f, backend="native")
    model.zero_grad()
    value = python.backward([0.3, -0.7], 1.0)
    expected = [p.grad for p in model.parameters()]
    model.zero_grad()
    assert native.backward([0.3, -0.7], 1.0) == value
    assert [p.grad for p in model.parameters()] == pytest.approx(expected, rel=1e-14)
    model.parameters()[0].data += 0.5
    assert native([0.3, -0.7], 1.0) == python([0.3, -0.7], 1.0) != value


@functools.cache
def squared_error(activation):
    """A network, and its squared error as machine code and as a replay: compiled once."""
    model = MLP(2, [8, 8, 1], activation, seed=3)
    f = lambda x, y: mb.square(model(x) - y)  # noqa: E731
    return model, mb.compile(f, backend="native"), mb.compile(f, backend="python")


@needs_llvm
@pytest.mark.parametrize(("activation", "digits"), [("relu", 0.0), ("tanh", 1e-13)])  # vector functions have other bits
@pytest.mark.parametrize("count", [1, 7, 8, 33, 2500])
def test_lanes_are_samples(activation, digits, count):
    model, native, replayed = squared_error(activation)
    X, Y = np.random.default_rng(1).normal(size=(count, 2)), np.linspace(-1.0, 1.0, count)
    values, (dX, dY) = native.batched(X, Y)
    for i in (*range(min(count, 33)), count - 1):
        single, (gx, gy) = native.value_and_grad(X[i].tolist(), float(Y[i]))
        assert np.array([values[i], *dX[i], dY[i]]) == pytest.approx([single, *gx, gy], rel=digits, abs=digits)
    assert native.batched(np.asfortranarray(X)[::-1], Y[::-1])[0] == pytest.approx(values[::-1], rel=digits)

    model.zero_grad()
    for x, y in zip(X, Y, strict=True):
        native.backward(x.tolist(), float(y))
    sums = [p.grad for p in native.parameters([0.0, 0.0], 0.0)]
    totals = [native.batched(X, Y, gradients="parameters", threads=threads) for threads in (1, 2, 3, None)]
    assert all(bits(total[1]) == bits(totals[0][1]) for total in totals)
    assert totals[0][1] == pytest.approx(sums, rel=1e-9, abs=1e-11 * max(map(abs, sums)))
    python = replayed.batched(X, Y, gradients="parameters")
    assert python[1] == pytest.approx(totals[0][1], rel=1e-9, abs=1e-11 * max(map(abs, sums)))
    assert native.batched(X, Y, gradients="sum")[1][0] == pytest.approx(dX.sum(axis=0), rel=1e-12)


@needs_llvm
def test_large_programs_compile():
    run = Machine(raw(_Chain(6_000), "value"))
    assert run([0.5]) == Replay(raw(_Chain(6_000), "value"))([0.5])


class _Chain:
    """x, multiplied and added to so many times."""

    point = (0.5,)

    def __init__(self, count):
        self.count = count

    def __call__(self, x):
        v = x
        for _ in range(self.count // 2):
            v = v * 0.999 + x
        return v


@needs_gcc
def test_a_model_in_c(tmp_path):
    model = MLP(3, [4, 2], "sigmoid", "identity", seed=5)
    f = mb.compile(lambda x: sum(a * a for a in model(x)))
    at = [0.1, -0.4, 2.0]
    value, gradient = f.value_and_grad(at)
    code = f._ready((at,), {}, "gradient")[2].run.code
    assert f.to_c(at) == to_c(code, "program", "value and gradient")
    found = in_c(code, tmp_path)([*at, *[p.data for p in f.parameters(at)]])
    assert found == pytest.approx([value, *gradient], rel=1e-14)


@needs_gcc
def test_constants_in_c(tmp_path):
    tape = Tape()
    numbers = [0.1, -2.5, float("inf"), float("-inf"), float("nan"), -0.0, 5e-324, 1.7976931348623157e308]
    x = tape.input()
    code = passes.Code(tape, [*[tape.constant(n) for n in numbers], tape.record(mb.mul, (x, tape.constant(-3.0)))])
    assert bits(in_c(code, tmp_path)([2.0])) == bits([*numbers, -6.0])
    assert constant(-0.0) == "(-0.0)"


@pytest.mark.parametrize("name", ["2f", "a b", "", "f;", "if"])
def test_names_that_are_none_in_c(name):
    with pytest.raises(ValueError, match="name of a C function"):
        mb.compile(lambda x: x).to_c(1.0, name=name)


def test_unknown_backends_are_refused():
    with pytest.raises(ValueError, match="native, python"):
        mb.compile(lambda x: x, backend="cuda")


def test_without_llvmlite(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.startswith("llvmlite"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    library.binding.cache_clear()
    with pytest.raises(MissingExtraError, match=r"micrograd_bp\[native\]"):
        mb.compile(lambda x: x * x, backend="native")(2.0)


@needs_llvm
def test_a_wrong_form_is_noticed():
    """A row whose C99 form is not its function differs from the replay."""
    op = Op("odd", lambda x: x + 1.0, lambda x, out: 1.0, native="{0} + 1.5")
    code = of_row(op)
    assert Machine(code)([1.0]) != Replay(code)([1.0])
    assert "fadd double" in program(code, 1, 1)[0]


def test_programs_know_their_sizes():
    f = mb.compile(lambda x, y: x * y)
    f.value_and_grad(1.0, 2.0)
    assert f.stats(1.0, 2.0).passes[0] == ("recorded", 1)
    assert f.stats(1.0, 2.0).seconds > 0


# --- large programs ---------------------------------------------------------------------------------------------------


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


@needs_llvm
@pytest.mark.parametrize("count", [1, 63, 64, 200, 2500])
def test_large_programs_are_the_small_ones(monkeypatch, count):
    """The same model interpreted and compiled as it stands: values, single gradients and sums over batches."""
    model = MLP(3, [6, 4, 2], "relu", "tanh", seed=2)
    f = lambda x, y: sum(mb.square(a - b) for a, b in zip(model(x), y, strict=True))  # noqa: E731
    draw = np.random.default_rng(4)
    X, Y = draw.normal(size=(count, 3)), draw.normal(size=(count, 2))
    X[0] = 0.0  # a kink and adjoints of 0
    straight, large = mb.compile(f, backend="native"), mb.compile(f, backend="native")
    expected = [straight.batched(X, Y, gradients=kind) for kind in ("parameters", "each", "sum")]
    value = straight.backward(X[0], Y[0])
    monkeypatch.setattr(machine, "STRAIGHT", -1)
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
    rows = np.concatenate([x, x[:, -1:].repeat(8, axis=1)], axis=1)  # to whole groups of lanes
    p = numpy_.numbers_of(code)
    expected = np.array(numpy_.run(code, x, count, p))
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
    assert assembled(passes.Code(recording.tape, recording.results), 1).places <= 3


@needs_llvm
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64", reason="libmvec")
@pytest.mark.parametrize(("name", "arity"), [("sin", 1), ("cos", 1), ("pow", 2)])
def test_the_platform_has_vector_functions(name, arity):
    assert library._platform(name, arity, 8)[0].startswith("_ZGV")
    assert library._platform("no_such_function", 1, 8) == ("no_such_function", 1)


@needs_llvm
def test_infinite_local_derivatives_of_what_is_not_used_are_guarded(monkeypatch):
    """The derivative of sqrt at 0 is inf: an adjoint of 0 passes nothing to it, interpreted too."""
    monkeypatch.setattr(machine, "STRAIGHT", -1)
    w = mb.Value(0.0)
    f = mb.compile(lambda x: mb.sqrt(w) * x, backend="native")
    assert f.batched([0.0, 2.0], gradients="parameters")[1].tolist() == [float("inf")]
    assert f.batched([0.0, 0.0], gradients="parameters")[1].tolist() == [0.0]


# --- the cache --------------------------------------------------------------------------------------------------------


@needs_llvm
def test_machine_code_is_kept_and_damage_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(library, "WORTH", 0.0)
    model = MLP(2, [4, 1], "relu", seed=1)
    at = ([0.3, -0.4], 1.0)

    def value():
        return mb.compile(lambda x, y: mb.square(model(x) - y), backend="native")(*at)

    expected = value()
    (entry,) = (tmp_path / "cache").iterdir()
    whole = entry.read_bytes()
    reads = []
    monkeypatch.setattr(
        library.Cache, "read", lambda self, real=library.Cache.read: reads.append(real(self)) or reads[-1]
    )
    assert value() == expected
    assert reads.pop() == whole[32:]
    for damaged in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b"x" * 100):
        entry.write_bytes(damaged)
        assert value() == expected
        assert reads.pop() is None
        assert entry.read_bytes() == whole  # written anew

    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(entry / "no folder"))
    assert value() == expected
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "off")
    assert value() == expected
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [entry.name]
