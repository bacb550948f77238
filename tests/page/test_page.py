"""The page in a real browser: its numbers are the engine's, it needs nothing but itself, names are inert."""

import math
import re

import pytest
from pages import need_browser, network, neuron, same, state
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, Value
from micrograd_bp.page import page as page_of
from micrograd_bp.symbolic.templates import number

need_browser()


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
        said.append(view.inner_text("#message"))
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
    message = "⚠ y = nan, since log: x = −1 is outside (0, inf); the values that depend on it are affected."
    assert view.inner_text("#trouble") == message
    assert view.locator(".outside").count() == 1
    assert view.locator("#v2 .number").all_text_contents() == ["nan", "1"]
    view.keyboard.press("Tab")
    view.evaluate("go(1)")
    assert view.inner_text("#trouble") == ""  # not there yet
    view.fill("#n0", "4")
    view.evaluate("go(last)")
    assert same(state(view)[1][-1], 3 * math.log(4.0))
    assert view.inner_text("#trouble") == ""


@pytest.mark.slow
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
        ways = view.evaluate(f"equation({i}, backward(contributions.length)).map((way) => way.products)")
        sums = sum(math.prod(x for group in product for x in group) for way in ways for product in way)
        assert math.isclose(sums, node.grad, rel_tol=1e-12)


def test_what_is_not_reached_is_not_told(visit):
    view = visit(page_of(neuron()))
    view.keyboard.press("Home")
    assert set(view.locator(".card .number, .local").all_text_contents()) == {""}
    view.focus("#v0")
    shown = " ".join(view.inner_text("#why").split())
    assert "∂L/∂ŷ · ∂ŷ/∂z" in shown
    assert "the backward pass has not reached this value" in shown
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert view.get_attribute("#message", "aria-live") == "polite"


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
        for (const text of [".note", "#where", "#message", "#trouble", "#fields label", "#fields output", "h1"]) {
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
    assert "cubed_here has no C99 form" in view.inner_text("main")
    assert state(view)[2][0] == x.grad == 12.0
    view.keyboard.press("Home")
    view.keyboard.press("End")


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
