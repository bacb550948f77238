"""The passes that make a recorded program shorter keep every bit of what it computes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import Named, bits, raw

import micrograd_bp as mb
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.check.strategies import expressions
from micrograd_bp.compiler import passes
from micrograd_bp.compiler.replay import Replay


@pytest.mark.parametrize(
    "step", [passes.fold_constants, passes.simplify, passes.eliminate_common, passes.eliminate_dead]
)
@given(data=st.data())
def test_each_pass_keeps_every_bit(step, data):
    expression = data.draw(expressions())
    code = raw(expression)
    before, after = Replay(code), Replay(step(code))
    numbers = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324])
    for inputs in (expression.point, data.draw(st.tuples(*[numbers] * len(expression.point)))):
        assert bits(before(inputs)) == bits(after(inputs))


@given(expressions())
def test_all_passes_shorten_and_keep(expression):
    code = raw(expression)
    short, log = passes.optimise(code)
    assert log[-1][1] <= log[0][1] == passes.operations(code.tape)
    assert bits(Replay(short)(expression.point)) == bits(Replay(code)(expression.point))


def test_a_pass_that_is_wrong_is_found(monkeypatch):
    """x + 0.0 is x, but for -0.0."""
    code = raw(Named(lambda x: x + 0.0, (1.0,)), "value")
    assert passes.operations(passes.simplify(code).tape) == 1
    assert passes.operations(passes.eliminate_dead(passes.simplify_fast(code)).tape) == 0
    assert bits(Replay(code)([-0.0])) != bits(Replay(passes.simplify_fast(code))([-0.0]))


NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, math.inf, -math.inf, math.nan, 5e-324, 1e308, math.pi]


@pytest.mark.parametrize("op", [op for op in mb.OPS.values() if op.arity == 2], ids=str)
def test_a_constant_argument_of_any_kind_changes_no_bit(op):
    for c in NUMBERS:
        for args in ((0, c), (c, 0), (0, 0)):
            tape = Tape()
            x = tape.input()
            places = [tape.constant(arg) if arg is c else x for arg in args]
            inner = tape.record(op, places)
            code = passes.Code(tape, [inner, tape.record(op, (inner, places[1])), tape.record(mb.OPS["neg"], (inner,))])
            short = [step(code) for step in passes.EXACT] + [passes.optimise(code)[0]]
            for number in NUMBERS:
                expected = bits(Replay(code)([number]))
                assert [bits(Replay(each)([number])) for each in short] == [expected] * len(short), (c, args, number)


@pytest.mark.parametrize("op", [op for op in mb.OPS.values() if op.arity == 2], ids=str)
def test_fast_passes_keep_what_finite_numbers_give(op):
    for c in (0.0, 1.0, -1.0, 2.0, 0.5, 3.0):
        for args in ((0, c), (c, 0), (0, 0)):
            tape = Tape()
            x = tape.input()
            places = [tape.constant(arg) if arg is c else x for arg in args]
            code = passes.Code(tape, [tape.record(op, places)])
            for number in (0.3, 1.0, 2.0, 7.5):
                given, fast = Replay(code)([number])[0], Replay(passes.optimise(code, True)[0])([number])[0]
                if math.isfinite(given):
                    assert fast == pytest.approx(given, rel=1e-15), (c, args, number)


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: mb.sigmoid(x) + 3.0 * mb.sigmoid(-x), ["sigmoid"]),
        (lambda x: mb.sigmoid(-x) + 3.0 * mb.sigmoid(x), ["sigmoid", "sigmoid"]),  # the first is computed first
        (lambda x: mb.sigmoid(x) + 3.0 * mb.logistic_density(x), ["sigmoid"]),
        (lambda x: mb.sigmoid(x) + 3.0 * mb.logistic_density(2.0 * x), ["sigmoid", "logistic_density"]),
        (lambda x: mb.tanh(x) + 3.0 * mb.logistic_density(2.0 * x), ["tanh"]),
        (lambda x: mb.tanh(x) + 3.0 * mb.logistic_density(-2.0 * x), ["tanh", "logistic_density"]),
        (lambda x: mb.tanh(x) + 3.0 * mb.logistic_density(3.0 * x), ["tanh", "logistic_density"]),
        (lambda x: mb.tanh(x) + 3.0 * mb.logistic_density(2.0 * mb.sin(x)), ["tanh", "logistic_density"]),
        (lambda x: mb.tanh(x) + 3.0 * mb.logistic_density(2.0 + x), ["tanh", "logistic_density"]),
    ],
)
def test_what_saturates_is_computed_once(f, left):
    code = passes.optimise(raw(Named(f, (0.3,)), "value"), True)[0]
    assert [op.name for op in code.tape.ops if op and op.name in ("tanh", "sigmoid", "logistic_density")] == left
    for x in (-1.5, 0.0, 0.3, 2.0):
        assert Replay(code)([x])[0] == pytest.approx(f(x), rel=1e-14, abs=1e-14)


@pytest.mark.parametrize(
    ("condition", "taken"),
    [*[(c, 0) for c in (1.0, -2.0, 5e-324, math.inf, -math.inf, math.nan)], (0.0, 1), (-0.0, 1)],
)
def test_a_constant_condition_leaves_the_arm_that_is_taken(condition, taken):
    f = lambda x: mb.where(condition, mb.sin(x), mb.cos(x)) * 2.0  # noqa: E731
    code, _ = passes.optimise(raw(Named(f, (0.5,)), "value"))
    assert [op for op in code.tape.ops if op is not None] == [(mb.sin, mb.cos)[taken], mb.OPS["mul"]]
    for x in (0.5, -3.0):
        value, slope = ((math.sin(x), math.cos(x)), (math.cos(x), -math.sin(x)))[taken]
        assert Replay(code)([x]) == [2.0 * value]
        assert mb.compile(f, backend="python").value_and_grad(x) == (2.0 * value, 2.0 * slope)


def test_a_condition_that_varies_is_kept_where_the_arms_differ():
    def kept(f):
        code, _ = passes.optimise(raw(Named(f, (0.5,)), "value"))
        return mb.OPS["where"] in code.tape.ops, [Replay(code)([x])[0] for x in (0.5, 0.0, math.nan)]

    assert kept(lambda x: mb.where(x, 3.0, 4.0)) == (True, [3.0, 4.0, 3.0])
    assert kept(lambda x: mb.where(x, 3.0, 3.0)) == (False, [3.0, 3.0, 3.0])
    assert kept(lambda x: mb.where(x, 3.0, x)) == (True, [3.0, 0.0, 3.0])


def test_identities():
    def count(f, *point, fast=False):
        return passes.optimise(raw(Named(f, point), "value"), fast)[1][-1][1]

    assert count(lambda x: x * 1.0 + -0.0, 2.0) == 0
    assert count(lambda x: x.neg().neg() / 1.0, 2.0) == 0
    assert count(lambda x: x**1.0 - 0.0, 2.0) == 0
    assert count(lambda x, y: (x * y) + (y * x), 2.0, 3.0) == 2
    assert count(lambda x: mb.where(1.0, x, x.exp()), 2.0) == 0
    assert count(lambda x: x * 0.0 + x, 2.0) == 2
    assert count(lambda x: x * 0.0 + x, 2.0, fast=True) == 0
    assert count(lambda x: (x - x) + x**2.0, 2.0, fast=True) == 1
    assert count(lambda x: mb.exp(1.0) * x, 2.0) == 1
    opposite = mb.compile(lambda x: mb.exp(3.0 * x) - mb.exp(x * -3.0))
    assert "= neg(v1)" in opposite.listing(1.0)
    assert opposite(0.3) == mb.exp(3.0 * 0.3) - mb.exp(0.3 * -3.0)
