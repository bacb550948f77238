"""What holds for all tests: profiles of hypothesis, orders, and that no test leaves changed what others use."""

import os
import random
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from shared_state import Process, Table, op_with, seed_everything, table_restored

sys.path.append(str(Path(__file__).parent.parent))  # for `benchmarks`; last: what is installed is tested

os.environ["MICROGRAD_BP_CACHE"] = "off"  # what is tested is compiled

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", max_examples=5, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("dev", max_examples=10, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", max_examples=80, deadline=None, suppress_health_check=_SLOW, derandomize=True)
settings.register_profile("thorough", max_examples=2000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

TABLE = Table()


def pytest_addoption(parser):
    parser.addoption("--order", metavar="reverse|SEED", help="run the tests in reverse, or shuffled by a whole number")


def pytest_collection_modifyitems(config, items):
    order = config.getoption("--order")
    if order == "reverse":
        items.reverse()
    elif order is not None:
        if not order.isdecimal():
            raise pytest.UsageError(f"--order is 'reverse' or a whole number, the seed of a shuffle, not {order!r}")
        random.Random(int(order)).shuffle(items)


@pytest.fixture(autouse=True)
def _what_tests_share_is_left_as_it_was():
    """Fails the test that leaves the table or the process changed, and puts back what it changed."""
    process = Process()
    seed_everything()
    yield
    changes = []
    for shared in (TABLE, process):
        if found := shared.changes():
            shared.restore()
            changes += found
    if changes:
        pytest.fail(f"the test left changed what other tests use: {'; '.join(changes)}", pytrace=False)


@pytest.fixture
def change_op():
    """`change_op(op, partials=..., fn=...)`: the operation with other attributes until the test ends."""
    with ExitStack() as stack:
        yield lambda op, **changed: stack.enter_context(op_with(op, **changed))


@pytest.fixture
def own_ops():
    """Operations that the test defines are gone after it."""
    with table_restored():
        yield
