"""How functions that give derivatives are called: points and directions in one way, argnums, keywords, metadata."""

import functools
import inspect
import math
import re
from typing import NamedTuple

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import ShapeError, Value, nn


class Pair(NamedTuple):
    x: float
    y: float


def of_one(x):
    return x**3


def of_two(x, y):
    return x**3 * y


def of_list(p):
    return p[0] ** 3 * p[1]


def of_short_list(p):
    return p[0] ** 3


def of_dict(p):
    return p["a"] ** 3 * p["b"]


def of_array(p):
    return (p * p * p)[0] * p[-1]


def of_optional(x, y=5.0):
    return x**3 * y


def of_scaled_list(p, scale=1.0):
    return p[0] ** 3 * p[1] * scale


def of_any(*xs):
    return xs[0] ** 3 * xs[1]


# f, a point, a direction of length 1, and how f is called there: the same for all
CONVENTION = [
    (of_one, 2.0, 1.0, (2.0,), (1.0,)),
    (of_one, (2.0,), (1.0,), (2.0,), (1.0,)),
    (of_one, [2.0], [1.0], (2.0,), (1.0,)),
    (of_one, np.float64(2.0), -1, (2.0,), (-1.0,)),
    (of_two, (2.0, 5.0), (0.6, 0.8), (2.0, 5.0), (0.6, 0.8)),
    (of_two, [2.0, 5.0], [0.6, 0.8], (2.0, 5.0), (0.6, 0.8)),
    (of_two, (2.0, 5.0), [0.6, 0.8], (2.0, 5.0), (0.6, 0.8)),
    (of_two, Pair(2.0, 5.0), Pair(0.6, 0.8), (2.0, 5.0), (0.6, 0.8)),
    (of_two, np.array([2.0, 5.0]), np.array([0.6, 0.8]), (2.0, 5.0), (0.6, 0.8)),
    (of_list, [2.0, 5.0], [0.6, 0.8], ([2.0, 5.0],), ([0.6, 0.8],)),
    (of_list, (2.0, 5.0), (0.6, 0.8), ((2.0, 5.0),), ((0.6, 0.8),)),
    (of_list, Pair(2.0, 5.0), Pair(0.6, 0.8), (Pair(2.0, 5.0),), (Pair(0.6, 0.8),)),
    (of_list, ([2.0, 5.0],), ([0.6, 0.8],), ([2.0, 5.0],), ([0.6, 0.8],)),
    (of_list, np.array([2.0, 5.0]), np.array([0.6, 0.8]), (np.array([2.0, 5.0]),), (np.array([0.6, 0.8]),)),
    (of_short_list, ([2.0],), ([1.0],), ([2.0],), ([1.0],)),
    (of_dict, {"a": 2.0, "b": 5.0}, {"a": 0.6, "b": 0.8}, ({"a": 2.0, "b": 5.0},), ({"a": 0.6, "b": 0.8},)),
    (of_array, np.array([2.0]), np.array([1.0]), (np.array([2.0]),), (np.array([1.0]),)),
    (of_optional, 2.0, 1.0, (2.0,), (1.0,)),
    (of_optional, (2.0,), (1.0,), (2.0,), (1.0,)),
    (of_optional, (2.0, 5.0), (0.6, 0.8), (2.0, 5.0), (0.6, 0.8)),
    (of_scaled_list, ([2.0, 5.0],), ([0.6, 0.8],), ([2.0, 5.0],), ([0.6, 0.8],)),
    (of_any, (2.0, 5.0), (0.6, 0.8), (2.0, 5.0), (0.6, 0.8)),
    (functools.partial(of_two, y=5.0), 2.0, 1.0, (2.0,), (1.0,)),
    (mb.exp, 2.0, 1.0, (2.0,), (1.0,)),
    (mb.atan2, (2.0, 5.0), (0.6, 0.8), (2.0, 5.0), (0.6, 0.8)),
    (mb.leaky_relu, (2.0,), (1.0,), (2.0,), (1.0,)),
]


def flat(thing):
    return list(np.ravel(list(thing.values()) if isinstance(thing, dict) else thing))


@pytest.mark.parametrize("case", CONVENTION, ids=lambda case: f"{getattr(case[0], '__name__', 'partial')} {case[1]!r}")
def test_points_and_directions_are_given_in_one_way(case):
    """Each way to give a point is what the arguments and their directions, each in a tuple, are."""
    f, point, direction, args, moves = case
    value, slope = f(*args), sum(np.dot(flat(g), flat(m)) for g, m in zip(gradients(f, args), moves, strict=True))
    assert mb.jvp(f, point, direction) == (pytest.approx(value), pytest.approx(slope))
    assert mb.directional_derivative(f, point, direction) == pytest.approx(slope)
    rows = np.array(mb.hessian(f)(*args))
    product = mb.hvp(f, point, direction)
    expected = rows @ np.concatenate([flat(m) for m in moves])
    np.testing.assert_allclose(np.concatenate([flat(p) for p in (product if len(args) > 1 else [product])]), expected)
    compiled = mb.compile(f, backend="python")
    assert compiled.jvp(point, direction) == (pytest.approx(value), pytest.approx(slope))
    again = compiled.hvp(point, direction)
    np.testing.assert_allclose(np.concatenate([flat(p) for p in (again if len(args) > 1 else [again])]), expected)


def gradients(f, args):
    gradient = mb.grad(f)(*args)
    return gradient if len(args) > 1 else [gradient]


@pytest.mark.parametrize(
    ("f", "point", "direction"),
    [
        (of_short_list, [2.0], [1.0]),
        (of_short_list, (2.0,), (1.0,)),
        (of_scaled_list, [2.0, 5.0], [0.6, 0.8]),
        (of_scaled_list, (2.0, 5.0), (0.6, 0.8)),
    ],
)
def test_coordinates_of_functions_that_take_more(f, point, direction):
    """`directional_derivative` reads them as the only argument; `jvp` takes them as arguments, in a tuple as one."""
    slope = mb.jvp(f, (point,), (direction,))[1]
    assert mb.directional_derivative(f, point, direction) == pytest.approx(slope)


def test_an_error_of_the_function_is_raised_and_it_is_called_once():
    calls = []

    def norm(x, scale=1.0):
        calls.append(x)
        return sum(v * v for v in x) if isinstance(x, (tuple, list)) else math.sqrt(x) * scale

    for mode in (mb.jvp, mb.hvp):
        calls.clear()
        with pytest.raises(TypeError, match="is not converted to a float"):
            mode(norm, (9.0, 2.0), (1.0, 0.0))
        assert len(calls) == 1


def test_points_may_be_iterators():
    assert mb.jvp(of_two, iter((2.0, 5.0)), (x for x in (1.0, 0.0))) == (40.0, 60.0)


def test_a_list_of_one_number_where_both_ways_work():
    """2 * [x] is a list too: jvp reads a list as arguments, directional_derivative as the argument."""
    assert mb.jvp(lambda x: 2 * x, [3.0], [1.0]) == (6.0, 2.0)
    assert mb.jvp(lambda x: 2 * x, (3.0,), (1.0,)) == (6.0, 2.0)
    assert mb.directional_derivative(lambda x: 2 * x, (3.0,), (1.0,)) == 2.0
    assert mb.directional_derivative(lambda x: 2 * x, [3.0], [1.0]) == [1.0, 1.0]


def test_models_are_functions_of_one_argument():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    x, u = [0.5, -1.0], [0.6, 0.8]
    slope = mb.jvp(model, (x,), (u,))[1]
    assert mb.jvp(model, x, u)[1].data == mb.directional_derivative(model, x, u).data == slope.data


def test_differentiated_numbers_are_points_too():
    assert mb.derivative(lambda x: mb.jvp(lambda y: x * y * y, x, 1.0)[1])(3.0) == 12.0
    assert mb.grad(lambda x: mb.hvp(of_one, x, 1.0))(2.0) == 6.0
    x = Value(2.0)
    slope = mb.jvp(lambda y: y**3, x, 1.0)[1]
    slope.backward()
    assert (slope.data, x.grad) == (12.0, 12.0)


@pytest.mark.parametrize("along", [mb.jvp, mb.hvp, mb.directional_derivative])
@pytest.mark.parametrize(
    ("f", "point", "direction", "error", "message"),
    [
        (of_two, (2.0, 5.0), 1.0, TypeError, "the point is a tuple of 2 arguments, so the direction must be a"),
        (of_two, (2.0, 5.0), (1.0,), ShapeError, "the tangents must have the structure of the arguments"),
        (of_two, (2.0, 5.0), (1.0, [1.0]), ShapeError, "the tangents must have the structure of the arguments"),
        (of_list, [2.0, 5.0], [1.0], ShapeError, "the tangents must have the structure of the arguments"),
        (of_one, 2.0, [1.0], ShapeError, "the tangents must have the structure of the arguments"),
        (of_one, "2", 1.0, TypeError, "a structure of numbers is needed"),
        (of_one, 2.0, "1", TypeError, "needed"),
        (of_one, None, 1.0, TypeError, "a structure of numbers is needed"),
        (of_two, 2.0, 1.0, TypeError, "missing 1 required positional argument: 'y'"),
        (of_two, (1.0, 2.0, 3.0), (1.0, 0.0, 0.0), TypeError, "takes 2 positional arguments but 3 were given"),
        (lambda x: math.exp(x), (1.0,), (1.0,), TypeError, "is not converted to a float"),
        (lambda x: mb.exp(x, x), (1.0,), (1.0,), TypeError, r"exp\(x\) takes 1 argument, 2 given"),
    ],
)
def test_wrong_points_and_directions(along, f, point, direction, error, message):
    with pytest.raises(error, match=message):
        along(f, point, direction)


# --- argnums and keywords ---------------------------------------------------------------------------------------------


def g(x, y, z=1.0, *, power=2):
    """A sum of products."""
    return x**power * y + z * y


SLOPES = {0: 2 * 3.0 * 5.0, 1: 3.0**2 + 7.0, 2: 5.0}  # of g at (3, 5, 7)


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (None, (SLOPES[0], SLOPES[1], SLOPES[2])),
        (0, SLOPES[0]),
        (-1, SLOPES[2]),
        (np.int64(1), SLOPES[1]),
        ((1,), (SLOPES[1],)),
        ([1], (SLOPES[1],)),
        ((2, 0), (SLOPES[2], SLOPES[0])),
        ((-1, 0), (SLOPES[2], SLOPES[0])),
        (range(2), (SLOPES[0], SLOPES[1])),
    ],
)
def test_argnums(argnums, expected):
    """A number gives the gradient by that argument, a tuple a tuple, nothing that by all: structured as JAX does."""
    assert mb.grad(g, argnums)(3.0, 5.0, 7.0) == expected
    assert mb.value_and_grad(g, argnums=argnums)(3.0, 5.0, 7.0) == (80.0, expected)
    assert mb.jacobian(lambda x, y, z: {"a": [g(x, y, z)]}, argnums)(3.0, 5.0, 7.0) == {"a": [expected]}
    whole = np.array(mb.hessian(g)(3.0, 5.0, 7.0))
    chosen = np.arange(3) if argnums is None else np.ravel(list(argnums) if np.ndim(argnums) else argnums)
    assert mb.hessian(g, argnums)(3.0, 5.0, 7.0) == whole[np.ix_(chosen, chosen)].tolist()


def test_argnums_of_structures():
    def f(weights, data, name):
        assert name == "line"
        return weights["a"] * data[0] + weights["b"][0] * data[1]

    assert mb.grad(f, argnums=0)({"a": 1.0, "b": [2.0]}, [3.0, 4.0], "line") == {"a": 3.0, "b": [4.0]}
    assert mb.grad(f, argnums=(1,))({"a": 1.0, "b": [2.0]}, [3.0, 4.0], "line") == ([1.0, 2.0],)
    rows = mb.hessian(f, argnums=(0, 1))({"a": 1.0, "b": [2.0]}, [3.0, 4.0], "line")
    assert rows == [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]]


def test_keywords_reach_the_function_as_they_are():
    seen = []

    def f(x, *, options, y=1.0):
        seen.append((type(x).__name__, options, y))
        return x * y

    assert mb.grad(f)(2.0, options=["any", None], y=3.0) == 3.0
    assert mb.value_and_grad(f, argnums=0)(2.0, options={}) == (2.0, 1.0)
    assert mb.jacobian(f)(2.0, options="text") == 1.0
    assert mb.hessian(f)(2.0, options=len) == [[0.0]]
    assert [kind for kind, _, _ in seen][:2] == ["Variable"] * 2
    assert [options for _, options, _ in seen] == [["any", None], {}, "text", len]
    assert mb.grad(g)(3.0, y=5.0, power=3) == 3 * 9.0 * 5.0


def test_argnums_nest():
    assert mb.grad(mb.grad(g, argnums=0), argnums=1)(3.0, 5.0, power=3) == 27.0
    assert mb.grad(mb.grad(lambda x, y: x * mb.grad(g, 1)(x, y), 0), 0)(3.0, 5.0) == pytest.approx(18.0)


def test_jax_agrees():
    jax = pytest.importorskip("jax", reason="compares with JAX:  pip install 'micrograd_bp[jax]'")
    for argnums in (0, 1, -1, (0,), (1, 0), (-1, 0)):
        for ours, theirs in ((mb.grad, jax.grad), (mb.value_and_grad, jax.value_and_grad)):
            expected = theirs(g, argnums)(3.0, 5.0, 7.0, power=3)
            structure = jax.tree_util.tree_structure(expected)
            found = ours(g, argnums)(3.0, 5.0, 7.0, power=3)
            assert jax.tree_util.tree_structure(found) == structure
            np.testing.assert_allclose(
                flat(jax.tree_util.tree_leaves(found)), jax.tree_util.tree_leaves(expected), 1e-6
            )


@pytest.mark.parametrize("transform", [mb.grad, mb.value_and_grad, mb.jacobian, mb.hessian])
@pytest.mark.parametrize(
    ("argnums", "args", "keywords", "error", "message"),
    [
        ("x", (1.0, 2.0), {}, TypeError, "argnums is a whole number or a tuple of them, not str 'x'"),
        (1.0, (1.0, 2.0), {}, TypeError, "argnums is a whole number or a tuple of them, not float 1.0"),
        (True, (1.0, 2.0), {}, TypeError, "argnums is a whole number or a tuple of them, not bool True"),
        ((0, None), (1.0, 2.0), {}, TypeError, "not NoneType None"),
        ((), (1.0, 2.0), {}, ValueError, "argnums is empty: give the number of at least one argument"),
        (2, (1.0, 2.0), {}, ValueError, "argnums has 2, and 2 positional arguments are given"),
        ((0, -2), (1.0,), {"y": 2.0}, ValueError, "argnums has -2, and 1 positional argument is given"),
        ((0, -2), (1.0, 2.0), {}, ValueError, r"argnums \(0, -2\) names an argument twice"),
        (1, (1.0, "2"), {}, TypeError, r"a structure of numbers is needed at \[1\], not str '2'"),
        (None, (), {"x": 1.0, "y": 2.0}, TypeError, "taken by positional arguments, but only keywords are given"),
        (None, (1.0, 2.0), {"powr": 2}, TypeError, "unexpected keyword argument 'powr'"),
    ],
)
def test_wrong_argnums(transform, argnums, args, keywords, error, message):
    with pytest.raises(error, match=message):
        transform(g, argnums)(*args, **keywords)


def test_the_argnums_are_refused_before_the_function_is_called():
    for transform in (mb.grad, mb.value_and_grad, mb.jacobian, mb.hessian):
        with pytest.raises(TypeError, match="argnums is a whole number"):
            transform(g, "x")


# --- metadata ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "what"),
    [
        (mb.grad, "The gradient"),
        (mb.value_and_grad, "The value and gradient"),
        (mb.jacobian, "The Jacobian"),
        (mb.hessian, "The Hessian"),
    ],
)
def test_derivatives_have_the_name_and_signature_of_the_function(transform, what):
    found = transform(g)
    assert (found.__name__, found.__module__, found.__wrapped__) == ("g", __name__, g)
    assert inspect.signature(found) == inspect.signature(g)
    assert found.__doc__ == f"{what} of g.\n\nA sum of products."
    model = nn.MLP(2, [1], seed=0)
    assert transform(model).__doc__.startswith(f"{what} of MLP.")
    assert not vars(transform(model)).keys() & vars(model).keys()
    assert transform(functools.partial(g, 1.0)).__doc__.startswith(f"{what} of partial.")


# --- messages ---------------------------------------------------------------------------------------------------------

INTERNAL = re.compile(r"\b(Dual|Series|Leveled|Tracer|Variable|Slot|Unknown|Flow)\b")
MISTAKES = {
    "a function of math": math.exp,
    "int": int,
    "Value": Value,
    "data": lambda x: setattr(Value(1.0), "data", x),
    "text": lambda x: x + "1",
    "topological_order": mb.topological_order,
    "explain": lambda x: mb.explain(x, 3.0),
    "draw": mb.draw,
    "formula": lambda x: mb.derivative_formula(x, 2.0),
    "optimiser": lambda x: mb.optim.Adam([Value(1.0)], x),
    "a name": lambda x: Value(1.0, x),
    "nothing": lambda x: None,
    "a branch": lambda x: (x if x > 0 else -x) + None,
}
MODES = {
    "derivative": mb.derivative,
    "grad": mb.grad,
    "taylor": lambda f: lambda x: mb.taylor(f, x, 2),
    "compile": mb.compile,
    "grad in compile": lambda f: mb.compile(mb.grad(f)),
    "derivative in grad": lambda f: mb.grad(mb.derivative(f)),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_messages_name_no_internal_class(mode, mistake):
    with pytest.raises((TypeError, ValueError)) as caught:
        mode(mistake)(2.0)
    assert not INTERNAL.search(str(caught.value)), str(caught.value)


@pytest.mark.parametrize("use", [lambda x: x * x.data, math.exp, lambda x: x * (x == 2.0), lambda x: x * (x < 2.0)])
def test_a_trace_error_speaks_of_no_branch_that_is_not_there(use):
    with pytest.raises(mb.TraceError) as caught:
        mb.compile(use)(2.0)
    advice = str(caught.value).splitlines()[-1]
    assert not re.search(r"\b(if|branch|assert)\b", advice), advice
