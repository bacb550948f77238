"""Operations of one's own are like built-in ones."""

import copy
import math
import operator
import pickle
from functools import partial
from importlib.util import find_spec

import pytest
from oracle import excess, second_slope, value_excess
from points import fixed

import micrograd_bp as mb
from micrograd_bp import OPS, DomainError, Value, nn
from micrograd_bp.ops.domain import NONNEGATIVE, POSITIVE
from micrograd_bp.page.javascript import not_in_javascript

pytestmark = pytest.mark.usefixtures("own_ops")


def swish():
    @mb.op(
        lambda x, beta, out: mb.sigmoid(beta * x) * (1 + beta * x * mb.sigmoid(-beta * x)),
        lambda x, beta, out: x * x * mb.sigmoid(beta * x) * mb.sigmoid(-beta * x),
        symbol="swish",
        exact=lambda m, x, beta: x / (1 + m.exp(-beta * x)),
        bound=mb.Bound(8.0, shift=4.0, why="as silu"),
    )
    def swish(x, beta=1.0):
        return x / (1 + math.exp(-beta * x))

    return swish


def test_a_custom_row_is_a_row():
    row = swish()
    x, beta = Value(0.7, "x"), Value(1.5, "β")
    y = row(x, beta)
    y.backward()
    assert y.data == 0.7 / (1 + math.exp(-1.5 * 0.7))
    assert (y.op, y.args) == (row, (x, beta))
    assert x.swish().data == mb.silu(0.7) == row(0.7) == row(x, beta=1).data
    assert "swish(x, β)" in y.graph().dot
    assert pickle.loads(pickle.dumps(y)).op is copy.deepcopy(y).op is row
    assert isinstance(nn.MLP(2, [2, 1], activation="swish")([1, 2]), Value)
    assert nn.MLP(1, [1], output_activation=row)([1]).name == "a1_1"
    assert mb.derivative(row, 2)(0.3) == pytest.approx(mb.derivative(mb.silu, 2)(0.3), rel=1e-13)
    assert mb.hessian(lambda a, b: row(a, b))(0.3, 1.0)[0][1] == pytest.approx(
        second_slope(row, 0, 1, [0.3, 1.0]), rel=1e-12
    )


def test_a_custom_row_is_checked_by_the_oracle():
    row = swish()
    for place in range(2):
        errors = [
            excess(row, place, a, row(*map(Value, a)).local_grads[place]) for a in fixed(row) if max(map(abs, a)) < 20
        ]
        assert sum(error is not None for error in errors) >= 8
        assert all(error <= 1 for error in errors if error is not None)
    assert value_excess(row, [0.3, 2.0], row(0.3, 2.0)) <= 1


def test_a_wrong_custom_rule_is_caught():
    @mb.op(lambda x, out: 2 * x * x, exact=lambda m, x: x**3)
    def cube(x):
        return x**3

    assert excess(cube, 0, [2.0], Value(2.0).cube().local_grads[0]) > 1e10


def test_more_than_three_arguments():
    @mb.op(*[lambda a, b, c, d, out, k=k: float(k) for k in (1, 10, 100, 1000)])
    def weigh(a, b, c, d):
        return a + 10 * b + 100 * c + 1000 * d

    a, b, c, d = (Value(1.0, name) for name in "abcd")
    y = weigh(a * 2, b, c.tanh(), d)
    y.backward()
    assert [n.name or n.op.name for n in mb.topological_order(y)] == ["a", "mul", "b", "c", "tanh", "d", "weigh"]
    assert (y.local_grads, a.grad, d.grad) == ((1.0, 10.0, 100.0, 1000.0), 2.0, 1000.0)
    assert copy.deepcopy(y).local_grads == y.local_grads


def test_domains_and_errors():
    @mb.op(lambda x, out: 0.5 / out, domain=((NONNEGATIVE,),))
    def root(x):
        return math.sqrt(x)

    @mb.op(lambda x, out: out * (1 / x), domain=((POSITIVE,),))
    def plain(x):
        return x

    assert math.isnan(root(-1.0))
    assert math.isnan(plain(-1.0))  # the function itself would not mind
    with pytest.raises(DomainError, match=r"root: x = -1\.0 is outside \[0, inf\)"):
        Value(-1.0).root()
    with pytest.raises(DomainError, match="plain"):
        Value(0.0).plain()
    assert math.isnan(Value(0.0).root().local_grads[0])  # 0.5 / 0.0: use div to say inf

    @mb.op(lambda x, out: 1)
    def huge(x):
        return math.exp(1000 + x)

    assert (huge(0), type(Value(1.0).huge().local_grads[0])) == (math.inf, float)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: mb.op(lambda x, out: 1.0)(lambda x: x), ValueError, "'<lambda>' cannot name an operation"),
        (lambda: mb.op(lambda x, out: 1.0, name="tanh")(lambda x: x), ValueError, "the name 'tanh' is taken"),
        (lambda: mb.op(lambda x, out: out, name="lambda")(math.exp), ValueError, "'lambda' cannot name an operation"),
        (lambda: mb.op(3.0)(math.sinh), TypeError, "a derivative rule is a function"),
        (lambda: mb.op(lambda x, out: 1.0, name="data")(lambda x: x), ValueError, "the name 'data' is taken"),
        (lambda: mb.op(name="f")(lambda x: x), TypeError, r"f\(x\) needs a derivative rule for each argument, 0 given"),
        (lambda: mb.op(lambda x, out: 1.0, name="f")(lambda x, y: x), TypeError, r"f\(x, y\) needs .* 1 given"),
        (lambda: mb.op(name="f")(lambda: 1.0), TypeError, "0 given"),
        (lambda: mb.op(lambda x: x), TypeError, "needs the derivative rules in brackets"),
        (lambda: mb.op(lambda x, y: x)(2.0, 3.0), TypeError, "needs the derivative rules in brackets"),
        (lambda: mb.op(lambda x, y: x)(2.0), TypeError, "needs the derivative rules in brackets"),
        (lambda: mb.op(lambda x, out: 1.0, lambda x: 1.0, name="f")(lambda x, y: x), TypeError, r"takes \(x, y, out\)"),
        (lambda: mb.op(lambda x, out: 1.0, name="f")(lambda *x: x), TypeError, "a fixed number of positional"),
        (lambda: mb.op(lambda x, out: 1.0, name="f")(lambda x="a": x), TypeError, "real number"),
    ],
)
def test_refusals_change_nothing(make, error, message):
    before = dict(OPS)
    with pytest.raises(error, match=message):
        make()
    assert before == OPS


def test_an_unregistered_row_cannot_be_unpickled_quietly():
    text = pickle.dumps(swish()(Value(1.0)))
    del OPS["swish"]
    with pytest.raises(LookupError, match="define it before you load"):
        pickle.loads(text)


def test_check_gradient_checks_rows_of_ones_own():
    row = swish()
    report = mb.check_gradient(row, 0.7, 1.5, order=2, mode="both")
    assert (report.verdict, report.method) == ("right", "replay")

    @mb.op(lambda x, out: mb.div(1.0, mb.cosh(x)))  # without `exact`: nothing to replay by
    def gudermann(x):
        return math.atan(math.sinh(x))

    report = mb.check_gradient(lambda x: gudermann(x) * x, 0.7, order=2)
    assert (report.verdict, report.method) == ("right", "differences")

    @mb.op(lambda x, out: mb.div(2.0, mb.cosh(x)), exact=lambda m, x: m.atan(m.sinh(x)))
    def wrong(x):
        return math.atan(math.sinh(x))

    with pytest.raises(mb.GradientMismatch, match="in wrong\\(x\\): d wrong / d x") as caught:
        mb.check_gradient(lambda x: wrong(x) * x, 0.7)
    assert caught.value.node.op is wrong


def test_an_operation_may_select_among_its_arguments(own_ops):
    """Then nothing passes where its derivative is 0, as with relu; else 0 · inf is nan."""

    @mb.op(lambda x, out: mb.step(x), routes_gradient=True)
    def choice(x):
        return max(x, 0.0)

    @mb.op(lambda x, out: mb.step(x))
    def product(x):
        return max(x, 0.0)

    assert mb.grad(lambda x: choice(mb.sqrt(x) - 1) + x)(0.0) == 1.0
    assert mb.compile(lambda x: choice(mb.sqrt(x) - 1) + x).value_and_grad(0.0)[1] == 1.0
    assert math.isnan(mb.grad(lambda x: product(mb.sqrt(x) - 1) + x)(0.0))


def scaled(k, name=None):
    """A cell of a notebook that is run with another k."""

    @mb.op(lambda x, out: k * 1.0, native=f"{k} * {{0}}", name=name)
    def scale(x):
        return k * x

    return scale


def test_an_operation_is_defined_again():
    x = Value(3.0, "x")
    first = scaled(2)
    old = first(x)
    second = scaled(5)
    new = second(x)
    assert OPS["scale"] is second
    assert (old.data, new.data, x.scale().data) == (6.0, 15.0, 15.0)
    assert nn.Neuron(1, activation="scale", seed=1)([x]).op is second
    both = old * new
    both.backward()
    assert x.grad == 2 * 15.0 + 5 * 6.0
    assert mb.grad(lambda x: first(x) * second(x))(3.0) == 60.0
    assert float(mb.jvp(lambda x: first(x) * second(x), (3.0,), (1.0,))[1]) == 60.0
    for backend in ("python", "native") if find_spec("llvmlite") else ("python",):
        program = mb.compile(lambda x: first(x) * second(x), backend=backend)
        assert program.value_and_grad(3.0) == (90.0, 60.0)
        assert program.batched([1.0, 2.0])[0].tolist() == [10.0, 40.0]
    assert str(mb.formula(old - new)) == "scale(x) − scale(x)"
    assert str(mb.derivative_formula(old * old + new, x)) != str(mb.derivative_formula(new * new + old, x))
    assert mb.derivative_formula(old * new, x).text == "5·scale(x) + 2·scale(x)"  # they are two functions
    assert (copy.deepcopy(old).op, copy.copy(first), copy.deepcopy(second)) == (first, first, second)
    assert pickle.loads(pickle.dumps(new)).op is second
    with pytest.raises(LookupError, match="scale was defined again"):
        pickle.dumps(old)


def test_a_program_with_an_operation_that_was_defined_again_is_not_saved(tmp_path):
    program = mb.compile(scaled(2))
    assert program(1.0) == 2.0
    program.save(tmp_path / "program")
    scaled(5)
    with pytest.raises(LookupError, match="saved by name: compute the value again"):
        program.save(tmp_path / "program")


def test_the_page_computes_no_operation_that_was_defined_again():
    x = Value(1.0, "x")
    old = scaled(2)(x)
    assert not_in_javascript({old.op}) == []
    assert not_in_javascript({old.op, scaled(5)(x).op}) == ["scale"]


def test_a_function_needs_no_name_of_its_own():
    for k in (2.0, 3.0):
        times = mb.op(lambda x, out, k=k: k, name="times")(partial(operator.mul, k))
        assert Value(2.0).times().data == times(2.0) == 2.0 * k


def test_another_function_does_not_take_the_name():
    scaled(2)
    with pytest.raises(ValueError, match="the name 'scale' is taken: give another one by name="):
        mb.op(lambda x, out: 1.0, name="scale")(lambda x: x)
    with pytest.raises(ValueError, match="the name 'tanh' is taken"):
        scaled(2, "tanh")
    scaled(3, "times")
    assert Value(2.0).times().data == 6.0
    scaled(4, "times")
    assert Value(2.0).times().data == 8.0
