"""The compiled and the interpreted build are one program: what it prints and refuses is recorded here as text, and the
two operators that are written by hand are their rows."""

import gc
import itertools
import math
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from shared_state import op_with, table_restored

import micrograd_bp as mb
from micrograd_bp import OPS, Value
from micrograd_bp.autodiff.dual import Dual
from micrograd_bp.autodiff.forward import derivative
from micrograd_bp.autodiff.levels import Level
from micrograd_bp.engine.value import record

X = Value(2.0, "x")
Y = Value(-3.0)


class Thing:
    pass


SAID = [
    (lambda: X, "Value(2.0, name='x')"),
    (lambda: X * Y, "Value(-6.0, op=mul)"),
    (lambda: (X * Y).args, "(Value(2.0, name='x'), Value(-3.0))"),
    (lambda: (X * 3).args, "(Value(2.0, name='x'), 3.0)"),
    (lambda: mb.clip(X, 0, Y).local_grads, "(0.0, None, 1.0)"),
    (lambda: mb.where(1, X, Y).args, "(1.0, Value(2.0, name='x'), Value(-3.0))"),
    (lambda: (Dual(1.5, 1.0, Level()) * 2).tangent, "2.0"),
    (lambda: OPS["atan2"], "atan2"),
    (lambda: OPS["pow"].domain[0], "((0, inf), (-inf, inf))"),
    (lambda: OPS["atan2"].bound, "4 ulp: subnormal arguments have few digits"),
    (lambda: X.leaky_relu(slope=1).data, "2.0"),
    (lambda: mb.exp(2) == math.exp(2), "True"),
    (lambda: Value(True).data, "1.0"),
    (lambda: Value(Fraction(1, 4)).data, "0.25"),
    (lambda: Value("3"), "TypeError: a real number is needed, not str '3': convert it with float(...) first"),
    (lambda: Value(None), "TypeError: a real number is needed, not NoneType None: is a return statement missing?"),
    (lambda: Value(10**400), f"OverflowError: int 1{'0' * 36}... is too large for a float (at most 1.8e308)"),
    (lambda: Value(1.0, name=3), "TypeError: a name is a str or None, not int"),
    (lambda: setattr(X, "grad", "1"), "TypeError: a real number is needed, not str '1': convert it"),
    (lambda: setattr(X, "op", None), "AttributeError: "),
    (lambda: setattr(X, "colour", 1), "AttributeError: 'Value' object has no attribute 'colour'"),
    (lambda: X.tahn(), "AttributeError: 'Value' object has no attribute 'tahn'"),
    (lambda: X + "1", "TypeError: a real number is needed, not str '1': convert it"),
    (lambda: [1] * X, "TypeError: a real number is needed, not list [1]: "),
    (lambda: X + Thing(), "TypeError: unsupported operand type(s) for +: 'Value' and 'Thing'"),
    (lambda: Thing() * X, "TypeError: unsupported operand type(s) for *: 'Thing' and 'Value'"),
    (lambda: X - Thing(), "TypeError: unsupported operand type(s) for -: 'Value' and 'Thing'"),
    (lambda: Thing() > X, "TypeError: '>' not supported between instances of 'Thing' and 'Value'"),
    (lambda: X == 2.0, "TypeError: Value == 2.0: compare v.data == 2.0, or nodes by `is`"),
    (lambda: X == "x", "False"),
    (lambda: X / 0, "PoleError: div: y = 0.0 is outside (-inf, 0) or (0, inf)"),
    (lambda: Y.log(), "DomainError: log: x = -3.0 is outside (0, inf)"),
    (lambda: Y**0.5, "DomainError: pow: (x, y) = (-3.0, 0.5) is outside its domain: "),
    (lambda: mb.exp(), "TypeError: exp(x) takes 1 argument, 0 given"),
    (lambda: X.exp(1), "TypeError: exp() takes 1 positional argument but 2 were given"),
    (lambda: mb.elu(X, beta=1), "TypeError: elu(x, alpha) takes 1 to 2 arguments, 2 given, 'beta' not expected"),
    (lambda: mb.exp("1"), "TypeError: a real number is needed, not str '1': convert it"),
    (lambda: (X * Y).backward("1"), "TypeError: a real number is needed, not str '1': convert it"),
    (lambda: mb.topological_order(2.0), "TypeError: topological_order takes a Value, not float"),
    (lambda: float(X), "TypeError: a Value is not converted to a float"),
    (lambda: int(X), "TypeError: a Value is not converted to a float"),
    (lambda: f"{X:.2f}", "'2.00'"),
    (lambda: derivative(mb.tanh, 3)(0.25), "-1.5417081006333537"),
]  # fmt: skip


def said(act):
    """What `act` gives or raises, as text."""
    try:
        return repr(act())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("act", "text"), SAID, ids=[text for _, text in SAID])
def test_what_is_printed_and_refused_is_what_is_recorded(act, text):
    assert said(act).startswith(text)


def test_the_comparison_can_fail():
    assert said(lambda: X * 3) != SAID[1][1]


NUMBERS = (0.0, -0.0, 1.0, -1.5, 2.0**-1074, 1e-308, 1e308, -113.0, math.pi, math.inf, -math.inf, math.nan)


def same(given, wanted):
    """Whether floats (or None) are the same bits, nans apart."""
    return all(
        a is b is None or struct.pack("d", a) == struct.pack("d", b) or a != a != b
        for a, b in zip(given, wanted, strict=True)
    )


@pytest.mark.parametrize(("row", "by_hand"), [("add", lambda x, y: x + y), ("mul", lambda x, y: x * y)])
def test_the_operators_that_are_written_by_hand_are_their_rows(row, by_hand):
    for a in NUMBERS:
        for b in NUMBERS:
            for x, y in ((Value(a), Value(b)), (twice := Value(a), twice), (Value(a), b)):
                node, expected = by_hand(x, y), record(OPS[row], (x, y))
                assert type(node) is type(expected) is Value
                assert (node.op, node.name, node.has_grad) == (OPS[row], None, False)
                assert all(given is taken for given, taken in zip(node.args, (x, y), strict=True))
                assert same((node.data, *node.local_grads), (expected.data, *expected.local_grads))


@pytest.fixture(scope="module")
def slopes():
    """What the build writes, as Python, and what it has compiled; the rows keep theirs."""
    kept = {name: op.slopes for name, op in OPS.items()}
    text = Path(__file__).parents[1].joinpath("hatch_build.py").read_text(encoding="utf-8")
    hook = {"__name__": "hatch_build"}
    exec(text.partition("\nif __name__")[0], hook)  # what follows needs hatchling
    with table_restored():
        exec(hook["rules_at_floats"](), {})
        found = {name: op.slopes for name, op in OPS.items()}
    compiled = {name: own for name, own in kept.items() if own is not OPS[name].partials}
    assert compiled.keys() == (OPS.keys() if mb.compiled else set())
    return found | {f"{name}, compiled": own for name, own in compiled.items()}


def test_the_rules_as_the_build_writes_them_are_the_rules(slopes):
    for name, written in slopes.items():
        op = OPS[name.split(",")[0]]
        assert written is not op.partials
        for args in itertools.product(NUMBERS, repeat=op.arity):
            out = op.fn(*args)
            assert same([f(*args, out) for f in written], [rule(*args, out) for rule in op.partials]), (name, args)


def test_another_rule_is_used_at_floats_too():
    with op_with(OPS["tanh"], partials=(lambda x, out: 42.0,)):
        assert X.tanh().local_grads == (42.0,)
    assert X.tanh().local_grads[0] == pytest.approx(1 - math.tanh(2.0) ** 2)


def test_what_is_undefined_to_the_compiler_is_a_number():
    """-113.0 is what mypyc marks attributes by that have no value yet."""
    x = Value(-113.0)
    (x * 1.0 + Value(-113.0)).backward(-113.0)
    assert (x.data, x.grad) == (-113.0, -113.0)


def test_which_build_this_is():
    assert mb.compiled is (not mb.engine.value.__file__.endswith(".py"))


@pytest.mark.skipif(not mb.compiled, reason="of the compiled build: pip install . where there is a C compiler")
def test_compiled_nodes_are_small_and_of_no_concern_to_the_collector():
    node = X * Y
    assert sys.getsizeof(node) <= 112
    assert not gc.is_tracked(node)


DEEP = """
import micrograd_bp as mb
from micrograd_bp.autodiff.variables import Variable
y = mb.Value(1.0)
kinds = (300_000, lambda v: v + y), (100_000, lambda v: mb.where(1.0, v, y)), (100_000, lambda v: v * v.data)
for depth, step in kinds:
    v = x = mb.Value(1.0)
    for _ in range(depth):
        v = step(v)
    v.backward()
    assert x.grad == 1.0
    nest = [v]
    del v, x
    for _ in range(100_000):
        nest = [nest]
    del nest
v = Variable(1.0)
for _ in range(100_000):
    v = [v + y][0]
del v
print("freed")
"""


def test_deep_graphs_are_freed():
    out = subprocess.run([sys.executable, "-X", "faulthandler", "-c", DEEP], capture_output=True, text=True)
    assert out.stdout == "freed\n", out.stderr


def test_memory_does_not_grow():
    def steps(count):
        for _ in range(count):
            w, b = Value(0.5), Value(0.1)
            ((w * 2.0 + b).tanh() - 1.0).square().backward()
        return sys.getallocatedblocks()

    before = steps(100)
    assert steps(10_000) - before < 1_000  # one node left behind a step would be 10,000
