"""The pictures that `draw` makes, one of each kind: a neuron, the XOR network, larger networks, a long chain."""

from __future__ import annotations

import argparse
from pathlib import Path

import micrograd_bp as mb
from micrograd_bp import Value, draw
from micrograd_bp.drawing import Graph
from micrograd_bp.nn import MLP
from systems import XNOR, hand_set


def neuron() -> Value:
    """A sigmoid neuron and half its squared error."""
    w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
    z = w * x + b
    z.name = "z"
    y_hat = mb.sigmoid(z)
    y_hat.name = "ŷ"
    loss = (y_hat - y) ** 2 / 2
    loss.name = "L"
    loss.backward()
    return loss


def error(model: MLP, x: list[float], y: float) -> Value:
    """Half the squared error of one sample, after a backward pass."""
    out: Value = model([Value(x_k, f"x{k}") for k, x_k in enumerate(x, start=1)])
    loss = (out - Value(y, "y")) ** 2 / 2
    loss.name = "E"
    model.zero_grad()
    loss.backward()
    return loss


def pictures() -> dict[str, Graph]:
    """All pictures by the names of their files."""
    loss, xnor, small = neuron(), hand_set([2, 2, 1], XNOR), MLP(3, [3, 3, 1], activation="sigmoid", seed=3)
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default ./out)")
    options = parser.parse_args(arguments)
    for name, picture in pictures().items():
        picture.save(options.out / f"{name}.mmd")
        print(picture.save(options.out / f"{name}.svg"))


if __name__ == "__main__":
    main()
