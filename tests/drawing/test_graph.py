"""Pictures: what stands on the cards, the same graph the same bytes, both layout engines, errors that help."""

import math
import re
import sys
import xml.etree.ElementTree as ET

import pytest

import micrograd_bp as mb
from micrograd_bp import MissingExtraError, Value, draw
from micrograd_bp.drawing import graphviz as layout
from micrograd_bp.drawing import theme
from micrograd_bp.drawing.dot import labels
from micrograd_bp.symbolic.templates import number

SVG = "{http://www.w3.org/2000/svg}"


def neuron():
    w, x, b, y = Value(2.0, "w"), Value(-1.5, "x"), Value(0.7, "b"), Value(1.0, "y")
    y_hat = mb.sigmoid(w * x + b)
    y_hat.name = "ŷ"
    loss = (y_hat - y) ** 2 * 0.5
    loss.name = "L"
    return loss


def texts(svg):
    return [element.text for element in ET.fromstring(svg.encode()).iter(f"{SVG}text")]


def test_the_cards_of_a_neuron():
    loss = neuron()
    assert "grad" not in texts(loss.graph().svg)
    loss.backward()
    shown = [text.strip() for text in texts(loss.graph().svg)]
    for text in ("w", "ŷ", "w·x", "w·x + b", "(ŷ − y)²", "L", "= σ", "leaf", "grad", "−0.9089", "0.08282", "−1.5"):
        assert text in shown, text
    assert shown.count("data") == 10  # constants are no cards
    elements = ET.fromstring(loss.graph().svg.encode()).iter()
    titles = "\n".join(element.get("{http://www.w3.org/1999/xlink}title") or "" for element in elements)
    assert re.search(r"^∂\(ŷ\)/∂\(w·x \+ b\) = 0\.0828\d+; adds −0\.9089 · 0\.08282 = −0\.0753?", titles, re.MULTILINE)
    assert re.search(r"^w: data 2\.0, grad 0\.11290\d+$", titles, re.MULTILINE)


def test_the_same_graph_gives_the_same_bytes():
    pictures = set()
    for _ in range(3):
        loss = neuron()
        loss.backward()
        pictures.add((loss.graph().dot, loss.graph().svg))
    assert len(pictures) == 1


def test_an_argument_used_twice_has_two_edges():
    a = Value(3.0, "a")
    assert (a * a).graph().dot.count("n0 -> n1") == 2


def test_small_numbers_are_not_zero():
    assert "1e−7" in texts((Value(1e-7) * 1).graph().svg)
    assert number(-0.0) == "−0"
    assert number(float("nan")) == "nan"
    assert number(float("-inf")) == "−inf"


def test_formulas_have_the_brackets_they_need():
    a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
    formulas = {
        "a + b + c": a + b + c,
        "a + (b + c)": a + (b + c),
        "a − (b − c)": a - (b - c),
        "a·b − c": a * b - c,
        "(a + b)·c": (a + b) * c,
        "(a / b)·c": a / b * c,
        "a / (b·c)": a / (b * c),
        "−a + b": -a + b,
        "a + (−b)": a + -b,
        "−(a + b)": -(a + b),
        "a²": a**2,
        "a⁻²": a**-2,
        "a^2.5": a**2.5,
        "a^(b + c)": a ** (b + c),
        "(−a)²": (-a) ** 2,
        "(a·b)²": (a * b).square(),
        "2^a": 2**a,
        "√(a + b)": (a + b).sqrt(),
        "|a − b|": abs(a - b),
        "σ(a·b)": (a * b).sigmoid(),
        "max(a, b − 1)": mb.maximum(a, b - 1),
    }
    assert [labels(mb.topological_order(node), 4)[node] for node in formulas.values()] == list(formulas)


def test_long_formulas_leave_the_card_to_the_sign():
    x = Value(2.0, "a_rather_long_name")
    y = (x * x).tanh()
    assert 'tooltip="tanh: data' in y.graph().dot


@pytest.mark.parametrize("name", ['"', "<b>&", "\\", "\\N", "\x00\x1b", "", "a\nb", "]]>", "\ud800", "日本"])
def test_any_name_can_be_drawn(name):
    x = Value(2.0, name)
    svg = (x * 2).graph(title=name).svg
    shown = "".join(text or "" for text in texts(svg))
    unseen = dict.fromkeys(map(ord, "\x00\x1b\n\ud800\ufffd\N{WORD JOINER}"))
    assert " ".join(name.split()).translate(unseen) in shown.translate(unseen)


def test_gradients_that_are_not_finite_can_be_drawn():
    x, y = Value(0.0), Value(float("nan"))
    z = x.sqrt() + y
    z.backward()
    assert "inf" in texts(z.graph().svg)
    assert theme.strength(float("inf"), 1.0) == 1.0


def test_tints_show_sign_and_strength():
    assert theme.tint(1.0, 1.0) == theme.POSITIVE + "cc"
    assert theme.tint(-1e-9, 1.0).startswith(theme.NEGATIVE)
    assert theme.tint(0.0, 0.0).endswith("00")


def test_dark_and_light_in_one_file():
    svg = neuron().graph().svg
    assert "prefers-color-scheme: dark" in svg
    assert f'[fill="{theme.POSITIVE}"][fill-opacity]' in svg  # tints, not the heads of a network's arrows
    assert f'[stroke="{theme.POSITIVE}"]' not in svg
    for light in (theme.CARD, theme.INK, theme.FAINT, theme.RULE, theme.EDGE):
        assert f'[fill="{light}"]' in svg
        assert f'="{light}"' in svg.split("</style>")[1]


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"digraph")]
)
def test_saving(tmp_path, ending, start):
    path = neuron().graph(direction="TB").save(tmp_path / "new" / f"picture.{ending.upper()}")
    assert path.read_bytes().startswith(start)


def test_what_is_no_svg_has_a_white_ground(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(layout, "render", lambda source, ending: seen.append((source, ending)) or b"")
    for ending in ("png", "pdf"):
        neuron().graph(title='bgcolor="transparent"').save(tmp_path / f"x.{ending}")
    assert [ending for _, ending in seen] == ["png", "pdf"]
    assert all('bgcolor="white"' in source and ' bgcolor="transparent"' not in source for source, _ in seen)


def test_notebooks_and_repr():
    graph = neuron().graph()
    assert graph._repr_svg_() == graph.svg
    assert repr(graph) == "<Graph of 10 values; .svg, .save(path)>"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: neuron().graph(direction="XY"), ValueError, "direction is 'LR' or 'TB', not 'XY'"),
        (lambda: neuron().graph(digits=0), ValueError, "digits is a whole number from 1 to 17, not 0"),
        (lambda: neuron().graph(digits=2.5), ValueError, "not 2.5"),
        (lambda: neuron().graph(title=3), TypeError, "a title is a str, not int"),
        (lambda: neuron().graph(max_nodes=0), ValueError, "max_nodes is a whole number, at least 1, not 0"),
        (lambda: neuron().graph(depth=-1), ValueError, "depth is a whole number, at least 0, not -1"),
        (lambda: neuron().graph(depth=True), ValueError, "depth is a whole number, at least 0, not True"),
        (lambda: neuron().graph(around=Value(1.0)), ValueError, "around is not in this graph"),
        (lambda: neuron().graph(around="w"), TypeError, "around is a Value of the graph, not str"),
        (lambda: neuron().graph(view="steps", depth=1), ValueError, "leave them out with view='steps'"),
        (lambda: neuron().graph(view="layers"), ValueError, "view='layers' needs a network"),
        (lambda: neuron().graph(clusters="neurons"), ValueError, "clusters='neurons' needs a network"),
        (lambda: neuron().graph(clusters="x"), ValueError, "clusters is 'auto', 'neurons', 'layers' or None, not 'x'"),
        (lambda: neuron().graph(view=None), ValueError, "view is 'values', 'steps', 'neurons' or 'layers', not None"),
        (lambda: neuron().graph(edges=1), ValueError, "edges is 'local', 'flow' or 'none', not 1"),
        (lambda: neuron().graph(constants=0), TypeError, "constants is True or False, not 0"),
        (
            lambda: neuron().graph(view="steps", inputs=[1.0]),
            TypeError,
            "inputs is a list of Values, leaves of the graph",
        ),
        (lambda: neuron().graph(view="steps", inputs=3), TypeError, "leaves of the graph, not 3"),
        (
            lambda: neuron().graph(inputs=[Value(1.0)]),
            ValueError,
            "inputs are leaves of the graph; one of the given Values is",
        ),
        (
            lambda: neuron().graph().save("x.gif"),
            ValueError,
            r"saved as \.svg, \.png, \.pdf, \.dot, \.mmd, \.html, not 'x.gif'",
        ),
        (lambda: neuron().graph(colour="red"), TypeError, "colour"),
        (lambda: draw(3.0), TypeError, "takes a Value, for its graph, or a Module, for its network, not float"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_any_graphviz_both_remedies_are_named(monkeypatch):
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'micrograd_bp\[draw\]'.*program `dot`"):
        _ = neuron().graph().svg
    assert issubclass(MissingExtraError, ImportError)


def test_the_program_dot_is_used_where_it_is(monkeypatch, tmp_path):
    """A stand-in for the program: it is called with the format, gets the text and its output is the picture."""
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdout.write('<svg>' + sys.argv[1] + sys.stdin.read()[:7] + '</svg>')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert layout.render(neuron().graph().dot, "svg").decode().startswith("<svg>-K")


def test_what_the_picture_encodes():
    """Signs, sizes and options, in the text that Graphviz gets."""
    x, y = Value(2.0, "x"), Value(-3.0, "y")
    out = x * y + 0.125 * x
    out.backward()
    source = draw(out, direction="TB", digits=7, title="T").dot
    assert "rankdir=TB" in source
    assert 'digraph "T"' in source
    grads = [node.grad for node in (x, y, out)]
    assert grads == [-2.875, 2.0, 1.0]
    assert f'BGCOLOR="{theme.NEGATIVE}{round(255 * 0.8):02x}"' in source  # the largest: full strength
    assert f'BGCOLOR="{theme.POSITIVE}{round(255 * (0.12 + 0.68 * 2 / 2.875)):02x}"' in source
    assert f"penwidth={1 + 2.5:.2f}" in source  # -3, larger than any gradient
    assert f"penwidth={1 + 2.5 * 2 / 2.875:.2f}" in source
    assert ">−2.875<" in source
    assert draw(out).dot != source


def test_what_was_not_taken_gets_nothing_in_the_picture_either():
    x, y = Value(2.0, "x"), Value(1.0, "y")
    root = mb.maximum(x, y) * math.inf
    root.backward()
    assert y.grad == 0.0
    assert "inf · 0 = 0" in root.graph().dot
    assert "= nan" not in root.graph().dot
    assert theme.tint(math.nan, 1.0).startswith(theme.RULE)


@pytest.mark.parametrize("name", ["\n", "\t", " ", "a\nb", "tab\there", "x" * 5000])
def test_names_are_one_line(name):
    svg = Value(2.5, name).graph().svg
    assert ">2.5</text>" in svg
    shown = " ".join(name.split())
    assert not shown or (shown if len(shown) <= 40 else shown[:39] + "…") in svg.replace("&#45;", "-").replace(
        "\xa0", " "
    )


def test_the_dark_style_stays_within_the_picture():
    svg = Value(1.0, "x").graph().svg
    rules = re.findall(r"([^{}]+)\{fill:", svg)
    assert rules
    assert all(rule.strip().startswith(".micrograd_bp ") for rule in rules)
    assert '<svg class="micrograd_bp"' in svg


def test_a_layout_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(layout, "_SECONDS", 0.01)
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    with pytest.raises(TimeoutError, match="draw an inner node"):
        layout.render("digraph { a -> b }", "svg")


def test_a_home_folder_is_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Value(1.0).graph().save("~/a.dot") == tmp_path / "a.dot"
    with pytest.raises(ValueError, match="digits is a whole number"):
        Value(1.0).graph(digits=True)
