"""A tape as instructions for the interpreter of large programs. Places are used again: what is alive stays in the
processor's caches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd_bp import ops
from micrograd_bp.compiler.passes import Code
from micrograd_bp.ops.op import Op

INPUT, SPREAD, STORE, SUM = range(4)  # instructions that are no rows

Routine = tuple[str, Op, tuple[bool, ...]]  # a form, a row, and which of its arguments are the same for all samples


class Bytecode(NamedTuple):
    """Instructions (number, result, arguments), the factors of their chains, and what they are numbered by."""

    program: Any
    factors: Any
    places: int
    routines: list[Routine]


class Step(NamedTuple):
    """A row, or several, as one instruction: its result, what kind it is, what it takes, the sums that it adds to."""

    place: int
    form: str
    op: Op | None
    args: list[int]
    sums: list[int]


def assemble(code: Code, each: int) -> Bytecode:
    """The instructions for a tape.

    Parameters and constants are not in places: they follow one another in an array of their own.
    """
    tape = code.tape
    shared = {place: k for k, place in enumerate([*tape.parameters, *tape.constants])}
    inputs = {place: k for k, place in enumerate(tape.inputs)}
    wanted = _wanted(code)
    steps = _steps(code, each)
    width = max([4, *[len(step.args) for step in steps if step.form == "row"]])
    last = {arg: n for n, step in enumerate(steps) for arg in step.args}
    routines: dict[Routine, int] = {}
    lines: list[tuple[int, ...]] = []
    factors: list[int] = []
    held: dict[int, int] = {}
    free: list[int] = []
    size = 0

    def take(place: int) -> int:
        nonlocal size
        if not free:
            free.append(size)
            size += 1
        held[place] = free.pop()
        return held[place]

    for n, (place, form, op, args, sums) in enumerate(steps):
        if op is None:
            if place in inputs:
                lines.append((INPUT, take(place), inputs[place]))
            elif place in wanted:
                lines.append((SPREAD, take(place), shared[place]))
        else:
            where = [shared[arg] if arg in shared else held[arg] for arg in args]
            heads = 1 + form.endswith("guarded") if sums else 1  # what comes before the factors of a loop
            own = heads + 1 if sums else 3 + form.endswith("guarded") if form.startswith("chain") else None
            kinds = tuple([arg in shared for arg in args[:own]])
            routine = form, op if form == "row" else ops.mul, kinds
            number = SUM + 1 + routines.setdefault(routine, len(routines))
            if form.startswith("row"):
                lines.append((number, take(place), *where))
            else:
                added = where[heads:]
                if sums:
                    added = [k for pair in zip(added, sums, strict=True) for k in pair]
                result = 0 if sums else take(place)
                lines.append((number, result, where[0], len(factors), len(factors) + len(added), *where[1:heads]))
                factors += added
        for k in wanted.get(place, ()) if not sums else ():
            lines.append((STORE if k < each else SUM, held[place], k if k < each else k - each))
        for arg in {*args, place}:
            if arg in held and last.get(arg, n) <= n:
                free.append(held.pop(arg))
    program = np.zeros((len(lines), width + 2), dtype=np.int32)
    for row, line in zip(program, lines, strict=True):
        row[: len(line)] = line
    return Bytecode(program, np.array(factors, dtype=np.int32), max(size, 1), list(routines))


def _wanted(code: Code) -> dict[int, list[int]]:
    """The results by their places."""
    wanted: dict[int, list[int]] = {}
    for k, place in enumerate(code.results):
        wanted.setdefault(place, []).append(k)
    return wanted


def _steps(code: Code, each: int) -> list[Step]:
    """What is to be done in order.

    Products that are needed once, by sums which are needed once, by the next of them, are done together, form "chain":
    its arguments are what it starts from and then the factors of each product. Products of one number that are nothing
    but results to be added up over samples are form "totals": its arguments are that number and the others. Each
    product and sum is rounded. "guarded" products, where(m, x·y, 0), are 0 where m is, as the adjoint program has
    them: m comes before their factors.
    """
    tape, wanted = code.tape, _wanted(code)
    uses, user = [0] * len(tape), [-1] * len(tape)  # how many, and the last
    for place, args in enumerate(tape.args):
        for arg in args:
            uses[arg] += 1
            user[arg] = place
    zeros = {place for place, x in tape.constants.items() if repr(x) == "0.0"}
    shared = tape.parameters.keys() | tape.constants.keys()
    products: dict[int, tuple[str, tuple[int, ...]]] = {}
    within: dict[int, int] = {}  # by a sum, the product that it takes in
    chains: dict[int, tuple[Any, list[int]]] = {}  # by the last sum, what its products are like, and arguments
    forms: dict[int, str] = {}
    for place, op in enumerate(tape.ops):
        args = tape.args[place]
        if op is ops.mul:
            products[place] = "", args[::-1] if args[1] in shared else args
        elif op is ops.where and args[2] in zeros and tape.ops[args[1]] is ops.mul and uses[args[1]] == 1:
            if args[1] not in wanted and args[1] not in within.values():
                products[place] = " guarded", (args[0], *products[args[1]][1])
                forms[args[1]], forms[place] = "within", "row guarded"
        elif place in within:
            guard, factors = products[within[place]]
            (start,) = [arg for arg in args if arg != within[place]]
            kind, before = (guard, [arg in shared for arg in factors]), chains.get(start, (None, []))
            if before[0] == kind and uses[start] == 1 and start not in wanted:
                forms[start] = "within"
                chains[place] = kind, before[1]
                before[1].extend(factors)
            else:
                chains[place] = kind, [start, *factors]
            forms[place] = f"chain{guard}"
        if place in products:
            results = wanted.get(place, ())
            if not uses[place] and len(results) == 1 and results[0] >= each:
                forms[place] = f"totals{products[place][0]}"
            elif uses[place] == 1 and not results and tape.ops[user[place]] is ops.add and user[place] not in within:
                within[user[place]], forms[place] = place, "within"
    steps: list[Step] = []
    for place, op in enumerate(tape.ops):
        form, taken, sums = forms.get(place, "row"), list(tape.args[place]), list[int]()
        if form.startswith("chain"):
            taken = chains[place][1]
        elif form != "row" and place in products:
            taken = list(products[place][1])
        if form.startswith("totals"):
            sums, last = [wanted[place][0] - each], steps[-1]
            same = last.form == form and last.args[: len(taken) - 1] == taken[:-1]
            if last.sums and same and (last.args[-1] in shared) == (taken[-1] in shared):
                last.args.append(taken[-1])
                last.sums.extend(sums)
                continue
        if form != "within":
            steps.append(Step(place, form, op, taken, sums))
    return steps
