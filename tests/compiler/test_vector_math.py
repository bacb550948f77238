"""The own functions for lanes against mpmath, which shares no code with them."""

import math

import mpmath
import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.compiler import vector_math
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.passes import Code
from micrograd_bp.ops.op import OPS

llvmlite = pytest.importorskip("llvmlite.binding", reason="needs llvmlite: pip install llvmlite")

EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "logistic_density": lambda x: mpmath.sech(x / 2) ** 2 / 4,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
}
ULPS = {"exp": 1.1, "log": 1.0, "logistic_density": 4.0, "sigmoid": 2.5, "tanh": 3.5}  # what the module says
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.0**-1022, 1.7e308, -1.7e308, 1.0, -1.0]
SPECIAL += [709.782712893384, 709.7827128933841, -708.4, -744.44, -745.13, -745.14, 20.0, -20.0, 0.5 * math.log(2.0)]


def points(name):
    """Numbers of every size, most of them where the function bends."""
    draw = np.random.default_rng(7)
    if name == "log":
        near = 1.0 + draw.choice([-1.0, 1.0], 1000) * 10.0 ** draw.uniform(-16, -0.4, 1000)
        small = 5e-324 * draw.integers(1, 2**52, 500)
        return np.concatenate([np.exp(draw.uniform(-708, 709, 1500)), near, small, draw.uniform(0.5, 2.0, 1000)])
    tiny = draw.choice([-1.0, 1.0], 1000) * 10.0 ** draw.uniform(-320, 0, 1000)
    return np.concatenate([draw.uniform(-1, 1, 1500), draw.uniform(-40, 40, 1000), draw.uniform(-745, 709, 500), tiny])


def machine(name, fast_math=False):
    tape = Tape()
    return Machine(Code(tape, [tape.record(OPS[name], [tape.input("x")])]), fast_math)


def in_lanes(name, x, **options):
    rows = np.concatenate([x, np.full(-len(x) % 64, 1.0)]).reshape(1, -1)
    return machine(name, **options).batch(rows, len(x), 1, None, np.empty(0))[0][0]


def errors(name, x, found):
    """In units in the last place of the right number."""
    with mpmath.workprec(120):
        right = [EXACT[name](mpmath.mpf(float(a))) for a in x]
        return np.array([float(abs(float(a) - b) / math.ulp(float(b))) for a, b in zip(found, right, strict=True)])


@pytest.fixture(params=["this processor", "any processor"])
def processor(request, monkeypatch):
    if request.param == "any processor":  # no fused multiply-add, narrow vectors
        monkeypatch.setattr(llvmlite, "get_host_cpu_name", lambda: "")
        monkeypatch.setattr(llvmlite, "get_host_cpu_features", llvmlite.FeatureMap)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", ULPS)
def test_accuracy(name):
    x = points(name)
    assert errors(name, x, in_lanes(name, x)).max() <= ULPS[name]


def test_inaccuracy_is_noticed(monkeypatch):
    monkeypatch.setattr(vector_math, "EXP", vector_math.EXP[:-1])
    x = points("exp")
    assert errors("exp", x, in_lanes("exp", x)).max() > ULPS["exp"]


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", ULPS)
def test_special_numbers_are_as_in_c(name):
    expected = [OPS[name].fn(x) for x in SPECIAL]
    for found in (in_lanes(name, np.array(SPECIAL)), [machine(name, fast_math=True)([x])[0] for x in SPECIAL]):
        for x, a, b in zip(SPECIAL, found, expected, strict=True):
            assert a == pytest.approx(b, rel=1e-15, abs=5e-324, nan_ok=True), x
            assert math.isnan(a) or math.copysign(1.0, a) == math.copysign(1.0, b), x


@pytest.mark.parametrize("name", ULPS)
def test_large_programs_and_single_samples_have_the_same(monkeypatch, name):
    x = points(name)[:200]
    expected = in_lanes(name, x).tolist()
    single = machine(name, fast_math=True)
    assert [single([a])[0] for a in x] == expected
    monkeypatch.setattr("micrograd_bp.compiler.machine_code.STRAIGHT", -1)
    assert in_lanes(name, x).tolist() == expected


def test_tanh_and_its_derivative_share_their_division(monkeypatch):
    texts = []
    emit = llvmlite.TargetMachine.emit_object
    monkeypatch.setattr(
        llvmlite.TargetMachine, "emit_object", lambda self, module: texts.append(str(module)) or emit(self, module)
    )
    mb.compile(mb.tanh).batched(np.ones(8))
    assert texts[0].count(" fdiv ") == 1


def test_the_polynomials_are_the_best():
    with mpmath.workdps(40):
        half, end = mpmath.log(2) / 2, (mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)

        def log_part(z):
            s = mpmath.sqrt(z)
            return (mpmath.log((1 + s) / (1 - s)) - 2 * s) / (s * z) if z > 1e-20 else mpmath.mpf(2) / 3

        exp = mpmath.chebyfit(lambda r: (mpmath.exp(r) - 1 - r) / r**2 if r else mpmath.mpf(1) / 2, [-half, half], 10)
        log = mpmath.chebyfit(log_part, [0, end * end], 7)
    assert [float(x) for x in reversed(exp)] == pytest.approx(vector_math.EXP, rel=1e-15)
    assert [float(x) for x in reversed(log)] == pytest.approx(vector_math.LOG, rel=1e-15)
