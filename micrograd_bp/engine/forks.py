"""What a fork waits for: a child process has one thread, so a lock that another thread held is never released there."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

_held: list[Callable[[], AbstractContextManager[Any]]] = []
_stack = ExitStack()


def held_over_forks(held: Callable[[], AbstractContextManager[Any]]) -> None:
    """Have each fork enter `held()`, such as a lock, before, and leave it afterwards in both processes.

    So a fork waits while another thread has the lock, and what it protects is whole in the child. The contexts are
    entered in the order of these calls: of two locks that are held together, the one that is taken first comes first.
    """
    _held.append(held)


def _before() -> None:
    for held in _held:
        _stack.enter_context(held())


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_before, after_in_parent=_stack.close, after_in_child=_stack.close)
