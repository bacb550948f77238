"""The build hook: mypyc compiles the core of a wheel where there is a C compiler; otherwise the wheel is plain Python.

With MICROGRAD_BP_BUILD=compiled, a failed compilation is an error; with MICROGRAD_BP_BUILD=pure, nothing is compiled.
An editable installation is plain Python. The hook writes nothing into the source tree.

`python hatch_build.py FOLDER` compiles the copy of the package in FOLDER in place. The hook runs this command in a
process of its own, since it imports the package.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MYPYC = "mypy[mypyc]>=2.4,<2.5"  # earlier versions raise SystemError where a property refuses a value
FORMS = ("compiled", "pure")
MODULES = (
    "ops/ieee",
    "ops/op",
    "ops/slopes",
    "engine/number",
    "engine/node",
    "engine/chain",
    "engine/value",
    "nn/leaves",
    "autodiff/levels",
    "autodiff/dual",
)
# ops/table is not compiled, since its rules accept any kind of number; the generated `slopes` has them for floats.
CHECKED_AS = ["--config-file=", "--python-version=3.11", "--ignore-missing-imports", "--follow-imports=silent"]

TRASHCAN = """\
/* Python's cyclic garbage collector does not track nodes. Python's own guard against deep deallocation, which mypyc
   uses, needs the header of tracked objects; without it, the guard overwrites foreign memory. This code replaces the
   guard: when objects free one another in a chain, at most DEEP of them are on the C stack, and the others wait in a
   list that is linked through their reference counts, which are no longer in use. */
#ifndef MICROGRAD_BP_TRASHCAN
#define MICROGRAD_BP_TRASHCAN

#include <Python.h>

#ifdef Py_GIL_DISABLED
#error "the compiled core needs a Python with the global interpreter lock"
#endif
#ifdef _MSC_VER
#define PER_THREAD static __declspec(thread)
#else
#define PER_THREAD static __thread
#endif

enum { DEEP = 50 };
PER_THREAD int trashcan_depth = 0;
PER_THREAD PyObject *trashcan_waiting = NULL;

static inline int trashcan_defers(PyObject *object, destructor dealloc) {
    if (trashcan_depth < DEEP || Py_TYPE(object)->tp_dealloc != dealloc) { /* a subclass has begun the deallocation */
        trashcan_depth++;
        return 0;
    }
    object->ob_refcnt = (Py_ssize_t)trashcan_waiting;
    trashcan_waiting = object;
    return 1;
}

static inline void trashcan_ends(void) {
    while (trashcan_depth == 1 && trashcan_waiting != NULL) {
        PyObject *object = trashcan_waiting;
        trashcan_waiting = (PyObject *)object->ob_refcnt;
        object->ob_refcnt = 0;
        Py_TYPE(object)->tp_dealloc(object);
    }
    trashcan_depth--;
}

#undef Py_TRASHCAN_BEGIN
#undef Py_TRASHCAN_END
#define Py_TRASHCAN_BEGIN(object, dealloc) \\
    if (!trashcan_defers((PyObject *)(object), (destructor)(dealloc))) {
#define Py_TRASHCAN_END \\
        trashcan_ends(); \\
    }

#endif
"""


def wanted() -> str:
    """Return the form that MICROGRAD_BP_BUILD asks for; "" means compiled where there is a C compiler."""
    form = os.environ.get("MICROGRAD_BP_BUILD", "")
    if form and form not in FORMS:
        raise SystemExit(
            f"MICROGRAD_BP_BUILD={form} is not allowed; it is {' or '.join(FORMS)}, or unset to compile where possible"
        )
    return form


def compiler() -> bool:
    """Whether a C compiler seems to be installed; it is not run."""
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    return os.name == "nt" or bool(words and shutil.which(words[0]))


# --- the process that compiles ----------------------------------------------------------------------------------------


def compile_in(folder: Path) -> None:
    """Compile the modules of the copy of the package in `folder`, in place."""
    from mypyc.build import mypycify
    from setuptools import Distribution  # type: ignore[import-untyped]

    os.chdir(folder)
    sys.path.insert(0, str(folder))
    (folder / "micrograd_bp" / "ops" / "slopes.py").write_text(rules_at_floats())
    header = folder / "trashcan.h"
    header.write_text(TRASHCAN)
    sources = [f"micrograd_bp/{name}.py" for name in MODULES]
    extensions = mypycify([*CHECKED_AS, *sources], opt_level="3", group_name="micrograd_bp")
    generated = Path("build", "__native_micrograd_bp.c")  # where mypyc writes all modules of a group
    generated.write_text(with_docstrings(generated.read_text("utf-8"), sources), "utf-8")
    # a fused multiply-add would give other digits than Python
    ours = ["/FI" + str(header)] if os.name == "nt" else ["-include", str(header), "-ffp-contract=off", "-g0"]
    for extension in extensions:
        theirs = [flag for flag in extension.extra_compile_args if flag != "-Werror"]
        extension.extra_compile_args = [*theirs, *ours]
    command: Any = Distribution({"name": "micrograd_bp", "ext_modules": extensions}).get_command_obj("build_ext")
    command.inplace = True
    command.ensure_finalized()
    command.run()


# mypyc keeps signatures and drops docstrings. These patterns match the fields of its C text that hold both.
_SIGNATURE = r'(NULL|"[^"\n]*\\n--\\n\\n")'
_FIELDS = {
    "module": r'("SYMBOL",\s*)(NULL)(, /\* docstring \*/)',
    "class": rf"(CPyType_(?:\w+___)?SYMBOL_template_ = {{[^}}]*\.tp_doc = PyDoc_STR\(){_SIGNATURE}(\))",
    "function": rf"(\(PyCFunction\)CPyPy_(?:\w+___)?SYMBOL,\s*[A-Z_| ]+, PyDoc_STR\(){_SIGNATURE}(\))",
    "property": r"(\(getter\)(?:\w+___)?SYMBOL,\s*(?:\(setter\)\w+|NULL),\s*)(NULL)(, NULL})",
}


def with_docstrings(c: str, sources: list[str]) -> str:
    """Return `c`, the C text that mypyc wrote for the modules `sources`, with their docstrings.

    Raises SystemExit where a docstring has no field in the text or several, since mypyc then writes unknown C.
    """
    for source in sources:
        for kind, symbol, signature, doc in _docstrings(source):

            def filled(found: re.Match[str], signature: str = signature, doc: str = doc) -> str:
                kept = _c_string(signature) if found[2] == "NULL" else found[2]
                return "\n    ".join([found[1] + kept, *map(_c_string, doc.splitlines(keepends=True))]) + found[3]

            c, count = re.subn(_FIELDS[kind].replace("SYMBOL", re.escape(symbol)), filled, c)
            if count != 1:
                raise SystemExit(
                    f"{source}: the docstring of the {kind} {symbol} has {count} fields in the C text of mypyc, not 1: "
                    f"either mypyc does not compile this {kind}, or this version of mypyc writes other C"
                )
    return c


def _docstrings(source: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield (kind, name in C, signature, docstring) for each docstring of a module."""
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    module = source.removesuffix(".py").replace("/", ".")
    name = module.rpartition(".")[2]
    if doc := ast.get_docstring(tree):
        yield "module", module, "", doc
    for top in tree.body:
        if isinstance(top, ast.FunctionDef) and (doc := ast.get_docstring(top)):
            yield "function", f"{name}___{top.name}", _signature(top, top.name), doc
        if not isinstance(top, ast.ClassDef):
            continue
        methods = [node for node in top.body if isinstance(node, ast.FunctionDef)]
        if doc := ast.get_docstring(top):
            made = next((_signature(method, top.name) for method in methods if method.name == "__init__"), "")
            yield "class", f"{name}___{top.name}", made.replace("(self, ", "("), doc
        for method in methods:
            if not (doc := ast.get_docstring(method)):
                continue
            if any(ast.unparse(decorator) == "property" for decorator in method.decorator_list):
                yield "property", f"{name}___{top.name}_get_{method.name}", "", doc
            else:
                signature = _signature(method, method.name).replace("(self", "($self")
                yield "function", f"{name}___{top.name}___{method.name}", signature, doc


def _signature(function: ast.FunctionDef, name: str) -> str:
    """Return the names and defaults of the arguments in CPython's form before a docstring.

    mypyc leaves them out if a default is not a literal.
    """
    for node in ast.walk(function.args):
        if isinstance(node, ast.arg):
            node.annotation = None
    return f"{name}({ast.unparse(function.args)})\n--\n\n"


def _c_string(text: str) -> str:
    """Return `text` as a C string literal in ASCII."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


def rules_at_floats() -> str:
    """Return the source of a typed module that has the table's derivative rules for floats, for mypyc to compile.

    Each rule is recorded on a tape, and the tape is written as Python, one line per operation. When the module is
    imported, its functions become `Op.slopes`, which the engine calls for floats. Other kinds of number, and a package
    that is not compiled, use the rules of the table.
    """
    from micrograd_bp.ops.op import OPS

    functions = [_function(op, index) for op in OPS.values() for index in range(op.arity)]
    names = {op.name: "".join(f"{op.name}_{index}, " for index in range(op.arity)) for op in OPS.values()}
    installed = [f"table.{name}.slopes = ({functions})" for name, functions in names.items()]
    head = '"""The derivative rules of table.py at floats, written when the package was built."""\nimport math\n'
    return "\n".join([f"{head}from micrograd_bp.ops import ieee, table", *functions, *installed, ""])


def _function(op: Any, index: int) -> str:
    from micrograd_bp.autodiff.tape import Tape, Tracer

    tape = Tape()
    names = [*op.arguments, "out"]
    result = tape.place(op.partials[index](*[Tracer(tape, tape.input(name)) for name in names]))
    texts = dict(zip(tape.inputs, names, strict=True))
    texts |= {constant: f"({number!r})".replace("inf", "1e999") for constant, number in tape.constants.items()}
    known: dict[str, str] = {}  # common subexpressions are computed once
    for number, operation in enumerate(tape.ops):
        if operation is not None:
            text = _applied(operation, [texts[arg] for arg in tape.args[number]])
            texts[number] = known.setdefault(text, f"v{number}")
    head = f"def {op.name}_{index}({', '.join(f'{name}: float' for name in names)}) -> float:"
    return "\n".join([head, *[f"    {name} = {text}" for text, name in known.items()], f"    return {texts[result]}"])


def _applied(op: Any, args: list[str]) -> str:
    """Return the Python text of an operation on floats."""
    import math

    from micrograd_bp.ops import ieee, table

    operators = {table.add: "{} + {}", table.sub: "{} - {}", table.mul: "{} * {}", table.neg: "-{}"}
    operators[table.square] = "{0} * {0}"
    if op in operators:
        return operators[op].format(*args)
    for module, at in ((ieee, "ieee"), (math, "math")):
        for name, known in vars(module).items():
            if known is op.fn:
                return f"{at}.{name}({', '.join(args)})"
    raise SystemExit(f"{op.name}: a derivative rule uses this operation, so its function has to be in ieee.py or math")


if __name__ == "__main__":
    compile_in(Path(sys.argv[1]))
    sys.exit()

# --- the hook ---------------------------------------------------------------------------------------------------------

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # noqa: E402  # the compiling process does not need hatchling


class Compile(BuildHookInterface):  # type: ignore[misc]  # hatchling is untyped
    """Adds the compiled modules to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return the packages that the build needs: mypyc and setuptools if it compiles."""
        form = wanted()
        pure = self.target_name != "wheel" or form == "pure" or (not form and not compiler())
        return [] if pure else [MYPYC, "setuptools>=77"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the core, and add the results to the wheel."""
        if version == "editable" or not self.dependencies():
            return
        self.folder = Path(tempfile.mkdtemp())
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.pyi")  # mypyc must not read the stubs
        shutil.copytree(Path(self.root) / "micrograd_bp", self.folder / "micrograd_bp", ignore=ignored)
        command = [sys.executable, str(Path(__file__).resolve()), str(self.folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            if wanted() == "compiled":
                raise SystemExit(
                    f"The core of micrograd_bp could not be compiled by {MYPYC}. Install a C compiler (for Debian: "
                    f"apt-get install gcc libc6-dev), or unset MICROGRAD_BP_BUILD for a wheel of plain Python, which "
                    f"gives the same results more slowly. The compiler's messages:\n{done.stdout}"
                )
            self.app.display_warning(
                f"The core was not compiled, so the wheel is plain Python, which gives the same results more slowly. "
                f"MICROGRAD_BP_BUILD=pure skips the attempt. The end of the compiler's messages:\n{done.stdout[-2000:]}"
            )
            return
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        for path in sorted(self.folder.rglob(f"*{suffix}")):
            if "build" not in path.relative_to(self.folder).parts:
                build_data["force_include"][str(path)] = path.relative_to(self.folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        """Delete the temporary folder."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)
