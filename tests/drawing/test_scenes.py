"""What pictures leave out or collapse: every value is counted exactly once, and the picture says so."""

import random
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import Value, nn, topological_order
from micrograd_bp.drawing.collapse import by_layers, by_levels, by_neurons, collapsed, with_clusters
from micrograd_bp.drawing.layers import Groups
from micrograd_bp.drawing.scene import around_node, below, everything

SVG = "{http://www.w3.org/2000/svg}"


def texts(graph):
    return [(element.text or "").strip() for element in ET.fromstring(graph.svg.encode()).iter(f"{SVG}text")]


def loss(sizes=(3, 2, 1), samples=2):
    model = nn.MLP(sizes[0], list(sizes[1:]), activation="tanh", seed=1)
    draw_x = random.Random(1)
    errors = []
    for _ in range(samples):
        out = model([Value(draw_x.random(), f"x{k}") for k in range(sizes[0])])
        errors += [(h - Value(1.0, "y")) ** 2 for h in (out if isinstance(out, list) else [out])]
    total = sum(errors[1:], errors[0])
    total.backward()
    return total


@st.composite
def graphs(draw):
    """A graph of up to 60 values, with shared values and constants."""
    pool = [Value(0.1 * i) for i in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(1, 55))):
        a, b = draw(st.sampled_from(pool)), draw(st.sampled_from(pool[-4:]))
        pool.append(draw(st.sampled_from([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: mb.sin(b) * 2]))(a, b))
    return pool[-1]


def check(scene, order):
    """Each value is in one card or box, and nothing else is."""
    shown = Counter(scene.cards) + Counter(node for box in scene.boxes for node in box.members)
    assert shown == Counter(order)
    assert scene.order == order
    assert all(box.members for box in scene.boxes)
    framed = [node for _, members in scene.clusters for node in members]
    assert len(framed) == len(set(framed))
    assert set(framed) <= set(scene.cards)


@given(graphs(), st.integers(0, 5), st.data())
def test_every_value_is_counted_once(root, depth, data):
    order = topological_order(root)
    center = data.draw(st.sampled_from(order))
    groups = Groups(order)
    scenes = [everything(order), below(order, depth), around_node(order, center, depth), by_levels(order, depth)]
    for scene in [*scenes, collapsed(order, groups, 5)]:
        check(scene, order)
    assert root in scenes[1].cards
    assert center in scenes[2].cards


@pytest.mark.parametrize("sizes", [(3, 2, 1), (2, 4, 4, 1), (1, 1), (2, 11, 3), (12, 2)])
def test_every_value_of_a_network_is_counted_once(sizes):
    order = topological_order(loss(sizes))
    groups = Groups(order)
    for scene in (by_layers(order, groups), by_neurons(order, groups), collapsed(order, groups, 500)):
        check(scene, order)
    for by in ("layers", "neurons"):
        scene = with_clusters(everything(order), groups, by)
        check(scene, order)
        assert len(scene.clusters) == (len(sizes) - 1 if by == "layers" else sum(sizes[1:]))


def test_the_check_fails_where_a_value_is_missing_or_twice():
    order = topological_order(loss())
    scene = everything(order)
    for cards in (order[1:], [*order, order[0]]):
        with pytest.raises(AssertionError):
            check(type(scene)(order, cards), order)


@settings(max_examples=30)
@given(graphs())
def test_levels_are_in_order(root):
    """Between boxes all edges lead towards the root."""
    order = topological_order(root)
    scene = by_levels(order, 3)
    place = {node: i for i, box in enumerate(scene.boxes, start=1) for node in box.members}
    for node in order:
        for arg in node.args:
            if isinstance(arg, Value):
                assert place.get(arg, 0) >= place.get(node, 0)


def test_the_values_of_a_layer():
    """Per sample a neuron of n inputs has n products, n sums and an activation; besides, n weights and a bias."""
    order = topological_order(loss((3, 2, 1), samples=5))
    scene = by_layers(order, Groups(order))
    assert [(box.title, len(box.members)) for box in scene.boxes] == [
        ("inputs", 15),
        ("layer 1", 2 * (5 * 7 + 4)),
        ("layer 2", 5 * 4 + 3),  # the identity is no operation
        ("result", 5 * 3 + 4),
    ]
    scene = by_neurons(order, Groups(order))
    assert {box.title: len(box.members) for box in scene.boxes if "neuron" in box.title} == {
        "layer 1, neuron 1": 39,
        "layer 1, neuron 2": 39,
        "layer 2, neuron 1": 23,
    }


def test_the_layer_view_says_what_it_collapses():
    root = loss((3, 2, 1), samples=5)
    shown = texts(root.graph(view="layers", title="T"))
    assert "135 values, a box for each layer" in shown
    assert {"T", "inputs", "layer 1", "layer 2", "result", "78 values, 8 leaves", "30 edges", "10 edges"} <= set(shown)
    layer = [node for node in topological_order(root) if re.fullmatch(r"[wbza]2_.*", node.name or "")]
    products = [arg for z in layer if z.op for arg in z.args if not arg.name]
    inner = {*layer, *products, *(p for s in products for p in s.args if isinstance(p, Value) and not p.name)}
    rms = (sum(node.grad**2 for node in inner) / len(inner)) ** 0.5
    assert f"grad rms {rms:.4g}" in shown
    root.zero_grad()
    assert not any("grad" in text for text in texts(root.graph(view="layers")))


def test_large_networks_collapse_to_neurons_or_layers():
    few = loss((2, 2, 1), samples=60).graph()
    assert few.nodes > 500
    assert "a box for each neuron" in few.dot
    many = loss((2, 16, 16, 1), samples=2).graph()
    assert "a box for each layer" in many.dot
    assert few.dot != loss((2, 2, 1), samples=60).graph(max_nodes=2000).dot


def test_large_graphs_collapse_by_level():
    v = Value(0.5, "x")
    for _ in range(5000):
        v = mb.sin(v) * 1.01
    v.backward()
    graph = v.graph()
    shown = texts(graph)
    assert repr(graph) == "<Graph of 10,001 values; .svg, .save(path)>"
    assert "10,001 values: 6 next to the root, the others folded by level" in shown
    counted = [int(m[1].replace(",", "")) for text in shown if (m := re.match(r"([\d,]+) values, ", text))]
    assert sum(counted) == 10_001 - 6
    assert "1,665 values, 1 leaf" in shown
    assert "833 mul · 833 sin" in shown


def test_the_neighbourhood_of_a_node():
    root = loss((3, 2, 1), samples=1)
    order = topological_order(root)
    z = next(node for node in order if node.name == "z1_2")
    scene = around_node(order, z, 1)
    users = [node for node in order if any(arg is z for arg in node.args)]
    assert set(scene.cards) == {z, *z.args, *users}
    shown = texts(root.graph(around=z))
    stubs = [int(m[1]) for text in shown if (m := re.fullmatch(r"… (\d+) more values?", text))]
    assert sum(stubs) == len(order) - len(scene.cards)
    assert below(order, 0).cards == [root]
    assert below(order, 10**9).boxes == []


def test_frames():
    root = loss((3, 2, 1), samples=1)
    assert "layer 1, neuron 2" in texts(root.graph())
    assert "layer 1" in texts(root.graph(clusters="layers"))
    assert "subgraph" not in root.graph(clusters=None).dot
    assert "subgraph" not in mb.sin(Value(1.0)).graph().dot


def test_groups_know_what_is_beside_the_neurons():
    """Dropout between layers belongs to the layer it feeds, a penalty to the result, scaled inputs to the inputs."""
    model = nn.MLP(2, [2, 2, 1], activation="tanh", seed=1)
    x = [Value(1.0, "x1") * 0.5, Value(2.0, "x2")]
    dropped = [a * 2 for a in model.layers[0](x)]
    dropped[1].name = "dropped"
    hidden = model.layers[1](dropped)
    skipped = dropped[0] * 3
    out = model.layers[2]([hidden[0], hidden[1] + skipped])
    penalty = sum((p**2 for p in model.parameters()), Value(0.0))
    order = topological_order(out + penalty)
    groups = Groups(order)
    titles = {node: groups.title(groups.position[node]) for node in order}
    assert {titles[x[0]], titles[x[1]], titles[x[0].args[0]]} == {"inputs"}
    assert {titles[a] for a in dropped} == {"layer 2"}
    assert titles[skipped] == "layer 3, neuron 1"
    assert titles[order[-1]] == titles[penalty] == "result"
    assert groups.is_parameter(model.layers[0].neurons[0].b)
    assert not groups.is_parameter(x[1])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("w1_23", (1, 2)),
        ("w1_12_3", (1, 12)),
        ("b2_12", (2, 12)),
        ("w_31", (1, 3)),
        ("b_4", (1, 4)),
        ("b12_1", (12, 1)),
    ],
)
def test_names_of_parameters(name, place):
    z = Value(1.0, name) + 1
    z.name = f"z{place[0]}_{place[1]}"
    found = Groups(topological_order(z)).position[z.args[0]]
    assert (found.stage, found.neuron) == place


def test_a_value_used_at_every_step_is_repeated_where_lines_would_be_too_long():
    x, v = Value(0.5, "x"), Value(1.0, "c")
    for _ in range(150):
        v = v * x + 1
    dot = v.graph().dot
    assert dot.count("its card is elsewhere") == 148  # but for the nearest
    assert len(re.findall(r"^  n\d+ \[", dot, re.MULTILINE)) == 302
    assert dot.count(" -> ") == 150 * 4  # every argument has its line, constants too
    assert "elsewhere" not in (x * x + x).graph().dot


def test_steps():
    """The second tutorial's flowchart of two neurons in series, in its own names."""
    x, w1, b1, w2, b2 = (Value(0.5, name) for name in ("x", "w1", "b1", "w2", "b2"))
    z1 = w1 * x + b1
    a1 = mb.sigmoid(z1)
    z2 = w2 * a1 + b2
    y_hat = mb.sigmoid(z2)
    for node, name in ((z1, "z1"), (a1, "a1"), (z2, "z2"), (y_hat, "y_hat")):
        node.name = name
    graph = y_hat.graph(view="steps", inputs=[x])
    assert graph.mermaid.splitlines() == [
        "flowchart LR",
        '  x -- "w1·x + b1" --> z1',
        '  z1 -- "sigmoid function" --> a1',
        '  a1 -- "w2·a1 + b2" --> z2',
        '  z2 -- "sigmoid function" --> y_hat',
    ]
    assert {"w1·x + b1", "sigmoid function", "x", "y_hat"} <= set(texts(graph))
    assert '  w2 -- "w2·a1 + b2" --> z2' in y_hat.graph(view="steps").mermaid.splitlines()
    opposite = -x
    opposite.name = "−x"
    assert '  x -- "−x" --> v1["−x"]' in (opposite * 2).graph(view="steps").mermaid
    assert "w1_11 --" not in nn.MLP(1, [1], seed=1)([x]).graph(view="steps").mermaid


def test_edges_and_constants():
    a, b = Value(3.0, "a"), Value(5.0, "b")
    out = (a * b) * 7
    assert "<TD>5</TD>" not in out.graph(edges="none").dot
    assert "<TD>5</TD>" in out.graph().dot
    assert "<TD>35</TD>" not in out.graph(edges="flow").dot  # before backward nothing flows
    out.backward()
    assert "<TD>35</TD>" in out.graph(edges="flow").dot
    assert "constant 7.0" in out.graph().dot
    assert "constant" not in out.graph(constants=False).dot
