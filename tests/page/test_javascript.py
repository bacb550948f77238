"""Operations, rules and numbers in the page's JavaScript are those of Python."""

import math
import random
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from pages import need_browser, same, state, terms_of
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value
from micrograd_bp.check.strategies import expressions
from micrograd_bp.engine.chain import passes
from micrograd_bp.ops import ieee
from micrograd_bp.page import page as page_of
from micrograd_bp.page.javascript import not_in_javascript, script
from micrograd_bp.symbolic.templates import number

need_browser()

EVERY = list(OPS.values())


def every_row(points):
    """One graph in which every row occurs, on leaves of its own, with the given numbers."""
    total = None
    leaves = []
    for op, point in zip(EVERY, points, strict=True):
        args = [Value(x, f"{op.name}_{i}") for i, x in enumerate(point)]
        leaves += args
        term = op(*args)
        total = term if total is None else total + term
    return total, leaves


@pytest.mark.slow
def test_edited_leaves_are_recomputed_as_python_does(visit):
    points = {op: [p for p in fixed(op, 60) if all(abs(x) < 1e6 for x in p)][:12] for op in EVERY}
    total, leaves = every_row([points[op][0] for op in EVERY])
    view = visit(page_of(total))
    place = {node.name: i for i, node in enumerate(mb.topological_order(total)) if node.op is None}
    for k in range(1, 10):
        total, leaves = every_row([points[op][k % len(points[op])] for op in EVERY])
        total.backward()
        for leaf in leaves:
            view.evaluate("([i, x]) => { data[i] = x === null ? NaN : x; }", [place[leaf.name], leaf.data])
        view.evaluate("() => { forward(); paint(); }")
        _, data, grad = state(view)
        order = mb.topological_order(total)
        wrong = [
            (node.name or node.op, node.data, d, node.grad, g)
            for node, d, g in zip(order, data, grad, strict=True)
            if not same(d, node.data, terms_of(node)) or not same(g, node.grad)
        ]
        assert wrong == []


@pytest.mark.parametrize("op", EVERY, ids=OPS)
def test_each_row_in_javascript(blank, op):
    """Function and rules at the fixed points of the accuracy tests, extremes included."""
    special = (Path(mb.page.__file__).parent / "static" / "special.js").read_text()
    code = f"{special}; const F = {{}}, D = {{}}; {script([op])}; "
    points = fixed(op)
    each = "[f(...p), ...d.map((rule) => rule(...p, f(...p)))].map(String)"
    run = f"(points) => {{ {code} const f = F.{op.name}, d = D.{op.name}; return points.map((p) => {each}); }}"
    for point, found in zip(points, blank.evaluate(run, points), strict=True):
        out = op.fn(*point)
        wanted = [out, *(rule(*point, out) for rule in op.partials)]
        for ours, theirs in zip(wanted, found, strict=True):
            text = {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}.get(theirs, theirs)
            assert same(float(text), ours), (point, ours, theirs)


@pytest.mark.slow
@given(expression=expressions(max_nodes=10, n_leaves=3))
def test_random_expressions_are_computed_as_python_does(blank, expression):
    """Each operation and rule at the arguments that the page itself had, so that no rounding is amplified."""
    leaves = [Value(x, name) for name, x in expression.inputs.items()]
    order = mb.topological_order(expression(*leaves))
    blank.goto("about:blank")  # without the constants of the page before
    blank.set_content(page_of(order[-1]))
    blank.evaluate("forward()")
    told = blank.evaluate("micrograd.state()")
    place = {node: i for i, node in enumerate(order)}
    data, grads = told["data"], [0.0] * len(order)
    grads[-1] = 1.0
    reached = {order[-1]}
    for i, node in reversed(list(enumerate(order))):
        if node.op is None:
            assert data[i] == node.data
            continue
        numbers = [data[place[arg]] if isinstance(arg, Value) else arg for arg in node.args]
        near = (1.0,) if node.op.bound.shift else ()  # such a rule cancels, or feels the rounding of its argument
        assert same(data[i], node.op.fn(*numbers), near)
        for index, (arg, rule, local) in enumerate(zip(node.args, node.op.partials, told["locals"][i], strict=True)):
            if isinstance(arg, Value):
                assert same(local, rule(*numbers, data[i]), near), (node.op, numbers)
                if node in reached and passes(node, index, local):
                    reached.add(arg)
                    grads[place[arg]] += grads[i] * local
    assert [repr(float(x)) for x in told["grad"]] == list(map(repr, grads))  # backward to the bit


def test_sums_and_products_are_pythons_to_the_bit(visit):
    rng = random.Random(5)
    a, b, c = (Value(rng.uniform(-9, 9), name) for name in "abc")
    v = (a * b - c) / (a + 0.1) - a * a * c
    view = visit(page_of(v))
    for _ in range(20):
        point = [rng.uniform(-9, 9) for _ in "abc"]
        a, b, c = map(Value, point)
        v = (a * b - c) / (a + 0.1) - a * a * c
        v.backward()
        order = mb.topological_order(v)
        for leaf, x in zip((a, b, c), point, strict=True):
            view.evaluate("([i, x]) => change(i, x)", [order.index(leaf), x])
        assert state(view)[1:] == ([node.data for node in order], [node.grad for node in order])


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("name", ["pow", "fmin", "fmax", "erf", "erfc"])
def test_cs_functions_where_javascript_differs(blank, name):
    """At zeros, infinities and nan as in C99, as Python's math has it; erf and erfc to 3e-15 everywhere."""
    code = (Path(mb.page.__file__).parent / "static" / "special.js").read_text()
    rng = random.Random(7)
    if name.startswith("erf"):
        points = [(x,) for x in SPECIAL] + [(rng.uniform(-6.0, 26.0),) for _ in range(1000)]
        points += [(10.0 ** rng.uniform(-12, 0),) for _ in range(200)]
        wanted = [float(getattr(mpmath, name)(x)) if math.isfinite(x) else getattr(math, name)(x) for (x,) in points]
    else:
        points = [(x, y) for x in SPECIAL for y in SPECIAL]
        alone = {"pow": ieee.power, "fmin": np.fmin, "fmax": np.fmax}[name]
        wanted = [float(alone(x, y)) for x, y in points]
    run = f"(points) => {{ {code}; return points.map((p) => {name}(...p)); }}"
    for point, ours, found in zip(points, wanted, blank.evaluate(run, points), strict=True):
        close = ours == found or math.isclose(ours, found, rel_tol=3e-15)
        assert close or (ours != ours and found != found), (point, ours, found)


@pytest.mark.parametrize("digits", [1, 4, 9, 16, 17])
def test_numbers_are_written_as_everywhere(visit, digits):
    rng = random.Random(digits)
    numbers = [rng.gauss(0, 1) * 10.0 ** rng.randint(-20, 20) for _ in range(500)]
    numbers += [k / 2**n for n in range(24) for k in range(-9, 40, 2)]  # halves: Python rounds them to even
    numbers += [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7e308, 9999.5, 99995.0, 9.9995e-5, 1e15, 1e16, 1e22]
    view = visit(page_of(Value(1.0, "x"), digits=digits))
    assert view.evaluate("(numbers) => numbers.map(show)", numbers) == [number(x, digits) for x in numbers]


def test_a_wrong_row_is_noticed(blank):
    code = script([OPS["mul"]]).replace("=> b", "=> a")
    found = blank.evaluate(f"() => {{ const F = {{}}, D = {{}}; {code}; return D.mul[0](2, 3, 6); }}")
    assert not same(float(found), OPS["mul"].partials[0](2.0, 3.0, 6.0))


@pytest.mark.parametrize(
    ("rule", "native"),
    [
        (lambda x, out: 3.0 * math.pow(x, 2.0), "{0} * {0} * {0}"),  # computes with floats only
        (lambda x, out: 3.0 * mb.square(x) if x > 0 else 0.0, "{0} * {0} * {0}"),  # decides
        (lambda x, out: 3.0 * mb.square(x), "alert({0})"),
        (lambda x, out: 3.0 * mb.square(x), "{0}; `"),
        (lambda x, out: 3.0 * mb.square(x), ""),  # not C's function of that name
    ],
)
def test_rows_that_javascript_cannot_compute(visit, rule, native, own_ops):
    row = mb.op(rule, name="logb", native=native)(lambda x: x**3)
    assert not_in_javascript([row]) == ["logb"]
    x = Value(2.0, "x")
    loss = row(x) * 2
    loss.backward()
    view = visit(page_of(loss))
    assert state(view)[2][0] == x.grad == 24.0
    view.focus("#v0")
    assert "24" in view.inner_text("#why")


def test_a_row_of_ones_own_with_a_c99_form_is_computed(visit, own_ops):
    row = mb.op(lambda x, out: mb.div(1.0, mb.cosh(x)), name="gd_here", native="atan(sinh({0}))")(
        lambda x: math.atan(math.sinh(x))
    )
    view = visit(page_of(row(Value(2.0, "x")) * 2))
    view.fill("#n0", "0.5")
    assert same(state(view)[2][0], 2 / math.cosh(0.5))
