"""What tests of the page share: Chromium, graphs to show, the numbers of a page, and when two numbers are equal."""

import math
import os
import shutil
from importlib.util import find_spec

import pytest

from micrograd_bp import OPS, Value, nn

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def need_browser():
    """Skip the whole test file without Chromium or playwright; in CI that is a failure."""
    if CHROMIUM is None or find_spec("playwright") is None:
        reason = "needs Chromium and playwright: apt install chromium; pip install playwright"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)


def neuron():
    w, b, x, y = Value(2.0, "w"), Value(0.7, "b"), Value(-1.5, "x"), Value(1.0, "y")
    z = w * x + b
    z.name = "z"
    y_hat = z.sigmoid()
    y_hat.name = "ŷ"
    loss = (y_hat - y) ** 2 / 2
    loss.name = "L"
    return loss


def network():
    outputs = nn.MLP(2, [2, 2], "sigmoid", "sigmoid", seed=1)([Value(1.0, "x1"), Value(0.5, "x2")])
    cost = (outputs[0] - 1) ** 2 + (outputs[1] - 0.2) ** 2
    cost.name = "C"
    return cost


def state(view):
    """What the page has computed: step, values and gradients in topological order."""
    told = view.evaluate("micrograd.state()")
    return told["step"], told["data"], told["grad"]


def same(ours, theirs, terms=()):
    """Equal to 1e-12 of the larger, or, for a sum, of the largest of its terms: what cancels has lost those digits in
    Python too. Subnormal numbers have few digits."""
    if math.isnan(ours) or math.isnan(theirs) or math.isinf(ours) or math.isinf(theirs):
        return str(ours) == str(theirs)
    return abs(ours - theirs) <= 1e-12 * max(abs(theirs), *map(abs, terms), 2.0**-1022 * 1e13)


def terms_of(node):
    return [arg.data for arg in node.args if isinstance(arg, Value)] if node.op is OPS["add"] else ()
