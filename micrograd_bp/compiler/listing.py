"""A tape to look at: a line per operation, the graph of Values that it computes, what it took to compile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd_bp.compiler.passes import Code
from micrograd_bp.engine import Value
from micrograd_bp.symbolic.templates import number


class Stats(NamedTuple):
    """(pass, operations after it) for each; the bytes of machine code, 0 without; the seconds of passes and backend."""

    passes: list[tuple[str, int]]
    code_bytes: int
    seconds: float


def listing(code: Code) -> str:
    """The program, each number assigned once; names as in the source, v1, v2, ... without."""
    tape = code.tape
    texts = list(tape.names)
    unnamed = [place for place, op in enumerate(tape.ops) if op is not None and not texts[place]]
    for count, place in enumerate(unnamed, start=1):
        texts[place] = f"v{count}"
    for count, place in enumerate(tape.parameters, start=1):
        texts[place] = texts[place] or f"p{count}"
    for place, x in tape.constants.items():
        texts[place] = number(x, 17)
    lines = [f"{texts[place]} = input" for place in tape.inputs]
    lines += [f"{texts[place]} = parameter" for place in tape.parameters]
    for place, op in enumerate(tape.ops):
        if op is not None:
            lines.append(f"{texts[place]} = {op.name}({', '.join(texts[arg] for arg in tape.args[place])})")
    return "\n".join([*lines, f"return {', '.join(texts[place] for place in code.results)}"])


def values(code: Code, inputs: Sequence[float]) -> list[Any]:
    """The results as Values, made from leaves with the names and numbers of the inputs and parameters."""
    tape = code.tape
    numbers: dict[int, Any] = dict(tape.constants)
    for place, x in zip(tape.inputs, inputs, strict=True):
        numbers[place] = Value(x, tape.names[place] or None)
    numbers |= tape.parameters
    for place, op in enumerate(tape.ops):
        if op is not None:
            found = numbers[place] = op(*[numbers[arg] for arg in tape.args[place]])
            if tape.names[place] and isinstance(found, Value):
                found.name = tape.names[place]
    return [numbers[place] for place in code.results]
