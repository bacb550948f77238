"""A compiled program for the reader: its listing, its graph of Values, and the cost of compiling it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_bp.compiler.passes import Code
from micrograd_bp.engine import Value
from micrograd_bp.symbolic.templates import number


class Stats(NamedTuple):
    """(pass, operations left) for each pass, the bytes of machine code (0 for Python), the compile time in seconds."""

    passes: list[tuple[str, int]]
    code_bytes: int
    seconds: float


def listing(code: Code) -> str:
    """Return the program as text, one line per operation; numbers without a name are called v1, v2, ..."""
    tape = code.tape
    texts = list(tape.names)
    unnamed = [index for index, op in enumerate(tape.ops) if op is not None and not texts[index]]
    for count, index in enumerate(unnamed, start=1):
        texts[index] = f"v{count}"
    for count, index in enumerate(tape.parameters, start=1):
        texts[index] = texts[index] or f"p{count}"
    for index, x in tape.constants.items():
        texts[index] = number(x, 17)
    lines = [f"{texts[index]} = input" for index in tape.inputs]
    lines += [f"{texts[index]} = parameter" for index in tape.parameters]
    for index, op in enumerate(tape.ops):
        if op is not None:
            lines.append(f"{texts[index]} = {op.name}({', '.join(texts[arg] for arg in tape.args[index])})")
    return "\n".join([*lines, f"return {', '.join(texts[index] for index in code.results)}"])


def values(code: Code, inputs: Sequence[float]) -> list[Any]:
    """Return the results as Values, computed from the parameters and from leaves for the inputs."""
    tape = code.tape
    numbers: dict[int, Any] = dict(tape.constants)
    for index, x in zip(tape.inputs, inputs, strict=True):
        numbers[index] = Value(x, tape.names[index] or None)
    numbers |= tape.parameters
    for index, op in enumerate(tape.ops):
        if op is not None:
            found = numbers[index] = op(*[numbers[arg] for arg in tape.args[index]])
            if tape.names[index] and isinstance(found, Value):
                found.name = tape.names[index]
    return [numbers[index] for index in code.results]
