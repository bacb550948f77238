"""The table itself: every row's facts are complete, consistent and as pinned; nothing here names rows one by one but
what is special about them."""

import ast
import ctypes
import inspect
import math
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import arguments, fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value, ops
from micrograd_bp.ops import table
from micrograd_bp.ops.op import ATOM, Operand
from micrograd_bp.symbolic.templates import fill

rows = pytest.mark.parametrize("op", OPS.values(), ids=OPS)
INF, NAN = math.inf, math.nan
BIG = 1.7e308


def same(x: float, y: float) -> bool:
    return x == y or (x != x and y != y)


@rows
def test_a_row_is_a_function_and_a_method(op):
    assert getattr(mb, op.name) is op
    args = fixed(op)[0]
    first, *rest = args
    assert getattr(Value(first), op.name)(*rest).data == op(*args)
    assert op(Value(first), *rest).op is op
    assert op.name in dir(Value(1.0))


@rows
def test_templates_have_a_hole_for_each_argument(op):
    letters = [f"<{name}>" for name in op.arguments]
    text, _ = fill(op, [(letter, ATOM) for letter in letters])
    latex = op.latex.format(*letters)
    assert all(letter in text and letter in latex for letter in letters)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert len(op.arguments) == len(op.binds) == op.arity == len(op.partials)


@rows
def test_floats_in_a_float_out(op):
    for args in fixed(op):
        assert type(op(*args)) is float
        assert all(type(rule(*args, op(*args))) is float for rule in op.partials)


@rows
def test_nothing_but_nan_or_infinity_outside_the_domain(op):
    """The engine looks at the domain only where the result is not finite: so no row may be finite outside it."""
    numbers = (-BIG, -2.0, -1.0 - 2**-52, -1.0, -0.5, -0.0, 0.0, 0.3, 1.0, 1.0 + 2**-52, 2.5, BIG)
    lists = (
        [[x] for x in numbers] if op.arity == 1 else [[x, y, *[1.0] * (op.arity - 2)] for x in numbers for y in numbers]
    )
    outside = [args for args in lists if not op.allows(args)]
    assert all(not math.isfinite(op.fn(*args)) for args in outside)
    assert bool(outside) == bool(op.domain)
    for args in outside:
        with pytest.raises(mb.DomainError, match=rf"^{op.name}: .* is outside"):
            op(*(Value(x) for x in args))


@rows
def test_nan_flows(op):
    if op.arity - len(op.defaults) == 1:
        assert math.isnan(op(NAN))
        assert math.isnan(op(Value(NAN)).data)


@rows
def test_rules_are_traceable(op):
    """A rule applied to nodes gives, bit for bit, what it gives for floats."""
    for args in fixed(op):
        out = op.fn(*args)
        if not math.isfinite(out) or any(kink(*args) == 0.0 for kink in op.kinks):
            continue
        for rule in op.partials:
            number = rule(*args, out)
            if not math.isfinite(number):
                continue
            traced = rule(*(Value(x) for x in args), Value(out))
            assert same(traced.data if isinstance(traced, Value) else traced, number)


def test_rules_are_pure_expressions():
    """No branch, no comparison, no math, no / and no ** in a rule; no abs and no sign in the rule of a smooth row."""
    forbidden = (ast.IfExp, ast.Compare, ast.BoolOp, ast.Attribute, ast.Div, ast.Pow, ast.NamedExpr)
    tree = ast.parse(inspect.getsource(table))
    checked = 0
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Op", "Choice"):
            op = OPS[ast.literal_eval(call.args[0])]
            for rule in call.args[2:]:
                checked += 1
                parts = [*ast.walk(rule)]
                assert isinstance(rule, ast.Lambda)
                assert not [part for part in parts if isinstance(part, forbidden)], op.name
                names = {part.id for part in parts if isinstance(part, ast.Name)}
                assert op.kinks or not names & {"abs", "sign", "step", "less", "exceeds"}, op.name
                constants = {name for name in names if name.isupper() or name.startswith("_")}
                assert names <= {*OPS, *op.arguments, "out", *constants}, op.name
    assert checked == sum(op.arity for op in OPS.values())


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (lambda: mb.sigmoid(-1000), 0.0),
        (lambda: mb.sigmoid(1000), 1.0),
        (lambda: mb.softplus(800), 800.0),
        (lambda: mb.softplus(-800), 0.0),
        (lambda: mb.log_sigmoid(-800), -800.0),
        (lambda: mb.log1p(1e-18), 1e-18),
        (lambda: mb.expm1(1e-18), 1e-18),
        (lambda: mb.hypot(3 * 2.0**700, 4 * 2.0**700), 5 * 2.0**700),
        (lambda: mb.hypot(3 * 2.0**-700, 4 * 2.0**-700), 5 * 2.0**-700),
        (lambda: mb.logaddexp(1000, -1000), 1000.0),
        (lambda: mb.logaddexp(1e308, 1e308), 1e308),
        (lambda: mb.logaddexp(BIG, -BIG), BIG),
        (lambda: mb.logaddexp(0, 0), math.log(2)),
        (lambda: mb.logaddexp(-INF, 3), 3.0),
        (lambda: mb.logaddexp(-INF, -INF), -INF),
        (lambda: mb.logaddexp(INF, INF), INF),
        (lambda: mb.logaddexp(INF, -INF), INF),
        (lambda: mb.logaddexp(NAN, INF), NAN),
        (lambda: mb.logaddexp(-INF, NAN), NAN),
        (lambda: mb.exp(1000), INF),
        (lambda: mb.exp(-1000), 0.0),
        (lambda: mb.cosh(-800), INF),
        (lambda: mb.sinh(-800), -INF),
        (lambda: mb.tanh(1000), 1.0),
        (lambda: mb.cbrt(-27), -3.0),
        (lambda: mb.gelu(-INF), 0.0),
        (lambda: mb.silu(-INF), 0.0),
        (lambda: mb.sin(INF), NAN),
        (lambda: mb.maximum(NAN, 1), NAN),
        (lambda: mb.maximum(1, NAN), NAN),
        (lambda: mb.minimum(1, NAN), NAN),
        (lambda: mb.relu(NAN), NAN),
        (lambda: mb.pow(0, 0), 1.0),
        (lambda: mb.pow(-8, 3), -512.0),
        (lambda: mb.pow(-8, 1 / 3), NAN),
        (lambda: mb.pow(-10, 401), -INF),
        (lambda: mb.pow(-10, 400), INF),
        (lambda: mb.pow(-0.0, -3), -INF),
        (lambda: mb.pow(-0.0, -2), INF),
        (lambda: mb.div(1, -0.0), -INF),
        (lambda: mb.div(0, 0), NAN),
        (lambda: mb.log(0), -INF),
        (lambda: mb.log(-1), NAN),
        (lambda: mb.atanh(-1), -INF),
        (lambda: mb.clip(5, 0, 1), 1.0),
        (lambda: mb.clip(5, 3, 1), 1.0),
        (lambda: mb.leaky_relu(-1), -0.01),
        (lambda: mb.leaky_relu(-1, 0.5), -0.5),
        (lambda: mb.where(0, 1, 2), 2.0),
    ],
)
def test_values_at_the_extremes(call, value):
    assert same(call(), value)


@pytest.mark.parametrize(
    ("name", "args", "slopes"),
    [
        ("relu", [0.0], [0.0]),
        ("leaky_relu", [0.0, 0.1], [0.1, 0.0]),
        ("elu", [0.0, 2.0], [2.0, 0.0]),
        ("abs", [0.0], [0.0]),
        ("sign", [0.0], [0.0]),
        ("step", [0.0], [0.0]),
        ("maximum", [2.0, 2.0], [0.5, 0.5]),
        ("minimum", [2.0, 2.0], [0.5, 0.5]),
        ("maximum", [INF, INF], [0.5, 0.5]),
        ("minimum", [-INF, -INF], [0.5, 0.5]),
        ("maximum", [-INF, 1.0], [0.0, 1.0]),
        ("maximum", [NAN, 1.0], [NAN, NAN]),
        ("clip", [INF, 0.0, INF], [1.0, 0.0, 0.0]),
        ("clip", [-INF, -INF, 0.0], [1.0, 0.0, 0.0]),
        ("less", [1.0, 2.0], [0.0, 0.0]),
        ("clip", [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]),
        ("clip", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]),
        ("clip", [2.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        ("clip", [2.0, 3.0, 1.0], [0.0, 0.0, 1.0]),
        ("where", [1.0, 5.0, 6.0], [0.0, 1.0, 0.0]),
        ("where", [0.0, 5.0, 6.0], [0.0, 0.0, 1.0]),
        ("pow", [0.0, 0.0], [0.0, 0.0]),
        ("pow", [0.0, 1.0], [1.0, 0.0]),
        ("pow", [0.0, 2.0], [0.0, 0.0]),
        ("pow", [0.0, 0.5], [INF, 0.0]),
        ("pow", [-2.0, 3.0], [12.0, NAN]),
        ("pow", [-3.0, 0.0], [0.0, NAN]),
        ("pow", [5e-324, 0.0], [0.0, math.log(5e-324)]),
        ("pow", [3.0, 4.0], [108.0, 81 * math.log(3)]),
        ("sqrt", [0.0], [INF]),
        ("cbrt", [0.0], [INF]),
        ("logaddexp", [2.0, 2.0], [0.5, 0.5]),
        ("logaddexp", [-INF, 2.0], [0.0, 1.0]),
        ("logaddexp", [INF, 2.0], [1.0, 0.0]),
        ("logaddexp", [BIG, -BIG], [1.0, 0.0]),
        ("logaddexp", [INF, INF], [NAN, NAN]),
        ("logaddexp", [-INF, -INF], [NAN, NAN]),
        ("asin", [1.0], [INF]),
        ("acos", [-1.0], [-INF]),
        ("acosh", [1.0], [INF]),
        ("hypot", [0.0, 0.0], [0.0, 0.0]),
        ("atan2", [0.0, 0.0], [NAN, NAN]),
        ("div", [1e200, 1e200], [1e-200, -1e-200]),
        ("div", [1e-200, 1e-200], [1e200, -1e200]),
    ],
)
def test_conventions_at_kinks_and_ties(name, args, slopes):
    recorded = OPS[name](*(Value(x) for x in args)).local_grads
    assert all(same(a, b) for a, b in zip(recorded, slopes, strict=True)), recorded


def test_kinks_say_what_is_taken_there():
    assert all(op.convention for op in OPS.values() if op.kinks)


def test_integer_powers_are_exact():
    for n in range(2, 10):
        x = Value(-3.0)
        (x**n).backward()
        assert x.grad == float(n * (-3) ** (n - 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mb.tanh(), r"tanh\(x\) takes 1 argument, 0 given"),
        (lambda: mb.hypot(1.0), r"hypot\(x, y\) takes 2 arguments, 1 given"),
        (lambda: mb.elu(1.0, 2.0, 3.0), r"elu\(x, alpha\) takes 1 to 2 arguments, 3 given"),
        (lambda: mb.elu(1.0, slope=2.0), r"elu\(x, alpha\) takes 1 to 2 arguments, 2 given, 'slope' not expected"),
        (lambda: mb.elu(1.0, x=2.0), "'x' not expected"),
        (lambda: mb.clip(1.0, high=2.0), r"clip\(x, low, high\) takes 3 arguments, 2 given"),
        (lambda: mb.exp("1"), r"a real number is needed, not str '1': convert it with float\(...\) first"),
        (lambda: mb.exp(None), "not NoneType None"),
        (lambda: mb.exp(1j), "real numbers only"),
        (lambda: mb.exp([1.0]), "use one at a time, or a NumPy object array"),
        (lambda: Operand().apply(ops.exp, ()), "Operand does not define apply_unchecked, so exp cannot be applied"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_arguments_by_name():
    x = Value(5.0)
    assert x.clip(high=3, low=1).data == mb.clip(5.0, 1, high=3) == 3.0
    assert [arg for arg in mb.elu(x, alpha=2).args if arg is not x] == [2.0]
    assert mb.leaky_relu(x=-1.0, slope=0.5) == -0.5


def test_ints_too_large_for_floats_are_refused():
    with pytest.raises(OverflowError, match=r"int 1000\d+\.\.\. is too large for a float"):
        mb.exp(10**400)
    with pytest.raises(OverflowError, match="thousands of digits"):
        mb.exp(10**9000)


def test_refusals_name_the_offender_and_what_is_allowed():
    messages = {
        ("log", (-1.0,)): "log: x = -1.0 is outside (0, inf)",
        ("div", (1.0, 0.0)): "div: y = 0.0 is outside (-inf, 0) or (0, inf)",
        ("atanh", (1.0,)): "atanh: x = 1.0 is outside (-1, 1)",
        ("acosh", (0.5,)): "acosh: x = 0.5 is outside [1, inf)",
        ("pow", (-8.0, 0.5)): "pow: (x, y) = (-8.0, 0.5) is outside its domain: x in (0, inf); or x in [0, inf), "
        "y in [0, inf); or x in (-inf, 0), y in the integers",
    }
    for (name, args), message in messages.items():
        assert OPS[name].refusal(args)[0] == message


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """Every row's `native` text, compiled by the machine's C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler: apt install gcc libc6-dev")
    folder = tmp_path_factory.mktemp("native")
    lines = ["#include <math.h>"]
    for op in OPS.values():
        holes = [f"x{i}" for i in range(op.arity)]
        body = op.native.format(*(f"({hole})" for hole in holes))
        lines.append(f"double mb_{op.name}({', '.join('double ' + hole for hole in holes)}) {{ return {body}; }}")
    (folder / "rows.c").write_text("\n".join(lines))
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", "rows.so", "rows.c", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "rows.so"))


@rows
@given(data=st.data())
def test_native_text_is_the_function(op, native, data):
    function = native[f"mb_{op.name}"]
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * op.arity
    drawn = data.draw(arguments(op))
    for args in (drawn, [NAN, *drawn[1:]], [*drawn[:-1], NAN], [NAN] * op.arity):
        ours, theirs = op.fn(*args), function(*args)
        assert same(ours, theirs) or math.isclose(ours, theirs, rel_tol=2e-15, abs_tol=1e-323), (args, ours, theirs)
