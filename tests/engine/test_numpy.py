"""NumPy beside Values: scalars and 0-d arrays are numbers, object arrays of Values compute."""

import math

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import Value


def data(array):
    return [v.data for v in np.asarray(array).ravel()]


@pytest.mark.parametrize(
    "number", [np.float64(2), np.float32(2), np.int64(2), np.uint8(2), np.bool_(True), np.array(2.0)]
)
def test_scalars_are_numbers(number):
    v = Value(3.0)
    for result, expected in (
        (number * v, 3.0 * float(number)),
        (v * number, 3.0 * float(number)),
        (number - v, float(number) - 3.0),
    ):
        assert isinstance(result, Value)
        assert result.data == expected
    result = v**number
    result.backward()
    assert v.grad == float(number) * 3.0 ** (float(number) - 1)
    assert type(Value(number).data) is float


@pytest.mark.parametrize("thing", [np.array([1.0, 2.0]), np.complex128(1j), np.str_("3"), np.array("3"), np.array(1j)])
def test_other_numpy_things_are_no_numbers(thing):
    with pytest.raises(TypeError, match="a real number is needed"):
        Value(thing)


def test_long_doubles_beyond_the_floats_are_refused():
    huge = np.longdouble(1.7e308) * 100
    if np.isinf(huge):
        pytest.skip("long doubles are doubles here")
    with pytest.raises(OverflowError, match="too large for a float"):
        Value(huge)
    assert Value(np.longdouble("inf")).data == np.inf


def test_two_argument_functions():
    x, y = Value(1.0), Value(2.0)
    for function, value in ((np.arctan2, np.arctan2(1.0, 2.0)), (np.hypot, np.hypot(1.0, 2.0)), (np.power, 1.0)):
        assert function(x, y).data == value
        assert data(function(np.array([x]), np.array([y]))) == [value]


def test_arrays_of_floats_times_a_value():
    v = Value(3.0)
    assert data(np.array([1.0, 2.0]) * v) == data(v * np.array([1.0, 2.0])) == [3.0, 6.0]
    assert data(np.array([6.0, 3.0]) / v) == [2.0, 1.0]
    assert list(np.array([1.0, 4.0]) < v) == [True, False]


def test_a_matrix_product_builds_a_graph():
    W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(5.0), Value(6.0)])
    out = np.tanh(W @ (x / 10) - 1).sum()
    out.backward()
    slopes = 1 - np.tanh([0.7, 2.9]) ** 2
    np.testing.assert_allclose([v.grad for v in x], np.array([[0.1, 0.3], [0.2, 0.4]]) @ slopes, rtol=1e-13)
    np.testing.assert_allclose([[w.grad for w in row] for row in W], np.outer(slopes, [0.5, 0.6]), rtol=1e-13)


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "cbrt",
        "square",
        "reciprocal",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "arcsinh",
    ],
)
def test_numpy_functions_of_values(name):
    function, x = getattr(np, name), 0.4
    (single,) = data(function(Value(x)))
    assert data(function(np.array([Value(x), Value(x)]))) == [single, single]
    assert single == pytest.approx(function(x), rel=1e-15)


def test_sums_and_arithmetic():
    a = np.array([Value(1.0), Value(2.0)])
    assert np.sum(a).data == 3.0
    assert data(a + a - a * 2) == [0.0, 0.0]
    assert data(a**2) == [1.0, 4.0]
    assert np.dot(a, a).data == 5.0
    assert np.mean(a).data == 1.5
    assert data(abs(-a)) == [1.0, 2.0]


def test_no_gradient_is_dropped_on_the_way_to_floats():
    with pytest.raises(TypeError, match=r"take \.data"):
        np.array([Value(1.0)], dtype=float)


NAN, INF = math.nan, math.inf
NUMBERS = [0.5, 2.0, -1.0]


def numbers_and_gradient(f, xs):
    """Of f(array of Values): the numbers, and the gradient of their sum."""
    leaves = [Value(x) for x in xs]
    out = [v if isinstance(v, Value) else Value(v) for v in np.ravel(f(np.array(leaves)))]
    sum(out).backward()
    return [v.data for v in out], [leaf.grad for leaf in leaves]


ARRAYS = {
    "var": np.var,
    "std": np.std,
    "nanstd": np.nanstd,
    "exp2": np.exp2,
    "fabs": np.fabs,
    "conjugate": np.conjugate,
    "vdot": lambda a: np.vdot(a, a),
    "norm": np.linalg.norm,
    "clip": lambda a: np.clip(a, -0.5, 1.5),
    "maximum": lambda a: np.maximum(a, 0.7),
    "minimum": lambda a: np.minimum(a, 0.7),
    "max": np.max,
    "ptp": np.ptp,
    "median": np.median,
    "sort": lambda a: np.sort(a) * [1.0, 2.0, 3.0],
    "average": lambda a: np.average(a, weights=[1.0, 2.0, 3.0]),
    "maximum of a Value": lambda a: np.maximum(Value(0.25) if a.dtype == object else 0.25, a),
    "logaddexp": lambda a: np.frompyfunc(mb.logaddexp, 2, 1)(a, 0.0) if a.dtype == object else np.logaddexp(a, 0.0),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_object_arrays_compute_what_arrays_of_floats_do(name):
    f = ARRAYS[name]
    given, gradient = numbers_and_gradient(f, NUMBERS)
    np.testing.assert_allclose(given, np.ravel(f(np.array(NUMBERS))), rtol=1e-15)
    for k, slope in enumerate(gradient):
        h = np.zeros(3)
        h[k] = 1e-6
        difference = np.sum(f(NUMBERS + h)) - np.sum(f(NUMBERS - h))
        assert slope == pytest.approx(difference / 2e-6, abs=1e-8)


SCALARS = {
    "maximum": (np.maximum, mb.maximum),
    "minimum": (np.minimum, mb.minimum),
    "logaddexp": (np.logaddexp, mb.logaddexp),
}


@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.parametrize("pair", [(NAN, 1.0), (1.0, NAN), (2.0, 2.0), (0.0, -0.0), (INF, INF), (-INF, 3.0), (1.0, 2.0)])
def test_functions_of_a_single_value_know_nan_and_ties(name, pair):
    theirs, ours = SCALARS[name]
    expected = ours(*map(Value, pair))
    x, y = pair
    for out in (
        theirs(*map(Value, pair)),
        theirs(Value(x), np.array([y], object))[0],
        theirs(np.array([Value(x)]), Value(y))[0],
        theirs([Value(x)], Value(y))[0],
    ):
        assert out.op is ours
        assert repr(out.data) == repr(expected.data)
        assert repr([s for s in out.local_grads if s is not None]) in map(
            repr, (list(expected.local_grads), [expected.local_grads[0]])
        )
    assert theirs(Value(x), y).op is theirs(y, Value(x)).op is theirs(Value(x), [y, y])[1].op is ours


@pytest.mark.parametrize("test", [np.isnan, np.isinf, np.isfinite])
@pytest.mark.parametrize("x", [NAN, INF, -INF, 0.0, 1e308])
def test_tests_of_a_single_value(test, x):
    assert test(Value(x)) == test(x)
    with pytest.raises(TypeError, match="not supported"):
        test(np.array([Value(x)]))


@pytest.mark.parametrize(
    "f",
    [
        np.signbit,
        np.rint,
        np.floor,
        np.ceil,
        np.trunc,
        np.radians,
        np.spacing,
        np.i0,
        np.gradient,
        np.logaddexp.reduce,
        np.cov,
        np.linalg.det,
        lambda a: np.heaviside(a, 0.5),
        lambda a: np.logaddexp(a, a),
        lambda a: np.copysign(a, a),
        lambda a: np.float_power(a, 2),
        lambda a: np.fmod(a, 2),
        lambda a: np.isclose(a, a),
        lambda a: np.histogram(a),
        lambda a: a.astype(float),
    ],
)
def test_what_is_not_defined_raises(f):
    with pytest.raises((TypeError, AttributeError)):
        f(np.array([[Value(0.5), Value(2.0)], [Value(1.0), Value(3.0)]]))


def test_methods_of_functions_and_their_options():
    v = Value(2.0)
    assert data(np.multiply.outer(v, [1.0, 2.0])) == [2.0, 4.0]
    out = np.zeros(2, object)
    np.multiply(v, [1.0, 3.0], out=out)
    assert data(out) == [2.0, 6.0]
    array = np.array([Value(1.0)])
    array += v
    assert data(array) == [3.0]
    assert data(np.add(v, 1.0, dtype=object)) == [3.0]
    assert np.maximum.reduce(np.array([Value(1.0), v])) is v
    one = np.zeros((), object)
    np.maximum(v, 3.0, out=one)
    assert one[()] == 3.0
    both = np.array([Value(1.0), Value(5.0)])
    np.maximum.at(both, [0, 1], v)
    assert data(both) == [2.0, 5.0]


def test_other_numbers_in_numpys_functions():
    """Dual numbers, series and the numbers of a tape."""
    assert mb.derivative(lambda x: np.maximum(x, 1.0) * np.float64(2.0))(1.0) == 1.0
    assert mb.taylor(lambda x: np.logaddexp(x, 0.0), 0.0, 2) == [math.log(2.0), 0.5, 0.125]
    assert mb.compile(lambda x: np.float64(2.0) * np.maximum(x, 1.0)).value_and_grad(1.0) == (2.0, 1.0)
    with pytest.raises(mb.TraceError):
        mb.compile(lambda x: x if np.isnan(x) else 2 * x)(1.0)
