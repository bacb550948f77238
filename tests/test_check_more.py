"""The gradient check, reviewed again: excuses that were none, alarms without a fire, gradients matched by what they
belong to."""

import math

import pytest

import micrograd_bp as mb
from micrograd_bp import GradientMismatch, check_gradient


def wrong(*args, **kwargs):
    with pytest.raises(GradientMismatch) as caught:
        check_gradient(*args, **kwargs)
    return caught.value


def test_second_derivatives_that_cancel_exactly():
    def one(x, y):
        doubled = 2 * ((x + y) * (x + y) + x)
        return doubled / doubled

    report = check_gradient(one, 1.0, -1.0, order=2, mode="both")
    assert report.verdict in ("right", "ill-conditioned")
    assert all(finding.expected == 0.0 for finding in report.findings)


@pytest.mark.parametrize("slope", [-math.inf, 0.0, 5.0])
@pytest.mark.parametrize("f", [mb.sqrt, lambda x: mb.sqrt(2 * x) + x, math.cbrt, math.sqrt])
def test_an_infinite_slope_has_one_sign(f, slope):
    assert check_gradient(f, 0.0, grad=lambda x: math.inf).verdict == "kink"
    wrong(f, 0.0, grad=lambda x: slope)


def test_second_derivatives_that_differ_on_the_two_sides():
    assert check_gradient(lambda x: mb.elu(x, 1.0), 0.0, order=2, mode="both").verdict == "kink"
    assert check_gradient(lambda alpha, x: mb.elu(x, alpha), 1.0, 0.0, order=2).verdict == "kink"
    assert check_gradient(lambda x: x**3 + x, 0.0, order=2).verdict == "right"
