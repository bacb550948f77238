"""A picture of each kind that the engine draws: a neuron, the XOR network, larger networks, a long chain.

The demo writes each picture as SVG and as a mermaid flowchart (.mmd).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])


import micrograd_bp as mb
from demos.shared.command_line import options, wrote
from demos.shared.tutorial_networks import ONE_NEURON, hand_set, named, squares_halved
from demos.shared.xor import HAND_SET_XNOR
from micrograd_bp import Value, draw
from micrograd_bp.drawing import Graph
from micrograd_bp.nn import MLP


def neuron() -> Value:
    """Return half the squared error of a sigmoid neuron, after a backward pass."""
    loss = ONE_NEURON.first_loss()
    loss.backward()
    return loss


def error(model: MLP, x: list[float], y: float) -> Value:
    """Return half the squared error of one sample, after a backward pass."""
    out: Value = model([Value(x_k, f"x{k}") for k, x_k in enumerate(x, start=1)])
    loss = named("E", squares_halved(out, Value(y, "y")))
    model.zero_grad()
    loss.backward()
    return loss


def pictures() -> dict[str, Graph]:
    """Return all pictures by the names of their files."""
    loss, xnor, small = neuron(), hand_set([2, 2, 1], HAND_SET_XNOR), MLP(3, [3, 3, 1], activation="sigmoid", seed=3)
    xor = MLP(2, [2, 1], activation="sigmoid", output_activation="sigmoid", seed=1)
    sample, small_sample = error(xor, [0.0, 1.0], 1.0), error(small, [1.0, 0.5, -1.0], 1.0)
    large = MLP(2, [16, 16, 1], activation="tanh", output_activation="tanh", seed=1)
    total = sum(
        (error(large, [0.1 * k, 1 - 0.2 * k], (-1.0) ** k) for k in range(1, 10)), error(large, [0.0, 1.0], 1.0)
    )
    large.zero_grad()
    total.backward()
    chain = Value(0.5, "x")
    for _ in range(5_000):
        chain = mb.sin(chain) * 1.01
    chain.backward()
    z = next(node for node in mb.topological_order(sample) if node.name == "z1_2")
    return {
        "neuron": loss.graph(title="A sigmoid neuron and its error"),
        "neuron-flow": loss.graph(direction="TB", edges="flow", title="What each edge adds to a gradient"),
        "neuron-steps": loss.graph(view="steps", inputs=[n for n in mb.topological_order(loss) if n.name == "x"]),
        "xor-neurons": sample.graph(title="XOR: the error of one sample"),
        "xor-steps": sample.graph(view="steps"),
        "xor-around": sample.graph(around=z, depth=2, title="Around z1_2"),
        "layers": total.graph(view="layers", title="2-16-16-1, ten samples"),
        "neurons": small_sample.graph(view="neurons", title="3-3-3-1, one sample"),
        "chain": chain.graph(title="A chain of 10,001 values"),
        "network-xnor": draw(xnor, title="XNOR"),
        "network-xnor-11": draw(xnor, inputs=[1, 1], title="XNOR of 1 and 1"),
        "network-xor": draw(xor, inputs=[0, 1], title="XOR before training: weights, activations, gradients"),
        "network-3-3-3-1": draw(small, inputs=[1, 0.5, -1]),
        "network-2-16-16-1": draw(large, inputs=[0.3, -0.2]),
        "network-64-256-10": draw(MLP(64, [256, 10], seed=1)),
    }


def main(arguments: list[str] | None = None) -> None:
    """Write every picture as SVG and as mermaid text."""
    given = options(__doc__, "gallery").parse_args(arguments)
    for name, picture in pictures().items():
        for ending in ("mmd", "svg"):
            wrote(picture.save(given.out / f"{name}.{ending}"))


if __name__ == "__main__":
    main()
