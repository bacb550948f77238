"""Losses: their numbers by their definitions, their gradients by the checker, their extremes."""

import itertools
import math
import random

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import ShapeError, Value
from micrograd_bp.training.losses import LOSSES, cross_entropy, hinge, l2_penalty, loss_function, mean

A, Y = [0.25, -1.5, 0.75], [1.0, 0.0, 0.5]
DEFINITIONS = {
    "half_squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True)) / 2),
    "squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True))),
    "mean_squared_error": (A, Y, lambda a, y: mpmath.fsum((p - q) ** 2 for p, q in zip(a, y, strict=True)) / 3),
    "binary_cross_entropy": (
        [0.7],
        [0.25],
        lambda a, y: (
            -y[0] * mpmath.log(1 / (1 + mpmath.exp(-a[0]))) - (1 - y[0]) * mpmath.log(1 - 1 / (1 + mpmath.exp(-a[0])))
        ),
    ),
    "cross_entropy": (
        A,
        [0.5, 0.25, 0.25],
        lambda a, y: (
            -mpmath.fsum(
                q * mpmath.log(mpmath.exp(p) / mpmath.fsum(map(mpmath.exp, a))) for p, q in zip(a, y, strict=True)
            )
        ),
    ),
    "hinge": (A, [1.0, -1.0, -1.0], lambda a, y: mpmath.fsum(max(0, 1 - p * q) for p, q in zip(a, y, strict=True))),
}


def test_all_losses_are_defined_here():
    assert set(DEFINITIONS) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_numbers_and_gradients(name):
    outputs, targets, definition = DEFINITIONS[name]
    with mpmath.workdps(30):
        truth = float(definition([mpmath.mpf(a) for a in outputs], [mpmath.mpf(y) for y in targets]))
    loss = loss_function(name)
    assert loss(outputs, targets) == pytest.approx(truth, rel=1e-15)
    assert loss([Value(a) for a in outputs], targets).data == pytest.approx(truth, rel=1e-15)
    assert mb.check_gradient(lambda *a: loss(a, targets), *outputs).verdict == "right"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.data())
def test_cross_entropy_is_finite_and_its_gradient_is_softmax_minus_target(logits, data):
    label = data.draw(st.integers(0, len(logits) - 1))
    values = [Value(z) for z in logits]
    loss = cross_entropy(values, label)
    assert math.isfinite(loss.data)
    loss.backward()
    with mpmath.workdps(30):
        total = mpmath.fsum(mpmath.exp(mpmath.mpf(z)) for z in logits)
        soft = [mpmath.exp(mpmath.mpf(z)) / total for z in logits]
    for j, (value, p) in enumerate(zip(values, soft, strict=True)):
        assert value.grad == pytest.approx(float(p) - (j == label), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LOSSES["squared_error"]([1.0], [1.0, 2.0]), ShapeError, "1 outputs and 2 targets"),
        (lambda: cross_entropy([1.0, 2.0], 2), ValueError, "class 2 does not exist"),
        (lambda: cross_entropy([1.0, 2.0], -1), ValueError, "class -1 does not exist"),
        (lambda: hinge(1.0, 0.0), ValueError, "−1 or 1, not 0"),
        (lambda: LOSSES["binary_cross_entropy"](1.0, 2.0), ValueError, "from 0 to 1, not 2"),
        (lambda: mean([]), ShapeError, "of no numbers is not defined"),
        (lambda: loss_function("cosine"), ValueError, "no loss 'cosine'; give half_squared_error"),
        (lambda: loss_function(3), TypeError, "a name or a function, not int"),
        (lambda: LOSSES["squared_error"]("ab", "cd"), TypeError, "numbers, Values or sequences of them, not str"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_penalty():
    w = [Value(1.0), Value(-2.0)]
    penalty = l2_penalty(w, 0.5)
    penalty.backward()
    assert (penalty.data, w[0].grad, w[1].grad) == (2.5, 1.0, -2.0)


def test_a_class_may_be_a_numpy_integer_and_there_has_to_be_one():
    assert cross_entropy([1.0, 2.0], np.int64(1)) == cross_entropy([1.0, 2.0], 1)
    with pytest.raises(ShapeError):
        cross_entropy([], 0)


# --- accuracy ---------------------------------------------------------------------------------------------------------

EPS = 2.0**-52
SIZES = [
    -700.0,
    -745.2,
    -100.5,
    -40.0,
    -36.8,
    -2.0,
    -1e-3,
    -1e-300,
    0.0,
    1e-17,
    0.3,
    1.0,
    36.9,
    37.5,
    100.25,
    699.9,
    700.0,
]


def softmax(z):
    largest = max(z)
    terms = [mpmath.exp(mpmath.mpf(x) - largest) for x in z]
    return [term / mpmath.fsum(terms) for term in terms]


def true_cross_entropy(z, y):
    """−Σ y ln p and its gradient, with p and y exact."""
    p, total = softmax(z), mpmath.fsum(y)
    return -mpmath.fsum(w * mpmath.log(q) for w, q in zip(y, p, strict=True) if w), [
        total * q - w for w, q in zip(y, p, strict=True)
    ]


def true_binary(z, y):
    (s,) = [1 / (1 + mpmath.exp(-mpmath.mpf(z[0])))]
    up, down = mpmath.log1p(mpmath.exp(-mpmath.mpf(z[0]))), mpmath.log1p(mpmath.exp(mpmath.mpf(z[0])))
    return y[0] * up + (1 - y[0]) * down, [(1 - y[0]) * s - y[0] * (1 - s)]


def true_squares(factor):
    def truth(a, y):
        d = [mpmath.mpf(p) - q for p, q in zip(a, y, strict=True)]
        return factor(len(a)) * mpmath.fsum(e * e for e in d), [2 * factor(len(a)) * e for e in d]

    return truth


def true_hinge(s, y):
    margins = [1 - mpmath.mpf(p) * q for p, q in zip(s, y, strict=True)]
    return mpmath.fsum(max(m, 0) for m in margins), [-q if m > 0 else 0 for m, q in zip(margins, y, strict=True)]


def logits(rng, count):
    return [rng.choice((rng.choice(SIZES), rng.uniform(-700, 700), rng.uniform(-3, 3))) for _ in range(count)]


def one_hot(rng, count):
    return [float(k == 0) for k in rng.sample(range(count), count)]


def spread(rng, count):
    parts = [rng.choice((0.0, 1e-9, rng.random())) for _ in range(count)]
    parts[rng.randrange(count)] += 1.0
    return [part / math.fsum(parts) for part in parts]


TABLE = {
    "half_squared_error": (true_squares(lambda n: mpmath.mpf(1) / 2), lambda r, n: logits(r, n), range(1, 6)),
    "squared_error": (true_squares(lambda n: 1), lambda r, n: logits(r, n), range(1, 6)),
    "mean_squared_error": (true_squares(lambda n: mpmath.mpf(1) / n), lambda r, n: logits(r, n), range(1, 6)),
    "binary_cross_entropy": (true_binary, lambda r, n: [r.choice((0.0, 1.0, 0.5, 1e-9, 1 - 1e-9, r.random()))], [1]),
    "cross_entropy": (true_cross_entropy, lambda r, n: r.choice((one_hot, spread))(r, n), range(2, 12)),
    "hinge": (true_hinge, lambda r, n: [r.choice((-1.0, 1.0)) for _ in range(n)], range(1, 6)),
}


def assert_accurate(name, z, y, given, gradient):
    """Within some units of the last place, and what the rounding of a difference of logits changes, up to 1400."""
    with mpmath.workdps(1000):
        value, slopes = TABLE[name][0](z, y)
        slack = EPS * (4 + 2 * len(z))
        moved = mpmath.fsum(abs(slope) * abs(x) for slope, x in zip(slopes, z, strict=True))
        assert abs(given - value) <= slack * value + EPS * moved + 5e-324, (name, z, y, given, float(value))
        for ours, slope, w in zip(gradient, slopes, y, strict=True):
            size = abs(slope) + (w if name.endswith("cross_entropy") and 0.0 < w < 1.0 else 0.0)
            assert abs(ours - slope) <= slack * 1400 * size + 1e-320, (name, z, y, ours, float(slope))


@pytest.mark.parametrize("name", LOSSES)
def test_accuracy_of_values_and_gradients_for_logits_up_to_700(name):
    rng = random.Random(name)
    _, targets, sizes = TABLE[name]
    for _ in range(60):
        n = rng.choice(sizes)
        z, y = logits(rng, n), targets(rng, n)
        value, gradient = mb.value_and_grad(lambda *a, y=y: LOSSES[name](list(a), y))(*z)
        assert_accurate(name, z, y, value, gradient if n > 1 else [gradient])
        assert LOSSES[name](z, y) == value


def test_the_table_of_accuracy_can_fail():
    with pytest.raises(AssertionError):  # the formula that cancels
        assert_accurate("binary_cross_entropy", [40.0], [1.0], mb.softplus(40.0) - 40.0, [-mb.sigmoid(-40.0)])


@pytest.mark.parametrize("target", [0, 1, 2, 3])
def test_the_order_of_classes_changes_no_digit_that_counts(target):
    for z in itertools.permutations([50.0, -3.0, 49.0, 700.0]):
        y = [float(j == target) for j in range(4)]
        values = [Value(x) for x in z]
        loss = cross_entropy(values, target)
        loss.backward()
        assert_accurate("cross_entropy", z, y, loss.data, [v.grad for v in values])
        again = [Value(x) for x in z]
        same = cross_entropy(again, y)
        same.backward()
        assert same.data == loss.data
        assert [v.grad for v in again] == [v.grad for v in values]


INF = math.inf


@pytest.mark.parametrize(
    ("z", "target", "value", "slopes"),
    [
        ([-INF, 0.0, 0.0], 1, math.log(2), [0.0, -0.5, 0.5]),
        ([0.0, -INF, 0.0], 0, math.log(2), [-0.5, 0.0, 0.5]),
        ([0.0, 0.0, -INF], 1, math.log(2), [0.5, -0.5, 0.0]),
        ([-INF, -INF, 5.0], 2, 0.0, [0.0, 0.0, 0.0]),
        ([-INF, -INF, 5.0, 5.0], 2, math.log(2), [0.0, 0.0, -0.5, 0.5]),
        ([INF, 0.0, 0.0], 0, 0.0, [0.0, 0.0, 0.0]),
        ([INF, 0.0, 0.0], 1, INF, [1.0, -1.0, 0.0]),
        ([0.0, 0.0, INF], 0, INF, [-1.0, 0.0, 1.0]),
        ([0.0, -INF], 1, INF, [1.0, -1.0]),
        ([-INF, 0.0, 0.0], [0.0, 0.5, 0.5], math.log(2), [0.0, 0.0, 0.0]),
    ],
)
def test_infinite_logits(z, target, value, slopes):
    values = [Value(x) for x in z]
    loss = cross_entropy(values, target)
    loss.backward()
    assert loss.data == pytest.approx(value, rel=1e-15)
    assert [v.grad for v in values] == pytest.approx(slopes, abs=1e-16)
    compiled = mb.compile(lambda *a: cross_entropy(list(a), target))
    assert compiled.value_and_grad(*z)[0] == loss.data
    assert list(compiled.value_and_grad(*z)[1]) == pytest.approx(slopes, abs=1e-16)


@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [(INF, 1.0, 0.0, 0.0), (-INF, 1.0, INF, -1.0), (INF, 0.0, INF, 1.0), (-INF, 0.0, 0.0, 0.0), (INF, 0.25, INF, 0.75)],
)
def test_binary_cross_entropy_of_infinite_logits(z, y, value, slope):
    v = Value(z)
    loss = LOSSES["binary_cross_entropy"](v, y)
    loss.backward()
    assert (loss.data, v.grad) == (value, slope)


def test_mirrored_classes_have_the_same_loss():
    loss = LOSSES["binary_cross_entropy"]
    for z in SIZES:
        assert loss(z, 1.0) == loss(-z, 0.0)
        assert loss(z, 1.0) == pytest.approx(cross_entropy([0.0, z], 1), rel=4 * EPS)


@pytest.mark.parametrize(
    "y",
    [
        [2.0, 0.0, 0.0],
        [0.5, 0.6, 0.0],
        [-0.5, 1.0, 0.5],
        [0.0, 0.0, 0.0],
        [math.nan, 1.0, 0.0],
        [INF, 0.0, 0.0],
        [INF, -INF, 1.0],
        [0.3, 0.3, 0.3],
        [0.33334, 0.33334, 0.33334],
    ],
)
def test_targets_that_are_no_probabilities_are_refused(y):
    with pytest.raises(ValueError, match="from 0 to 1 with the sum 1, not"):
        cross_entropy([1.0, 2.0, 3.0], y)


def test_targets_that_are_rounded_or_traced():
    """Targets of float32 do not add up to 1 exactly; the numbers of a tape, as `fit` has them, give the same loss."""
    z, y = [1.0, -2.0, 0.5], np.array([0.1, 0.2, 0.7], dtype=np.float32)
    with mpmath.workdps(40):
        exact, slopes = true_cross_entropy(z, [float(w) for w in y])
    value, gradient = mb.value_and_grad(lambda *a: cross_entropy(list(a), y))(*z)
    assert value == pytest.approx(float(exact), rel=1e-15)
    assert list(gradient) == pytest.approx([float(s) for s in slopes], rel=1e-13)
    traced = mb.compile(lambda z, y: cross_entropy(z, y))
    for other in (list(map(float, y)), [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]):
        assert traced(z, other) == pytest.approx(cross_entropy(z, other), rel=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_second_derivatives_of_the_losses(name):
    """The Hessian of a cross-entropy is diag p − p pᵀ, at ties of logits too."""
    for z in ([0.0, 0.0, 0.0], [1.0, 1.0, -2.0], [700.0, 699.0, 700.0]):
        if name == "cross_entropy":
            f, p = lambda *a: cross_entropy(list(a), 1), [float(q) for q in softmax(z)]
            expected = [[p[i] * (i == j) - p[i] * p[j] for j in range(3)] for i in range(3)]
        else:
            z = z[:1]
            s = mb.sigmoid(z[0])
            f, expected = lambda a: LOSSES[name](a, 1.0), [[s * mb.sigmoid(-z[0])]]
        for ours in (mb.hessian(f)(*z), mb.compile(f).hessian(*z)):
            for row, right in zip(np.atleast_2d(ours).tolist(), expected, strict=True):
                assert row == pytest.approx(right, rel=1e-12, abs=1e-15)
