"""Machine code beside the replay in plain Python, row by row and on random expressions."""

import builtins
import functools
import math
import platform

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import needs_llvm
from points import fixed
from recorded import BACKENDS, bits, of_row, raw

import micrograd_bp as mb
from micrograd_bp.check.strategies import expressions
from micrograd_bp.compiler import llvm_build
from micrograd_bp.compiler.llvm_ir import program
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.nn import MLP
from micrograd_bp.ops.op import OPS, Op

ROWS = list(OPS.values())


@needs_llvm
@pytest.mark.parametrize("op", ROWS, ids=str)
def test_machine_code_agrees_with_the_row(op):
    run = Machine(of_row(op))
    for point in fixed(op):
        (found,) = run(point)
        assert found == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), point


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
def test_fast_math_does_not_reorder_sums():
    rest = mb.compile(lambda x, y: (x + y) - x, fast_math=True, backend="native")
    points = [(1e16, 1.0), (1.0, 1e-20), (1e308, 1e308), (math.inf, 1.0), (3.0, 0.5)]
    expected = pytest.approx([(x + y) - x for x, y in points], rel=0.0, nan_ok=True)
    assert [rest(x, y) for x, y in points] == expected
    assert rest.batched(*np.array(points).T)[0].tolist() == expected
    ratio = mb.compile(lambda x: mb.div(x, x), fast_math=True, backend="native")
    assert all(math.isnan(ratio(x)) for x in (0.0, math.inf, math.nan))


@needs_llvm
def test_fast_math_fuses_and_takes_reciprocals():
    third, rest = lambda x: x / 3.0, lambda x, y: x * y - 1.0
    points = [float(k) for k in range(1, 100)]
    exact, fast = (mb.compile(third, fast_math=which, backend="native") for which in (False, True))
    assert [exact(x) for x in points] == [x / 3.0 for x in points]
    assert [fast(x) for x in points] == [x * (1.0 / 3.0) for x in points] != [x / 3.0 for x in points]
    exact, fast = (mb.compile(rest, fast_math=which, backend="native") for which in (False, True))
    assert exact(1 + 2**-30, 1 - 2**-30) == 0.0
    if llvm_build.binding().get_host_cpu_features().get("fma"):
        assert fast(1 + 2**-30, 1 - 2**-30) == -(2.0**-60)


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


def test_without_llvmlite(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.startswith("llvmlite"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    llvm_build.binding.cache_clear()
    with pytest.raises(MissingExtraError, match=r"micrograd_bp\[native\]"):
        mb.compile(lambda x: x * x, backend="native")(2.0)


@needs_llvm
def test_a_wrong_form_is_noticed():
    """A row whose C99 form is not its function differs from the replay."""
    op = Op("odd", lambda x: x + 1.0, lambda x, out: 1.0, native="{0} + 1.5")
    code = of_row(op)
    assert Machine(code)([1.0]) != Replay(code)([1.0])
    assert "fadd double" in program(code, 1, 1)[0]


# --- large programs ---------------------------------------------------------------------------------------------------


@needs_llvm
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64", reason="libmvec")
@pytest.mark.parametrize(("name", "arity"), [("sin", 1), ("cos", 1), ("pow", 2)])
def test_the_platform_has_vector_functions(name, arity):
    assert llvm_build._platform(name, arity, 8)[0].startswith("_ZGV")
    assert llvm_build._platform("no_such_function", 1, 8) == ("no_such_function", 1)


@pytest.mark.parametrize("name", ["silu", "gelu", "sigmoid", "softplus", "log_sigmoid", "tanh", "cbrt", "erfc"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_limits_are_the_eager_ones(backend, name):
    f = mb.compile(OPS[name], backend=backend)
    for x in (-math.inf, math.inf, 0.0, -0.0, -1e301):
        expected = OPS[name].fn(x)
        assert f(x) == expected
        assert f.batched([x])[0] == pytest.approx([expected], rel=1e-15)


@given(st.sampled_from(["silu", "gelu", "cbrt", "pow"]), st.floats(0.001, 100), st.sampled_from([2.0, 0.5, -1.0, 3.0]))
def test_values_have_the_eager_bits(name, x, power):
    more = (power,) if name == "pow" else ()
    f = mb.compile(lambda x: OPS[name](x, *more))
    assert bits([f(x)]) == bits([OPS[name].fn(x, *more)])
    g = mb.compile(lambda x: mb.pow(power, x))
    assert bits([g(x)]) == bits([OPS["pow"].fn(power, x)])


@pytest.mark.parametrize(("n", "what"), [(4000, "product"), (1200, "squares"), (60, "hessian")])
def test_many_results_take_no_minutes(n, what):
    """LLVM asked of each pair of them whether they are the same."""
    at = np.ones(n)
    if what == "product":
        f = mb.compile(lambda v: v[0] * v[1])
        assert f.value_and_grad(at)[1].sum() == 2.0
        assert f.batched(at.reshape(1, -1))[1].sum() == 2.0
    elif what == "squares":
        f = mb.compile(lambda v: sum(a * a for a in v))
        assert f.value_and_grad(at)[1].sum() == 2.0 * n
        assert f.batched(at.reshape(1, -1))[1].sum() == 2.0 * n
    else:
        f = mb.compile(lambda v: sum(100 * (v[i + 1] - v[i] ** 2) ** 2 + (1 - v[i]) ** 2 for i in range(n - 1)))
        assert np.array(f.hessian(at))[:2, :2].tolist() == [[802.0, -400.0], [-400.0, 1002.0]]


@needs_llvm
@pytest.mark.parametrize("lanes", [False, True])
def test_fast_math_keeps_the_order_of_sums_and_what_is_not_finite(lanes):
    """It may fuse and divide by multiplying; compensated sums, nan and infinities stay what they are."""

    def lost(x, y):
        return (x + y) - y - x  # what rounding drops

    def run(f, *numbers):
        fast = mb.compile(f, backend="native", fast_math=True)
        return fast.batched(*[[number] * 9 for number in numbers])[0][4] if lanes else fast(*numbers)

    assert run(lost, 1.0, 1e16) == lost(1.0, 1e16) == -1.0
    assert run(lost, 3.0, 1e16) == lost(3.0, 1e16) == 1.0
    assert run(lambda x, y: (x * y) / y, 1e-200, 1e-200) == 0.0
    assert math.isnan(run(lambda x, y: x * y, math.inf, 0.0))
    assert run(lambda x, y: mb.maximum(x, y) - 1.0, math.inf, 2.0) == math.inf
    assert math.isnan(run(lambda x, y: x - y, math.inf, math.inf))
