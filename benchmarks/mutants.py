"""Mutants of the source, and whether the tests find them: an error is put into a module, and its tests are run.

    python benchmarks/mutants.py                                     20 mutants of all rooms that compute
    python benchmarks/mutants.py training.optim --sample 100         of one module
    python benchmarks/mutants.py check engine.chain:40-80 --seed 3   of a room, and of some lines
    python benchmarks/mutants.py autodiff --list                     only says what would be tried

A mutant has one change of the syntax tree: another operator or comparison, another constant, an argument in the place
of another, a statement, a `not`, a lock or a step of a formula less. What survives is shown with its diff: a test is
missing there, or the change changes nothing. Everything happens in a copy of the checkout in a temporary folder. This
needs POSIX, for limits of memory and groups of processes.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "micrograd_bp"
ROOMS = ("engine", "autodiff", "compiler", "check", "training")
MEMORY = 8 << 30  # bytes; a mutant may ask for numbers without end

# The tests of a room or a module, the quickest first. What a module's own tests let pass, its room's see.
TESTS: dict[str, tuple[str, ...]] = {
    "engine": ("tests/engine", "tests/autodiff", "tests/test_builds.py"),
    "engine.chain": (
        "tests/docs/test_semantics.py",
        "tests/autodiff/test_levels.py",
        "tests/autodiff/test_all_modes.py",
    ),
    "engine.custom_op": ("tests/engine/test_custom_op.py",),
    "engine.node": ("tests/engine/test_value.py",),
    "engine.number": ("tests/engine/test_value.py", "tests/engine/test_numpy.py"),
    "engine.pickling": ("tests/engine/test_pickling.py",),
    "engine.value": ("tests/engine/test_value.py", "tests/engine/test_micrograd.py"),
    "autodiff": ("tests/autodiff", "tests/engine/test_value.py"),
    "autodiff.arguments": ("tests/autodiff/test_signatures.py",),
    "autodiff.forward": ("tests/autodiff/test_calculus.py",),
    "autodiff.pytree": ("tests/autodiff/test_signatures.py",),
    "autodiff.reverse": ("tests/autodiff/test_calculus.py",),
    "autodiff.tape": ("tests/compiler/test_passes.py", "tests/compiler/test_derivatives.py"),
    "compiler": ("tests/compiler", "tests/autodiff/test_all_modes.py", "tests/training/test_native_loop.py"),
    "compiler.array_libraries": ("tests/compiler/test_arrays.py",),
    "compiler.bytecode": ("tests/compiler/test_interpreter.py",),
    "compiler.c_expressions": ("tests/compiler/test_c.py",),
    "compiler.c_source": ("tests/compiler/test_c.py",),
    "compiler.interpreter": ("tests/compiler/test_interpreter.py",),
    "compiler.llvm_build": ("tests/compiler/test_machine_code.py", "tests/compiler/test_cache.py"),
    "compiler.machine_code": ("tests/compiler/test_machine_code.py", "tests/compiler/test_cache.py"),
    "compiler.passes": ("tests/compiler/test_passes.py",),
    "compiler.program": ("tests/compiler/test_compile.py",),
    "compiler.storage": ("tests/compiler/test_storage.py",),
    "compiler.vector_math": ("tests/compiler/test_vector_math.py",),
    "check": ("tests/check", "tests/cli/test_cli.py"),
    "check.closed_form": ("tests/check/test_closed_form.py",),
    "check.differences": ("tests/check/test_differences.py", "tests/check/test_kinks.py"),
    "check.hints": ("tests/check/test_check_gradient.py",),
    "check.nodes": ("tests/check/test_check_gradient.py", "tests/check/test_kinks.py"),
    "check.random_expressions": ("tests/check/test_strategies.py",),
    "check.replay": (
        "tests/check/test_check_gradient.py",
        "tests/check/test_second_order.py",
        "tests/check/test_kinks.py",
        "tests/check/test_differences.py",
    ),
    "check.run": ("tests/check/test_check_gradient.py",),
    "check.scales": ("tests/check/test_differences.py", "tests/check/test_kinks.py"),
    "check.strategies": ("tests/check/test_strategies.py",),
    "check.verdicts": (
        "tests/check/test_check_gradient.py",
        "tests/check/test_kinks.py",
        "tests/check/test_differences.py",
        "tests/check/test_second_order.py",
    ),
    "training": ("tests/training",),
    "training.history": ("tests/training/test_fit.py",),
    "training.loop": ("tests/training/test_fit.py", "tests/training/test_fit_arguments.py"),
    "training.losses": ("tests/training/test_losses.py",),
    "training.native_loop": ("tests/training/test_native_loop.py",),
    "training.optim": ("tests/training/test_optim.py",),
    "training.schedules": ("tests/training/test_optim.py",),
    "training.workers": ("tests/training/test_workers.py",),
}

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {  # the boundary, the opposite
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# Exchanging their arguments changes nothing, or no program survives it; the same for leaving out the call.
EXCHANGEABLE = {"min", "max", "hypot", "isinstance", "zip", "getattr", "setattr", "hasattr", "add", "mul"}
NEEDED = {"list", "tuple", "set", "type", "len", "str", "repr", "iter", "super"}
TYPE = re.compile(r"[A-Z]\w*$|__all__$")  # what is named like this at the top of a module and is a subscript or a list


class Mutant(NamedTuple):
    """A module's text with one change: `kind` in `line`. `before` is the text without it."""

    module: str
    line: int
    kind: str
    before: str
    text: str


def path_of(module: str, root: Path = ROOT) -> Path:
    """Return the file of a module that is named without the package."""
    return root.joinpath(PACKAGE, *module.split(".")).with_suffix(".py")


def mutants(module: str, text: str) -> list[Mutant]:
    """Return all mutants of a module's text."""
    found: dict[str, Mutant] = {}
    source = text.encode()
    starts = [0]
    for row in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))
    for node in _code(ast.parse(text)):
        for kind, part, new in _changes(node):
            begin = starts[part.lineno - 1] + part.col_offset
            end = starts[(part.end_lineno or 0) - 1] + (part.end_col_offset or 0)
            if isinstance(part, ast.With):  # only its head is replaced
                last = part.items[-1].context_expr
                end = source.index(b":", starts[(last.end_lineno or 0) - 1] + (last.end_col_offset or 0))
            changed = (source[:begin] + new.encode() + source[end:]).decode()
            found.setdefault(changed, Mutant(module, part.lineno, kind, text, changed))
    return list(found.values())


def _code(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what is run: not annotations, types, messages, how a class is made and the list of public names."""
    for name, field in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "bases", "exc", "msg"):
            continue
        for node in field if isinstance(field, list) else [field]:
            match node:
                case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict" | "stacklevel"):
                    continue
                case ast.FunctionDef(decorator_list=[ast.Name("overload")]):
                    continue
                case ast.Assign([ast.Name(name)], ast.Subscript() | ast.List() | ast.BinOp(op=ast.BitOr())):
                    if isinstance(tree, ast.Module) and TYPE.match(name):
                        continue
                case ast.AST():
                    pass
                case _:
                    continue
            if isinstance(node, (ast.expr, ast.stmt)):
                yield node
            yield from _code(node)


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Yield (kind, part, text) of what may stand in the place of a part of a node."""
    conditions = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []
    for loop in getattr(node, "generators", ()):
        conditions += loop.ifs
    for condition in conditions:
        if isinstance(condition, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)):
            yield "condition", condition, f"(not ({ast.unparse(condition)}))"
    for kind, new in _replacements(node):
        text = new if isinstance(new, str) else ast.unparse(new)
        yield kind, node, f"({text})" if isinstance(new, ast.expr) else text


def _replacements(node: ast.expr | ast.stmt) -> Iterator[tuple[str, ast.expr | ast.stmt | str]]:
    """Yield (kind, replacement) of what may stand in a node's place."""

    def other(**changed: object) -> ast.expr | ast.stmt:
        new = copy.copy(node)
        for name, value in changed.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.BinOp(left, op, right):
            if not (_is_sequence(left) or _is_sequence(right)):
                yield "operator", other(op=OPERATORS.get(type(op), ast.Add)())
                yield "without an operand", left
                yield "without an operand", right
        case ast.AugAssign(_, op, _):
            yield "operator", other(op=OPERATORS.get(type(op), ast.Add)())
            yield "without the statement", "pass"
        case ast.Compare(_, ops, _):
            for i, comparison in enumerate(ops):
                for other_one in COMPARISONS[type(comparison)]:
                    yield "comparison", other(ops=[*ops[:i], other_one(), *ops[i + 1 :]])
        case ast.BoolOp(op, values):
            yield "operator", other(op=ast.And() if isinstance(op, ast.Or) else ast.Or())
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield "without an operand", other(values=rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op, operand):
            yield "without `not`" if isinstance(op, ast.Not) else "without the sign", operand
        case ast.Constant(bool(value)):
            yield "constant", repr(not value)
        case ast.Constant(int(value)):
            yield "constant", f"{value + 1}"
            yield "constant", f"({value - 1})"
        case ast.Constant(float(value)):
            yield "constant", repr(1000.0 * value or 1.0)
            yield "constant", repr(value / 2.0 if value not in (0.0, 1.0) else value - 1.0)
        case ast.IfExp(_, body, orelse):
            yield "arms exchanged", other(body=orelse, orelse=body)
        case ast.Call(func, args, keywords):
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            starred = any(isinstance(arg, ast.Starred) for arg in args)
            if len(args) >= 2 and name not in EXCHANGEABLE and not starred:
                yield "arguments exchanged", other(args=[args[1], args[0], *args[2:]])
            if len(args) == 1 and not (keywords or starred or name in NEEDED or isinstance(args[0], ast.GeneratorExp)):
                yield "without the call", args[0]
        case ast.Expr(value) if not isinstance(value, ast.Constant):
            yield "without the statement", "pass"
        case ast.Assign(targets, _) if isinstance(targets[0], (ast.Attribute, ast.Subscript)):
            yield "without the statement", "pass"
        case ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield "without the statement", "pass"
        case ast.With(items, _) if not any(item.optional_vars for item in items):
            yield "without the lock", "if True"
        case _:
            pass


def _is_sequence(node: ast.expr) -> bool:
    literal = isinstance(node, (ast.List, ast.Tuple, ast.JoinedStr))
    return literal or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))


def matching(module: str, quick: bool) -> list[list[str]]:
    """Return what pytest is asked to run for a module, run by run: its own tests and doctests, then its room's."""
    room, own = TESTS[module.partition(".")[0]], TESTS.get(module, ())
    rest = [path for path in room if path not in own]
    doctests = f"tests/test_docs.py::test_doctests[{PACKAGE}.{module}]"
    return [[*own, doctests], *([] if quick else [rest])] if own else [[*rest, doctests]]


def selected(what: list[str]) -> list[Mutant]:
    """Return the mutants of rooms, modules, and lines of modules."""
    found: list[Mutant] = []
    for name in what or ROOMS:
        module, _, lines = name.partition(":")
        if module.partition(".")[0] not in ROOMS:
            raise SystemExit(f"mutants: there is no room {module!r}; there are {', '.join(ROOMS)}")
        if "." in module:
            paths = [path_of(module)]
        else:
            paths = sorted(path for path in (ROOT / PACKAGE / module).glob("*.py") if path.stem != "__init__")
        first, _, last = lines.partition("-")
        for path in paths:
            if not path.is_file():
                raise SystemExit(f"mutants: there is no module {module!r}")
            every = mutants(f"{path.parent.name}.{path.stem}", path.read_text(encoding="utf-8"))
            found += [m for m in every if not lines or int(first) <= m.line <= int(last or first)]
    return found


def difference(mutant: Mutant) -> str:
    """Return the change of a mutant as a unified diff."""
    name = f"{PACKAGE}/{mutant.module.replace('.', '/')}.py"
    texts = mutant.before.splitlines(), mutant.text.splitlines()
    return "\n".join(difflib.unified_diff(*texts, name, name, n=1, lineterm=""))


class Copy:
    """A copy of the checkout in which mutants are tried."""

    def __init__(self, root: Path) -> None:
        self.root = root
        leave = shutil.ignore_patterns(".*", "__pycache__")
        for name in (PACKAGE, "tests", "benchmarks", "demos", "docs"):
            shutil.copytree(ROOT / name, root / name, ignore=leave)
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "hatch_build.py"):
            shutil.copy2(ROOT / name, root)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(root / "examples"),
            "MICROGRAD_BP_CACHE": "off",
        }

    def run(self, paths: list[str], limit: float, *options: str) -> tuple[str, str]:
        """Run tests: "passed", "failed" or "too long", and what pytest said. `options` are those of Python."""
        with subprocess.Popen(
            [sys.executable, *options, "-m", "pytest", "-xq", "-pno:cacheprovider", "--hypothesis-seed=0", *paths],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_humble,
        ) as process:
            try:
                said = process.communicate(timeout=limit)[0]
            except subprocess.TimeoutExpired:
                return "too long", ""
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # what tests started too
        return "failed" if process.returncode else "passed", said

    def seconds(self, paths: list[str]) -> float:
        """Return how long the tests take without a mutant. They have to pass."""
        start = time.perf_counter()
        fate, said = self.run(paths, 600.0)
        if fate != "passed":
            raise SystemExit(f"{said[-3000:]}\nmutants: without a mutant, {' '.join(paths)}: {fate}")
        return time.perf_counter() - start

    def try_out(self, mutant: Mutant, paths: list[str], limit: float) -> str:
        """Run tests of a mutant: "passed", "failed" or "too long"."""
        path = path_of(mutant.module, self.root)
        before, when = path.read_bytes(), path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        try:
            return self.run(paths, limit, "-B")[0]
        finally:
            path.write_bytes(before)
            os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))  # so its bytecode is current again


def _humble() -> None:
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main(arguments: list[str] | None = None) -> int:
    """Try mutants; return 0 where none survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="ROOM|MODULE[:LINE[-LINE]]", help=f"by default {', '.join(ROOMS)}")
    parser.add_argument("--sample", type=int, default=20, help="how many mutants are drawn (20); 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="of one mutant; without it, 10 s and twice what the tests take",
    )
    parser.add_argument("--quick", action="store_true", help="run the module's own tests only, not those of its room")
    parser.add_argument("--list", action="store_true", help="show the diffs and run nothing")
    options = parser.parse_args(arguments)
    every = selected(options.what)
    drawn = every
    if 0 < options.sample < len(every):
        drawn = random.Random(options.seed).sample(every, options.sample)
    drawn.sort(key=lambda m: m.module)
    print(f"{len(drawn)} of {len(every)} mutants, seed {options.seed}", flush=True)
    if options.list:
        print("\n".join(difference(mutant) for mutant in drawn))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left, neither folder nor tests
    survivors = []
    limits: dict[tuple[str, ...], float] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        checkout = Copy(Path(folder))
        for number, mutant in enumerate(drawn, 1):
            start = time.perf_counter()
            fate = "passed"
            for paths in matching(mutant.module, options.quick):
                key = tuple(paths)
                if fate == "passed" and key not in limits:
                    took = checkout.seconds(paths)
                    limits[key] = options.time_limit or 10.0 + 2.0 * took
                if fate == "passed":
                    fate = checkout.try_out(mutant, paths, limits[key])
            if fate == "passed":
                survivors.append(mutant)
            said = {"passed": "SURVIVED", "failed": "killed", "too long": "killed (too long)"}[fate]
            place = f"{mutant.module}:{mutant.line} {mutant.kind}"
            print(f"[{number}/{len(drawn)}] {place}: {said}, {time.perf_counter() - start:.1f} s", flush=True)
            if fate == "passed":
                print(difference(mutant), flush=True)
    print(f"{len(drawn) - len(survivors)} killed, {len(survivors)} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
