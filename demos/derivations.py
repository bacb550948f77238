"""The derivations of three backpropagation tutorials, each line beside what the engine derives and evaluates by itself.

A line is a derivation as its tutorial prints it; it is evaluated as it stands there and compared with the engine's
gradient. Where they differ the line is a misprint, and what is wrong with it is said.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import micrograd_bp as mb
from micrograd_bp import Value

Numbers = Mapping[str, float]


class Line(NamedTuple):
    """A line of a tutorial: d loss / d `wrt` as it is printed, the same to be evaluated, and what is wrong with it."""

    wrt: str
    printed: str
    evaluate: Callable[[Numbers], float]
    misprint: str = ""


class Derivation(NamedTuple):
    """A network of a tutorial with the lines it prints; `build` names the values it makes."""

    title: str
    build: Callable[[], Value]
    lines: tuple[Line, ...]


def s(z: float) -> float:
    """The sigmoid of a number."""
    return mb.sigmoid(z)


def ds(z: float) -> float:
    """(1.2) of the first tutorial."""
    return s(z) * (1 - s(z))


def leaves(**numbers: float) -> list[Value]:
    """Named leaves."""
    return [Value(x, name) for name, x in numbers.items()]


def named(name: str, value: Value) -> Value:
    """The value, with a name."""
    value.name = name
    return value


def single(activation: str) -> Value:
    """One neuron, one data point; second tutorial."""
    numbers = (
        {"w": 0.5, "b": 1.0, "x": 2.0, "y": 5.0}
        if activation == "identity"
        else {"w": 0.3, "b": 0.1, "x": 0.5, "y": 1.0}
    )
    w, b, x, y = leaves(**numbers)
    z = named("z" if activation == "sigmoid" else "ŷ", w * x + b)
    y_hat = named("ŷ", z.sigmoid()) if activation == "sigmoid" else z
    return named("L", (y_hat - y) ** 2 / 2)


def series() -> Value:
    """Two neurons in series; second tutorial."""
    w1, w2, b1, b2, x, y = leaves(w1=0.3, w2=0.2, b1=0.1, b2=0.2, x=0.5, y=1.0)
    a1 = named("a1", named("z1", w1 * x + b1).sigmoid())
    y_hat = named("ŷ", named("z2", w2 * a1 + b2).sigmoid())
    return named("L", (y_hat - y) ** 2 / 2)


def layer() -> Value:
    """Two neurons in one layer; second tutorial."""
    w11, w12, w21, w22, b11, b12, b21, b22, x, y = leaves(
        w11=0.3, w12=0.2, w21=0.1, w22=0.2, b11=0.1, b12=0.2, b21=0.1, b22=0.2, x=0.5, y=1.0
    )
    a1 = named("a1", named("z1", w11 * x + b11).sigmoid())
    a2 = named("a2", named("z2", w12 * x + b12).sigmoid())
    y_hat = named("ŷ", named("z3", (w21 * a1 + b21) + (w22 * a2 + b22)).sigmoid())
    return named("L", (y_hat - y) ** 2 / 2)


def two_by_two() -> Value:
    """The 2-2-2 network of the third tutorial."""
    w = dict(enumerate(leaves(ω1=0.3, ω2=0.2, ω3=-0.4, ω4=0.6, ω5=0.7, ω6=-0.3, ω7=0.5, ω8=-0.1), start=1))
    b1, b2, b3, b4, x1, x2, y1, y2 = leaves(b1=0.25, b2=0.45, b3=0.15, b4=0.35, x1=2.0, x2=3.0, y1=1.0, y2=0.2)
    h1 = named("h1", named("z_h1", b1 + x1 * w[1] + x2 * w[3]).sigmoid())
    h2 = named("h2", named("z_h2", b2 + x1 * w[2] + x2 * w[4]).sigmoid())
    a1 = named("a1", named("z_a1", b3 + w[5] * h1 + w[7] * h2).sigmoid())
    a2 = named("a2", named("z_a2", b4 + w[6] * h1 + w[8] * h2).sigmoid())
    return named("C", (a1 - y1) ** 2 + (a2 - y2) ** 2)


def xor() -> Value:
    """One sample of the XOR network of the first tutorial, at fixed weights."""
    model = mb.nn.MLP(2, [2, 1], "sigmoid", "sigmoid")
    weights = (0.3, -0.4, 0.25, 0.2, 0.6, 0.45, 0.7, -0.3, 0.15)
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    x1, x2, y = leaves(a0_1=0.0, a0_2=1.0, y=1.0)
    return named("E", (model([x1, x2]) - y) ** 2 / 2)


def dC(v: Numbers, j: int) -> float:
    """∂C/∂z_aj of the third tutorial."""
    return 2 * (v[f"a{j}"] - v[f"y{j}"]) * ds(v[f"z_a{j}"])


DERIVATIONS = (
    Derivation(
        "second tutorial, a single neuron with the identity",
        lambda: single("identity"),
        (
            Line("w", "(ŷ − y)·1·x", lambda v: (v["ŷ"] - v["y"]) * 1 * v["x"]),
            Line("b", "ŷ − y", lambda v: v["ŷ"] - v["y"]),
        ),
    ),
    Derivation(
        "second tutorial, a single neuron with the sigmoid",
        lambda: single("sigmoid"),
        (
            Line("w", "(ŷ − y)·σ(z)·(1 − σ(z))·x", lambda v: (v["ŷ"] - v["y"]) * s(v["z"]) * (1 - s(v["z"])) * v["x"]),
            Line("b", "(ŷ − y)·σ(z)·(1 − σ(z))·1", lambda v: (v["ŷ"] - v["y"]) * s(v["z"]) * (1 - s(v["z"])) * 1),
            Line(
                "ŷ",
                'y_p − ŷ_p   ("dL_p", of several data points)',
                lambda v: v["y"] - v["ŷ"],
                "the sign: half the squared error has the derivative ŷ − y",
            ),
        ),
    ),
    Derivation(
        "second tutorial, two neurons in series",
        series,
        (
            Line("w2", "(ŷ − y)·σ(z2)·(1 − σ(z2))·a1", lambda v: (v["ŷ"] - v["y"]) * ds(v["z2"]) * v["a1"]),
            Line("b2", "(ŷ − y)·σ(z2)·(1 − σ(z2))·1", lambda v: (v["ŷ"] - v["y"]) * ds(v["z2"])),
            Line(
                "w1",
                "dL/dŷ · dŷ/dz2 · dz2/da1 · da1/dz1 · dz1/dw1",
                lambda v: (v["ŷ"] - v["y"]) * ds(v["z2"]) * v["w2"] * ds(v["z1"]) * v["x"],
            ),
            Line(
                "b1",
                "dL/dŷ · dŷ/dz2 · dz2/da1 · da1/dz1 · dz1/db1",
                lambda v: (v["ŷ"] - v["y"]) * ds(v["z2"]) * v["w2"] * ds(v["z1"]),
            ),
        ),
    ),
    Derivation(
        "second tutorial, two neurons in a layer",
        layer,
        (
            Line("w21", "(ŷ − y)·σ(z3)·(1 − σ(z3))·a1", lambda v: (v["ŷ"] - v["y"]) * ds(v["z3"]) * v["a1"]),
            Line("b21", "(ŷ − y)·σ(z3)·(1 − σ(z3))·1", lambda v: (v["ŷ"] - v["y"]) * ds(v["z3"])),
            Line(
                "w12",
                "dL/dŷ · dŷ/dz3 · dz3/da2 · da2/dz2 · dz2/dw_2^(1)",
                lambda v: (v["ŷ"] - v["y"]) * ds(v["z3"]) * v["w22"] * ds(v["z2"]) * v["x"],
            ),
            Line(
                "b11",
                "dL/dŷ · dŷ/dz3 · dz3/da1 · da1/dz1 · dz1/db_1^(1)",
                lambda v: (v["ŷ"] - v["y"]) * ds(v["z3"]) * v["w21"] * ds(v["z1"]),
            ),
        ),
    ),
    Derivation(
        "third tutorial, the 2-2-2 example",
        two_by_two,
        (
            Line("a1", "2(a1 − y1) = −0.5754851354085166", lambda v: -0.5754851354085166),
            Line("ω5", "∂C/∂a1 · σ'(z_a1) · h1, as a formula", lambda v: dC(v, 1) * v["h1"]),
            Line(
                "ω5",
                "∂C/∂a1 · 0.220793265944315 · h1 = −0.052525710835624",
                lambda v: -0.052525710835624,
                "0.2208 is σ'(a1), the sigmoid applied twice; σ'(z_a1) is a1(1 − a1) = 0.204946782435219",
            ),
            Line(
                "ω1",
                "[∂C/∂z_a1 · ω5 + ∂C/∂z_a1 · ω6] · σ'(z_h1) · x1",
                lambda v: (dC(v, 1) * v["ω5"] + dC(v, 1) * v["ω6"]) * ds(v["z_h1"]) * v["x1"],
                "the second z_a1 has to be z_a2",
            ),
            Line(
                "ω1",
                "... = −0.064945998937865",
                lambda v: -0.064945998937865,
                "computed with z_a2, but with σ' of the activations again",
            ),
        ),
    ),
    Derivation(
        "first tutorial, the XOR network: (3.2), (3.3), (3.5), (3.6)",
        xor,
        (
            Line(
                "w2_11",
                "(a_j^(L) − y) a_j^(L) (1 − a_j^(L)) a_k^(L−1)   (3.2)",
                lambda v: (v["a2_1"] - v["y"]) * v["a2_1"] * (1 - v["a2_1"]) * v["a1_1"],
            ),
            Line(
                "w1_12",
                "σ'(z_j^(l)) a_k^(l−1) Σ_i ∂E/∂a_i^(l+1) σ'(z_i^(l+1)) w_ij^(l+1)   (3.3)",
                lambda v: ds(v["z1_1"]) * v["a0_2"] * ((v["a2_1"] - v["y"]) * ds(v["z2_1"]) * v["w2_11"]),
            ),
            Line(
                "b2_1",
                "−(y − a_j^(L)) a_j^(L) (1 − a_j^(L))   (3.5)",
                lambda v: -(v["y"] - v["a2_1"]) * v["a2_1"] * (1 - v["a2_1"]),
            ),
            Line(
                "b1_2",
                "σ'(z_j^(l)) Σ_i ∂E/∂a_i^(l+1) σ'(z_i^(l+1)) w_ij^(l+1)   (3.6)",
                lambda v: ds(v["z1_2"]) * ((v["a2_1"] - v["y"]) * ds(v["z2_1"]) * v["w2_12"]),
            ),
        ),
    ),
)


def agrees(line: Line, gradient: float, numbers: Numbers) -> bool:
    """Whether the line, evaluated as it is printed, is the gradient, to 12 digits."""
    return abs(line.evaluate(numbers) - gradient) <= 1e-12 * abs(gradient)


def report(derivation: Derivation) -> list[str]:
    """The lines of one derivation, each beside the engine's explanation."""
    loss = derivation.build()
    values = {node.name: node for node in mb.topological_order(loss) if node.name}
    numbers = {name: node.data for name, node in values.items()}
    told = [f"{derivation.title}", "=" * len(derivation.title)]
    explained: set[str] = set()
    for line in derivation.lines:
        explanation = mb.explain(loss, values[line.wrt])
        gradient = explanation.value or 0.0
        if line.wrt not in explained:
            told += ["", "the engine:", *[f"    {row}" for row in str(explanation).splitlines()]]
            explained.add(line.wrt)
        same = agrees(line, gradient, numbers)
        told += ["", "the tutorial:", f"    ∂{loss.name}/∂{line.wrt} = {line.printed}"]
        verdict = "the same" if same else "MISPRINT"
        told.append(f"    evaluated {line.evaluate(numbers):.15g}, the engine {gradient:.15g}: {verdict}")
        if not same:
            told.append(f"    {line.misprint}")
    return told


def main(arguments: list[str] | None = None) -> None:
    """Print all, and with --out write the explanations as a LaTeX document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for derivations.tex, the engine's side as LaTeX")
    options = parser.parse_args(arguments)
    print("\n\n\n".join("\n".join(report(derivation)) for derivation in DERIVATIONS))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / "derivations.tex"
        path.write_text(document(), encoding="ascii")
        print(f"\nwrote {path}")


def document() -> str:
    """The engine's derivations as a LaTeX document."""
    parts = []
    for derivation in DERIVATIONS:
        loss = derivation.build()
        values = {node.name: node for node in mb.topological_order(loss)}
        parts.append(f"\\section*{{{derivation.title[0].upper()}{derivation.title[1:]}}}")
        parts += [
            f"\\[{mb.explain(loss, values[w]).latex}\\]" for w in dict.fromkeys(line.wrt for line in derivation.lines)
        ]
    head = "\\documentclass{article}\n\\usepackage{amsmath}\n\\usepackage[margin=2cm]{geometry}\n\\begin{document}\n"
    return head + "\n".join(parts) + "\n\\end{document}\n"


if __name__ == "__main__":
    main()
