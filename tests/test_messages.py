"""What the messages of the package recommend exists: functions, methods, options and extras."""

import ast
import builtins
import inspect
import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import Value, check, drawing, nn, training
from micrograd_bp.check import strategies
from micrograd_bp.drawing.picture import Graph

PACKAGE = Path(mb.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
NO_MESSAGES = {"ops/table.py", "page/javascript.py"}  # templates in C
NO_MESSAGES |= {f"compiler/{name}.py" for name in ("interpreter", "llvm_build", "llvm_ir", "vector_math", "c_source")}
NO_MESSAGES |= {"drawing/graphviz.py", "drawing/theme.py"}  # programs for other processes, and CSS
PLACES = (mb, mb.losses, mb.optim, mb.schedules, nn, check, strategies, drawing, training, builtins)
EXAMPLES = {  # what the variables of examples stand for
    "mb": (mb,),
    "v": (Value,),
    "x": (Value,),
    "model": (nn.Module, nn.MLP),
    "Compiled": (type(mb.compile(lambda x: x)),),
}
CALL = re.compile(r"(?<![\w.{}\\^@])((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)\((?!s\))")
NAME = re.compile(r"\b((?:mb|micrograd_bp)\.\w+)\b(?!\.)")
ATTRIBUTE = re.compile(r"(?<=[ (,])\.([a-z_]+)\b")
OPTION = re.compile(r"\b([a-z_]+)=(?:\.\.\.|True|False|None|\d|\"|')")
EXTRA = re.compile(r"micrograd_bp\[(\w+)\]")
REPR = re.compile(r"\w+\(\{\}")
FILES = {"svg", "png", "pdf", "dot", "html", "mmd"}  # endings of files
OF_NUMBERS = {"real", "imag"}


def messages():
    """(file, text, whether it is raised) of all texts with words but for docstrings; {} is what is filled in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in NO_MESSAGES:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
        inside = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
        for node in ast.walk(tree):
            if id(node) in docs or id(node) in inside:
                continue
            if isinstance(node, ast.JoinedStr):
                text = "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
                if not REPR.match(text):
                    yield name, text, id(node) in raised
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield name, node.value, id(node) in raised


def options():
    """All parameters of what is public."""
    found = set()
    for place in PLACES[:-1]:
        for thing in vars(place).values():
            members = [thing, *vars(thing).values()] if isinstance(thing, type) else [thing]
            for member in members:
                try:
                    found |= set(inspect.signature(member).parameters)
                except (TypeError, ValueError):
                    continue
            found |= set(getattr(thing, "__annotations__", ()) or ())
    return found


def strangers(text, known=()):
    """What a message recommends and does not exist. Options are compared with `known` unless that is empty."""
    missing = []
    for full in CALL.findall(text) + NAME.findall(text):
        *owner, name = full.removeprefix("micrograd_bp.").split(".")
        places = EXAMPLES.get(owner[0], ()) if owner else (*PLACES, Value)
        if not any(hasattr(place, name) for place in places):
            missing.append(full)
    for name in ATTRIBUTE.findall(text):
        if name not in FILES | OF_NUMBERS and not any(
            hasattr(t, name) for t in (Value, nn.Module, Graph, mb.DomainError)
        ):
            missing.append(f".{name}")
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    missing += [extra for extra in EXTRA.findall(text) if extra not in extras]
    return missing + [f"{name}=" for name in OPTION.findall(text) if known and name not in known]


def test_messages_recommend_nothing_that_does_not_exist():
    known, found, looked = options(), {}, 0
    for file, text, raised in messages():
        looked += bool(CALL.search(text) or NAME.search(text) or ATTRIBUTE.search(text) or EXTRA.search(text))
        if missing := strangers(text, known if raised else ()):
            found[file, text] = missing
    assert found == {}
    assert looked > 30


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("write floor(x) instead", ["floor"]),
        ("use mb.floor", ["mb.floor"]),
        ("use mb.gamma(v) or v.gamma()", ["mb.gamma", "v.gamma", "mb.gamma"]),
        ("take .number for it", [".number"]),
        ("give one with @op(nativ=...)", ["nativ="]),
        ("pip install 'micrograd_bp[everything]'", ["everything"]),
        ("call model.params() first", ["model.params"]),
        ("take .data, mb.exp(v), v.exp(), model.parameters() or @op(native=...)", []),
    ],
)
def test_the_walk_can_fail(text, missing):
    assert strangers(text, options()) == missing


FUNCTIONS = [math.floor, math.ceil, math.gamma, math.erf, math.isnan, math.ulp, math.modf, math.exp]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_of_math_recommend_what_exists(f):
    """math.floor and math.gamma have no counterpart here; the message does not say that they have."""
    with pytest.raises(TypeError, match="a Value ") as caught:
        f(Value(1.5))
    assert strangers(str(caught.value), options()) == []
    assert "of the same name" not in str(caught.value)


@pytest.mark.parametrize("name", ["floor", "ceil", "gcd", "i0"])
def test_functions_of_numpy_recommend_what_exists(name):
    with pytest.raises(TypeError) as caught:
        getattr(np, name)(*[np.array([Value(1.5)])] * (2 if name == "gcd" else 1))
    assert strangers(str(caught.value), options()) == []
