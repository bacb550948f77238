"""The house: which room may import which, that no import goes in a circle, that a new operation is one line.

Imports for type checkers, imports inside functions and `importlib` count as much as any other. What a function imports
from a room above its own is listed here, call by call.
"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp

PACKAGE = Path(micrograd_bp.__file__).parent

ROOMS = (  # each may import the rooms before it; those of FOR_ALL are for all
    *("ops", "engine", "autodiff", "symbolic", "expression", "nn", "check", "compiler", "explanation", "drawing"),
    *("page", "training", "", "cli"),  # "" is the package itself, with the public names
)
FOR_ALL = {"errors", "files", "_mypyc", "_version"}

UPWARD = {  # what a method imports from above when it is called, so that a Value can show and differentiate itself
    ("engine.value", "graph", "drawing"),
    ("engine.value", "_repr_mimebundle_", "drawing"),
    ("engine.value", "backward", "autodiff.reverse"),
    ("nn.module", "_repr_mimebundle_", "drawing"),
}
LATER = {  # imported when it is asked for, downwards: what needs NumPy or an extra
    ("", "__getattr__", "*"),
    ("training.loop", "fit", "training.native_loop"),
    ("cli.commands", "_run", "*"),  # the command that was typed
}
EXTRAS = {  # packages that may be absent, and the modules that import them inside a function
    "graphviz": {"drawing.graphviz"},
    "pygraphviz": {"drawing.graphviz"},
    "mpmath": {"check.replay"},
    "hypothesis": {"check.strategies"},
    "prompt_toolkit": {"cli.repl"},
    "matplotlib": {"cli.xor"},
    "llvmlite": {"compiler.*"},
    "platformdirs": {"compiler.code_cache"},
    "jax": {"compiler.*"},
    "torch": {"compiler.*"},
    "joblib": {"training.workers"},
    "tqdm": {"training.progress"},
}
NUMPY = {"check.closed_form", "cli.xor", "compiler.*", "training.native_loop", "ops.reals"}  # the last for types only
LOWEST = {"__future__", "collections", "fractions", "functools", "math", "numbers", "numpy", "operator", "typing"}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree, modules=MODULES):
    """(module, the function it stands in or "") of all imports, those by `importlib` included."""
    owner = {}
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for node in ast.walk(function):
                owner[node] = getattr(function, "name", "lambda")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            parts = [f"{module}.{alias.name}" for alias in node.names]
            names = [part if part.removeprefix("micrograd_bp.") in modules else module for part in parts]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            arg = node.args[0]
            names = [arg.value if isinstance(arg, ast.Constant) else "micrograd_bp.*"]
        else:
            continue
        for name in names:
            yield name, owner.get(node, "")


def room(name):
    return name.partition(".")[0]


def belongs(name, places):
    return name in places or f"{room(name)}.*" in places


def faults(modules):
    """Sentences about what is wrong with the imports of the modules given."""
    for name, tree in modules.items():
        if room(name) not in (*ROOMS, *FOR_ALL, "__main__"):
            yield f"{name} is in no room"
            continue
        for target, function in imports(tree):
            if room(target) == "micrograd_bp":
                yield from _inner_faults(name, target.removeprefix("micrograd_bp").removeprefix("."), function)
                continue
            package = room(target)
            if function and package not in EXTRAS:
                yield f"{name} imports {target} inside {function}"
            if package in EXTRAS and not belongs(name, EXTRAS[package]):
                yield f"{name} imports {target}, which is not its business"
            if package == "numpy" and not belongs(name, NUMPY):
                yield f"{name} imports NumPy"
            if room(name) == "ops" and package not in LOWEST:
                yield f"{name} imports {target}; the lowest room needs math only"


def _inner_faults(name, target, function):
    own, other = room(name), room(target)
    if function:
        if not {(name, function, target), (name, function, "*")} & (UPWARD | LATER):
            yield f"{name} imports {target} inside {function}"
        return
    if other == "*":
        yield f"{name} imports what it does not name"
    if own == other or other in FOR_ALL or own == "__main__":
        return
    if own in FOR_ALL:
        yield f"{name} is for all rooms and imports {target}"
    elif ROOMS.index(other) > ROOMS.index(own):
        yield f"{name} imports {target}, a room above its own"


def circle(modules):
    """Modules that import one another in a circle, in order; [] if there is none. Upward calls are left out."""
    edges = {}
    for name, tree in modules.items():
        below = {
            target.removeprefix("micrograd_bp").removeprefix(".")
            for target, function in imports(tree, modules)
            if room(target) == "micrograd_bp" and (name, function) not in {(m, f) for m, f, _ in UPWARD}
        }
        edges[name] = [target for target in below if target in modules and target != name]
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        path.append(name)
        for target in edges[name]:
            if found := visit(target):
                return found
        path.pop()
        done.add(name)
        return []

    return next((found for name in edges if (found := visit(name))), [])


def test_imports_point_down():
    assert list(faults(MODULES)) == []


def test_no_import_goes_in_a_circle():
    assert circle(MODULES) == []


def test_every_upward_call_is_there():
    calls = {(name, function, t) for name, tree in MODULES.items() for t, function in imports(tree) if function}
    inner = {(name, function, target.removeprefix("micrograd_bp.")) for name, function, target in calls}
    assert inner >= UPWARD


def test_the_package_fits_on_a_screen():
    entries = {
        path.name for path in PACKAGE.iterdir() if path.suffix not in (".so", ".pyd") and path.name != "__pycache__"
    }
    beside = {"__init__.py", "__init__.pyi", "__main__.py", "py.typed"}
    assert len(entries - beside) <= 17
    for name in ROOMS:
        text = ast.get_docstring(MODULES[name]) or ""
        assert len(text) > 100, f"{name}: its __init__ says what the room is for"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("engine.value", "from micrograd_bp.drawing import draw"),
        ("engine.value", "if TYPE_CHECKING:\n    from micrograd_bp.drawing import Graph"),
        ("engine.value", "import importlib\nx = importlib.import_module('micrograd_bp.nn.module')"),
        ("engine.value", "import micrograd_bp.nn.module"),
        ("errors", "from micrograd_bp import ops"),
        ("engine.value", "def f():\n    from micrograd_bp.ops import op"),
        ("engine.value", "def f():\n    import json"),
        ("ops.table", "import random"),
        ("nn.module", "import numpy"),
        ("nn.network", "import graphviz"),
        ("unheard_of", ""),
    ],
)
def test_the_walk_finds_faults(name, source):
    assert len(list(faults({name: ast.parse(source)}))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from micrograd_bp.engine import value",
        "if TYPE_CHECKING:\n    from micrograd_bp.engine.value import Value",
        "import importlib\nimportlib.import_module('micrograd_bp.engine.value')",
        "def f():\n    from micrograd_bp.engine.value import Value",
    ],
)
def test_a_circle_is_found(source):
    node = ast.parse(ast.unparse(MODULES["engine.node"]) + "\n" + source)
    assert circle({**MODULES, "engine.node": node})


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, micrograd_bp; print(sorted({'numpy', 'graphviz', 'matplotlib'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


LINE = 'gudermannian: Op = Op("gudermannian", lambda x: math.atan(ieee.sinh(x)), lambda x, out: div(1.0, cosh(x)))\n'
FACTS = {
    "WRITTEN": '"gudermannian": ("gd", "gd({0})", r"\\operatorname{{gd}}({0})", ATOM, (0,)),',
    "DEFINITIONS": '"gudermannian": lambda m, x: m.atan(m.sinh(x)),',
    "NATIVE": '"gudermannian": "atan(sinh({0}))",',
}

USE = """
import copy, math
import micrograd_bp as mb
from micrograd_bp import Value, nn
from oracle import excess
from points import fixed
assert "ROWS" in mb.__file__, mb.__file__
gd, slope = mb.gudermannian, 1 / math.cosh(0.3)
x = Value(0.3, "x")
y = gd(x) + x.gudermannian()
y.backward()
assert x.grad == 2 * slope
assert mb.derivative(gd)(0.3) == slope and mb.grad(gd)(0.3) == slope
series = mb.taylor(gd, 0.3, 2)
assert series[1] == slope and abs(2 * series[2] + slope * math.tanh(0.3)) < 1e-15
assert mb.compile(gd, backend="python").value_and_grad(0.3) == (gd(0.3), slope)
assert "atan(sinh(" in mb.compile(gd).to_c(0.3)
assert "gd(x)" in y.graph().dot and "= gd" in y.graph().dot
page = mb.page.page(gd(x))
assert "F.gudermannian = (a) => Math.atan(Math.sinh(a))" in page and "D.gudermannian" in page
assert str(mb.explain(gd(x), x)) == "f = gd(x) = 0.2956\\n\\n∂f/∂x = 1 / cosh(x)\\n      = 0.9566", mb.explain(gd(x), x)
assert str(mb.parse("gudermannian(x)").run({"x": 0.3})[""].data) == str(gd(0.3))
assert mb.check_gradient(gd, 0.3, order=2).verdict == "right"
assert copy.deepcopy(gd(x)).op is gd
assert isinstance(nn.MLP(2, [2, 1], activation="gudermannian")([1, 2]), Value)
assert "1 / cosh(x)" in gd.__doc__
errors = [excess(gd, 0, args, gd(Value(*args)).local_grads[0]) for args in fixed(gd)]
assert all(error is None or error <= 1 for error in errors) and sum(error is not None for error in errors) > 15
print("one line")
"""


def test_adding_an_operation_is_one_line(tmp_path):
    """In a copy of the package with one line and its facts more, every mode, picture, page and check knows it."""
    folder = tmp_path / "ROWS"
    shutil.copytree(PACKAGE, folder / "micrograd_bp", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    table = folder / "micrograd_bp" / "ops" / "table.py"
    text = table.read_text()
    marker = "OPS.update("
    assert text.count(marker) == 1
    text = text.replace(marker, LINE + marker)
    for facts, entry in FACTS.items():
        assert text.count(f"\n{facts} = {{\n") == 1
        text = text.replace(f"\n{facts} = {{\n", f"\n{facts} = {{\n    {entry}\n")
    table.write_text(text)
    helpers = Path(__file__).parent / "helpers"
    environment = {"PYTHONPATH": f"{folder}:{helpers}", "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert out.stdout == "one line\n", out.stderr
