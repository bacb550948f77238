"""Every public name explains itself: its docstring, its signature and its examples, on whatever build is installed.

Run against a wheel that was compiled, this is the test that compiling lost none of them.
"""

import ast
import doctest
import functools
import importlib
import inspect
import os
import pydoc
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import micrograd_bp as mb

PACKAGE = Path(mb.__file__).parent
ROOMS = ("nn", "engine", "training", "check", "drawing")
MODULES = (
    *("micrograd_bp", *(f"micrograd_bp.{room}" for room in ROOMS)),
    *(f"micrograd_bp.training.{name}" for name in ("losses", "optim", "schedules")),
    *("micrograd_bp.check.closed_form", "micrograd_bp.check.strategies"),
)
LAZY = {"closed_form", "compile", "strategies"}
RETURNED = (mb.compile(mb.tanh), mb.formula(mb.Value(1.0)), mb.explain(mb.Value(1.0) * 2.0), mb.parse("x"))
DESCRIPTORS = (property, functools.cached_property, types.GetSetDescriptorType, types.MemberDescriptorType)


def members(name, found):
    """(name, object, class or None) of a public object and, of a class, of what the package's classes give it."""
    yield name, found, None
    for inner in dir(found) if isinstance(found, type) else ():
        base = next(base for base in found.__mro__ if inner in vars(base)) if not inner.startswith("_") else object
        if base.__module__.startswith("micrograd_bp"):
            yield f"{name}.{inner}", getattr(found, inner), found


def walk():
    """(name, object, class or None) of everything public."""
    for module in map(importlib.import_module, MODULES):
        for name in {*module.__all__, *(LAZY if module is mb else ())}:
            yield from members(f"{module.__name__}.{name}", getattr(module, name))
    for found in RETURNED:
        cls = type(found)
        yield from members(f"{cls.__module__}.{cls.__name__}", cls)


PUBLIC = {name: (found, cls) for name, found, cls in sorted(walk(), key=lambda facts: facts[0])}


def faults(name, found, cls=None):
    """What is missing in the documentation of an object: sentences."""
    doc = inspect.getdoc(found) or ""
    is_data = not isinstance(found, (type, types.ModuleType, *DESCRIPTORS)) and not callable(found)
    if is_data or (isinstance(found, DESCRIPTORS) and not doc):  # an attribute: who has it describes it
        owner = cls or importlib.import_module(name.rpartition(".")[0])
        sources = [owner, *getattr(owner, "__mro__", ())]
        if not any(f"`{name.rpartition('.')[2]}" in (inspect.getdoc(source) or "") for source in sources):
            yield f"{name} is not described by {owner.__name__}"
        return
    if len(doc) < 10 or doc in map(inspect.getdoc, (object, type, type(found))):
        yield f"{name} has no docstring of its own"
    elif doc.split("\n\n")[0].rstrip()[-1] not in ".:":
        yield f"{name} begins with no sentence: {doc.splitlines()[0]!r}"
    if callable(found):
        try:
            given = inspect.signature(found)
        except (TypeError, ValueError) as error:
            yield f"{name} has no signature: {error}"
            return
        wanted = in_source(found)
        if wanted and [(p.name, p.default) for p in given.parameters.values()] != wanted:
            yield f"{name}{given} has other parameters than its source, {wanted}"


@functools.cache
def definitions(module):
    """The functions in the source of a module, by qualified name."""
    path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    inner = {
        f"{c.name}.{f.name}": f for c in tree.body if isinstance(c, ast.ClassDef) for f in c.body if hasattr(f, "args")
    }
    return {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)} | inner


def in_source(found):
    """[(name, default)] of a compiled callable as its source has them; None for others, which Python knows itself."""
    if isinstance(found, type):
        names = [(base.__module__, f"{base.__name__}.__init__") for base in found.__mro__]
    elif isinstance(found, (types.BuiltinFunctionType, types.MethodDescriptorType)):
        cls = getattr(found, "__objclass__", None)
        names = [(cls.__module__, f"{cls.__name__}.{found.__name__}")] if cls else [(found.__module__, found.__name__)]
    else:
        return None
    found_in, name = next((pair for pair in names if pair[1] in definitions(pair[0])), (None, None))
    if name is None:
        return None
    function = definitions(found_in)[name]
    args = function.args

    def default(node):
        return inspect.Parameter.empty if node is None else eval(ast.unparse(node), vars(sys.modules[found_in]))

    placed = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(placed) - len(args.defaults)) + args.defaults
    parameters = [(arg.arg, default(node)) for arg, node in zip(placed, defaults, strict=True)]
    parameters += [(args.vararg.arg, inspect.Parameter.empty)] if args.vararg else []
    parameters += [(arg.arg, default(node)) for arg, node in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    parameters += [(args.kwarg.arg, inspect.Parameter.empty)] if args.kwarg else []
    return parameters[1:] if isinstance(found, type) else parameters


def examples(name, found):
    """The examples in a docstring as a test, in the namespace of the module that they stand in."""
    home = getattr(found, "__objclass__", found)
    home = getattr(home, "fget", home)
    module = name if isinstance(found, types.ModuleType) else getattr(home, "__module__", None)
    namespace = dict(vars(sys.modules[module])) if isinstance(module, str) else {}
    return doctest.DocTestParser().get_doctest(inspect.getdoc(found) or "", namespace, name, None, None)


def failed(test):
    """What the examples of a test print otherwise than they show, as text."""
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return "".join(report)


# --- every public name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented(name):
    assert list(faults(name, *PUBLIC[name])) == []


@pytest.mark.parametrize(
    "name", [name for name, (found, _) in PUBLIC.items() if ">>>" in (inspect.getdoc(found) or "")]
)
def test_the_examples_run(name, own_ops):
    assert failed(examples(name, PUBLIC[name][0])) == ""


def test_the_walk_finds_what_a_user_finds():
    wanted = (
        "Value Value.backward Value.grad Value.tanh sigmoid compile nn.MLP.parameters training.losses.hinge engine.op"
    )
    assert {f"micrograd_bp.{name}" for name in wanted.split()} <= set(PUBLIC)
    assert len(PUBLIC) > 250


class Undocumented:
    """It has a method and an attribute that nobody explains."""

    def __init__(self):
        self.hidden = 1

    def act(self, times=1):
        pass

    @property
    def state(self):
        return self.hidden


def test_the_checker_can_fail():
    def wrong():
        """Return 2.

        >>> 1 + 1
        3
        """

    assert list(faults("act", Undocumented.act)) == ["act has no docstring of its own"]
    assert list(faults("Undocumented.state", Undocumented.state, Undocumented)) == [
        "Undocumented.state is not described by Undocumented"
    ]
    assert list(faults("wordless", types.SimpleNamespace(__doc__="no sentence here").__doc__, Undocumented))
    assert "Got:\n    2" in failed(examples("wrong", wrong))


# --- operations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", mb.OPS.values(), ids=str)
def test_the_help_of_an_operation_says_what_its_row_says(op):
    shown = pydoc.render_doc(op, renderer=pydoc.plaintext)
    assert all(f"Derivative by {name}:" in shown for name in op.arguments)
    assert "no formula" not in shown
    assert op.convention in shown
    assert repr(op.bound) in shown
    assert all(str(interval) in shown for box in op.domain for interval in box if str(interval) != "(-inf, inf)")
    assert ">>>" in shown
    assert [*inspect.signature(op).parameters] == list(op.arguments)
    method = inspect.signature(getattr(mb.Value, op.name))
    assert [*method.parameters][1:] == list(op.arguments[1:])
    assert [p.default for p in method.parameters.values() if p.default is not p.empty] == list(op.defaults)


def test_the_help_of_sigmoid():
    assert mb.sigmoid.__doc__.splitlines()[:6] == [
        "Return σ(x) = 1 / (1 + exp(−x)).",
        "",
        "`sigmoid(x)` of floats is a float; of Values it is a Value that remembers the derivative, as is "
        "`x.sigmoid()`.",
        "",
        "Derivative by x:  σ(x)·(1 − σ(x))",
        "Domain:           all real numbers",
    ]
    assert str(inspect.signature(mb.leaky_relu)) == "(x, slope=0.01)"
    assert str(inspect.signature(mb.Value(1.0).leaky_relu)) == "(slope=0.01)"
    assert "jumps or is infinite where x = 0\nConvention there:  inf at 0" in mb.sqrt.__doc__
    assert mb.Op.__doc__.startswith("A function of floats")


def test_an_operation_of_a_users_own_begins_with_its_docstring(own_ops):
    @mb.op(lambda x, factor, out: factor, lambda x, factor, out: mb.tanh(x), kinks=(lambda x, factor: x - 1.0,))
    def scaled(x, factor=2.0):
        """Scale x.

        It is scaled by the factor.
        """
        return x * factor

    try:
        doc = scaled.__doc__
        assert doc.startswith(
            "Scale x.\n\nIt is scaled by the factor.\n\nReturn scaled(x, factor).\n\n`scaled(x, factor=2.0)`"
        )
        assert "Derivative by x:       factor\nDerivative by factor:  tanh(x)\n" in doc
        assert "where x − 1 = 0" in doc
        assert str(inspect.signature(scaled)) == "(x, factor=2.0)"
        assert not failed(examples("scaled", scaled))
        assert "y = mb.OPS['scaled'](x)" in doc
    finally:
        del mb.OPS["scaled"]


def test_an_operation_that_does_not_like_formulas_has_help_too():
    def stubborn(*args):
        raise KeyError("no")

    row = mb.Op("stubborn", stubborn, stubborn, exact=stubborn, kinks=(stubborn,))
    assert "Derivative by x:  computed by a rule that has no formula" in row.__doc__
    assert ">>>" not in row.__doc__


# --- the build hook ---------------------------------------------------------------------------------------------------

MODULE = """
'''What a module says: "σ" and \\\\ and ?'''
class Thing:
    "A thing."
    def act(self, times=3, *, how=LIMIT): "It acts."
    @property
    def state(self): "Its state."
def make(x: float = 1.0) -> Thing: "It makes."
"""
WRITTEN = """
 (getter)thing___Thing_get_state,
    NULL, NULL, NULL},
 (PyCFunction)CPyPy_thing___Thing___act,
 METH_FASTCALL | METH_KEYWORDS, PyDoc_STR(NULL)},
static PyTypeObject CPyType_thing___Thing_template_ = {
    .tp_doc = PyDoc_STR("Thing()\\n--\\n\\n"),
};
{"make", (PyCFunction)CPyPy_thing___make, METH_FASTCALL, PyDoc_STR("make(x=1.0)\\n--\\n\\n") /* docstring */},
    "room.thing",
    NULL, /* docstring */
"""


@pytest.fixture
def with_docstrings(tmp_path, monkeypatch):
    """The build hook's function, of the module room/thing.py in the current folder."""
    text = Path(__file__).parents[2].joinpath("hatch_build.py").read_text(encoding="utf-8")
    hook = {"__name__": "hatch_build"}
    exec(text.partition("\nif __name__")[0], hook)  # what follows needs hatchling
    tmp_path.joinpath("room").mkdir()
    tmp_path.joinpath("room", "thing.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda c: hook["with_docstrings"](c, ["room/thing.py"])


def test_the_build_puts_docstrings_where_python_looks_for_them(with_docstrings):
    c = with_docstrings(WRITTEN)
    texts = [ast.literal_eval(f"({found})") for found in re.findall(r'"(?:[^"\n]|\\")*"(?:\s*"[^"\n]*")*', c)]
    assert [text.encode("latin1").decode() for text in texts] == [
        "Its state.",
        "act($self, times=3, *, how=LIMIT)\n--\n\nIt acts.",
        "Thing()\n--\n\nA thing.",
        "make",
        "make(x=1.0)\n--\n\nIt makes.",
        "room.thing",
        'What a module says: "σ" and \\ and ?',
    ]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("___act,", "___acts,", "function thing___Thing___act has 0"),
        ("Thing_template_", "Thing_template2_", "class thing___Thing has 0"),
        ("NULL, NULL, NULL", "NULL, NULL", "property thing___Thing_get_state has 0"),
        ('(x=1.0)\\n--\\n\\n"', '(x=1.0)\\n--\\n\\nIt makes."', "function thing___make has 0"),
        ("/* docstring */\n", "/* other */\n", "module room.thing has 0"),
        (WRITTEN, WRITTEN * 2, "module room.thing has 2"),
    ],
)
def test_a_build_without_docstrings_fails(with_docstrings, before, after, kind):
    assert before in WRITTEN
    with pytest.raises(SystemExit, match=f"docstring of the {kind} fields in the C text of mypyc, not 1"):
        with_docstrings(WRITTEN.replace(before, after))


# --- names ------------------------------------------------------------------------------------------------------------


def strangers(module):
    """What `dir` shows besides public names, submodules and Python's own."""
    given = {name for name in dir(module) if not name.startswith("_")}
    own = {n for n in given if getattr(getattr(module, n), "__name__", "") == f"{module.__name__}.{n}"}
    return given - own - set(module.__all__)


DIR = """
import micrograd_bp as mb
names = {name for name in dir(mb) if not name.startswith("_")}
assert names == {*mb.__all__, "closed_form", "compile", "strategies"}, names ^ set(mb.__all__)
assert {"closed_form", "compile", "strategies", "losses", "optim", "schedules", "nn", "engine", "sigmoid"} <= names
assert not names & {"Any", "importlib", "ieee", "annotations", "TYPE_CHECKING"}
assert all(hasattr(mb, name) for name in names)
"""


def test_dir_has_the_public_names():
    """In a process of its own: what has been imported before changes nothing."""
    subprocess.run([sys.executable, "-P", "-c", DIR], check=True, env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)})
    assert {"Any", "importlib", "ieee"}.isdisjoint(dir(mb))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_show_no_stray_names(room):
    assert strangers(importlib.import_module(f"micrograd_bp.{room}")) == set()


def test_a_stray_name_is_seen():
    module = types.ModuleType("room")
    module.__all__, module.Any = [], object
    assert strangers(module) == {"Any"}
