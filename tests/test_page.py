"""The page in a real browser: its numbers are the engine's, it needs nothing but itself, names are inert."""

import contextlib
import json
import math
import os
import re
import shutil
from pathlib import Path

import pytest
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value, nn
from micrograd_bp.formula import number
from micrograd_bp.page import page as page_of
from micrograd_bp.page.script import not_in_javascript, script

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
        view = browser.new_context(**options).new_page()
        view.on("console", lambda message: faults.append(message.text))
        view.on("pageerror", lambda error: faults.append(str(error)))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(path.as_uri())
        return view

    opened.faults = faults
    yield opened
    assert faults == []
    assert len(asked) == 1


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
    told = json.loads(view.evaluate("document.body.dataset.state"))
    number = {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}
    return told["step"], *([float(number.get(x, x)) for x in told[key]] for key in ("data", "grad"))


def same(ours, theirs):
    return (math.isnan(ours) and math.isnan(theirs)) or ours == pytest.approx(theirs, rel=1e-12, abs=1e-13)


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
        assert "z = w·x + b = −2.3" in said
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
            if not same(d, node.data) or not same(g, node.grad)
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
    view.locator("input[type=range]").first.focus()
    view.keyboard.press("ArrowRight")
    assert not same(state(view)[1][0], 0.25)
    view.click("#reset")
    assert state(view)[1][0] == 2.0


def test_outside_the_domain_is_said(visit):
    x = Value(2.0, "x")
    y = x.log()
    y.name = "y"
    view = visit(page_of(y * 3))
    view.fill("#n0", "-1")
    view.keyboard.press("Tab")
    for _ in range(2):
        view.click("#back")
    view.evaluate("go(2)")
    assert "outside the domain of log: x in (0, inf)" in view.inner_text("#said")
    assert "outside" in view.get_attribute("#v1", "class")


# --- explanations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [neuron, network])
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


def test_pointing_fades_what_is_not_on_the_way(visit):
    view = visit(page_of(neuron()))
    view.hover("#v0")
    faded = view.locator(".card.faded").count()
    assert 0 < faded < view.locator(".card").count()
    assert view.locator(".line.on").count() == 6
    view.mouse.move(0, 0)
    assert view.locator(".faded").count() == 0
    assert "Point at a value" in view.inner_text("#why")


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
    assert view.get_attribute("#said", "aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_and_phone_width(visit, scheme):
    view = visit(page_of(network()), viewport={"width": 375, "height": 700}, color_scheme=scheme)
    assert view.evaluate("document.documentElement.scrollWidth") <= 375
    contrasts = view.evaluate(
        """() => {
            const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
            const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
            const light = (c) => c.map((x) => linear(x / 255))
                .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
            const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            const of = (selector, key) => rgb(getComputedStyle(document.querySelector(selector))[key]);
            const card = of(".card .back", "fill");
            const tints = [...document.querySelectorAll(".tint.plus, .tint.minus")].map((tint) => {
                const style = getComputedStyle(tint);
                return rgb(style.fill).map((x, i) => x * style.fillOpacity + card[i] * (1 - style.fillOpacity));
            });
            const grounds = [card, ...tints];
            const ink = light(of("svg .number", "fill"));
            return [...grounds.map((ground) => contrast(ink, light(ground))),
                contrast(light(of("svg .what", "fill")), light(card)),
                contrast(light(of(".note", "color")), light(of("body", "backgroundColor"))),
                contrast(light(of("#why p", "color")), light(of("#why", "backgroundColor")))];
        }"""
    )
    assert len(contrasts) > 5
    assert min(contrasts) >= 4.5


def test_a_row_of_ones_own_is_shown_but_not_recomputed(visit):
    @mb.op(lambda x, out: 3.0 * mb.square(x), name="cubed_here")
    def cubed(x):
        return x**3

    try:
        x = Value(2.0, "x")
        loss = cubed(x) + 1
        loss.backward()
        view = visit(page_of(loss))
        assert view.locator("input:enabled").count() == 0
        assert "cubed_here has no native form" in view.inner_text("main")
        assert state(view)[2][0] == x.grad == 12.0
        view.keyboard.press("Home")
        view.keyboard.press("End")
    finally:
        del OPS["cubed_here"]


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
