"""What tests of recorded functions share: programs of a function or an operation, numbers compared by their bits."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Callable, Iterable
from typing import Any

from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.compiler.passes import Code
from micrograd_bp.compiler.recording import derived, record
from micrograd_bp.ops.op import Op

BACKENDS = ["python", *(["native"] if importlib.util.find_spec("llvmlite") else [])]


def bits(numbers: Iterable[float]) -> list[bytes]:
    """The bytes of each number; every nan is the same."""
    return [struct.pack("d", x) if x == x else b"nan" for x in numbers]


def raw(expression: Any, what: str = "gradient", guarded: bool = True) -> Code:
    """The unoptimised code of a function that has a `point`: of its value and gradient, or of what is asked for."""
    return derived(record(expression, tuple(expression.point), guarded), what)


def of_row(op: Op) -> Code:
    """The code of one operation applied to its inputs."""
    tape = Tape()
    places = [tape.input() for _ in range(op.arity)]
    return Code(tape, [tape.record(op, places)])


class Named:
    """A function with a point."""

    def __init__(self, f: Callable[..., Any], point: tuple[float, ...]) -> None:
        self.f, self.point = f, point

    def __call__(self, *args: Any) -> Any:
        return self.f(*args)
