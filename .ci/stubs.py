"""Writes the stubs that tell type checkers and editors what the table of operations makes: `python .ci/stubs.py`.

The functions of the table (`ops/table.pyi`), a Value's methods and operators (`engine/methods.pyi`) and the package's
public names (`__init__.pyi`) come from the table at run time, where no type checker sees them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import micrograd_bp
from micrograd_bp.engine import number
from micrograd_bp.ops import table
from micrograd_bp.ops.op import OPS, Op

PACKAGE = Path(micrograd_bp.__file__).parent
WRITTEN = "# Written by `python .ci/stubs.py`.\n"
OPERATORS = ("radd", "sub", "rsub", "rmul", "truediv", "rtruediv", "pow", "rpow")  # value.py has + and *
Signature = tuple[tuple[str, ...], int]  # names of the arguments, and how many of the last ones have defaults


def rows() -> list[Op]:
    """The operations of the table, without those that somebody has added by `@op`."""
    return [OPS[name] for name in vars(table)["__all__"]]


def table_stub() -> str:
    """The text of ops/table.pyi: each operation is an `Op` that is called with its own arguments."""
    signatures = dict.fromkeys((row.arguments, len(row.defaults)) for row in rows())
    return "\n".join(
        [
            WRITTEN,
            "from collections.abc import Callable",
            "from typing import TypeVar, overload",
            "",
            "from micrograd_bp.ops.op import Op, Operand",
            "from micrograd_bp.ops.reals import Real",
            "",
            *_names("__all__", [row.name for row in rows()]),
            "",
            'T = TypeVar("T", bound=Operand)',
            "",
            *[line for signature in signatures for line in _operation_class(signature)],
            *[f"{row.name}: {_class_name((row.arguments, len(row.defaults)))}" for row in rows()],
            "",
        ]
    )


def _class_name(signature: Signature) -> str:
    return "_Of_" + "_".join(signature[0])


def _operation_class(signature: Signature) -> Iterator[str]:
    """Floats give a float; an operand among the arguments gives such an operand."""
    names, optional = signature
    if names == OPS["where"].arguments:
        yield from CHOICE
        return
    required = len(names) - optional
    yield f"class {_class_name(signature)}(Op):"
    for at in range(-1, len(names)):  # which argument is the first that is an operand; -1: none is
        parameters = []
        for place, name in enumerate(names):
            kind = "T" if place == at else "T | Real" if -1 < at < place else "Real"
            default = " = ..." if place >= required and place > at else ""
            parameters.append(f"{name}: {kind}{default}")
        ignored = "  # type: ignore[override]  # narrower than any Op" if at == -1 else ""
        yield f"    @overload{ignored}"
        yield f"    def __call__(self, {', '.join(parameters)}) -> {'float' if at == -1 else 'T'}: ..."
    yield ""


CHOICE = """\
class _Of_condition_x_y(Op):
    @overload  # type: ignore[override]  # narrower than any Op
    def __call__(self, condition: Real, x: Real | Callable[[], Real], y: Real | Callable[[], Real]) -> float: ...
    @overload
    def __call__(
        self, condition: T, x: T | Real | Callable[[], T | Real], y: T | Real | Callable[[], T | Real]
    ) -> T: ...
    @overload
    def __call__(self, condition: Real, x: T | Callable[[], T], y: T | Callable[[], T]) -> T: ...
    @overload
    def __call__(self, condition: Real, x: T, y: Real | Callable[[], T | Real]) -> T: ...
    @overload
    def __call__(self, condition: Real, x: Real | Callable[[], T | Real], y: T) -> T: ...
    @overload
    def __call__(
        self, condition: Real, x: Real | Callable[[], T | Real], y: Real | Callable[[], T | Real]
    ) -> T | float: ...

""".splitlines()
"""`where`, whose last two arguments may be functions. Chosen by a bool, the result is what is called, a float maybe."""


def methods_stub() -> str:
    """The text of engine/methods.pyi: what `number.add_method` makes of the table, and Python's operators."""
    methods = []
    for row in rows():
        parameters = ["self"]
        kinds = "Value | Real | Callable[[], Value | Real]" if row.name == "where" else "Value | Real"
        for place, name in enumerate(row.arguments[1:], start=1):
            default = " = ..." if place >= row.arity - len(row.defaults) else ""
            parameters.append(f"{name}: {kinds}{default}")
        for name in (row.name, f"arc{row.name[1:]}"):
            if name in number.ROW_METHODS and (name == row.name or name not in OPS):
                methods.append(f"    def {name}({', '.join(parameters)}) -> Value: ...")
    return "\n".join(
        [
            WRITTEN,
            "from collections.abc import Callable",
            "",
            "from micrograd_bp.drawing.picture import Graph as Graph",
            "from micrograd_bp.engine.node import Node",
            "from micrograd_bp.engine.value import Value",
            "from micrograd_bp.ops.reals import Real",
            "",
            "class Methods(Node):",
            "    __slots__ = ()",
            "",
            *[f"    def __{name}__(self, other: Value | Real) -> Value: ..." for name in OPERATORS],
            *[f"    def __{name}__(self) -> Value: ..." for name in ("neg", "abs")],
            *methods,
            "",
        ]
    )


def package_stub() -> str:
    """The text of __init__.pyi: the imports of __init__.py, and `__all__` with the operations in it."""
    imports = []
    for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for alias in node.names:
                name = alias.asname or alias.name
                if not name.startswith("_"):
                    imports.append(f"from {node.module} import {alias.name}" + (f" as {name}" if name != "*" else ""))
    names = list(dict.fromkeys([*micrograd_bp.__all__, *vars(table)["__all__"]]))
    public = [name for name in names if name not in OPS or OPS[name] in rows()]
    return "\n".join(
        [WRITTEN, *sorted(imports), "", *_names("__all__", public), "__version__: str", "compiled: bool", ""]
    )


def _names(variable: str, names: list[str]) -> list[str]:
    return [f"{variable} = [", *[f'    "{name}",' for name in names], "]"]


STUBS = {"ops/table.pyi": table_stub, "engine/methods.pyi": methods_stub, "__init__.pyi": package_stub}
"""Where each stub is in the package, and what gives its text."""

if __name__ == "__main__":
    for path, text in STUBS.items():
        (PACKAGE / path).write_text(text())
