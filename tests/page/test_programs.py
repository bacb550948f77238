"""Random programs at special numbers, computed by the page: its two passes are the engine's, to the bit."""

import json

from pages import need_browser
from programs import COUNT, EXACT, assert_same, usable

from micrograd_bp import OPS
from micrograd_bp.engine.value import topological_order
from micrograd_bp.page import document
from micrograd_bp.page.javascript import script
from micrograd_bp.symbolic.graph_formulas import Symbols

need_browser()


def graph_of(root, leaves):
    """What the page is given of a graph, and where its leaves are (-1: not in it)."""
    order = topological_order(root)
    symbols = Symbols(order)
    about = [document._node(node, symbols, 4) for node in order]
    nodes = [{key: node[key] for key in ("op", "args", "data", "locals", "structural")} for node in about]
    return {"nodes": nodes, "leaves": [order.index(leaf) if leaf in order else -1 for leaf in leaves]}


def test_programs_are_computed_as_the_engine_does(blank):
    programs = list(usable(range(COUNT)))
    rows = "\n".join(["const F = {};", "const D = {};", document._file("special.js"), script([OPS[n] for n in EXACT])])
    after = "; let step = 0, last = 0; forward(); return [data, backward(contributions.length).adjoints];"
    code = f"""(graphs) => {{
      {rows}
      return graphs.map((graph) => {{
        const window = {{}}, document = {{ getElementById: () => ({{ textContent: JSON.stringify(graph) }}) }};
        const run = new Function("window", "document", "F", "D", {json.dumps(document._file("engine.js") + after)});
        const [data, adjoints] = run(window, document, F, D);
        return [data.at(-1), ...graph.leaves.map((i) => (i < 0 ? 0 : adjoints[i]))].map(String);
      }});
    }}"""
    results = blank.evaluate(code, [graph_of(root, leaves) for _, (_, _, root, leaves) in programs])
    named = {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}
    found = {
        program: [float(named.get(x, x)) for x in row] for (program, _), row in zip(programs, results, strict=True)
    }
    assert_same(programs, lambda program: (found[program][0], found[program][1:]))
