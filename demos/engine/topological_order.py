"""Why `backward()` visits the nodes in topological order, adds with `+=`, and begins every pass at 0.

The demo shows five mistakes in a backward pass. Each is shown on the smallest graph on which it gives a wrong
derivative, step by step beside the correct pass; the smallest graphs are found by trying all graphs. Then the demo
makes the same mistakes on networks.

It writes a picture of each graph after the mistaken pass, and one after the correct pass, such as depth_first.svg and
depth_first_right.svg.
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import itertools
from collections.abc import Sequence
from typing import Any

import micrograd_bp as mb
from demos.shared.backward_passes import (
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
from demos.shared.command_line import heading, options, table, wrote
from micrograd_bp import Value, topological_order
from micrograd_bp.drawing import Graph
from micrograd_bp.symbolic.templates import number


def shown(x: float) -> str:
    """Return a number with at most 6 digits."""
    return number(x, 6)


def name(argument: Value | float) -> str:
    """Return the name of a node."""
    return (argument.name or "") if isinstance(argument, Value) else shown(argument)


def steps_table(title: str, done: Pass, truth: Adjoints) -> list[str]:
    """Return the steps of a pass as lines of a table; a wrong adjoint is written as "16, not 48"."""
    rows = [("visit", "adjoint", "to", "adjoint · local", "before → after")]
    for step in done.steps:
        adjoint, of = shown(step.adjoint), shown(truth[step.node])
        rows.append((name(step.node), adjoint if adjoint == of else f"{adjoint}, not {of}", *passed_on(step)))
    return [title, *table(rows).splitlines()]


def passed_on(step: Step) -> tuple[str, str, str]:
    """Return the receiver of a contribution, the contribution, and the change of the receiver's adjoint."""
    if step.argument is None:
        return "", "", ""
    product = f"{shown(step.adjoint)} · {shown(step.local)} = {shown(step.contribution)}"
    return name(step.argument), product, f"{shown(step.before)} → {shown(step.after)}"


def beside(left: Sequence[str], right: Sequence[str]) -> str:
    """Return two blocks of lines side by side."""
    width = max(map(len, left))
    return "\n".join(f"{a:{width}}  |  {b}".rstrip() for a, b in itertools.zip_longest(left, right, fillvalue=""))


def derivatives(shape: Shape) -> dict[str, float]:
    """Return ∂y/∂x of a graph with one leaf: by `backward()`, in forward mode, and as a difference quotient."""

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


def report(mistake: Mistake) -> str:
    """Return a report on the smallest graph with a wrong derivative: both passes step by step, and derivatives."""
    shape = smallest(mistake)
    root = graph(shape)
    truth, found = right(root), mistake.run(root)
    order = topological_order(root)
    x = order[0]
    made = [f"{name(node)} = {node.op.text.format(*[name(arg) for arg in node.args])}" for node in order if node.op]
    rows = [(mistake.name, shown(found.adjoints[x])), ("the correct pass", shown(truth.adjoints[x]))]
    rows += [(method, f"{value:.12g}") for method, value in derivatives(shape).items()]
    passes = (("correct", truth), (mistake.name, found))
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


def report_counts(most: int) -> str:
    """Return a table of the number of small graphs on which each mistake gives a wrong derivative."""
    rows = [("nodes", "graphs", *[f"wrong: {mistake.name}" for mistake in MISTAKES])]
    for size in range(1, most + 1):
        roots = [graph(shape) for shape in shapes(size)]
        rows.append((str(size), str(len(roots)), *[str(sum(fails(m, root) for root in roots)) for m in MISTAKES]))
    return f"{heading('All graphs of squares and products')}\n{table(rows)}"


def report_networks() -> str:
    """Return a table of the number of wrong gradients that each mistake gives in networks."""
    rows = [("wrong gradients of all", *[mistake.name for mistake in MISTAKES])]
    for network, made in NETWORKS.items():
        root = made()
        rows.append((network, *["{} of {}".format(*wrong_gradients(mistake, root)) for mistake in MISTAKES]))
    return "\n".join(
        [
            heading("The same mistakes on networks"),
            table(rows),
            "\nIn the XOR network a hidden neuron has one user; so a wrong order gives correct gradients, and so",
            "does = for += with one sample. With several outputs, a second hidden layer or a shortcut they are wrong.",
            "(For one XOR sample 2 of the 9 gradients are 0 in any case: those of the weights of an input that is 0.)",
        ]
    )


def picture(mistake: Mistake | None, root: Value) -> Graph:
    """Return a picture of the graph with the adjoints of a mistaken pass, or of the correct one."""
    truth = right(root).adjoints
    found = mistake.run(root).adjoints if mistake else truth
    for node, adjoint in found.items():
        node.grad = adjoint
    x = topological_order(root)[0]
    title = f"{mistake.name if mistake else 'correct'}: ∂y/∂x = {shown(found[x])}"
    if mistake:
        title += f", correct is {shown(truth[x])}"
    return root.graph(title=title)


def main(arguments: list[str] | None = None) -> None:
    """Print the steps and the tables, and draw the graphs."""
    given = options(__doc__, "topological_order", quick="graphs of up to 4 nodes, not 5").parse_args(arguments)
    print(
        "\n\n\n".join([*map(report, MISTAKES), report_counts(4 if given.quick else 5), report_networks()]), end="\n\n"
    )
    for mistake in MISTAKES:
        for which, ending in ((mistake, ""), (None, "_right")):
            drawn = picture(which, graph(smallest(mistake)))
            wrote(drawn.save(given.out / f"{mistake.file}{ending}.svg"))


if __name__ == "__main__":
    main()
