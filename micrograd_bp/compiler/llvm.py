"""A tape as machine code, through LLVM: the rows' C99 forms as instructions, others from the C library.

Nothing is reordered or contracted: the results are those of the replay in plain Python, bit for bit, wherever both call
the same C function. Imports passes, native, errors and op.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

from micrograd_bp.compiler.native import tree, written
from micrograd_bp.compiler.passes import Code, operations
from micrograd_bp.errors import MissingExtraError

_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_COMPARISONS = {"<": "olt", ">": "ogt", "<=": "ole", ">=": "oge", "==": "oeq", "!=": "une"}
_INTRINSICS = {"fabs": "llvm.fabs.f64", "sqrt": "llvm.sqrt.f64"}
_UNOPTIMISED = 5_000  # operations; optimising straight-line code takes more than linear time


class Machine:
    """Machine code for a tape: called with numbers as the replay is; `batch` goes through many samples without the
    interpreter's lock. Raises MissingExtraError without llvmlite."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.inputs = len(code.tape.inputs)
        self.outputs = len(code.results)
        self._engine, self._function = _compiled(assembly(code), operations(code.tape) > _UNOPTIMISED)

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """The results; parameters are read now."""
        x, out = (ctypes.c_double * self.inputs)(*inputs), (ctypes.c_double * self.outputs)()
        self._function(x, self._parameters(), out, 1)
        return list(out)

    def batch(self, samples: Any, results: Any, count: int) -> None:
        """From memory of `count` rows of inputs to `count` rows of results, both contiguous doubles (pointers)."""
        self._function(samples, self._parameters(), results, count)

    def _parameters(self) -> Any:
        numbers = [p.data for p in self.code.tape.parameters.values()]
        return (ctypes.c_double * len(numbers))(*numbers)


def assembly(code: Code) -> str:
    """LLVM's text of `void program(x, parameters, out, count)`: a loop over samples around the tape's operations."""
    writer = _Writer(code)
    called = sorted(writer.called.items())
    declared = [f"declare double @{name}({', '.join(['double'] * arity)}) #0" for name, arity in called]
    return "\n".join(
        [
            "define void @program(ptr noalias %x, ptr noalias %p, ptr noalias %out, i64 %count) {",
            "entry:",
            *writer.before,
            "  %any = icmp sgt i64 %count, 0",
            "  br i1 %any, label %sample, label %end",
            "sample:",
            "  %i = phi i64 [ 0, %entry ], [ %next, %sample ]",
            *writer.lines,
            "  %next = add i64 %i, 1",
            "  %more = icmp slt i64 %next, %count",
            "  br i1 %more, label %sample, label %end",
            "end:",
            "  ret void",
            "}",
            *declared,
            "attributes #0 = { nounwind willreturn memory(none) }",
            "",
        ]
    )


class _Writer:
    """Instructions for the operations of a tape; `before` those that every sample shares."""

    def __init__(self, code: Code) -> None:
        tape = code.tape
        self.before: list[str] = []
        self.lines: list[str] = []
        self.called: dict[str, int] = {}
        self.count = 0
        texts: dict[int, str] = {place: _double(x) for place, x in tape.constants.items()}
        for i, place in enumerate(tape.parameters):
            texts[place] = self._load(self.before, "%p", str(i))
        self.lines.append(f"  %row = mul i64 %i, {len(tape.inputs)}")
        for i, place in enumerate(tape.inputs):
            texts[place] = self._load(self.lines, "%x", self._set(self.lines, f"add i64 %row, {i}"))
        for place, op in enumerate(tape.ops):
            if op is not None:
                args = tuple([texts[arg] for arg in tape.args[place]])
                texts[place] = written(tree(op), args, self._write)
        self.lines.append(f"  %result = mul i64 %i, {len(code.results)}")
        for i, place in enumerate(code.results):
            where = self._set(self.lines, f"add i64 %result, {i}")
            pointer = self._set(self.lines, f"getelementptr double, ptr %out, i64 {where}")
            self.lines.append(f"  store double {texts[place]}, ptr {pointer}")

    def _set(self, lines: list[str], instruction: str) -> str:
        self.count += 1
        lines.append(f"  %t{self.count} = {instruction}")
        return f"%t{self.count}"

    def _load(self, lines: list[str], array: str, index: str) -> str:
        pointer = self._set(lines, f"getelementptr double, ptr {array}, i64 {index}")
        return self._set(lines, f"load double, ptr {pointer}")

    def _write(self, kind: str, value: Any, parts: tuple[str, ...]) -> str:
        if kind == "number":
            return _double(value)
        if kind == "unary":
            return self._set(self.lines, f"fneg double {parts[0]}")
        if kind == "choose":
            return self._set(self.lines, f"select i1 {parts[0]}, double {parts[1]}, double {parts[2]}")
        if kind == "call":
            name = _INTRINSICS.get(value, value)
            self.called[name] = len(parts)
            return self._set(self.lines, f"call double @{name}({', '.join(f'double {part}' for part in parts)})")
        if value in _ARITHMETIC:
            return self._set(self.lines, f"{_ARITHMETIC[value]} double {parts[0]}, {parts[1]}")
        if value in _COMPARISONS:
            return self._set(self.lines, f"fcmp {_COMPARISONS[value]} double {parts[0]}, {parts[1]}")
        return self._set(self.lines, f"{'or' if value == '||' else 'and'} i1 {parts[0]}, {parts[1]}")


def _double(number: float) -> str:
    return f"0x{struct.pack('>d', number).hex().upper()}"


def _compiled(text: str, fast: bool) -> tuple[Any, Any]:
    """The engine, which owns the code, and the function."""
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise MissingExtraError("machine code needs llvmlite:  pip install 'micrograd_bp[native]'") from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=0 if fast else 2
    )
    if not fast:
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    return engine, kind(engine.get_function_address("program"))
