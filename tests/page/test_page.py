"""The page in a real browser: its numbers are the engine's, it needs nothing but itself, names are inert."""

import contextlib
import math
import os
import random
import re
import shutil
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value, nn
from micrograd_bp.formula import number
from micrograd_bp.page import page as page_of
from micrograd_bp.page.script import not_in_javascript, script
from micrograd_bp.strategies import expressions

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if sync_playwright is None or CHROMIUM is None:
        reason = "needs Chromium and  pip install playwright"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with (
        sync_playwright() as p,
        contextlib.closing(p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as running,
    ):
        yield running


@pytest.fixture
def visit(browser, tmp_path):
    """Opens HTML text; at the end nothing was complained about and nothing else was asked for."""
    faults, asked = [], []

    def opened(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        opened.pages += 1
        view = browser.new_context(**options).new_page()
        view.on("console", lambda message: faults.append(message.text))
        view.on("pageerror", lambda error: faults.append(str(error)))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(path.as_uri())
        return view

    opened.faults, opened.pages = faults, 0
    yield opened
    assert faults == []
    assert len(asked) == opened.pages


def neuron():
    w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
    z = w * x + b
    z.name = "z"
    y_hat = z.sigmoid()
    y_hat.name = "ŷ"
    loss = (y_hat - y) ** 2 / 2
    loss.name = "L"
    return loss


def network():
    outputs = nn.MLP(2, [2, 2], "sigmoid", "sigmoid", seed=1)([Value(1.0, "x1"), Value(0.5, "x2")])
    cost = (outputs[0] - 1) ** 2 + (outputs[1] - 0.2) ** 2
    cost.name = "C"
    return cost


def state(view):
    """What the page has computed: step, values and gradients in topological order."""
    told = view.evaluate("micrograd.state()")
    return told["step"], told["data"], told["grad"]


def same(ours, theirs, terms=()):
    """Equal to 1e-12 of the larger, or, for a sum, of the largest of its terms: what cancels has lost those digits in
    Python too. Subnormal numbers have few digits."""
    if math.isnan(ours) or math.isnan(theirs) or math.isinf(ours) or math.isinf(theirs):
        return str(ours) == str(theirs)
    return abs(ours - theirs) <= 1e-12 * max(abs(theirs), *map(abs, terms), 2.0**-1022 * 1e13)


def terms_of(node):
    return [arg.data for arg in node.args if isinstance(arg, Value)] if node.op is OPS["add"] else ()


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [neuron, network])
def test_stepping_through_gives_the_engines_numbers(visit, build):
    loss = build()
    loss.backward()
    order = mb.topological_order(loss)
    view = visit(page_of(loss))
    view.keyboard.press("Home")
    assert state(view)[0] == 0
    said = []
    for _ in range(10_000):
        if view.locator("#next").is_disabled():
            break
        view.keyboard.press("ArrowRight")
        said.append(view.inner_text("#said"))
    step, data, grad = state(view)
    assert step == len(said) == view.evaluate("last")
    assert data == [node.data for node in order]
    assert grad == [node.grad for node in order]
    for i, node in enumerate(order):
        assert view.locator(f"#v{i} .number").all_text_contents() == [number(node.data), number(node.grad)]
    if build is neuron:
        assert "z = w·x + b = −3 + 0.7 = −2.3" in said
        assert "(ŷ − y)² = (−0.9089)² = 0.8261" in said
        assert "L.grad = ∂L/∂L = 1" in said
        assert "ŷ.grad += (ŷ − y).grad · ∂(ŷ − y)/∂ŷ = −0.9089 · 1 = −0.9089" in said


def test_a_step_back_shows_what_was_known_then(visit):
    view = visit(page_of(neuron()))
    for _ in range(9):
        view.click("#back")
    step, _, grad = state(view)
    assert grad.count(0.0) > 3
    assert step == view.evaluate("last") - 9
    assert view.locator("#v0 .number").all_text_contents()[1] == ""


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
def test_each_row_in_javascript(visit, op):
    """Function and rules at the fixed points of the accuracy tests, extremes included."""
    view = visit("<!DOCTYPE html><meta charset=utf-8><title>rows</title>")
    special = (Path(mb.page.__file__).parent / "special.js").read_text()
    code = f"{special}; const F = {{}}, D = {{}}; {script([op])}; "
    points = fixed(op)
    each = "[f(...p), ...d.map((rule) => rule(...p, f(...p)))].map(String)"
    run = f"(points) => {{ {code} const f = F.{op.name}, d = D.{op.name}; return points.map((p) => {each}); }}"
    for point, found in zip(points, view.evaluate(run, points), strict=True):
        out = op.fn(*point)
        wanted = [out, *(rule(*point, out) for rule in op.partials)]
        for ours, theirs in zip(wanted, found, strict=True):
            text = {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}.get(theirs, theirs)
            assert same(float(text), ours), (point, ours, theirs)


@settings(max_examples=40)
@given(expression=expressions(max_nodes=10, n_leaves=3))
def test_random_expressions_are_computed_as_python_does(browser, expression):
    """Each operation and rule at the arguments that the page itself had, so that no rounding is amplified."""
    leaves = [Value(x, name) for name, x in expression.inputs.items()]
    order = mb.topological_order(expression(*leaves))
    with contextlib.closing(browser.new_page()) as view:
        view.set_content(page_of(order[-1]))
        view.evaluate("forward()")
        told = view.evaluate("micrograd.state()")
    place = {node: i for i, node in enumerate(order)}
    data, grads = told["data"], [0.0] * len(order)
    grads[-1] = 1.0
    for i, node in reversed(list(enumerate(order))):
        if node.op is None:
            assert data[i] == node.data
            continue
        numbers = [data[place[arg]] if isinstance(arg, Value) else arg for arg in node.args]
        near = (1.0,) if node.op.bound.shift else ()  # such a rule cancels, or feels the rounding of its argument
        assert same(data[i], node.op.fn(*numbers), near)
        for arg, rule, local in zip(node.args, node.op.partials, told["locals"][i], strict=True):
            if isinstance(arg, Value):
                assert same(local, rule(*numbers, data[i]), near), (node.op, numbers)
                taken = local != 0.0 or not node.op.selects or math.isfinite(grads[i])
                grads[place[arg]] += grads[i] * local if grads[i] != 0.0 and taken else 0.0
    assert [repr(float(x)) for x in told["grad"]] == list(map(repr, grads))  # backward to the bit


def not_taken():
    x, y = Value(2.0, "x"), Value(1.0, "y")
    return mb.maximum(x, y) * math.inf + mb.where(Value(0.0, "c"), mb.sqrt(y - 1.0), x * 2.0)


def nothing_arrives():
    x = Value(0.0, "x")
    return mb.sqrt(x) * 0.0 + mb.relu(x) * math.nan + mb.clip(x, 0.0, 1.0)


def infinite():
    x = Value(0.0, "x")
    return mb.sqrt(x) * 2.0 + mb.abs(x) * math.inf


def cancelling():
    x = Value(0.1, "x")
    return x * 3.0 - x - x - x + x * x


@pytest.mark.parametrize("build", [not_taken, nothing_arrives, infinite, cancelling])
def test_what_the_engine_passes_on_and_what_it_does_not(visit, build):
    root = build()
    root.backward()
    order = mb.topological_order(root)
    view = visit(page_of(root))
    for _ in range(2):  # as recorded, and as computed
        _, data, grad = state(view)
        assert [repr(float(x)) for x in data] == [repr(node.data) for node in order]
        assert [repr(float(x)) for x in grad] == [repr(node.grad) for node in order]
        view.evaluate("forward()")


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
def test_cs_functions_where_javascript_differs(visit, name):
    """At zeros, infinities and nan as in C99, as Python's math has it; erf and erfc to 3e-15 everywhere."""
    view = visit("<!DOCTYPE html><title>functions</title>")
    code = (Path(mb.page.__file__).parent / "special.js").read_text()
    rng = random.Random(7)
    if name.startswith("erf"):
        points = [(x,) for x in SPECIAL] + [(rng.uniform(-6.0, 26.0),) for _ in range(1000)]
        points += [(10.0 ** rng.uniform(-12, 0),) for _ in range(200)]
        wanted = [float(getattr(mpmath, name)(x)) if math.isfinite(x) else getattr(math, name)(x) for (x,) in points]
    else:
        points = [(x, y) for x in SPECIAL for y in SPECIAL]
        alone = {"pow": mb.ieee.power, "fmin": np.fmin, "fmax": np.fmax}[name]
        wanted = [float(alone(x, y)) for x, y in points]
    run = f"(points) => {{ {code}; return points.map((p) => {name}(...p)); }}"
    for point, ours, found in zip(points, wanted, view.evaluate(run, points), strict=True):
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


def test_a_wrong_row_is_noticed(visit):
    view = visit("<!DOCTYPE html><title>rows</title>")
    code = script([OPS["mul"]]).replace("=> b", "=> a")
    found = view.evaluate(f"() => {{ const F = {{}}, D = {{}}; {code}; return D.mul[0](2, 3, 6); }}")
    assert not same(float(found), OPS["mul"].partials[0](2.0, 3.0, 6.0))


def test_a_field_and_a_slider_change_everything(visit):
    view = visit(page_of(neuron()))
    view.fill("#n0", "0.25")
    w, b, x, y = Value(0.25), Value(0.7), Value(-1.5), Value(1.0)
    loss = ((w * x + b).sigmoid() - y) ** 2 / 2
    loss.backward()
    _, data, grad = state(view)
    assert same(data[-1], loss.data)
    assert same(grad[0], w.grad)
    view.fill("#n0", "")
    assert view.get_attribute("#n0", "aria-invalid") == "true"
    assert same(state(view)[2][0], w.grad)  # what is no number changes nothing
    view.press("#n0", "Tab")
    assert view.input_value("#n0") == "0.25"
    assert view.get_attribute("#n0", "aria-invalid") == "false"
    view.fill("#n0", "1e3")
    assert float(view.locator("input[type=range]").first.input_value()) == 1000.0  # the slider follows
    view.locator("input[type=range]").first.focus()
    view.keyboard.press("ArrowLeft")
    assert 0 < state(view)[1][0] < 1000.0
    view.click("#reset")
    assert state(view)[1][0] == 2.0
    assert view.locator("#reset").is_disabled()


def test_outside_the_domain_is_said(visit):
    x = Value(2.0, "x")
    y = x.log()
    y.name = "y"
    view = visit(page_of(y * 3))
    assert view.inner_text("#trouble") == ""
    view.fill("#n0", "-1")
    view.wait_for_selector("#v1.outside")
    assert view.inner_text("#trouble") == "⚠ y = nan, for log: x = −1 is outside (0, inf); so is what is made from it."
    assert view.locator(".outside").count() == 1
    assert view.locator("#v2 .number").all_text_contents() == ["nan", "1"]
    view.keyboard.press("Tab")
    view.evaluate("go(1)")
    assert view.inner_text("#trouble") == ""  # not there yet
    view.fill("#n0", "4")
    view.evaluate("go(last)")
    assert same(state(view)[1][-1], 3 * math.log(4.0))
    assert view.inner_text("#trouble") == ""


def test_the_words_are_those_of_the_domain_error(visit):
    points = [("div", (1.0, 0.0)), ("pow", (-8.0, 0.5)), ("asin", (1.5,)), ("pow", (0.0, -1.0)), ("acosh", (0.0,))]
    for name, point in points:
        op = OPS[name]
        inside = [Value(x, f"a{i}") for i, x in enumerate(fixed(op)[0])]
        view = visit(page_of(op(*inside)))
        for i, x in enumerate(point):
            view.evaluate("([i, x]) => change(i, x)", [i, x])
        said = view.evaluate("outside(root)")
        with pytest.raises(mb.DomainError) as error:
            op(*map(Value, point))
        told = re.sub(r"\b(\d+)\.0\b", r"\1", str(error.value))
        assert told.startswith(said.replace("−", "-"))
        assert len(said) > 20


# --- explanations -----------------------------------------------------------------------------------------------------


def direct_and_by_way_of():
    x = Value(2.0, "x")
    u = x.log()
    u.name = "u"
    v = u * x + x * x
    v.name = "v"
    return v * u


@pytest.mark.parametrize("build", [neuron, network, direct_and_by_way_of])
def test_the_chain_rule_of_a_value_is_that_of_explain(visit, build):
    loss = build()
    view = visit(page_of(loss))
    for i, node in enumerate(mb.topological_order(loss)):
        if node.name and node is not loss:
            view.focus(f"#v{i}")
            shown = " ".join(view.inner_text("#why").split())
            told = "\n".join(str(mb.explain(loss, node)).split("\n\n")[1:])
            told = " ".join(re.sub(r"\(3\.\d\)", "", told).split())
            assert shown == told


@pytest.mark.parametrize("build", [neuron, network])
def test_the_products_shown_are_the_gradient(visit, build):
    loss = build()
    loss.backward()
    view = visit(page_of(loss, digits=17))
    checked = 0
    for i, node in enumerate(mb.topological_order(loss)[:-1]):
        view.evaluate(f"look({i})")
        rows = view.locator("#why table").first.locator("tr").all_inner_texts()
        *_, before, total = ["", *(" ".join(row.replace("−", "-").split("\t")[2:]) for row in rows)]
        brackets = str.maketrans("", "", "()")
        assert math.isclose(float(total), node.grad, rel_tol=1e-12)
        if re.fullmatch(r"[-\d.e ·+()]+", before):  # a single factor is not written twice
            products = [map(float, product.translate(brackets).split(" · ")) for product in before.split(" + ")]
            assert math.isclose(sum(map(math.prod, products)), node.grad, rel_tol=1e-12)
            checked += 1
    assert checked >= 4


def test_long_formulas_are_taken_apart(visit):
    """What has no name gets one where its formula does not fit, and the chain rule stops there."""
    x = Value(0.5, "x")
    v = x
    for _ in range(6):
        v = (v * x).tanh() + 1.0
    v.backward()
    order = mb.topological_order(v)
    view = visit(page_of(v, digits=17))
    for i, node in enumerate(order[:-1]):
        view.evaluate(f"look({i})")
        for table in view.locator("#why table").all_inner_texts():
            assert "=\t\n" not in table
            assert "=\t…" not in table
        first = view.locator("#why table").first.inner_text().split("\t")
        assert math.isclose(float(first[-1].replace("−", "-")), node.grad, rel_tol=1e-12)
        ways = view.evaluate(f"equation({i}, backward(contributions.length).adjoints).map((way) => way.products)")
        sums = sum(math.prod(x for group in product for x in group) for way in ways for product in way)
        assert math.isclose(sums, node.grad, rel_tol=1e-12)


def test_what_is_not_reached_is_not_told(visit):
    view = visit(page_of(neuron()))
    view.keyboard.press("Home")
    assert set(view.locator(".card .number, .local").all_text_contents()) == {""}
    view.focus("#v0")
    shown = " ".join(view.inner_text("#why").split())
    assert "∂L/∂ŷ · ∂ŷ/∂z" in shown
    assert "the backward pass has yet to come here" in shown
    assert not re.search(r"0\.\d", shown)
    view.keyboard.press("ArrowRight")
    assert "∂L" not in view.inner_text("#why")  # the step is shown again
    view.keyboard.press("End")
    view.focus("#v1")
    view.focus("#v0")
    assert "0.1129" in view.inner_text("#why")


def test_a_step_tells_the_derivatives_that_it_keeps_and_uses(visit):
    view = visit(page_of(neuron()))
    told = set()
    view.keyboard.press("Home")
    for _ in range(view.evaluate("last")):
        view.keyboard.press("ArrowRight")
        told.add(" ".join(view.inner_text("#why").split()))
    assert "∂ŷ/∂z = ŷ·(1 − ŷ) = 0.08282" in told
    assert "∂(w·x)/∂w = x = −1.5 ∂(w·x)/∂x = w = 2" in told


def test_nothing_moves_while_one_steps(visit):
    for options in ({}, {"viewport": {"width": 375, "height": 700}}):
        view = visit(page_of(neuron()), **options)
        parts = "['.scroll', '#why', '#fields', '.note:last-of-type'].map((s) => document.querySelector(s)"
        where = f"JSON.stringify({parts}.getBoundingClientRect().top + scrollY))"
        view.keyboard.press("Home")
        places = set()
        for _ in range(view.evaluate("last")):
            view.keyboard.press("ArrowRight")
            places.add(view.evaluate(where))
        view.fill("#n0", "0.123456789")
        view.focus("#v0")
        places.add(view.evaluate(where))
        assert len(places) == 1


@pytest.mark.parametrize("digits", [1, 4, 17])
def test_numbers_stay_inside_their_cards(visit, digits):
    w, x = Value(-0.123456789012345, "w"), Value(1 / 3, "x")
    v = (w * x + 1e-7).tanh() * Value(-1.2345678901234567e-300, "tiny")
    view = visit(page_of(v, digits=digits))
    outside = view.evaluate(
        """() => cards.flatMap(({ group, room }) => {
            const card = group.querySelector(".back").getBBox();
            const captions = [...group.querySelectorAll(".what")].map((text) => text.getBBox());
            return [...group.querySelectorAll(".number")].map((text, i) => {
                const box = text.getBBox();
                const tight = box.width < 0.7 * 6.6 * text.textContent.length - 4;  // no longer legible
                const wide = box.x < captions[i].x + captions[i].width || box.x + box.width > card.x + card.width;
                return tight || wide || box.width > room + 4;
            });
        })"""
    )
    assert len(outside) == 14
    assert not any(outside)


def test_pointing_fades_what_is_not_on_the_way(visit):
    view = visit(page_of(neuron()))
    view.hover("#v0")
    faded = view.locator(".card.faded").count()
    assert 0 < faded < view.locator(".card").count()
    assert view.locator(".line.on").count() == 6
    view.mouse.move(0, 0)
    assert view.locator(".faded").count() == 0
    assert "Point at a value" in view.inner_text("#why")
    view.focus("#v1")
    view.hover("#v0")
    view.mouse.move(0, 0)
    assert "∂L/∂" + mb.topological_order(neuron())[1].name in view.inner_text("#why")  # back to the one in focus


def test_many_paths_are_few_lines(visit):
    x = Value(1.5, "x")
    v = x
    for _ in range(20):
        v = v * v * 0.5  # a million paths
    view = visit(page_of(v))
    view.focus("#v0")
    assert view.locator("#why table").count() <= 12
    v.backward()
    assert same(state(view)[2][0], x.grad)


def test_a_value_used_far_away_is_repeated(visit):
    """Graphviz would lay lines across a hundred ranks for minutes."""
    x = Value(0.5, "x")
    v = x
    for _ in range(160):
        v = (v * x).tanh() + 1.0
    v.backward()
    view = visit(page_of(v))
    assert view.locator(".again").count() > 100
    assert set(view.locator(".again").all_text_contents()) == {"x ↗"}
    assert same(state(view)[2][0], x.grad)
    view.evaluate("look(0)")
    assert view.locator(".again.faded").count() == 0
    view.locator(".again").last.scroll_into_view_if_needed()
    view.evaluate("look(null)")
    view.locator(".again").last.hover()
    assert "∂f/∂x" in view.inner_text("#why")


# --- safety and use ---------------------------------------------------------------------------------------------------


HOSTILE = "</script><img src=x onerror=\"document.title='taken'\"><svg onload=alert(1)>&amp;\\N{}"


def test_hostile_names_are_inert(visit):
    a = Value(2.0, HOSTILE)
    v = a * a
    v.name = "</text></svg><script>document.title='taken'</script>"
    view = visit(page_of(v, title=HOSTILE))
    view.focus("#v0")
    assert view.title() == HOSTILE.replace("\n", " ")
    assert view.locator("img").count() == 0
    assert view.locator("script").count() == 2
    assert view.locator("#v0 .name").text_content().startswith("</script><img")


def test_only_its_own_script_runs(visit):
    view = visit(page_of(neuron()))
    refused = view.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const added = document.createElement("script");
            added.textContent = "window.taken = 1";
            document.head.append(added);
            setTimeout(() => done(window.taken ? "it ran" : "no event"), 500);
        })"""
    )
    assert refused.startswith("script-src")
    assert "Content Security Policy" in visit.faults.pop()


def test_keys_alone_are_enough(visit):
    view = visit(page_of(neuron()))
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        view.keyboard.press(key)
        assert state(view)[0] == step
    view.keyboard.press("End")
    assert state(view)[0] == view.evaluate("last")
    view.keyboard.press("Space")
    assert "pause" in view.inner_text("#play")
    view.keyboard.press("End")
    for _ in range(20):
        view.keyboard.press("Tab")
        if view.evaluate("document.activeElement.id") == "v0":
            break
    assert "∂L/∂w" in view.inner_text("#why")
    assert view.get_attribute("#v0", "aria-label").startswith("w, leaf, data 2, gradient 0.1129")
    assert view.get_attribute("#v0", "aria-describedby") == "why"
    assert view.get_attribute("#said", "aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_and_phone_width(visit, scheme):
    view = visit(page_of(network()), viewport={"width": 375, "height": 700}, color_scheme=scheme)
    assert view.evaluate("document.documentElement.scrollWidth") <= 375
    contrasts = """() => {
        const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        const light = (c) => c.map((x) => linear(x / 255))
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
        const style = (element, key) => getComputedStyle(element)[key];
        const of = (selector, key) => rgb(style(document.querySelector(selector), key));
        const card = of(".card .back", "fill");
        const page = of("body", "backgroundColor");
        const found = cards.flatMap(({ group, tint, caption, gradText }) => {
            const opacity = Number(style(tint, "fillOpacity"));
            const colour = style(tint, "fill");
            const ground = colour === "none" ? card : rgb(colour).map((x, i) => x * opacity + card[i] * (1 - opacity));
            return [...group.querySelectorAll("text, tspan")].map((text) =>
                contrast(rgb(style(text, "fill")), [caption, gradText].includes(text) ? ground : card));
        });
        for (const text of [".note", "#where", "#said", "#trouble", "#fields label", "#fields output", "h1"]) {
            found.push(contrast(of(text, "color"), page));
        }
        found.push(contrast(of("svg .local", "fill"), page));
        found.push(contrast(of("#why p", "color"), of("#why", "backgroundColor")));
        found.push(contrast(of("button", "color"), of("button", "backgroundColor")));
        return found;
    }"""
    ratios = view.evaluate(contrasts)
    assert len(ratios) > 100
    assert min(ratios) >= 4.5
    view.evaluate("() => { locals = locals.map((all) => all.map((x) => x && NaN)); paint(); }")
    assert view.locator(".tint.neither").count() > 5
    assert min(view.evaluate(contrasts)) >= 4.5


@pytest.mark.parametrize("width", [375, 800, 1200])
def test_long_names_and_numbers_do_not_widen_the_page(visit, width):
    total = Value(0.0, "start")
    for i in range(8):
        total = total + Value(-i / 7e-7, f"a_very_long_name_of_a_leaf_{i}_" + "w" * 30) * 2
    total.name = "W" * 40
    view = visit(page_of(total, title="T" * 300, digits=17), viewport={"width": width, "height": 700})
    for key in ("End", "Home", "ArrowRight", "ArrowRight"):
        view.keyboard.press(key)
        assert view.evaluate("document.documentElement.scrollWidth") <= width
    view.focus("#v0")
    assert view.evaluate("document.documentElement.scrollWidth") <= width


def test_a_touch_explains(visit):
    view = visit(page_of(neuron()), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    view.tap("#v0")
    assert "∂L/∂w" in view.inner_text("#why")


def test_a_row_of_ones_own_is_shown_but_not_recomputed(visit, own_ops):
    @mb.op(lambda x, out: 3.0 * mb.square(x), name="cubed_here")
    def cubed(x):
        return x**3

    x = Value(2.0, "x")
    loss = cubed(x) + 1
    loss.backward()
    view = visit(page_of(loss))
    assert view.locator("input:enabled").count() == 0
    assert "cubed_here has no form in C99" in view.inner_text("main")
    assert state(view)[2][0] == x.grad == 12.0
    view.keyboard.press("Home")
    view.keyboard.press("End")


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
    row = mb.op(rule, name="fabs", native=native)(lambda x: x**3)
    assert not_in_javascript([row]) == ["fabs"]
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


def test_leaves_that_are_not_finite(visit):
    view = visit(page_of(Value(math.inf, "a") + Value(math.nan, "b")))
    assert view.get_attribute("#n0", "placeholder") == "inf"
    assert view.inner_text("#trouble") == ""  # nan is data, no operation was left
    for i, x in enumerate(("1", "2")):
        view.fill(f"#n{i}", x)
    assert state(view)[1][-1] == 3.0


def test_motion_can_be_declined(visit):
    view = visit(page_of(neuron()), reduced_motion="reduce")
    assert view.evaluate("getComputedStyle(document.querySelector('.card')).transitionDuration") == "0s"


def test_all_rows_have_a_form_in_javascript():
    assert not_in_javascript(OPS.values()) == []


def test_it_is_saved_and_has_limits(tmp_path):
    saved = neuron().graph(title="a neuron").save(tmp_path / "deep" / "loss.html")
    html = saved.read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "<title>a neuron</title>" in html
    assert neuron().graph(title="a neuron").save(tmp_path / "again.html").read_text() == html
    assert len(html) < 60_000
    long = Value(1.0)
    for _ in range(600):
        long = long + 1
    with pytest.raises(ValueError, match="601 values, a page at most 500"):
        page_of(long)
    with pytest.raises(ValueError, match="a page is made of a value's graph"):
        mb.draw(nn.MLP(2, [1])).save(tmp_path / "model.html")
