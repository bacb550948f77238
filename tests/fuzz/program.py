"""Random programs: Python functions with loops, branches, sequences, nested derivatives, copies, assignments.

A program is a list of statements. Each binds one name to an expression, a nested tuple of an operation and its
arguments; so it can be written as Python source, run by the package and by the oracle, and cut smaller (`shrink.py`).
The seed decides all of it.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

Expression = Any  # a name, a float, or a tuple (operation, argument, ...)

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
TAME = (
    *("sin", "cos", "tanh", "sigmoid", "softplus", "log_sigmoid", "atan", "asinh", "erf", "erfc", "gelu", "silu"),
    *("square", "neg", "relu", "abs", "leaky_relu", "elu", "exp", "expm1", "cbrt"),
)
RARE = ("sqrt", "log", "log1p", "log2", "log10", "tan", "asin", "acos", "acosh", "atanh", "sinh", "cosh", "reciprocal",
        "sign", "step", "gaussian", "logistic_density", "one_minus_square")  # fmt: skip
PAIRS = ("hypot", "atan2", "maximum", "minimum", "less", "logaddexp")
OWN = {"gudermann": 1, "blend": 2, "pick": 2}  # the operations that `modes.py` defines with @op

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0)
EXTREME = (*SPECIAL, float("inf"), float("-inf"), float("nan"), 5e-324, 1e-300, -1e-300, 1e300, 1.7e308, 1e-17, 1e10)

KINDS = ("plain", "loop", "sequence", "where", "branch", "nested", "taylor", "kept", "copy", "assign", "custom",
         "special", "extreme", "compiled")  # fmt: skip
"""In "kept", numbers outlive the derivative in which they were computed; "compiled" means that programs with nested
derivatives are compiled, too."""
INNER = {"nested", "taylor", "kept"}  # the kinds that take derivatives within the program


class Let(NamedTuple):
    """name = expression."""

    name: str
    value: Expression

    def lines(self) -> Iterator[str]:
        yield f"{self.name} = {written(self.value)}"


class Loop(NamedTuple):
    """name = start, then several times name = expression."""

    name: str
    start: Expression
    count: int
    value: Expression

    def lines(self) -> Iterator[str]:
        yield f"{self.name} = {written(self.start)}"
        yield f"for _ in range({self.count}):"
        yield f"    {self.name} = {written(self.value)}"


class Sequence(NamedTuple):
    """name = a fold over a list: `how` is the body of a comprehension in v, or an operation of two arguments."""

    name: str
    parts: tuple[Expression, ...]
    how: Expression

    def lines(self) -> Iterator[str]:
        listed = ", ".join(map(written, self.parts))
        yield f"{self.name} = sum([{written(self.how)} for v in [{listed}]])"


class Branch(NamedTuple):
    """name = one of two expressions, by a comparison in Python."""

    name: str
    left: Expression
    right: float
    yes: Expression
    no: Expression

    def lines(self) -> Iterator[str]:
        yield f"if {written(self.left)} > {written(self.right)}:"
        yield f"    {self.name} = {written(self.yes)}"
        yield "else:"
        yield f"    {self.name} = {written(self.no)}"


class Inner(NamedTuple):
    """name = a derivative of an inner function at expressions; `form` has the places {g}, {a}, {b}, {c}."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Any, ...]
    form: str
    args: tuple[Expression, ...]

    def lines(self) -> Iterator[str]:
        inner = f"g_{self.name}"
        yield f"def {inner}({', '.join(self.parameters)}):"
        for statement in self.body:
            for line in statement.lines():
                yield f"    {line}"
        yield f"    return {self.body[-1].name if self.body else self.parameters[0]}"
        a, b, c, d = [*map(written, self.args), "", "", "", ""][:4]
        yield f"{self.name} = {self.form.format(g=inner, a=a, b=b, c=c, d=d)}"


class Kept(NamedTuple):
    """name = a number that an inner function left behind, after its derivative was taken."""

    name: str
    value: Expression  # in t
    at: Expression
    form: str

    def lines(self) -> Iterator[str]:
        yield f"kept_{self.name} = []"
        yield f"def g_{self.name}(t):"
        yield f"    kept_{self.name}.append({written(self.value)})"
        yield f"    return kept_{self.name}[-1]"
        yield f"{self.name} = {self.form.format(g=f'g_{self.name}', a=written(self.at))}"
        yield f"{self.name} = {self.name} + kept_{self.name}[-1]"


class Copy(NamedTuple):
    """All names so far are replaced by copies, the leaves with them."""

    names: tuple[str, ...]
    name: str  # the last of them

    def lines(self) -> Iterator[str]:
        listed = ", ".join(self.names)
        yield f"{listed}, = copied({listed})"


class Assign(NamedTuple):
    """A leaf gets another number; what was computed before keeps the old one."""

    name: str
    data: float

    def lines(self) -> Iterator[str]:
        yield f"{self.name} = assigned({self.name}, {written(self.data)})"


@dataclass(frozen=True)
class Program:
    """A function of `names` at a point, with a direction along which derivatives are compared."""

    seed: int
    kinds: frozenset[str]
    names: tuple[str, ...]
    point: tuple[float, ...]
    direction: tuple[float, ...]
    body: tuple[Any, ...]
    result: Expression

    @property
    def source(self) -> str:
        lines = [f"def f({', '.join(self.names)}):"]
        lines += [f"    {line}" for statement in self.body for line in statement.lines()]
        return "\n".join([*lines, f"    return {written(self.result)}", ""])

    def code(self) -> Any:
        return compile(self.source, f"<program {self.seed}>", "exec")

    def with_(self, **changed: Any) -> Program:
        return dataclasses.replace(self, **changed)


def written(e: Expression, brackets: bool = False) -> str:
    """Return an expression as Python source."""
    if isinstance(e, str):
        return e
    if isinstance(e, float):
        if e != e or e in (float("inf"), float("-inf")):
            return f'float("{e!r}")'
        return f"({e!r})" if brackets and (e < 0 or repr(e)[0] == "-") else repr(e)
    name, *args = e
    if name in SIGNS:
        text = f"{written(args[0], True)} {SIGNS[name]} {written(args[1], True)}"
        return f"({text})" if brackets else text
    listed = ", ".join(written(arg) for arg in args)
    return f"{name}({listed})" if name in OWN else f"mb.{name}({listed})"


# --- drawing ----------------------------------------------------------------------------------------------------------

FORMS_OF_ONE = (
    *("mb.grad({g})({a})", "mb.derivative({g})({a})", "mb.derivative({g}, 2)({a})", "mb.jvp({g}, ({a},), ({b},))[1]"),
    *("mb.value_and_grad({g})({a})[0]", "mb.value_and_grad({g})({a})[1]", "mb.vjp({g}, {a})[1]({b})"),
    *("mb.grad(mb.grad({g}))({a})", "mb.grad(mb.derivative({g}))({a})", "mb.derivative(mb.grad({g}))({a})"),
    *("mb.hessian({g})({a})[0][0]", "mb.hvp({g}, ({a},), ({b},))", "sum(mb.jacobian(lambda t: [{g}(t), t])({a}))"),
    "mb.jvp({g}, ({a},), ({b},))[0]",
)
FORMS_OF_TWO = (
    *("mb.grad({g})({a}, {b})[0]", "mb.grad({g})({a}, {b})[1]", "mb.jvp({g}, ({a}, {b}), ({c}, {d}))[1]"),
    *("mb.hessian({g})({a}, {b})[0][1]", "mb.hessian({g})({a}, {b})[1][1]", "mb.hvp({g}, ({a}, {b}), ({c}, {d}))[0]"),
    *("mb.vjp({g}, {a}, {b})[1]({c})[0]", "mb.grad(lambda t, s: mb.grad({g})(t, s)[0])({a}, {b})[1]"),
    "sum(mb.grad(lambda p: {g}(p[0], p[1]))([{a}, {b}]))",
)
FORMS_OF_TAYLOR = (
    *("mb.taylor({g}, {a}, 1)[1]", "mb.taylor({g}, {a}, 2)[2]", "mb.taylor(mb.grad({g}), {a}, 1)[1]"),
    *("mb.grad(lambda t: mb.taylor({g}, t, 1)[1])({a})", "mb.derivative(lambda t: mb.taylor({g}, t, 2)[2])({a})"),
    "mb.taylor(lambda t: t * mb.taylor({g}, t, 1)[1], {a}, 1)[1]",
)
FORMS_OF_KEPT = ("mb.grad({g})({a})", "mb.derivative({g})({a})", "mb.jvp({g}, ({a},), (1.0,))[1]")


class _Draw:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.number: Callable[[], float] = lambda: round(self.rng.uniform(-2.0, 2.0), 3)
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def atom(self, names: list[str]) -> Expression:
        """The names that came last are used most."""
        if self.rng.random() < 0.15:
            return self.number()
        return names[-1] if self.rng.random() < 0.5 else self.rng.choice(names)

    def expression(self, names: list[str], depth: int = 1) -> Expression:
        """At most `depth` operations deep; the first argument is never a number."""
        rng = self.rng
        first: Expression = names[-1] if rng.random() < 0.5 else rng.choice(names)
        if depth > 1 and rng.random() < 0.5:
            first = self.expression(names, depth - 1)
        chance = rng.random()
        if chance < 0.4:
            return self.signed(first, names)
        if chance < 0.78:
            return (rng.choice(TAME), first)
        if chance < 0.88:
            return (rng.choice(PAIRS), first, self.atom(names))
        return self.rare(first)

    def signed(self, first: Expression, names: list[str]) -> Expression:
        sign = self.rng.choice(("add", "sub", "mul", "mul", "div", "pow"))
        if sign == "pow":
            if self.rng.random() < 0.7:
                return ("pow", first, self.rng.choice((2.0, 3.0, 0.0, 1.0)))
            return ("pow", ("exp", ("sin", first)), self.atom(names))
        if sign == "div" and self.rng.random() < 0.7:
            return ("div", first, ("add", 1.5, ("square", self.atom(names))))
        return (sign, self.atom(names), first) if self.rng.random() < 0.3 else (sign, first, self.atom(names))

    def rare(self, first: Expression) -> Expression:
        name = self.rng.choice(RARE)
        if self.rng.random() < 0.75:  # mostly within its domain
            if name in ("sqrt", "log", "log2", "log10", "acosh", "reciprocal"):
                first = ("add", 1.0, ("square", first))
            elif name in ("log1p", "sinh", "cosh", "tan"):
                first = ("sin", first)
            elif name in ("asin", "acos", "atanh"):
                first = ("mul", 0.9, ("tanh", first))
        return (name, first)

    def statement(self, kind: str, names: list[str]) -> Any:
        rng, name = self.rng, self.name()
        if kind == "loop":
            body = self.expression([*names, name], 2)
            return Loop(name, self.atom(names), rng.randint(2, 3), body)
        if kind == "sequence":
            parts = tuple(self.atom(names) for _ in range(rng.randint(2, 3)))
            return Sequence(name, parts, self.expression([*names, "v"]))
        if kind == "where":
            condition = rng.choice((("step", self.atom(names)), ("less", names[-1], self.atom(names)), names[-1]))
            return Let(name, ("where", condition, self.expression(names), self.expression(names)))
        if kind == "branch":
            return Branch(name, rng.choice(names), self.number(), self.expression(names), self.expression(names))
        if kind == "nested":
            two = rng.random() < 0.35
            parameters = ("t", "s") if two else ("t",)
            inside = [*names, *parameters]
            body = [self.statement("plain", inside)]
            if rng.random() < 0.5:
                more = "nested" if rng.random() < 0.25 and len(names) < 8 else "plain"
                body.append(self.statement(more, [*inside, body[0].name]))
            body.append(Let(self.name(), ("mul", body[-1].name, parameters[-1])))
            form = rng.choice(FORMS_OF_TWO if two else FORMS_OF_ONE)
            return Inner(name, parameters, tuple(body), form, tuple(self.atom(names) for _ in range(4)))
        if kind == "taylor":
            body = [Let(self.name(), self.expression([*names, "t"], 2))]
            body.append(Let(self.name(), ("mul", body[-1].name, "t")))
            return Inner(name, ("t",), tuple(body), rng.choice(FORMS_OF_TAYLOR), (rng.choice(names),))
        if kind == "kept":
            return Kept(name, ("mul", self.expression([*names, "t"]), "t"), names[-1], rng.choice(FORMS_OF_KEPT))
        if kind == "custom":
            operation = rng.choice(tuple(OWN))
            return Let(name, (operation, names[-1], *[self.atom(names) for _ in range(OWN[operation] - 1)]))
        if kind == "clip":
            low, high = sorted((self.number(), self.number()))
            return Let(name, ("clip", names[-1], low, high))
        return Let(name, self.expression(names, rng.choice((1, 1, 2))))


def draw(seed: int, kinds: tuple[str, ...] = KINDS) -> Program:
    """Return the program of a seed; its kinds are among `kinds`."""
    own = _Draw(seed)
    rng = own.rng
    kinds = tuple(kind for kind in kinds if kind != "compiled")
    main = rng.choice(kinds)
    names = ["x", "y", "z"][: rng.choice((1, 1, 2, 2, 3))]
    inputs = tuple(names)
    point = [own.number() for _ in inputs]
    if main in ("special", "extreme"):
        values = SPECIAL if main == "special" else EXTREME
        point = [rng.choice(values) if rng.random() < 0.8 else own.number() for _ in inputs]
        if main == "special" and rng.random() < 0.3:
            point = [point[0]] * len(inputs)  # ties
        ordinary = own.number
        own.number = lambda: rng.choice(values) if rng.random() < 0.5 else ordinary()
    used, body = {main}, []
    ordinary_kinds = [kind for kind in kinds if kind not in ("copy", "assign", "special", "extreme")] or ["plain"]
    wanted = ["plain"] * rng.randint(1, 3)
    if main not in ("copy", "assign", "special", "extreme"):
        wanted.append(main)
    if rng.random() < 0.3:
        wanted.append(rng.choice([*ordinary_kinds, "clip"]))
    rng.shuffle(wanted)
    for kind in wanted:
        body.append(own.statement(kind, names))
        names.append(body[-1].name)
        used.add(kind)
    if main == "copy":
        place = rng.randint(1, len(body))
        before = [*inputs, *(statement.name for statement in body[:place])]
        body.insert(place, Copy(tuple(before), before[-1]))
    if main == "assign":
        body.insert(rng.randint(0, len(body) - 1), Assign(rng.choice(inputs), own.number()))
    result = ("add", names[-1], rng.choice(names)) if rng.random() < 0.3 else names[-1]
    axis = rng.randrange(len(inputs))
    if main in ("special", "extreme"):  # along an axis, since numbers that are not finite cannot be weighed
        direction = tuple(float(k == axis) for k in range(len(inputs)))
    else:
        direction = tuple(round(rng.uniform(0.5, 1.5), 2) * rng.choice((1, -1)) for _ in inputs)
    return Program(seed, frozenset(used), inputs, tuple(point), direction, tuple(body), result)
