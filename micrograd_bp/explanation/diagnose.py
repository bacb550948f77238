"""`trace_nonfinite` finds the origin of a nan or an infinity, `why_zero` the reasons for a gradient of 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from micrograd_bp.autodiff.reverse import adjoints, zero_times_infinity
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import dependents, parents, passes
from micrograd_bp.engine.node import described
from micrograd_bp.expression.stable_forms import hint_at, unstable_forms
from micrograd_bp.ops.op import Op


@dataclass(frozen=True)
class NonFinite:
    """The first nan or infinity below a root.

    `direction`  "forward": the value of `node` is not finite; "backward": its derivative with respect to `arg`, or the
                 contribution to `arg`, is not finite (`arg` is None where finite contributions to `node` overflow)
    `path`       the nodes from `node` to the root
    `text`       the message
    """

    direction: str
    node: Value
    arg: Value | None
    path: tuple[Value, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def trace_nonfinite(root: Value) -> NonFinite | None:
    """Return the origin of the first nan or infinity in `root` or its gradient; None where all numbers are finite.

    In the forward pass it is the first node that is not finite although its arguments are, or a leaf. In the backward
    pass it is the edge nearest the root at which a finite adjoint becomes a nan or an infinity. The text names a stable
    operation if the node is in a formula such as log(1 + exp(x)), for which there is one. No `grad` is changed.

    >>> x = Value(0.0, name="x")
    >>> print(trace_nonfinite(x.sqrt() + 1))
    backward: d sqrt(x) / d x = inf at x = 0.0; it reaches the root through sqrt, add
    """
    found = _first_nonfinite(root)
    hint = hint_at(root, found.node) if found else ""
    return replace(found, text=f"{found.text}; hint: {hint}") if found and hint else found


def _first_nonfinite(root: Value) -> NonFinite | None:
    order = topological_order(root)
    for node in order:
        if not math.isfinite(node.data):
            path = _path(node, order)
            what = f"forward: {described(node)} = {node.data!r}"
            from_args = f" from {_named_args(node)}" if node.op else " is a leaf"
            return NonFinite("forward", node, None, path, what + from_args + _through(path))
    adjoint = dict(zip(order, adjoints(root, order), strict=True))
    lost = next(iter(zero_times_infinity(root)), None)
    for node in reversed(order):
        if not math.isfinite(adjoint[node]):  # its contributions are finite, since its users came before
            path = _path(node, order)
            what = f"backward: the contributions to {described(node)} over several paths sum to {adjoint[node]!r}"
            return NonFinite("backward", node, None, path, what + _through(path))
        for index, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if not isinstance(arg, Value) or local is None or not passes(node, index, local):
                continue
            if not math.isfinite(adjoint[node] * local) and not math.isfinite(adjoint[arg]):
                path = _path(node, order)
                if lost is not None and lost.node is node and lost.index == index:
                    return NonFinite("backward", node, arg, path, f"backward: {lost}{_through(path)}")
                what = f"backward: d {described(node)} / d {described(arg)} = {local!r} at {_named_args(node)}"
                if math.isfinite(local):
                    what += f", times the adjoint {adjoint[node]!r}, overflows"
                return NonFinite("backward", node, arg, path, what + (f"; {lost}" if lost else "") + _through(path))
    return None


@dataclass(frozen=True)
class Blocked:
    """One reason for a gradient of 0: the contribution of `node` to `arg` is 0. `kind` is one of

    disconnected         there is no path from the root to x (`node` is the root, `arg` is x)
    flat                 the operation is constant near the point, like relu below 0 or a branch that is not selected
    kink                 the point is on a kink, where the operation's convention is 0
    stationary           the derivative passes through 0 at the point, like that of x² at 0
    multiplied by zero   another argument is exactly 0
    saturated            the true derivative is too small for a float
    overflow             an argument overflowed, and the 0 is 1 / inf: the true derivative may be any number
    underflow            the product of adjoint and local derivative is too small for a float
    cancelled            the contributions over several paths sum to 0
    """

    kind: str
    node: Value
    arg: Value
    text: str

    def __str__(self) -> str:
        return self.text


def why_zero(root: Value, x: Value) -> list[Blocked]:
    """Return the reasons why d root / d x is 0, one per edge; an empty list where it is not 0.

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
    unstable = unstable_forms(root)
    arrived: dict[Value, int] = {}
    for node in reversed(order):
        if node not in between or node is x:
            continue
        if adjoint[node] == 0.0:
            if arrived.get(node):
                reasons.append(_cancelled(node))
            continue
        for index, (arg, local) in enumerate(zip(node.args, node.local_grads, strict=True)):
            if isinstance(arg, Value) and arg in between and local is not None and node.op:
                if adjoint[node] * local == 0.0 or not passes(node, index, local):
                    blocked = _blocked(node, node.op, index, local, adjoint[node])
                    hint = next((f"; hint: {form}" for form in unstable if node in form.nodes), "")
                    reasons.append(replace(blocked, text=blocked.text + hint))
                else:
                    arrived[arg] = arrived.get(arg, 0) + 1
    if arrived.get(x):
        reasons.append(_cancelled(x))
    return list(dict.fromkeys(reasons))


def _blocked(node: Value, op: Op, index: int, local: float, adjoint: float) -> Blocked:
    numbers = [a.data if isinstance(a, Value) else a for a in node.args]
    beside = []  # the arguments with this one changed in both directions, by less than the distance to a kink
    near = min([abs(d) for kink in op.kinks if (d := kink(*numbers))], default=1.0)
    for step in (-min(1e-3, near / 16), min(1e-3, near / 16)):
        moved = list(numbers)
        moved[index] += step
        beside.append(moved)
    at = _named_args(node)
    overflowed = [a for a in node.args if isinstance(a, Value) and math.isinf(a.data) and _finite_args(a)]
    if local != 0.0:
        kind, text = "underflow", f"{adjoint!r} · {local!r} is 0 in floats, at {op.name}"
    elif overflowed and not op.routes_gradient:
        kind, text = (
            "overflow",
            f"the derivative of {op.name} is 1 / inf, since {described(overflowed[0])} is too large",
        )
    elif any(kink(*numbers) == 0.0 != kink(*beside[0]) for kink in op.kinks):
        kind, text = "kink", f"the derivative of {op.name} is taken as 0 at {at} ({op.convention})"
    elif any(op.partials[index](*moved, op.fn(*moved)) != 0.0 for moved in beside):
        kind, text = "stationary", f"the derivative of {op.name} is 0 at {at}"
    elif op.kinks:
        kind, text = "flat", f"{op.name} is constant at {at}"
    elif 0.0 in numbers[:index] + numbers[index + 1 :]:
        kind, text = "multiplied by zero", f"{op.name} of {at}"
    else:
        kind, text = "saturated", f"the derivative of {op.name} is 0 in floats at {at}"
    arg = node.args[index]
    return Blocked(kind, node, arg if isinstance(arg, Value) else node, f"{kind}: {text}")


def _finite_args(node: Value) -> bool:
    """Return whether a node was computed, directly or not, from finite leaves only."""
    leaves = (other.data for other in topological_order(node) if other.op is None)
    return node.op is not None and all(map(math.isfinite, leaves))


def _cancelled(node: Value) -> Blocked:
    return Blocked(
        "cancelled", node, node, f"cancelled: the contributions to {described(node)} over several paths sum to 0"
    )


def _path(node: Value, order: list[Value]) -> tuple[Value, ...]:
    """Return a path from `node` to the root (the last of `order`); each step goes to the first user."""
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


def _through(path: tuple[Value, ...]) -> str:
    if len(path) == 1:
        return "; it is the root itself"
    names = [node.name or (node.op.name if node.op else "leaf") for node in path]
    shown = names if len(names) <= 8 else [*names[:4], f"... {len(names) - 7} more ...", *names[-3:]]
    return f"; it reaches the root through {', '.join(shown)}"


def _named_args(node: Value) -> str:
    names = node.op.arguments if node.op else ()
    pairs = zip(names, node.args, strict=True)
    return ", ".join(f"{described(a)} = {a.data!r}" if isinstance(a, Value) else f"{n} = {a!r}" for n, a in pairs)
