"""What all tests share, noticed when it changes and put back: the table of operations, and settings of the process.

A test that changes an operation does it by the fixture `change_op` or in `with op_with(...)`; a test that defines one
asks for the fixture `own_ops`. After every test `conftest.py` compares `Table` and `Process` with what they were.
"""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import GetSetDescriptorType
from typing import Any

import mpmath
import numpy as np

from micrograd_bp.engine.number import ROW_METHODS, Number
from micrograd_bp.ops.op import OPS, Op

_ABSENT = object()


def attributes(op: Op) -> dict[str, object]:
    """What an operation holds, by name: no property over an attribute of its own (`partials`), no cache (`reads`)."""
    if hasattr(op, "__dict__"):
        return {name: value for name, value in vars(op).items() if name != "reads"}
    kinds = type(op).__mro__  # `where` is of a subclass
    names = [name for kind in kinds for name, thing in vars(kind).items() if isinstance(thing, GetSetDescriptorType)]
    return {name: getattr(op, name) for name in names if f"_{name}" not in names and name != "reads"}


def _put_back(op: Op, before: dict[str, object]) -> None:
    for name, value in before.items():
        if getattr(op, name, _ABSENT) is not value:
            setattr(op, name, value)


@contextmanager
def op_with(op: Op, **changed: Any) -> Iterator[Op]:
    """The operation with other attributes; afterwards it has all of its own again, its compiled rules included."""
    before = attributes(op)
    try:
        for name, value in changed.items():
            setattr(op, name, value)
        yield op
    finally:
        _put_back(op, before)


class Table:
    """The table of operations and the methods that they are, as they were when this was made."""

    def __init__(self) -> None:
        self.ops = dict(OPS)
        self.held = {name: attributes(op) for name, op in OPS.items()}
        self.methods = dict(vars(Number))
        self.named = set(ROW_METHODS)

    def changes(self) -> list[str]:
        """A sentence for each difference. Objects are compared by identity."""
        found = [f"the operation {name!r} was added" for name in OPS if name not in self.ops]
        found += [f"the operation {name!r} was removed" for name in self.ops if name not in OPS]
        if not found and list(OPS) != list(self.ops):
            found.append("the operations are in another order")
        for name, op in self.ops.items():
            if OPS.get(name, op) is not op:
                found.append(f"the operation {name!r} was replaced by another")
            now, held = attributes(op), self.held[name]
            changed = [key for key in {**held, **now} if now.get(key, _ABSENT) is not held.get(key, _ABSENT)]
            found += [f"{name}.{key} was changed" for key in changed]
        methods = vars(Number)
        differing = [name for name in {**self.methods, **methods} if methods.get(name) is not self.methods.get(name)]
        found += [f"the method {name!r} of numbers was changed" for name in differing]
        if set(ROW_METHODS) ^ self.named:
            found.append(f"ROW_METHODS was changed: {sorted(set(ROW_METHODS) ^ self.named)}")
        return found

    def restore(self) -> None:
        OPS.clear()
        OPS.update(self.ops)
        for name, op in self.ops.items():
            _put_back(op, self.held[name])
        for name in [name for name in vars(Number) if name not in self.methods]:
            delattr(Number, name)
        for name, method in self.methods.items():
            if vars(Number)[name] is not method:
                setattr(Number, name, method)
        ROW_METHODS.clear()
        ROW_METHODS.update(self.named)


@contextmanager
def table_restored() -> Iterator[None]:
    """The table afterwards is the table before: operations that are defined inside are gone."""
    before = Table()
    try:
        yield
    finally:
        before.restore()


class Process:
    """Settings of the process that a later test would meet, as they were when this was made."""

    def __init__(self) -> None:
        self.settings = _settings(os.environ)

    def changes(self) -> list[str]:
        """A sentence for each difference."""
        now = _settings(self.settings["os.environ"])
        return [f"{name} was changed" for name in now if now[name] != self.settings[name]]

    def restore(self) -> None:
        os.chdir(self.settings["the working directory"])
        for name in _variables(os.environ).keys() - self.settings["os.environ"].keys():
            if name.startswith("MICROGRAD_BP_"):
                del os.environ[name]
        os.environ.update(self.settings["os.environ"])
        sys.path[:] = self.settings["sys.path"]
        sys.setrecursionlimit(self.settings["the recursion limit"])
        (gc.enable if self.settings["whether cycles are collected"] else gc.disable)()
        np.seterr(**self.settings["NumPy's handling of errors"])
        mpmath.mp.prec = self.settings["mpmath's precision"]
        for figure in _figures():
            sys.modules["matplotlib.pyplot"].close(figure)


def _variables(known: Iterable[str]) -> dict[str, str]:
    """The environment, without what other packages add to it when they are imported: those variables stay."""
    names = {name for name in os.environ if name in known or name.startswith("MICROGRAD_BP_")}
    return {name: os.environ[name] for name in names - {"PYTEST_CURRENT_TEST"}}


def _settings(known: Iterable[str]) -> dict[str, Any]:
    return {
        "the working directory": os.getcwd(),  # noqa: PTH109 (a plain string is compared faster)
        "os.environ": _variables(known),
        "sys.path": list(sys.path),
        "the recursion limit": sys.getrecursionlimit(),
        "whether cycles are collected": gc.isenabled(),
        "NumPy's handling of errors": np.geterr(),
        "mpmath's precision": mpmath.mp.prec,
        "the list of open figures": _figures(),
    }


def _figures() -> list[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [] if pyplot is None else list(pyplot.get_fignums())


def seed_everything() -> None:
    """Random numbers that nobody seeded begin alike in every test, whichever ran before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (the global state is the one that is shared)
