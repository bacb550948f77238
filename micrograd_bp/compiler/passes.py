"""Passes that shorten a tape: constant folding, identities, common subexpressions, dead code.

The passes in `EXACT` keep the results bit for bit (the payload of a nan apart); those in `FAST` may change last digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd_bp import ops
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.engine.chain import guarded_product
from micrograd_bp.ops.op import Op

Replace = Callable[[Tape, Op, tuple[int, ...]], int | None]
"""Returns the index that replaces an operation on numbers of the new tape; None keeps the operation."""


class Code(NamedTuple):
    """A tape and the indices of its results."""

    tape: Tape
    results: list[int]


def rewritten(code: Code, replace: Replace, keep: Sequence[bool] | None = None) -> Code:
    """Copy a tape and let `replace` decide on each operation. `keep` selects operations and constants; inputs stay."""
    old, new = code.tape, Tape()
    indices: dict[int, int] = {}
    for index, op in enumerate(old.ops):
        if op is None:
            if index in old.constants:
                if keep is None or keep[index]:
                    indices[index] = new.constant(old.constants[index])
                continue
            indices[index] = new._add(None, (), old.names[index])
            if index in old.parameters:
                new.parameters[indices[index]] = old.parameters[index]
        elif keep is None or keep[index]:
            args = tuple([indices[arg] for arg in old.args[index]])
            found = replace(new, op, args)
            indices[index] = new.record(op, args, old.names[index]) if found is None else found
            new.names[indices[index]] = new.names[indices[index]] or old.names[index]
    new.inputs = [indices[index] for index in old.inputs]
    return Code(new, [indices[index] for index in code.results])


def expand_guarded(code: Code) -> Code:
    """Write guarded products as where(reached, x·y, 0); all derivatives have been taken."""

    def expand(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        if op is not guarded_product:
            return None
        return tape.record(ops.where, (args[2], tape.record(ops.mul, args[:2]), tape.constant(0.0)))

    return rewritten(code, expand) if guarded_product in code.tape.ops else code


def fold_constants(code: Code) -> Code:
    """Compute the operations whose arguments are all constants."""

    def fold(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        if all(arg in tape.constants for arg in args):
            return tape.constant(op.fn(*[tape.constants[arg] for arg in args]))
        return None

    return rewritten(code, fold)


def eliminate_common(code: Code) -> Code:
    """Compute an operation of the same arguments once. The order in a sum or product does not matter, and −c·x becomes
    −(c·x) where c·x is on the tape."""
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
    """Return the key of c·y for x·y if x is the constant −c, or the same with y and x exchanged; else None."""
    for factor, other in ((x, y), (y, x)):
        index = tape.known_constant(-tape.constants[factor]) if factor in tape.constants else None
        if index is not None:
            return ops.mul, tuple(sorted((index, other)))
    return None


def eliminate_dead(code: Code) -> Code:
    """Leave out the operations that no result depends on."""
    tape = code.tape
    keep = [False] * len(tape)
    for index in code.results:
        keep[index] = True
    for index in range(len(tape) - 1, -1, -1):
        if keep[index]:
            for arg in tape.args[index]:
                keep[arg] = True
    return rewritten(code, lambda tape, op, args: None, keep)


# x op c is x for every float x
_RIGHT: dict[Op, float] = {ops.mul: 1.0, ops.div: 1.0, ops.pow: 1.0, ops.sub: 0.0, ops.add: -0.0}
_LEFT: dict[Op, float] = {ops.mul: 1.0, ops.add: -0.0}


def _is(number: float | None, other: float | None) -> bool:
    """Whether both are the same constant; 0.0 and -0.0 differ."""
    return number is not None and other is not None and repr(number) == repr(other)


def simplify(code: Code) -> Code:
    """Apply identities that hold for every float: x·1, x/1, x¹, x², x − 0, x + (−0), −(−x), x·(−1), constant wheres."""

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
    """Apply identities that may change signs of 0, infinities, nans and last bits: x + 0, 0·x, x − x, √x, 1/x."""

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
    """Compute σ(−x) and σ′(x) from a σ(x) on the tape, and σ′(2x) from tanh(x). Small values lose digits."""
    known: dict[tuple[Op, int], int] = {}

    def shared(tape: Tape, op: Op, args: tuple[int, ...]) -> int | None:
        x, one = args[0], tape.constant(1.0)
        if op is ops.logistic_density and (ops.sigmoid, x) in known:
            s = known[ops.sigmoid, x]
            return tape.record(ops.mul, (s, tape.record(ops.sub, (one, s))))
        if op is ops.logistic_density and tape.ops[x] is ops.mul:
            factor, u = tape.constants.get(tape.args[x][0]), tape.args[x][1]
            if factor == 2.0 and (ops.tanh, u) in known:
                squared = tape.record(ops.square, (known[ops.tanh, u],))
                return tape.record(ops.mul, (tape.constant(0.25), tape.record(ops.sub, (one, squared))))
        if op is ops.sigmoid and tape.ops[x] is ops.neg and (ops.sigmoid, tape.args[x][0]) in known:
            return tape.record(ops.sub, (one, known[ops.sigmoid, tape.args[x][0]]))
        if op in (ops.tanh, ops.sigmoid):
            known.setdefault((op, x), len(tape))
        return None

    return rewritten(code, shared)


_POWERS = {0.5: ops.sqrt, -1.0: ops.reciprocal}

EXACT = (fold_constants, simplify, eliminate_common, eliminate_dead)
FAST = (fold_constants, simplify_fast, share_saturating, simplify, eliminate_common, eliminate_dead)


def optimise(code: Code, fast_math: bool = False) -> tuple[Code, list[tuple[str, int]]]:
    """Repeat all passes until the tape shrinks by less than 1 %; return it with a log of (pass, operations left)."""
    log = [("recorded", operations(code.tape))]
    while True:
        before = log[-1][1]
        for step in FAST if fast_math else EXACT:
            code = step(code)
            log.append((step.__name__, operations(code.tape)))
        if log[-2][1] >= 0.99 * before:  # without the last pass, which creates no chance for the others
            return code, log


def operations(tape: Tape) -> int:
    """Return the number of operations on a tape."""
    return sum(op is not None for op in tape.ops)
