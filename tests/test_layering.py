"""The house: who imports whom, how long files are, and that a new operation is one row in one file."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp

PACKAGE = Path(micrograd_bp.__file__).parent

# Each module may import those that stand before it. A module within a package is listed by its own name.
ORDER = (
    "build",  # what the compiler is told
    *("errors", "ieee", "domain", "op", "ops"),  # L0: what an operation is, and the table
    *(
        "number",
        "node",
        "engine",
        "dual",
        "taylor",
        "formula",
        "term",
        "term_rules",
        "typeset",
        "copying",
        "custom",
    ),  # L1
    *("symbolic", "explain.steps", "explain.equations", "explain.tutorial", "explain.rows", "explain.write", "explain"),
    *("tree", "calculus", "anomaly", "nn.init", "nn.leaves", "nn.module", "nn.network", "nn", "closed_form"),  # L2
    *("tape", "compiler.passes", "compiler.recording", "compiler.native", "compiler.c"),
    *("compiler.arrays", "compiler.numpy_", "compiler.replay"),
    *(
        "compiler.llvm",
        "compiler.vector_math",
        "compiler.library",
        "compiler.assembly",
        "compiler.interpreter",
        "compiler.machine",
    ),
    *("compiler.listing", "compiler.storage"),
    *(
        "compiler.viewed",
        "compiler.program",
        "compiler",
        "losses",
        "schedules",
        "optim",
        "history",
        "samples",
        "compiler.training",
    ),
    *("workers", "resume", "settings", "epochs", "looped", "train"),
    *("expression.source", "expression.tokens", "expression.parser", "expression"),
    *("draw.theme", "draw.layout", "draw.text", "draw.scene", "draw.groups", "draw.collapse", "draw.steps"),
    *("draw.dot", "draw.mermaid", "draw.network", "draw.picture", "draw.graph", "draw"),
    *("page.script", "page.links", "page.arrange", "page"),
    *(
        "check.report",
        "check.subject",
        "check.match",
        "check.differences",
        "check.scales",
        "check.replay",
        "check.nodes",
        "check.hints",
    ),
    *("check.verdicts", "check.run", "check"),
    "",  # the package itself
    *("cli.inputs", "cli.report", "cli", "cli.eval", "cli.sheet", "cli.repl"),
    *("cli.derivative", "cli.diagnosis", "cli.check", "cli.quiz", "cli.xor", "cli.play", "__main__"),
    *("drawn", "strategies"),  # needs hypothesis: imported by its users
    "semantics",  # the reference, which is run as it is read
)
STANDARD = {"__future__", "collections", "typing", "functools"}
L0_IMPORTS = {"math", "operator", "numbers", *STANDARD}
OPTIONAL = {
    "graphviz": {"draw.layout"},
    "mpmath": {"check.replay"},
    "hypothesis": {"strategies"},
    "prompt_toolkit": {"cli.repl"},
    "matplotlib.figure": {"cli.xor"},
    "llvmlite.binding": {"compiler.library"},
    "jax.numpy": {"compiler.arrays"},
    "jax.scipy": {"compiler.arrays"},
    "torch": {"compiler.arrays"},
    "joblib": {"workers"},
    "tqdm": {"epochs"},
}
ON_ARRAYS = ("arrays", "assembly", "interpreter", "machine", "numpy_", "program", "replay", "storage", "training")
HEAVY = {"numpy": {"closed_form", "cli.xor", *(f"compiler.{name}" for name in ON_ARRAYS)}}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree):
    """(module, is it inside a function, is it for type checkers only) of all imports."""
    inside = {n for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(f)}
    checking = {
        n for i in ast.walk(tree) if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.dump(i.test) for n in ast.walk(i)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            submodules = [f"{module}.{alias.name}" for alias in node.names]
            names = [s if s.removeprefix("micrograd_bp.") in MODULES else module for s in submodules]
        else:
            continue
        for name in names:
            yield name, node in inside, node in checking


def faults(modules):
    """What is wrong with the imports of the modules given: sentences."""
    for name, tree in modules.items():
        if name not in ORDER:
            yield f"{name} has no place in the order"
            continue
        for target, inside, checking in imports(tree):
            if target.split(".")[0] == "micrograd_bp":
                below = target.removeprefix("micrograd_bp").removeprefix(".")
                if inside:
                    yield f"{name} imports {below} inside a function"
                if not checking and ORDER.index(below) >= ORDER.index(name):
                    yield f"{name} imports {below}, which is not below it"
            elif (inside or target in OPTIONAL) and name not in OPTIONAL.get(target, ()):
                yield f"{name} imports {target} inside a function, or is not where {target} belongs"
            elif name in ORDER[1:6] and target.split(".")[0] not in L0_IMPORTS:
                yield f"{name} imports {target}; the lowest layer needs math only"
            elif target in HEAVY and name not in HEAVY[target]:
                yield f"{name} imports {target}"


def test_imports_point_down():
    assert list(faults(MODULES)) == []
    assert set(ORDER) == set(MODULES)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("engine", "from micrograd_bp.draw import draw"),
        ("engine", "import micrograd_bp.nn.module"),
        ("op", "from micrograd_bp import ops"),
        ("engine", "def f():\n    from micrograd_bp import op"),
        ("engine", "def f():\n    import json"),
        ("ops", "import random"),
        ("nn.module", "import numpy"),
        ("nn.network", "import graphviz"),
        ("unheard_of", ""),
    ],
)
def test_the_walk_finds_faults(name, source):
    assert len(list(faults({name: ast.parse(source)}))) == 1


def test_files_are_short():
    files = [_path(name) for name in MODULES] + [*PACKAGE.rglob("*.js"), *PACKAGE.rglob("*.css")]
    assert {str(path): n for path in files if (n := len(path.read_text().splitlines())) > 300} == {}


def _path(name):
    path = PACKAGE.joinpath(*name.split(".")) if name else PACKAGE
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, micrograd_bp; print(sorted({'numpy', 'graphviz', 'matplotlib'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


ROW = """
gudermannian: Op = Op("gudermannian", lambda x: math.atan(ieee.sinh(x)), lambda x, out: div(1.0, cosh(x)),
                      symbol="gd", text="gd({0})", exact=lambda m, x: m.atan(m.sinh(x)), native="atan(sinh({0}))")
"""

USE = """
import copy, random
import micrograd_bp as mb
from micrograd_bp import Value, nn
from oracle import excess
from points import fixed
assert "ROWS" in mb.__file__, mb.__file__
x = Value(0.3, "x")
y = mb.gudermannian(x) + x.gudermannian()
y.backward()
assert x.grad == 2 / __import__("math").cosh(0.3)
assert "gd(x)" in y.graph().dot and "= gd" in y.graph().dot
assert copy.deepcopy(y).args[0].op is mb.gudermannian
assert isinstance(nn.MLP(2, [2, 1], activation="gudermannian")([1, 2]), Value)
op = mb.OPS["gudermannian"]
errors = [excess(op, 0, args, op(Value(*args)).local_grads[0]) for args in fixed(op)]
assert all(error is None or error <= 1 for error in errors) and sum(error is not None for error in errors) > 15
print("one row")
"""


def test_adding_an_operation_is_one_row(tmp_path):
    """An interpreted copy of the package with one row more: method, activation, picture, copies and checks know it."""
    folder = tmp_path / "ROWS"
    shutil.copytree(PACKAGE, folder / "micrograd_bp", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    table = folder / "micrograd_bp" / "ops.py"
    before, after = table.read_text().split("# fmt: on")
    table.write_text(f"{before}{ROW}# fmt: on{after}")
    environment = {"PYTHONPATH": f"{folder}:{Path(__file__).parent / 'helpers'}", "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert out.stdout == "one row\n", out.stderr
