"""Random programs through all modes against the oracle; that the oracle is right; that a wrong rule is found."""

import mpmath
import pytest

import micrograd_bp as mb
from tests.fuzz import oracle
from tests.fuzz.__main__ import run, smallest
from tests.fuzz.check import examine
from tests.fuzz.modes import MODES
from tests.fuzz.program import INNER, KINDS, Program, draw
from tests.fuzz.shrink import as_test


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_random_programs(count):
    tally = run(7_000_000, count)
    assert [f"{finding}\n{as_test(finding)}" for finding in tally.findings] == []
    assert tally.states["known"] > 0.85 * count
    assert tally.outcomes["gradient: right"] > 0.85 * count
    assert tally.outcomes["second: right"] > 0.3 * count
    assert set(KINDS) - {"compiled"} <= set(tally.kinds)
    if count >= 2000:
        assert set(MODES) - {"LLVM", "LLVM lanes"} <= set(tally.modes)


@pytest.mark.parametrize(
    ("name", "partial"),
    [
        ("sigmoid", lambda x, out: out * out),
        ("log_sigmoid", lambda x, out: mb.sigmoid(-x) + 1e-6),
        ("atan", lambda x, out: mb.div(1.0, 1.0 + x)),
    ],
)
def test_a_wrong_rule_is_found_and_cut_down_to_a_few_lines(change_op, name, partial):
    change_op(mb.OPS[name], partials=(partial,))
    findings = run(0, 120, most=1).findings
    assert findings
    (least,) = smallest(findings)
    assert name in least.program.source
    assert len(least.program.source.splitlines()) <= 4
    assert name in as_test(least)


@pytest.mark.skipif(mb.compiled, reason="of the interpreted build: MICROGRAD_BP_BUILD=pure pip install .")
def test_a_mode_that_differs_is_found(monkeypatch):
    """A forward pass that passes nothing on to the second argument."""
    from micrograd_bp.autodiff import dual

    right = dual.contribution
    monkeypatch.setattr(dual, "contribution", lambda op, k, *rest: right(op, k, *rest) if k == 0 else None)
    found = run(0, 60).findings
    assert {finding.mode for finding in found} & {"jvp", "derivative"}
    assert "backward" not in {finding.mode for finding in found if not INNER & finding.program.kinds}


def test_a_seed_decides_all():
    assert draw(12345).source == draw(12345).source
    assert len({draw(seed).source for seed in range(200)}) > 190
    used = "\n".join(draw(seed).source for seed in range(3000))
    assert sum(f"mb.{name}(" in used for name in mb.OPS) >= 45


# --- the oracle -------------------------------------------------------------------------------------------------------

POINTS = {"acosh": 1.7, "log": 0.6, "log2": 0.6, "log10": 0.6, "sqrt": 0.6, "reciprocal": -0.6}


@pytest.mark.parametrize("name", oracle.SERIES)
def test_coefficients_are_those_of_mpmaths_differences(name):
    """`mpmath.taylor` takes differences of values only."""
    at = POINTS.get(name, 0.3)
    f = (lambda m, x: 2 * m.atan(m.tanh(x / 2))) if name == "gudermann" else mb.OPS[name].exact
    with mpmath.workdps(40):
        expected = mpmath.taylor(lambda x: f(mpmath, x), mpmath.mpf(at), 4)
    given = oracle.SERIES[name](oracle.M.mpf(at), 4)
    assert [float(x) for x in given] == pytest.approx([float(x) for x in expected], rel=1e-13, abs=1e-25)


def test_nested_derivatives_of_the_oracle_by_hand():
    o = oracle.NAMES["mb"]

    def at(f, x, order=1):
        return [float(y) for y in oracle.along(f, (x,), (1.0,), order)[0]]

    assert at(lambda x: x * o.derivative(lambda y: x + y)(1.0), 1.0) == [1.0, 1.0]
    assert at(lambda x: o.grad(lambda t: t * t * x)(x), 3.0) == [18.0, 12.0]
    assert at(lambda x: o.hessian(lambda s, t: s * s * t * x)(x, 2.0)[0][1], 3.0, 2) == [18.0, 12.0, 4.0]
    assert at(lambda x: o.hvp(lambda s, t: s * s * t, (x, x), (1.0, x))[0], 3.0) == [24.0, 14.0]
    assert at(lambda x: o.taylor(lambda t: t * o.taylor(lambda s: t * s * s, t, 2)[1], x, 1)[1], 2.0) == [24.0, 24.0]
    assert at(lambda x: o.vjp(lambda t: t * x, x)[1](x), 3.0) == [9.0, 6.0]
    assert at(lambda x: sum(o.jacobian(lambda t: [t * t, x * t])(x)), 3.0) == [9.0, 3.0]
    assert at(lambda x: o.atan2(x, -1.0), 0.5) == pytest.approx([2.677945044588987, -0.8])


def test_what_is_not_differentiable_is_noted():
    o = oracle.NAMES["mb"]
    assert oracle.along(lambda x: o.relu(x), (0.0,), (1.0,), 1)[1] == {"kink"}
    assert oracle.along(lambda x: o.maximum(x, x), (2.0,), (1.0,), 1)[1] == {"edge"}
    derivatives, notes = oracle.along(lambda x: o.sqrt(x), (0.0,), (1.0,), 1)
    assert notes == {"edge"}
    assert derivatives[0] == 0
    assert derivatives[1] != derivatives[1]
    with pytest.raises(oracle.Outside):
        oracle.along(lambda x: o.log(x), (-1.0,), (1.0,), 1)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_an_argument_that_needs_a_million_digits_of_pi_is_beyond_the_oracle(name):
    oracle.SERIES[name](oracle.M.mpf(10) ** 300, 1)
    with pytest.raises(oracle.Beyond):
        oracle.SERIES[name](oracle.M.mpf(10) ** 100_000, 1)


@pytest.mark.parametrize(
    ("result", "point"),
    [
        (("sin", ("asin", "x")), 1.0),  # cos(asin(1)) is 6e-17 in floats, and not 0
        (("asin", ("log2", ("add", 1.0, "x"))), 1.0),  # log2(2) is 1 in floats
        (("maximum", ("atan", "x"), "x"), 1e-17),  # so is atan(x) / x
        (("less", ("sin", "x"), "x"), 1e-17),
        (("where", ("sub", ("sin", "x"), "x"), 1.0, "x"), 1e-17),
    ],
)
def test_what_rounding_decides_is_not_an_error(result, point):
    program = Program(1, frozenset({"plain", "extreme"}), ("x",), (point,), (1.0,), (), result)
    assert [str(finding) for finding in examine(program, {}, ["hvp", "taylor"]).findings] == []


@pytest.mark.parametrize(
    "result", [("maximum", ("atan", "x"), "x"), ("mul", ("less", ("sin", "x"), 0.5), ("atan", "x"))]
)
def test_a_wrong_slope_beside_it_is_one(change_op, result):
    change_op(mb.atan, partials=(lambda x, out: mb.div(0.7, 1.0 + x),))
    program = Program(1, frozenset({"plain", "extreme"}), ("x",), (1e-17,), (1.0,), (), result)
    assert {finding.quantity for finding in examine(program, {}, ["hvp"]).findings} >= {"gradient"}
