"""`record` runs a function on tracers; `derived` appends the program of a derivative to a copy of its tape."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, NoReturn

from micrograd_bp.autodiff.pytree import Rebuild, flatten
from micrograd_bp.autodiff.refusal import refuse
from micrograd_bp.autodiff.tape import Tape, Tracer, append_gradient, append_tangents
from micrograd_bp.compiler.draws import without_draws
from micrograd_bp.compiler.passes import Code, expand_guarded
from micrograd_bp.engine.node import RECORDING, described
from micrograd_bp.errors import TraceError

KINDS = ("value", "gradient", "parameters", "jvp", "hvp", "hessian")
"""The programs that `derived` makes."""


class Recording:
    """The tape of a function before any pass, with the structures of its arguments and its result.

    `args` and `result` are these structures, filled with zeros. `rebuild_result` fills the result's with numbers.
    """

    def __init__(self, tape: Tape, results: list[int], args: tuple[Any, ...], result: Any) -> None:
        self.tape = tape
        self.results = results
        self.args = args
        self.result = result
        self._rebuild: Rebuild = flatten(args)[2]
        self.rebuild_result: Rebuild = flatten(result)[2]

    def rebuild_args(self, numbers: list[Any]) -> Any:
        """Return numbers in the structure of the arguments; a single argument is not wrapped in a tuple."""
        structured = self._rebuild(numbers)
        return structured[0] if len(self.args) == 1 else structured


def signature(thing: Any) -> Any:
    """Return the structure of an argument with the types of its parts: the key of a recording."""
    if isinstance(thing, dict):
        return dict, *((key, signature(part)) for key, part in thing.items())
    if isinstance(thing, (list, tuple)):
        return type(thing), *(signature(part) for part in thing)
    return getattr(thing, "shape", ())


def statics(keywords: dict[str, Any]) -> Any:
    """Return keyword arguments as a key that tells 1 from True and 0.0 from -0.0. TypeError for unhashable ones."""
    key = tuple([(name, _exactly(keywords[name])) for name in sorted(keywords)])
    try:
        hash(key)
    except TypeError:
        raise TypeError(
            "keyword arguments of a compiled function are constants: they have to be hashable, such as int or str"
        ) from None
    return key


def _exactly(thing: Any) -> Any:
    parts = tuple([_exactly(part) for part in thing]) if isinstance(thing, tuple) else thing
    return type(thing), repr(thing) if isinstance(thing, Real) else parts


class _Collector:
    """The threads that pause Python's garbage collector, and whether it was on before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.was_on = False
        self.pausing: list[int] = []

    def resume(self) -> None:
        """Switch the collector on again, if it was on, where no thread pauses it any more."""
        if not self.pausing and self.was_on:
            gc.enable()
            self.was_on = False

    def in_child(self) -> None:
        """Forget the threads that the child of a fork does not have."""
        self.lock = threading.RLock()
        self.pausing = [thread for thread in self.pausing if thread == threading.get_ident()]
        self.resume()


_collector = _Collector()
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_collector.in_child)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector, which would scan the lists of a long tape again and again.

    It stays off until the last of the threads that pause it is done.
    """
    thread = threading.get_ident()
    with _collector.lock:
        if not _collector.pausing:
            _collector.was_on = gc.isenabled()
        _collector.pausing.append(thread)
        gc.disable()
    try:
        yield
    finally:
        with _collector.lock:
            _collector.pausing.remove(thread)
            _collector.resume()


class OnTape:
    """What happens to Values in a thread that records on `tape`; see `engine/node.py`."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def refuse(self, value: Any) -> NoReturn:
        """Raise TraceError, with the line, because the number of a Value is read and the program would keep it."""
        refuse(
            f"the number of a Value ({described(value)}) is read while the function is recorded, and the program would "
            "keep it though the Value may change. Leave the Value in the arithmetic; to choose by it, use "
            "where(condition, a, b), less, step, maximum or minimum of this package. Read what is meant as a constant "
            "outside the function"
        )

    def traced(self, value: Any) -> Tracer:
        """Return a Value as a number of the tape."""
        return Tracer(self.tape, self.tape.value(value))


@contextmanager
def recording_on(tape: Tape) -> Iterator[None]:
    """Let this thread record on `tape`."""
    thread = threading.get_ident()
    outer = RECORDING.get(thread)
    try:
        RECORDING[thread] = OnTape(tape)
        yield
    finally:
        if outer is None:
            RECORDING.pop(thread, None)
        else:
            RECORDING[thread] = outer


def _only_this_thread() -> None:
    for thread in RECORDING.keys() - {threading.get_ident()}:
        del RECORDING[thread]


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_only_this_thread)  # the other threads are not in the child


def record(f: Callable[..., Any], args: tuple[Any, ...], guarded: bool = True) -> Recording:
    """Run `f` on tracers of a tape that is `guarded` or not (see `Tape`).

    Raises TraceError where the result is not numbers or where `f` decides by a traced number, reads the number of a
    Value or draws random numbers.
    """
    leaves, paths, rebuild = flatten(args)

    def run() -> Recording:
        tape = Tape(guarded)
        tracers = [Tracer(tape, tape.input(name)) for name in _input_names(paths, len(args))]
        with recording_on(tape):
            result = f(*rebuild(tracers))
            try:
                numbers, _, rebuild_result = flatten(result)
            except TypeError as error:
                raise TraceError(f"the result of the function cannot be recorded: {error}") from None
            indices = [tape.place(x) for x in numbers]
        return Recording(tape, indices, rebuild([0.0] * len(leaves)), rebuild_result([0.0] * len(numbers)))

    return without_draws(run, f)


def _input_names(paths: Sequence[str], count: int) -> list[str]:
    """Return x, or x0, x1, ... for several arguments, with the path in the argument: x[0], x1['w']."""
    names = []
    for path in paths:
        argument, _, rest = path[1:].partition("]")
        names.append(f"x{argument if count > 1 else ''}{rest}")
    return names


def derived(recording: Recording, what: str) -> Code:
    """Return a copy of the recording's tape with the program for `what`, one of `KINDS`, appended.

    Raises TraceError for the gradient of a function that gives several numbers.
    """
    return expand_guarded(_appended(recording, what))


def _appended(recording: Recording, what: str) -> Code:
    tape, results = recording.tape.copy(), list(recording.results)
    if what == "value":
        return Code(tape, results)
    if what == "jvp":
        return Code(tape, [*results, *append_tangents(tape, results)])
    if len(results) != 1:
        raise TraceError(f"a gradient needs a function that gives one number, not {len(results)}; use jvp")
    inputs, root = list(tape.inputs), results[0]
    if what == "parameters":
        return Code(tape, [root, *append_gradient(tape, root, tape.parameters)])
    if what == "hvp":  # the gradient of the directional derivative, as in the eager `hvp`
        return Code(tape, append_gradient(tape, append_tangents(tape, results)[0], inputs))
    gradient = append_gradient(tape, root, inputs)
    if what == "gradient":
        return Code(tape, [root, *gradient])
    second = [append_gradient(tape, index, inputs) for index in gradient]
    return Code(tape, [index for row in second for index in row])
