"""`check_gradient` finds what is wrong, says what it is, and leaves alone what is right."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mismatch import mismatch
from points import fixed

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, Value, check_gradient, nn
from micrograd_bp.check.strategies import expressions

# --- right gradients pass ---------------------------------------------------------------------------------------------


@given(expressions(max_nodes=6, n_leaves=3))
def test_right_gradients_raise_no_alarm(e):
    report = check_gradient(e, *e.point, order=2, mode="both")
    assert report.method == "replay"
    assert report.verdict in ("right", "kink", "ill-conditioned")


@given(expressions(max_nodes=6, n_leaves=2, away_from_kinks=True, leaf=st.integers(-8, 8).map(lambda n: n / 4)))
def test_differences_raise_no_alarm(e):
    report = check_gradient(lambda *a: float(e(*a)), *e.point, grad=mb.grad(e))
    assert report.method == "differences"
    if check_gradient(e, *e.point).verdict == "right":
        assert report.verdict in ("right", "kink", "ill-conditioned")


@pytest.mark.slow
@pytest.mark.parametrize("op", mb.OPS.values(), ids=mb.OPS)
def test_every_row_is_right_in_every_mode(op):
    for args in fixed(op, 12):
        if all(1e-3 < abs(x) < 30 for x in args) and math.isfinite(op.fn(*args)):
            report = check_gradient(op, *args, order=2, mode="both")
            assert report.verdict in ("right", "kink", "ill-conditioned"), (args, report)


def test_nested_structures_arrays_and_names():
    report = check_gradient(lambda w, b: w["a"][0] * w["a"][1] + b, {"a": [2.0, 3.0]}, 1.0)
    assert [(f.name, f.computed) for f in report.findings] == [("w['a'][0]", 3.0), ("w['a'][1]", 2.0), ("b", 1.0)]
    assert check_gradient(lambda w: w @ w, np.array([1.0, 2.0])).method == "replay"
    norm = check_gradient(lambda w: float(np.linalg.norm(w)) ** 2, np.array([3.0, 4.0]), grad=lambda w: 2 * w)
    assert (norm.verdict, norm.method) == ("right", "differences")
    assert [f.name for f in check_gradient(lambda v: v * v, Value(2.0, "speed")).findings] == ["speed"]


def test_several_results_against_a_jacobian():
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert check_gradient(lambda x: rotation @ x, np.array([1.0, 2.0]), grad=lambda x: rotation).verdict == "right"
    error = mismatch(lambda x: rotation @ x, np.array([1.0, 2.0]), grad=lambda x: rotation.T)
    assert "d f[" in str(error)
    assert len(check_gradient(lambda x, y: [x * y, x], 2.0, 3.0, order=2).findings) == 4 + 8


def test_parameters_that_the_function_reads_by_itself():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    loss = model([0.5, -1.0]) ** 2
    loss.backward()
    before = [(p.data, p.grad) for p in model.parameters()]
    report = check_gradient(lambda: model([0.5, -1.0]) ** 2, wrt=model.parameters(), order=2)
    assert report.verdict == "right"
    assert report.findings[0].name == "w1_11"
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_the_report_tells():
    report = check_gradient(lambda x, y: mb.tanh(x) * y, 0.5, 2.0)
    assert "right: d f / d x" in str(report)
    assert [node.label for node in report.nodes] == ["tanh(x)", "mul(tanh, y)"]
    assert all(node.value < 4 and node.carried < 4 for node in report.nodes)
    assert "derivatives" in str(report.nodes[0])


# --- wrong gradients are found ----------------------------------------------------------------------------------------


HINTS = {
    "it is twice the right one": lambda x, y: (2 * math.cos(x) * y, math.sin(x)),
    "it is half the right one": lambda x, y: (math.cos(x) * y / 2, math.sin(x)),
    "it is 3 times the right one": lambda x, y: (math.cos(x) * y, 3 * math.sin(x)),
    "it is a third of the right one": lambda x, y: (math.cos(x) * y / 3, math.sin(x)),
    "it is 4 times the right one": lambda x, y: (4 * math.cos(x) * y, math.sin(x)),
    "it is a quarter of the right one": lambda x, y: (math.cos(x) * y, math.sin(x) / 4),
    "it has the opposite sign": lambda x, y: (math.cos(x) * y, -math.sin(x)),
    "it is the derivative by y: are two of them swapped?": lambda x, y: (math.sin(x), math.cos(x) * y),
    "it is the derivative by x: are two of them swapped?": lambda x, y: (math.cos(x) * y, math.cos(x) * y),
    "it is 0 or missing, but the function changes": lambda x, y: (math.cos(x) * y, 0.0),
    "it is not finite, but the function is smooth here": lambda x, y: (math.inf, math.sin(x)),
}


@pytest.mark.parametrize("said", HINTS)
@pytest.mark.parametrize("m", [mb, math], ids=["replay", "differences"])
def test_hints_by_numbers_alone(said, m):
    assert f"hint: {said}" in str(mismatch(lambda x, y: m.sin(x) * y, 0.7, 5.5, grad=HINTS[said]))


@pytest.mark.parametrize("m", [mb, math], ids=["replay", "differences"])
def test_no_hint_fits_every_mistake(m):
    assert "hint" not in str(mismatch(lambda x, y: m.sin(x) * y, 0.7, 5.5, grad=lambda x, y: (4.9, math.sin(x))))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: math.sin(x), "only one of 3 uses is counted, that in mul"),
        (lambda x: x * math.cos(x), "only one of 3 uses is counted, that in sin"),
        (lambda x: x * math.cos(x) + 0.75, "one of 3 uses is not counted, that in mul"),
        (lambda x: math.sin(x) + 0.75, "one of 3 uses is not counted, that in sin"),
    ],
)
def test_hints_by_the_uses_of_a_variable(wrong, said):
    assert f"hint: {said}" in str(mismatch(lambda x: x * mb.sin(x) + 0.75 * x, 1.3, grad=wrong))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: math.exp(math.sin(x)), f"a factor {math.cos(0.4):.6g} is missing, the derivative of sin"),
        (lambda x: math.cos(x), f"a factor {math.exp(math.sin(0.4)):.6g} is missing, the derivative of exp"),
        (
            lambda x: math.exp(math.sin(x)) * math.cos(x) ** 2,
            f"a factor {math.cos(0.4):.6g}, the derivative of sin, occurs once too often",
        ),
        (
            lambda x: math.exp(math.sin(x)) ** 2 * math.cos(x),
            f"a factor {math.exp(math.sin(0.4)):.6g}, the derivative of exp, occurs once too often",
        ),
    ],
)
def test_hints_by_the_factors_of_the_chain(wrong, said):
    assert f"hint: {said}" in str(mismatch(lambda x: mb.exp(mb.sin(x)), 0.4, grad=wrong))


@pytest.mark.parametrize(
    ("f", "wrong", "point", "said"),
    [
        (lambda x: x * mb.tanh(x), lambda x: mb.tanh(x), 1.0, "one of 2 uses is not counted"),
        (lambda x: mb.sin(x * x), lambda x: mb.cos(x * x), 1.3, "a factor 2.6 is missing|a factor 1.3 is missing"),
        (lambda x: mb.cos(x), lambda x: mb.sin(x), 1.0, "opposite sign"),
        (lambda x: x**3, lambda x: 3 * x**3, 2.0, "twice"),
        (lambda x: x * x, lambda x: 0.0, 2.0, "0 or missing"),
        (lambda x: x * x, lambda x: math.nan, 2.0, "not finite"),
        (lambda x: math.sin(x), lambda x: -math.cos(x), 1.0, "opposite sign"),
        (lambda x: math.fabs(x), lambda x: 3.0, 0.0, "between -1 and 1 is right"),
    ],
)
def test_what_a_mistake_looks_like_is_said(f, wrong, point, said):
    error = mismatch(f, point, grad=wrong)
    assert error.kind == "wrong gradient"
    assert any(part in str(error) for part in said.split("|")), str(error)
    assert error.report.verdict == "wrong"


def test_swapped_arguments_are_seen():
    assert "swapped" in str(mismatch(lambda x, y: x * y + x, 2.0, 5.0, grad=lambda x, y: (x, y + 1)))


def test_a_wrong_rule_is_named(change_op):
    change_op(mb.OPS["tanh"], partials=(lambda x, out: 1.0 - out,))
    error = mismatch(lambda x, w: mb.exp(mb.tanh(w * x)) + w, 0.5, 2.0)
    assert error.kind == "wrong rule"
    assert error.node.op is mb.tanh
    assert "in tanh(mul): d tanh / d x = 0.2384" in str(error)
    assert mismatch(lambda x: mb.tanh(x), 1.0, mode="forward").kind == "wrong rule"


def test_a_wrong_value_is_named(change_op):
    change_op(mb.OPS["exp"], fn=lambda x: math.exp(x) * 1.001)
    assert "is not that of its definition" in str(mismatch(lambda x: mb.exp(x), 1.0))


def test_a_dropped_accumulation_in_the_engine_is_found(monkeypatch):
    def last_use_only(root, seed=1.0):
        order = mb.topological_order(root)
        adjoints = {root: seed}
        for node in reversed(order):
            for arg, local in zip(node.args, node.local_grads, strict=True):
                if isinstance(arg, Value):
                    adjoints[arg] = adjoints[node] * local
        for node in order:
            node.grad = adjoints[node]

    monkeypatch.setattr(Value, "backward", last_use_only)
    error = mismatch(lambda x: mb.sin(x) * x, 2.0)
    assert error.kind == "wrong accumulation"
    assert "only one of 2 uses is counted" in str(error)


def test_a_constant_made_from_data_is_found():
    error = mismatch(lambda x: x * math.tanh(x.data), 0.5)
    assert "changes with the inputs: was it computed from .data" in str(error)


def test_what_is_no_function_is_refused():
    assert mismatch(lambda x: x * random.random(), 1.0).kind == "not deterministic"
    calls = []
    stale = mismatch(lambda x: math.sin(x), 1.0, grad=lambda x: calls.append(x) or math.cos(calls[len(calls) // 2]))
    assert stale.kind in ("not deterministic", "wrong gradient")
    assert mismatch(lambda xs: xs.pop() * xs[0], [1.0, 2.0, 3.0]).kind == "inputs changed"

    def overwrites(x):
        x[0] = 5.0
        return float(x.sum())

    assert "changes x[0]" in str(mismatch(overwrites, np.array([1.0, 2.0]), grad=lambda x: np.ones(2)))


# --- where one cannot tell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point", "verdict"),
    [
        (mb.relu, 0.0, "kink"),
        (mb.sqrt, 0.0, "kink"),
        (lambda x: x * 2 if x > 0 else x * 3, 0.0, "kink"),
        (lambda x: x * 2 if x > 0 else x * 3, 1.0, "right"),
        (lambda x: ((x + 1e9) - 1e9) ** 2, 1e-5, "ill-conditioned"),
        (lambda x: x - x, 1.0, "right"),
        (lambda x: x * 0.0, 1.0, "right"),
        (lambda x: mb.exp(x * 1e3), 1.0, "ill-conditioned"),
        (lambda x: 3.0, 1.0, "right"),
    ],
)
def test_verdicts(f, point, verdict):
    assert check_gradient(f, point).verdict == verdict


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="mode is one of"):
        check_gradient(mb.sin, 1.0, mode="backward")
    with pytest.raises(ValueError, match="order is 1 or 2"):
        check_gradient(mb.sin, 1.0, order=3)
    with pytest.raises(ValueError, match="no number to differentiate by"):
        check_gradient(lambda: 1.0)
    with pytest.raises(ValueError, match="returns 2 numbers; 1 derivatives are needed"):
        check_gradient(mb.sin, 1.0, grad=lambda x: [1.0, 2.0])
    with pytest.raises(ValueError, match="check its rows"):
        check_gradient(mb.sin, 1.0, grad=mb.cos, order=2)
    with pytest.raises(TypeError, match="grad is a function"):
        check_gradient(mb.sin, 1.0, grad=1.0)
    with pytest.raises(ValueError, match="rtol is a number from 0 on"):
        check_gradient(mb.sin, 1.0, rtol=-1.0)
    with pytest.raises(mb.DomainError):
        check_gradient(mb.log, -1.0)


def test_found_by_the_fuzz_target():
    tiny = lambda x, y: float(mb.exp(y) * mb.pow(y, x))  # noqa: E731
    point = (-1.5529397278408159e-86, 3.001452648651859e-160)
    report = check_gradient(tiny, *point, grad=mb.grad(lambda x, y: mb.exp(y) * mb.pow(y, x)))
    assert report.verdict == "ill-conditioned"
    assert check_gradient(lambda y: mb.log_sigmoid(mb.atan2(y, y)), -0.0).verdict == "kink"
    isolated = check_gradient(lambda y, z: mb.where(z, 3.0, mb.where(y, 3.0, 3.0)), 2.3e-308, 0.0)
    assert isolated.verdict == "right"
    assert check_gradient(lambda x, y: mb.pow(x, y), 0.0, 1.3132616875182228).verdict == "kink"
    assert check_gradient(lambda x, y: mb.pow(x, y), 0.0, 0.999999999984259).verdict == "kink"
    for y in (1.0026539993030568, 1.0 + 2.0**-52, 1.0 - 2.0**-53):
        assert check_gradient(lambda x, y=y: mb.pow(x, y), -0.0).verdict == "kink"
    assert check_gradient(lambda z: mb.square(z / z), 1.1125369292536007e-308).verdict == "ill-conditioned"


WRONG = [
    ("beside 0, replayed", lambda x: mb.exp(1 + x), (0.0,), lambda x: 99.0),
    ("a bias of 0", lambda w, b: mb.tanh(w * 1.5 + b), (0.3, 0.0), lambda w, b: (1.5 / math.cosh(0.45) ** 2, -7.0)),
    ("an array of zeros", lambda w: ((w - 1) ** 2).sum(), (np.zeros(3),), lambda w: w * 5),
    ("a tiny input", lambda x: mb.exp(x) * 3, (1e-10,), lambda x: 3.00001),
    ("beside a large value", lambda x, y: x * 1e6 + mb.sin(y) * 1e-9, (1.0, 1.0), lambda x, y: (1e6, -5.403e-10)),
    ("a subnormal gradient", lambda x: 1e-310 * x, (0.7,), lambda x: 0.0),
    ("keys swapped", lambda p: p["a"] * p["b"] ** 2, ({"a": 2.0, "b": 3.0},), lambda p: {"a": 12.0, "b": 9.0}),
    ("beside a kink", lambda x: max(x - 1, 0.0), (1 + 1e-9,), lambda x: 0.0),
    ("an infinite slope", math.sqrt, (0.0,), lambda x: 5.0),
    ("an infinite slope of the other sign", math.cbrt, (0.0,), lambda x: -math.inf),
    ("a kink of the graph", mb.relu, (0.0,), lambda x: 7.0),
    ("a constant beside", lambda x: [x * x, 3.0], (1.0,), lambda x: [2.0, 1e-3]),
]


@pytest.mark.parametrize(("f", "inputs", "grad"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_gradients_do_not_pass(f, inputs, grad):
    with pytest.raises(GradientMismatch):
        check_gradient(f, *inputs, grad=grad)


RIGHT = [
    ("keys in another order", lambda p: p["a"] * p["b"] ** 2, ({"a": 2.0, "b": 3.0},), lambda p: {"b": 12.0, "a": 9.0}),
    ("cancellation", lambda x: (math.exp(x) - 1) / x, (1e-9,), lambda x: 0.5 + x / 3),
    ("a constant beside", lambda x: [x * x, 3.0], (1.0,), lambda x: [2.0, 1e-12]),
    ("a large period", math.sin, (1e8,), math.cos),
]


@pytest.mark.parametrize(("f", "inputs", "grad"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_right_gradients_pass(f, inputs, grad):
    assert check_gradient(f, *inputs, grad=grad, atol=1e-9).verdict in ("right", "ill-conditioned")


def test_a_wrong_row_without_a_definition_is_named(own_ops):
    @mb.op(lambda x, out: 2 * x * x)
    def cubed(x):
        return x**3

    for f in (cubed, lambda x: mb.sin(cubed(x) * 2)):
        with pytest.raises(GradientMismatch, match="cubed"):
            check_gradient(f, 1.5)
    with pytest.raises(GradientMismatch):
        check_gradient(cubed, 1.5, mode="forward")


def test_a_row_that_shares_a_name_with_mpmath_is_its_own(own_ops):
    @mb.op(lambda x, out: 2 * x)
    def zeta(x):
        return x * x + 1

    assert check_gradient(zeta, 1.5).verdict == "right"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_gradient(2.0, 1.0), TypeError, "f is a function, not float"),
        (lambda: check_gradient(mb.sin, 1.0, rtol="a"), ValueError, "rtol is a number from 0 on, not 'a'"),
        (lambda: check_gradient(mb.sin, 1.0, mode=["reverse"]), ValueError, "mode is one of"),
        (lambda: check_gradient(mb.sin, 1.0, order=2.0), ValueError, "order is 1 or 2, not 2.0"),
        (lambda: check_gradient(mb.sin, 1.0, wrt=mb.Value(1.0)), TypeError, "wrt is a sequence of leaves"),
        (lambda: check_gradient(mb.sin, 1.0, wrt=[1.0]), TypeError, "wrt is a sequence of leaves"),
    ],
)
def test_arguments_of_another_kind_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_function_that_is_not_finite_says_so():
    assert "not finite" in str(check_gradient(lambda x: math.nan, 1.0, grad=lambda x: 3.0))


def test_a_gradient_that_changes_its_inputs():
    def grad(w):
        w *= 2.0
        return w

    assert mismatch(lambda w: (w * w).sum(), np.ones(2), grad=grad).kind == "inputs changed"


def test_what_the_function_does_not_use_is_told():
    read, unread = mb.Value(2.0, "read"), mb.Value(3.0, "unread")
    report = check_gradient(lambda x, y: [x * read, read * 0.0], 1.5, 4.0, wrt=[read, unread])
    told = {finding.name for finding in report.findings if finding.reason == "the function does not use it"}
    assert told == {"y", "unread"}
    assert report.verdict == "right"
    assert "d f[0] / d unread = 0.0, expected 0.0  (the function does not use it)" in str(report)
