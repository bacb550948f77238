"""The view "steps": a graph in steps from named value to named value, as tutorials write it.

In `x --w·x + b--> z --sigmoid function--> ŷ`, unnamed values and parameters appear in the formulas only.
"""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_bp.drawing.labels import shown_names
from micrograd_bp.drawing.layers import Groups
from micrograd_bp.drawing.scene import Scene, Step
from micrograd_bp.engine import Value
from micrograd_bp.ops.op import ATOM
from micrograd_bp.symbolic.templates import fill, number, one_line

_LONGEST = 60


def in_steps(order: list[Value], groups: Groups, inputs: Sequence[Value] | None, digits: int) -> Scene:
    """Return a scene of steps from named value to named value.

    The leaves are `inputs`, or by default the named ones that are not parameters of a network. A step that would have
    no source has all its named leaves.
    """
    chosen = None if inputs is None else set(inputs)
    ends = {node for node in order[:-1] if node.op is not None and node.name} | {order[-1]}
    texts: dict[Value, tuple[str, int]] = {}
    steps = []
    names = shown_names(order)
    for node in order:
        name = names[node]
        if node.op is None:
            texts[node] = (name or number(node.data, digits), ATOM)
            continue
        args = [texts[arg] if isinstance(arg, Value) else (number(arg, digits), ATOM) for arg in node.args]
        text, precedence = fill(node.op, args)
        texts[node] = (name, ATOM) if name else (text, precedence) if len(text) <= _LONGEST else ("…", ATOM)
        if node in ends:
            sources = _sources(node, ends)
            named = [
                arg for arg in sources if arg.op is not None or (arg in chosen if chosen is not None else arg.name)
            ]
            if chosen is None:
                inner = [arg for arg in named if not groups.is_parameter(arg)]
                named = inner or named
            single = len(node.args) == 1 and node.args[0] in ends and node.op.precedence == ATOM
            formula = f"{node.op.name} function" if single else one_line(text, _LONGEST)
            steps.append(Step(node, tuple(named), formula))
    shown = {order[-1]} | {node for step in steps for node in (*step.sources, step.target)}
    return Scene(order, [node for node in order if node in shown], steps=steps)


def _sources(target: Value, ends: set[Value]) -> list[Value]:
    """Return the leaves and named values that `target` is computed from, in order of use."""
    seen: dict[Value, None] = {}
    stack = [arg for arg in reversed(target.args) if isinstance(arg, Value)]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            if node.op is not None and node not in ends:
                stack.extend(arg for arg in reversed(node.args) if isinstance(arg, Value))
    return [node for node in seen if node.op is None or node in ends]
