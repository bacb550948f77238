"""Networks as circles and lines: the numbers are the model's, the drawing says what it leaves out."""

import re
import xml.etree.ElementTree as ET

import pytest

from micrograd_bp import ShapeError, Value, draw, nn
from micrograd_bp.drawing import graphviz as layout
from micrograd_bp.drawing import theme
from micrograd_bp.symbolic.templates import number

SVG = "{http://www.w3.org/2000/svg}"


def texts(graph):
    return [(e.text or "").strip() for e in ET.fromstring(graph.svg.encode()).iter(f"{SVG}text")]


def titles(graph):
    return [e.get("{http://www.w3.org/1999/xlink}title") for e in ET.fromstring(graph.svg.encode()).iter()]


def mlp(n_inputs, sizes):
    return nn.MLP(n_inputs, sizes, activation="tanh", output_activation="sigmoid", seed=1)


def test_the_numbers_are_the_models():
    model = mlp(2, [3, 2])
    x = [Value(0.25, "height"), Value(-1.5)]
    sum(model(x)).backward()
    graph = draw(model, inputs=x, title="A network")
    shown, tips = texts(graph), titles(graph)
    hidden = model.layers[0](x)
    activations = [*x, *hidden, *model.layers[1](hidden)]
    for name, a in zip(["height", "x2", "a1_1", "a1_2", "a1_3", "a2_1", "a2_2"], activations, strict=True):
        assert {name, number(a.data, 3)} <= set(shown)
        assert any(tip and tip.startswith(f"{name} = {a.data!r}") for tip in tips)
    for name, p in model.named_parameters():
        assert number(p.data, 3) in shown
        assert f"∂ {number(p.grad, 2)}" in shown
        assert any(tip and f"{p.data!r}, grad {p.grad!r}" in tip and (name in tip or "bias" in tip) for tip in tips)
    assert {"A network", "inputs", "layer 1: tanh", "layer 2: sigmoid"} <= set(shown)


def test_without_inputs_and_gradients():
    shown = texts(draw(mlp(2, [2, 1])))
    assert {"x1", "tanh", "σ", "a2_1"} <= set(shown)
    assert not any("∂" in text for text in shown)
    assert {"x1", "x2"} <= set(texts(draw(nn.Neuron(2, seed=1))))
    assert {"x1", "a1_2"} <= set(texts(draw(nn.Layer(2, 2, seed=1))))


def test_signs_and_sizes_are_colours_and_widths():
    neuron = nn.Neuron(3, "identity", seed=1)
    for w, x in zip(neuron.w, (2.0, -4.0, 0.0), strict=True):
        w.data = x
    lines = re.findall(r'-> .*? \[color="(#\w{6})ff" penwidth=([\d.]+)', draw(neuron).dot)
    assert lines == [(theme.POSITIVE, "2.00"), (theme.NEGATIVE, "3.40"), (theme.RULE, "0.60")]


@pytest.mark.parametrize(
    ("n_inputs", "sizes", "lines", "more"),
    [(2, [2, 1], 6, []), (3, [3, 3, 1], 21, []), (2, [16, 16, 1], 304, []), (64, [256, 10], 144, ["56", "248"])],
)
def test_large_layers_are_abbreviated(n_inputs, sizes, lines, more):
    graph = draw(mlp(n_inputs, sizes))
    assert graph.dot.count(" -> ") == lines
    assert re.findall(r"⋮ (\d+) more<", graph.dot) == more
    assert repr(graph) == f"<Graph of a network {'-'.join(map(str, [n_inputs, *sizes]))}; .svg, .save(path)>"


@pytest.mark.parametrize("sizes", [[1], [2, 1], [5, 5], [3, 3, 1], [1, 5]])
@pytest.mark.parametrize(("grads", "digits"), [(False, 3), (True, 3), (True, 17)])
def test_labels_do_not_overlap(sizes, grads, digits):
    """Nor circles: all positions are computed, so the boxes around what was laid out can be compared."""
    model = mlp(3, sizes)
    if grads:
        out = model([1.0, 2.0, 3.0])
        (sum(out) if isinstance(out, list) else out).backward()
    boxes = []
    for group in ET.fromstring(draw(model, inputs=[1.0, 2.0, 3.0], digits=digits).svg.encode()).iter(f"{SVG}g"):
        if group.get("class") == "node":
            numbers = []
            for shape in group.iter():
                if shape.tag == f"{SVG}ellipse":
                    (cx, cy, r) = (float(shape.get(key)) for key in ("cx", "cy", "rx"))
                    numbers += [(cx - r, cy - r), (cx + r, cy + r)]
                if shape.tag == f"{SVG}path":
                    numbers += [
                        tuple(map(float, p.split(","))) for p in re.findall(r"-?[\d.]+,-?[\d.]+", shape.get("d"))
                    ]
                if shape.tag == f"{SVG}text":
                    numbers.append((float(shape.get("x")), float(shape.get("y"))))
            xs, ys = zip(*numbers, strict=True)
            boxes.append((min(xs), max(xs), min(ys), max(ys)))
    assert len(boxes) >= 4
    for i, (left, right, top, bottom) in enumerate(boxes):
        for l2, r2, t2, b2 in boxes[:i]:
            assert right < l2 or r2 < left or bottom < t2 or b2 < top


def test_a_network_in_steps():
    assert draw(mlp(2, [1])).mermaid.splitlines() == [
        "flowchart LR",
        '  x1 -- "w1_11·x1 + w1_12·x2 + b1_1" --> z1_1',
        '  x2 -- "w1_11·x1 + w1_12·x2 + b1_1" --> z1_1',
        '  z1_1 -- "sigmoid function" --> a1_1',
    ]


def test_inputs_of_the_same_name_are_two():
    mermaid = draw(mlp(2, [1]), inputs=[Value(1.0, "x"), Value(2.0, "x")]).mermaid
    assert '  x -- "w1_11·x + w1_12·x + b1_1" --> z1_1' in mermaid
    assert '  v1["x"] -- "w1_11·x + w1_12·x + b1_1" --> z1_1' in mermaid.replace("v2[", "v1[")


class Odd(nn.Module):
    """A model that is no network."""

    def __init__(self, *layers):
        self.layers = layers
        self.w = Value(1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw(Odd()), ValueError, "a Odd cannot be drawn as a network: it is not a chain of Layers"),
        (
            lambda: draw(Odd(nn.Layer(2, 3), nn.Layer(2, 1))),
            ValueError,
            "each with as many inputs as the one before has outputs",
        ),
        (lambda: draw(mlp(2, [1]), inputs=[1.0]), ShapeError, "2 inputs, 1 given"),
        (lambda: draw(mlp(2, [1]), inputs=1.0), TypeError, "inputs is a sequence of 2 numbers or Values, not float"),
        (lambda: draw(mlp(2, [1]), depth=1), TypeError, "depth"),
        (lambda: draw(mlp(2, [1]), digits=0), ValueError, "digits is a whole number"),
        (lambda: draw([1.0]), TypeError, "a Value, for its graph, or a Module, for its network, not list"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_any_module_of_layers_is_a_network():
    assert {"x1", "a2_1"} <= set(texts(draw(Odd(nn.Layer(2, 3, seed=1), nn.Layer(3, 1, seed=1)))))


def test_notebooks_show_values():
    x = Value(2.0, "x")
    loss = x * x
    shown = loss._repr_mimebundle_()
    assert shown["text/plain"] == repr(loss)
    assert shown["image/svg+xml"] == loss.graph().svg
    assert list(x._repr_mimebundle_()) == ["text/plain"]
    for _ in range(60):
        loss = loss + 1
    assert list(loss._repr_mimebundle_()) == ["text/plain"]


def test_notebooks_show_networks(monkeypatch):
    model = mlp(2, [2, 1])
    shown = model._repr_mimebundle_()
    assert shown["text/plain"] == repr(model)
    assert "a2_1" in shown["image/svg+xml"]
    assert list(Odd()._repr_mimebundle_()) == ["text/plain"]
    graph = draw(model)
    assert graph._repr_mimebundle_() == {"image/svg+xml": graph.svg, "text/plain": repr(graph)}
    monkeypatch.setattr(layout, "_SECONDS", 0.001)
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    assert list(model._repr_mimebundle_()) == ["text/plain"]
