"""An interpreter in machine code for large programs; each instruction computes 64 samples.

Compiling straight-line code takes more than linear time. The interpreter has one short routine for each operation that
the program uses and for each kind of its arguments (one number per sample, or one for all samples), so its compile time
does not grow with the program. With 64 samples per instruction the dispatch is cheap. Sums of products, and products
that are summed over the samples, are loops of their own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_bp import ops
from micrograd_bp.compiler.bytecode import INPUT, SPREAD, STORE, SUM, Routine, assemble
from micrograd_bp.compiler.llvm_build import linked
from micrograd_bp.compiler.llvm_ir import Writer
from micrograd_bp.compiler.numpy_batches import aligned
from micrograd_bp.compiler.passes import Code
from micrograd_bp.ops.op import Op

_ARGUMENTS = "abcdefghijklmnopqrstuvwxyz"
_KINDS = (*[ctypes.c_void_p] * 8, ctypes.c_int64, ctypes.c_int64)


class Interpreter:
    """Runs a tape for `lanes` samples at a time: it stores the first `each` results and sums the others."""

    LANES = 64

    def __init__(self, code: Code, each: int, lanes: int, fast_math: bool) -> None:
        self.lanes = lanes
        self._constants = np.array(list(code.tape.constants.values()))
        self._program, self._factors, self.registers, routines = assemble(code, each)
        self.library = linked(*_interpreter(routines, self._program.shape[1], lanes, fast_math))
        self._function = self.library.function("interpreter", *_KINDS)

    def run(self, x: int, p: Any, out: int, sums: Any, count: int, stride: int) -> None:
        """Compute `count` samples. The stores fill whole groups of lanes, beyond `count` if it is no multiple."""
        shared = np.concatenate([p, self._constants])
        frame = aligned(self.registers * self.lanes)
        mask = np.full(self.lanes, -1)
        totals = sums.ctypes.data
        data = (self._program, self._factors, frame, shared, mask)
        program, factors, registers, numbers, kept = [array.ctypes.data for array in data]
        for first in range(0, count, self.lanes):
            mask[count - first :] = 0
            at = 8 * first
            given = (program, factors, registers, numbers, x + at, out + at, totals, kept, len(self._program), stride)
            self._function(*given)

    def caller(self, work: Any) -> Callable[[], None]:
        """Return a function that computes the sample in `work`."""
        x, _, out = work.addresses.tolist()
        nothing = np.empty(0)
        return lambda: self.run(x, work.p, out, nothing, 1, 1)


def _interpreter(routines: list[Routine], width: int, lanes: int, fast_math: bool) -> tuple[str, Writer]:
    """Return the text of `void interpreter(program, factors, frame, shared, x, out, sums, mask, count, stride)`."""
    writer = Writer(lanes, fast_math)
    lines = writer.lines
    lines += [
        "define void @interpreter(ptr noalias readonly %program, ptr noalias readonly %factors, ptr noalias %frame, "
        "ptr noalias readonly %shared, ptr noalias readonly %x, ptr noalias %out, ptr noalias %sums, "
        "ptr noalias readonly %mask, i64 %count, i64 %stride) {",
        "entry:",
        "  br label %head",
        "head:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %latch ]",
        "  %more = icmp slt i64 %i, %count",
        "  br i1 %more, label %body, label %end",
        "body:",
        f"  %at = mul i64 %i, {width}",
    ]
    for k, name in enumerate(("number", "result", *_ARGUMENTS[: width - 2])):
        read = _integer(writer, "%program", writer.set(f"add i64 %at, {k}"))
        lines.append(f"  %{name} = add i64 {read}, 0")
    lines.append(f"  %result.offset = mul i64 %result, {lanes}")
    lines.append("  %a.offset = mul i64 %a, %stride")
    count = SUM + 1 + len(routines)
    cases = " ".join(f"i64 {k}, label %case{k}" for k in range(count))
    lines.append(f"  switch i64 %number, label %end [ {cases} ]")
    for k in range(count):
        lines.append(f"case{k}:")
        if k == INPUT:
            writer.store(writer.load("%x", "%a.offset"), "%frame", "%result.offset")
        elif k == SPREAD:
            writer.store(writer.spread("%shared", "%a"), "%frame", "%result.offset")
        elif k == STORE:
            writer.store(writer.load("%frame", "%result.offset"), "%out", "%a.offset")
        elif k == SUM:
            _add_up(writer, _of_samples(writer, writer.load("%frame", "%result.offset")), "%a")
        else:
            _routine(writer, k, *routines[k - SUM - 1])
        lines.append("  br label %latch")
    lines += ["latch:", "  %next = add i64 %i, 1", "  br label %head", "end:", "  ret void", "}"]
    if lanes > 1:
        lines.append(f"declare double @llvm.vector.reduce.fadd.v{lanes}f64(double, {writer.kind})")
    return "\n".join(lines), writer


def _routine(writer: Writer, k: int, form: str, op: Op, kinds: tuple[bool, ...]) -> None:
    """Write the routine of an instruction."""

    def taken(same: bool, index: str) -> str:
        if same:
            return writer.spread("%shared", index)
        return writer.load("%frame", writer.set(f"mul i64 {index}, {writer.lanes}"))

    def applied(args: list[str]) -> str:
        """Apply the operation; a guarded product, whose guard comes first, is 0 where the guard is 0."""
        if not guarded:
            return writer.apply(op, tuple(args))
        return writer.apply(ops.where, (args[0], writer.apply(op, tuple(args[1:])), writer.constant(0.0)))

    guarded = form.endswith("guarded")
    if form.startswith("single"):
        args = [taken(same, f"%{arg}") for arg, same in zip(_ARGUMENTS, kinds, strict=False)]
        writer.store(applied(args), "%frame", "%result.offset")
        return
    first = taken(kinds[0], "%a")
    heads = [first]
    if form == "totals guarded":
        heads = [
            _of_samples(writer, first),
            taken(kinds[1], "%d"),
        ]  # so that each product is 0 in lanes without a sample
    writer.lines += [
        f"  br label %pair{k}",
        f"pair{k}:",
        f"  %from{k} = phi i64 [ %b, %case{k} ], [ %to{k}, %pair{k} ]",
    ]
    if form.startswith("chain"):
        writer.lines.append(f"  %before{k} = phi {writer.kind} [ {first}, %case{k} ], [ %after{k}, %pair{k} ]")
    step = 3 if form == "chain guarded" else 2
    pair = [_integer(writer, "%factors", writer.set(f"add i64 %from{k}, {n}")) for n in range(step)]
    if form.startswith("chain"):
        product = applied([taken(same, index) for same, index in zip(kinds[1:], pair, strict=True)])
        writer.lines.append(f"  %after{k} = fadd{writer.flags} {writer.kind} %before{k}, {product}")
    else:
        product = applied([*heads, taken(kinds[-1], pair[0])])
        _add_up(writer, product if guarded else _of_samples(writer, product), pair[1])
    writer.lines += [
        f"  %to{k} = add i64 %from{k}, {step}",
        f"  %more{k} = icmp slt i64 %to{k}, %c",
        f"  br i1 %more{k}, label %pair{k}, label %done{k}",
        f"done{k}:",
    ]
    if form.startswith("chain"):
        writer.store(f"%after{k}", "%frame", "%result.offset")


def _integer(writer: Writer, array: str, index: str) -> str:
    """Load an integer from an array of 32-bit integers."""
    pointer = writer.set(f"getelementptr i32, ptr {array}, i64 {index}")
    return writer.set(f"sext i32 {writer.set(f'load i32, ptr {pointer}, align 4')} to i64")


def _add_up(writer: Writer, value: str, index: str) -> None:
    """Add the sum of a value's lanes to sums[index]."""
    if writer.lanes > 1:
        call = f"call reassoc double @llvm.vector.reduce.fadd.v{writer.lanes}f64(double -0.0, {writer.kind} {value})"
        value = writer.set(call)
    pointer = writer.at("%sums", index)
    before = writer.set(f"load double, ptr {pointer}, align 8")
    writer.lines.append(f"  store double {writer.set(f'fadd double {before}, {value}')}, ptr {pointer}, align 8")


def _of_samples(writer: Writer, value: str) -> str:
    """Return the value with 0 in the lanes that hold no sample."""
    integers = writer.integers
    mask = writer.set(f"load {integers}, ptr %mask, align 8")
    bits = writer.set(f"bitcast {writer.kind} {value} to {integers}")
    kept = writer.set(f"and {integers} {bits}, {mask}")
    return writer.set(f"bitcast {integers} {kept} to {writer.kind}")
