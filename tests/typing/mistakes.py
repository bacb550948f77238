"""What somebody writes by mistake. Type checkers report an error in each marked line, mypy the one of that code."""

from __future__ import annotations

import micrograd_bp as mb
from micrograd_bp import Value, nn
from micrograd_bp import ieee  # error: attr-defined

x = Value(0.5)
model = nn.MLP(2, [2, 1])

x.tnah()  # error: attr-defined
x.gard  # error: attr-defined
x.grda = 1.0  # error: attr-defined
(x * x).bakward()  # error: attr-defined
mb.ieee  # error: attr-defined
mb.math  # error: attr-defined
mb.tahn(x)  # error: attr-defined
mb.exp(x, x, x)  # error: call-overload
mb.exp()  # error: call-overload
mb.exp("1")  # error: call-overload
mb.maximum(x, None)  # error: call-overload
mb.where(x, "1", lambda: x)  # error: call-overload
mb.clip(x, lo=0.0, high=1.0)  # error: call-overload
x.leaky_relu(slop=1)  # error: call-arg
x.maximum()  # error: call-arg
x * "2"  # error: operator
[1.0] + x  # error: operator
slope: float = x.tanh()  # error: assignment
x.backward().keys()  # error: attr-defined
x.graph(veiw="values")  # error: call-arg
x.graph(view="valeus")  # error: arg-type
mb.draw(x, direction="RL")  # error: call-overload
mb.draw(model, titel="x")  # error: call-overload
mb.draw(model, view="steps")  # error: call-overload
mb.draw(3.0)  # error: call-overload
mb.explain(x).latx  # error: attr-defined
model([1.0, 2.0]).tnah()  # error: attr-defined
model(1.0)  # error: arg-type
nn.Layer(2, 3, nonlinear=True)  # error: call-arg


def f(a: float, b: float) -> float:
    return a * b


mb.grad(f)(1.0)  # error: call-arg
mb.grad(f)(1.0, "2")  # error: arg-type
mb.grad(f)(1.0, c=2.0)  # error: call-arg
mb.hessian(f)(1.0, 2.0, 3.0)  # error: call-arg
mb.grad(f, argnum=0)  # error: call-arg
mb.grad(f, argnums="a")  # error: arg-type
mb.compile(f)(1.0)  # error: call-arg
mb.compile(f, backend="nativ")  # error: call-overload
mb.compile(f).draw(1.0, 2.0, veiw="values")  # error: call-arg
mb.fit(model, [[0.0, 1.0]], [1.0], epoch=3)  # error: call-arg
mb.fit(model, [[0.0, 1.0]], [1.0], epochs=3.0)  # error: arg-type
mb.fit(model, [[0.0, 1.0]], [1.0], batch="ful")  # error: arg-type
