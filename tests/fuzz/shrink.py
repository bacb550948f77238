"""A failing program, cut down while it fails in the same mode, and written as a regression test."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from . import oracle
from .check import Finding, examine
from .modes import OWN_SOURCE
from .program import OWN, Branch, Copy, Inner, Kept, Let, Loop, Program, Sequence, written

SECONDS = 10.0  # that a shrink may take

SIMPLE = (0.0, 1.0, 2.0, 0.5, -1.0)


def shrunk(finding: Finding, own: dict[str, Any]) -> Finding:
    """Return the smallest program that was found to fail in the same mode and quantity."""
    best, found, end = finding, True, time.monotonic() + SECONDS
    while found:
        found = False
        for candidate in smaller(best.program):
            if time.monotonic() > end:
                break
            again = failure(candidate, best, own)
            if again is not None:
                best, found = again, True
                break
    return best


def failure(program: Program, like: Finding, own: dict[str, Any]) -> Finding | None:
    """Return the finding of a program in the same mode, or None."""
    try:
        report = examine(program, own, [like.mode], switched=("taylor", "kept", "compiled"))
    except Exception:  # what is cut may have no meaning: a name that is gone
        return None
    for found in report.findings:
        same = found.mode == like.mode and found.quantity == like.quantity
        if same and (like.quantity != "error" or _kind(found) == _kind(like)) and not _unbound(found):
            return found
    return None


def _kind(finding: Finding) -> str:
    return str(finding.given).split(":")[0]


def _unbound(finding: Finding) -> bool:
    return finding.quantity == "error" and _kind(finding) in ("NameError", "UnboundLocalError", "IndexError")


def smaller(p: Program) -> Iterator[Program]:
    """Yield programs with one part less, the largest cuts first."""
    names = [statement.name for statement in p.body]
    for name in names[: names.index(p.result) if p.result in names else None]:
        yield p.with_(result=name)
    for k in reversed(range(len(p.body))):
        yield p.with_(body=p.body[:k] + p.body[k + 1 :])
    for k, statement in enumerate(p.body):
        if isinstance(statement, (Let, Sequence, Inner, Loop, Branch)):
            without = p.with_(body=p.body[:k] + p.body[k + 1 :])
            values = [statement.value] if isinstance(statement, Let) and isinstance(statement.value, str) else []
            for value in (*values, *p.names, *names[:k], 1.0):
                yield _renamed(without, statement.name, value)
    for k in range(len(p.names)):
        if len(p.names) > 1:
            keep = [i for i in range(len(p.names)) if i != k]
            names, point = tuple(p.names[i] for i in keep), tuple(p.point[i] for i in keep)
            cut = p.with_(names=names, point=point, direction=tuple(p.direction[i] for i in keep))
            yield _renamed(cut, p.names[k], names[0])
            yield _renamed(cut, p.names[k], p.point[k])
    for k, statement in enumerate(p.body):
        for other in _simpler(statement):
            yield p.with_(body=p.body[:k] + tuple(other) + p.body[k + 1 :])
    for e in _parts(p.result):
        yield p.with_(result=e)
    for k, x in enumerate(p.point):
        for simple in SIMPLE:
            if _shorter(simple, x):
                yield p.with_(point=(*p.point[:k], simple, *p.point[k + 1 :]))
    for k, d in enumerate(p.direction):
        for simple in (1.0, 0.0):
            changed = (*p.direction[:k], simple, *p.direction[k + 1 :])
            if any(changed) and (abs(d), simple) not in ((1.0, 1.0), (0.0, 1.0), (0.0, 0.0)):
                yield p.with_(direction=changed)


def _shorter(a: float, b: float) -> bool:
    return len(repr(a)) < len(repr(b)) or (len(repr(a)) == len(repr(b)) and b not in SIMPLE)


def _simpler(statement: Any) -> Iterator[list[Any]]:
    """Yield lists of statements in place of one."""
    if isinstance(statement, Let):
        for e in _parts(statement.value):
            yield [statement._replace(value=e)]
    elif isinstance(statement, Loop):
        yield [Let(statement.name, statement.start), Let(statement.name, statement.value)]
        yield [Let(statement.name, statement.value)]
        if statement.count > 1:
            yield [statement._replace(count=statement.count - 1)]
        for e in _parts(statement.value):
            yield [statement._replace(value=e)]
    elif isinstance(statement, Sequence):
        yield [Let("v", statement.parts[0]), Let(statement.name, statement.how)]
        for k in range(len(statement.parts)):
            if len(statement.parts) > 1:
                yield [statement._replace(parts=statement.parts[:k] + statement.parts[k + 1 :])]
        for e in _parts(statement.how):
            yield [statement._replace(how=e)]
    elif isinstance(statement, Branch):
        yield [Let(statement.name, statement.yes)]
        yield [Let(statement.name, statement.no)]
        for e in _parts(statement.yes):
            yield [statement._replace(yes=e)]
        for e in _parts(statement.no):
            yield [statement._replace(no=e)]
    elif isinstance(statement, Copy):
        if len(statement.names) > 1:
            yield [Copy(statement.names[:-1], statement.names[-2])]
    elif isinstance(statement, Kept):
        for e in _parts(statement.value):
            yield [statement._replace(value=e)]
    elif isinstance(statement, Inner):
        if len(statement.parameters) == 1:
            yield [*_instead(statement, statement.args[0])]
            for form in ("mb.derivative({g})({a})", "mb.grad({g})({a})", "mb.derivative({g}, 2)({a})"):
                if len(form) < len(statement.form):
                    yield [statement._replace(form=form)]
        elif len(statement.form) > 30:
            yield [statement._replace(form="mb.grad({g})({a}, {b})[0]")]
            yield [statement._replace(form="mb.hessian({g})({a}, {b})[0][1]")]
        for k in reversed(range(len(statement.body))):
            yield [statement._replace(body=statement.body[:k] + statement.body[k + 1 :])]
        for k, inner in enumerate(statement.body):
            for other in _simpler(inner):
                yield [statement._replace(body=statement.body[:k] + tuple(other) + statement.body[k + 1 :])]
        for k, arg in enumerate(statement.args):
            if isinstance(arg, float) and arg != 1.0:
                yield [statement._replace(args=(*statement.args[:k], 1.0, *statement.args[k + 1 :]))]


def _instead(statement: Inner, at: Any) -> list[Any]:
    """Return the inner function's body, run in place, at the argument."""
    return [Let(statement.parameters[0], at), *statement.body, Let(statement.name, statement.body[-1].name)]


def _parts(e: Any) -> Iterator[Any]:
    """Yield what may stand in place of an expression: its arguments, itself with a simpler argument."""
    if isinstance(e, float):
        for simple in SIMPLE:
            if _shorter(simple, e):
                yield simple
    if not isinstance(e, tuple):
        return
    yield from e[1:]
    for k, arg in enumerate(e[1:], start=1):
        for other in _parts(arg):
            yield (*e[:k], other, *e[k + 1 :])


def _renamed(p: Program, old: str, new: Any) -> Program:
    def renamed(thing: Any) -> Any:
        if thing == old and isinstance(thing, str):
            return new
        if isinstance(thing, tuple):
            parts = [renamed(part) for part in thing]
            return type(thing)(*parts) if hasattr(thing, "_fields") else tuple(parts)
        return thing

    return p.with_(body=renamed(p.body), result=renamed(p.result))


# --- a regression test ------------------------------------------------------------------------------------------------

CALLS = {
    "value_and_grad": "mb.grad(f)({point})",
    "vjp": "mb.vjp(f, {point})[1](1.0)",
    "hessian": "mb.hessian(f)({point})",
    "jvp": "mb.jvp(f, ({point},), {direction})[1]",
    "hvp": "mb.hvp(f, ({point},), {direction})",
    "compiled": "mb.compile(f, backend='python').value_and_grad({point})",
    "compiled jvp": "mb.compile(f, backend='python').jvp(({point},), {direction})",
    "compiled hessian": "mb.compile(f, backend='python').hessian({point})",
    "compiled hvp": "mb.compile(f, backend='python').hvp(({point},), {direction})",
    "LLVM": "mb.compile(f, backend='native').value_and_grad({point})",
    "grad of grad": "mb.grad(mb.grad(line))(0.0)",
    "derivative": "[mb.derivative(line, k)(0.0) for k in (1, 2)]",
    "grad of derivative": "mb.grad(mb.derivative(line))(0.0)",
    "third derivative": "mb.derivative(mb.grad(mb.derivative(line)))(0.0)",
    "taylor": "mb.taylor(line, 0.0, 3)",
}


def as_test(finding: Finding) -> str:
    """Return a test as Python source. It runs the program in the mode that failed, by the function of `modes.py`."""
    p = finding.program
    lines = [f"def test_program_{p.seed}():"]
    if any(f"{name}(" in p.source for name in OWN):
        lines += ["    # gudermann, blend and pick are defined in tests/fuzz/modes.py", *_indented(OWN_SOURCE)]
    for helper, meaning in (
        ("copied(", "def copied(*values): return copy.deepcopy(values)"),
        ("assigned(", "def assigned(value, data): value.data = data; return value"),
    ):
        if helper in p.source:
            lines.append(f"    {meaning}")
    lines += _indented(p.source)
    point, direction = ", ".join(map(written, p.point)), f"({', '.join(map(written, p.direction))},)"
    if finding.mode in CALLS:
        call = CALLS[finding.mode].format(point=point, direction=direction)
        if "line" in call:
            moved = ", ".join(
                f"{written(x)} + {written(d)} * t" if d else written(x)
                for x, d in zip(p.point, p.direction, strict=True)
            )
            lines.append(f"    line = lambda t: f({moved})")
        lines.append(f"    given = {call}")
    else:
        lines.append(f"    {', '.join(p.names)}, = leaves = [mb.Value(x) for x in ({point},)]")
        lines.append(f"    f({', '.join(p.names)}).backward()  # in the mode {finding.mode!r}")
        lines.append("    given = [leaf.grad for leaf in leaves]")
    lines.append(f"    # {finding.quantity} along {direction}: {finding.given!r}")
    for k, exact in enumerate(_expected(p)):
        lines.append(f"    # the oracle's derivative of order {k} along it: {exact}")
    if finding.quantity == "error":
        lines.append("    assert given is not None")
    else:
        lines.append(f"    assert given == pytest.approx({finding.expected!r}, nan_ok=True)")
    return "\n".join(lines)


def _indented(source: str) -> list[str]:
    return [f"    {line}" for line in source.strip().splitlines()]


def _expected(p: Program) -> list[str]:
    names = dict(oracle.NAMES)
    exec(p.code(), names)
    try:
        if not all(map(math.isfinite, p.point)):
            return []
        return [oracle.M.nstr(x, 17) for x in oracle.along(names["f"], p.point, p.direction, 3)[0]]
    except (oracle.Outside, oracle.Singular, oracle.Beyond):
        return []
