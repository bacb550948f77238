"""What makes a tape shorter: constants folded, the same computed once, the unused left out, exact identities.

Each pass gives a new tape with the same results, bit for bit (a nan's payload apart); `simplify_fast` is for those who
ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd_bp import ops
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.ops.op import Op

Replace = Callable[[Tape, Op, tuple[int, ...]], int | None]
"""What a row applied to numbers of the new tape is to be replaced with; None: by nothing."""


class Code(NamedTuple):
    """A tape and the places of its results."""

    tape: Tape
    results: list[int]


def rewritten(code: Code, replace: Replace, keep: Sequence[bool] | None = None) -> Code:
    """A new tape in which each operation is replaced; those that are not kept are left out, inputs never."""
    old, new = code.tape, Tape()
    places: dict[int, int] = {}
    for place, op in enumerate(old.ops):
        if op is None:
            if place in old.constants:
                if keep is None or keep[place]:
                    places[place] = new.constant(old.constants[place])
                continue
            places[place] = new._add(None, (), old.names[place])
            if place in old.parameters:
                new.parameters[places[place]] = old.parameters[place]
        elif keep is None or keep[place]:
            args = tuple([places[arg] for arg in old.args[place]])
            found = replace(new, op, args)
            places[place] = new.record(op, args, old.names[place]) if found is None else found
            new.names[places[place]] = new.names[places[place]] or old.names[place]
    new.inputs = [places[place] for place in old.inputs]
    return Code(new, [places[place] for place in code.results])


def fold_constants(code: Code) -> Code:
    """What is computed from constants alone is computed now."""

    def fold(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        if all(arg in tape.constants for arg in args):
            return tape.constant(op.fn(*[tape.constants[arg] for arg in args]))
        return None

    return rewritten(code, fold)


def eliminate_common(code: Code) -> Code:
    """The same row of the same numbers is computed once; sums and products in either order are the same, and −c·x is
    −(c·x) where that is there."""
    known: dict[tuple[Op, tuple[int, ...]], int] = {}

    def common(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        key = (op, tuple(sorted(args)) if op in (ops.add, ops.mul) else args)
        found = known.get(key)
        if found is None:
            opposite = _opposite(tape, *args) if op is ops.mul else None
            if opposite in known:
                return tape.record(ops.neg, (known[opposite],))
            known[key] = len(tape)
        return found

    return rewritten(code, common)


def _opposite(tape: Tape, x: int, y: int) -> Any:
    """The key of c·y for a factor x that is the constant −c, or y; None without one."""
    for factor, other in ((x, y), (y, x)):
        place = tape.known_constant(-tape.constants[factor]) if factor in tape.constants else None
        if place is not None:
            return ops.mul, tuple(sorted((place, other)))
    return None


def eliminate_dead(code: Code) -> Code:
    """What no result needs is left out."""
    tape = code.tape
    keep = [False] * len(tape)
    for place in code.results:
        keep[place] = True
    for place in range(len(tape) - 1, -1, -1):
        if keep[place]:
            for arg in tape.args[place]:
                keep[arg] = True
    return rewritten(code, lambda tape, op, args: None, keep)


# x op this is x, for every float
_RIGHT: dict[Op, float] = {ops.mul: 1.0, ops.div: 1.0, ops.pow: 1.0, ops.sub: 0.0, ops.add: -0.0}
_LEFT: dict[Op, float] = {ops.mul: 1.0, ops.add: -0.0}


def _is(number: float | None, other: float | None) -> bool:
    """Whether both are the same constant: 0.0 is not -0.0."""
    return number is not None and other is not None and repr(number) == repr(other)


def simplify(code: Code) -> Code:
    """x·1, x/1, x¹, x², x − 0, x + (−0), −(−x), x·(−1), a where by a constant: identities that hold for every float."""

    def identity(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        x, y = args[0], args[1] if len(args) > 1 else args[0]
        a, b = tape.constants.get(x), tape.constants.get(y)
        if _is(b, _RIGHT.get(op)):
            return x
        if _is(a, _LEFT.get(op)):
            return y
        if op is ops.pow and b == 2.0:
            return tape.record(ops.square, (x,))
        if op is ops.mul and -1.0 in (a, b):
            return tape.record(ops.neg, (y if a == -1.0 else x,))
        if op is ops.neg and tape.ops[x] is ops.neg:
            return tape.args[x][0]
        if op is ops.where and (a is not None or args[1] == args[2]):
            return args[2] if a == 0.0 else args[1]
        return None

    return rewritten(code, identity)


def simplify_fast(code: Code) -> Code:
    """x + 0, 0·x, x − x, √x for a power, 1/x: right but for signs of 0, infinities, nans and last bits."""

    def identity(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        x, y = args[0], args[1] if len(args) > 1 else args[0]
        a, b = tape.constants.get(x), tape.constants.get(y)
        if op is ops.add and 0.0 in (a, b):
            return y if a == 0.0 else x
        if op is ops.mul and 0.0 in (a, b):
            return tape.constant(0.0)
        if op is ops.sub and x == y:
            return tape.constant(0.0)
        if op is ops.div and b is not None and b != 0.0:
            return tape.record(ops.mul, (x, tape.constant(1.0 / b)))
        if op is ops.pow and b in _POWERS:
            return tape.record(_POWERS[b], (x,))
        return None

    return rewritten(code, identity)


def share_saturating(code: Code) -> Code:
    """σ(2x) and σ(−2x) from a tanh(x) that is there already, σ(−x) from σ(x): digits go where these are small."""
    known: dict[tuple[Op, int], int] = {}

    def shared(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        x = args[0]
        if op is ops.sigmoid and tape.ops[x] is ops.mul:
            factor, u = tape.constants.get(tape.args[x][0]), tape.args[x][1]
            if factor in (2.0, -2.0) and (ops.tanh, u) in known:
                half = tape.constant(0.5)
                part = tape.record(ops.mul, (half, known[ops.tanh, u]))
                return tape.record(ops.add if factor > 0 else ops.sub, (half, part))
        if op is ops.sigmoid and tape.ops[x] is ops.neg and (ops.sigmoid, tape.args[x][0]) in known:
            return tape.record(ops.sub, (tape.constant(1.0), known[ops.sigmoid, tape.args[x][0]]))
        if op in (ops.tanh, ops.sigmoid):
            known.setdefault((op, x), len(tape))
        return None

    return rewritten(code, shared)


_POWERS = {0.5: ops.sqrt, -1.0: ops.reciprocal}

EXACT = (fold_constants, simplify, eliminate_common, eliminate_dead)
FAST = (fold_constants, simplify_fast, share_saturating, simplify, eliminate_common, eliminate_dead)


def optimise(code: Code, fast_math: bool = False) -> tuple[Code, list[tuple[str, int]]]:
    """All passes, until they make the tape shorter by less than a hundredth; and (pass, operations after it)."""
    log = [("recorded", operations(code.tape))]
    while True:
        before = log[-1][1]
        for step in FAST if fast_math else EXACT:
            code = step(code)
            log.append((step.__name__, operations(code.tape)))
        if log[-2][1] >= 0.99 * before:  # the last pass only leaves out: nothing new comes of that
            return code, log


def operations(tape: Tape) -> int:
    """How many rows it applies."""
    return sum(op is not None for op in tape.ops)
