"""`assemble` turns a tape into bytecode for the interpreter of large programs.

Registers are reused, so that live numbers stay in the processor's caches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd_bp import ops
from micrograd_bp.compiler.passes import Code
from micrograd_bp.ops.op import Op

INPUT, SPREAD, STORE, SUM = range(4)  # the instructions that are not operations

Routine = tuple[str, Op, tuple[bool, ...]]  # a form, an operation, and for each argument whether all samples share it


class Bytecode(NamedTuple):
    """Instructions (number, result, arguments), the factors of the sums of products, and the routines by number."""

    program: Any
    factors: Any
    registers: int
    routines: list[Routine]


class Step(NamedTuple):
    """One or several operations as one instruction: index of the result, form, operation, arguments, sums added to."""

    result: int
    form: str
    op: Op | None
    args: list[int]
    sums: list[int]


def assemble(code: Code, each: int) -> Bytecode:
    """Return the bytecode of a tape; the first `each` results are stored, the others summed over the samples.

    Parameters and constants occupy no registers: all samples share them in an array of their own.
    """
    tape = code.tape
    shared = {index: k for k, index in enumerate([*tape.parameters, *tape.constants])}
    inputs = {index: k for k, index in enumerate(tape.inputs)}
    wanted = _wanted(code)
    steps = _steps(code, each)
    width = max([4, *[len(step.args) for step in steps if step.form == "single"]])
    last = {arg: n for n, step in enumerate(steps) for arg in step.args}
    routines: dict[Routine, int] = {}
    lines: list[tuple[int, ...]] = []
    factors: list[int] = []
    held: dict[int, int] = {}
    free: list[int] = []
    size = 0

    def take(index: int) -> int:
        nonlocal size
        if not free:
            free.append(size)
            size += 1
        held[index] = free.pop()
        return held[index]

    for n, (index, form, op, args, sums) in enumerate(steps):
        if op is None:
            if index in inputs:
                lines.append((INPUT, take(index), inputs[index]))
            elif index in wanted:
                lines.append((SPREAD, take(index), shared[index]))
        else:
            where = [shared[arg] if arg in shared else held[arg] for arg in args]
            heads = 1 + form.endswith("guarded") if sums else 1  # the arguments before the factors of a loop
            own = heads + 1 if sums else 3 + form.endswith("guarded") if form.startswith("chain") else None
            kinds = tuple([arg in shared for arg in args[:own]])
            routine = form, op if form == "single" else ops.mul, kinds
            number = SUM + 1 + routines.setdefault(routine, len(routines))
            if form.startswith("single"):
                lines.append((number, take(index), *where))
            else:
                added = where[heads:]
                if sums:
                    added = [k for pair in zip(added, sums, strict=True) for k in pair]
                result = 0 if sums else take(index)
                lines.append((number, result, where[0], len(factors), len(factors) + len(added), *where[1:heads]))
                factors += added
        for k in wanted.get(index, ()) if not sums else ():
            lines.append((STORE if k < each else SUM, held[index], k if k < each else k - each))
        for arg in {*args, index}:
            if arg in held and last.get(arg, n) <= n:
                free.append(held.pop(arg))
    program = np.zeros((len(lines), width + 2), dtype=np.int32)
    for instruction, line in zip(program, lines, strict=True):
        instruction[: len(line)] = line
    return Bytecode(program, np.array(factors, dtype=np.int32), max(size, 1), list(routines))


def _wanted(code: Code) -> dict[int, list[int]]:
    """Return the numbers of the results, by their index on the tape."""
    wanted: dict[int, list[int]] = {}
    for k, index in enumerate(code.results):
        wanted.setdefault(index, []).append(k)
    return wanted


def _steps(code: Code, each: int) -> list[Step]:
    """Return the instructions in order.

    Form "single" is a single operation. Form "chain" is a sum of products whose intermediate results nothing else uses;
    its arguments are the first summand and then the factors of each product. Form "totals" stands for products that
    share one factor and are only summed over the samples; its arguments are that factor and the others. Every product
    and every sum is rounded. A "guarded" product, where(m, x·y, 0) of the adjoint program, has m before its factors.
    """
    tape, wanted = code.tape, _wanted(code)
    uses, user = [0] * len(tape), [-1] * len(tape)  # the number of uses, and the last user
    for index, args in enumerate(tape.args):
        for arg in args:
            uses[arg] += 1
            user[arg] = index
    zeros = {index for index, x in tape.constants.items() if repr(x) == "0.0"}
    shared = tape.parameters.keys() | tape.constants.keys()
    products: dict[int, tuple[str, tuple[int, ...]]] = {}
    within: dict[int, int] = {}  # by a sum, the product that it absorbs
    chains: dict[int, tuple[Any, list[int]]] = {}  # by the last sum, the kind of its products, and its arguments
    forms: dict[int, str] = {}
    for index, op in enumerate(tape.ops):
        args = tape.args[index]
        if op is ops.mul:
            products[index] = "", args[::-1] if args[1] in shared else args
        elif op is ops.where and args[2] in zeros and tape.ops[args[1]] is ops.mul and uses[args[1]] == 1:
            if args[1] not in wanted:
                products[index] = " guarded", (args[0], *products[args[1]][1])
                forms[args[1]], forms[index] = "within", "single guarded"
        elif index in within:
            guard, factors = products[within[index]]
            (start,) = [arg for arg in args if arg != within[index]]
            kind, before = (guard, [arg in shared for arg in factors]), chains.get(start, (None, []))
            if before[0] == kind and uses[start] == 1 and start not in wanted:
                forms[start] = "within"
                chains[index] = kind, before[1]
                before[1].extend(factors)
            else:
                chains[index] = kind, [start, *factors]
            forms[index] = f"chain{guard}"
        if index in products:
            results = wanted.get(index, ())
            if not uses[index] and len(results) == 1 and results[0] >= each:
                forms[index] = f"totals{products[index][0]}"
            elif uses[index] == 1 and not results and tape.ops[user[index]] is ops.add and user[index] not in within:
                within[user[index]], forms[index] = index, "within"
    steps: list[Step] = []
    for index, op in enumerate(tape.ops):
        form, taken, sums = forms.get(index, "single"), list(tape.args[index]), list[int]()
        if form.startswith("chain"):
            taken = chains[index][1]
        elif form != "single" and index in products:
            taken = list(products[index][1])
        if form.startswith("totals"):
            sums, last = [wanted[index][0] - each], steps[-1]
            same = last.form == form and last.args[: len(taken) - 1] == taken[:-1]
            if last.sums and same and (last.args[-1] in shared) == (taken[-1] in shared):
                last.args.append(taken[-1])
                last.sums.extend(sums)
                continue
        if form != "within":
            steps.append(Step(index, form, op, taken, sums))
    return steps
