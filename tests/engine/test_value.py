"""`Value` and `backward()`: what is pinned of numbers in, identity, order, backward, domains, threads, memory."""

import gc
import math
import random
import threading
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import DomainError, PoleError, Value, ops, topological_order
from micrograd_bp.engine.node import described
from micrograd_bp.engine.value import _lock, add_to_gradients, clear_gradients

finite = st.floats(-1e3, 1e3)


# --- numbers in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [3, 3.0, True, Fraction(3, 4), 10**20, -0.0])
def test_real_numbers_of_any_kind(number):
    assert Value(number).data == float(number)
    assert type(Value(number).data) is float
    assert (Value(2.0) * number).data == 2.0 * float(number)
    assert (number - Value(2.0)).data == float(number) - 2.0


@pytest.mark.parametrize("thing", ["3", b"3", None, 3j, Decimal(3), [3], (3,), {3}, {}])
def test_other_things_are_refused(thing):
    for use in (
        lambda: Value(thing),
        lambda: Value(1.0) + thing,
        lambda: thing / Value(1.0),
        lambda: Value(2.0) ** thing,
        lambda: mb.maximum(Value(1.0), thing),
        lambda: Value(1.0).backward(thing),
    ):
        with pytest.raises(TypeError, match=f"{type(thing).__name__}"):
            use()


def test_a_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match=r"use the node itself, or its \.data"):
        Value(Value(1.0))


def test_too_large_ints():
    with pytest.raises(OverflowError, match="too large for a float"):
        Value(10**400)
    with pytest.raises(OverflowError, match="too large for a float"):
        Value(1.0) + 10**400


def test_data_and_grad_may_be_set_and_are_checked():
    x = Value(1.0)
    x.data, x.grad = 2, Fraction(1, 2)
    assert (x.data, x.grad) == (2.0, 0.5)
    for attribute in ("data", "grad"):
        with pytest.raises(TypeError, match="real number"):
            setattr(x, attribute, "1")
    with pytest.raises(TypeError, match="a name is a str or None, not int"):
        Value(1.0, name=3)
    assert (x.data, x.grad) == (2.0, 0.5)


@pytest.mark.parametrize("attribute", ["op", "args", "local_grads", "nonsense"])
def test_records_are_read_only(attribute):
    with pytest.raises(AttributeError):
        setattr(Value(1.0), attribute, 1)


def test_unknown_attributes_say_so():
    with pytest.raises(AttributeError, match="'Value' object has no attribute 'tahn'"):
        Value(1.0).tahn()


# --- operators --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "op", "args"),
    [
        (lambda x: x + 2, ops.add, "x2"),
        (lambda x: 2 + x, ops.add, "2x"),
        (lambda x: x - 2, ops.sub, "x2"),
        (lambda x: 2 - x, ops.sub, "2x"),
        (lambda x: x * 2, ops.mul, "x2"),
        (lambda x: 2 * x, ops.mul, "2x"),
        (lambda x: x / 2, ops.div, "x2"),
        (lambda x: 2 / x, ops.div, "2x"),
        (lambda x: x**2, ops.pow, "x2"),
        (lambda x: 2**x, ops.pow, "2x"),
        (lambda x: x**x, ops.pow, "xx"),
        (lambda x: -x, ops.neg, "x"),
        (abs, ops.abs, "x"),
        (lambda x: x.clip(0, 2), ops.clip, "x02"),
    ],
)
def test_records(expression, op, args):
    """Every argument in order, constants as floats; a local derivative for nodes, None for constants."""
    x = Value(3.0)
    node = expression(x)
    expected = [x if letter == "x" else float(letter) for letter in args]
    assert node.op is op
    assert len(node.args) == len(node.local_grads) == len(expected)
    for arg, want, local in zip(node.args, expected, node.local_grads, strict=True):
        assert arg is want or arg == want
        assert (local is None) == isinstance(arg, float)


def test_a_leaf_has_no_record():
    x = Value(3.0)
    assert (x.op, x.args, x.local_grads, +x is x) == (None, (), (), True)


def test_sum_makes_no_node_for_its_start():
    x, y = Value(1.0), Value(2.0)
    assert sum([x]) is x
    assert [type(a) for a in sum([x, y]).args] == [Value, Value]
    assert [(zero + x).op for zero in (0.0, False, -0.0)] == [ops.add] * 3  # only the int 0 is the start of a sum


def test_in_place_operators_make_new_nodes():
    a = b = Value(1.0)
    a += 1
    assert (a.data, b.data, a is b) == (2.0, 1.0, False)


def test_comparisons_are_of_data():
    x, y = Value(1.0), Value(2.0)
    assert x < y <= 2 < 3
    assert y > x >= 1 > 0
    assert not x < math.nan
    assert not x < 1
    assert not x > 1
    assert Value(2.0**53) < 2**53 + 1
    assert Value(0.1) > Fraction(1, 10)
    assert x < 10**400
    assert bool(Value(-1.0))
    assert not x > math.nan
    assert bool(y)
    assert not Value(0.0)
    with pytest.raises(TypeError, match="not supported"):
        x < "1"  # noqa: B015  # the comparison is what is tested


def test_equality_is_identity():
    x, y = Value(1.0), Value(1.0)
    assert x == x
    assert x != y
    assert len({x, y, x}) == 2
    assert y in [x, y]
    assert x not in [y, 5 * y]
    assert (x == None, x == "1", x != None) == (False, False, True)  # noqa: E711
    for number in (1, 1.0, True, Fraction(1, 2), Decimal(1), 1 + 0j, 10**5000, np.float32(1), np.complex128(1)):
        with pytest.raises(TypeError, match=r"compare v\.data == "):
            x == number  # noqa: B015


def test_no_silent_float():
    for convert in (float, int, math.exp, math.floor):
        with pytest.raises(TypeError, match=r"take \.data"):
            convert(Value(1.0))


def test_repr_and_format():
    w, x = Value(2.0, name="w"), Value(-1.5)
    y = w * x
    assert repr(w) == "Value(2.0, name='w')"
    assert repr(y) == str(y) == f"{y}" == "Value(-3.0, op=mul)"
    assert f"{y:.3f}" == "-3.000"
    y.backward()
    assert repr(w) == "Value(2.0, grad=-1.5, name='w')"
    assert repr(y) == "Value(-3.0, grad=1.0, op=mul)"
    y.zero_grad()
    assert repr(w) == "Value(2.0, name='w')"


# --- backward ---------------------------------------------------------------------------------------------------------


def test_leaves_accumulate_and_intermediate_adjoints_are_fresh():
    a = Value(3.0)
    c = a * a
    c.backward()
    a.grad = 0.0
    d = c * a
    d.backward()
    assert (a.grad, c.grad) == (27.0, 3.0)  # micrograd says 33


@given(finite, finite, finite)
def test_twice_is_exactly_double(x, y, z):
    a, b, c = Value(x), Value(y), Value(z)
    root = (a * b + b * c + a).tanh() * a + b * a - c * 0.1
    root.backward()
    once = [leaf.grad for leaf in (a, b, c)]
    root.backward()
    assert [leaf.grad for leaf in (a, b, c)] == [2 * g for g in once]


def test_backward_on_a_leaf_adds_the_seed():
    a = Value(3.0)
    a.backward()
    a.backward(seed=0.5)
    assert a.grad == 1.5


def test_a_node_used_twice_gets_both():
    for expression, grad in ((lambda x: x * x, 6.0), (lambda x: x - x, 0.0), (lambda x: mb.maximum(x, x), 1.0)):
        x = Value(3.0)
        expression(x).backward()
        assert x.grad == grad


def test_two_roots_in_any_order():
    grads = []
    for swap in (False, True):
        a = Value(2.0)
        shared = a * a
        roots = [shared * 3, shared + a]
        for root in reversed(roots) if swap else roots:
            root.backward()
        grads.append(a.grad)
    assert grads == [17.0, 17.0]


def test_setting_data_later_leaves_the_record():
    a, b = Value(2.0), Value(5.0)
    c = a * b
    a.data = 100.0
    c.backward()
    assert (c.data, b.grad) == (10.0, 2.0)


def test_seed_may_be_anything():
    for seed in (-2.5, math.inf, 0.0):
        a = Value(3.0)
        (a * 2).backward(seed)
        assert a.grad == 2 * seed


def test_zero_grad_clears_the_whole_graph():
    a = Value(2.0)
    b = a * a
    c = b * a
    c.backward()
    c.zero_grad()
    assert [node.grad for node in (a, b, c)] == [0.0, 0.0, 0.0]
    assert not any(node.has_grad for node in (a, b, c))


def test_detach_cuts():
    a = Value(2.0, name="a")
    b = a.detach()
    (a * b).backward()
    assert (a.grad, b.grad, b.name, b.op) == (2.0, 2.0, "a", None)


def test_before_backward_a_gradient_is_absent_and_reads_zero():
    a = Value(2.0)
    assert (a.grad, a.has_grad) == (0.0, False)
    a.grad = 0.0
    assert a.has_grad


def test_topological_order_is_depth_first_left_to_right():
    a, b, c = (Value(1.0, name=name) for name in "abc")
    left, right = b * a, a + c
    root = left.clip(0, right)
    assert topological_order(root) == [b, a, left, c, right, root]
    assert topological_order(a) == [a]
    with pytest.raises(TypeError, match="takes a Value, not float"):
        topological_order(1.0)


def test_topological_order_against_a_recursive_one():
    def recursive(node, seen, order):
        if node not in seen:
            seen.add(node)
            for arg in node.args:
                if isinstance(arg, Value):
                    recursive(arg, seen, order)
            order.append(node)
        return order

    draw = random.Random(5)
    for _ in range(200):
        nodes = [Value(draw.random()) for _ in range(4)]
        for _ in range(30):
            op, arity = draw.choice([(ops.add, 2), (ops.tanh, 1), (ops.where, 3), (ops.maximum, 2)])
            nodes.append(op(*(draw.choice([*nodes, nodes[-1]]) for _ in range(arity))))
        assert topological_order(nodes[-1]) == recursive(nodes[-1], set(), [])


def test_gradients_are_bit_identical_over_rebuilds():
    """The order of the sums does not depend on where objects happen to lie in memory."""

    def gradients():
        draw = random.Random(7)
        leaves = [Value(draw.gauss(0, 1)) for _ in range(12)]
        nodes = list(leaves)
        for _ in range(400):
            a, b = draw.choice(nodes), draw.choice(nodes)
            nodes.append(draw.choice([a * b, a + b, (a - b).tanh(), a.sigmoid() * 1.1]).tanh())
        sum(nodes).backward()
        return [leaf.grad for leaf in leaves]

    first, clutter = gradients(), []
    for i in range(60):
        clutter.append([object() for _ in range(37 * i % 101)])
        assert gradients() == first


def test_a_million_nodes_in_a_chain():
    x = Value(1.0)
    v = x
    for _ in range(500_000):
        v = v * 1.0 + x
    v.backward()
    assert x.grad == 500_001.0
    del v  # freed without a recursion


def test_graphs_are_freed_by_reference_counts_alone():
    number = 0.7390851332151607  # of no other test's
    gc.collect()
    gc.disable()
    try:
        x = Value(number)
        y = (x * x + x).tanh().clip(0, x)
        y.backward()
        topological_order(y)
        del x, y
        assert not [thing for thing in gc.get_objects() if type(thing) is Value and thing.data == number]
    finally:
        gc.enable()


# --- domains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        (lambda: Value(0.0).log(), DomainError),
        (lambda: Value(-1.0).log(), DomainError),
        (lambda: Value(-1.0).sqrt(), DomainError),
        (lambda: 1 / Value(0.0), PoleError),
        (lambda: Value(1.0) / 0, PoleError),
        (lambda: Value(0.0).reciprocal(), PoleError),
        (lambda: Value(0.0) ** -1, PoleError),
        (lambda: 0 ** Value(-1.0), PoleError),
        (lambda: Value(-8.0) ** (1 / 3), DomainError),
        (lambda: Value(0.5).acosh(), DomainError),
        (lambda: Value(1.0).atanh(), DomainError),
        (lambda: Value(1.1).asin(), DomainError),
    ],
)
def test_outside_the_domain(expression, error):
    with pytest.raises(error, match="is outside") as caught:
        expression()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ZeroDivisionError) == (error is PoleError)
    assert type(caught.value) is error
    assert caught.value.op
    assert caught.value.args_given
    assert caught.value.domain


def test_nan_and_infinity_are_data():
    for value in (Value(math.nan), Value(math.inf)):
        assert not math.isfinite((value * 2 + 1).data)
    assert math.isnan(Value(math.nan).log().data)
    assert Value(math.inf).log().data == math.inf
    assert Value(1000.0).exp().data == math.inf
    assert (1 / Value(math.inf)).data == 0.0


def test_an_exact_zero_times_an_infinite_slope_is_zero():
    x = Value(0.0)
    (x.sqrt() * 0).backward()
    assert x.grad == 0.0
    x, y = Value(-2.0), Value(3.0)
    (x**y).backward()
    assert x.grad == 12.0
    assert math.isnan(y.grad)


def test_where_hides_the_branch_not_taken():
    x = Value(0.0)
    mb.where(0.0, x.sqrt(), x * 3).backward()
    assert x.grad == 3.0


@pytest.mark.parametrize(
    ("expression", "grads"),
    [
        (lambda x, z: mb.where(0.0, x, z), (0.0, math.inf)),
        (lambda x, z: mb.where(1.0, z, x), (0.0, math.inf)),
        (lambda x, z: (-x).relu() + 0 * z, (0.0, 0.0)),
        (lambda x, z: mb.minimum(x, z), (0.0, math.inf)),
        (lambda x, z: mb.maximum(-x, z), (0.0, math.inf)),
        (lambda x, z: (-x).clip(0, 1) + 0 * z, (0.0, 0.0)),
    ],
)
def test_an_infinite_adjoint_does_not_reach_what_was_not_taken(expression, grads):
    """sqrt'(0) = inf arrives at a choice: the branch that was not taken gets 0, not 0 * inf = nan."""
    x, z = Value(5.0), Value(0.0)
    root = expression(x, z).sqrt()
    root.backward()
    ours = (x.grad, z.grad)
    assert ours[0] == grads[0]
    assert grads[1] == 0.0 or ours[1] == grads[1]
    assert mb.adjoints(root, [x])[0] == mb.grad(lambda a: expression(a, Value(0.0)).sqrt())(5.0) == 0.0


# --- threads and interruption -----------------------------------------------------------------------------------------


def test_threads_lose_no_update():
    shared = Value(2.0)
    middle = shared * 3
    roots = [middle * i + shared for i in range(1, 9)]

    def work(root):
        for _ in range(200):
            root.backward()

    threads = [threading.Thread(target=work, args=(root,)) for root in roots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.grad == 200 * sum(3 * i + 1 for i in range(1, 9))


@pytest.mark.parametrize(
    "work",
    [
        lambda root, x: root.backward(),
        lambda root, x: root.backward(create_graph=True),
        lambda root, x: root.zero_grad(),
        lambda root, x: topological_order(root),
        lambda root, x: clear_gradients([x]),
        lambda root, x: add_to_gradients([x], [1.0]),
    ],
    ids=["backward", "create_graph", "zero_grad", "topological_order", "clear_gradients", "add_to_gradients"],
)
def test_what_marks_or_changes_the_nodes_waits_for_the_lock(work):
    x = Value(3.0)
    root = x * x
    root.backward()
    thread = threading.Thread(target=work, args=(root, x))
    with _lock:  # as a pass in another thread has it
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        assert (x.grad, x.has_grad, root.grad) == (6.0, True, 1.0)
    thread.join()


@pytest.mark.skipif(mb.compiled, reason="of the interpreted build: MICROGRAD_BP_BUILD=pure pip install .")
def test_an_interrupted_backward_puts_the_leaves_back():
    a, b = Value(2.0), Value(5.0)
    root = a * b + a
    root.backward()
    before = (a.grad, b.grad)
    product = root.args[0]

    class Trap:  # an adjoint of the pass that raises when it is multiplied
        def __mul__(self, other):
            raise KeyboardInterrupt

        def __rmul__(self, other):
            raise KeyboardInterrupt

    product._dy = Trap()
    with pytest.raises(KeyboardInterrupt):
        root.backward()
    assert (a.grad, b.grad) == before


def test_how_messages_name_a_node():
    w, unnamed = Value(2.0, "w"), Value(3.0)
    product = w * unnamed
    assert [described(w), described(unnamed), described(product)] == ["w", "a leaf", "mul(w, leaf)"]
    assert described(product + 0.25) == "add(mul, 0.25)"
    assert described(mb.where(w, product, 1e-9)) == "where(w, mul, 1e-09)"
    product.name = "p"
    assert [described(product), described(product.exp())] == ["p", "exp(p)"]
