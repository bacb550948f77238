"""The 2-2-2 example of the third tutorial: forward pass, cost, all twelve gradients and updates, to the digits printed.

The forward pass is right. In the backward pass the tutorial evaluates σ' at the activation, σ'(a) = σ(a)(1 - σ(a)) with
the sigmoid applied a second time, in place of σ'(z) = a(1 - a): every update that it prints is wrong. That of ω8 is
moreover a copy of ω7's, with a minus sign. The same mistake made here gives the digits printed.

Writes step.svg (the graph of the example after its backward pass) and training.png (cost and outputs when one goes on).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import micrograd_bp as mb
from common import BLUE, GREEN, RED, axes, figure, heading, options, save
from micrograd_bp.cli.output import table
from micrograd_bp.training.optim import GradientDescent
from systems import TWO_OUTPUTS, slope

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
"""What the tutorial prints: activations, cost, and the parameters after a step that it gives."""


class Pass(NamedTuple):
    """A forward and a backward pass at given parameters: named values, gradients, the parameters after a step."""

    values: dict[str, float]
    gradient: dict[str, float]
    updated: dict[str, float]


def step(parameters: dict[str, float] | None = None) -> Pass:
    """By the engine; all updates are made from one set of old values."""
    system = TWO_OUTPUTS._replace(parameters=parameters or TWO_OUTPUTS.parameters)
    leaves = system.leaves()
    cost = system.first_loss(leaves)
    cost.backward()
    values = {str(node.name): node.data for node in mb.topological_order(cost) if node.name}
    gradient = {name: leaf.grad for name, leaf in leaves.items()}
    GradientDescent(leaves.values(), RATE).step()
    return Pass(values, gradient, {name: leaf.data for name, leaf in leaves.items()})


def by_formulas(slope_of: Callable[[str], float]) -> dict[str, float]:
    """The gradients by the tutorial's formulas; `slope_of` gives the σ' that is used for "h1", "h2", "a1" or "a2"."""
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
    """The formulas as they are meant: σ' at z."""
    z = step().values
    return by_formulas(lambda name: slope(z[f"z_{name}"]))


def mistaken() -> dict[str, float]:
    """The formulas as the tutorial evaluates them: σ' at the activation."""
    a = step().values
    return by_formulas(lambda name: slope(a[name]))


def as_printed(number: float, text: str) -> bool:
    """Whether the number is the one printed: to half a unit of its last decimal, or to 1e-15."""
    decimals = len(text.partition(".")[2])
    return abs(number - float(text)) <= max(0.5 * 10.0**-decimals, 1e-15)


def report() -> str:
    """The tables."""
    done, wrong = step(), mistaken()
    rows = [("", "the engine", "the tutorial", "")]
    for name, text in {**FORWARD, "C": COST}.items():
        number = done.values[name]
        rows.append((name, f"{number:.17g}", text, "the same" if as_printed(number, text) else "MISPRINT"))
    told = [heading("forward pass"), table(rows), "", heading("backward pass, and a step with learning rate 0.1")]
    lines = [("", "gradient", "after the step", "the tutorial", "", "with σ'(a)")]
    for name, gradient in done.gradient.items():
        text, updated = UPDATED.get(name, "not printed"), done.updated[name]
        emulated = TWO_OUTPUTS.parameters[name] - RATE * wrong[name]
        verdict = "" if name not in UPDATED else "the same" if as_printed(updated, text) else "MISPRINT"
        how = f"{emulated:.14f}" + ("" if name not in UPDATED else ", as printed" if as_printed(emulated, text) else "")
        lines.append((name, f"{gradient:.14f}", f"{updated:.14f}", text, verdict, how if verdict else ""))
    told += [table(lines), "", f"ω8: the tutorial repeats its ω7, {UPDATED['ω7']}, with a minus sign."]
    after = step(done.updated).values
    told.append(f"The cost falls from {done.values['C']:.12f} to {after['C']:.12f}:")
    told.append(f"a1 goes to {after['a1']:.12f} (1 is expected), a2 to {after['a2']:.12f} (0.2 is expected).")
    return "\n".join(told)


def plot(folder: Path) -> Path:
    """Cost and outputs over 500 steps."""
    made = figure(9, 4)
    parameters, passes = TWO_OUTPUTS.parameters, []
    for _ in range(501):
        passes.append(step(parameters))
        parameters = passes[-1].updated
    left = axes(made, (1, 2, 1), title="Cost", xlabel="steps", ylabel="C", yscale="log")
    left.plot([p.values["C"] for p in passes], color=BLUE)
    outputs = axes(made, (1, 2, 2), title="Outputs go to what is expected", xlabel="steps", ylabel="output")
    for name, expected, color in (("a1", "y1", GREEN), ("a2", "y2", RED)):
        outputs.plot([p.values[name] for p in passes], color=color, label=name)
        outputs.axhline(passes[0].values[expected], color=color, linestyle=":", label=f"expected {expected}")
    outputs.legend(loc="center right")
    return save(made, folder, "training.png")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, write the graph and the plot."""
    given = options(__doc__, "two_outputs").parse_args(arguments)
    print(f"{report()}\n")
    plot(given.out)
    cost = TWO_OUTPUTS.first_loss()
    cost.backward()
    print(f"wrote {cost.graph(title=TWO_OUTPUTS.title).save(given.out / 'step.svg')}")


if __name__ == "__main__":
    main()
