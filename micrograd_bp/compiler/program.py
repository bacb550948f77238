"""`compile` records a function at its first call and replays it afterwards.

Whatever the function does besides arithmetic happens once, during recording; loops are unrolled. Arguments of another
structure and other keyword arguments cause a new recording.
"""

from __future__ import annotations

import functools
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Literal, ParamSpec, cast, get_args, overload

import numpy as np

from micrograd_bp.autodiff.arguments import Function, along
from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.compiler import numpy_batches, storage
from micrograd_bp.compiler.c_expressions import has_forms
from micrograd_bp.compiler.inspection import Inspectable, Key, Program
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.passes import optimise
from micrograd_bp.compiler.recording import Recording, collector_paused, derived, record, signature, statics
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.engine import Value
from micrograd_bp.engine.node import is_recording
from micrograd_bp.engine.value import add_to_gradients
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import as_float

P = ParamSpec("P")
Backend = Literal["native", "python"]
BACKENDS: tuple[str, ...] = get_args(Backend)
"""The backends: machine code (the default where llvmlite is installed), or Python, operation by operation."""


class Compiled(Inspectable, Generic[P]):
    """The result of `compile`: it is called like the function and also computes derivatives."""

    def __init__(self, f: Callable[P, Any], fast_math: bool = False, backend: Backend | None = None) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, not {type(f).__name__}")
        if backend is not None and backend not in BACKENDS:
            raise ValueError(f"there is no backend {backend!r}; the backends are {', '.join(BACKENDS)}")
        self.f: Function = f
        self.fast_math = fast_math
        self._asked = backend is not None
        self.backend = backend or ("native" if importlib.util.find_spec("llvmlite") else "python")
        self._recordings: dict[Key, Recording] = {}
        self._programs: dict[Key, Program] = {}
        self._by_shapes: dict[Key, Key] = {}  # floats and arrays need no flattening
        self._by_samples: dict[Key, Key] = {}  # the same for batches
        self._at_shapes: dict[
            Key, Callable[[Key], tuple[float, Any]]
        ] = {}  # functions of the arguments, for the fastest call
        functools.update_wrapper(self, f, updated=())

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Compiled[P]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Compiled[...]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A decorated method is compiled once per object."""
        if instance is None:
            return self
        bound = Compiled(self.f.__get__(instance, owner), self.fast_math, self.backend if self._asked else None)
        if hasattr(instance, "__dict__"):
            instance.__dict__[self.f.__name__] = bound  # Python finds it there the next time
        return bound

    def __reduce__(self) -> Any:
        if self.f is storage.lost:
            raise TypeError("a loaded program cannot be copied or pickled; load it again with Compiled.load(path)")
        return Compiled, (
            self.f,
            self.fast_math,
            self.backend if self._asked else None,
        )  # a copy makes its own recordings

    def __call__(self, *args: P.args, **static: P.kwargs) -> Any:
        if is_recording() or any(isinstance(leaf, Operand) for leaf in flatten(args)[0]):
            return self.f(*args, **static)  # the call is part of a recording, a graph or a derivative
        numbers, recording, program = self._ready(args, static, "value")
        return recording.rebuild_result(list(program.run(numbers)))

    def value_and_grad(self, *args: P.args, **static: P.kwargs) -> tuple[float, Any]:
        """Return f(*args) and its gradient in the structure of the arguments (of the only argument if there is one).

        It is fastest for floats and NumPy arrays of doubles. Raises TraceError where f gives more than one number.

        >>> compile(lambda x, y: x**2 + 3 * y**2).value_and_grad(4.0, -4.0)
        (64.0, (8.0, -24.0))
        """
        shapes = () if static else numpy_batches.shapes(args)
        if known := self._at_shapes.get(shapes):
            return known(args)
        numbers, recording, program = self._ready(args, static, "gradient")
        if shapes and None not in shapes and isinstance(program.run, Machine):
            self._at_shapes[shapes] = program.run.at_shapes(shapes)
        value, *gradient = program.run(numbers)
        return value, recording.rebuild_args(gradient)

    def backward(self, *args: P.args, **static: P.kwargs) -> float:
        """Return f(*args), and add its derivatives to the `grad` of the Values that f uses, as `Value.backward` does.

        Raises TraceError where f gives more than one number.
        """
        numbers, recording, program = self._ready(args, static, "parameters")
        value, *gradient = program.run(numbers)
        add_to_gradients(list(recording.tape.parameters.values()), gradient)
        return value

    def parameters(self, *args: P.args, **static: P.kwargs) -> list[Value]:
        """Return the leaves that f uses besides its arguments, in the order of their first use."""
        return list(self._recorded(args, static)[1].tape.parameters.values())

    def jvp(self, args: Any, tangents: Any) -> tuple[Any, Any]:
        """Return f(*args) and its derivative in the direction `tangents`, both in the structure of f's result.

        `args` and `tangents` have the form that `micrograd_bp.jvp` takes. Raises ShapeError where they do not match.

        >>> compile(lambda x, y: x * y).jvp((2.0, 5.0), (1.0, 0.5))
        (10.0, 6.0)
        """
        recording, found = self._along(args, tangents, "jvp")
        half = len(found) // 2
        return recording.rebuild_result(found[:half]), recording.rebuild_result(found[half:])

    def hvp(self, args: Any, direction: Any) -> Any:
        """Return the Hessian at `args` times `direction`, in the structure of the arguments.

        `args` and `direction` have the form that `micrograd_bp.hvp` takes. Raises ShapeError where they do not match.
        """
        recording, found = self._along(args, direction, "hvp")
        return recording.rebuild_args(found)

    def hessian(self, *args: P.args, **static: P.kwargs) -> list[list[float]]:
        """Return the n x n matrix of second derivatives as a list of rows; n counts the numbers in the arguments.

        >>> compile(lambda x, y: x**2 * y).hessian(3.0, 5.0)
        [[10.0, 6.0], [6.0, 0.0]]
        """
        numbers, _, program = self._ready(args, static, "hessian")
        found = list(program.run(numbers))
        return [found[start : start + len(numbers)] for start in range(0, len(found), len(numbers) or 1)]

    def batched(
        self,
        *data: Any,
        gradients: Literal["each", "sum", "parameters"] = "each",
        threads: int | None = None,
        parameters: Any = None,
    ) -> tuple[Any, Any]:
        """Return the values and gradients of n samples; each argument is an array whose first axis has length n.

        `gradients`   "each": arrays of the shape of the arguments; "sum": their sums over the samples; "parameters": an
                      array of the derivatives by `parameters()`, summed over the samples
        `threads`     the number of threads of machine code; by default one per core
        `parameters`  an array of numbers that replaces those of the Values; reading the Values takes time

        The function receives a sample as floats or (nested) lists. Machine code computes eight samples at a time with
        vector functions, which differ from the scalar ones by at most 4 units in the last place. Raises ShapeError for
        arrays of different lengths, ValueError for another option.
        """
        if gradients not in ("each", "sum", "parameters"):
            raise ValueError(f'gradients are "each", "sum" or "parameters", not {gradients!r}')
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise ValueError(f"threads is a whole number, at least 1, or None, not {threads!r}")
        columns, count, shapes = numpy_batches.columns(data)
        if shapes not in self._by_samples:
            self._by_samples[shapes] = self._recorded(tuple([np.zeros(own).tolist() for own in shapes]), {})[0]
        summed = gradients != "each"
        run = self._program(self._by_samples[shapes], "parameters" if gradients == "parameters" else "gradient").run
        each = 1 if summed else len(run.code.results)
        found, sums = run.batch(columns, count, each, threads, numpy_batches.numbers_of(run.code, parameters))
        if gradients == "parameters":
            return found[0], sums
        return found[0], numpy_batches.shaped(*(sums, shapes) if summed else (found[1:], shapes, (count,)))

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.f, '__name__', 'function')}, {self.backend}>"

    def save(self, path: str | Path) -> None:
        """Write the recordings made so far as JSON, for `load`. Raises ValueError if there are none."""
        if not self._recordings:
            raise ValueError("nothing is recorded yet: call the function once before saving it")
        if any(key[1] for key in self._recordings):
            raise ValueError(
                "a function recorded with keyword arguments cannot be saved; bind them with functools.partial first"
            )
        storage.save(path, list(self._recordings.values()), self.fast_math)

    @classmethod
    def load(cls, path: str | Path, backend: Backend | None = None) -> Compiled[...]:
        """Return the function that `save` wrote; it takes arguments of the structures that were recorded.

        Loading executes no code from the file. The `parameters` are new Values. Raises StateError for a damaged file.
        """
        recordings, fast_math = storage.load(path)
        compiled = cls(cast(Any, storage.lost), fast_math, backend)
        for recording in recordings:
            compiled._recordings[signature(recording.args), ()] = recording
        return compiled

    def _ready(self, args: Key, static: dict[str, Any], what: str) -> tuple[list[float], Recording, Program]:
        """Return the arguments' numbers, the recording for their structure, and its program for `what`."""
        shapes = () if static else numpy_batches.shapes(args)
        if shapes in self._by_shapes:
            key = self._by_shapes[shapes]
            recording = self._recordings[key]
            numbers: Any = np.concatenate([np.ravel(arg) for arg in args]).tolist()
        else:
            key, recording = self._recorded(args, static)
            numbers = [as_float(leaf) for leaf in flatten(args)[0]]
            if shapes and None not in shapes:
                self._by_shapes[shapes] = key
        return numbers, recording, self._program(key, what)

    def _program(self, key: Key, what: str) -> Program:
        if (key, what) not in self._programs:
            start = time.perf_counter()
            with collector_paused():
                code, log = optimise(derived(self._recordings[key], what), self.fast_math)
                native = self.backend == "native" and (self._asked or has_forms(code.tape.ops))
                run = Machine(code, self.fast_math) if native else Replay(code)
            # Another thread may have been quicker: all use one program, so that its machine code is compiled once.
            self._programs.setdefault((key, what), Program(run, log, time.perf_counter() - start))
        return self._programs[key, what]

    def _along(self, args: Any, direction: Any, what: str) -> tuple[Recording, list[float]]:
        """Return the recording and the results of a program that takes arguments and a direction."""
        return along(functools.partial(self._moved, what), self.f, args, direction)

    def _moved(self, what: str, args: Key, direction: Key) -> tuple[Recording, list[float]]:
        given, expected = flatten(direction)[1], flatten(args)[1]
        if given != expected:
            raise ShapeError(
                f"the direction has numbers at {', '.join(given)}, but the arguments at {', '.join(expected)}"
            )
        numbers, recording, program = self._ready(args, {}, what)
        return recording, list(program.run([*numbers, *[as_float(leaf) for leaf in flatten(direction)[0]]]))

    def _recorded(self, args: Key, static: dict[str, Any]) -> tuple[Key, Recording]:
        leaves, _, _ = flatten(args)
        if any(isinstance(leaf, Operand) for leaf in leaves):
            raise TypeError(
                "a compiled function takes plain numbers, not Values; the Values that it uses inside are its parameters"
            )
        key = signature(args), statics(static)
        if key not in self._recordings:
            with collector_paused():
                function = functools.partial(self.f, **static) if static else self.f
                recording = record(function, args, guarded=not self.fast_math)
            self._recordings.setdefault(key, recording)
        return key, self._recordings[key]


@overload
def compile(  # noqa: A001
    f: Callable[P, Any], *, fast_math: bool = False, backend: Backend | None = None
) -> Compiled[P]: ...
@overload
def compile(  # noqa: A001
    f: None = None, *, fast_math: bool = False, backend: Backend | None = None
) -> Callable[[Callable[P, Any]], Compiled[P]]: ...
def compile(  # noqa: A001 (the name that users expect)
    f: Function | None = None, *, fast_math: bool = False, backend: Backend | None = None
) -> Any:
    """Return `f` as a program that is recorded on a tape at its first call and run from the tape afterwards.

    `f`          takes numbers and (nested) sequences of them, and gives numbers. Its keyword arguments are constants of
                 the program: other ones cause a new recording. Values that it uses inside, such as a model's
                 parameters, are inputs of the program and are read at each call
    `fast_math`  allows what changes the last digits: x + 0 = x, 0·x = 0, a fused multiply-add, reciprocals for
                 quotients, vector functions for single samples. The derivatives of tanh and sigmoid may lose digits in
                 saturation (1 − tanh²), and adjoints of exactly 0 are not guarded (docs/semantics.md)
    `backend`    "native", machine code through LLVM (with the extra `native`, which makes it the default), or "python"

    The results have the bits of the eager computation, with four exceptions: signs of zeros, `hypot` (Python's differs
    from C's), values outside an operation's domain, which are nan or infinite while the engine raises DomainError, and
    the last digits of `hvp`, which may add in another order.
    A compiled function that `f` calls with traced numbers becomes part of the program; called with other numbers, its
    result is a constant. `compile` is also a decorator: `@compile`, `@compile(fast_math=True)`.

    Raises TypeError or ValueError for wrong arguments. The first call raises TraceError, with the line, where the
    program would keep what may change: where `f` decides by a traced number (use `where`), reads the number of a Value
    (`.data`, `.grad`, a comparison, a copy), or draws from a random generator that exists before the call.

    >>> slope = compile(lambda w: (w[0] * 2.0 + w[1]) ** 2)
    >>> slope([1.0, 3.0]), slope.value_and_grad([1.0, 3.0])
    (25.0, (25.0, [20.0, 10.0]))
    """
    if f is None:
        return functools.partial(compile, fast_math=fast_math, backend=backend)
    return Compiled(f, fast_math, backend)
