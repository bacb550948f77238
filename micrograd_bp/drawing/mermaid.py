"""Mermaid flowcharts of scenes, of steps between named values, and of networks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from micrograd_bp.drawing.dot import Style, edge_number
from micrograd_bp.drawing.labels import count, labels, printable, shown_names
from micrograd_bp.drawing.scene import Scene, Step
from micrograd_bp.engine import Value
from micrograd_bp.engine.chain import reached
from micrograd_bp.symbolic.templates import number

_PLAIN = re.compile(r"(?!v\d)[A-Za-z]\w*", re.ASCII)  # v1, v2, ... are generated identifiers
_RESERVED = {"end", "graph", "flowchart", "subgraph", "style", "class", "classdef", "click", "linkstyle", "direction"}
_RESERVED |= {"default", "call", "href", "interpolate"}


def of_scene(scene: Scene, style: Style) -> str:
    """Return a flowchart of a scene, with a node for each card and box, or of its steps if it has any."""
    if scene.steps is not None:
        return of_steps(scene.steps)
    digits = style.digits
    texts = labels(scene.order, digits)
    ids = {node: f"n{i}" for i, node in enumerate(scene.cards)}
    lines = [f"flowchart {style.direction}"]
    for node, key in ids.items():
        facts = [texts[node], "" if node.op is None else f"= {node.op.symbol}", f"data {number(node.data, digits)}"]
        facts += [f"grad {number(node.grad, digits)}"] if node.has_grad else []
        lines.append(f"  {key}[{quoted(*facts)}]")
    for i, box in enumerate(scene.boxes):
        members = count(len(box.members), "value")
        text = f"… {len(box.members):,} more" if box.left_out else members
        lines.append(f"  b{i}[{quoted(box.title, text)}]")
        ids |= dict.fromkeys(box.members, f"b{i}")
    many: Counter[tuple[str, str]] = Counter()
    shown = set(scene.cards)
    among = reached(scene.order)
    for node in scene.order:
        for index, arg in enumerate(node.args):
            if not isinstance(arg, Value):
                if style.constants and node in shown:
                    lines.append(f"  {ids[node]}_{index}([{quoted(number(arg, digits))}]) -.-> {ids[node]}")
                continue
            if arg in shown and node in shown:
                shown_number = edge_number(node, index, style.edges, among)
                label = "" if shown_number is None else quoted(number(shown_number, digits))
                lines.append(f"  {ids[arg]} {f'-- {label} -->' if label else '-->'} {ids[node]}")
            elif ids[arg] != ids[node]:
                many[ids[arg], ids[node]] += 1
    lines += [f"  {start} -. {quoted(count(n, 'edge'))} .-> {stop}" for (start, stop), n in many.items()]
    return "\n".join([*lines, ""])


def of_steps(steps: Iterable[Step]) -> str:
    """Return a flowchart of steps, with a node for each named value and the formulas on the lines.

    >>> x, w = Value(1.0, "x"), Value(2.0, "w")
    >>> print(of_steps([Step(w * x, (x,), "w·x")]))
    flowchart LR
      x -- "w·x" --> v1["2"]
    <BLANKLINE>
    """
    all_steps = list(steps)
    names = shown_names([node for step in all_steps for node in (*step.sources, step.target)])
    called: dict[Value, tuple[object, str]] = {node: (node, name or number(node.data)) for node, name in names.items()}
    return of_names(
        [([called[node] for node in step.sources], called[step.target], step.formula) for step in all_steps]
    )


def of_names(steps: Iterable[tuple[Iterable[tuple[object, str]], tuple[object, str], str]]) -> str:
    """Return a flowchart of steps (sources, target, formula); sources and target are pairs (key, name).

    A name that mermaid accepts as an identifier becomes the identifier, unless two keys have it.
    """
    ids: dict[object, str] = {}
    taken: set[str] = set()
    lines = ["flowchart LR"]

    def reference(thing: object, name: str) -> str:
        if thing in ids:
            return ids[thing]
        plain = _PLAIN.fullmatch(name) and name.lower() not in _RESERVED and name not in taken
        ids[thing] = name if plain else f"v{len(ids)}"
        taken.add(ids[thing])
        return name if plain else f"{ids[thing]}[{quoted(name)}]"

    for sources, target, formula in steps:
        for source in sources:
            lines.append(f"  {reference(*source)} -- {quoted(formula)} --> {reference(*target)}")
        if not sources:
            lines.append(f"  {reference(*target)}")
    return "\n".join([*lines, ""])


def quoted(*lines: str) -> str:
    """Return lines of text in quotes, with the characters that mermaid could interpret as entities.

    >>> quoted('a "b" <c>', "w·x + b")
    '"a #34;b#34; #60;c#62;<br/>w·x + b"'
    """
    return '"' + "<br/>".join(re.sub(r"[^\w\s.,:+*/=()·−-]", _entity, printable(line)) for line in lines if line) + '"'


def _entity(found: re.Match[str]) -> str:
    return f"#{ord(found[0])};" if ord(found[0]) < 128 else found[0]
