"""Second derivatives where an operation has a convention for the first: in every mode they are right or nan, never the
derivative of the convention."""

import math

import mpmath
import pytest

import micrograd_bp as mb
from micrograd_bp import Value, check_gradient

INF, NAN = math.inf, math.nan


def units(count):
    return [[float(i == j) for j in range(count)] for i in range(count)]


def forward_over_forward(f, *point):
    def slope(p, u):
        return mb.jvp(f, tuple(p), tuple(u))[1]

    rows = units(len(point))
    return [[mb.jvp(lambda *p, u=u: slope(p, u), point, tuple(v))[1] for v in rows] for u in rows]


def forward_over_reverse(f, *point):
    gradient = mb.grad(f, argnums=tuple(range(len(point))))
    return [list(mb.jvp(lambda *p: list(gradient(*p)), point, tuple(v))[1]) for v in units(len(point))]


def reverse_over_forward(f, *point):
    every = tuple(range(len(point)))
    rows = units(len(point))
    return [list(mb.grad(lambda *p, u=u: mb.jvp(f, p, tuple(u))[1], argnums=every)(*point)) for u in rows]


def graph_of_gradients(f, *point):
    leaves = [Value(x) for x in point]
    created = f(*leaves).backward(create_graph=True)
    rows = []
    for leaf in leaves:
        for other in leaves:
            other.zero_grad()
        created[leaf].backward()
        rows.append([other.grad for other in leaves])
    return rows


def compiled(f, *point):
    return mb.compile(f, backend="python").hessian(*point)


def machine_code(f, *point):
    return mb.compile(f).hessian(*point)


MODES = {
    "reverse over reverse": lambda f, *point: mb.hessian(f)(*point),
    "forward over forward": forward_over_forward,
    "forward over reverse": forward_over_reverse,
    "reverse over forward": reverse_over_forward,
    "create_graph": graph_of_gradients,
    "compiled": compiled,
    "machine code": machine_code,
}
modes = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def shown(matrix):
    """The numbers as text, so that nan equals nan and 0.0 equals -0.0."""
    return [[str(x + 0.0 if x else 0.0) for x in row] for row in matrix]


def limit(f):
    """The limit of f at 0 from the right: 0, an infinity, or the number that f has nearby."""
    m = mpmath.mp.clone()
    m.dps = 30
    near = f(m, m.mpf(10) ** -100_000)
    if abs(near) < 1e-100:
        return 0.0
    return math.copysign(INF, near) if abs(near) > 1e4 else float(near)


@modes
@pytest.mark.parametrize("y", [0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0])
def test_a_power_of_zero(mode, y):
    mixed = limit(lambda m, x: x ** (y - 1) * (1 + y * m.log(x)))
    right = [
        [limit(lambda m, x: y * (y - 1) * x ** (y - 2)), mixed],
        [mixed, limit(lambda m, x: x ** m.mpf(y) * m.log(x) ** 2)],
    ]
    assert shown(mode(mb.pow, 0.0, y)) == shown(right)
    assert shown(mode(lambda x: x**y, 0.0)) == shown([right[0][:1]])
    assert shown(mode(lambda y: mb.pow(0.0, y), y)) == shown([[0.0]])


@modes
def test_zero_to_the_power_zero(mode):
    """0**y jumps at y = 0, so that no derivative by y exists."""
    assert shown(mode(mb.pow, 0.0, 0.0)) == shown([[0.0, NAN], [NAN, NAN]])
    assert shown(mode(lambda x: x**0.0, 0.0)) == shown([[0.0]])


@modes
@pytest.mark.parametrize("at", [(2.0, 0.0), (1e-20, 0.0), (2.0, 1.0), (0.3, -1.5), (1e-8, 0.5)])
def test_powers_beside_zero(mode, at):
    x, y = (mpmath.mpf(z) for z in at)
    mixed = x ** (y - 1) * (1 + y * mpmath.log(x))
    right = [[y * (y - 1) * x ** (y - 2), mixed], [mixed, x**y * mpmath.log(x) ** 2]]
    for row, wanted in zip(mode(mb.pow, *at), right, strict=True):
        assert row == pytest.approx([float(z) for z in wanted], rel=1e-12)


@pytest.mark.parametrize(("y", "right"), [(0.5, INF), (1.0, INF), (1.5, -INF), (2.0, -INF), (3.0, 0.0), (4.0, 0.0)])
def test_third_derivatives_of_powers_of_zero(y, right):
    """d³ / dx² dy of x**y is x**(y - 2) · (2y - 1 + y (y - 1) log x): its limit, or nan where terms are infinite."""
    by_x = mb.grad(mb.grad(mb.pow, argnums=0), argnums=0)
    by_y = mb.grad(mb.pow, argnums=1)
    found = [mb.grad(by_x, argnums=1)(0.0, y), mb.grad(mb.grad(by_y, argnums=0), argnums=0)(0.0, y)]
    assert all(x == right or math.isnan(x) for x in found)
    assert y in (1.0, 1.5) or right in found


@modes
def test_hypot_at_the_origin(mode):
    assert shown(mode(mb.hypot, 0.0, 0.0)) == shown([[NAN, NAN], [NAN, NAN]])
    for row in mode(lambda x, y: mb.hypot(x, y) ** 2, 0.0, 0.0):
        assert all(map(math.isnan, row))  # 2 and 0 exist, but their sum is 0 · inf


def composed(x, y):
    """log(exp(x) + exp(y)) as it is often written."""
    return mb.maximum(x, y) + mb.log1p(mb.exp(-abs(x - y)))


@modes
def test_at_a_tie_where_no_side_is_chosen(mode):
    for f in (mb.maximum, mb.minimum, composed, lambda x, y: mb.maximum(x, y) ** 2 - mb.minimum(x, y) ** 2):
        for at in (1.0, -3.0, 0.0):
            assert shown(mode(f, at, at)) == shown([[NAN, NAN], [NAN, NAN]]), at
    for f in (abs, lambda x: abs(x) ** 2, lambda x: x * abs(x), lambda x: abs(x) + mb.exp(x)):
        assert shown(mode(f, 0.0)) == shown([[NAN]])
        assert shown(mode(f, -0.0)) == shown([[NAN]])


@modes
def test_beside_a_tie_second_derivatives_are_those_of_the_side(mode):
    for x, y in [(1.0, 1.5), (1.0, 0.5), (-2.0, 3.0), (3.0, -2.0), (1e-300, -1e-300), (math.nextafter(1.0, 2.0), 1.0)]:
        assert shown(mode(mb.maximum, x, y)) == shown([[0.0, 0.0], [0.0, 0.0]])
        second = float(1 / (4 * mpmath.cosh((mpmath.mpf(x) - y) / 2) ** 2))
        for given, right in zip(mode(composed, x, y), ([second, -second], [-second, second]), strict=True):
            assert given == pytest.approx(right, rel=1e-9)
    assert mode(lambda x: abs(x) ** 2, -0.5) == [[2.0]]


@modes
def test_where_one_side_is_chosen_second_derivatives_are_those_of_that_side(mode):
    for f, at, right in [
        (mb.relu, 0.0, 0.0),
        (lambda x: mb.leaky_relu(x) ** 2, 0.0, 2e-4),
        (lambda x: mb.clip(x, 0.0, 1.0) ** 2, 1.0, 2.0),
        (lambda x: mb.where(mb.step(x), x**2, x**3), 0.0, 0.0),
    ]:
        assert mode(f, at) == [[pytest.approx(right)]]


def test_higher_coefficients_and_derivatives_at_a_tie():
    assert shown([mb.taylor(abs, 0.0, 3)]) == shown([[0.0, 0.0, NAN, NAN]])
    assert mb.taylor(abs, -2.0, 3) == [2.0, -1.0, 0.0, 0.0]
    assert math.isnan(mb.grad(mb.grad(mb.grad(abs)))(0.0))
    assert mb.grad(mb.grad(mb.grad(abs)))(1.0) == 0.0
    assert math.isnan(mb.derivative(lambda x: mb.maximum(x, 2.0 - x), 3)(1.0))
    assert (mb.exceeds(2.0, 1.0), mb.exceeds(1.0, 1.0)) == (1.0, 0.0)


def test_a_composed_logaddexp_trains_by_first_derivatives_as_before():
    for at in (0.0, 1.0, -700.0):
        assert mb.grad(composed)(at, at) == (0.5, 0.5)
        assert check_gradient(composed, at, at, mode="both").verdict == "right"
    report = check_gradient(composed, 1.0, 1.0, order=2)
    assert [f.verdict for f in report.findings] == ["right"] * 2 + ["ill-conditioned"] * 4
    assert [f.expected for f in report.findings] == pytest.approx([0.5, 0.5, 0.25, -0.25, -0.25, 0.25])


def test_conventions_that_do_not_add_up_are_not_called_a_kink():
    (finding,) = check_gradient(lambda x: mb.relu(x) - mb.relu(-x), 0.0).findings
    assert (finding.computed, finding.expected, finding.verdict) == (0.0, 1.0, "ill-conditioned")


# --- what check_gradient says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("both", ["reverse", "forward"])
def test_the_report_knows_a_second_derivative_that_exists(both):
    report = check_gradient(lambda x, y: mb.hypot(x, y) ** 2, 0.0, 0.0, order=2, mode=both)
    assert [finding.expected for finding in report.findings] == [0.0, 0.0, 2.0, 0.0, 0.0, 2.0]
    assert [finding.verdict for finding in report.findings] == ["right"] * 2 + ["ill-conditioned"] * 4
    assert "that of the whole function exists" in report.findings[2].reason


def test_the_report_knows_a_second_derivative_that_does_not_exist():
    for f, point in [(mb.hypot, (0.0, 0.0)), (lambda x: x * abs(x), (0.0,)), (mb.elu, (0.0,)), (mb.relu, (0.0,))]:
        report = check_gradient(f, *point, order=2, mode="both")
        assert {f.verdict for f in report.findings if f.what.startswith("d²")} == {"kink"}
        assert all(math.isnan(f.expected) for f in report.findings if f.what.startswith("d²"))


@pytest.mark.parametrize("f", [lambda x: x * abs(x), lambda x: abs(x) ** 2, lambda x: mb.relu(x) ** 2])
def test_a_function_that_is_smooth_at_the_kink_of_a_step_has_a_right_gradient(f):
    assert check_gradient(f, 0.0).verdict == "right"
    assert check_gradient(lambda x: f(x) + abs(x), 0.0).verdict == "kink"


def test_the_derivative_of_a_convention_is_found(change_op):
    """A rule whose convention at the kink is differentiated as if it were the function."""
    quiet = (lambda x, y, out: mb.where(out, mb.div(x, out), x), lambda x, y, out: mb.where(out, mb.div(y, out), y))
    change_op(mb.OPS["hypot"], partials=quiet)
    with pytest.raises(mb.GradientMismatch, match=r"2\.0 is right"):
        check_gradient(lambda x, y: mb.hypot(x, y) ** 2, 0.0, 0.0, order=2)


def test_a_second_derivative_of_the_side_that_is_not_that_of_the_function_is_found():
    for f in (lambda x: mb.relu(x * x), lambda x: mb.where(x, x, 2 * x) ** 2):
        with pytest.raises(mb.GradientMismatch, match=r"2\.0 is right"):
            check_gradient(f, 0.0, order=2)
    assert check_gradient(lambda y: mb.clip(y, y, y) ** 2, 0.5, order=2).findings[1].expected == 2.0
    tiny = check_gradient(lambda x, y: mb.elu(mb.atan(y * y), 2 * x), 1.0, -2.4e-251, order=2)  # y * y underflows
    assert tiny.verdict == "ill-conditioned"
