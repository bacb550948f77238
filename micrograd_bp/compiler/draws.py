"""Random numbers while a function is recorded: a recording would repeat the numbers of one call for ever.

A draw changes the state of its generator, so the states before and after a recording tell whether there was one. This
finds draws that C code makes, takes no time while the function runs, and allows what is no fault: a generator that the
function makes itself, with a seed, gives the same numbers at each call.

The generators that are watched are those of `random` and `numpy.random`, and every `random.Random`, `RandomState` and
`Generator` that the function reaches by its closure, its defaults, the globals that its code names, and the attributes
and items of the objects that it finds there. Numbers from elsewhere (the clock, the operating system) are not noticed.

Where a state has changed, the function runs again, some times. If no state changes then, it has drawn once and kept the
numbers, or another thread has drawn meanwhile: neither is refused. Otherwise it runs line by line, which finds the
line. (Only a long recording beside a thread that draws all the time can be refused without reason.)
"""

from __future__ import annotations

import functools
import pickle
import random
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

import numpy as np

from micrograd_bp.autodiff.refusal import is_users, refuse_line, users
from micrograd_bp.engine import Value
from micrograd_bp.errors import TraceError
from micrograd_bp.ops.op import Operand

T = TypeVar("T")
MOST = 200_000  # objects that are looked at
TRIES = 3  # runs that have to draw too
_KINDS: tuple[type, ...] = (random.Random, np.random.RandomState, np.random.Generator)
_USUAL = {Value, float, int, str, type(None)}
_BARE = (Operand, float, int, str, bytes, complex, type(None), np.ndarray, np.generic, random.SystemRandom)
_PROBLEM = (
    "a random number is drawn while the function is recorded, and the program would repeat it at each call. Draw "
    "outside and give the numbers as arguments, or leave the function uncompiled"
)


def without_draws(run: Callable[[], T], calls: Any) -> T:
    """Return run(), which records the function `calls`. Raise TraceError, with the line, where it draws numbers."""
    generators = reachable(calls)
    before = _states(generators)
    result = run()
    if _states(generators) != before and all(_changes(run, generators) for _ in range(TRIES)):
        _find_draw(run, generators)
    return result


def _changes(run: Callable[[], object], generators: list[Any]) -> bool:
    before = _states(generators)
    run()
    return _states(generators) != before


def reachable(thing: Any) -> list[Any]:
    """Return the global generators and those that `thing`, a function or a structure with functions, can reach."""
    found: list[Any] = [random, np.random.mtrand._rand]  # NumPy's global RandomState
    seen: dict[int, Any] = {}  # by id, with the objects, since another object may get the id of one that is gone
    kinds: dict[type, tuple[list[str], list[FunctionType]]] = {}
    stack = [thing]
    while stack and len(seen) < MOST:
        one = stack.pop()
        if type(one) in _USUAL or id(one) in seen or isinstance(one, _BARE):
            continue
        seen[id(one)] = one
        if isinstance(one, _KINDS):
            found.append(one)
        elif (parts := _parts(one)) is not None:
            stack += parts
        else:
            kind = type(one)
            if kind not in kinds:
                kinds[kind] = _slots_and_methods(kind)
            slots, methods = kinds[kind]
            stack += [getattr(one, name, None) for name in slots]
            stack += getattr(one, "__dict__", {}).values()
            stack += methods
    return found


def _parts(thing: Any) -> Iterable[Any] | None:
    """Return what is one step away from a thing of a kind that Python defines; None for an object of another class."""
    if isinstance(thing, (list, tuple, set, frozenset)):
        return thing
    if isinstance(thing, dict):
        return thing.values()
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, MethodType):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, FunctionType):
        return _parts_of_function(thing)
    if isinstance(thing, (type, ModuleType)):
        return ()
    return [getattr(thing, "f", None)] if _is_ours(type(thing), "micrograd_bp.compiler") else None


def _slots_and_methods(kind: type) -> tuple[list[str], list[FunctionType]]:
    slots: list[str] = []
    methods: list[FunctionType] = []
    for one in kind.__mro__:
        own: Any = vars(one).get("__slots__", ())
        slots += [own] if isinstance(own, str) else own
        if one.__module__ != "builtins" and not _is_ours(one, "micrograd_bp"):
            methods += [method for method in vars(one).values() if isinstance(method, FunctionType)]
    return slots, methods


def _is_ours(thing: Any, room: str) -> bool:
    return f"{thing.__module__}.".startswith(f"{room}.")


def _parts_of_function(function: FunctionType) -> list[Any]:
    parts: list[Any] = [function.__defaults__, function.__kwdefaults__, function.__dict__]
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # the cell of a variable that has no value yet
            continue
    if not _is_ours(function, "micrograd_bp"):
        names = _named(function.__code__)
        known = [function.__globals__[name] for name in names if name in function.__globals__]
        parts += known
        parts += [
            vars(module)[name]
            for module in known
            if isinstance(module, ModuleType)
            for name in names
            if name in vars(module)
        ]
    return parts


def _named(code: CodeType) -> set[str]:
    """Return the names of globals and attributes in a function's code, and in the functions within it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _named(constant)
    return found


def _states(generators: list[Any]) -> list[Any]:
    return [_state(generator) for generator in generators]


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return pickle.dumps(generator.bit_generator.state)
    if isinstance(generator, np.random.RandomState):
        return pickle.dumps(generator.get_state(legacy=False))
    return generator.getstate()


def _find_draw(run: Callable[[], object], generators: list[Any]) -> None:
    """Run again, and raise TraceError with the line in which a state changes. Nothing happens where none does."""
    start = _states(generators)
    known, here, found = start, _line(sys._getframe()), list[tuple[str, int]]()

    def look(frame: Any, event: str, _: object) -> Any:
        nonlocal known, here
        if found:
            return None
        if (now := _states(generators)) != known:
            known = now
            found.append(here)
        back = frame.f_back if event == "return" else frame
        here = _line(users(back or frame))
        return look

    def enter(frame: Any, event: str, argument: object) -> Any:
        return look(frame, event, argument) if is_users(frame.f_code.co_filename) else None

    tracing = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(tracing)
    if found:
        refuse_line(*found[0], _PROBLEM)
    if _states(generators) != start:
        raise TraceError(_PROBLEM)


def _line(frame: Any) -> tuple[str, int]:
    return frame.f_code.co_filename, frame.f_lineno
