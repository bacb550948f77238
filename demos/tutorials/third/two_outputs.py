"""The 2-2-2 example of the third tutorial: forward pass, cost, twelve gradients and updates, beside the printed digits.

The printed forward pass is correct. In the backward pass the tutorial evaluates σ' at the activation a instead of at z:
it uses σ(a)(1 − σ(a)), with the sigmoid applied a second time, where σ'(z) = a(1 − a) is meant. Therefore every update
that it prints is wrong; the update of ω8 is moreover a copy of that of ω7, with a minus sign. When the same mistake is
made here, the printed digits are reproduced.

The demo writes step.svg (the graph of the example after its backward pass) and training.png (the cost and the outputs
during 500 further steps).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import micrograd_bp as mb
from demos.shared.command_line import heading, options, table, wrote
from demos.shared.figures import BLUE, GREEN, RED, axes, figure, save
from demos.shared.tutorial_networks import TWO_OUTPUTS, slope
from micrograd_bp.training.optim import GradientDescent

RATE = 0.1
FORWARD = {"h1": "0.41338242108267", "h2": "0.934010990508781", "a1": "0.712257432295742", "a2": "0.533097573871501"}
COST = "0.19374977898811957"
UPDATED = {
    "ω5": "0.70525257108356",
    "ω6": "-0.3064179482696209",
    "ω7": "0.511867846503068",
    "ω8": "-0.511867846503068",
    "b3": "0.1627063242549253",
    "b4": "0.33447454961240974",
    "ω1": "0.3064945998937866",
}
"""The parameters after a step, as far as the tutorial prints them."""


class Pass(NamedTuple):
    """The results of a forward and a backward pass: named values, gradients, and the parameters after a step."""

    values: dict[str, float]
    gradient: dict[str, float]
    updated: dict[str, float]


def step(parameters: dict[str, float] | None = None) -> Pass:
    """Run both passes and make a step by the engine; all updates are made from one set of old values."""
    system = TWO_OUTPUTS._replace(parameters=parameters or TWO_OUTPUTS.parameters)
    leaves = system.leaves()
    cost = system.first_loss(leaves)
    cost.backward()
    values = {str(node.name): node.data for node in mb.topological_order(cost) if node.name}
    gradient = {name: leaf.grad for name, leaf in leaves.items()}
    GradientDescent(leaves.values(), RATE).step()
    return Pass(values, gradient, {name: leaf.data for name, leaf in leaves.items()})


def by_formulas(slope_of: Callable[[str], float]) -> dict[str, float]:
    """Return the gradients by the tutorial's formulas; `slope_of` gives σ' for "h1", "h2", "a1" or "a2"."""
    v = step().values
    dz = {f"a{j}": 2 * (v[f"a{j}"] - v[f"y{j}"]) * slope_of(f"a{j}") for j in (1, 2)}
    found = {"b3": dz["a1"], "b4": dz["a2"]}
    for weight, hidden, output in (("ω5", "h1", "a1"), ("ω6", "h1", "a2"), ("ω7", "h2", "a1"), ("ω8", "h2", "a2")):
        found[weight] = dz[output] * v[hidden]
    for hidden, (to_a1, to_a2), bias, from_x1, from_x2 in (
        ("h1", ("ω5", "ω6"), "b1", "ω1", "ω3"),
        ("h2", ("ω7", "ω8"), "b2", "ω2", "ω4"),
    ):
        found[bias] = (dz["a1"] * v[to_a1] + dz["a2"] * v[to_a2]) * slope_of(hidden)
        found[from_x1], found[from_x2] = found[bias] * v["x1"], found[bias] * v["x2"]
    return {name: found[name] for name in TWO_OUTPUTS.parameters}


def right() -> dict[str, float]:
    """Return the gradients by the formulas as they are meant, with σ' at z."""
    z = step().values
    return by_formulas(lambda name: slope(z[f"z_{name}"]))


def mistaken() -> dict[str, float]:
    """Return the gradients by the formulas as the tutorial evaluates them, with σ' at the activation."""
    a = step().values
    return by_formulas(lambda name: slope(a[name]))


def as_printed(number: float, text: str) -> bool:
    """Tell whether the number is the printed one, to half a unit of its last decimal or to 1e-15."""
    decimals = len(text.partition(".")[2])
    return abs(number - float(text)) <= max(0.5 * 10.0**-decimals, 1e-15)


def tables() -> str:
    """Return the tables of both passes, and a few sentences about them."""
    done, wrong = step(), mistaken()
    rows = [("", "the engine", "the tutorial", "")]
    for name, text in {**FORWARD, "C": COST}.items():
        number = done.values[name]
        rows.append((name, f"{number:.17g}", text, "the same" if as_printed(number, text) else "MISPRINT"))
    report = [heading("Forward pass"), table(rows), "", heading("Backward pass, and a step with learning rate 0.1")]
    lines = [("", "gradient", "after the step", "the tutorial", "", "with σ'(a)")]
    for name, gradient in done.gradient.items():
        text, updated = UPDATED.get(name, "not printed"), done.updated[name]
        emulated = TWO_OUTPUTS.parameters[name] - RATE * wrong[name]
        verdict = "" if name not in UPDATED else "the same" if as_printed(updated, text) else "MISPRINT"
        how = f"{emulated:.14f}" + ("" if name not in UPDATED else ", as printed" if as_printed(emulated, text) else "")
        lines.append((name, f"{gradient:.14f}", f"{updated:.14f}", text, verdict, how if verdict else ""))
    report += [table(lines), "", f"ω8: the tutorial repeats its ω7, {UPDATED['ω7']}, with a minus sign."]
    after = step(done.updated).values
    report.append(f"The cost falls from {done.values['C']:.12f} to {after['C']:.12f}:")
    report.append(f"a1 moves to {after['a1']:.12f} (its target is 1), a2 to {after['a2']:.12f} (its target is 0.2).")
    return "\n".join(report)


def plot(folder: Path) -> Path:
    """Plot the cost and the outputs over 500 steps."""
    made = figure(9, 4)
    parameters, passes = TWO_OUTPUTS.parameters, []
    for _ in range(501):
        passes.append(step(parameters))
        parameters = passes[-1].updated
    left = axes(made, (1, 2, 1), title="Cost", xlabel="steps", ylabel="C", yscale="log")
    left.plot([p.values["C"] for p in passes], color=BLUE)
    outputs = axes(made, (1, 2, 2), title="Outputs approach their targets", xlabel="steps", ylabel="output")
    for name, expected, color in (("a1", "y1", GREEN), ("a2", "y2", RED)):
        outputs.plot([p.values[name] for p in passes], color=color, label=name)
        outputs.axhline(passes[0].values[expected], color=color, linestyle=":", label=f"target {expected}")
    outputs.legend(loc="center right")
    return save(made, folder, "training.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, and write the graph and the plot."""
    given = options(__doc__, "two_outputs").parse_args(arguments)
    print(f"{tables()}\n")
    plot(given.out)
    cost = TWO_OUTPUTS.first_loss()
    cost.backward()
    wrote(cost.graph(title=TWO_OUTPUTS.title).save(given.out / "step.svg"))


if __name__ == "__main__":
    main()
