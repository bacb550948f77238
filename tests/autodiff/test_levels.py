"""All derivatives nest in all others, in any order, three deep; a number that outlives its derivative is a constant."""

import copy
import itertools
import math

import pytest

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.compiler import Compiled
from micrograd_bp.compiler.program import BACKENDS
from micrograd_bp.errors import TraceError

mpmath = pytest.importorskip("mpmath")

TRANSFORMS = {
    "grad": mb.grad,
    "value_and_grad": lambda f: lambda x: mb.value_and_grad(f)(x)[1],
    "vjp": lambda f: lambda x: mb.vjp(f, x)[1](1.0),
    "jacobian": mb.jacobian,
    "derivative": mb.derivative,
    "jvp": lambda f: lambda x: mb.jvp(f, x, 1.0)[1],
    "directional": lambda f: lambda x: mb.directional_derivative(lambda p: f(p[0]), [x], [2.0]),
    "taylor": lambda f: lambda x: mb.taylor(f, x, 1)[1],
    "compile": lambda f: mb.grad(mb.compile(f)),
}
SECOND = {
    "hessian": lambda f: lambda x: mb.hessian(f)(x)[0][0],
    "hvp": lambda f: lambda x: mb.hvp(f, x, 1.0),
    "taylor 2": lambda f: lambda x: 2.0 * mb.taylor(f, x, 2)[2],
    "derivative 2": lambda f: mb.derivative(f, order=2),
}
NESTS = list(itertools.product(TRANSFORMS, repeat=3))
MIXED = [*itertools.product(SECOND, TRANSFORMS), *itertools.product(TRANSFORMS, SECOND)]


def smooth(x, m=mb):
    return m.exp(m.sin(x * 0.7)) * x + m.hypot(x, 2.0) ** 2 * m.tanh(x) / (1.0 + x * x)


def third(at):
    with mpmath.workdps(40):
        return float(mpmath.diff(lambda x: smooth(x, mpmath), at, 3))


def nested(names, f=smooth):
    for name in reversed(names):
        f = (TRANSFORMS | SECOND)[name](f)
    return f


@pytest.mark.parametrize("outermost", TRANSFORMS)
def test_three_deep(outermost):
    for names in NESTS:
        if names[0] == outermost:
            assert nested(names)(1.3) == pytest.approx(third(1.3), rel=1e-12), names


@pytest.mark.parametrize("names", MIXED, ids=" of ".join)
def test_second_derivatives_nest(names):
    assert nested(names)(1.3) == pytest.approx(third(1.3), rel=1e-12)


@pytest.mark.parametrize("outermost", TRANSFORMS)
def test_recorded(outermost):
    """`compile` of every nest, and its own derivatives: the same number as eagerly."""
    backend = "python" if outermost != "taylor" else None
    for inner in TRANSFORMS:
        f = mb.compile(nested((outermost, inner)), backend=backend)
        assert f(1.3) == pytest.approx(nested((outermost, inner))(1.3), rel=1e-14), inner
        assert f.value_and_grad(1.3)[1] == pytest.approx(third(1.3), rel=1e-12), inner
        assert f.jvp(1.3, 2.0)[1] == pytest.approx(2.0 * third(1.3), rel=1e-12), inner


@pytest.mark.parametrize("names", [*SECOND, *MIXED], ids=str)
def test_recorded_second_derivatives(names):
    f = nested((names,) if isinstance(names, str) else names)
    assert mb.compile(f, backend="python")(1.3) == pytest.approx(f(1.3), rel=1e-13)


@pytest.mark.parametrize("inner", TRANSFORMS)
@pytest.mark.parametrize("outer", TRANSFORMS)
def test_perturbations_are_not_confused(outer, inner):
    """d/dx x · d/dy (x + y) = 1, where an engine with one perturbation gives 2."""
    outer, inner = TRANSFORMS[outer], TRANSFORMS[inner]
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(3.0) == 6.0  # d/dx x · x
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == 12.0  # d/dx 2 x · x


@pytest.mark.parametrize("inner", [name for name in TRANSFORMS if name != "compile"])
@pytest.mark.parametrize("outer", [name for name in TRANSFORMS if name != "compile"])
def test_kept_numbers_are_constants(outer, inner):
    outer, inner = TRANSFORMS[outer], TRANSFORMS[inner]

    def twice(x):
        box = [x]

        def f(y):
            box[0] = box[0] * y
            return box[0]

        inner(f)(1.0)
        return inner(f)(1.0)  # d/dy (x · 1) · y

    assert outer(twice)(1.0) == 1.0


@pytest.mark.parametrize("inner", [name for name in TRANSFORMS if name != "compile"])
def test_a_kept_number_is_a_number(inner):
    kept = []

    def f(y):
        kept.append(y * y)
        return kept[-1]

    TRANSFORMS[inner](f)(3.0)
    assert (kept[0] * 2.0 if inner in ("derivative", "jvp", "directional", "taylor") else 18.0) == 18.0
    assert TRANSFORMS[inner](lambda x: x * kept[0])(5.0) == 9.0
    assert mb.grad(lambda x: kept[0])(5.0) == 0.0
    assert mb.compile(lambda x: [kept[0], x * kept[0]], backend="python")(5.0) == [9.0, 45.0]


@pytest.mark.parametrize("inner", [name for name in TRANSFORMS if name != "compile"])
@pytest.mark.parametrize("outer", [name for name in TRANSFORMS if name != "compile"])
def test_a_kept_number_may_be_the_result(outer, inner):
    outer, inner = TRANSFORMS[outer], TRANSFORMS[inner]

    def f(x):
        kept = []
        inner(lambda y: kept.append(y * y) or kept[-1])(x)
        return kept[-1] + 0.0 * x

    slope = outer(f)(3.0)
    assert (type(slope), slope) == (float, 6.0)


def test_closed_over_values_stay_in_the_graph():
    w = Value(2.0)
    for transform in TRANSFORMS.values():
        slope = transform(lambda x: w * w * x)(3.0)
        slope.backward()
        assert (slope.data, w.grad) == (4.0, 4.0)
        w.grad = 0.0
    assert [mb.grad(lambda w, k=k: mb.taylor(lambda x: mb.exp(w * x), 0.0, 3)[k])(2.0) for k in range(4)] == [
        0,
        1,
        2,
        2,
    ]


ROUTES = {
    "reverse over reverse": lambda f: mb.grad(mb.grad(f)),
    "reverse over forward": lambda f: mb.grad(mb.derivative(f)),
    "forward over reverse": lambda f: mb.derivative(mb.grad(f)),
    "forward over forward": lambda f: mb.derivative(f, order=2),
    "taylor": lambda f: lambda x: mb.taylor(f, x, 2)[2],
    "taylor over reverse": lambda f: lambda x: mb.taylor(mb.grad(f), x, 1)[1],
    "reverse over taylor": lambda f: mb.grad(lambda x: mb.taylor(f, x, 1)[1]),
    "hvp": lambda f: lambda x: mb.hvp(f, x, 1.0),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_computed_zero_stays_one_between_levels(route, compiled):
    """The slope of x - x is a computed 0: with cbrt's infinite slope it gives nan at every level, never 0."""
    f = ROUTES[route](lambda x: mb.cbrt(x - x))
    g = ROUTES[route](lambda x: mb.cbrt(x) ** 3)
    if compiled:
        f, g = mb.compile(f, backend="python"), mb.compile(g, backend="python")
    assert math.isnan(f(1.0))
    assert math.isnan(g(0.0))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("x", [-1.0, 2.0])
def test_what_is_not_selected_passes_nothing_at_any_level(route, compiled, x):
    """sqrt and log are infinite or undefined where they are not selected."""
    f = ROUTES[route](lambda x: mb.where(x > 0 if not compiled else mb.step(x), x**3, mb.cbrt(x * 0.0) + x))
    if compiled:
        f = mb.compile(f, backend="python")
    expected = 12.0 if x > 0 else 0.0
    assert f(x) == (expected / 2 if route == "taylor" else expected)


DIRECTED = {
    "jvp": lambda f: lambda y: mb.jvp(f, y, y)[1],
    "vjp": lambda f: lambda y: mb.vjp(f, y)[1](y),
    "jvp of jvp": lambda f: lambda y: mb.jvp(lambda t: mb.jvp(f, t, y)[1], y, 1.0)[1],
    "hvp": lambda f: lambda y: mb.hvp(f, y, y),
    "grad of vjp": lambda f: lambda y: mb.grad(lambda t: mb.vjp(f, t)[1](y))(y),
}
ASKED = {
    "value_and_grad": lambda q: mb.compile(q).value_and_grad(0.0)[1],
    "compile(grad)": lambda q: mb.compile(mb.grad(q))(0.0),
    "compile(derivative)": lambda q: mb.compile(mb.derivative(q))(0.0),
    "jvp": lambda q: mb.compile(q).jvp((0.0,), (1.0,))[1],
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("directed", DIRECTED)
def test_a_tangent_that_is_0_has_a_slope(directed, asked):
    """The tangent y is 0 and passes nothing, but the derivative by y is the slope of the function."""
    q = DIRECTED[directed](lambda t: mb.exp(t) * mb.cos(t))  # the first and the second derivatives at 0 are 1 and 0
    assert ASKED[asked](q) == mb.grad(q)(0.0) == (1.0 if directed in ("jvp", "vjp") else 0.0)
    q = DIRECTED[directed](mb.cbrt)
    assert mb.compile(q)(0.0) == q(0.0) == 0.0
    assert math.isnan(ASKED[asked](q))
    assert math.isnan(mb.grad(q)(0.0))
    q = DIRECTED[directed](lambda t: mb.relu(t - 1.0) * mb.cbrt(t))
    assert ASKED[asked](q) == 0.0 or math.isnan(mb.grad(q)(0.0))
    q = DIRECTED[directed](lambda t: mb.sqrt(t) * t)  # its second derivative is infinite
    assert mb.compile(q)(0.0) == q(0.0) == 0.0


def test_a_saved_recording_keeps_the_slope_of_a_tangent_that_is_0(tmp_path):
    f = mb.compile(lambda y: mb.hvp(lambda t: mb.exp(t) * t, y, y))  # its slope at 0 is the second derivative, 2
    assert f.value_and_grad(0.0) == (0.0, 2.0)
    f.save(tmp_path / "f.json")
    assert "guarded_product" in (tmp_path / "f.json").read_text()
    assert Compiled.load(tmp_path / "f.json").value_and_grad(0.0) == (0.0, 2.0)


class TestPhysicsInformed:
    """u' and u'' of a network inside a loss, differentiated by its parameters: eager and compiled."""

    @staticmethod
    def loss(parameters, x):
        a, b, c = parameters
        u = lambda t: c * mb.tanh(a * t + b)  # noqa: E731
        slope, curvature = mb.derivative(u), mb.derivative(u, order=2)
        return (curvature(x) + slope(x) * 0.5 - mb.grad(u)(x) * mb.taylor(u, x, 2)[2]) ** 2

    def test_by_inputs(self):
        point = [0.3, -0.2, 1.1], 0.7
        value, gradient = mb.value_and_grad(self.loss)(*point)
        for backend in BACKENDS:
            if backend == "native":
                pytest.importorskip("llvmlite")
            f = mb.compile(self.loss, backend=backend)
            assert f(*point) == pytest.approx(value, rel=1e-14)
            assert f.value_and_grad(*point)[1][0] == pytest.approx(gradient[0], rel=1e-12)
            assert f.value_and_grad(*point)[1][1] == pytest.approx(gradient[1], rel=1e-12)
        for i in range(3):  # against differences
            moved = [[p + h * (i == j) for j, p in enumerate(point[0])] for h in (1e-6, -1e-6)]
            assert gradient[0][i] == pytest.approx(
                (self.loss(moved[0], 0.7) - self.loss(moved[1], 0.7)) / 2e-6, rel=1e-7
            )

    def test_by_parameters(self):
        w = [Value(0.3), Value(-0.2), Value(1.1)]
        f = mb.compile(lambda x: self.loss(w, x), backend="python")
        for change in (0.0, 0.5):
            w[0].data = 0.3 + change
            for v in w:
                v.grad = 0.0
            self.loss(w, 0.7).backward()
            expected = [v.grad for v in w]
            for v in w:
                v.grad = 0.0
            f.backward(0.7)
            assert [v.grad for v in w] == pytest.approx(expected, rel=1e-12)

    def test_by_values_inside(self):
        """A derivative by a Value, taken inside a recording."""
        w = Value(0.6)
        f = mb.compile(
            lambda x: mb.grad(lambda v: mb.sin(v * x))(w) + mb.derivative(lambda v: v * v * x)(w), backend="python"
        )
        for data in (0.6, -1.2):
            w.data = data
            assert f(2.0) == pytest.approx(2.0 * math.cos(2.0 * data) + 4.0 * data, rel=1e-14)


@pytest.mark.parametrize("outer", [mb.grad, mb.derivative], ids=["grad", "derivative"])
@pytest.mark.parametrize(
    "inner",
    [
        lambda f, v: mb.jvp(f, 0.0, v)[1],
        lambda f, v: mb.vjp(f, 0.0)[1](v),
        lambda f, v: mb.directional_derivative(lambda p: f(p[0]), [0.0], [2.0]) * v,
    ],
    ids=["jvp", "vjp", "directional"],
)
def test_a_direction_is_a_variable_too(outer, inner):
    """d/dv of f'(0) v is f'(0): not 0 where a computed 0 meets inf, whichever of them the direction v meets first."""
    assert outer(lambda v: inner(lambda x: 3.0 * x + mb.square(x), v))(2.0) == 3.0
    assert outer(lambda v: inner(mb.square, v))(2.0) == 0.0
    for f in (lambda x: mb.cbrt(mb.square(x)), lambda x: mb.square(mb.cbrt(x)), lambda x: mb.cbrt(x) ** 3):
        assert math.isnan(outer(lambda v, f=f: inner(f, v))(2.0))
    assert outer(lambda v: inner(lambda x: mb.cbrt(x * 0.0) + mb.relu(mb.cbrt(x) - 1.0) + x, v))(2.0) == 1.0


# --- what a function does with the numbers that are being differentiated ----------------------------------------------

KINDS = [name for name in TRANSFORMS if name != "compile"]


@pytest.mark.parametrize("route", ["derivative", "jvp", "directional", "taylor"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: copy.deepcopy([x, {"x": x * 1.0}])[1]["x"]])
def test_a_copy_is_differentiated(route, copied):
    slope = TRANSFORMS[route](lambda x: copied(x) * x)(3.0)
    assert slope == 6.0
    for name in KINDS:  # within a recording all numbers are traced
        assert mb.compile(TRANSFORMS[name](lambda y: copied(y) * y), backend="python")(3.0) == slope


@pytest.mark.parametrize("route", KINDS)
def test_numbers_that_are_differentiated_are_compared_by_their_data(route):
    def found(question):
        answers = []
        TRANSFORMS[route](lambda x: answers.append(question(x)) or x)(3.0)
        return answers[0]

    for question in (lambda x: x == 3.0, lambda x: x != 3.0, lambda x: x == 3, lambda x: x in [3.0, 4.0]):
        with pytest.raises(TypeError, match=r"== 3(\.0)?: compare \S*data == 3"):
            found(question)
    assert found(lambda x: x.data == 3.0)
    assert found(lambda x: (x == x, x != x, x == x * 1.0, x != x * 1.0, x == "x")) == (True, False, False, True, False)
    assert found(lambda x: {x: 1}[x]) == 1


CLOSED_OVER = {
    "an argument": lambda x: x,
    "computed": lambda x: mb.tanh(x) * 2.0,
}


@pytest.mark.parametrize("used", CLOSED_OVER.values(), ids=CLOSED_OVER)
@pytest.mark.parametrize("at", [3.0, Value(3.0)], ids=["float", "Value"])
@pytest.mark.parametrize("route", KINDS)
def test_a_program_does_not_keep_a_number_that_is_differentiated(route, at, used):
    """Its derivative would be a quiet 0: the program is recorded once, and its result is a float."""
    for call in (
        lambda x: mb.compile(lambda y: used(x) * y)(2.0),
        lambda x: mb.compile(lambda y: used(x))(2.0),
        lambda x: mb.compile(lambda y: used(x) * y).value_and_grad(2.0)[0],
        lambda x: mb.compile(lambda y: mb.grad(lambda z: used(x) * z * y)(1.0))(2.0),
    ):
        with pytest.raises(TraceError, match="Make it an argument of the function") as error:
            TRANSFORMS[route](call)(at)
        assert error.value.text.startswith("lambda x: mb.compile(")
    within = TRANSFORMS[route](lambda x: mb.compile(lambda x, y: used(x) * y)(x, 2.0))(at)
    alone = TRANSFORMS[route](lambda x: used(x) * 2.0)(at)
    assert str(within) == str(alone)


def test_a_program_uses_what_is_differentiated_within_it_and_what_was_differentiated_before():
    kept = []
    mb.grad(lambda x: kept.append(x) or x)(3.0)
    assert mb.compile(lambda y: kept[0] * y)(2.0) == 6.0
    for at in (3.0, Value(3.0)):
        assert mb.compile(lambda y, at=at: mb.grad(lambda x: x * y * x)(at))(2.0) == 12.0
        assert mb.compile(lambda y, at=at: mb.derivative(lambda x: x * y * x)(at))(2.0) == 12.0


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_weights_of_vjp_are_factors(backend):
    """pull_back(w) is linear in w, and w may be computed from the same numbers."""

    def recorded(f):
        return f if backend is None else mb.compile(f, backend=backend)

    def g(y):
        out, pull_back = mb.vjp(lambda x: x * x * y, 3.0)
        return pull_back(out)  # 9y · 6y

    def own(x):
        out, pull_back = mb.vjp(lambda z: [z * z, mb.sin(z)], x)
        return pull_back([out[1], x])  # sin x · 2x + x · cos x, whose slope needs the slopes of the weights

    slope = mpmath.diff(lambda x: mpmath.sin(x) * 2 * x + x * mpmath.cos(x), 1.3)
    assert recorded(g)(2.0) == 216.0
    for derivative in (mb.grad, mb.derivative, lambda f: mb.grad(recorded(f)), lambda f: recorded(mb.grad(f))):
        assert derivative(g)(2.0) == 216.0
        assert derivative(own)(1.3) == pytest.approx(float(slope), rel=1e-14)


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_a_weight_of_zero_passes_nothing(backend):
    def f(w):
        return mb.vjp(lambda x: [mb.sqrt(x), x], 0.0)[1]([w, 1.0])

    recorded = f if backend is None else mb.compile(f, backend=backend)
    assert recorded(0.0) == 1.0
    assert math.isinf(recorded(1.0))


@pytest.mark.parametrize("second", ["grad", "vjp", "jacobian"])
@pytest.mark.parametrize("inner", KINDS)
@pytest.mark.parametrize("outer", KINDS)
def test_a_derivative_may_be_taken_at_a_number_that_was_kept(outer, inner, second):
    """The number depends on a variable that is no longer active, and the derivative there has a variable that is."""

    def f(x):
        kept = []
        mb.grad(lambda y: kept.append(y) or y)(x)
        return TRANSFORMS[second](TRANSFORMS[inner](lambda t: t**3))(kept[0] + 1.0)

    assert f(1.0) == 12.0
    assert TRANSFORMS[outer](f)(1.0) == 6.0
    assert mb.jvp(f, 1.0, 1.0) == (12.0, 6.0)
