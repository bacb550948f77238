"""Formulas: what they read like, and that they are true, by numbers and by SymPy."""

import math

import mpmath
import pytest
import sympy
from formulas import SYMPY, in_mpmath, in_sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import true_slope
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value
from micrograd_bp.check.strategies import expressions
from micrograd_bp.engine import topological_order
from micrograd_bp.symbolic.graph_formulas import Symbols, derivative_term
from micrograd_bp.symbolic.printer import typeset
from micrograd_bp.symbolic.rules import within
from micrograd_bp.symbolic.templates import latex_name, latex_names, number
from micrograd_bp.symbolic.term import constant, symbol

x, y, z = (Value(v, name) for v, name in ((0.7, "x"), (1.3, "y"), (0.4, "z")))
EDGES = [(op, place) for op in OPS.values() for place in range(op.arity)]
edges = pytest.mark.parametrize(("op", "place"), EDGES, ids=[f"{op.name}-{op.arguments[place]}" for op, place in EDGES])


READS = [
    (lambda: x**2 + 1, x, "2x"),
    (lambda: (x + 3) ** 3, x, "3 (x + 3)²"),
    (lambda: x**2 + 3 * y**2, y, "6y"),
    (lambda: x * x * x, x, "3x²"),
    (lambda: (x.sigmoid() - y) ** 2 / 2, y, "y − σ(x)"),
    (lambda: x.tanh(), x, "1 − tanh(x)²"),
    (lambda: x.sqrt(), x, "1 / (2·√x)"),
    (lambda: x**y, x, "y·x^(y − 1)"),
    (lambda: x**y, y, "x^y·log(x)"),
    (lambda: x / y, y, "−x / y²"),
    (lambda: mb.exp(2 * x), x, "2·exp(2x)"),
    (lambda: mb.log2(x), x, "1 / (log(2)·x)"),
    (lambda: mb.erf(x), x, "2·exp(−x²) / √π"),
    (lambda: (x + y) - x, x, "0"),
    (lambda: x / x, x, "0"),
    (lambda: mb.relu(x), x, "[x > 0]"),
    (lambda: 0.01 * x + 1e-9 * y, y, "1e−9"),
    (lambda: x * y * z, y, "z·x"),
    (lambda: -((y - x) ** 2) / 2, x, "y − x"),
]


@pytest.mark.parametrize(("build", "leaf", "text"), READS, ids=[text for _, _, text in READS])
def test_derivatives_read_as_a_person_writes_them(build, leaf, text):
    assert str(mb.derivative_formula(build(), leaf)) == text


def test_a_list_of_formulas_reads_as_the_tutorial_prints_it():
    assert repr([mb.derivative_formula(x**2 + 3 * y**2, leaf) for leaf in (x, y)]) == "[2x, 6y]"


def test_formulas_are_as_composed():
    v = ((z * x + y).sigmoid() - 1) ** 2 / 2
    assert str(mb.formula(v)) == "(σ(z·x + y) − 1)² / 2"
    assert mb.formula(v).latex == r"\frac{\left(\sigma\left(z \cdot x + y\right) - 1\right)^{2}}{2}"
    assert str(mb.formula(x)) == "x"
    assert mb.formula(v)._repr_latex_() == f"${mb.formula(v).latex}$"


@edges
def test_each_local_derivative_is_its_formula(op, place):
    """At the fixed points of the accuracy tests, away from kinks, against the textbook definition."""
    checked = 0
    for point in fixed(op):
        nodes = [Value(p, name) for p, name in zip(point, ("x", "y", "z"), strict=False)]
        v = op(*nodes)
        if not math.isfinite(v.data) or any(kink(*point) == 0.0 for kink in op.kinks):
            continue
        try:
            truth = true_slope(op, place, point)
        except ValueError:
            continue
        v.name = "out"
        term = Symbols(topological_order(v)).local(v, place)
        with mpmath.workdps(700):  # 1 − tanh(100)² cancels 87 digits
            known = dict(zip("xyz", map(mpmath.mpf, point), strict=False))
            found = in_mpmath(term, known | {"out": op.exact(mpmath, *known.values())})
            if not mpmath.isfinite(found):
                continue  # 0 · log(0): the formula holds almost everywhere
            scale = max(abs(truth), mpmath.mpf(10) ** -300)
            # constants such as 2 / √π are exact in a formula, decimals like 0.01 are not in a float
            assert abs(found - truth) <= scale * mpmath.mpf(10) ** -12, (point, typeset(term))
        checked += 1
    assert checked >= 8


@pytest.mark.parametrize(
    "name", [name for name, op in OPS.items() if name in SYMPY and op.arity - len(op.defaults) < 3]
)
def test_each_derivative_is_that_of_sympy(name):
    op = OPS[name]
    symbols = sympy.symbols("x y", positive=True)[: op.arity]
    nodes = [Value(1.5 if name == "acosh" else 0.5, str(s)) for s in symbols]
    for node, s in zip(nodes, symbols, strict=True):
        ours = in_sympy(derivative_term(op(*nodes), node), {str(s): s for s in symbols})
        theirs = sympy.diff(SYMPY[name](*symbols), s)
        difference = ours.rewrite(sympy.erf) - theirs.rewrite(sympy.erf)
        assert 0 in (sympy.simplify(difference), sympy.simplify(difference.rewrite(sympy.exp))), (ours, theirs)


def test_a_wrong_formula_is_not_that_of_sympy():
    s = sympy.symbols("x", positive=True)
    ours = in_sympy(derivative_term(mb.sin(x), x) + 0.001, {"x": s})
    assert sympy.simplify(ours - sympy.cos(s)) != 0


SMOOTH = [op for op in OPS.values() if not op.kinks]


def at(order, known):
    """The root's value in mpmath, by the rows' textbook definitions."""
    numbers = dict(known)
    for node in order:
        if node.op is not None:
            args = [numbers[a] if isinstance(a, Value) else mpmath.mpf(repr(a)) for a in node.args]
            numbers[node] = node.op.exact(mpmath, *args)
    return numbers[order[-1]]


@given(expression=expressions(ops=SMOOTH, max_nodes=8, n_leaves=3))
def test_derivative_formulas_of_random_expressions_are_true(expression):
    leaves = [Value(p, name) for name, p in expression.inputs.items()]
    v = expression(*leaves)
    order = topological_order(v)
    with mpmath.workdps(400):
        point = {leaf: mpmath.mpf(leaf.data) for leaf in leaves}
        for leaf in leaves:
            h = mpmath.mpf(10) ** -30 * min(1, abs(point[leaf]) or 1)
            above, below = (at(order, point | {leaf: point[leaf] + step}) for step in (h, -h))
            slope = (above - below) / (2 * h)
            try:
                found = in_mpmath(derivative_term(v, leaf), {n.name: number for n, number in point.items()})
            except ZeroDivisionError:
                assume(False)  # x / x² at 0: true almost everywhere
            tolerance = mpmath.mpf(10) ** -18 * max(1, abs(slope), abs(at(order, point)))
            assume(abs(slope) < 1e30)
            assert abs(found - slope) <= tolerance, (expression, typeset(derivative_term(v, leaf)), found, slope)


def test_terms_do_arithmetic():
    a, b = symbol("a"), symbol("b")
    assert typeset(a + a) == "2a"
    assert typeset(a - a) == "0"
    assert typeset(a * b * a) == "a²·b"
    assert (a * b).digest == (b * a).digest
    assert (a + b).digest == (b + a).digest
    assert typeset((a * b) ** 0.5 * (a * b) ** 0.5) == "a·b"
    assert typeset((2 * a) ** 3) == "8a³"
    assert typeset(0 * a + constant(math.inf)) == "∞"
    with pytest.raises(TypeError, match="a formula has no value"):
        bool(a > 0)


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("w1_21", "w^{(1)}_{21}"),
        ("w1_10_2", "w^{(1)}_{10,2}"),
        ("b2_1", "b^{(2)}_{1}"),
        ("y_hat", r"\hat{y}"),
        ("ŷ", r"\hat{y}"),
        ("ȳ", r"\bar{y}"),
        ("alpha", r"\alpha"),
        ("λ", r"\lambda"),
        ("x₁", "x_{1}"),
        ("w_in", "w_{in}"),
        ("loss", r"\mathit{loss}"),
        ("50%", r"\text{50\%}"),
        ("a{b}$", r"\text{a\{b\}\$}"),
        ("\\input{x}", r"\text{\textbackslash{}input\{x\}}"),
        ("猫", r"\text{?}"),
    ],
)
def test_names_in_latex(name, latex):
    assert latex_name(name) == latex


@given(st.text(max_size=30))
def test_any_name_is_balanced_latex(name):
    latex = latex_name(name)
    assert latex.isascii()
    plain = latex.replace(r"\{", "").replace(r"\}", "").replace(r"\$", "").replace(r"\_", "").replace(r"\%", "")
    assert plain.count("{") == plain.count("}")
    assert "$" not in plain


@pytest.mark.parametrize("value", [0.1, -1e-7, 1e300, 123456.789, 2.0, 5e-324])
def test_all_digits_read_back(value):
    assert float(number(value, 17).replace("−", "-")) == value


def test_long_formulas_are_refused():
    v = x
    for _ in range(60):
        v = v * v + x
    with pytest.raises(ValueError, match="too long to write out"):
        mb.formula(v)
    chain = x
    for _ in range(5000):
        chain = chain + 1
    with pytest.raises(ValueError, match="5,001 values, more than 2,000"):
        mb.derivative_formula(chain, x)
    assert len(str(mb.formula(chain))) > 10_000  # long but not too long; and nothing recurses
    with pytest.raises(TypeError, match="two Values, not float"):
        mb.derivative_formula(chain, 1.0)


ALIKE = [
    ["x1", "x_1", "x₁"],
    ["alpha", "α", "\\alpha"],
    ["pi", "π", "e"],
    ["y_hat", "ŷ", "y_hat "],
    ["猫", "犬", "?", "\x00", "\x01"],
    ["x", "x", "x[1]", "x[2]", "x_[1]"],
    ["w1_12", "w1_1_2", "w^{(1)}_{12}"],
    ["a" * 50 + "b", "a" * 50 + "c"],
    ["x_1", None, None, "f", "f1", "t1"],
    ["e", "e", "e[2]"],
]


@pytest.mark.parametrize("names", ALIKE)
@pytest.mark.parametrize("f", [mb.exp, mb.erf, mb.gelu, mb.sin, lambda x: x * math.e * math.pi])
def test_symbols_are_distinct_as_text_and_as_latex(names, f):
    leaves = [Value(1.0 + k, name) for k, name in enumerate(names)]
    v = f(sum(leaves)) * 2.0
    symbols = Symbols(topological_order(v))
    for node in topological_order(v):
        symbols.called(node)
    for latex in (False, True):
        written = [symbols.called(node).name[latex] for node in topological_order(v)]
        assert len(set(written)) == len(written)
    term = derivative_term(v, leaves[0])
    constants = [part for part in within(term) if part.kind == "symbol" and part.name[0] in ("e", "π")]
    digests = {symbols.called(leaf).digest: symbols.called(leaf) for leaf in leaves}
    for constant_term in constants:
        if constant_term.digest not in digests:
            assert all(constant_term.name[k] != s.name[k] for s in digests.values() for k in (0, 1))


@given(
    st.lists(
        st.text(max_size=6) | st.sampled_from([name for names in ALIKE for name in names]).filter(bool), max_size=6
    )
)
def test_any_names_are_distinct(names):
    latex = latex_names([*names, "π"], {"e", r"\pi"})
    assert len(set(latex.values()) | {"e", r"\pi"}) == len({*names, "π"}) + 2


def test_usual_names_stay_usual():
    a, e = Value(1.0, "a_1"), Value(2.0, "e")
    assert mb.formula(a * e).latex == r"a_{1} \cdot e"
    assert mb.formula(mb.tanh(e)).text == "tanh(e)"
    assert mb.formula(mb.exp(e)).text == "exp(e)"
    assert mb.formula(mb.exp(e)).latex == r"e^{\text{e}}"
    assert str(mb.derivative_formula(math.e * e * e, e)) == "2e·e[2]"
    assert mb.explain(a * e, a).latex.count("a_{1}") > 0
