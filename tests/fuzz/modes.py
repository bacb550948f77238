"""The modes in which a program runs: each returns its value and the derivatives that it gives.

A mode is a function of a `Subject`, a program in the names of the package. Its result maps quantities to numbers:
`value`; `gradient`, a list; `hessian`, a list of rows; `first`, `second`, `third`, along the program's direction.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import math
import pickle
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

import micrograd_bp as mb
from micrograd_bp import OPS, Value
from micrograd_bp.autodiff.reverse import adjoints, gradients
from micrograd_bp.engine.number import ROW_METHODS, Number

from .program import INNER, OWN, Program

OWN_SOURCE = """
@mb.op(lambda x, out: mb.div(1.0, mb.cosh(x)))
def gudermann(x):
    return 2.0 * math.atan(math.tanh(0.5 * x))
@mb.op(lambda x, y, out: mb.exp(-mb.square(y)), lambda x, y, out: -2.0 * y * out)
def blend(x, y):
    return x * math.exp(-y * y)
@mb.op(
    lambda x, y, out: 1.0 - mb.less(mb.abs(x), mb.abs(y)),
    lambda x, y, out: mb.less(mb.abs(x), mb.abs(y)),
    routes_gradient=True,
)
def pick(x, y):
    return y if abs(x) < abs(y) else x
"""


@contextlib.contextmanager
def own_operations() -> Iterator[dict[str, Any]]:
    """Define the operations of the table `OWN`; they are gone afterwards."""
    names: dict[str, Any] = {"mb": mb, "math": math}
    methods = {name: vars(Number).get(name) for name in OWN}
    exec(OWN_SOURCE, names)
    try:
        yield {name: names[name] for name in OWN}
    finally:
        for name in OWN:
            OPS.pop(name, None)
            ROW_METHODS.discard(name) if isinstance(ROW_METHODS, set) else ROW_METHODS.pop(name, None)
            if methods[name] is None and name in vars(Number):
                delattr(Number, name)


class Subject:
    """A program in the names of the package. What several modes use is computed once."""

    def __init__(self, program: Program, code: Any, own: dict[str, Any]) -> None:
        self.program = program
        self.how = ""  # "deepcopy" or "pickle" where copies are made
        self.leaves: list[Value] = []
        names = {"mb": mb, "copied": self.copied, "assigned": self.assigned, **own}
        exec(code, names)
        self.f: Callable[..., Any] = names["f"]
        self.point = program.point
        self._compiled: Any = None

    def copied(self, *values: Any) -> Any:
        if not self.how:
            return values
        made = copy.deepcopy(values) if self.how == "deepcopy" else pickle.loads(pickle.dumps(values))
        self.leaves[:] = made[: len(self.point)]
        return made

    def assigned(self, value: Any, data: float) -> Any:
        if not isinstance(value, Value):
            raise NotAssigned
        value.data = data
        return value

    def graph(self, how: str = "", point: tuple[float, ...] | None = None) -> Value:
        """Return the root of a new graph, with its leaves in `leaves`."""
        self.leaves = [Value(x) for x in point or self.point]
        self.how = how
        try:
            root = self.f(*self.leaves)
        finally:
            self.how = ""
        return root if isinstance(root, Value) else Value(root)

    @property
    def compiled(self) -> Any:
        if self._compiled is None:
            self._compiled = mb.compile(self.f, backend="python")
        return self._compiled

    def line(self) -> Callable[[Any], Any]:
        """Return the program as a function of one number, 0 at the point."""
        places = list(zip(self.point, self.program.direction, strict=True))
        return lambda t: self.f(*[x + d * t if d else x for x, d in places])


class NotAssigned(Exception):
    """Data is assigned to Values only."""


class Inconsistent(Exception):
    """The same computation gave another result the second time."""


Result = dict[str, Any]
Mode = Callable[[Subject], Result]


def _data(x: Any) -> float:
    return x.data if isinstance(x, Value) else x


def _listed(x: Any, count: int) -> list[Any]:
    return [x] if count == 1 else list(x)


def backward(s: Subject) -> Result:
    root = s.graph()
    root.backward()
    return {"value": root.data, "gradient": [leaf.grad for leaf in s.leaves]}


def twice(s: Subject) -> Result:
    """A second pass, with other data in the leaves, adds the same once more."""
    root = s.graph()
    root.backward()
    first = [leaf.grad for leaf in s.leaves]
    for leaf in s.leaves:
        leaf.data = leaf.data + 1.0
    root.backward()
    both = [leaf.grad for leaf in s.leaves]
    if [repr(g + g) for g in first] != [repr(g) for g in both]:
        raise Inconsistent(f"{first}, then {both}")
    return {"value": root.data, "gradient": first}


def other_point(s: Subject) -> Result:
    """A pass at another point, then the leaves are set to the point: nothing of the first pass is left."""
    other = [x + 0.25 if x < 0.0 else x * 0.75 for x in s.point]
    leaves = s.leaves = [Value(x) for x in other]
    with contextlib.suppress(mb.DomainError):
        first = s.f(*leaves)
        if isinstance(first, Value):
            first.backward()
    for leaf, x in zip(leaves, s.point, strict=True):
        leaf.data = x
        leaf.zero_grad()
    root = s.f(*leaves)
    root = root if isinstance(root, Value) else Value(root)
    root.backward()
    return {"value": root.data, "gradient": [leaf.grad for leaf in leaves]}


def copied(how: str) -> Mode:
    def mode(s: Subject) -> Result:
        root = s.graph(how)
        leaves = s.leaves
        if "copy" not in s.program.kinds:
            root, *leaves = (
                copy.deepcopy((root, *leaves)) if how == "deepcopy" else pickle.loads(pickle.dumps((root, *leaves)))
            )
        root.backward()
        return {"value": root.data, "gradient": [leaf.grad for leaf in leaves]}

    return mode


def adjoint(s: Subject) -> Result:
    root = s.graph()
    return {"value": root.data, "gradient": adjoints(root, s.leaves)}


def value_and_grad(s: Subject) -> Result:
    value, slopes = mb.value_and_grad(s.f)(*s.point)
    return {"value": value, "gradient": _listed(slopes, len(s.point))}


def vjp(s: Subject) -> Result:
    value, pull_back = mb.vjp(s.f, *s.point)
    return {"value": value, "gradient": _listed(pull_back(1.0), len(s.point))}


def create_graph(s: Subject) -> Result:
    """The Hessian by a second backward pass over the graph of the first."""
    root = s.graph()
    leaves = s.leaves
    slopes = root.backward(create_graph=True)
    rows = [[_data(g) for g in gradients(slopes[leaf], leaves)] if leaf in slopes else None for leaf in leaves]
    first = [slopes[leaf].data if leaf in slopes else 0.0 for leaf in leaves]
    return {"value": root.data, "gradient": first, "hessian": [row or [0.0] * len(leaves) for row in rows]}


def second_backward(s: Subject) -> Result:
    """The derivative along the direction is a graph; `backward` from it gives the Hessian times the direction."""
    root = s.graph()
    leaves = s.leaves
    slopes = root.backward(create_graph=True)
    total: Any = Value(0.0)
    for leaf, d in zip(leaves, s.program.direction, strict=True):
        if leaf in slopes and d:
            total = total + slopes[leaf] * d
    for leaf in leaves:
        leaf.zero_grad()
    total.backward()
    return {"second": sum(d * leaf.grad for leaf, d in zip(leaves, s.program.direction, strict=True) if d)}


def hessian(s: Subject) -> Result:
    return {"hessian": mb.hessian(s.f)(*s.point)}


def grad_of_grad(s: Subject) -> Result:
    return {"second": mb.grad(mb.grad(s.line()))(0.0)}


def jvp(s: Subject) -> Result:
    value, slope = mb.jvp(s.f, s.point, s.program.direction)
    return {"value": value, "first": slope}


def hvp(s: Subject) -> Result:
    moved = _listed(mb.hvp(s.f, s.point, s.program.direction), len(s.point))
    return {"second": sum(d * m for d, m in zip(s.program.direction, moved, strict=True) if d)}


def derivative(s: Subject) -> Result:
    return {"first": mb.derivative(s.line())(0.0), "second": mb.derivative(s.line(), 2)(0.0)}


def third_derivative(s: Subject) -> Result:
    return {"third": mb.derivative(mb.grad(mb.derivative(s.line())))(0.0)}


def grad_of_derivative(s: Subject) -> Result:
    return {"second": mb.grad(mb.derivative(s.line()))(0.0)}


def taylor(s: Subject) -> Result:
    value, first, second, third = mb.taylor(s.line(), 0.0, 3)
    return {"value": value, "first": first, "second": 2.0 * second, "third": 6.0 * third}


def compiled(s: Subject) -> Result:
    value, slopes = s.compiled.value_and_grad(*s.point)
    return {"value": value, "gradient": _listed(slopes, len(s.point))}


def compiled_forward(s: Subject) -> Result:
    value, slope = s.compiled.jvp(s.point, s.program.direction)
    return {"value": value, "first": slope}


def compiled_hessian(s: Subject) -> Result:
    return {"hessian": s.compiled.hessian(*s.point)}


def compiled_hvp(s: Subject) -> Result:
    moved = _listed(s.compiled.hvp(s.point, s.program.direction), len(s.point))
    return {"second": sum(d * m for d, m in zip(s.program.direction, moved, strict=True) if d)}


def _batch(s: Subject, run: Any, count: int) -> Result:
    """One sample at the point, the others beside it; sample 0 and the last one are the point."""
    columns = [[x, *(x + 0.125 * k for k in range(1, count - 1)), x] for x in s.point]
    values, slopes = run.batched(*columns, gradients="each")
    slopes = _listed(slopes, len(s.point))
    ends = [(float(values[k]), *(float(column[k]) for column in slopes)) for k in (0, count - 1)]
    # which zero the maximum of 0.0 and -0.0 is, NumPy decides by the place in the array
    if repr([x + 0.0 for x in ends[0]]) != repr([x + 0.0 for x in ends[1]]):
        raise Inconsistent(f"the same sample gives {ends[0]} and {ends[1]}")
    value, *gradient = ends[0]
    return {"value": value, "gradient": gradient}


def numpy_batch(s: Subject) -> Result:
    return _batch(s, s.compiled, 3)


def llvm(s: Subject) -> Result:
    value, slopes = mb.compile(s.f, backend="native").value_and_grad(*s.point)
    return {"value": value, "gradient": _listed(slopes, len(s.point))}


def llvm_lanes(s: Subject) -> Result:
    return _batch(s, mb.compile(s.f, backend="native"), 9)


@dataclass(frozen=True)
class Facts:
    """How often a mode runs, and what it shares with others."""

    run: Mode
    share: float  # of the programs
    family: str  # "reverse" modes add the same products in the same order
    traced: bool = False  # Python's branches cannot be recorded
    bits: bool = True  # the same bits as `backward`

    @property
    def second(self) -> bool:
        """Whether it gives second derivatives."""
        return self.family == "second" or self.run in (create_graph, derivative, taylor)


MODES = {
    "backward": Facts(backward, 1.0, "reverse"),
    "backward, twice": Facts(twice, 0.15, "reverse"),
    "backward, another point": Facts(other_point, 0.1, "reverse"),
    "backward of a copy": Facts(copied("deepcopy"), 0.1, "reverse"),
    "backward of a pickle": Facts(copied("pickle"), 0.1, "reverse"),
    "adjoints": Facts(adjoint, 0.05, "reverse"),
    "value_and_grad": Facts(value_and_grad, 0.15, "reverse"),
    "vjp": Facts(vjp, 0.1, "reverse"),
    "create_graph": Facts(create_graph, 0.12, "reverse"),
    "backward of a gradient": Facts(second_backward, 0.15, "second"),
    "hessian": Facts(hessian, 0.1, "second"),
    "grad of grad": Facts(grad_of_grad, 0.1, "second"),
    "jvp": Facts(jvp, 0.25, "forward"),
    "hvp": Facts(hvp, 0.1, "second"),
    "derivative": Facts(derivative, 0.12, "forward"),
    "grad of derivative": Facts(grad_of_derivative, 0.1, "second"),
    "third derivative": Facts(third_derivative, 0.04, "second"),
    "taylor": Facts(taylor, 0.1, "forward"),
    "compiled": Facts(compiled, 0.12, "reverse", traced=True),
    "compiled jvp": Facts(compiled_forward, 0.06, "forward", traced=True),
    "compiled hessian": Facts(compiled_hessian, 0.04, "second", traced=True),
    "compiled hvp": Facts(compiled_hvp, 0.03, "second", traced=True),
    "NumPy batch": Facts(numpy_batch, 0.05, "reverse", traced=True, bits=False),
}
if importlib.util.find_spec("llvmlite"):
    MODES["LLVM"] = Facts(llvm, 0.002, "reverse", traced=True, bits=False)
    MODES["LLVM lanes"] = Facts(llvm_lanes, 0.002, "reverse", traced=True, bits=False)

ON_ASSIGNED = ("backward", "backward of a copy", "backward of a pickle", "adjoints")
"""The modes of programs that assign to a leaf: those whose numbers are Values, and which use recorded derivatives."""


def modes_of(program: Program, switched: Container[str] = ()) -> list[str]:
    """Return the modes that a program has a meaning in; `switched` are the kinds that the run asked for."""
    kinds = program.kinds
    if "assign" in kinds:
        return list(ON_ASSIGNED)
    inner = bool(kinds & INNER)
    return [
        name
        for name, facts in MODES.items()
        if not (name == "taylor" and inner and "taylor" not in switched)
        and not (facts.traced and "branch" in kinds)
        and not (facts.traced and inner and "compiled" not in switched)
        and not (name.startswith("LLVM") and "custom" in kinds)
    ]
