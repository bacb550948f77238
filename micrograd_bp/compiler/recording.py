"""A function on a tape, and the tapes that are derived from it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from micrograd_bp.autodiff.pytree import Rebuild, flatten
from micrograd_bp.autodiff.tape import Tape, Tracer, append_gradient, append_tangents
from micrograd_bp.compiler.passes import Code
from micrograd_bp.errors import TraceError

KINDS = ("value", "gradient", "parameters", "jvp", "hvp", "hessian")
"""What can be derived."""


class Recording:
    """A function on a tape, before any pass, and the structures of its arguments and its result, with zeros in them.

    `rebuild_result` puts numbers into the structure of the result.
    """

    def __init__(self, tape: Tape, results: list[int], args: tuple[Any, ...], result: Any) -> None:
        self.tape = tape
        self.results = results
        self.args = args
        self.result = result
        self._rebuild: Rebuild = flatten(args)[2]
        self.rebuild_result: Rebuild = flatten(result)[2]

    def rebuild_args(self, numbers: list[Any]) -> Any:
        """Numbers in the structure of the arguments; of one argument in its own."""
        structured = self._rebuild(numbers)
        return structured[0] if len(self.args) == 1 else structured


def signature(thing: Any) -> Any:
    """The structure of numbers, with the kinds of its parts: what a recording holds for."""
    if isinstance(thing, dict):
        return dict, *((key, signature(part)) for key, part in thing.items())
    if isinstance(thing, (list, tuple)):
        return type(thing), *(signature(part) for part in thing)
    return getattr(thing, "shape", ())


def statics(keywords: dict[str, Any]) -> Any:
    """Keyword arguments as a key, to the bit: 1 is not True, 0.0 not -0.0. TypeError for what has no hash."""
    key = tuple([(name, _exactly(keywords[name])) for name in sorted(keywords)])
    try:
        hash(key)
    except TypeError:
        raise TypeError("keyword arguments are part of the program: they are hashable, such as int or str") from None
    return key


def _exactly(thing: Any) -> Any:
    parts = tuple([_exactly(part) for part in thing]) if isinstance(thing, tuple) else thing
    return type(thing), repr(thing) if isinstance(thing, float) else parts


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without Python's collector of cycles: it would look through all lists of a long tape again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def record(f: Callable[..., Any], args: tuple[Any, ...]) -> Recording:
    """Run `f` on tracers. TraceError where it gives what is no number, or decides by a traced one."""
    leaves, paths, rebuild = flatten(args)
    tape = Tape()
    result = f(*rebuild([Tracer(tape, tape.input(name)) for name in _input_names(paths, len(args))]))
    try:
        numbers, _, rebuild_result = flatten(result)
    except TypeError as error:
        raise TraceError(f"what the function gives cannot be recorded: {error}") from None
    places = [tape.place(x) for x in numbers]
    return Recording(tape, places, rebuild([0.0] * len(leaves)), rebuild_result([0.0] * len(numbers)))


def _input_names(paths: Sequence[str], count: int) -> list[str]:
    """x, or x0, x1, ... for arguments of one number; x[0], x1['w'] for what is in structures."""
    names = []
    for path in paths:
        argument, _, rest = path[1:].partition("]")
        names.append(f"x{argument if count > 1 else ''}{rest}")
    return names


def derived(recording: Recording, what: str, guarded: bool) -> Code:
    """A copy of the tape with what was asked for appended: the recording stays as it is."""
    tape, results = recording.tape.copy(), list(recording.results)
    if what == "value":
        return Code(tape, results)
    if what == "jvp":
        return Code(tape, [*results, *append_tangents(tape, results, guarded)])
    if len(results) != 1:
        raise TraceError("a gradient is of a function that gives one number")
    inputs, root = list(tape.inputs), results[0]
    if what == "parameters":
        return Code(tape, [root, *append_gradient(tape, root, tape.parameters, guarded)])
    gradient = append_gradient(tape, root, inputs, guarded)
    if what == "gradient":
        return Code(tape, [root, *gradient])
    if what == "hessian":
        rows = [append_gradient(tape, place, inputs, guarded) for place in gradient]
        return Code(tape, [place for row in rows for place in row])
    return Code(tape, append_tangents(tape, gradient, guarded))
