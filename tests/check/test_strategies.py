"""What is drawn lies inside domains, prints as code that makes it again, and shrinks to something short."""

import math

import pytest
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, Interval, Value, nn
from micrograd_bp.check.strategies import Expression, expressions, gradient_property, mlps, points_in, values


@given(expressions(max_nodes=10, n_leaves=3))
@example(Expression([("mul", "x", "x"), ("neg", 0)], {"x": 1.0}))
def test_the_code_of_an_expression_is_the_expression(e):
    again = eval(e.code, {"mb": mb})
    nodes, others = [Value(x) for x in e.point], [Value(x) for x in e.point]
    ours, theirs = e(*nodes), again(*others)
    assert [n.op for n in mb.topological_order(ours)] == [n.op for n in mb.topological_order(theirs)]
    assert repr(ours.data) == repr(theirs.data)
    assert 1 <= len(e.point) <= 3
    assert math.isfinite(ours.data)
    assert abs(ours.data) <= 1e6


KINDS = {
    "a chain": lambda e: len(e.lines) == 3 and all(k - 1 in line for k, line in enumerate(e.lines) if k),
    "a node that is used twice": lambda e: [arg for line in e.lines for arg in line].count(0) == 2,
    "two variables": lambda e: len(e.point) == 2,
    "a constant": lambda e: any(type(arg) is float for line in e.lines for arg in line),
    "a variable that is used twice": lambda e: [arg for line in e.lines for arg in line].count("x") == 2,
}


def test_expressions_are_of_every_kind():
    seen = set()

    @settings(max_examples=150, database=None, derandomize=True, deadline=None, phases=[Phase.generate])
    @given(expressions())
    def draw(e):
        seen.update(kind for kind, holds in KINDS.items() if holds(e))

    draw()
    assert seen == set(KINDS)


@given(expressions(away_from_kinks=True))
def test_kinks_can_be_kept_away_from(e):
    for node in mb.topological_order(e(*map(Value, e.point))):
        if node.op is not None:
            args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
            assert all(abs(kink(*args)) >= 1e-2 for kink in node.op.kinks)


@pytest.mark.slow
@pytest.mark.parametrize("op", mb.OPS.values(), ids=mb.OPS)
@settings(max_examples=20)
@given(data=st.data())
def test_points_lie_in_the_domain(op, data):
    assert op.allows(data.draw(points_in(op)))


@pytest.mark.slow
def test_points_of_intervals_and_boxes():
    assert 0.25 <= find(points_in(Interval(0.25, 0.5)), lambda p: True)[0] <= 0.5
    assert find(points_in(((Interval(2.0, 3.0), Interval(-1.0, 0.0)),)), lambda p: True) == (2.0, 0.0)
    with pytest.raises(ValueError, match="no number from 2"):
        points_in(Interval(2.0, 1.0))
    with pytest.raises(ValueError, match="only an operation has kinks"):
        points_in(Interval(0.0, 1.0), away_from_kinks=True)


def test_a_wrong_rule_shrinks_to_one_operation_at_a_simple_point(change_op):
    change_op(mb.OPS["tanh"], partials=(lambda x, out: 1.0 - out,))

    def caught(e):
        try:
            mb.check_gradient(e, *e.point)
        except GradientMismatch:
            return True
        return False

    found = find(expressions(), caught, settings=settings(max_examples=3000, database=None, deadline=None))
    assert repr(found) in ("lambda x: mb.tanh(x)  # at 1.0", "lambda y: mb.tanh(y)  # at 1.0")


@settings(max_examples=20)
@given(mlps(n_inputs=2), st.lists(st.integers(-3, 3), min_size=2, max_size=2))
def test_networks(model, x):
    assert isinstance(model, nn.MLP)

    def total():
        out = model(x)
        return sum(out) if isinstance(out, list) else out

    assert mb.check_gradient(total, wrt=model.parameters()).verdict != "wrong"


@gradient_property(y=values(0.1, 10.0))
def test_three_lines_are_a_property(x, y):
    return mb.log(x * x + 1) / y


@gradient_property
def test_points_outside_the_domain_are_drawn_again(x):
    return mb.sqrt(x)


def test_a_property_can_fail():
    @settings(database=None)
    @gradient_property(x=values(1.0, 3.0), grad=lambda x: 3 * x)
    def cube(x):
        return x**3

    with pytest.raises(GradientMismatch, match=r"3\.0 is right|12\.0 is right|checked by replay") as caught:
        cube()
    assert any("cube(" in note for note in caught.value.__notes__)
    with pytest.raises(TypeError, match="has no parameter 'z'"):
        gradient_property(z=values())(lambda x: x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expressions(ops=[]).example(), "no operation given; there are add"),
        (lambda: expressions(ops=["sine"]).example(), "no operation 'sine'"),
        (lambda: expressions(max_nodes=0).example(), "max_nodes is a whole number from 1, not 0"),
        (lambda: points_in("logarithm"), "no operation 'logarithm'"),
    ],
)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_property_draws_again_where_the_function_ends():
    @gradient_property(grad=lambda x: 1 / x, x=values(-1.0, 10.0))
    def logarithm(x):
        return math.log(x)

    logarithm()

    @gradient_property(grad=lambda x: -1 / x**2, x=values(0.0, 3.0))
    def reciprocal(x):
        return 1 / x

    reciprocal()
    with pytest.raises(TypeError, match="y has a default; give it a strategy, y=values"):

        @gradient_property
        def with_default(x, y=2.0):
            return x * y
