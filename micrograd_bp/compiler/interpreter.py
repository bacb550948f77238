"""Large programs: an interpreter in machine code, each instruction for 64 samples at once.

Compiling straight-line code takes more than linear time, this none beyond the interpreter's own: one short routine for
each row that the program uses, and for each way in which its arguments come (a number per sample, or one for all). 64
samples at a time make the way to the next instruction cheap; places are used again, so that what is still needed stays
in the processor's caches. Imports passes, llvm, library, ops and NumPy.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_bp import ops
from micrograd_bp.compiler.library import linked
from micrograd_bp.compiler.llvm import Writer
from micrograd_bp.compiler.passes import Code
from micrograd_bp.op import Op

_INPUT, _SPREAD, _STORE, _SUM = range(4)  # instructions that are no rows
_KINDS = (*[ctypes.c_void_p] * 7, ctypes.c_int64, ctypes.c_int64)

Routine = tuple[str, Op, tuple[bool, ...]]  # a form, a row, and which of its arguments are the same for all samples


class Interpreter:
    """Runs a tape for `lanes` samples at a time: stores the first `each` results, adds the others up over samples."""

    LANES = 64

    def __init__(self, code: Code, each: int, lanes: int, fast_math: bool) -> None:
        self.lanes = lanes
        self._constants = np.array(list(code.tape.constants.values()))
        self._program, self.places, routines = assembled(code, each)
        self.library = linked(*_interpreter(routines, lanes, fast_math))
        self._function = self.library.function("interpreter", *_KINDS)

    def run(self, x: int, p: Any, out: int, sums: Any, count: int, stride: int) -> None:
        """`count` samples; what is stored goes on to the end of a group of lanes."""
        shared = np.concatenate([p, self._constants])
        frame = np.zeros(self.places * self.lanes)
        mask = np.ones(self.lanes)
        totals = sums.ctypes.data
        data = (self._program, frame, shared, mask)
        program, places, numbers, kept = [array.ctypes.data for array in data]
        for first in range(0, count, self.lanes):
            mask[count - first :] = 0.0
            at = 8 * first
            self._function(program, places, numbers, x + at, out + at, totals, kept, len(self._program), stride)

    def caller(self, work: Any) -> Callable[[], None]:
        """What runs one sample there."""
        x, _, out = work.addresses.tolist()
        nothing = np.empty(0)
        return lambda: self.run(x, work.p, out, nothing, 1, 1)


def assembled(code: Code, each: int) -> tuple[Any, int, list[Routine]]:
    """The instructions (number, result, arguments), how many places they need, and the routines they are numbered by.

    Parameters and constants are not in places: they follow one another in an array of their own.
    """
    tape = code.tape
    shared = {place: k for k, place in enumerate([*tape.parameters, *tape.constants])}
    inputs = {place: k for k, place in enumerate(tape.inputs)}
    wanted = _wanted(code)
    steps = _steps(code, each)
    last = {arg: n for n, (_, _, _, args) in enumerate(steps) for arg in args}
    routines: dict[Routine, int] = {}
    lines: list[tuple[int, ...]] = []
    held: dict[int, int] = {}
    free: list[int] = []
    size = 0

    def take() -> int:
        nonlocal size
        if free:
            return free.pop()
        size += 1
        return size - 1

    for n, (place, form, op, args) in enumerate(steps):
        if op is None:
            if place in inputs:
                held[place] = take()
                lines.append((_INPUT, held[place], inputs[place], 0, 0))
            elif place in wanted:
                held[place] = take()
                lines.append((_SPREAD, held[place], shared[place], 0, 0))
        else:
            same = tuple([arg in shared for arg in args])
            where = [shared[arg] if kind else held[arg] for arg, kind in zip(args, same, strict=True)]
            row = op if form == "row" else ops.mul
            number = _SUM + 1 + routines.setdefault((form, row, same), len(routines))
            if form.startswith("total"):
                lines.append((number, wanted[place][0] - each, *where, 0))
            else:
                held[place] = take()
                lines.append((number, held[place], *[*where, 0, 0][:3]))
        if not form.startswith("total"):
            for k in wanted.get(place, ()):
                lines.append((_STORE if k < each else _SUM, held[place], k if k < each else k - each, 0, 0))
        for arg in {*args, place}:
            if arg in held and last.get(arg, n) <= n:
                free.append(held.pop(arg))
    return np.array(lines, dtype=np.int32).reshape(-1, 5), max(size, 1), list(routines)


def _wanted(code: Code) -> dict[int, list[int]]:
    """The results by their places."""
    wanted: dict[int, list[int]] = {}
    for k, place in enumerate(code.results):
        wanted.setdefault(place, []).append(k)
    return wanted


def _steps(code: Code, each: int) -> list[tuple[int, str, Op | None, tuple[int, ...]]]:
    """What is to be done in order: (place, form, row, arguments).

    A product that is needed once, by a sum, is done with it, form "sum"; one that is nothing but a result to be added
    up over samples is form "total". Both round twice, as product and sum do. "guarded" products x·y are 0 where x is:
    where(x, x·y, 0), as the adjoint program has them.
    """
    tape, wanted = code.tape, _wanted(code)
    users: dict[int, list[int]] = {}
    for place, args in enumerate(tape.args):
        for arg in args:
            users.setdefault(arg, []).append(place)
    zeros = {place for place, x in tape.constants.items() if repr(x) == "0.0"}
    products: dict[int, tuple[str, tuple[int, ...]]] = {}
    within: dict[int, int] = {}  # by a sum, the product that it takes in
    forms: dict[int, str] = {}
    for place, op in enumerate(tape.ops):
        args = tape.args[place]
        if op is ops.mul:
            products[place] = "", args
        elif op is ops.where and args[2] in zeros and tape.ops[args[1]] is ops.mul and users[args[1]] == [place]:
            x, product = args[0], tape.args[args[1]]
            if x in product and args[1] not in wanted:
                products[place] = " guarded", (x, product[1] if product[0] == x else product[0])
                forms[args[1]], forms[place] = "within", "row guarded"
        if place in products:
            using, results = users.get(place, []), wanted.get(place, [])
            if not using and len(results) == 1 and results[0] >= each:
                forms[place] = f"total{products[place][0]}"
            elif len(using) == 1 and not results and tape.ops[using[0]] is ops.add and using[0] not in within:
                within[using[0]], forms[place] = place, "within"
    steps: list[tuple[int, str, Op | None, tuple[int, ...]]] = []
    for place, op in enumerate(tape.ops):
        form, args = forms.get(place, "row"), tape.args[place]
        if place in within:
            guard, product = products[within[place]]
            form, args = f"sum{guard}", (*[arg for arg in args if arg != within[place]], *product)
        elif form != "row":
            args = products[place][1] if place in products else args
        if form != "within":
            steps.append((place, form, op, args))
    return steps


def _interpreter(routines: list[Routine], lanes: int, fast_math: bool) -> tuple[str, Writer]:
    """The text of `void interpreter(program, frame, shared, x, out, sums, mask, count, stride)`."""
    writer = Writer(lanes, fast_math)
    lines = writer.lines
    lines += [
        "define void @interpreter(ptr noalias readonly %program, ptr noalias %frame, ptr noalias readonly %shared, "
        "ptr noalias readonly %x, ptr noalias %out, ptr noalias %sums, ptr noalias readonly %mask, "
        "i64 %count, i64 %stride) {",
        "entry:",
        f"  %kept = load {writer.kind}, ptr %mask, align 8",
        f"  %on = fcmp une {writer.kind} %kept, {writer.constant(0.0)}",
        "  br label %head",
        "head:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %latch ]",
        "  %more = icmp slt i64 %i, %count",
        "  br i1 %more, label %body, label %end",
        "body:",
        "  %at = mul i64 %i, 5",
    ]
    for k, name in enumerate(("number", "result", "a", "b", "c")):
        index = writer.set(f"add i64 %at, {k}")
        pointer = writer.set(f"getelementptr i32, ptr %program, i64 {index}")
        lines.append(f"  %{name}.32 = load i32, ptr {pointer}, align 4")
        lines.append(f"  %{name} = sext i32 %{name}.32 to i64")
    for name in ("result", "a", "b", "c"):
        lines.append(f"  %{name}.place = mul i64 %{name}, {lanes}")
    lines.append("  %a.row = mul i64 %a, %stride")
    count = _SUM + 1 + len(routines)
    cases = " ".join(f"i32 {k}, label %case{k}" for k in range(count))
    lines.append(f"  switch i32 %number.32, label %end [ {cases} ]")
    for k in range(count):
        lines.append(f"case{k}:")
        if k == _INPUT:
            writer.store(writer.load("%x", "%a.row"), "%frame", "%result.place")
        elif k == _SPREAD:
            writer.store(writer.spread("%shared", "%a"), "%frame", "%result.place")
        elif k == _STORE:
            writer.store(writer.load("%frame", "%result.place"), "%out", "%a.row")
        elif k == _SUM:
            _add_up(writer, writer.load("%frame", "%result.place"), "%a")
        else:
            form, op, kinds = routines[k - _SUM - 1]
            args = [
                writer.spread("%shared", f"%{arg}") if same else writer.load("%frame", f"%{arg}.place")
                for arg, same in zip("abc", kinds, strict=False)
            ]
            kind, _, guard = form.partition(" ")
            if form == "row":
                value = writer.apply(op, tuple(args))
            else:
                value = writer.apply(ops.mul, tuple(args[-2:]))
                if guard:
                    value = writer.apply(ops.where, (args[-2], value, writer.constant(0.0)))
                if kind == "sum":
                    value = writer.apply(ops.add, (args[0], value))
            if kind == "total":
                _add_up(writer, value, "%result")
            else:
                writer.store(value, "%frame", "%result.place")
        lines.append("  br label %latch")
    lines += ["latch:", "  %next = add i64 %i, 1", "  br label %head", "end:", "  ret void", "}"]
    if lanes > 1:
        lines.append(f"declare double @llvm.vector.reduce.fadd.v{lanes}f64(double, {writer.kind})")
    return "\n".join(lines), writer


def _add_up(writer: Writer, value: str, index: str) -> None:
    """sums[index] += the lanes of a value that hold samples."""
    kind, zero = writer.kind, writer.constant(0.0)
    total = writer.set(f"select {writer.bits} %on, {kind} {value}, {kind} {zero}")
    if writer.lanes > 1:
        call = f"call reassoc double @llvm.vector.reduce.fadd.v{writer.lanes}f64(double -0.0, {kind} {total})"
        total = writer.set(call)
    pointer = writer.at("%sums", index)
    before = writer.set(f"load double, ptr {pointer}, align 8")
    writer.lines.append(f"  store double {writer.set(f'fadd double {before}, {total}')}, ptr {pointer}, align 8")
