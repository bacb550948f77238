"""Large programs: an interpreter in machine code, each instruction for 64 samples at once.

Compiling straight-line code takes more than linear time, this none beyond the interpreter's own: one short routine for
each row that the program uses, and for each way in which its arguments come (a number per sample, or one for all). 64
samples at a time make the way to the next instruction cheap; places are used again, so that what is still needed stays
in the processor's caches. Imports passes, llvm, library and NumPy.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from micrograd_bp.compiler.library import PURE, Library, declarations
from micrograd_bp.compiler.llvm import Writer
from micrograd_bp.compiler.passes import Code
from micrograd_bp.op import Op

_INPUT, _SPREAD, _STORE, _SUM = range(4)  # instructions that are no rows
_KINDS = (*[ctypes.c_void_p] * 7, ctypes.c_int64, ctypes.c_int64)

Routine = tuple[Op, tuple[bool, ...]]  # a row, and which of its arguments are the same for all samples


class Interpreter:
    """Runs a tape for `lanes` samples at a time: stores the first `each` results, adds the others up over samples."""

    LANES = 64

    def __init__(self, code: Code, each: int, lanes: int, fast_math: bool) -> None:
        self.lanes = lanes
        self._constants = np.array(list(code.tape.constants.values()))
        self._program, self.places, routines = assembled(code, each)
        text, called = _interpreter(routines, lanes, fast_math)
        self.library = Library("\n".join([text, declarations(called, lanes), PURE, ""]))
        self._function = self.library.function("interpreter", *_KINDS)

    def run(self, x: int, p: Any, out: int, sums: Any, count: int, stride: int) -> None:
        """`count` samples; what is stored goes on to the end of a group of lanes. `sums` None: nothing is added up."""
        shared = np.concatenate([p, self._constants])
        frame = np.zeros(self.places * self.lanes)
        mask = np.ones(self.lanes)
        totals = None if sums is None else sums.ctypes.data
        data = (self._program, frame, shared, mask)
        program, places, numbers, kept = [array.ctypes.data for array in data]
        for first in range(0, count, self.lanes):
            mask[count - first :] = 0.0
            at = 8 * first
            self._function(program, places, numbers, x + at, out + at, totals, kept, len(self._program), stride)


def assembled(code: Code, each: int) -> tuple[Any, int, list[Routine]]:
    """The instructions (number, result, arguments), how many places they need, and the routines they are numbered by.

    Parameters and constants are not in places: they follow one another in an array of their own.
    """
    tape = code.tape
    shared = {place: k for k, place in enumerate([*tape.parameters, *tape.constants])}
    inputs = {place: k for k, place in enumerate(tape.inputs)}
    wanted: dict[int, list[int]] = {}
    for k, place in enumerate(code.results):
        wanted.setdefault(place, []).append(k)
    last = {arg: place for place, args in enumerate(tape.args) for arg in args}
    routines: dict[Routine, int] = {}
    lines: list[tuple[int, int, int, int, int]] = []
    held: dict[int, int] = {}
    free: list[int] = []
    size = 0

    def take() -> int:
        nonlocal size
        if free:
            return free.pop()
        size += 1
        return size - 1

    for place, op in enumerate(tape.ops):
        args, borrowed = tape.args[place], []
        if op is None:
            if place in inputs:
                held[place] = take()
                lines.append((_INPUT, held[place], inputs[place], 0, 0))
            elif place in wanted:
                held[place] = take()
                lines.append((_SPREAD, held[place], shared[place], 0, 0))
        else:
            kinds = tuple([arg in shared for arg in args])
            where = [shared.get(arg, held.get(arg, 0)) for arg in args]
            if all(kinds) or len(args) > 2:
                for k, arg in enumerate(args):
                    if kinds[k]:
                        borrowed.append(take())
                        lines.append((_SPREAD, borrowed[-1], shared[arg], 0, 0))
                        where[k] = borrowed[-1]
                kinds = (False,) * len(args)
            number = _SUM + 1 + routines.setdefault((op, kinds), len(routines))
            held[place] = take()
            first, second, third = [*where, 0, 0, 0][:3]
            lines.append((number, held[place], first, second, third))
        for k in wanted.get(place, ()):
            lines.append((_STORE if k < each else _SUM, held[place], k if k < each else k - each, 0, 0))
        free += borrowed
        for arg in {*args, place}:
            if arg in held and last.get(arg, place) <= place:
                free.append(held.pop(arg))
    return np.array(lines, dtype=np.int32).reshape(-1, 5), max(size, 1), list(routines)


def _interpreter(routines: list[Routine], lanes: int, fast_math: bool) -> tuple[str, dict[str, int]]:
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
            _add_up(writer)
        else:
            op, kinds = routines[k - _SUM - 1]
            places = zip("abc", kinds, strict=False)
            args = [
                writer.spread("%shared", f"%{arg}") if same else writer.load("%frame", f"%{arg}.place")
                for arg, same in places
            ]
            writer.store(writer.apply(op, tuple(args)), "%frame", "%result.place")
        lines.append("  br label %latch")
    lines += ["latch:", "  %next = add i64 %i, 1", "  br label %head", "end:", "  ret void", "}"]
    if lanes > 1:
        lines.append(f"declare double @llvm.vector.reduce.fadd.v{lanes}f64(double, {writer.kind})")
    return "\n".join(lines), writer.called


def _add_up(writer: Writer) -> None:
    """sums[a] += the lanes of a place that hold samples."""
    kind, zero = writer.kind, writer.constant(0.0)
    total = writer.set(f"select {writer.bits} %on, {kind} {writer.load('%frame', '%result.place')}, {kind} {zero}")
    if writer.lanes > 1:
        call = f"call reassoc double @llvm.vector.reduce.fadd.v{writer.lanes}f64(double -0.0, {kind} {total})"
        total = writer.set(call)
    pointer = writer.at("%sums", "%a")
    before = writer.set(f"load double, ptr {pointer}, align 8")
    writer.lines.append(f"  store double {writer.set(f'fadd double {before}, {total}')}, ptr {pointer}, align 8")
