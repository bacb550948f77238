"""A tape as LLVM's text: the rows' C99 forms as instructions on doubles, or on lanes of doubles, a sample in each.

Nothing is reordered or contracted: the results are those of the replay in plain Python, bit for bit, wherever both call
the same C function. Lanes, and `fast_math`, call `OWN` functions where there are such.
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
OWN = ("exp", "log", "sigmoid", "tanh")
"""The rows that vector_math.py has functions for."""


class Writer:
    """Instructions on values of one kind: doubles (`lanes` 1) or vectors of them.

    `called`: the functions that were, and of how many arguments; `own`: whether `OWN` ones are.
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
        """The name of what the instruction gives."""
        self._count += 1
        self.lines.append(f"  %t{self._count} = {instruction}")
        return f"%t{self._count}"

    def constant(self, number: float) -> str:
        """A number in every lane."""
        text = f"0x{struct.pack('>d', number).hex().upper()}"
        return text if self.lanes == 1 else f"<{', '.join([f'double {text}'] * self.lanes)}>"

    def integer(self, number: int) -> str:
        """An integer in every lane."""
        return str(number) if self.lanes == 1 else f"<{', '.join([f'i64 {number}'] * self.lanes)}>"

    def at(self, array: str, index: str) -> str:
        """A pointer to a double of an array."""
        return self.set(f"getelementptr double, ptr {array}, i64 {index}")

    def load(self, array: str, index: str) -> str:
        """As many doubles as there are lanes, from memory."""
        return self.set(f"load {self.kind}, ptr {self.at(array, index)}, align 8")

    def store(self, value: str, array: str, index: str) -> None:
        """As many doubles as there are lanes, to memory."""
        self.lines.append(f"  store {self.kind} {value}, ptr {self.at(array, index)}, align 8")

    def spread(self, array: str, index: str) -> str:
        """One double from memory, in every lane."""
        single = self.set(f"load double, ptr {self.at(array, index)}, align 8")
        if self.lanes == 1:
            return single
        first = self.set(f"insertelement {self.kind} poison, double {single}, i64 0")
        return self.set(f"shufflevector {self.kind} {first}, {self.kind} poison, <{self.lanes} x i32> zeroinitializer")

    def apply(self, op: Any, args: tuple[str, ...]) -> str:
        """A row."""
        if self.own and op.name in OWN:
            return self.call(op.name, args)
        text: str = written(tree(op), args, self._write)
        return text

    def call(self, name: str, args: Sequence[str]) -> str:
        """A C function, one of LLVM's, or an own one."""
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
    """What a function is called as: `name` is the C library's."""
    if name in _INTRINSICS:
        return f"llvm.{name}.f64" if lanes == 1 else f"llvm.{name}.v{lanes}f64"
    return f"lanes{lanes}.{name}" if lanes > 1 or (own and name in OWN) else name


def program(code: Code, lanes: int, each: int, fast_math: bool = False) -> tuple[str, Writer]:
    """`void program(x, p, out, sums, count, stride)`, and the writer that knows which functions it calls.

    For each of `count` groups of samples, as many as there are lanes: input j of sample i is x[j * stride + i]; the
    first `each` results go to out[k * stride + i], the others are added to sums[k * lanes + lane]. With one lane, there
    is one sample, and the stride 1.
    `void single(arrays)` does one group, where no sums are, between x, p and out in an array of addresses.
    """
    tape, writer = code.tape, Writer(lanes, fast_math)
    texts = {place: writer.constant(x) for place, x in tape.constants.items()}
    wanted: dict[int, list[int]] = {}
    for k, place in enumerate(code.results):
        wanted.setdefault(place, []).append(k)
    parameters = {place: j for j, place in enumerate(tape.parameters)}
    inputs = {place: j for j, place in enumerate(tape.inputs)}
    writer.lines.append(f"  %first = mul i64 %i, {lanes}")
    for place, op in enumerate(tape.ops):
        if op is not None:
            texts[place] = writer.apply(op, tuple([texts[arg] for arg in tape.args[place]]))
        elif place in parameters:
            texts[place] = writer.spread("%p", str(parameters[place]))
        elif place in inputs:
            texts[place] = writer.load("%x", _index(writer, inputs[place]))
        for k in wanted.get(place, ()):  # as soon as it is known, so that it need not be kept
            if k < each:
                writer.store(texts[place], "%out", _index(writer, k))
            else:
                at = str((k - each) * lanes)
                before = writer.load("%sums", at)
                writer.store(writer.set(f"fadd {writer.kind} {before}, {texts[place]}"), "%sums", at)
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
        return str(k)  # LLVM sees then that results lie beside each other, and that none is another
    row = writer.set(f"mul i64 %stride, {k}")
    return writer.set(f"add i64 {row}, %first")
