"""NumPy beside Values: scalars and 0-d arrays are numbers, object arrays of Values compute."""

import numpy as np
import pytest

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
