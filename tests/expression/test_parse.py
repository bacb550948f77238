"""Typed expressions: what can be read gives what Values give; for all else the error shows the place."""

import copy
import math
import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import OPS, ExpressionError, Value, parse
from micrograd_bp.check.strategies import expressions
from micrograd_bp.expression.lexer import LONGEST_TEXT
from micrograd_bp.expression.locations import display_width, error


def run(text, **values):
    program = parse(text)
    return program.run(values)[program.result]


def gradients(text, **values):
    program = parse(text)
    found = program.run(values)
    found[program.result].backward()
    return {name: found[name].grad for name in program.leaves}


# --- what can be read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 + 2*3", 7.0),
        ("(1 + 2)*3", 9.0),
        ("2**3**2", 512.0),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2**-x**2", 2.0**-9),
        ("-x*2", -6.0),
        ("--x", 3.0),
        ("+-+x", -3.0),
        ("8/4/2", 1.0),
        ("8 - 4 - 2", 2.0),
        ("8/(4/2)", 4.0),
        ("1_000.5e-1", 100.05),
        (".5 + 5.", 5.5),
        ("a = x; a*2", 6.0),
        ("a = x\nb = a*2\r\nc = b + 1\rc", 7.0),
        ("\n;; x ;\n# a comment\n", 3.0),
        ("\tx +\f1  # a comment; not = code", 4.0),
        ("(x +  # over\n\n 1\n)", 4.0),
        ("maximum(x,\n 5)", 5.0),
        ("cos(pi)", -1.0),
        ("log(e)", 1.0),
        ("e = 2; e**x", 8.0),
        ("leaky_relu(-x)", -0.03),
        ("leaky_relu(-x, 0.1)", -0.3 * 1.0),
        ("leaky_relu(-x, slope=0.1)", -0.3 * 1.0),
        ("leaky_relu(slope=0.1, x=-x)", -0.3 * 1.0),
        ("where(less(x, 4), 1, 2,)", 1.0),
        ("ŷ = x; ŷ", 3.0),
        ("y\u0302 = x; \u0177", 3.0),  # typed in two ways
        ("θ_1 = x; 値 = θ_1; 値", 3.0),
        ("w\u0304 = x; w\u0304", 3.0),  # no single character exists
        ("match = x; match", 3.0),
    ],
)
def test_what_is_typed_is_computed(text, number):
    values = {"x": 3.0} if "x" in parse(text).leaves else {}
    assert run(text, **values).data == pytest.approx(number, rel=1e-15)


def test_a_program_knows_its_names():
    program = parse("z = w*x + b; a = sigmoid(z); L = (a - y)**2 / pi")
    assert program.names == ("z", "a", "L")
    assert program.leaves == ("w", "x", "b", "y")
    assert program.constants == ("pi",)
    assert program.result == "L"
    assert [(a.name, a.text) for a in program.assignments][1] == ("a", "sigmoid(z)")
    found = program.run({"w": 1, "x": 2, "b": 3, "y": 4})
    assert list(found) == ["w", "x", "b", "y", "z", "a", "L"]
    assert all(node.name == name for name, node in found.items())
    assert found["a"].args == (found["z"],)
    assert parse("x*2").result == ""
    assert parse("x*2").run({"x": 1})[""].name is None


def test_names_of_numbers_and_of_nodes():
    found = parse("w = 2*3; a = w; L = a*w").run({})
    assert found["w"].op is None
    assert found["w"].name == "w"
    assert found["a"] is found["w"]  # another name for the same node
    found["L"].backward()
    assert found["w"].grad == 12.0


def test_a_constant_can_be_given():
    program = parse("e*x")
    found = program.run({"x": 1.0, "e": 2.0})
    assert found[""].data == 2.0
    assert list(found) == ["x", "e", ""]


@pytest.mark.parametrize("op", OPS.values(), ids=repr)
def test_every_row_is_a_function(op):
    args = next(p for p in ([0.5] * op.arity, [1.5] * op.arity) if op.allows(p))
    given_args = [Value(x) for x in args]
    expected = op(*given_args)
    expected.backward()
    names = [f"x{i}" for i in range(op.arity)]
    program = parse(f"{op.name}({', '.join(names)})")
    found = program.run(dict(zip(names, args, strict=True)))
    found[""].backward()
    assert found[""].op is op
    assert found[""].data == expected.data
    assert list(map(str, (found[name].grad for name in names))) == [str(x.grad) for x in given_args]  # nan for exceeds
    by_name = ", ".join(f"{a}={n}" for a, n in reversed([*zip(op.arguments, names, strict=True)]))
    assert parse(f"{op.name}({by_name})").run(dict(zip(names, args, strict=True)))[""].data == expected.data


_INFIX = {
    "add": ("+", 1, 1, 2),
    "sub": ("-", 1, 1, 2),
    "mul": ("*", 2, 2, 3),
    "div": ("/", 2, 2, 3),
    "pow": ("**", 4, 5, 3),
}


def printed(lines):
    """The lines of a random expression as typed text: operators where there are any, names for what is used twice."""
    uses = [sum(arg == i and type(arg) is int for line in lines for arg in line[1:]) for i in range(len(lines))]
    texts, assignments = [], []
    for i, (name, *args) in enumerate(lines):
        parts = [
            texts[a] if type(a) is int else (a, 9) if isinstance(a, str) else (repr(a), 9 if a >= 0 else 3)
            for a in args
        ]
        if name in _INFIX:
            sign, own, left, right = _INFIX[name]
            bound = [t if p >= need else f"({t})" for (t, p), need in zip(parts, (left, right), strict=True)]
            text = (f" {sign} ".join(bound), own)
        elif name == "neg":
            text = (f"-{parts[0][0]}" if parts[0][1] >= 3 else f"-({parts[0][0]})", 3)
        else:
            text = (f"{name}({', '.join(t for t, _ in parts)})", 9)
        if uses[i] > 1:
            assignments.append(f"t{i} = {text[0]}")
            text = (f"t{i}", 9)
        texts.append(text)
    return "\n".join([*assignments, texts[-1][0]])


@given(expressions(max_nodes=12, n_leaves=3), st.sampled_from(["\n", ";", " ; # comment\n"]))
def test_printed_and_read_again_is_the_same(e, separator):
    leaves = [Value(x) for x in e.point]
    expected = e(*leaves)
    expected.backward()
    text = printed(e.lines).replace("\n", separator)
    program = parse(text)
    found = program.run(e.inputs)
    found[program.result].backward()
    assert repr(found[program.result].data) == repr(expected.data), text
    assert [repr(found[name].grad) for name in e.inputs] == [repr(leaf.grad) for leaf in leaves], text


@given(st.text(st.sampled_from("xy12.+-*/() ,=;\n#eσ^'\u0302\0e_"), max_size=30))
def test_any_text_is_read_or_refused_with_its_place(text):
    try:
        program = parse(text)
        program.run(dict.fromkeys(program.leaves, 1.5))
    except ExpressionError as wrong:
        check_shown(wrong, text)


def check_shown(wrong, text):
    """An error shows one line that says it, and the source with a caret under its place."""
    said, source, caret = str(wrong).split("\n")
    assert said == f"line {wrong.line}, column {wrong.column}: {wrong.message}"
    assert caret.strip() == "^"
    assert source.startswith("  ")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert 1 <= wrong.line <= len(lines)
    assert 1 <= wrong.column <= len(lines[wrong.line - 1]) + 1


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("terms", [2_000, 100_000])
def test_long_sums(terms):
    assert gradients("+".join(["w*x"] * terms), w=1.0, x=2.0) == {"w": 2.0 * terms, "x": float(terms)}
    assert gradients(" - ".join(["x"] * terms), x=1.0) == {"x": 2.0 - terms}


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("(" * 100_000 + "x" + ")" * 100_000, 1.0),
        ("-" * 100_001 + "x", -1.0),
        ("+" * 100_000 + "x", 1.0),
        ("**".join(["x"] * 50_000), None),
        ("sin(" * 50_000 + "x" + ")" * 50_000, None),
        ("\n".join(["a0 = x", *(f"a{i} = a{i - 1}" for i in range(1, 20_000))]), 1.0),
        ("x" + "\n" * 500_000, 1.0),
    ],
)
def test_nothing_recurses(text, gradient):
    found = gradients(text, x=1.0)["x"]
    assert found == gradient or gradient is None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        pytest.param("(" * 1_000_000, marks=pytest.mark.slow),
        "x+" * 5_000_000,
        "é" * 10_000_000,
        "1" * 10_000_000,
        "x " * 499_999,
    ],
    ids=["50,000 brackets", "a million brackets", "a sum", "a name", "a number", "products without a sign"],
)
def test_large_texts_are_refused_in_little_memory(text):
    """At most 300 bytes for each character that a text may have."""
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert tracemalloc.get_traced_memory()[1] < 300 * min(len(text), LONGEST_TEXT)
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 400


def test_the_longest_text():
    assert run("x" + " " * (LONGEST_TEXT - 1), x=1.0).data == 1.0
    with pytest.raises(ExpressionError, match="at most 1,000,000 characters"):
        parse("x" + " " * LONGEST_TEXT)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ŷ + y\u0302 + $", "  ŷ + y\u0302 + $\n          ^"),
        ("値 + $", "  値 + $\n       ^"),
        ("\tx $", "   x $\n     ^"),
        ("a = x\n  y $\nz", "    y $\n      ^"),
        ("a\x1b[31m$", "  a\ufffd[31m$\n   ^"),
        ("x\u202e$", "  x\ufffd$\n   ^"),
        (
            "x + " * 50 + "$" + " + x" * 50,
            "  …" + ("x + " * 50)[-44:] + "$" + " + x" * 6 + " + " + "…\n  " + " " * 45 + "^",
        ),
        ("(x", "  (x\n  ^"),
        ("x +", "  x +\n     ^"),
    ],
)
def test_the_caret_is_under_the_place(text, shown):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value).split("\n", 1)[1] == shown


def test_the_error_has_fields_and_travels():
    with pytest.raises(ExpressionError) as caught:
        parse("a = 1\nb = a +* 2")
    wrong = caught.value
    assert (wrong.line, wrong.column, wrong.text) == (2, 8, "a = 1\nb = a +* 2")
    assert wrong.message == "a number, a name or ( is missing before '*'"
    assert isinstance(wrong, ValueError)
    for again in (pickle.loads(pickle.dumps(wrong)), copy.copy(wrong)):
        assert str(again) == str(wrong)
        assert vars(again) == vars(wrong)


def test_the_engines_error_is_the_cause():
    with pytest.raises(ExpressionError) as caught:
        run("y = 1; 2 + y/x", x=0.0)
    assert isinstance(caught.value.__cause__, mb.PoleError)
    assert caught.value.column == 13


def test_all_missing_values_are_named_at_once():
    with pytest.raises(ExpressionError, match=r"column 9: no value is given for b, c\b"):
        run("a = x + b*c", x=1.0)


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"x": math.nan}, ValueError, "x = nan: a finite number is needed"),
        ({"x": math.inf}, ValueError, "x = inf: a finite number is needed"),
        ({"x": "3"}, TypeError, "a real number is needed"),
        ({"x": 10**400}, OverflowError, "too large"),
        ({"x": 1.0, "a": 2.0}, ValueError, "a is computed by the expression"),
        ({"x": 1.0, "xx": 2.0}, ValueError, "'xx' is not used by the expression: is x meant"),
        ({"x": 1.0, "pi": 2.0}, ValueError, "'pi' is not used by the expression; its leaves are x"),
    ],
)
def test_bad_values(values, kind, message):
    with pytest.raises(kind, match=message):
        parse("a = 2*x").run(values)


def test_parse_takes_text_only():
    with pytest.raises(TypeError, match="not bytes"):
        parse(b"x")


def test_places_and_widths():
    assert display_width("") == 0
    assert display_width("a\u0301\u20dd値") == 3
    wrong = error("m", "a\r\nb\rc\nd", 7)
    assert (wrong.line, wrong.column) == (4, 1)
    assert str(error("m", "", 0)) == "line 1, column 1: m\n  \n  ^"
