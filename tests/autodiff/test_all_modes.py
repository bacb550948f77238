"""One set of random programs through every mode, at ordinary and at special numbers: the modes are one engine.

The programs use operations that are rounded once, everywhere: sums, products, roots, choices. So what goes through the
graph backwards (`backward`, gradient graphs, tapes in Python and NumPy, machine code single and in lanes, C, PyTorch,
the page) gives the same bits, but for signs of zeros and payloads of nan. JAX, which may fuse operations and takes
subnormal numbers for 0, is held to a few units in the last place.

Forward modes (dual numbers, mixtures, power series, compiled tangents) multiply in another order. Where no product on
the way leaves the floats, they agree with a forward pass that is exact over the recorded derivatives, about nan and
infinities too. They agree with the backward pass as well, but where several paths meet and 0 · inf lies on one of them:
inf · (0 + 1) is inf, inf · 0 + inf · 1 is nan.
"""

import ctypes
import functools
import itertools
import math
import operator
import subprocess
from typing import NamedTuple

import mpmath
import pytest
from needs import needs_gcc, needs_llvm
from programs import COUNT, EXACT, SPECIAL, assert_same, bits, draw, eager, same, usable

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.autodiff.reverse import adjoints, gradients
from micrograd_bp.engine.chain import contribution, passes, reverse_pass
from micrograd_bp.engine.value import topological_order


@pytest.fixture(scope="module")
def programs():
    return list(itertools.islice(usable(range(3 * COUNT)), COUNT))


# --- backwards --------------------------------------------------------------------------------------------------------


def test_there_are_programs_of_each_kind(programs):
    gradients = [x for _, (_, gradient, *_) in programs for x in gradient]
    assert len(programs) == COUNT
    assert sum(x != x for x in gradients) > 50
    assert sum(map(math.isinf, gradients)) > 20
    assert sum(x == 0.0 for x in gradients) > 100
    assert sum(math.isfinite(x) and x != 0.0 for x in gradients) > 100
    used = {name for program, _ in programs for name, _ in program.steps}
    assert used == set(EXACT)


def test_gradients_and_graphs(programs):
    assert_same(programs, lambda program: mb.value_and_grad(program)(*program.point))
    for program, (_, gradient, root, leaves) in programs:
        assert same(adjoints(root, leaves), gradient), program
        assert same([g.data if isinstance(g, Value) else g for g in gradients(root, leaves)], gradient), program
        created = program(*(again := [Value(x) for x in program.point])).backward(create_graph=True)
        assert same([created[leaf].data if leaf in created else 0.0 for leaf in again], gradient), program


def test_explanations(programs):
    for program, (_, gradient, root, leaves) in programs:
        reached = set(topological_order(root))
        for leaf, slope in zip(leaves, gradient, strict=True):
            if leaf in reached:
                assert same([mb.explain(root, leaf).value], [slope]), program


@pytest.mark.parametrize("backend", ["python", pytest.param("native", marks=needs_llvm)])
def test_compiled_single(programs, backend):
    some = programs if backend == "python" else programs[:100]
    assert_same(some, lambda program: mb.compile(program, backend=backend).value_and_grad(*program.point))


@pytest.mark.parametrize("backend", ["python", pytest.param("native", marks=needs_llvm)])
def test_compiled_in_lanes(programs, backend):
    for program, _ in programs[:60]:
        points = [program.point, *itertools.product(SPECIAL[:6], SPECIAL[-4:])]
        out = mb.compile(program, backend=backend).batched(*zip(*points, strict=True), gradients="each")
        for k, point in enumerate(points):
            expected = eager(program._replace(point=point))
            if expected is not None:
                given = [out[0][k], *(slopes[k] for slopes in out[1])]
                assert same([float(x) for x in given], [expected[0], *expected[1]]), (program, point)


@needs_gcc
def test_in_c(programs, tmp_path):
    sources = [mb.compile(p).to_c(*p.point, name=f"program_{k}") for k, (p, _) in enumerate(programs)]
    (tmp_path / "all.c").write_text("\n".join(sources))
    command = ["gcc", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-o", "all.so", "all.c", "-lm"]
    subprocess.run(command, check=True, cwd=tmp_path)
    library = ctypes.CDLL(str(tmp_path / "all.so"))

    def mode(program):
        out = (ctypes.c_double * 3)()
        x = (ctypes.c_double * 2)(*program.point)
        library[f"program_{index[program]}"](x, out)
        return out[0], list(out[1:])

    index = {program: k for k, (program, _) in enumerate(programs)}
    assert_same(programs, mode)


def test_in_pytorch(programs):
    pytest.importorskip("torch", reason="needs PyTorch: pip install torch")

    def mode(program):
        value, slopes = mb.compile(program).to_torch(*program.point, gradient=True)(*program.point)
        return float(value), [float(s) for s in slopes]

    assert_same(programs[:150], mode)


def test_in_jax(programs):
    jax = pytest.importorskip("jax", reason="needs JAX: pip install jax")
    jax.config.update("jax_enable_x64", True)
    try:
        for program, (value, gradient, root, _) in programs[:100]:
            if any(0.0 < abs(x) < 2.0**-1000 for x in [*gradient, *(node.data for node in topological_order(root))]):
                continue
            if any(isinstance(a, float) and 0.0 < abs(a) < 2.0**-1000 for _, args in program.steps for a in args):
                continue
            out, slopes = mb.compile(program).to_jax(*program.point, gradient=True)(*program.point)
            assert float(out) == pytest.approx(value, rel=1e-14, nan_ok=True), program
            assert [float(s) for s in slopes] == pytest.approx(gradient, rel=1e-13, nan_ok=True), program
    finally:
        jax.config.update("jax_enable_x64", False)


# --- forwards ---------------------------------------------------------------------------------------------------------


class Sum(NamedTuple):
    """An exact number, and what it would be if no two terms had opposite signs."""

    total: object
    size: object

    def __add__(self, other):
        return Sum(self.total + other.total, self.size + other.size)

    def times(self, local):
        return Sum(self.total * local, self.size * abs(local))


def exact_passes(root, leaves):
    """The derivatives by each leaf from the recorded local derivatives, without rounding or overflow: by a forward and
    by a backward pass. Then whether every product on the way stays well within the floats."""
    m = mpmath.mp.clone()
    m.dps = 60
    order = topological_order(root)
    seen = []

    def edges(node, among):
        for index, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if isinstance(arg, Value) and arg in among and passes(node, index, local):
                yield arg, m.mpf(local)

    def contributions(node, adjoint):
        for arg, local in edges(node, set(order)):
            seen.extend([local, (part := adjoint.times(local)).total])
            yield arg, part

    zero = Sum(m.mpf(0), m.mpf(0))
    backward = reverse_pass(order, Sum(m.mpf(1), m.mpf(1)), contributions)
    forward = []
    for leaf in leaves:
        tangents = {leaf: Sum(m.mpf(1), m.mpf(1))}
        for node in order:
            parts = [tangents[arg].times(local) for arg, local in edges(node, tangents)]
            if parts:
                tangents[node] = functools.reduce(operator.add, parts)
                seen.extend(part.total for part in parts)
        forward.append(tangents.get(root, zero))
    tame = all(x != x or x == 0 or abs(x) == m.inf or 1e-150 < abs(x) < 1e150 for x in seen)
    return forward, [backward.get(leaf, zero) for leaf in leaves], tame


def assert_forward(programs, mode, result=eager):
    """`mode(program, k)` gives the derivative by input k that an exact forward pass gives, but for rounding."""
    compared = agree = 0
    for program, _ in programs:
        for k in range(2):
            recorded = result(program) if result is eager else result(program, k)
            if recorded is None:
                continue
            _, gradient, root, leaves = recorded
            forward, backward, tame = exact_passes(root, leaves)
            if not tame:
                continue
            place = k if result is eager else 0
            given, expected = mode(program, k), forward[place]
            if not math.isfinite(given) or not math.isfinite(expected.total):
                assert same([given], [float(expected.total)]), f"{program}: d/d v{k} = {given}, not {expected.total}"
            else:
                slack = 1e-14 * float(expected.size)
                assert abs(given - expected.total) <= slack, f"{program}: d/d v{k} = {given}, not {expected.total}"
            compared += 1
            agree += same([given], [gradient[place]]) or abs(given - gradient[place]) <= 1e-14 * float(
                backward[place].size
            )
    assert compared > 100
    assert agree > 0.98 * compared


def along(program, k):
    return lambda t: program(*[t if i == k else x for i, x in enumerate(program.point)])


def test_dual_numbers(programs):
    assert_forward(programs, lambda p, k: mb.jvp(p, p.point, [float(i == k) for i in range(2)])[1])


def test_power_series(programs):
    def of_one(program, k):
        """As `eager`, of one variable: the other number is a constant."""
        leaf = Value(program.point[k])
        try:
            root = along(program, k)(leaf)
        except ValueError:
            return None
        if not isinstance(root, Value) or root.op is None:
            return None
        root.backward()
        return root.data, [leaf.grad], root, [leaf]

    assert_forward(programs, lambda p, k: mb.taylor(along(p, k), p.point[k], 1)[1], of_one)


def test_compiled_tangents(programs):
    def mode(program, k):
        return mb.compile(program, backend="python").jvp(program.point, tuple(float(i == k) for i in range(2)))[1]

    assert_forward(programs, mode)


@pytest.mark.parametrize("backend", ["python", pytest.param("native", marks=needs_llvm)])
def test_compiled_second_derivatives(programs, backend):
    """Hessians and their products with a vector have the bits of the eager ones, at 0 · inf too."""
    compared = undefined = 0
    for program, _ in programs[: 400 if backend == "python" else 60]:
        try:
            rows = mb.hessian(program)(*program.point)
            along_vector = mb.hvp(program, program.point, (0.3, -2.0))
        except ValueError:
            continue
        compiled = mb.compile(program, backend=backend)
        for row, expected in zip(compiled.hessian(*program.point), rows, strict=True):
            assert same(row, expected), program
        assert same(compiled.hvp(program.point, (0.3, -2.0)), along_vector), program
        compared += 1
        undefined += any(x != x for x in along_vector)
    assert compared > 50
    assert undefined > 5


SMOOTH = (
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "exp",
    "sin",
    "tanh",
    "sigmoid",
    "hypot",
    "atan2",
    "square",
    "softplus",
    "logaddexp",
    "log",
)


def test_mixtures_of_modes():
    """Second derivatives at ordinary points, by every mixture of modes."""

    def by_jvp(f):
        return lambda x: mb.jvp(f, (x,), (1.0,))[1]

    compared = 0
    for seed in range(170):
        program = draw(10_000 + seed, special=False, names=SMOOTH)
        if eager(program) is None:
            continue
        f, x = along(program, 0), program.point[0]
        expected = mb.grad(mb.grad(f))(x)
        if not 1e-3 < abs(expected) < 1e6:
            continue
        near = pytest.approx(expected, rel=1e-9)
        for mixture in (by_jvp(by_jvp(f)), by_jvp(mb.grad(f)), mb.grad(by_jvp(f)), mb.derivative(f, 2)):
            assert mixture(x) == near, program
        assert 2 * mb.taylor(f, x, 2)[2] == near, program
        compiled = mb.compile(f, backend="python")
        assert compiled.hessian(x)[0][0] == near, program
        assert compiled.hvp((x,), (1.0,)) == near, program
        compared += 1
    assert compared > 40


# --- the rule itself --------------------------------------------------------------------------------------------------


POINTS = [
    ("cbrt(x)**3", lambda x: mb.cbrt(x) ** 3, 0.0, math.nan),
    ("sqrt(x) - sqrt(x)", lambda x: (u := mb.sqrt(x)) - u, 0.0, math.nan),
    ("sqrt(x*0.0) at 2", lambda x: mb.sqrt(x * 0.0), 2.0, 0.0),
    ("cbrt(x**3)", lambda x: mb.cbrt(x**3), 0.0, math.nan),
    ("acos(x)**2", lambda x: mb.acos(x) ** 2, 1.0, math.nan),
    ("sqrt(abs(square(x)))", lambda x: mb.sqrt(abs(mb.square(x))), 1e-170, math.nan),
    ("sqrt(x)*0.0", lambda x: mb.sqrt(x) * 0.0, 0.0, 0.0),
    ("sqrt(x*0.0)", lambda x: mb.sqrt(x * 0.0), 1.3, 0.0),
    ("0.0 / exp(x)", lambda x: 0.0 / mb.exp(x), 800.0, math.nan),
    ("where(x > 1, sqrt(x), 3x)", lambda x: mb.where(mb.step(x - 1), mb.sqrt(x), 3.0 * x), 0.0, 3.0),
    ("relu(sqrt(x) - 1)", lambda x: mb.relu(mb.sqrt(x) - 1), 0.0, 0.0),
    ("where(x > 0, 0, exp(x))", lambda x: mb.where(mb.step(x), 0.0, mb.exp(x)), 1e10, 0.0),
    ("cbrt(step(x))", lambda x: mb.cbrt(mb.step(x)), -1.0, 0.0),
    ("maximum(2, cbrt(x)) + x", lambda x: mb.maximum(2.0, mb.cbrt(x)) + x, 0.0, 1.0),
]


@pytest.mark.parametrize(("f", "x", "expected"), [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_zero_times_infinity(f, x, expected):
    leaf = Value(x)
    root = f(leaf)
    root.backward()
    given = {
        "backward": leaf.grad,
        "grad": mb.grad(f)(x),
        "gradients": next(g.data if isinstance(g, Value) else g for g in gradients(root, [leaf])),
        "dual": mb.derivative(f)(x),
        "taylor": mb.taylor(f, x, 1)[1],
        "tape": mb.compile(f, backend="python").value_and_grad(x)[1],
        "tangent": mb.compile(f, backend="python").jvp((x,), (1.0,))[1],
        "compiled": mb.compile(f).value_and_grad(x)[1],
        "lanes": float(mb.compile(f).batched([x, x], gradients="each")[1][0]),
        "explained": mb.explain(root, leaf).value,
    }
    assert {mode: bits(slope) for mode, slope in given.items()} == dict.fromkeys(given, bits(expected)), given


def test_a_seed_of_zero_passes_nothing():
    x = Value(0.0)
    mb.sqrt(x).backward(0.0)
    assert x.grad == 0.0
    assert mb.jvp(lambda x, y: mb.sqrt(x) + y, (0.0, 1.0), (0.0, 1.0))[1] == 1.0
    assert mb.compile(lambda x, y: mb.sqrt(x) + y).jvp((0.0, 1.0), (0.0, 1.0))[1] == 1.0
    assert mb.vjp(lambda x: [mb.sqrt(x), 2 * x], 0.0)[1]([0.0, 1.0]) == 2.0


def test_coefficients_do_not_overflow_before_they_have_to():
    largest = mb.taylor(lambda x: 1.7e308 * mb.sin(x), 1.0, 2)
    assert largest == pytest.approx([1.7e308 * math.sin(1.0), 1.7e308 * math.cos(1.0), -0.85e308 * math.sin(1.0)])
    assert mb.taylor(lambda x: mb.where(mb.step(x), 0.0, mb.exp(x)), 1e10, 3) == [0.0] * 4


def test_the_comparison_can_fail(programs, monkeypatch):
    """A rule that lets a quiet 0 through is found."""
    monkeypatch.setattr("micrograd_bp.autodiff.reverse.contribution", lambda *args: _quiet(contribution(*args)))
    with pytest.raises(AssertionError):
        test_gradients_and_graphs(programs)


def _quiet(amount):
    return 0.0 if isinstance(amount, float) and amount != amount else amount
