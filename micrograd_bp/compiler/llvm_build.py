"""Machine code from LLVM IR through llvmlite: compiling, and vector versions of C functions.

The vector versions come from vector_math.py or from glibc's libmvec where it is installed.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from micrograd_bp._version import __version__
from micrograd_bp.compiler import code_cache
from micrograd_bp.compiler.llvm_ir import OWN, Writer, function
from micrograd_bp.compiler.vector_math import definition
from micrograd_bp.engine.forks import held_over_forks
from micrograd_bp.errors import MissingExtraError

compiling = threading.RLock()  # held while code is compiled: LLVM serves one thread at a time, and a fork waits
WORTH = 0.05  # seconds; code that takes longer to compile is cached on disk
LEVEL = 2  # of optimisation
PASSES = {"speed_level": LEVEL, "loop_unrolling": False, "loop_vectorization": False}  # each is part of the cache's key
PART = 8  # lanes of a vector function; wider vectors are split
_ATTRIBUTES = """attributes #0 = { nounwind willreturn memory(none) }
attributes #1 = { nounwind willreturn memory(none) alwaysinline }
attributes #2 = { nobuiltin nounwind willreturn memory(none) }
"""


def linked(text: str, writer: Writer) -> Library:
    """Compile a program together with the functions that it calls."""
    with compiling:
        return Library("\n".join([text, *dict.fromkeys(_functions(writer)), _ATTRIBUTES]), writer.lanes == 1)


def _functions(writer: Writer) -> list[str]:
    """Return the declarations or definitions of the functions that a program calls."""
    lanes, lines = writer.lanes, list[str]()
    for name, arity in sorted(writer.called.items()):
        symbol = function(name, lanes, writer.own)
        if writer.own and name in OWN and lanes <= PART:
            text, inner = definition(name, lanes)
            lines += [text, *_functions(inner)]
        elif lanes == 1 or symbol.startswith("llvm."):
            kept = (
                "#2" if name == "pow" else "#0"
            )  # keeps LLVM from replacing it by exp2 or sqrt, which round differently
            lines.append(f"declare {writer.kind} @{symbol}({', '.join([writer.kind] * arity)}) {kept}")
        else:
            lines += _for_lanes(name, arity, lanes)
    return lines


def _for_lanes(name: str, arity: int, lanes: int) -> list[str]:
    """Return the definition of `@lanesN.name`, which splits its vector for a narrower function."""
    whole = f"<{lanes} x double>"
    if name in OWN:
        text, inner = definition(name, PART)
        symbol, width, needed = function(name, PART, own=True), PART, [text, *_functions(inner)]
    else:
        symbol, width = _platform(name, arity, lanes)
        needed = []
    part = "double" if width == 1 else f"<{width} x double>"
    if not needed:
        needed = [f"declare {part} @{symbol}({', '.join([part] * arity)}) #0"]
    arguments = ", ".join(f"{whole} %a{k}" for k in range(arity))
    lines = [f"define internal {whole} @{function(name, lanes, own=True)}({arguments}) {{"]
    result = "poison"
    for start in range(0, lanes, width):
        mask = f"<{width} x i32> <{', '.join(f'i32 {start + j}' for j in range(width))}>"
        for k in range(arity):
            cut = f"extractelement {whole} %a{k}, i64 {start}"
            if width > 1:
                cut = f"shufflevector {whole} %a{k}, {whole} poison, {mask}"
            lines.append(f"  %x{k}.{start} = {cut}")
        given = ", ".join(f"{part} %x{k}.{start}" for k in range(arity))
        lines.append(f"  %y{start} = call {part} @{symbol}({given}) #0")
        if width == 1:
            lines.append(f"  %r{start} = insertelement {whole} {result}, double %y{start}, i64 {start}")
        else:
            wide = ", ".join(f"i32 {j}" if j < width else "i32 poison" for j in range(lanes))
            lines.append(f"  %w{start} = shufflevector {part} %y{start}, {part} poison, <{lanes} x i32> <{wide}>")
            mixed = ", ".join(f"i32 {lanes + j - start if start <= j < start + width else j}" for j in range(lanes))
            lines.append(f"  %r{start} = shufflevector {whole} {result}, {whole} %w{start}, <{lanes} x i32> <{mixed}>")
        result = f"%r{start}"
    return [*needed, "\n".join([*lines, f"  ret {whole} {result}", "}"])]


@cache
def _platform(name: str, arity: int, lanes: int) -> tuple[str, int]:
    """Return the symbol and width of libmvec's function for this processor, or else the C function's and 1."""
    features = binding().get_host_cpu_features()
    letter, width = ("e", 8) if features.get("avx512f") else ("d", 4) if features.get("avx2") else ("b", 2)
    symbol = f"_ZGV{letter}N{width}{'v' * arity}_{name}"
    return (symbol, width) if width <= lanes and _has(symbol) else (name, 1)


@cache
def _has(symbol: str) -> bool:
    """Load libmvec, and return whether it has the function."""
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return False
    if not hasattr(library, symbol):
        return False
    binding().load_library_permanently("libmvec.so.1")
    return True


@cache
def binding() -> Any:
    """Return llvmlite's binding of LLVM. Raises MissingExtraError without llvmlite."""
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise MissingExtraError("machine code needs llvmlite:  pip install 'micrograd_bp[native]'") from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@contextmanager
def _idle() -> Iterator[None]:
    """Hold our lock, then the one that llvmlite holds in each call, also when it frees code that is no longer used."""
    ffi = sys.modules.get("llvmlite.binding.ffi")
    with compiling, getattr(getattr(ffi, "lib", None), "_lock", nullcontext()):
        yield


held_over_forks(_idle)


class Library:
    """The machine code of an LLVM module, which lives as long as this object.

    With `pack`, LLVM combines equal instructions on neighbouring numbers (SLP vectorisation), which keeps all bits.
    """

    def __init__(self, text: str, pack: bool) -> None:
        llvm = binding()
        module = llvm.parse_assembly(text)
        module.verify()
        features = llvm.get_host_cpu_features().flatten()
        cpu = llvm.get_host_cpu_name()
        passes = PASSES | {"slp_vectorization": pack}
        versions = f"micrograd_bp {__version__}, LLVM {llvm.llvm_version_info}"
        key = f"{versions}\n{passes}\n{cpu} {features}\n{text}"
        code, start = code_cache.read(key), time.perf_counter()
        machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=LEVEL)
        if code is None:
            options = llvm.create_pipeline_tuning_options()
            for name, setting in passes.items():
                setattr(options, name, setting)
            builder = llvm.create_pass_builder(machine, options)
            builder.getModulePassManager().run(module, builder)
            code = machine.emit_object(module)
            if time.perf_counter() - start > WORTH:
                code_cache.write(key, code)
        self.code_bytes = len(code)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def function(self, name: str, *kinds: Any) -> Any:
        """Return a void function for ctypes; calls release Python's global lock. `kinds` are the argument types."""
        return ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))
