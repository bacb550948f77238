"""Where a nan, an infinity or a gradient of zero comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from micrograd_bp.autodiff.reverse import adjoints, zero_times_infinity
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import dependents, parents, passes
from micrograd_bp.engine.node import described
from micrograd_bp.ops.op import Op


@dataclass(frozen=True)
class NonFinite:
    """The first nan or infinity below a root: born `forward`, as the value of `node`, or `backward`, in the derivative
    of `node` with respect to `arg`; `path` leads from there to the root."""

    direction: str
    node: Value
    arg: Value | None
    path: tuple[Value, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def trace_nonfinite(root: Value) -> NonFinite | None:
    """The node that made the first nan or infinity in computing `root` or its gradient; None where all is finite.

    Forward, it is the first node that is not finite though its arguments are, or a leaf that was given so. Backward, it
    is the edge nearest the root over which a finite adjoint becomes a nan or an infinity. Nobody's `.grad` is touched.

    >>> x = Value(0.0, name="x")
    >>> print(trace_nonfinite(x.sqrt() + 1))
    backward: d sqrt(x) / d x = inf at x = 0.0; it reaches the root through sqrt, add
    """
    order = topological_order(root)
    for node in order:
        if not math.isfinite(node.data):
            path = _path(node, order)
            what = f"forward: {described(node)} = {node.data!r}"
            from_args = f" from {_named_args(node)}" if node.op else " is a leaf: it was given so"
            return NonFinite("forward", node, None, path, what + from_args + _way(path))
    adjoint = dict(zip(order, adjoints(root, order), strict=True))
    lost = next(iter(zero_times_infinity(root)), None)
    for node in reversed(order):
        if not math.isfinite(adjoint[node]):  # what it is made of is: the users were looked at before
            path = _path(node, order)
            what = f"backward: what arrives at {described(node)} over several paths sums to {adjoint[node]!r}"
            return NonFinite("backward", node, None, path, what + _way(path))
        for index, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if not isinstance(arg, Value) or local is None or not passes(node, index, local):
                continue
            if not math.isfinite(adjoint[node] * local) and not math.isfinite(adjoint[arg]):
                path = _path(node, order)
                if lost is not None and lost.node is node and lost.index == index:
                    return NonFinite("backward", node, arg, path, f"backward: {lost}{_way(path)}")
                what = f"backward: d {described(node)} / d {described(arg)} = {local!r} at {_named_args(node)}"
                if math.isfinite(local):
                    what += f", times the adjoint {adjoint[node]!r}, overflows"
                return NonFinite("backward", node, arg, path, what + (f"; {lost}" if lost else "") + _way(path))
    return None


@dataclass(frozen=True)
class Blocked:
    """One reason for a gradient of zero: nothing flows from `node` to `arg`. `kind` is one of

    disconnected         there is no path from the root to x (`node` is the root, `arg` x)
    flat                 the operation is constant there: a relu below 0, the branch not taken, a bound passed
    kink                 the point is on a kink, where the row's convention is 0
    stationary           the derivative passes through 0 there: x² at 0
    multiplied by zero   another argument is exactly 0
    saturated            the true derivative is too small for a float
    underflow            the product of adjoint and derivative is too small for a float
    cancelled            what arrives over several paths sums to 0
    """

    kind: str
    node: Value
    arg: Value
    text: str

    def __str__(self) -> str:
        return self.text


def why_zero(root: Value, x: Value) -> list[Blocked]:
    """Why d root / d x is 0, place by place; an empty list where it is not 0.

    >>> x, w = Value(-2.0, name="x"), Value(3.0, name="w")
    >>> for reason in why_zero((w * x).relu() + w, x): print(reason)
    flat: relu is constant at mul(w, x) = -6.0
    """
    order = topological_order(root)
    between = dependents(order, parents, [x])
    if root not in between:
        return [Blocked("disconnected", root, x, f"disconnected: no path leads from the root to {described(x)}")]
    adjoint = dict(zip(order, adjoints(root, order), strict=True))
    if adjoint[x] != 0.0:
        return []
    reasons: list[Blocked] = []
    arrived: dict[Value, int] = {}
    for node in reversed(order):
        if node not in between or node is x:
            continue
        if adjoint[node] == 0.0:
            if arrived.get(node):
                reasons.append(_cancelled(node))
            continue
        for place, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if isinstance(arg, Value) and arg in between and local is not None and node.op:
                if adjoint[node] * local == 0.0 or not passes(node, place, local):
                    reasons.append(_blocked(node, node.op, place, local, adjoint[node]))
                else:
                    arrived[arg] = arrived.get(arg, 0) + 1
    if arrived.get(x):
        reasons.append(_cancelled(x))
    return list(dict.fromkeys(reasons))


def _blocked(node: Value, op: Op, place: int, local: float, adjoint: float) -> Blocked:
    numbers = [a.data if isinstance(a, Value) else a for a in node.args]
    beside = []  # the arguments with this one moved a little, either way: less far than to a kink
    near = min([abs(d) for kink in op.kinks if (d := kink(*numbers))], default=1.0)
    for step in (-min(1e-3, near / 16), min(1e-3, near / 16)):
        moved = list(numbers)
        moved[place] += step
        beside.append(moved)
    at = _named_args(node)
    if local != 0.0:
        kind, text = "underflow", f"{adjoint!r} · {local!r} is 0 in floats, at {op.name}"
    elif any(kink(*numbers) == 0.0 != kink(*beside[0]) for kink in op.kinks):
        kind, text = "kink", f"the derivative of {op.name} is taken as 0 at {at} ({op.convention})"
    elif any(op.partials[place](*moved, op.fn(*moved)) != 0.0 for moved in beside):
        kind, text = "stationary", f"the derivative of {op.name} is 0 at {at}"
    elif op.kinks:
        kind, text = "flat", f"{op.name} is constant at {at}"
    elif 0.0 in numbers[:place] + numbers[place + 1 :]:
        kind, text = "multiplied by zero", f"{op.name} of {at}"
    else:
        kind, text = "saturated", f"the derivative of {op.name} is 0 in floats at {at}"
    arg = node.args[place]
    return Blocked(kind, node, arg if isinstance(arg, Value) else node, f"{kind}: {text}")


def _cancelled(node: Value) -> Blocked:
    return Blocked(
        "cancelled", node, node, f"cancelled: what arrives at {described(node)} over several paths sums to 0"
    )


def _path(node: Value, order: list[Value]) -> tuple[Value, ...]:
    """A way from `node` to the root, the last of `order`, always by the first node that uses the one before."""
    between = dependents(order, parents, [node])
    user: dict[Value, Value] = {}
    for other in order:
        if other in between:
            for arg in other.args:
                if isinstance(arg, Value) and arg in between:
                    user.setdefault(arg, other)
    path = [node]
    while path[-1] is not order[-1]:
        path.append(user[path[-1]])
    return tuple(path)


def _way(path: tuple[Value, ...]) -> str:
    if len(path) == 1:
        return "; it is the root itself"
    names = [node.name or (node.op.name if node.op else "leaf") for node in path]
    shown = names if len(names) <= 8 else [*names[:4], f"... {len(names) - 7} more ...", *names[-3:]]
    return f"; it reaches the root through {', '.join(shown)}"


def _named_args(node: Value) -> str:
    names = node.op.arguments if node.op else ()
    pairs = zip(names, node.args, strict=True)
    return ", ".join(f"{described(a)} = {a.data!r}" if isinstance(a, Value) else f"{n} = {a!r}" for n, a in pairs)
