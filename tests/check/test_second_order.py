"""`check_gradient` of second derivatives."""

import pytest
from mismatch import mismatch

import micrograd_bp as mb
from micrograd_bp import check_gradient


def test_second_derivatives_that_cancel_exactly():
    def one(x, y):
        doubled = 2 * ((x + y) * (x + y) + x)
        return doubled / doubled

    report = check_gradient(one, 1.0, -1.0, order=2, mode="both")
    assert report.verdict in ("right", "ill-conditioned")
    assert all(finding.expected == 0.0 for finding in report.findings)


def test_second_derivatives_that_differ_on_the_two_sides():
    assert check_gradient(lambda x: mb.elu(x, 1.0), 0.0, order=2, mode="both").verdict == "kink"
    assert check_gradient(lambda alpha, x: mb.elu(x, alpha), 1.0, 0.0, order=2).verdict == "kink"
    assert check_gradient(lambda x: x**3 + x, 0.0, order=2).verdict == "right"


@pytest.mark.parametrize(("f", "at"), [(lambda x: x * (1 / x), (1e-130,)), (lambda x, y: x / y, (1e130, 1e130))])
def test_second_derivatives_on_the_way_to_which_numbers_leave_the_range(f, at):
    assert check_gradient(f, *at, order=2).verdict == "ill-conditioned"


def test_second_derivatives_added_up_wrongly(monkeypatch):
    adjoints = mb.check.run.adjoints
    monkeypatch.setattr(mb.check.run, "adjoints", lambda root, leaves: [2 * x for x in adjoints(root, leaves)])
    assert mismatch(lambda x: mb.sin(x) * x, 0.5, order=2).kind == "wrong accumulation"


def test_second_derivatives_by_differences_are_held_against_them(own_ops):
    @mb.op(lambda x, out: 2.0 * (x if isinstance(x, float) else 3.0))
    def squared(x):
        return x * x

    assert check_gradient(squared, 3.0).method == "differences"
    assert "d² f / d (x, x)" in str(mismatch(squared, 3.0, order=2))


def test_a_rule_that_does_not_hold_for_values_is_found_at_second_order(change_op):
    frozen = lambda x, out: 2.0 * (x if isinstance(x, float) else 3.0)  # noqa: E731
    change_op(mb.OPS["square"], partials=(frozen,))
    assert check_gradient(mb.square, 3.0).verdict == "right"
    error = mismatch(mb.square, 3.0, order=2)
    assert error.kind == "wrong rule"
    assert "d² f / d (x, x)" in str(error)


@pytest.mark.parametrize("factor", [2.01, 2.0001, -2.0, 4.0])
def test_a_rule_that_is_a_little_wrong_for_values_is_found(change_op, factor):
    change_op(mb.OPS["square"], partials=(lambda x, out: 2.0 * x if isinstance(x, float) else factor * x,))
    assert check_gradient(mb.square, 3.0).verdict == "right"
    assert mismatch(mb.square, 3.0, order=2).kind == "wrong rule"


@pytest.mark.parametrize("order", [1, 2])
def test_a_function_that_is_smooth_where_its_nodes_have_kinks(order):
    f = lambda x: mb.sin(mb.maximum(x, 0.0) + mb.minimum(x, 0.0) + x * x)  # noqa: E731
    smooth = lambda x: mb.sin(abs(x) * abs(x) + x)  # noqa: E731
    assert check_gradient(smooth, 0.0).verdict == "right"
    assert check_gradient(f, 0.0, order=order).findings[0].expected == pytest.approx(1.0, rel=1e-12)
