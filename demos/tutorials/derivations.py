"""The derivations of three tutorials on backpropagation, each line beside the chain rule as the engine explains it.

A line is evaluated as the tutorial prints it and compared with the engine's gradient. Where they differ, the line is a
misprint, and the demo says what is wrong with it.

The demo writes derivations.tex, a LaTeX document of the engine's derivations.
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

from collections.abc import Callable, Mapping
from typing import NamedTuple

import micrograd_bp as mb
from demos.shared.command_line import options, wrote
from demos.shared.tutorial_networks import NEURONS, TWO_OUTPUTS, hand_set, named
from demos.shared.tutorial_networks import slope as ds
from demos.shared.xor import GENERIC
from micrograd_bp import Value
from micrograd_bp.training.losses import half_squared_error

Numbers = Mapping[str, float]


class Line(NamedTuple):
    """A printed line: d loss / d `wrt` as text, the same as a function of the numbers, and what is wrong with it."""

    wrt: str
    printed: str
    evaluate: Callable[[Numbers], float]
    misprint: str = ""


class Derivation(NamedTuple):
    """A network of a tutorial and the printed lines about it; `build` returns its loss, made of named values."""

    title: str
    build: Callable[[], Value]
    lines: tuple[Line, ...]


def xor_error() -> Value:
    """Return the error of the first tutorial's XOR network for one sample, at fixed weights."""
    x1, x2, y = Value(0.0, "a0_1"), Value(1.0, "a0_2"), Value(1.0, "y")
    return named("E", half_squared_error(hand_set([2, 2, 1], GENERIC)([x1, x2]), y))


def dL(v: Numbers, z: str) -> float:
    """Return dL/dz = (ŷ − y) σ'(z) of the second tutorial, for the output's z of this name."""
    return (v["ŷ"] - v["y"]) * ds(v[z])


def dC(v: Numbers, j: int) -> float:
    """Return ∂C/∂z_aj of the third tutorial."""
    return 2 * (v[f"a{j}"] - v[f"y{j}"]) * ds(v[f"z_a{j}"])


DERIVATIONS = (
    Derivation(
        "second tutorial, a single neuron with the identity",
        NEURONS["neuron_identity"].first_loss,
        (
            Line("w", "(ŷ − y)·1·x", lambda v: (v["ŷ"] - v["y"]) * 1 * v["x"]),
            Line("b", "ŷ − y", lambda v: v["ŷ"] - v["y"]),
        ),
    ),
    Derivation(
        "second tutorial, a single neuron with the sigmoid",
        NEURONS["neuron_sigmoid"].first_loss,
        (
            Line("w", "(ŷ − y)·σ(z)·(1 − σ(z))·x", lambda v: dL(v, "z") * v["x"]),
            Line("b", "(ŷ − y)·σ(z)·(1 − σ(z))·1", lambda v: dL(v, "z") * 1),
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
        NEURONS["series"].first_loss,
        (
            Line("w2", "(ŷ − y)·σ(z2)·(1 − σ(z2))·a1", lambda v: dL(v, "z2") * v["a1"]),
            Line("b2", "(ŷ − y)·σ(z2)·(1 − σ(z2))·1", lambda v: dL(v, "z2")),
            Line(
                "w1",
                "dL/dŷ · dŷ/dz2 · dz2/da1 · da1/dz1 · dz1/dw1",
                lambda v: dL(v, "z2") * v["w2"] * ds(v["z1"]) * v["x"],
            ),
            Line(
                "b1",
                "dL/dŷ · dŷ/dz2 · dz2/da1 · da1/dz1 · dz1/db1",
                lambda v: dL(v, "z2") * v["w2"] * ds(v["z1"]),
            ),
        ),
    ),
    Derivation(
        "second tutorial, two neurons in a layer",
        NEURONS["layer"].first_loss,
        (
            Line("w21", "(ŷ − y)·σ(z3)·(1 − σ(z3))·a1", lambda v: dL(v, "z3") * v["a1"]),
            Line("b21", "(ŷ − y)·σ(z3)·(1 − σ(z3))·1", lambda v: dL(v, "z3")),
            Line("w22", "dL/dŷ · dŷ/dz3 · dz3/dw_2^(2)", lambda v: dL(v, "z3") * v["a2"]),
            Line("b22", "dL/dŷ · dŷ/dz3 · dz3/db_2^(2)", lambda v: dL(v, "z3")),
            Line(
                "w11",
                "dL/dŷ · dŷ/dz3 · dz3/da1 · da1/dz1 · dz1/dw_1^(1)",
                lambda v: dL(v, "z3") * v["w21"] * ds(v["z1"]) * v["x"],
            ),
            Line(
                "w12",
                "dL/dŷ · dŷ/dz3 · dz3/da2 · da2/dz2 · dz2/dw_2^(1)",
                lambda v: dL(v, "z3") * v["w22"] * ds(v["z2"]) * v["x"],
            ),
            Line(
                "b11",
                "dL/dŷ · dŷ/dz3 · dz3/da1 · da1/dz1 · dz1/db_1^(1)",
                lambda v: dL(v, "z3") * v["w21"] * ds(v["z1"]),
            ),
            Line(
                "b12",
                "dL/dŷ · dŷ/dz3 · dz3/da2 · da2/dz2 · dz2/db_2^(1)",
                lambda v: dL(v, "z3") * v["w22"] * ds(v["z2"]),
            ),
        ),
    ),
    Derivation(
        "third tutorial, the 2-2-2 example",
        TWO_OUTPUTS.first_loss,
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
        xor_error,
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
    """Tell whether the line, evaluated as it is printed, gives the gradient to 12 digits."""
    return abs(line.evaluate(numbers) - gradient) <= 1e-12 * abs(gradient)


def report(derivation: Derivation) -> list[str]:
    """Return the report on one derivation: each of its lines beside the engine's explanation."""
    loss = derivation.build()
    values = {node.name: node for node in mb.topological_order(loss) if node.name}
    numbers = {name: node.data for name, node in values.items()}
    rows = [f"{derivation.title}", "=" * len(derivation.title)]
    explained: set[str] = set()
    for line in derivation.lines:
        explanation = mb.explain(loss, values[line.wrt])
        gradient = explanation.value or 0.0
        if line.wrt not in explained:
            rows += ["", "the engine:", *[f"    {row}" for row in str(explanation).splitlines()]]
            explained.add(line.wrt)
        same = agrees(line, gradient, numbers)
        rows += ["", "the tutorial:", f"    ∂{loss.name}/∂{line.wrt} = {line.printed}"]
        verdict = "the same" if same else "MISPRINT"
        rows.append(f"    evaluated {line.evaluate(numbers):.15g}, the engine {gradient:.15g}: {verdict}")
        if not same:
            rows.append(f"    {line.misprint}")
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Print all derivations, and write the engine's as a LaTeX document."""
    given = options(__doc__, "derivations").parse_args(arguments)
    print("\n\n\n".join("\n".join(report(derivation)) for derivation in DERIVATIONS))
    print()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "derivations.tex"
    path.write_text(document(), encoding="ascii")
    wrote(path)


def document() -> str:
    """Return a LaTeX document of the engine's derivations."""
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
