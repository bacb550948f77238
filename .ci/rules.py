"""Writes the table's derivative rules at floats as typed Python, which is compiled beside the engine.

Each rule is traced once, over the slots of a tape; what it does there is printed, a line per operation. The rules stay
where they are: whoever has numbers of another kind, or no compiler, applies those.
"""

from __future__ import annotations

import math

from micrograd_bp import OPS, ieee, ops
from micrograd_bp.op import Op, Rule
from micrograd_bp.tape import Slot, Tape

SIGNS = {ops.add: "{} + {}", ops.sub: "{} - {}", ops.mul: "{} * {}", ops.neg: "-{}", ops.square: "{0} * {0}"}
HEAD = '''"""The derivative rules of ops.py at floats, written when the package was built."""
import math
from micrograd_bp import ieee, ops'''


def source() -> str:
    """The module. Imported, it puts its functions in the place of the rules where those are given floats."""
    functions = [_function(op, place, rule) for op in OPS.values() for place, rule in enumerate(op.partials)]
    names = {op.name: "".join(f"{op.name}_{place}, " for place in range(op.arity)) for op in OPS.values()}
    places = [f"ops.{row}.slopes = ({slopes})" for row, slopes in names.items()]
    return "\n".join([HEAD, *functions, *places, ""])


def _function(op: Op, place: int, rule: Rule) -> str:
    tape = Tape()
    names = [*op.arguments, "out"]
    result = tape.place(rule(*[Slot(tape, tape.input(name)) for name in names]))
    texts = dict(zip(tape.inputs, names, strict=True))
    texts |= {constant: f"({number!r})" for constant, number in tape.constants.items()}
    known: dict[str, str] = {}  # the same is computed once
    for at, row in enumerate(tape.ops):
        if row is not None:
            text = _applied(row, [texts[arg] for arg in tape.args[at]])
            texts[at] = known.setdefault(text, f"v{at}")
    head = f"def {op.name}_{place}({', '.join(f'{name}: float' for name in names)}) -> float:"
    return "\n".join([head, *[f"    {name} = {text}" for text, name in known.items()], f"    return {texts[result]}"])


def _applied(row: Op, args: list[str]) -> str:
    if row in SIGNS:
        return SIGNS[row].format(*args)
    for module, at in ((ieee, "ieee"), (math, "math")):
        for name, known in vars(module).items():
            if known is row.fn:
                return f"{at}.{name}({', '.join(args)})"
    raise SystemExit(f"{row.name}: a rule uses it, so its function has to stand in ieee.py or be one of math")
