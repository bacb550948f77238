"""Pictures hold any name, verbatim, and are the same bytes in every process."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import Value, draw, nn
from micrograd_bp.drawing.labels import distinct, one_line, printable, shown_names
from micrograd_bp.drawing.mermaid import quoted

HOSTILE = [
    *(
        '"',
        "''",
        "<b>&amp;</b>",
        "&#60;",
        "&",
        "]]>",
        "<!--",
        "{a|b}",
        "%s",
        "#quot;",
        "-->",
        "%%{init: {}}%%",
        "end",
        "",
    ),
    *(
        "\\",
        "\\N",
        "\\\\N",
        "\\G\\E\\T\\H\\L",
        '\\"',
        "a\\",
        "\\n",
        "\x00\x1b\x7f",
        "\ud800",
        "\ufffe",
        "a\nb\tc\r",
        "\u2028",
    ),
    *("🎉👩\u200d👩\u200d👧", "שלום", "\u202eabc", "ŷ", "½", "日本", "y" * 200),
]
NAMES = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=60), min_size=1, max_size=12)


def titles(svg):
    """All tooltips of a picture; that it parses means that it is XML."""
    elements = ET.fromstring(svg.encode()).iter()
    return [t for e in elements if (t := e.get("{http://www.w3.org/1999/xlink}title")) is not None]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(NAMES, st.sampled_from(["LR", "TB"]))
def test_every_name_stands_verbatim_in_its_tooltip(names, direction):
    total = Value(0.0)
    for name in names:
        total = total + Value(1.5, name)
    graph = total.graph(direction=direction, title=names[0])
    shown = titles(graph.svg)
    for name in names:
        text = printable(one_line(name, 40))
        assert f"{text or 'leaf'}: data 1.5" in shown
    title = printable(" ".join(names[0].split()))
    assert not title or title in shown


@pytest.mark.parametrize(
    "options",
    [
        {"view": "steps"},
        {"view": "layers"},
        {"view": "neurons"},
        {"depth": 2},
        {"depth": 0, "direction": "TB"},
        {"max_nodes": 3},
        {"edges": "flow", "constants": False, "clusters": "layers"},
    ],
)
def test_every_view_of_hostile_names_is_xml(options):
    model = nn.MLP(len(HOSTILE), [2, 1], activation="tanh", seed=1)
    total = model([Value(0.5, name) for name in HOSTILE])
    for name in HOSTILE:
        total = total * Value(2.0, name)
        total.name = name
    total.backward()
    assert titles(total.graph(title="".join(HOSTILE), **options).svg)
    assert titles(total.graph(around=total.args[0], **({} if "view" in options or "depth" in options else options)).svg)


@pytest.mark.parametrize("name", ["\\", "\\N", "a\\Nb", "\\G\\E\\T\\H\\L", "\\n\\l\\r", "a\\"])
def test_backslashes_in_labels_are_no_escapes_of_graphviz(name):
    svg = (Value(2.0, name) * Value(3.0, "w")).graph(title=name).svg
    shown = ["".join(e.itertext()) for e in ET.fromstring(svg.encode()).iter() if e.tag.endswith("}text")]
    assert sum(text.replace("\N{WORD JOINER}", "") == name for text in shown) == 2  # the leaf and the title


@pytest.mark.parametrize("name", HOSTILE)
def test_networks_hold_any_name(name):
    model = nn.MLP(1, [1], seed=1)
    model.layers[0].neurons[0].w[0].name = name
    shown = titles(draw(model, inputs=[Value(1.0, name)], title=name).svg)
    assert f"{printable(one_line(name, 40)) or 'weight'} {model.layers[0].neurons[0].w[0].data!r}" in shown


@given(st.text() | st.sampled_from(HOSTILE))
def test_mermaid_text_has_nothing_that_mermaid_reads(name):
    inside = quoted(name)[1:-1]
    assert not re.search(r"[^\w\s.,:+*/=()·−#;-]", re.sub(r"[^\x00-\x7f]", "", inside))
    back = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), inside)
    assert back == printable(name)


LINE = re.compile(
    r'  (\w+(\(\[".*"\]\)|\[".*"\])?'
    r'( (-- "[^"]*" -->|-->|-\. "[^"]*" \.->|-\.->) \w+(\[".*"\])?)?)'
)


@pytest.mark.parametrize("name", HOSTILE)
def test_mermaid_lines(name):
    x, w = Value(2.0, name), Value(3.0, "w")
    y = (x * w + 1).tanh()
    y.name = "y"
    y.backward()
    for graph in (y.graph(), y.graph(view="steps"), y.graph(depth=1), y.graph(edges="none"), y.graph(max_nodes=2)):
        first, *lines = graph.mermaid.splitlines()
        assert first == "flowchart LR"
        assert lines
        for line in lines:
            assert LINE.fullmatch(line), line


CODE = """
import hashlib, random
import micrograd_bp as mb
from micrograd_bp import Value, draw, nn
pool = [Value(0.1 * i, f"v{i}") for i in range(8)]
choose = random.Random(1)
for i in range(600):
    a, b = choose.choice(pool), choose.choice(pool[-5:])
    pool.append([a + b, a * b, mb.sin(a) - b][i % 3])
root = sum(pool[-5:], pool[0])
root.backward()
model = nn.MLP(2, [3, 1], seed=1)
loss = (model([1.0, 2.0]) - 1) ** 2
loss.backward()
pictures = [root.graph(), pool[60].graph(), pool[80].graph(depth=3), loss.graph(), loss.graph(view="layers"),
            loss.graph(view="neurons"), loss.graph(view="steps"), draw(model, inputs=[1.0, 2.0])]
for picture in pictures:
    print(hashlib.sha256((picture.dot + picture.mermaid).encode()).hexdigest())
print(hashlib.sha256((pictures[0].svg + pictures[-1].svg).encode()).hexdigest())
"""


def test_the_same_bytes_in_every_process():
    outputs = set()
    for seed in ("0", "1", "4711"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(mb.__file__).parent.parent)}
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == 9


NAMES = ["a" * 50 + "b", "a" * 50 + "c", "\x00", "\x01", "x y", "x  y", "x\ny", "猫"]


def test_names_that_differ_are_shown_differently():
    leaves = [Value(1.0, name) for name in NAMES]
    assert len(set(shown_names(leaves).values())) == len(NAMES)
    assert list(shown_names([Value(1.0, "x"), Value(2.0, "x"), Value(3.0)]).values()) == ["x", "x", ""]
    total = sum(leaves)
    total.name = "total"
    for options in ({}, {"view": "steps"}):
        svg = total.graph(**options).svg
        assert all(f">{escape(text)}<" in svg for text in shown_names(leaves).values())
    assert total.graph(view="steps").mermaid.count('["a') == 2
    assert len(set(re.findall(r'\["(a[^"]*)"', total.graph(view="steps").mermaid))) == 2


def test_inputs_of_networks_are_shown_differently():
    names = ["temperature_in", "temperature_out", "tempera…", "x"]
    assert len(set(distinct(names, 8).values())) == 4
    dot = draw(nn.MLP(4, [1], seed=1), inputs=[Value(1.0, name) for name in names]).dot
    assert len(set(re.findall(r"<B>(?:<[^>]*>)?(tempera…[^<]*)<", dot))) == 3
