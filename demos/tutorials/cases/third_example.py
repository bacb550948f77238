"""The cases of the third tutorial's 2-2-2 example, digit by digit, and of the formulas that it tries out."""

from __future__ import annotations

import math

import micrograd_bp as mb
from demos.shared.tutorial_networks import TWO_OUTPUTS as NETWORK
from demos.shared.tutorial_networks import slope
from demos.tutorials.cases.case import Case, Result
from demos.tutorials.first.xnor_and_formulas import sigmoid_slopes
from demos.tutorials.third import two_outputs as example
from micrograd_bp.autodiff.reverse import adjoints

_SIGMA = "σ' was evaluated at the activation instead of at z: σ'(a) = σ(a)(1 − σ(a)), the sigmoid applied twice"


def _named(*names: str) -> list[float]:
    """Return values of the example's forward pass, by name."""
    values = example.step().values
    return [values[name] for name in names]


def _slope(*names: str) -> list[float]:
    """Return dC / d(value) by the engine, for values of the example by name."""
    cost = NETWORK.first_loss()
    found = {node.name: node for node in mb.topological_order(cost)}
    return adjoints(cost, [found[name] for name in names])


def _gradient(*names: str) -> list[float]:
    gradient = example.step().gradient
    return [gradient[name] for name in names or gradient]


def _formulas(*names: str) -> list[float]:
    """Return the same gradients by the tutorial's formulas, with σ' at z."""
    gradient = example.right()
    return [gradient[name] for name in names or gradient]


def _value(name: str, of: str, says: str) -> Case:
    return Case(f"third/{name}", f"{of} = {says}", lambda: _named(of), lambda: [says])


def _update(name: str, text: str) -> Case:
    """Compare a parameter after a step, which is misprinted because of σ'."""
    return Case(
        f"third/{name}+",
        f"{name}⁺ = {text}",
        lambda: [example.step().updated[name]],
        lambda: [text],
        "hard",
        _SIGMA,
        lambda: [NETWORK.parameters[name] - example.RATE * example.mistaken()[name]],
    )


def _omega1(second: str) -> float:
    """Evaluate the printed chain for ω1, with z_a1 or z_a2 in its second term."""
    first = example.right()
    dz = {"a1": first["b3"], "a2": first["b4"]}
    (z,) = _named("z_h1")
    return (dz["a1"] * 0.7 + dz[second] * -0.3) * slope(z) * 2.0


def _twice_the_first_cost() -> Result:
    """Return d(C_a1 + C_a1)/dω1: the part of the first output, twice."""
    (z,) = _named("z_h1")
    return [2 * example.right()["b3"] * 0.7 * slope(z) * 2.0]


def _errors() -> list[tuple[float, float]]:
    """Return (a_j, y_j) for both outputs of the example."""
    a1, a2, y1, y2 = _named("a1", "a2", "y1", "y2")
    return [(a1, y1), (a2, y2)]


def _squares() -> list[float]:
    return [(a - y) ** 2 for a, y in _errors()]


def _weighted(bias: float, by_h1: float, by_h2: float) -> float:
    h1, h2 = _named("h1", "h2")
    return bias + by_h1 * h1 + by_h2 * h2


TWO_OUTPUTS = (
    Case(
        "third/(1)-(2)",
        "C = Σ_j (a_j − y_j)²; dC/da_j = 2(a_j − y_j)",
        lambda: [*_named("C"), *_slope("a1", "a2")],
        lambda: [sum((a - y) ** 2 for a, y in _errors()), *(2 * (a - y) for a, y in _errors())],
    ),
    Case(
        "third/(5)-(6)",
        "ω⁺ = ω − η ∂C/∂ω, b⁺ = b − η ∂C/∂b",
        lambda: [*example.step().updated.values()],
        lambda: [old - 0.1 * g for old, g in zip(NETWORK.parameters.values(), _formulas(), strict=True)],
        evidence=lambda: (
            f"the cost falls from {_named('C')[0]:.12f} to {example.step(example.step().updated).values['C']:.12f}"
        ),
    ),
    Case(
        "third/(7)-(9)",
        "a = σ(z), z = ω a + b",
        lambda: _named("z_h2", "z_a2", "h2"),
        lambda: [0.45 + 2 * 0.2 + 3 * 0.6, _weighted(0.35, -0.3, -0.1), mb.sigmoid(_named("z_h2")[0])],
    ),
    Case("third/(12)", "∇C = [∂C/∂ω(1), ∂C/∂b(1), ..., ∂C/∂ω(L), ∂C/∂b(L)]", _gradient, _formulas),
    Case(
        "third/(15)",
        "∂C/∂ω_jk = ∂C/∂a_j · σ'(z_j) · a_k",
        lambda: _gradient("ω5", "ω6", "ω7", "ω8"),
        lambda: [_slope(a)[0] * slope(_named(f"z_{a}")[0]) * _named(h)[0] for h in ("h1", "h2") for a in ("a1", "a2")],
    ),
    Case(
        "third/cost-without-sum",
        "C = (a_j − y_j)²",
        lambda: _named("C"),
        lambda: [_squares()[0]],
        "notation",
        "C is the sum over j, equation (2); the derivative that follows is right",
        evidence=lambda: f"the terms are {_squares()[0]:.15f} and {_squares()[1]:.15f}",
    ),
    Case(
        "third/cost-reference",
        "the cost function of the ANN is evaluated with Equation (1)",
        lambda: _named("C"),
        lambda: [_squares()[0]],
        "notation",
        "with two outputs it is Equation (2), as the same section says later",
    ),
    Case(
        "third/(16)-(17)",
        "σ'(z) = σ(z)(1 − σ(z))",
        lambda: [sigmoid_slopes(z)[0] for z in _named("z_h1", "z_h2", "z_a1", "z_a2")],
        lambda: [sigmoid_slopes(z)[2] for z in _named("z_h1", "z_h2", "z_a1", "z_a2")],
    ),
    *(_value(f"forward-{of}", of, text) for of, text in example.FORWARD.items()),
    Case(
        "third/forward-cost",
        f"C = {example.COST}",
        lambda: _named("C"),
        lambda: [example.COST],
        evidence=lambda: (
            "the last digits printed are those of a1 and a2 rounded to 15 decimals: "
            f"{sum((float(example.FORWARD[a]) - y) ** 2 for a, y in (('a1', 1.0), ('a2', 0.2)))!r}"
        ),
    ),
    Case("third/dC-da1", "∂C/∂a1 = -0.5754851354085166", lambda: _slope("a1"), lambda: ["-0.5754851354085166"]),
    Case(
        "third/dz-dω5",
        "∂z_a1/∂ω5 = h1 = 0.41338242108267",
        lambda: [_gradient("ω5")[0] / _gradient("b3")[0]],
        lambda: ["0.41338242108267"],
    ),
    Case(
        "third/σ'(z_a1)",
        "∂a1/∂z_a1 = σ'(z_a1) = 0.220793265944315",
        lambda: [_slope("z_a1")[0] / _slope("a1")[0]],
        lambda: ["0.220793265944315"],
        "hard",
        f"{_SIGMA}; σ'(z_a1) = a1(1 − a1)",
        lambda: [slope(_named("a1")[0])],
    ),
    Case(
        "third/dC-dω5",
        "∂C/∂ω5 = -0.052525710835624",
        lambda: _gradient("ω5"),
        lambda: ["-0.052525710835624"],
        "hard",
        _SIGMA,
        lambda: [math.trunc(example.mistaken()["ω5"] * 1e15) / 1e15],
        evidence=lambda: "the digits printed are cut off, not rounded",
    ),
    *(_update(name, text) for name, text in example.UPDATED.items() if name not in ("ω8", "ω1")),
    Case(
        "third/ω8+",
        "ω8⁺ = -0.511867846503068",
        lambda: [example.step().updated["ω8"]],
        lambda: [example.UPDATED["ω8"]],
        "hard",
        "a copy of ω7⁺ as it is printed, with a minus sign: ω8 would have moved by 0.41",
        lambda: ["-" + example.UPDATED["ω7"]],
    ),
    Case(
        "third/z_a1",
        "z_a1 = b3 + ω5·h1 + ω7·h2",
        lambda: _named("z_a1"),
        lambda: [_weighted(0.15, 0.7, 0.5)],
    ),
    Case(
        "third/dC-db3",
        "∂C/∂b3 = ∂C/∂a1 · ∂a1/∂z_a1 · ∂z_a1/∂b3",
        lambda: _gradient("b3"),
        lambda: [_slope("a1")[0] * slope(_named("z_a1")[0]) * 1.0],
    ),
    Case("third/z_h1", "z_h1 = b1 + x1·ω1 + x2·ω3", lambda: _named("z_h1"), lambda: [0.25 + 2.0 * 0.3 + 3.0 * -0.4]),
    Case(
        "third/dC-dz",
        "∂C/∂z_a1 = 2(a1 − y1) σ'(z_a1); ∂C/∂z_a2 = 2(a2 − y2) σ'(z_a2)",
        lambda: _slope("z_a1", "z_a2"),
        lambda: _formulas("b3", "b4"),
    ),
    Case(
        "third/dC-dω1-costs",
        "∂C/∂ω1 = ∂(C_a1 + C_a1)/∂h1 · ...",
        lambda: _gradient("ω1"),
        _twice_the_first_cost,
        "hard",
        "C_a1 + C_a2, as the right side of the same line has it",
    ),
    Case(
        "third/dC-dω1-formula",
        "∂C/∂ω1 = [∂C/∂z_a1 · ω5 + ∂C/∂z_a1 · ω6] σ'(z_h1) x1",
        lambda: _gradient("ω1"),
        lambda: [_omega1("a1")],
        "hard",
        "the second term has ∂C/∂z_a2 (in two lines)",
        evidence=lambda: f"with z_a2: {_omega1('a2'):.15f}",
    ),
    Case(
        "third/dC-dω1",
        "∂C/∂ω1 = -0.064945998937865",
        lambda: _gradient("ω1"),
        lambda: ["-0.064945998937865"],
        "hard",
        f"{_SIGMA}, for h1 too",
        lambda: [math.trunc(example.mistaken()["ω1"] * 1e15) / 1e15],
        evidence=lambda: "the digits printed are cut off, not rounded",
    ),
    _update("ω1", example.UPDATED["ω1"]),
    Case(
        "third/not-printed",
        "by using the same method we can evaluate the other weights and biases   (all twelve)",
        lambda: [*example.step().updated.values()],
        lambda: [old - 0.1 * g for old, g in zip(NETWORK.parameters.values(), _formulas(), strict=True)],
    ),
)
"""In the order of the tutorial."""
