"""What compiled functions once did wrong."""

import copy
import gc
import json
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import BACKENDS, bits

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.compiler.program import Compiled
from micrograd_bp.errors import StateError
from micrograd_bp.op import OPS

AT_ZERO = [  # where an adjoint of the first derivative is exactly 0
    (lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2, (1.0, 1.0)),
    (lambda x, y: (mb.sqrt(x) - 2) ** 2 + y, (4.0, 0.0)),
    (lambda x, y: mb.sin(x) * mb.sin(y), (0.0, 0.0)),
    (lambda x, y: (x * y) ** 2, (0.0, 3.0)),
    (lambda x, y: mb.sqrt(x) * y, (0.0, 0.0)),
    (lambda x, y: mb.where(x, x * y * y, mb.sqrt(y)), (0.0, 0.0)),
    (lambda x, y: mb.relu(x * y - 6.0) + mb.maximum(x, y) ** 3, (2.0, 3.0)),
    (lambda x, y: mb.tanh(x * y) ** 2 * mb.exp(x - y), (0.0, 0.0)),
]


def same(ours, theirs):
    np.testing.assert_allclose(np.array(ours, dtype=float), np.array(theirs, dtype=float), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("f", "at"), AT_ZERO)
def test_second_derivatives_where_adjoints_are_zero(backend, f, at):
    compiled, expected = mb.compile(f, backend=backend), mb.hessian(f)(*at)
    same(compiled.hessian(*at), expected)
    for direction in ((1.0, 0.0), (0.5, -2.0)):
        if np.isfinite(expected).all():
            same(compiled.hvp(at, direction), np.array(expected) @ direction)


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), min_size=3, max_size=3))
def test_second_derivatives_at_round_numbers(point):
    def f(p):
        x, y, z = p
        return (x - y) ** 2 * z + mb.tanh(x * z) * mb.sin(y) + mb.relu(x) * (y - z) ** 2 + mb.exp(x * y * z)

    same(mb.compile(f).hessian(point), mb.hessian(f)(point))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("f", "at", "tangent"),
    [
        (lambda x, y: mb.pow(x, y), (-3.0, 2.0), (1.0, 0.0)),
        (lambda x, y: mb.where(x, 2 * x, mb.sqrt(y)), (1.0, 0.0), (1.0, 1.0)),
        (lambda x, y: mb.sqrt(x) + y, (0.0, 0.0), (0.0, 1.0)),
        (lambda x, y: mb.maximum(mb.sqrt(x), 1) * y, (0.0, 1.0), (1.0, 1.0)),
        (lambda x, y: mb.relu(-mb.sqrt(x)) + y, (0.0, 1.0), (1.0, 1.0)),
    ],
)
def test_tangents_that_do_not_move(backend, f, at, tangent):
    assert mb.compile(f, backend=backend).jvp(at, tangent) == mb.jvp(f, at, tangent)


@given(st.floats(-3, 3))
def test_sums_of_adjoints_are_in_the_order_of_backward(x):
    def f(x):
        a, b, c = mb.sin(x), mb.exp(x), x * x * x
        return c + (b + a)

    assert mb.compile(f).value_and_grad(x)[1] == mb.grad(f)(x)


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
    g = mb.compile(lambda x, n=1: x * 2 if n is True else x)
    assert (g(1.0, n=True), g(1.0, n=1), g(1.0, n=(1,)), g(1.0, n=(True,))) == (2.0, 1.0, 1.0, 1.0)
    assert len(g._recordings) == 4
    with pytest.raises(TypeError, match="hashable"):
        g(1.0, n=[])


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


def test_operations_of_many_arguments_in_large_programs(monkeypatch, own_ops):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr("micrograd_bp.compiler.machine.STRAIGHT", -1)
    rules = [lambda a, b, c, d, e, out, k=k: float(k) for k in range(1, 6)]

    @mb.op(*rules, native="{0} + 2 * {1} + 3 * {2} + 4 * {3} + 5 * {4}")
    def weighted(a, b, c, d, e):
        return a + 2 * b + 3 * c + 4 * d + 5 * e

    f = mb.compile(lambda x, y: weighted(x, y, 1.0, x, y) * 2.0, backend="native")
    assert f.value_and_grad(1.0, 10.0) == (156.0, (10.0, 14.0))
    assert f.batched([1.0], [10.0])[0].tolist() == [156.0]


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


@pytest.mark.parametrize("name", ["double", "int", "switch", "exp", "class", "x", "out", "2f", "_f", "été"])
def test_names_that_c_has_already(name):
    with pytest.raises(ValueError, match="name"):
        mb.compile(lambda x: x * x).to_c(1.0, name=name)


def spoiled(whole):
    """A saved program, damaged."""
    (first,) = whole["recordings"]
    yield {"fast_math": "no"}
    yield {"parameters": [["w", "0x1p99999"]]}
    for change in (
        {"args": {"tuple": [None]}},
        {"args": [None, None]},
        {"args": {"tuple": [{"array": [10**13]}]}},
        {"args": {"tuple": [{"array": [-1, -2]}]}},
        {"result": [None, None]},
        {"result": []},
        {"parameters": dict.fromkeys(first["parameters"], -1)},
        {"inputs": first["inputs"][:1]},
        {"inputs": first["inputs"] * 2},
    ):
        yield {"recordings": [first | change]}


def test_damaged_files_are_refused(tmp_path):
    w = Value(2.0, name="w")
    f = mb.compile(lambda v: v[0] * w + v[-1])
    f([1.0, 2.0, 3.0])
    path = tmp_path / "f.json"
    f.save(path)
    whole = json.loads(path.read_text())
    for change in spoiled(whole):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(StateError):
            Compiled.load(path)
    path.write_text('{"format": "micrograd_bp program", "version": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(StateError):
        Compiled.load(path)
    path.write_text(json.dumps(whole))
    loaded = Compiled.load(path)
    assert loaded([1.0, 2.0, 3.0]) == 5.0
    with pytest.raises(TypeError, match="load it again"):
        copy.deepcopy(loaded)


def test_named_tuples_are_not_saved_as_plain_ones(tmp_path):
    from typing import NamedTuple

    class Point(NamedTuple):
        x: float
        y: float

    f = mb.compile(lambda p: p.x * p.y)
    f(Point(2.0, 3.0))
    with pytest.raises(TypeError, match="Point"):
        f.save(tmp_path / "f.json")
    assert not (tmp_path / "f.json").exists()


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
