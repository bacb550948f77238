"""Why `backward()` goes through the nodes in topological order, adds with `+=`, and begins every pass at 0.

Five mistakes in a backward pass, each on the smallest graph on which it gives a wrong derivative, step by step beside
the right order; the smallest graphs are found by trying all. Then the same mistakes on networks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import micrograd_bp as mb
from backward_passes import (
    MISTAKES,
    NETWORKS,
    Adjoints,
    Mistake,
    Pass,
    Shape,
    Step,
    build,
    fails,
    graph,
    right,
    shapes,
    smallest,
    wrong_gradients,
)
from common import heading, options
from micrograd_bp import Value, topological_order
from micrograd_bp.cli.output import table
from micrograd_bp.drawing import Graph
from micrograd_bp.symbolic.templates import number


def shown(x: float) -> str:
    """A number, short."""
    return number(x, 6)


def name(argument: Value | float) -> str:
    """A node's name."""
    return (argument.name or "") if isinstance(argument, Value) else shown(argument)


def steps_table(title: str, done: Pass, truth: Adjoints) -> list[str]:
    """The steps of a pass as lines; an adjoint that is not the right one is given as "16, not 48"."""
    rows = [("visit", "adjoint", "to", "adjoint · local", "before → after")]
    for step in done.steps:
        adjoint, of = shown(step.adjoint), shown(truth[step.node])
        rows.append((name(step.node), adjoint if adjoint == of else f"{adjoint}, not {of}", *passed_on(step)))
    return [title, *table(rows).splitlines()]


def passed_on(step: Step) -> tuple[str, str, str]:
    """To whom, how much, and what that makes of the receiver's adjoint."""
    if step.argument is None:
        return "", "", ""
    product = f"{shown(step.adjoint)} · {shown(step.local)} = {shown(step.contribution)}"
    return name(step.argument), product, f"{shown(step.before)} → {shown(step.after)}"


def beside(left: Sequence[str], right: Sequence[str]) -> str:
    """Two blocks of lines, side by side."""
    width = max(map(len, left))
    return "\n".join(f"{a:{width}}  |  {b}".rstrip() for a, b in itertools.zip_longest(left, right, fillvalue=""))


def derivatives(shape: Shape) -> dict[str, float]:
    """∂y/∂x of a graph with one leaf: by `backward()`, in forward mode, and as a difference quotient."""

    def f(x: Any) -> Any:
        return build(shape, [x])[-1]

    root, h = graph(shape), 1e-5
    root.backward()
    leaf = next(node for node in topological_order(root) if node.op is None)
    return {
        "backward()": leaf.grad,
        "forward mode": float(mb.derivative(f)(leaf.data)),
        "(f(x + h) − f(x − h)) / 2h": (f(leaf.data + h) - f(leaf.data - h)) / (2 * h),
    }


def tell(mistake: Mistake) -> str:
    """The smallest graph on which the mistake shows: the steps beside the right ones, and the derivatives."""
    shape = smallest(mistake)
    root = graph(shape)
    truth, found = right(root), mistake.run(root)
    order = topological_order(root)
    x = order[0]
    made = [f"{name(node)} = {node.op.text.format(*[name(arg) for arg in node.args])}" for node in order if node.op]
    rows = [(mistake.name, shown(found.adjoints[x])), ("the right order", shown(truth.adjoints[x]))]
    rows += [(way, f"{value:.12g}") for way, value in derivatives(shape).items()]
    passes = (("right", truth), (mistake.name, found))
    tables = [steps_table(f"{which}:", done, truth.adjoints) for which, done in passes]
    return "\n".join(
        [
            heading(f"{mistake.name}: wrong from {len(shape)} nodes on"),
            f"x = {shown(x.data)}, {', '.join(made)}\n",
            beside(*tables),
            f"\n{mistake.why}.\n",
            table([("∂y/∂x by", "is"), *rows]),
        ]
    )


def tell_counts(most: int) -> str:
    """On how many of all small graphs each mistake shows."""
    rows = [("nodes", "graphs", *[f"wrong: {mistake.name}" for mistake in MISTAKES])]
    for size in range(1, most + 1):
        roots = [graph(shape) for shape in shapes(size)]
        rows.append((str(size), str(len(roots)), *[str(sum(fails(m, root) for root in roots)) for m in MISTAKES]))
    return f"{heading('All graphs of squares and products')}\n{table(rows)}"


def tell_networks() -> str:
    """How many gradients of networks each mistake spoils."""
    rows = [("wrong gradients of all", *[mistake.name for mistake in MISTAKES])]
    for network, made in NETWORKS.items():
        root = made()
        rows.append((network, *["{} of {}".format(*wrong_gradients(mistake, root)) for mistake in MISTAKES]))
    return "\n".join(
        [
            heading("The same mistakes on networks"),
            table(rows),
            "\nIn the XOR network a hidden neuron has one user: a wrong order is right by luck, and so is = for +=",
            "with one sample. With several outputs, a second hidden layer or a shortcut it is not. (Of one XOR",
            "sample, 2 of the 9 gradients are 0 in any case: those of the weights on an input of 0.)",
        ]
    )


def picture(mistake: Mistake | None, root: Value) -> Graph:
    """The graph with the adjoints that a mistaken pass ends with, or the right one."""
    truth = right(root).adjoints
    found = mistake.run(root).adjoints if mistake else truth
    for node, adjoint in found.items():
        node.grad = adjoint
    x = topological_order(root)[0]
    said = f"{mistake.name if mistake else 'right'}: ∂y/∂x = {shown(found[x])}"
    if mistake:
        said += f", right is {shown(truth[x])}"
    return root.graph(title=said)


def main(arguments: list[str] | None = None) -> None:
    """Print the steps and the tables, draw the graphs."""
    given = options(__doc__, "why_topological_order", quick="graphs of up to 4 nodes, not 5").parse_args(arguments)
    print("\n\n\n".join([*map(tell, MISTAKES), tell_counts(4 if given.quick else 5), tell_networks()]), end="\n\n")
    for mistake in MISTAKES:
        for which, ending in ((mistake, ""), (None, "_right")):
            drawn = picture(which, graph(smallest(mistake)))
            print(f"wrote {drawn.save(given.out / f'{mistake.file}{ending}.svg')}")


if __name__ == "__main__":
    main()
