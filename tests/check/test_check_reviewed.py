"""What fresh eyes found in the gradient check: wrong gradients that passed, right ones that did not."""

import math

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, check_gradient
from micrograd_bp.strategies import expressions, gradient_property, points_in, values

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


def softmax_loss(z):
    z = z.astype(np.float32)
    z = z - z.max()
    return -(z[2] - np.log(np.exp(z).sum()))


def softmax_slope(z):
    z = z.astype(np.float32)
    p = np.exp(z - z.max())
    p /= p.sum()
    p[2] -= 1
    return p


RIGHT = [
    ("keys in another order", lambda p: p["a"] * p["b"] ** 2, ({"a": 2.0, "b": 3.0},), lambda p: {"b": 12.0, "a": 9.0}),
    ("cancellation", lambda x: (math.exp(x) - 1) / x, (1e-9,), lambda x: 0.5 + x / 3),
    ("a constant beside", lambda x: [x * x, 3.0], (1.0,), lambda x: [2.0, 1e-12]),
    ("a large period", math.sin, (1e8,), math.cos),
]


@pytest.mark.parametrize(("f", "inputs", "grad"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_right_gradients_pass(f, inputs, grad):
    assert check_gradient(f, *inputs, grad=grad, atol=1e-9).verdict in ("right", "ill-conditioned")


@pytest.mark.parametrize("seed", range(20))
def test_functions_in_32_bits(seed):
    logits = 10 * np.random.default_rng(seed).normal(size=5).astype(np.float32)
    assert check_gradient(softmax_loss, logits, grad=softmax_slope).verdict in ("right", "ill-conditioned")
    with pytest.raises(GradientMismatch):
        check_gradient(softmax_loss, logits, grad=lambda z: softmax_slope(z) + 0.5)


def test_shapes_and_keys_have_to_fit():
    with pytest.raises(ValueError, match=r"grad has shape \(4, 3\); the input that it belongs to has \(3, 4\)"):
        check_gradient(lambda W: float(W.sum()), np.ones((3, 4)), grad=lambda W: np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"grad has the keys \['b'\]; the input that it belongs to has \['a'\]"):
        check_gradient(lambda p: p["a"] * 2.0, {"a": 1.0}, grad=lambda p: {"b": 2.0})


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


def test_a_wrong_slope_at_a_kink_of_a_row_of_ones_own(own_ops):
    @mb.op(lambda x, out: mb.where(x, mb.step(x), 5.0), kinks=(lambda x: x,))
    def ramp(x):
        return max(x, 0.0)

    assert check_gradient(ramp, 1.0).verdict == "right"
    with pytest.raises(GradientMismatch):
        check_gradient(ramp, 0.0)


@pytest.mark.parametrize("error", [KeyError, RuntimeError, IndexError, AssertionError])
def test_where_the_function_raises_it_ends(error):
    def f(x):
        if x > 1.2:
            raise error("beyond")
        return x * x

    assert check_gradient(f, 1.0, grad=lambda x: 2 * x).verdict == "right"
    with pytest.raises(error, match="beyond"):
        check_gradient(f, 2.0, grad=lambda x: 2 * x)


class Tensor:
    """What other libraries give: something that tells its numbers by `tolist`."""

    def __init__(self, x):
        self.x = x

    def tolist(self):
        return self.x


def test_tensors_within_tuples_are_numbers():
    def grad(x, y):
        return (Tensor(y), {"y": Tensor([x])}["y"])

    assert check_gradient(lambda x, y: Tensor(x * y), 2.0, 3.0, grad=grad).verdict == "right"


def test_entries_of_matrices_have_two_indices():
    one = np.zeros((3, 4))
    one[1, 2] = 1.0
    with pytest.raises(GradientMismatch, match=r"W\[1, 2\]"):
        check_gradient(
            lambda W: float((W * W).sum()),
            np.ones((3, 4)),
            grad=lambda W: 2 * W + (W * 0 + np.eye(3, 4, 1) * [[0], [1], [0]]),
        )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_gradient(2.0, 1.0), TypeError, "f is a function, not float"),
        (lambda: check_gradient(mb.sin, 1.0, rtol="a"), ValueError, "rtol is a number from 0 on, not 'a'"),
        (lambda: check_gradient(mb.sin, 1.0, mode=["reverse"]), ValueError, "mode is one of"),
        (lambda: check_gradient(mb.sin, 1.0, order=2.0), ValueError, "order is 1 or 2, not 2.0"),
        (lambda: check_gradient(mb.sin, 1.0, wrt=mb.Value(1.0)), TypeError, "wrt is a sequence of leaves"),
        (lambda: check_gradient(mb.sin, 1.0, wrt=[1.0]), TypeError, "wrt is a sequence of leaves"),
        (lambda: mb.op(3.0)(math.sinh), TypeError, "a derivative rule is a function"),
        (lambda: mb.op(lambda x, out: out, name="lambda")(math.exp), ValueError, "'lambda' is no name"),
        (lambda: expressions(ops=[]).example(), ValueError, "no operation given; there are add"),
        (lambda: expressions(ops=["sine"]).example(), ValueError, "no operation 'sine'"),
        (lambda: expressions(max_nodes=0).example(), ValueError, "max_nodes is a whole number from 1, not 0"),
        (lambda: points_in("logarithm"), ValueError, "no operation 'logarithm'"),
    ],
)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_function_that_is_not_finite_says_so():
    assert "not finite" in str(check_gradient(lambda x: math.nan, 1.0, grad=lambda x: 3.0))


def test_sums_that_overflow_are_found():
    x = mb.Value(1.0, "x")
    root = (x * 1.7e308 - 1.7e308) + (x * 1.7e308 - 1.7e308)
    found = mb.trace_nonfinite(root)
    assert "what arrives at x over several paths sums to inf" in str(found)


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


@pytest.mark.parametrize("x", [3e-215, 1e-94, 5e-8])
def test_steeper_than_differences_can_see_is_no_mistake(x):
    slope = mb.grad(lambda y: mb.pow(y, y))
    assert check_gradient(lambda y: float(mb.pow(y, y)), x, grad=slope).verdict in ("right", "ill-conditioned")
    assert check_gradient(math.sqrt, x, grad=lambda y: 0.5 / math.sqrt(y)).verdict in ("right", "ill-conditioned")


def test_a_property_draws_again_where_the_function_ends():
    @gradient_property(grad=lambda x: 1 / x, x=values(-1.0, 10.0))
    def logarithm(x):
        return math.log(x)

    logarithm()

    @gradient_property(grad=lambda x: -1 / x**2, x=values(0.0, 3.0))
    def reciprocal(x):
        return 1 / x

    reciprocal()
    with pytest.raises(TypeError, match="y has a default; give it a strategy, y=values"):

        @gradient_property
        def with_default(x, y=2.0):
            return x * y


@pytest.mark.parametrize("x", [14.0, 13.5, -14.2, 12.4])
def test_slopes_that_90_digits_do_not_show(x):
    assert check_gradient(mb.erf, x).verdict == "right"
