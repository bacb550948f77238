"""What somebody writes who uses the package: type checkers find nothing here, and know these types. It also runs."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np

import micrograd_bp as mb
from micrograd_bp import Value, nn
from micrograd_bp.drawing import Graph
from micrograd_bp.training import History

# --- operators, methods and functions ---------------------------------------------------------------------------------

x = Value(0.5, name="x")
y = Value(2, name="y")
assert_type(x * y, Value)
assert_type(2 * x, Value)
assert_type(x + 1, Value)
assert_type(1 - x, Value)
assert_type(x / y, Value)
assert_type(x**2, Value)
assert_type(2**x, Value)
assert_type(-x, Value)
assert_type(abs(x), Value)
assert_type(x * np.float32(2.0), Value)
assert_type(x.tanh(), Value)
assert_type(x.maximum(0.0), Value)
assert_type(x.leaky_relu(slope=0.1), Value)
assert_type(x.clip(low=0.0, high=y), Value)
assert_type(x.arctan2(y), Value)
assert_type(sum([x, y], Value(0.0)), Value)
assert_type(x < y, bool)

assert_type(mb.tanh(x), Value)
assert_type(mb.tanh(0.5), float)
assert_type(mb.maximum(x, 1.0), Value)
assert_type(mb.maximum(1.0, x), Value)
assert_type(mb.maximum(1.0, 2), float)
assert_type(mb.where(x < 1, x, 0.0), Value)
assert_type(mb.where(x, 1.0, 0.0), Value)
assert_type(mb.where(True, 1.0, y), Value)
assert_type(mb.where(mb.step(x), lambda: mb.sqrt(x), 0.0), Value)
assert_type(mb.where(x, lambda: 1.0, lambda: mb.exp(x)), Value)
assert_type(mb.where(x < 1, lambda: mb.exp(x), lambda: x), Value)
assert_type(mb.where(x < 1, lambda: mb.exp(x), x), Value)
assert_type(mb.where(x < 1, lambda: 2.0, y), Value)
assert_type(mb.where(x < 1, lambda: mb.exp(x), 0.0), Value | float)
assert_type(mb.where(True, lambda: 1.0, 2.0), float)
assert_type(mb.step(x).where(lambda: mb.sqrt(x), 0.0), Value)
assert_type(mb.clip(x, low=0.0, high=1.0), Value)
assert_type(mb.leaky_relu(x), Value)
assert_type(mb.exp(np.float64(0.0)), float)
assert_type(mb.tanh.name, str)
assert_type(mb.OPS["tanh"], mb.Op)


@mb.op(lambda x, out: 3.0 * mb.square(x))
def cubed(x: float) -> float:
    return x * x * x


assert_type(cubed(x), Value)
assert_type(cubed(2.0), float)

# --- the graph and its gradients --------------------------------------------------------------------------------------

loss = (x * y - 1) ** 2
assert_type(loss.backward(), None)
assert_type(loss.backward(create_graph=True), dict[Value, Value])
assert_type(loss.backward(2.0, True), dict[Value, Value])
assert_type(x.grad, float)
assert_type(x.data, float)
assert_type(loss.op, mb.Op | None)
assert_type(loss.args, tuple[Value | float, ...])
assert_type(loss.local_grads, tuple[float | None, ...])
assert_type(mb.topological_order(loss), list[Value])
for arg in loss.args:
    if isinstance(arg, Value):
        assert_type(arg.grad, float)

assert_type(loss.graph(view="values", depth=2), Graph)
assert_type(loss.graph().dot, str)
assert_type(mb.draw(loss, edges="flow", title="loss"), Graph)
assert_type(mb.explain(loss, x).latex, str)

# --- derivatives of functions -----------------------------------------------------------------------------------------


def f(a: float, b: float, *, scale: float = 1.0) -> float:
    return scale * mb.tanh(a * b)


mb.grad(f)(1.0, 2.0)
mb.grad(f, argnums=(0, -1))(1.0, 2.0)
mb.grad(f, argnums=0)(1.0, b=2.0, scale=3.0)
value, gradient = mb.value_and_grad(f)(1.0, 2.0, scale=2.0)
mb.jacobian(f, argnums=np.int64(1))(1.0, 2.0)
assert_type(mb.hessian(f)(1.0, 2.0), list[list[Any]])
mb.jvp(f, (1.0, 2.0), (1.0, 0.0))
mb.hvp(mb.exp, 1.0, 1.0)
mb.directional_derivative(f, (1.0, 2.0), (1.0, 0.0))
assert_type(mb.taylor(mb.exp, 0.0, 3), list[Any])

fast = mb.compile(f)
fast(1.0, 2.0, scale=2.0)
assert_type(fast.value_and_grad(1.0, 2.0)[0], float)
assert_type(fast.hessian(1.0, 2.0), list[list[float]])
assert_type(fast.listing(1.0, 2.0), str)
assert_type(fast.draw(1.0, 2.0, digits=3), Graph)


@mb.compile(backend="python")
def g(a: float) -> float:
    return a * a


g(2.0)

# --- networks and training --------------------------------------------------------------------------------------------

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
model = nn.MLP(2, [2, 1], activation="tanh", seed=0)
output = model(X[0])
output.backward()
score: Value = model([0.0, 1.0])
assert_type(output * 2, Value)
several = nn.Layer(2, 3, nonlin=False, seed=0)([1.0, x])
assert_type(several[0], Value)
assert_type([out.data for out in several], list[float])
listed: list[Value] = nn.Layer(2, 3, seed=0)(X[1])
assert_type(nn.Neuron(2, seed=0)([x, 1.0]), Value)
assert_type(model.parameters(), list[Value])
assert_type(mb.draw(model, title="XOR", inputs=X[1]), Graph)

history = mb.fit(model, X, Y, epochs=np.int64(2), batch=2, optimizer="adam", progress=False)
assert_type(history, History)
mb.fit(model, [[0.0, 1.0]], [1.0], epochs=1, optimiser=mb.optim.Adam(model.parameters()), progress=False)
