"""Mistaken backward passes: on all small graphs they fail where theory says, and the graphs shown are the smallest."""

import itertools
import xml.etree.ElementTree as ElementTree

import pytest
import sympy

from demos.engine import topological_order as demo
from demos.shared import backward_passes as passes
from micrograd_bp import Value, topological_order

MISTAKES = {mistake.file: mistake for mistake in passes.MISTAKES}
SIZES = {"depth_first": 4, "breadth_first": 4, "replaced": 2, "no_zero_grad": 2, "inner_kept": 3}
CHAIN_AND_SHORTCUT = ((), (0,), (1,), (1, 2))  # u = x², v = u², y = u·v


def all_shapes(size):
    """As `shapes`, put differently: every node but the last is an argument of a later one."""
    pairs = [[(), *((j,) for j in range(i)), *((j, k) for j in range(i) for k in range(i))] for i in range(size)]
    return {s for s in itertools.product(*pairs) if set(itertools.chain(*s)) == set(range(size - 1))}


def users(order):
    """Of each node, those that use it, as often as they do."""
    return {node: [user for user in order for arg in user.args if arg is node] for node in order}


def must_fail(name, root):
    """Where a mistake shows, from the form of the graph alone: all numbers are positive, so that nothing cancels."""
    nodes = topological_order(root)
    inner = [node for node in nodes if node.op is not None and node is not root]
    if name in ("depth_first", "breadth_first"):
        order = {"depth_first": passes.depth_first, "breadth_first": passes.breadth_first}[name](root)
        place = {node: i for i, node in enumerate(order)}
        return any(place[user] > place[node] for node in inner for user in users(nodes)[node])
    if name == "replaced":
        return any(len(of) > 1 for of in users(nodes).values())
    return bool(inner) if name == "inner_kept" else root.op is not None


@pytest.mark.parametrize("size", range(1, 6))
def test_each_mistake_shows_exactly_where_it_must(size):
    shapes = list(passes.shapes(size))
    assert len(shapes) == len(set(shapes)) == (1, 2, 10, 80, 952)[size - 1]
    assert set(shapes) == all_shapes(size)
    for shape in shapes:
        root = passes.graph(shape)
        for name, mistake in MISTAKES.items():
            assert passes.fails(mistake, root) == must_fail(name, root), (name, shape)


@pytest.mark.parametrize("name", MISTAKES)
def test_no_smaller_graph_fails(name):
    mistake = MISTAKES[name]
    found = passes.smallest(mistake)
    assert len(found) == SIZES[name]
    assert passes.fails(mistake, passes.graph(found))
    smaller = [shape for size in range(1, len(found)) for shape in all_shapes(size)]
    assert not any(passes.fails(mistake, passes.graph(shape)) for shape in smaller)


@pytest.mark.parametrize(
    ("name", "shape", "wrong", "truth"),
    [
        ("depth_first", CHAIN_AND_SHORTCUT, 64.0, 192.0),
        ("breadth_first", CHAIN_AND_SHORTCUT, 64.0, 192.0),
        ("replaced", ((), (0, 0)), 2.0, 4.0),
        ("no_zero_grad", ((), (0,)), 8.0, 4.0),
        ("inner_kept", ((), (0,), (1,)), 64.0, 32.0),
    ],
)
def test_what_is_shown(name, shape, wrong, truth):
    assert passes.smallest(MISTAKES[name]) == shape
    root = passes.graph(shape)
    x = topological_order(root)[0]
    assert MISTAKES[name].run(root).adjoints[x] == wrong
    assert passes.right(root).adjoints[x] == truth
    backward, forward, quotient = demo.derivatives(shape).values()
    assert backward == forward == truth
    assert quotient == pytest.approx(truth, rel=1e-8)


@pytest.mark.parametrize("size", range(1, 5))
def test_the_right_pass_is_the_derivative(size):
    """Exactly: the numbers are whole, and SymPy differentiates the same graph."""
    for shape in passes.shapes(size):
        root = passes.graph(shape)
        found = passes.right(root).adjoints
        leaves = [node for node in topological_order(root) if node.op is None]
        symbols = {leaf.name: sympy.Symbol(leaf.name) for leaf in leaves}
        expressions = {}
        for node in topological_order(root):
            args = [expressions[arg] for arg in node.args]
            expressions[node] = args[0] * args[-1] if args else symbols[node.name]
        at = {symbols[leaf.name]: int(leaf.data) for leaf in leaves}
        root.backward()
        for leaf in leaves:
            exact = int(expressions[root].diff(symbols[leaf.name]).subs(at))
            assert found[leaf] == leaf.grad == exact


def test_the_order_of_arguments_can_hide_a_wrong_order():
    root = passes.graph(((), (0,), (1,), (2, 1)))  # y = v·u: v comes first
    assert not passes.fails(MISTAKES["depth_first"], root)
    assert not passes.fails(MISTAKES["breadth_first"], root)
    only_breadth = [
        shape
        for shape in passes.shapes(5)
        if passes.fails(MISTAKES["breadth_first"], passes.graph(shape))
        and not passes.fails(MISTAKES["depth_first"], passes.graph(shape))
    ]
    assert ((), (0,), (1,), (2,), (3, 1)) in only_breadth


def test_the_orders_hold_every_node_once():
    for shape in passes.shapes(5):
        root = passes.graph(shape)
        nodes = topological_order(root)
        for order in (passes.right_order(root), passes.depth_first(root), passes.breadth_first(root)):
            assert order[0] is root
            assert len(order) == len(nodes)
            assert set(order) == set(nodes)


def test_the_steps_of_depth_first():
    found = passes.backward(passes.depth_first(passes.graph(CHAIN_AND_SHORTCUT)))
    steps = [(s.node.name, s.adjoint, s.argument and s.argument.name, *s[3:]) for s in found.steps]
    assert steps == [
        ("y", 1.0, "u", 16.0, 16.0, 0.0, 16.0),
        ("y", 1.0, "v", 4.0, 4.0, 0.0, 4.0),
        ("u", 16.0, "x", 4.0, 64.0, 0.0, 64.0),
        ("x", 64.0, None, 0.0, 0.0, 0.0, 0.0),
        ("v", 4.0, "u", 8.0, 32.0, 16.0, 48.0),
    ]


def test_what_micrograd_bp_does_in_a_second_pass():
    x = Value(2.0, "x")
    u = x * x
    y = u * u
    y.backward()
    y.backward()
    assert (x.grad, u.grad) == (64.0, 8.0)  # leaves add up, nodes between do not
    x.zero_grad()
    y.backward()
    assert x.grad == 32.0


@pytest.mark.parametrize(
    ("network", "wrong"),
    [
        ("XOR 2-2-1, one sample", (0, 0, 0, 7, 7)),
        ("XOR 2-2-1, four samples", (0, 0, 9, 9, 9)),
        ("2-2-2, one sample", (6, 0, 6, 12, 12)),
        ("2-2-2-1, one sample", (6, 0, 6, 15, 15)),
        ("a shortcut, h + σ(w h + b)", (2, 2, 2, 4, 4)),
    ],
)
def test_networks(network, wrong):
    root = passes.NETWORKS[network]()
    assert tuple(passes.wrong_gradients(mistake, root)[0] for mistake in passes.MISTAKES) == wrong
    found = passes.right(root).adjoints
    root.backward()
    for node in topological_order(root):
        assert found[node] == pytest.approx(node.grad, rel=1e-15, abs=0)


def test_it_runs(capsys, tmp_path):
    demo.main(["--quick", "--out", str(tmp_path / "new")])
    printed = capsys.readouterr().out
    assert "u       16, not 48   x      16 · 4 = 64          0 → 64" in printed
    assert "y            1   u      1 · 16 = 16          0 → 16  |  y" in printed
    assert printed.count("nodes on") == len(MISTAKES)
    for name in MISTAKES:
        for ending in ("", "_right"):
            drawn = (tmp_path / "new" / f"{name}{ending}.svg").read_text()
            assert ElementTree.fromstring(drawn).tag.endswith("svg")
            assert ("correct is" in drawn) == (not ending)
