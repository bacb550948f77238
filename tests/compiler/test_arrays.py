"""Programs as functions of JAX and PyTorch."""

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from points import fixed

import micrograd_bp as mb
from micrograd_bp.errors import ShapeError
from micrograd_bp.nn import MLP
from micrograd_bp.ops.op import OPS

ROWS = list(OPS.values())
LIBRARIES = {"jax": "to_jax", "torch": "to_torch"}


INSTALLED = [name for name in LIBRARIES if find_spec(name)]
if not INSTALLED:
    pytest.skip("needs JAX or PyTorch: pip install jax torch", allow_module_level=True)


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_library_is_there(name):
    """One skip for each library that is not: the tests below are of those that are."""
    if name not in INSTALLED:
        pytest.skip(f"needs {name}: pip install {name}")


@pytest.fixture(params=INSTALLED)
def export(request):
    """The name of the method; JAX counts in doubles until the test ends."""
    name = request.param
    if name == "jax":
        config = importlib.import_module("jax").config
        before = config.jax_enable_x64
        config.update("jax_enable_x64", True)
        yield name, LIBRARIES[name]
        config.update("jax_enable_x64", before)
    else:
        yield name, LIBRARIES[name]


def as_array(name, numbers):
    library = importlib.import_module(name)
    return library.tensor(numbers, dtype=library.float64) if name == "torch" else library.numpy.asarray(numbers)


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
        found = importlib.import_module("jax").grad(lambda x: run(x))([0.5, -1.5])
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


@pytest.mark.skipif("jax" not in INSTALLED, reason="needs jax: pip install jax")
def test_samples_on_several_devices():
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
