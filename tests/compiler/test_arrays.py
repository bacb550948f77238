"""Programs as functions of JAX and PyTorch, and as files."""

import copy
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from points import fixed

import micrograd_bp as mb
from micrograd_bp.compiler import Compiled, arrays
from micrograd_bp.errors import MissingExtraError, ShapeError, StateError
from micrograd_bp.nn import MLP
from micrograd_bp.op import OPS

ROWS = list(OPS.values())
LIBRARIES = {"jax": "to_jax", "torch": "to_torch"}


@pytest.fixture(params=LIBRARIES)
def export(request):
    """The name of the method; JAX counts in doubles."""
    library = pytest.importorskip(request.param)
    if request.param == "jax":
        library.config.update("jax_enable_x64", True)
    return request.param, LIBRARIES[request.param]


def as_array(name, numbers):
    if name == "torch":
        return pytest.importorskip("torch").tensor(numbers, dtype=pytest.importorskip("torch").float64)
    return pytest.importorskip("jax").numpy.asarray(numbers)


def test_every_row(export):
    name, method = export
    for op in ROWS:
        points = list(fixed(op))
        run = getattr(mb.compile(lambda *args, op=op: op(*args), backend="python"), method)(*points[0])
        found = np.asarray(run(*[as_array(name, list(column)) for column in zip(*points, strict=True)]))
        found = np.broadcast_to(found, (len(points),))
        for ours, point in zip(found, points, strict=True):
            expected = op.fn(*point)
            if 0 < abs(expected) < 1e-290 or any(0 < abs(x) < 1e-290 for x in point):
                continue  # they flush subnormal numbers to zero
            assert ours == pytest.approx(expected, rel=1e-11, abs=1e-300, nan_ok=True), (op, point)


def test_models_and_their_gradients(export):
    name, method = export
    model = MLP(2, [5, 3], "tanh", seed=2)
    f = mb.compile(lambda x, y: sum((a - b) ** 2 for a, b in zip(model(x), y, strict=True)), backend="python")
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(7, 2)), draw.normal(size=(7, 3))
    values, (dX, dY) = f.batched(X, Y)
    x, y = X[0].tolist(), Y[0].tolist()
    columns = [[as_array(name, data[:, j]) for j in range(data.shape[1])] for data in (X, Y)]
    assert np.asarray(getattr(f, method)(x, y)(*columns)) == pytest.approx(values, rel=1e-12)
    run = getattr(f, method)(x, y, gradient=True)
    found, (gx, gy) = run(*columns)
    assert np.asarray(found) == pytest.approx(values, rel=1e-12)
    for ours, theirs in ((gx, dX), (gy, dY)):
        assert np.stack([np.asarray(a) for a in ours], axis=1) == pytest.approx(theirs, rel=1e-10, abs=1e-13)
    others = [p.data * 2 for p in f.parameters(x, y)]
    assert np.asarray(run(*columns, parameters=others)[0]) != pytest.approx(values, rel=1e-3)


def test_their_own_gradients_agree(export):
    name, method = export
    f = mb.compile(lambda x: mb.sigmoid(x[0] * x[1]) + mb.relu(x[1]), backend="python")
    value, gradient = f.value_and_grad([0.5, -1.5])
    run = getattr(f, method)([0.5, -1.5])
    if name == "jax":
        found = pytest.importorskip("jax").grad(lambda x: run(x))([0.5, -1.5])
    else:
        leaves = [as_array(name, x).requires_grad_() for x in (0.5, -1.5)]
        run(leaves).backward()
        found = [float(x.grad) for x in leaves]
    assert float(run([as_array(name, 0.5), as_array(name, -1.5)])) == pytest.approx(value)
    assert [float(x) for x in found] == pytest.approx(gradient)


SHARDED = """
import jax, numpy as np, micrograd_bp as mb
jax.config.update("jax_enable_x64", True)
assert len(jax.devices()) == 4
w = [mb.Value(0.3), mb.Value(-0.7)]
f = mb.compile(lambda x, y: mb.square(mb.tanh(w[0] * x + w[1]) - y), backend="python")
run = f.to_jax(0.5, 0.5)
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("samples",))
spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("samples"))
X, Y = np.linspace(-1, 1, 64), np.linspace(1, 0, 64)
x, y = jax.device_put(X, spread), jax.device_put(Y, spread)
loss = jax.jit(jax.grad(lambda p: run(x, y, parameters=p).sum()))
print(*map(float, loss([p.data for p in f.parameters(0.5, 0.5)])), *f.batched(X, Y, gradients="parameters")[1])
"""


def test_samples_on_several_devices():
    pytest.importorskip("jax")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", SHARDED], capture_output=True, text=True, env=os.environ | flags)
    a, b, c, d = map(float, done.stdout.split())
    assert (a, b) == pytest.approx((c, d), rel=1e-12), done.stderr


def test_other_structures_are_refused(export):
    name, method = export
    run = getattr(mb.compile(lambda x, y: x[0] * x[1] + y["a"], backend="python"), method)([1.0, 2.0], {"a": 3.0})
    assert float(run([as_array(name, 1.0), as_array(name, 2.0)], {"a": as_array(name, 3.0)})) == 5.0
    for args, error in (
        (([1.0], {"a": 3.0}), ShapeError),
        (([1.0, 2.0], {"b": 3.0}), ShapeError),
        (([1.0, 2.0],), TypeError),
    ):
        with pytest.raises(error):
            run(*args)


def test_without_the_libraries(monkeypatch):
    for module, method in LIBRARIES.items():
        for name in (module, f"{module}.numpy", "jax.scipy"):
            monkeypatch.setitem(sys.modules, name, None)
        arrays.jax_arrays.cache_clear()
        arrays.torch_arrays.cache_clear()
        with pytest.raises(MissingExtraError, match=module):
            getattr(mb.compile(lambda x: x, backend="python"), method)(1.0)


# --- files ------------------------------------------------------------------------------------------------------------


def test_what_is_loaded_is_what_was_saved(tmp_path):
    model = MLP(2, [4, 1], "tanh", seed=2)
    f = mb.compile(lambda x, y: {"loss": mb.square(model(x) - y["target"])})
    points = [([0.5, -0.2], {"target": 0.3}), (np.array([0.1, 0.2]), {"target": 1.0})]
    expected = [f(*point) for point in points]
    f.save(tmp_path / "f.json")
    loaded = Compiled.load(tmp_path / "f.json")
    assert [loaded(*point) for point in points] == expected
    assert len(loaded.parameters(*points[0])) == 17
    assert loaded.parameters(*points[0])[0].name
    loaded.parameters(*points[0])[0].data += 1.0
    assert loaded(*points[0]) != expected[0]
    assert f(*points[0]) == expected[0]
    loaded.save(tmp_path / "again.json")
    assert Compiled.load(tmp_path / "again.json")(*points[1]) == loaded(*points[1])
    with pytest.raises(ValueError, match="loaded"):
        loaded([1.0, 2.0, 3.0], {"target": 0.0})


def test_derivatives_of_what_is_loaded(tmp_path):
    f = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]) * 0.0 + float("inf") * 0.0 * 0.0 + 1.0)
    g = mb.compile(lambda p: p[0] ** 2 * p[1] + mb.sin(p[1]))
    g([1.0, 2.0])
    g.save(tmp_path / "g.json")
    loaded = Compiled.load(tmp_path / "g.json", backend="python")
    assert loaded.value_and_grad([1.5, 2.0]) == g.value_and_grad([1.5, 2.0])
    assert loaded.hessian([1.5, 2.0]) == g.hessian([1.5, 2.0])
    f([1.0, 2.0])
    f.save(tmp_path / "f.json")  # constants that JSON has no words for
    assert np.isnan(Compiled.load(tmp_path / "f.json")([1.0, 2.0]))


def spoil(text):
    """The file, damaged in ways that a careless reader would not notice."""
    whole = json.loads(text)
    yield ""
    yield json.dumps({"format": "other"})
    yield json.dumps(whole | {"version": 99})
    for change in (
        {"ops": [*whole["recordings"][0]["ops"][:-1], "no_such_row"]},
        {"takes": [[999] * len(args) for args in whole["recordings"][0]["takes"]]},
        {"takes": whole["recordings"][0]["takes"][1:]},
        {"results": [-1]},
        {"results": ["0"]},
        {"inputs": []},
        {"constants": {"0": "zz"}},
        {"parameters": {"0": 5}},
    ):
        yield json.dumps(whole | {"recordings": [whole["recordings"][0] | change]})


def test_damaged_files_are_refused(tmp_path):
    f = mb.compile(lambda x, y: mb.exp(x) * y + 1.0)
    f(1.0, 2.0)
    path = tmp_path / "f.json"
    f.save(path)
    for text in spoil(path.read_text()):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(StateError):
            Compiled.load(tmp_path / "bad.json")


def test_what_cannot_be_saved_is_said(tmp_path):
    with pytest.raises(ValueError, match="call the function once"):
        mb.compile(lambda x: x).save(tmp_path / "f.json")
    f = mb.compile(lambda x, *, n: x**n)
    assert f(2.0, n=3) == 8.0
    assert f(2.0, n=4) == 16.0
    with pytest.raises(ValueError, match="keyword"):
        f.save(tmp_path / "f.json")
    with pytest.raises(TypeError, match="hashable"):
        f(2.0, n=[3])
    assert not (tmp_path / "f.json").exists()


# --- the rest of the interface ----------------------------------------------------------------------------------------


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
