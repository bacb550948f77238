"""`Subject`, the function that is checked with its inputs, which can be floats, Values or other numbers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.check.report import GradientMismatch
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.ops.op import Op, Operand
from micrograd_bp.ops.reals import as_float, is_real


@dataclass(frozen=True)
class Trace:
    """One call of the function on Values: its input leaves and its results, which are Values or floats."""

    leaves: tuple[Value, ...]
    roots: tuple[Value | float, ...]

    @property
    def outputs(self) -> list[float]:
        """The results as floats."""
        return [root.data if isinstance(root, Value) else root for root in self.roots]

    def graph(self) -> list[Value]:
        """Return the nodes below all roots, in one topological order."""
        order = dict.fromkeys(
            node for root in self.roots if isinstance(root, Value) for node in topological_order(root)
        )
        return list(order)

    def unused(self) -> set[int]:
        """Return the indices of the leaves on which no result depends."""
        made_from = set(self.graph())
        return {i for i, leaf in enumerate(self.leaves) if leaf not in made_from}

    def shape(self) -> list[tuple[object, ...]]:
        """Return the graph without its numbers, except constants that do not depend on the inputs."""
        number = {leaf: i for i, leaf in enumerate(self.leaves)}
        index: dict[object, object] = {}
        lines: list[tuple[object, ...]] = []
        for node in self.graph():
            if node.op is None:
                index[node] = ("input", number[node]) if node in number else ("constant", node.data)
            else:
                args = [index[arg] if isinstance(arg, Value) else ("constant", arg) for arg in node.args]
                index[node] = len(lines)
                lines.append((node.op.name, *args))
        return [*lines, tuple(index[root] if isinstance(root, Value) else root for root in self.roots)]


class Subject:
    """The function `f` at `inputs`, as a function of their numbers and of the leaves `wrt`, which f uses directly."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], wrt: Sequence[Value]) -> None:
        self.f = f
        self.wrt = tuple(wrt)
        leaves, paths, self._rebuild = flatten(inputs)
        self._count = len(leaves)
        self.names = _names(f, leaves, paths) + [leaf.name or f"wrt[{i}]" for i, leaf in enumerate(self.wrt)]
        self.point = [_number(leaf) for leaf in (*leaves, *self.wrt)]
        self.result: Any = None  # the last result of f

    def arguments(self, point: Sequence[float]) -> Any:
        """Return new arguments with the numbers of `point`."""
        return self._rebuild(list(point[: self._count]))

    def on_leaves(self, leaves: list[Any]) -> list[Any]:
        """Return the results for numbers of any kind as inputs."""
        return flatten(self.f(*self._rebuild(list(leaves))))[0]

    def on_floats(self, point: Sequence[float]) -> list[float]:
        """Return the results at `point` for floats as inputs; errors of the function are not caught."""
        args = self.arguments(point)
        with self._moved(point):
            self.result = plain(self.f(*args))
        leaves, _, _ = flatten(self.result)
        self.unchanged(args, point)
        return [_number(leaf) for leaf in leaves]

    def on_values(self, point: Sequence[float] | None = None) -> Trace:
        """Return the trace of a call with new leaves at `point`, by default at the point of the check."""
        at = self.point if point is None else point
        leaves = [Value(x, name) for x, name in zip(at[: self._count], self.names, strict=False)]
        args = self._rebuild(list(leaves))
        with self._moved(at):
            self.result = self.f(*args)
        out, _, _ = flatten(self.result)
        self.unchanged(args, at, leaves)
        return Trace((*leaves, *self.wrt), tuple([x if isinstance(x, Value) else as_float(x) for x in out]))

    def around(
        self, call: Callable[[Sequence[float]], list[float]], i: int, count: int
    ) -> Callable[[float], list[float]]:
        """Return the results as a function of the i-th number only; they are nan where f has no value."""

        def along(x: float) -> list[float]:
            try:
                outputs = call([*self.point[:i], x, *self.point[i + 1 :]])
            except GradientMismatch:
                raise
            except Exception:  # f may raise any error outside its domain: (-1.0) ** 0.5 is complex, a TypeError
                return [math.nan] * count
            return outputs if len(outputs) == count else [math.nan] * count

        return along

    @contextmanager
    def _moved(self, point: Sequence[float]) -> Iterator[None]:
        """Set the leaves `wrt` to `point` in a with block, and restore them afterwards."""
        before = [leaf.data for leaf in self.wrt]
        try:
            for leaf, x in zip(self.wrt, point[self._count :], strict=True):
                leaf.data = x
            yield
        finally:
            for leaf, x in zip(self.wrt, before, strict=True):
                leaf.data = x

    def unchanged(self, args: Any, point: Sequence[float], leaves: Sequence[Value] = ()) -> None:
        """Raise GradientMismatch if a call has changed its arguments."""
        try:
            after, _, _ = flatten(args)
        except TypeError:
            after = []
        given = [leaf.data if isinstance(leaf, Value) else leaf for leaf in after]
        same = len(given) == self._count and all(map(_same, given, point))
        if not same or (leaves and any(a is not b for a, b in zip(after, leaves, strict=True))):
            changed = next((i for i, (a, b) in enumerate(zip(given, point, strict=False)) if not _same(a, b)), None)
            what = self.names[changed] if changed is not None else "the structure of its inputs"
            raise GradientMismatch(f"the function changes {what}: it must work on a copy", "inputs changed")


def changed(shape: list[tuple[object, ...]], beside: list[tuple[object, ...]]) -> str:
    """Return a hint on how a graph recorded beside the point differs."""
    for line, other in zip(shape, beside, strict=False):
        if line != other:
            same_operation = len(line) == len(other) and line[:1] == other[:1]
            if same_operation and line[0] != "input":
                return (
                    f"a constant in {line[0]!r} changes with the inputs: was it computed from .data, outside the "
                    f"graph, or kept from an earlier call?"
                )
    return "near the point the function records another graph: it branches on its inputs"


def plain(result: Any) -> Any:
    """Return numbers of other libraries (tensors) as lists, also inside lists, tuples and dicts."""
    if isinstance(result, dict):
        return {key: plain(value) for key, value in result.items()}
    if type(result) in (list, tuple):
        return [plain(item) for item in result]
    known = isinstance(result, (Operand, list, tuple)) or is_real(result)
    return result.tolist() if not known and hasattr(result, "tolist") else result


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))


def _number(leaf: Any) -> float:
    return leaf.data if isinstance(leaf, Value) else as_float(leaf)


def _names(f: Callable[..., Any], leaves: list[Any], paths: list[str]) -> list[str]:
    """Return the name of each number: that of a Value, or the parameter with the path in it, such as "w[0]['b']"."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # some built-in functions have no signature
        parameters = []
    positional = (
        list(f.arguments)
        if isinstance(f, Op)
        else [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    )
    names = []
    for leaf, path in zip(leaves, paths, strict=True):
        index, rest = path[1:].split("]", 1)
        called = positional[int(index)] if int(index) < len(positional) else f"arg{index}"
        names.append(getattr(leaf, "name", None) if isinstance(leaf, Value) and leaf.name else called + rest)
    return [str(name) for name in names]
