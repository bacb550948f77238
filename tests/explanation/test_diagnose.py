"""Where nan and inf are born, and why a gradient is zero."""

import math

import pytest

import micrograd_bp as mb
from micrograd_bp import Value, nn, trace_nonfinite, why_zero


def test_all_finite():
    x = Value(1.0)
    assert trace_nonfinite((x * 2).tanh()) is None


def test_born_forward():
    x, y = Value(800.0, "x"), Value(1.0, "y")
    e = x.exp()
    root = (e - e) * y + 1
    found = trace_nonfinite(root)
    assert (found.direction, found.node, found.arg) == ("forward", e, None)
    assert found.path == (e, root.args[0].args[0], root.args[0], root)
    assert str(found) == "forward: exp(x) = inf from x = 800.0; it reaches the root through exp, sub, mul, add"
    assert not x.has_grad


def test_given_so():
    x = Value(math.nan, "x")
    found = trace_nonfinite(x * 2)
    assert str(found) == "forward: x = nan is a leaf; it reaches the root through x, mul"
    assert str(trace_nonfinite(x)) == "forward: x = nan is a leaf; it is the root itself"


def test_born_backward():
    x = Value(0.0, "x")
    root = x.sqrt() * 3 + x
    found = trace_nonfinite(root)
    assert (found.direction, found.node, found.arg) == ("backward", root.args[0].args[0], x)
    assert str(found) == "backward: d sqrt(x) / d x = inf at x = 0.0; it reaches the root through sqrt, mul, add"
    assert trace_nonfinite(x.sqrt() * 0) is None  # an adjoint of exactly 0 passes nothing on


def test_overflow_on_the_way_back():
    x = Value(1e-300, "x")
    found = trace_nonfinite((x * 1e200) * 1e200)
    assert found.direction == "backward"
    assert "d mul(x, 1e+200) / d x = 1e+200" in str(found)
    assert "times the adjoint 1e+200, overflows" in str(found)


def test_long_paths_are_shortened():
    v = Value(math.inf, "x")
    for _ in range(50):
        v = v + 1
    assert "x, add, add, add, ... 44 more ..., add, add, add" in str(trace_nonfinite(v))


@pytest.mark.parametrize(
    ("at", "expression", "kinds"),
    [
        (1.0, lambda x: x * 2, []),
        (1.0, lambda x: Value(3.0) * 2, ["disconnected"]),
        (-2.0, lambda x: x.relu(), ["flat"]),
        (0.0, lambda x: x.relu(), ["kink"]),
        (-2.0, lambda x: (x * 3).relu() + x.relu(), ["flat", "flat"]),
        (5.0, lambda x: x.clip(0, 1), ["flat"]),
        (5.0, lambda x: mb.where(0.0, x, 1.0), ["flat"]),
        (5.0, lambda x: mb.maximum(x, 7), ["flat"]),
        (-1.0, lambda x: mb.maximum(x, 0.0), ["flat"]),
        (2.0, lambda x: x.sign(), ["flat"]),
        (2.0, lambda x: mb.where(x, 1.0, 2.0), ["flat"]),
        (2.0, lambda x: x * 0, ["multiplied by zero"]),
        (2.0, lambda x: x * (Value(1.0) - 1), ["multiplied by zero"]),
        (2.0, lambda x: 0 / x, ["multiplied by zero"]),
        (0.0, lambda x: x * x, ["multiplied by zero"]),
        (0.0, lambda x: x**2, ["stationary"]),
        (0.0, lambda x: x.cos(), ["stationary"]),
        (0.0, lambda x: x.square().tanh(), ["stationary"]),
        (800.0, lambda x: x.sigmoid(), ["saturated"]),
        (-500.0, lambda x: x.tanh() * 3, ["saturated"]),
        (-800.0, lambda x: x.exp(), ["saturated"]),
        (1.0, lambda x: x * 1e-200 * 1e-200, ["underflow"]),
        (1.0, lambda x: x - x, ["cancelled"]),
        (1.0, lambda x: (x * 3 - 3 * x) * 5, ["cancelled"]),
    ],
)
def test_why_zero(at, expression, kinds):
    x = Value(at, "x")
    root = expression(x)
    reasons = why_zero(root, x)
    assert [reason.kind for reason in reasons] == kinds
    root.backward()
    assert (x.grad == 0.0) == bool(kinds)
    for reason in reasons:
        assert str(reason).startswith(reason.kind)


def test_in_a_network():
    model = nn.MLP(2, [1, 1], "relu", init=nn.constant(-1.0))
    w = model.layers[0].neurons[0].w[0]
    (reason,) = why_zero(model([1.0, 2.0]), w)
    assert str(reason) == "flat: relu is constant at z1_1 = -3.0"


def test_adjoints_leave_grads_alone():
    x = Value(3.0)
    assert mb.adjoints(x * x, [x]) == [6.0]
    assert not x.has_grad


def test_sums_that_overflow_are_found():
    x = mb.Value(1.0, "x")
    root = (x * 1.7e308 - 1.7e308) + (x * 1.7e308 - 1.7e308)
    found = mb.trace_nonfinite(root)
    assert "the contributions to x over several paths sum to inf" in str(found)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (lambda x: mb.maximum(x, 3.0001), "flat"),
        (lambda x: mb.clip(x, -1.0, 2.9995), "flat"),
        (lambda x: mb.square(x - 3.0), "stationary"),
    ],
)
def test_why_zero_beside_a_kink(build, kind):
    x = mb.Value(3.0, "x")
    assert [reason.kind for reason in mb.why_zero(build(x), x)] == [kind]
