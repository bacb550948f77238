"""A tape as LLVM IR: the operations' C99 forms become instructions on doubles, or on vectors with one sample per lane.

Nothing is reordered or contracted, so the results equal those of the Python backend bit for bit wherever both call the
same C function. Vectors and `fast_math` call the functions of `vector_math.py` for the operations in `OWN`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from micrograd_bp.compiler.c_expressions import tree, written
from micrograd_bp.compiler.passes import Code

_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_COMPARISONS = {"<": "olt", ">": "ogt", "<=": "ole", ">=": "oge", "==": "oeq", "!=": "une"}
_INTRINSICS = {"fabs", "sqrt", "copysign", "fmuladd"}
OWN = ("exp", "log", "logistic_density", "sigmoid", "tanh")
"""The operations that vector_math.py implements."""


class Writer:
    """Writes instructions on doubles (`lanes` = 1) or on vectors of `lanes` doubles.

    `called` maps each function that was called to its number of arguments. With `own`, the functions in `OWN` are those
    of vector_math.py.
    """

    def __init__(self, lanes: int, fast_math: bool = False, own: bool = False) -> None:
        self.lanes = lanes
        self.flags = " contract arcp" if fast_math else ""
        self.own = own or lanes > 1 or fast_math
        self.kind, self.bits, self.integers = [
            kind if lanes == 1 else f"<{lanes} x {kind}>" for kind in ("double", "i1", "i64")
        ]
        self.lines: list[str] = []
        self.called: dict[str, int] = {}
        self._count = 0

    def set(self, instruction: str) -> str:
        """Append an instruction and return the name of its result."""
        self._count += 1
        self.lines.append(f"  %t{self._count} = {instruction}")
        return f"%t{self._count}"

    def constant(self, number: float) -> str:
        """Return a constant with the number in every lane."""
        text = f"0x{struct.pack('>d', number).hex().upper()}"
        return text if self.lanes == 1 else f"<{', '.join([f'double {text}'] * self.lanes)}>"

    def integer(self, number: int) -> str:
        """Return a constant with the integer in every lane."""
        return str(number) if self.lanes == 1 else f"<{', '.join([f'i64 {number}'] * self.lanes)}>"

    def at(self, array: str, index: str) -> str:
        """Return a pointer to a double of an array."""
        return self.set(f"getelementptr double, ptr {array}, i64 {index}")

    def load(self, array: str, index: str) -> str:
        """Load one double per lane."""
        return self.set(f"load {self.kind}, ptr {self.at(array, index)}, align 8")

    def store(self, value: str, array: str, index: str) -> None:
        """Store one double per lane."""
        self.lines.append(f"  store {self.kind} {value}, ptr {self.at(array, index)}, align 8")

    def spread(self, array: str, index: str) -> str:
        """Load one double into every lane."""
        single = self.set(f"load double, ptr {self.at(array, index)}, align 8")
        if self.lanes == 1:
            return single
        first = self.set(f"insertelement {self.kind} poison, double {single}, i64 0")
        return self.set(f"shufflevector {self.kind} {first}, {self.kind} poison, <{self.lanes} x i32> zeroinitializer")

    def apply(self, op: Any, args: tuple[str, ...]) -> str:
        """Apply an operation."""
        if self.own and op.name in OWN:
            return self.call(op.name, args)
        text: str = written(tree(op), args, self._write)
        return text

    def call(self, name: str, args: Sequence[str]) -> str:
        """Call a C function, an LLVM intrinsic, or a function of vector_math.py."""
        self.called[name] = len(args)
        given = ", ".join(f"{self.kind} {arg}" for arg in args)
        return self.set(f"call {self.kind} @{function(name, self.lanes, self.own)}({given})")

    def _write(self, kind: str, value: Any, parts: tuple[str, ...]) -> str:
        typed = [f"{self.kind} {part}" for part in parts]
        if kind == "number":
            return self.constant(value)
        if kind == "unary":
            return self.set(f"fneg {typed[0]}")
        if kind == "choose":
            return self.set(f"select {self.bits} {parts[0]}, {typed[1]}, {typed[2]}")
        if kind == "call":
            return self.call(value, parts)
        if value in _ARITHMETIC:
            return self.set(f"{_ARITHMETIC[value]}{self.flags} {typed[0]}, {parts[1]}")
        if value in _COMPARISONS:
            return self.set(f"fcmp {_COMPARISONS[value]} {typed[0]}, {parts[1]}")
        return self.set(f"{'or' if value == '||' else 'and'} {self.bits} {parts[0]}, {parts[1]}")


def function(name: str, lanes: int, own: bool) -> str:
    """Return the LLVM symbol of the C function `name`."""
    if name in _INTRINSICS:
        return f"llvm.{name}.f64" if lanes == 1 else f"llvm.{name}.v{lanes}f64"
    return f"lanes{lanes}.{name}" if lanes > 1 or (own and name in OWN) else name


def program(code: Code, lanes: int, each: int, fast_math: bool = False) -> tuple[str, Writer]:
    """Return the text of two functions, and the writer that knows which functions they call.

    `void program(x, p, out, sums, count, stride)` computes `count` groups of `lanes` samples. Input j of sample i is
    x[j * stride + i]. The first `each` results are stored in out[k * stride + i]; the others are added to
    sums[k * lanes + lane]. With one lane there is one sample, and the stride is 1.
    `void single(arrays)` computes one group without sums; `arrays` holds the addresses of x, p and out.
    """
    tape, writer = code.tape, Writer(lanes, fast_math)
    texts = {index: writer.constant(x) for index, x in tape.constants.items()}
    wanted: dict[int, list[int]] = {}
    for k, index in enumerate(code.results):
        wanted.setdefault(index, []).append(k)
    parameters = {index: j for j, index in enumerate(tape.parameters)}
    inputs = {index: j for j, index in enumerate(tape.inputs)}
    writer.lines.append(f"  %first = mul i64 %i, {lanes}")
    for index, op in enumerate(tape.ops):
        if op is not None:
            texts[index] = writer.apply(op, tuple([texts[arg] for arg in tape.args[index]]))
        elif index in parameters:
            texts[index] = writer.spread("%p", str(parameters[index]))
        elif index in inputs:
            texts[index] = writer.load("%x", _index(writer, inputs[index]))
        for k in wanted.get(index, ()):  # at once, so that no register has to keep it
            if k < each:
                writer.store(texts[index], "%out", _index(writer, k))
            else:
                at = str((k - each) * lanes)
                before = writer.load("%sums", at)
                writer.store(writer.set(f"fadd {writer.kind} {before}, {texts[index]}"), "%sums", at)
    head = "ptr noalias %x, ptr noalias %p, ptr noalias %out, ptr noalias %sums, i64 %count, i64 %stride"
    lines = [
        f"define void @program({head}) noinline {{",
        "entry:",
        "  %any = icmp sgt i64 %count, 0",
        "  br i1 %any, label %group, label %end",
        "group:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %group ]",
        *writer.lines,
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %group, label %end",
        "end:",
        "  ret void",
        "}",
        "define void @single(ptr %arrays) {",
        *[f"  %at{k} = getelementptr ptr, ptr %arrays, i64 {k}\n  %a{k} = load ptr, ptr %at{k}" for k in range(3)],
        "  call void @program(ptr %a0, ptr %a1, ptr %a2, ptr null, i64 1, i64 1)",
        "  ret void",
        "}",
    ]
    return "\n".join(lines), writer


def _index(writer: Writer, k: int) -> str:
    if writer.lanes == 1:
        return str(k)  # a constant shows LLVM that results are adjacent and distinct
    row = writer.set(f"mul i64 %stride, {k}")
    return writer.set(f"add i64 {row}, %first")
