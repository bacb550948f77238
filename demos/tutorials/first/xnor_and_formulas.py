"""The networks of the first tutorial: XNOR with weights set by hand, 3-3-3-1 and 3-3-3-3, and formulas (1.2) to (3.6).

The demo prints the truth table of XNOR, the output of 3-3-3-1 element by element and in matrix form, and every
derivative by `backward()` beside the closed-form formulas. One of the printed shapes is a misprint: b is not a row,
R^(1x3), for a row cannot be added to the column W a.

It writes xnor.svg (the network with the values at one input), xnor_boundaries.png (the line that each hidden neuron
draws in the plane of the inputs) and four_layers.svg (the network 3-3-3-1).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import math
from pathlib import Path
from typing import Any

import numpy as np

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table, wrote
from demos.shared.figures import BLUE, GREEN, ORANGE, RED, axes, binary_points, colour_plane, figure, save
from demos.shared.tutorial_networks import SAMPLE_X, four_layers, hand_set, three_outputs
from demos.shared.xor import HAND_SET_XNOR, XNOR_Y, X
from micrograd_bp.check.closed_form import Network, compare, forward
from micrograd_bp.errors import ShapeError
from micrograd_bp.nn import MLP


def sigmoid_slopes(z: float) -> tuple[float, float, float]:
    """Return σ'(z) three times: by the engine, and by the two forms of (1.2), a quotient and σ(z)(1 − σ(z))."""
    e, s = math.exp(-z), mb.sigmoid(z)
    return mb.derivative(mb.sigmoid)(z), e / (1 + e) ** 2, s * (1 - s)


def truth_table(model: MLP) -> list[tuple[float, ...]]:
    """Return x1, x2, the hidden activations and the output for each input, in the order of the tutorial's table."""
    rows = []
    for x in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]):
        hidden = model.layers[0](x)
        rows.append((*x, *(a.data for a in hidden), model(x).data))
    return rows


def by_elements(model: MLP, x: list[float]) -> list[float]:
    """Return the outputs by a_i^(l) = σ(b_i + Σ_k w_ik a_k), neuron by neuron, as the tutorial writes it out."""
    a: list[Any] = list(x)
    for layer in model.layers:
        weighted = [(n.b.data, [w.data * a_k for w, a_k in zip(n.w, a, strict=True)]) for n in layer.neurons]
        a = [1 / (1 + math.exp(-(b + math.fsum(terms)))) for b, terms in weighted]
    return a


def bias_as_a_row(model: MLP) -> str:
    """Return the error message for b^(1) as it is printed, a row of shape (1, 3)."""
    net = Network.of(model)
    try:
        Network(net.W, [net.b[0].reshape(1, 3), *net.b[1:]], net.activations)
    except ShapeError as error:
        return str(error)
    return "accepted"


def plot_boundaries(folder: Path) -> Path:
    """Plot the output of the XNOR network over the plane, and the lines where its hidden neurons give 1/2."""
    model, made = hand_set([2, 2, 1], HAND_SET_XNOR), figure(6.5, 5)
    plot = axes(made, title="XNOR: each hidden neuron draws a line", xlabel="x1", ylabel="x2")
    line = np.linspace(-0.5, 1.5, 61).tolist()
    filled = colour_plane(plot, line, line, lambda x: model(x).data)
    made.colorbar(filled, label="h(x)", ticks=[0, 0.5, 1])
    for neuron, color, name in zip(model.layers[0].neurons, (BLUE, ORANGE), ("a1", "a2"), strict=True):
        (w1, w2), b = (w.data for w in neuron.w), neuron.b.data
        plot.plot(line, [-(b + w1 * x) / w2 for x in line], color=color, linewidth=2, label=f"{name} = 1/2")
    binary_points(plot, X, XNOR_Y)
    plot.plot([], [], "o", color=GREEN, label="expected 1")
    plot.plot([], [], "o", color=RED, label="expected 0")
    plot.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5))
    plot.legend(loc="upper right")
    return save(made, folder, "xnor_boundaries.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables and draw the networks."""
    given = options(__doc__, "xnor_and_formulas").parse_args(arguments)
    print(heading("(1.2): σ'(z) by the engine, as the quotient, and as σ(z)(1 − σ(z))"))
    rows = [[f"{z:g}", *(f"{slope:.15g}" for slope in sigmoid_slopes(z))] for z in (-30.0, -1.0, 0.0, 0.5, 2.0, 30.0)]
    print(table([("z", "the engine", "quotient", "σ(z)(1 − σ(z))"), *rows]))
    print("At z = 30 the last form has lost its digits, for 1 − σ(z) cancels.\n")

    print(heading("XNOR, 2-2-1, weights set by hand"))
    found = truth_table(hand_set([2, 2, 1], HAND_SET_XNOR))
    cells = [[f"{x1:.0f}", f"{x2:.0f}", *(f"{a:.3g}" for a in rest), f"≈ {rest[-1]:.0f}"] for x1, x2, *rest in found]
    print(table([("x1", "x2", "a1", "a2", "h(x)", ""), *cells]))
    print(f"\nas a flowchart:\n{mb.draw(hand_set([2, 2, 1], HAND_SET_XNOR)).mermaid}")

    print(heading("3-3-3-1"))
    model = four_layers()
    net = Network.of(model)
    shapes = ", ".join(f"W({layer}) {W.shape[0]}x{W.shape[1]}" for layer, W in enumerate(net.W, start=1))
    print(f"{len(model.parameters())} parameters: {shapes}, and b of 3, 3 and 1 numbers")
    print(f"h by the engine         {model(SAMPLE_X).data:.16f}")
    print(f"h element by element    {by_elements(model, SAMPLE_X)[0]:.16f}")
    print(f"h in matrix form        {forward(net, SAMPLE_X)[1][-1][0]:.16f}")
    print(f"b(1) as it is printed, in R^(1x3): {bias_as_a_row(model)}\n")
    print(f"backward() beside the formulas:\n{compare(model, [SAMPLE_X], [1.0])}\n")

    print(heading("3-3-3-3: cat, dog, bird"))
    print(f"backward() beside the formulas:\n{compare(three_outputs(), [SAMPLE_X], [[0.0, 1.0, 0.0]])}\n")

    plot_boundaries(given.out)
    xnor = mb.draw(hand_set([2, 2, 1], HAND_SET_XNOR), inputs=[1, 1], title="XNOR of 1 and 1")
    wrote(xnor.save(given.out / "xnor.svg"))
    wrote(mb.draw(model, inputs=SAMPLE_X, title="3-3-3-1").save(given.out / "four_layers.svg"))


if __name__ == "__main__":
    main()
