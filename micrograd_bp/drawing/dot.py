"""A scene as DOT text: a card is one value, a box stands for several, and edges show local derivatives.

The colours are those of the light scheme; `theme` adds the dark one to the finished SVG.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass

from micrograd_bp.drawing import theme
from micrograd_bp.drawing.labels import called, count, html, labels, quote, small, tooltip
from micrograd_bp.drawing.scene import Box, Scene
from micrograd_bp.engine import Value
from micrograd_bp.engine.chain import passes, reached
from micrograd_bp.engine.pictures import Edges
from micrograd_bp.symbolic.templates import number

_RANKS, _NEAR = 300, 4  # Graphviz adds a node for each rank that an edge crosses, and takes half a second for 300
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{}"{}>{}</TABLE>'


@dataclass(frozen=True)
class Style:
    """The options of `draw` that set the look of a scene."""

    direction: str = "LR"
    digits: int = 4
    title: str = ""
    edges: Edges = "local"
    constants: bool = True


def dot(scene: Scene, style: Style) -> str:
    """Return the DOT text of a scene; equal graphs give equal text."""
    return _Writer(scene, style).text()


def head(style: Style, note: str, layout: str) -> list[str]:
    """Return the first lines of the DOT text: title, fonts and colours."""
    lines = [f'<FONT POINT-SIZE="15"><B>{html(style.title)}</B></FONT>'] if style.title else []
    lines += [small(note, theme.FAINT, 11)] if note else []
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    title = f" labelloc=t label=<{TABLE.format(3, '', rows)}>" if lines else ""
    return [
        f"digraph {quote(style.title or 'graph')} {{",
        f'  graph [{layout} bgcolor="transparent" fontname="{theme.FONT}" fontcolor="{theme.INK}"{title}'
        f" tooltip={tooltip(style.title or ' ')}]",
        # Graphviz takes "\N" from the node attributes for granted where a node has no label of its own
        f'  node [shape=box style="rounded,filled" fillcolor="{theme.CARD}" color="{theme.RULE}" margin="0.05,0.03"'
        f' fontname="{theme.FONT}" fontsize=12 fontcolor="{theme.INK}" label="\\N"]',
        f'  edge [fontname="{theme.FONT}" fontsize=10 color="{theme.EDGE}" fontcolor="{theme.FAINT}" arrowsize=0.7]',
    ]


class _Writer:
    def __init__(self, scene: Scene, style: Style) -> None:
        self.scene, self.style = scene, style
        self.called = labels(scene.order, style.digits)
        self.largest = theme.largest(scene.order)
        self.reached = reached(scene.order)
        self.cards = {node: f"n{i}" for i, node in enumerate(scene.cards)}
        self.ids = {node: f"b{i}" for i, box in enumerate(scene.boxes) for node in box.members} | self.cards
        self.far = far(scene)
        self.within: dict[Value, list[str]] = {}  # a card and the nodes drawn for it alone: constants and far arguments
        self.lines: list[str] = []

    def text(self) -> str:
        layout = f"rankdir={self.style.direction} nodesep=0.25 ranksep=0.4"
        self.within = {node: [f"{self.cards[node]} {self.card(node)}"] for node in self.scene.cards}
        if self.scene.steps is None:
            for node in self.scene.cards:
                for index, arg in enumerate(node.args):
                    self.edge(node, index, arg)
            self.box_edges()
        for step in self.scene.steps or ():
            label, tip = padded(step.formula), tooltip(step.formula)
            for source in step.sources:
                ends = f"{self.cards[source]} -> {self.cards[step.target]}"
                self.lines.append(f"  {ends} [label={label} tooltip={tip} labeltooltip={tip}]")
        framed = {node for _, members in self.scene.clusters for node in members}
        frames = []
        for i, (title, members) in enumerate(self.scene.clusters):
            frames += [f"  subgraph cluster_{i} {{", f"    graph [{frame(title)}]"]
            frames += [f"    {line}" for node in members for line in self.within[node]]
            frames.append("  }")
        free = [f"  {line}" for node in self.scene.cards if node not in framed for line in self.within[node]]
        boxes = [f"  b{i} {self.box(box)}" for i, box in enumerate(self.scene.boxes)]
        columns: dict[int, list[str]] = {}
        for i, box in enumerate(self.scene.boxes):
            if box.column is not None:
                columns.setdefault(box.column, []).append(f"b{i}")
        boxes += [f"  {{rank=same; {' -> '.join(ids)} [style=invis]}}" for ids in columns.values() if len(ids) > 1]
        return "\n".join([*head(self.style, self.scene.note, layout), *frames, *free, *boxes, *self.lines, "}", ""])

    def card(self, node: Value) -> str:
        label = self.called[node]
        parts = [f"<B>{html(label)}</B>"] if label else []
        parts.append(small("leaf" if node.op is None else f"= {node.op.symbol}", theme.FAINT))
        rows = [f'<TR><TD SIDES="B" BORDER="1" COLOR="{theme.RULE}">{"  ".join(parts)}</TD></TR>']
        rows.append(_row("data", number(node.data, self.style.digits), ""))
        tip = f"{called(node, label)}: data {node.data!r}"
        if node.has_grad:
            rows.append(_row("grad", number(node.grad, self.style.digits), theme.tint(node.grad, self.largest)))
            tip += f", grad {node.grad!r}"
        return f"[tooltip={tooltip(tip)} label=<{TABLE.format(2, '', ''.join(rows))}>]"

    def edge(self, node: Value, index: int, arg: Value | float) -> None:
        user = self.cards[node]
        if not isinstance(arg, Value):
            if self.style.constants:
                self.within[node].append(f"{user}_{index} {self.constant(arg)}")
                self.lines.append(f"  {user}_{index} -> {user} [tooltip=constant style=dashed]")
            return
        if arg not in self.cards:
            return
        local = node.local_grads[index] or 0.0
        name, below = called(node, self.called[node]), called(arg, self.called[arg])
        tip = f"∂({name})/∂({below}) = {local!r}"
        width = 1.0
        if node.has_grad:
            amount = flow(node, index, self.reached)
            tip += (
                f"; adds {number(node.grad, self.style.digits)} · {number(local, self.style.digits)}"
                f" = {number(amount, self.style.digits)}"
            )
            width = 1.0 + 2.5 * theme.strength(amount, self.largest)
        source = self.cards[arg]
        if (node, index) in self.far:
            source = f"{user}_{index}"
            self.within[node].append(f"{source} {self.again(arg, below)}")
        shown = edge_number(node, index, self.style.edges, self.reached)
        label = "" if shown is None else f"label={padded(number(shown, self.style.digits))} "
        tips = f"tooltip={tooltip(tip)}" + (f" labeltooltip={tooltip(tip)}" if label else "")
        self.lines.append(f"  {source} -> {user} [{label}penwidth={width:.2f} {tips}]")

    def constant(self, x: float) -> str:
        return (
            f'[fontsize=11 height=0.3 width=0.3 margin="0.08,0.03"'
            f" tooltip={tooltip(f'constant {x!r}')} label={quote(number(x, self.style.digits))}]"
        )

    def again(self, node: Value, name: str) -> str:
        tip = f"{name}: data {node.data!r}; its card is elsewhere, too far for a line"
        return (
            f'[style="rounded,dashed" height=0.3 width=0.3 margin="0.08,0.03" fontsize=11'
            f" tooltip={tooltip(tip)} label=<<B>{html(name)}</B> {small('↗', theme.FAINT)}>]"
        )

    def box(self, box: Box) -> str:
        members = count(len(box.members), "value")
        if box.left_out:
            text = small(
                f"… {len(box.members):,} more {'value' if len(box.members) == 1 else 'values'}", theme.FAINT, 11
            )
            return f'[style="rounded,dashed" height=0.3 tooltip={tooltip(f"{members} left out")} label=<{text}>]'
        leaves = sum(node.op is None for node in box.members)
        lines = [f"<B>{html(box.title)}</B>", f"{members}, {html(count(leaves, 'leaf'))}"]
        operations = Counter(node.op.name for node in box.members if node.op is not None)
        tip = f"{box.title}: {members}, {count(leaves, 'leaf')}"
        if operations:
            ranked = sorted(operations.items(), key=lambda item: (-item[1], item[0]))
            lines.append(small(" · ".join(f"{n:,} {name}" for name, n in ranked[:3]), theme.FAINT, 11))
            lines[-1] += small(" …", theme.FAINT, 11) if len(ranked) > 3 else ""
            tip += "; " + ", ".join(f"{n:,} {name}" for name, n in ranked)
        rows = [f"<TR><TD>{line}</TD></TR>" for line in lines]
        grads = [node.grad for node in box.members if node.has_grad]
        if grads:
            rms = math.hypot(*grads) / math.sqrt(len(grads))
            text = f"&#160;grad rms {html(number(rms, self.style.digits))}&#160;"
            rows.append(f"<TR><TD>{pill(f'<TR><TD>{text}</TD></TR>', theme.magnitude(rms, self.largest))}</TD></TR>")
            tip += f"; grad rms {rms!r}"
        return f"[tooltip={tooltip(tip)} label=<{TABLE.format(2, '', ''.join(rows))}>]"

    def box_edges(self) -> None:
        """One line for all edges between two boxes, or a box and a card; those between stubs are not shown."""
        left_out = {f"b{i}" for i, box in enumerate(self.scene.boxes) if box.left_out}
        number_of: Counter[tuple[str, str]] = Counter()
        strongest: dict[tuple[str, str], float] = {}
        for node in self.scene.order:
            for index, arg in enumerate(node.args):
                if isinstance(arg, Value):
                    ends = (self.ids[arg], self.ids[node])
                    if ends[0] == ends[1] or left_out.issuperset(ends) or (arg in self.cards and node in self.cards):
                        continue
                    number_of[ends] += 1
                    amount = flow(node, index, self.reached) if node.has_grad else 0.0
                    strongest[ends] = max(strongest.get(ends, 0.0), theme.strength(amount, self.largest))
        for ends, n in number_of.items():
            dashed = not left_out.isdisjoint(ends)
            look = "style=dashed" if dashed else f"penwidth={1.0 + 2.5 * strongest[ends]:.2f}"
            label = "" if n == 1 else f"label={padded(count(n, 'edge'))} "
            tip = tooltip(count(n, "edge"))
            self.lines.append(f"  {ends[0]} -> {ends[1]} [{label}{look} tooltip={tip} labeltooltip={tip}]")


def edge_number(node: Value, index: int, edges: Edges, reached: Set[Value]) -> float | None:
    """The number on the edge from argument `index` to `node`, if there is one."""
    if edges == "local":
        return node.local_grads[index] or 0.0
    return flow(node, index, reached) if edges == "flow" and node.has_grad else None


def flow(node: Value, index: int, reached: Set[Value]) -> float:
    """What an edge adds to the gradient of argument `index`; 0.0 where nothing passes to it or to `node`."""
    local = node.local_grads[index]
    return node.grad * local if local is not None and node in reached and passes(node, index, local) else 0.0


def padded(text: str) -> str:
    """Return an edge's label with a margin that keeps it off the line."""
    return f"<{TABLE.format(3, '', f'<TR><TD>{html(text)}</TD></TR>')}>"


def frame(title: str) -> str:
    """Return the attributes of a frame around nodes."""
    return (
        f'style="rounded,filled" fillcolor="{theme.FRAME}" color="{theme.FRAME_RULE}" margin=10 labeljust=l'
        f" label=<{small(title, theme.FAINT, 11)}> tooltip={tooltip(title)}"
    )


def _row(name: str, text: str, tint: str) -> str:
    caption = small(f"{name}\N{NO-BREAK SPACE}", theme.INK if tint else theme.FAINT)
    cells = f'<TR><TD ALIGN="LEFT">{caption}</TD><TD ALIGN="RIGHT">{html(text)}</TD></TR>'
    return f'<TR><TD CELLPADDING="1">{pill(cells, tint)}</TD></TR>'


def pill(cells: str, tint: str) -> str:
    """Return cells in a table of their own, since a table can have round corners and a cell cannot."""
    return TABLE.format(2, f' STYLE="ROUNDED" BGCOLOR="{tint}"' if tint else "", cells)


def far(scene: Scene) -> set[tuple[Value, int]]:
    """Return the edges between cards, as (user, argument index), that would take too long to lay out as lines.

    A value's long edges are all returned or none; values whose edges cross the most ranks come first.
    """
    shown = set(scene.cards)
    rank: dict[Value, int] = {}
    first_use: dict[Value, int] = {}
    edges: list[tuple[Value, int, Value]] = []
    for node in scene.cards:
        args = [(index, arg) for index, arg in enumerate(node.args) if isinstance(arg, Value) and arg in shown]
        rank[node] = 1 + max((rank[arg] for _, arg in args), default=0)
        for index, arg in args:
            first_use[arg] = min(first_use.get(arg, rank[node]), rank[node])
            edges.append((node, index, arg))
    crossed: Counter[Value] = Counter()
    long: dict[Value, list[tuple[Value, int]]] = {}
    for node, index, arg in edges:
        span = rank[node] - (rank[arg] if arg.op is not None else first_use[arg] - 1) - 1
        crossed[arg] += span
        if span >= _NEAR:
            long.setdefault(arg, []).append((node, index))
    total = crossed.total()
    found: set[tuple[Value, int]] = set()
    for arg, ranks in crossed.most_common():
        if total > _RANKS and arg in long:
            found.update(long[arg])
            total -= ranks
    return found
