"""The table of formulas that overflow or cancel, its matching, and the tools that name the stable operation."""

import math
import random

import mpmath
import pytest

import micrograd_bp as mb
from micrograd_bp import Value, check_gradient, trace_nonfinite, why_zero
from micrograd_bp.cli import commands
from micrograd_bp.expression import parse
from micrograd_bp.expression.stable_forms import FORMS, unstable_forms

forms = pytest.mark.parametrize(("unstable", "stable"), FORMS, ids=[unstable for unstable, _ in FORMS])
NUMBERS = (0.0, 1e-18, 1e-9, 0.3, 1.0, 5.0, 20.0, 40.0, 400.0, 800.0, 1e10, 1e170)


def exactly(text, point):
    """The formula in mpmath, by the definitions of the operations; None outside the domain."""
    m = mpmath.mp.clone()
    m.dps = 400
    code = parse(text).assignments[0].code
    stack = []
    try:
        for what, _, count, order in code:
            if isinstance(what, (float, str)):
                stack.append(m.mpf(what if isinstance(what, float) else point[what]))
            else:
                args = stack[len(stack) - count :]
                del stack[len(stack) - count :]
                chosen = args if order is None else [args[k] if isinstance(k, int) else m.mpf(k) for k in order]
                stack.append(what.exact(m, *chosen))
                if not isinstance(stack[-1], m.mpf) or not m.isfinite(stack[-1]):
                    return None
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return stack[0]


def points(text):
    names = parse(text).leaves
    draw = random.Random(text)
    lists = [(u, v) for u in NUMBERS for v in NUMBERS[::3]]
    signed = [(draw.choice((u, -u)), draw.choice((v, -v)), draw.choice((-1.0, 0.5 * u))) for u, v in lists]
    return [dict(zip(names, numbers, strict=False)) for numbers in signed]


@forms
def test_both_sides_of_a_row_are_one_function(unstable, stable):
    compared = 0
    for point in points(unstable):
        if max(map(abs, point.values())) > 800.0:
            continue
        a, b = exactly(unstable, point), exactly(stable, point)
        if a is not None and b is not None:
            assert abs(a - b) <= mpmath.mpf(10) ** -20 * abs(a) + mpmath.mpf(10) ** -350, point
            compared += 1
    assert compared > 10


@forms
def test_a_row_is_reported_where_it_loses_digits_and_nowhere_else(unstable, stable):
    reported = quiet = 0
    for point in points(unstable):
        root = parse(unstable).unchecked(point)
        found = unstable_forms(root)
        if found:
            reported += (found[0].unstable, found[0].stable) == (unstable, stable)
        elif math.isfinite(root.data):
            true = exactly(unstable, point)
            if true is not None:
                assert abs(root.data - true) <= 1e-7 * abs(true) + 1e-300, point
                quiet += 1
    assert reported > 0
    assert quiet > 0


@pytest.mark.parametrize(
    ("build", "stable"),
    [
        (lambda x: mb.log(mb.exp(x) + 1.0), "softplus(u)"),
        (lambda x: mb.log(mb.exp(x) - -1.0), None),
        (lambda x: mb.pow(1 + mb.exp(x), -1.0), "sigmoid(-u)"),
        (lambda x: mb.reciprocal(1 + mb.exp(x)), "sigmoid(-u)"),
        (lambda x: mb.exp(x / 1e21) + -1.0, "expm1(u)"),
        (lambda x: -1.0 + mb.exp(x / 1e21), "expm1(u)"),
        (lambda x: mb.sqrt((x * 1e200) * (x * 1e200) + 4.0), "hypot(u, sqrt(v))"),
        (lambda x: mb.pow(mb.square(x * 1e200) + (2 * x) ** 2, 0.5), "hypot(u, v)"),
        (lambda x: 1.0 + -(mb.tanh(x / 50) ** 2), "4 * sigmoid(2*u) * sigmoid(-2*u)"),
        (lambda x: mb.exp(x) / (mb.exp(x) + mb.exp(3 * x)), "sigmoid(u - v)"),
        (lambda x: 1 / (1 + mb.exp(-x)), None),
        (lambda x: mb.log(1 + x), None),
        (lambda x: mb.exp(x) * x, None),
    ],
)
def test_a_formula_is_found_in_any_spelling(build, stable):
    found = unstable_forms(build(Value(1000.0, "x")))
    assert [form.stable for form in found] == ([stable] if stable else [])


def test_one_place_is_reported_once_and_several_places_each():
    x = Value(1000.0, "x")
    root = mb.log(1 + mb.exp(x)) + mb.log(1 + mb.exp(2 * x))
    assert [form.bound["u"].data for form in unstable_forms(root)] == [2000.0, 1000.0]
    outer = mb.log(1 / (1 + mb.exp(-(x / 20))))
    assert [form.stable for form in unstable_forms(outer)] == ["log_sigmoid(u)"]


# --- the tools --------------------------------------------------------------------------------------------------------


def test_a_nan_or_infinity_in_such_a_formula_names_the_stable_operation():
    x = Value(1000.0, "x")
    root = mb.log(1 + mb.exp(x))
    root.backward()
    assert math.isnan(x.grad)  # 1 / inf times inf; the slope is 1
    assert str(trace_nonfinite(root)).endswith(
        "; hint: softplus(u) is log(1 + exp(u)) and keeps its digits here, where u is x = 1000.0"
    )
    assert "hint" not in str(trace_nonfinite(mb.exp(x)))


@pytest.mark.parametrize("f", [lambda x: mb.log(1 + mb.exp(x)), lambda x: (x + mb.sqrt(x * x + 4)) / 2])
@pytest.mark.parametrize("at", [1000.0, math.inf])
def test_a_zero_that_is_one_over_infinity_is_no_slope(f, at):
    if at == 1000.0 and f(at) == pytest.approx(1000.0, rel=1e-3):
        assert mb.grad(f)(at) == pytest.approx(1.0, rel=1e-4)
        return
    given = [
        mb.grad(f)(at),
        mb.derivative(f)(at),
        mb.taylor(f, at, 1)[1],
        mb.compile(f, backend="python").value_and_grad(at)[1],
        mb.compile(f).value_and_grad(at)[1],
    ]
    assert all(map(math.isnan, given)), given
    assert check_gradient(f, at).verdict == "ill-conditioned"


def test_why_zero_knows_a_zero_that_is_one_over_infinity():
    x = Value(1e200, "x")
    (reason,) = why_zero(mb.sqrt(x * x + 4.0), x)
    assert reason.kind == "overflow"
    assert "hypot(u, sqrt(v)) is sqrt(u**2 + v)" in str(reason)
    far = Value(1e200, "x")
    assert [r.kind for r in why_zero(mb.tanh(far), far)] == ["saturated"]


def test_the_report_of_a_check_names_the_stable_operation():
    report = check_gradient(lambda x: mb.log(1 + mb.exp(x)), 1000.0)
    assert report.verdict == "ill-conditioned"
    assert "hint: softplus(u)" in report.findings[0].reason
    with pytest.raises(mb.GradientMismatch, match=r"hint: .*sigmoid"):
        check_gradient(lambda x: 1 / (1 + mb.exp(-x)), -1000.0)


def test_a_gradient_of_0_by_overflow_is_not_called_right():
    for f, true in [(lambda x: x / mb.sqrt(x * x + 4.0), 0.0), (lambda x: 1e200 / mb.sqrt(x * x), -1e-200)]:
        report = check_gradient(f, 1e200)
        assert report.verdict == "ill-conditioned"
        assert report.findings[0].expected == true
    assert check_gradient(lambda x: mb.exp(-x * x), 1e200).verdict == "right"


@pytest.mark.parametrize(
    ("formula", "f"),
    [
        ("cbrt(x)**3", lambda x: mb.cbrt(x) ** 3),
        ("x**.3*x**.7", lambda x: x**0.3 * x**0.7),
        ("cbrt(x**3)", lambda x: mb.cbrt(x**3)),
    ],
)
def test_no_tool_calls_an_undecided_gradient_zero_or_right(formula, f, capsys):
    root = parse(formula).run({"x": 0.0})[""]
    (x,) = {node for node in mb.topological_order(root) if node.op is None}
    assert why_zero(root, x) == []
    assert "0 · inf" in str(trace_nonfinite(root))
    report = check_gradient(f, 0.0)
    assert report.verdict == "ill-conditioned"
    assert "0 · inf" in report.findings[0].reason
    assert commands.main(["eval", formula, "x=0"]) == 0
    assert "= nan   0 · ∞ is nan, though a limit may exist" in capsys.readouterr().out


def test_the_command_line_names_the_stable_operation(capsys):
    assert commands.main(["eval", "log(1 + exp(z))", "z=1000"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("hint: softplus(u) is log(1 + exp(u))")
    assert commands.main(["eval", "log(sigmoid(z))", "z=-800"]) == 2
    assert "hint: log_sigmoid(u)" in capsys.readouterr().err
    assert commands.main(["eval", "exp(z) - 1", "z=1e-18"]) == 0
    assert "hint: expm1(u)" in capsys.readouterr().out
    assert commands.main(["eval", "exp(z) - 1", "z=1"]) == 0
    assert "hint" not in capsys.readouterr().out
    assert commands.main(["eval", "log(z)", "z=0"]) == 2
    assert "hint" not in capsys.readouterr().err
