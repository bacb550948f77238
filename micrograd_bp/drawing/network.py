"""`draw_network` draws a network as the tutorials do: neurons are circles in columns, lines show the weights.

The positions are computed here; Graphviz keeps them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TypedDict

from micrograd_bp.drawing import theme
from micrograd_bp.drawing.dot import TABLE, Style, head, pill
from micrograd_bp.drawing.labels import distinct, html, shown_names, small, tooltip
from micrograd_bp.drawing.mermaid import of_names
from micrograd_bp.drawing.picture import Graph
from micrograd_bp.drawing.value_graph import check_style
from micrograd_bp.engine import Value
from micrograd_bp.nn import Layer, Module, Neuron
from micrograd_bp.nn.network import activation_name
from micrograd_bp.ops.op import OPS
from micrograd_bp.ops.reals import Numbers
from micrograd_bp.symbolic.templates import number, one_line

_SPACE = "\N{NO-BREAK SPACE}"
_WHOLE, _FIRST = 16, 7  # neurons: a larger layer shows its first 7 and its last
_LABELLED = 5  # circles in a column; with more, weights and biases are in the tooltips only
_CIRCLE = 46.0  # points, the diameter


@dataclass(frozen=True)
class Columns:
    """A network as columns of circles: layers, the values of each column (None without inputs), names of the inputs."""

    layers: list[list[Neuron]]
    values: list[list[float]] | None
    inputs: list[str]

    @property
    def sizes(self) -> list[int]:
        return [len(self.inputs), *(len(layer) for layer in self.layers)]

    def name(self, column: int, j: int) -> str:
        """Return the name of circle `j` of a column."""
        return self.inputs[j] if column == 0 else f"a{column}_{j + 1}"


class NetworkOptions(TypedDict, total=False):
    """The options of `draw_network`."""

    inputs: Numbers | None
    digits: int
    title: str | None


def draw_network(model: Module, *, inputs: Numbers | None = None, digits: int = 3, title: str | None = None) -> Graph:
    """Return a picture of a network: neurons are circles in columns, with the weights on the lines between them.

    `inputs`  numbers or Values, one per input of the network; the circles then show the activations
    `digits`  the number of significant digits, 1 to 17
    `title`   the heading

    The colour of a line is the sign of the weight, its width the size. Biases are below the circles, gradients (∂)
    below the parameters after `backward()`. A layer of more than 16 neurons is abbreviated; between large layers the
    weights are in the tooltips only. `.mermaid` has the network in steps, with formulas on the lines.

    Raises ValueError for a module that is not a chain of layers, ShapeError for another number of inputs.
    """
    network = columns(model, inputs)
    style = check_style("LR", digits, title)
    sizes = "-".join(str(size) for size in network.sizes)
    count = sum(1 for _ in model.named_parameters())
    options = {"inputs": inputs, "digits": digits, "title": title}
    return Graph(
        model,
        count,
        network_dot(network, style),
        lambda: network_mermaid(network, digits),
        f"a network {sizes}",
        options,
    )


def columns(model: Module, inputs: Numbers | None) -> Columns:
    """Return the layers of a model, evaluated at `inputs` if they are given.

    Raises ValueError for a module that is not a chain of layers, ShapeError for another number of inputs.
    """
    if isinstance(model, Neuron):
        layers = [[model]]
    else:
        layers = [module.neurons for module in model.modules() if isinstance(module, Layer)]
    for first, then in itertools.pairwise(layers):
        if len(then[0].w) != len(first):
            layers = []
            break
    if not layers:
        raise ValueError(
            f"a {type(model).__name__} cannot be drawn as a network: it is not a chain of Layers, each with as many "
            "inputs as the one before has outputs; draw a value that it computes"
        )
    names = [f"x{k}" for k in range(1, len(layers[0][0].w) + 1)]
    if inputs is None:
        return Columns(layers, None, names)
    if not hasattr(inputs, "__len__") or isinstance(inputs, (str, bytes, Mapping, Set)):
        raise TypeError(f"inputs is a sequence of {len(names)} numbers or Values, not {type(inputs).__name__}")
    nodes = [x if isinstance(x, Value) else Value(x) for x in inputs]
    values = [nodes]
    for layer in layers:
        values.append([neuron(values[-1]) for neuron in layer])
    shown = shown_names(nodes)
    names = [shown[x] or name for x, name in zip(nodes, names, strict=True)]
    return Columns(layers, [[x.data for x in column] for column in values], names)


def network_mermaid(network: Columns, digits: int) -> str:
    """Return a flowchart of inputs, sums and activations, with the formulas on the lines."""
    steps: list[tuple[list[tuple[object, str]], tuple[object, str], str]] = []
    sources: list[tuple[object, str]] = list(enumerate(network.inputs))  # two inputs may have the same name
    for number_of, layer in enumerate(network.layers, start=1):
        results: list[tuple[object, str]] = []
        for j, neuron in enumerate(layer, start=1):
            terms = [f"{w.name or number(w.data, digits)}·{x}" for w, (_, x) in zip(neuron.w, sources, strict=True)]
            formula = " + ".join([*terms, neuron.b.name or number(neuron.b.data, digits)])
            z, a = f"z{number_of}_{j}", f"a{number_of}_{j}"
            steps.append((sources, (z, z), one_line(formula, 60)))
            steps.append(([(z, z)], (a, a), f"{activation_name(neuron.activation)} function"))
            results.append((a, a))
        sources = results
    return of_names(steps)


def network_dot(network: Columns, style: Style) -> str:
    """Return the DOT text of a network with all positions."""
    return _Writer(network, style).text()


class _Writer:
    def __init__(self, network: Columns, style: Style) -> None:
        self.network, self.style = network, style
        parameters = [p for layer in network.layers for neuron in layer for p in (*neuron.w, neuron.b)]
        self.largest_grad = theme.largest(parameters)
        sizes = [abs(w.data) for layer in network.layers for neuron in layer for w in neuron.w]
        self.largest = max(filter(math.isfinite, sizes), default=0.0)
        self.shown = [_shown(size) for size in network.sizes]
        self.short = distinct(network.inputs, 8)
        self.labelled = max(len(rows) for rows in self.shown) <= _LABELLED
        self.height = 31.0 if any(p.has_grad for p in parameters) else 17.0  # of a label
        self.pitch, self.x = _CIRCLE + 6.0, [0.0]
        width = 26.0 + 10.0 * style.digits  # of a label
        for rows in self.shown[1:]:
            clear = (len(rows) + 1) * (_CIRCLE + width + 22.0) / 2  # between circles and the labels beside them
            self.x.append(self.x[-1] + (max(150.0, clear) if self.labelled else 220.0))
            if self.labelled:
                self.pitch = max(self.pitch, _CIRCLE + self.height + 14.0, (len(rows) + 1) * (self.height + 2.0))

    def text(self) -> str:
        layout = "layout=neato splines=line inputscale=72 outputorder=edgesfirst"
        lines = head(self.style, "", layout)
        top = max(self.y(len(rows), 0) for rows in self.shown) + _CIRCLE / 2 + 24.0
        for column, rows in enumerate(self.shown):
            lines.append(f"  t{column} {self.words(self.heading(column), self.x[column], top)}")
            for row, j in enumerate(rows):
                lines += self.circle(column, row, j)
        for gap in range(len(self.shown) - 1):
            for row, k in enumerate(self.shown[gap]):
                for below, j in enumerate(self.shown[gap + 1]):
                    if k is not None and j is not None:
                        lines += self.weight(gap, row, k, below, j)
        return "\n".join([*lines, "}", ""])

    def y(self, rows: int, row: int) -> float:
        return ((rows - 1) / 2 - row) * self.pitch

    def heading(self, column: int) -> str:
        if column == 0:
            return small("inputs", theme.FAINT, 11)
        names = sorted({activation_name(neuron.activation) for neuron in self.network.layers[column - 1]})
        return small(one_line(f"layer {column}: {', '.join(names)}", 26), theme.FAINT, 11)

    def words(self, label: str, x: float, y: float) -> str:
        return f'[shape=plaintext style="" margin=0 width=0 height=0 pos="{x:g},{y:g}!" label=<{label}> tooltip=" "]'

    def circle(self, column: int, row: int, j: int | None) -> list[str]:
        rows = len(self.shown[column])
        x, y = self.x[column], self.y(rows, row)
        if j is None:
            left_out = self.network.sizes[column] - (rows - 1)
            what = "neurons" if column else "inputs"
            words = small(f"⋮ {left_out:,} more", theme.INK, 11)
            return [f"  c{column}_{row} {self.chip(words, theme.CARD, x, y, f'{left_out:,} more {what}')}"]
        name = self.network.name(column, j)
        values = self.network.values
        neuron = self.network.layers[column - 1][j] if column else None
        text, tip = "", name
        if values:
            text, tip = number(values[column][j], min(4, self.style.digits)), f"{name} = {values[column][j]!r}"
        elif neuron:
            kind = activation_name(neuron.activation)
            text = one_line(OPS[kind].symbol if kind in OPS else kind, 8)
        short = self.short[name] if column == 0 else one_line(name, 8)
        inside = [f"<B>{_fitting(short, theme.INK, 11)}</B>"]
        inside += [_fitting(text, theme.INK if values else theme.FAINT, 10)] if text else []
        look = f'shape=circle style=filled fixedsize=true width={_CIRCLE / 72:.3f} fontsize=11 pos="{x:g},{y:g}!"'
        lines = []
        if neuron:
            tip += f"; bias {fact(neuron.b)}"
        if neuron and self.labelled:
            below = y - (_CIRCLE + self.height) / 2 - 2.0
            lines.append(f"  d{column}_{row} {self.words(self.parameter(neuron.b, 'b'), x, below)}")
        return [f"  c{column}_{row} [{look} label=<{'<BR/>'.join(inside)}> tooltip={tooltip(tip)}]", *lines]

    def weight(self, gap: int, row: int, k: int, below: int, j: int) -> list[str]:
        w = self.network.layers[gap][j].w[k]
        colour = theme.POSITIVE if w.data > 0.0 else theme.NEGATIVE if w.data < 0.0 else theme.RULE
        strength = theme.strength(w.data, self.largest)
        opacity = 1.0 if self.labelled else 0.2 + 0.8 * strength
        width = 0.6 + 2.8 * strength * min(1.0, (40.0 / len(self.shown[gap]) / len(self.shown[gap + 1])) ** 0.5)
        tip = f"{one_line(w.name or '') or 'weight'} {fact(w)}"
        lines = [
            f'  c{gap}_{row} -> c{gap + 1}_{below} [color="{colour}{round(255 * opacity):02x}" penwidth={width:.2f}'
            f" arrowsize=0.6 arrowhead={'normal' if self.labelled else 'none'} tooltip={tooltip(tip)}]"
        ]
        if self.labelled:
            # at this fraction of their length, the labels of all lines form a column of equal distances
            part = 1.0 / (len(self.shown[gap + 1]) + 1)
            x = self.x[gap] + part * (self.x[gap + 1] - self.x[gap])
            start, stop = self.y(len(self.shown[gap]), row), self.y(len(self.shown[gap + 1]), below)
            label = self.chip(self.parameter(w, ""), colour, x, start + part * (stop - start), tip)
            lines.append(f"  w{gap}_{row}_{below} {label}")
        return lines

    def chip(self, label: str, colour: str, x: float, y: float, tip: str) -> str:
        return (
            f'[style="rounded,filled" color="{colour}" margin="0.04,0.01" width=0 height=0 fontsize=10'
            f' pos="{x:g},{y:g}!" label=<{label}> tooltip={tooltip(tip)}]'
        )

    def parameter(self, p: Value, caption: str) -> str:
        text = html(number(p.data, self.style.digits))
        rows = (
            f'<TR><TD CELLPADDING="0">{small(caption, theme.FAINT) if caption else ""}{_SPACE}{text}{_SPACE}</TD></TR>'
        )
        if p.has_grad:
            text = f"{_SPACE}∂ {number(p.grad, min(2, self.style.digits))}{_SPACE}"
            grad = f'<TR><TD CELLPADDING="0">{small(text, theme.INK, 9)}</TD></TR>'
            rows += f'<TR><TD CELLPADDING="0">{pill(grad, theme.tint(p.grad, self.largest_grad))}</TD></TR>'
        return f'<FONT POINT-SIZE="10">{TABLE.format(1, "", rows)}</FONT>'


def fact(p: Value) -> str:
    """Return a parameter's number and gradient, for tooltips."""
    return f"{p.data!r}" + (f", grad {p.grad!r}" if p.has_grad else "")


def _fitting(text: str, colour: str, size: int) -> str:
    """Return text in a size that fits into a circle."""
    return small(text, colour, size if len(text) < 7 else 8)


def _shown(size: int) -> list[int | None]:
    """Return the circles of a column that are drawn; None stands for those left out."""
    if size <= _WHOLE:
        return list(range(size))
    return [*range(_FIRST), None, size - 1]
