"""`compile`: a function recorded at its first call and replayed afterwards.

What a function does besides arithmetic happens once, while it is recorded; loops are unrolled. It is recorded anew for
arguments of another structure and for other keyword arguments.
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
from micrograd_bp.autodiff.tape import Tracer
from micrograd_bp.compiler import numpy_batches, storage
from micrograd_bp.compiler.c_expressions import has_forms
from micrograd_bp.compiler.inspection import Inspectable, Key, Program
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.passes import optimise
from micrograd_bp.compiler.recording import Recording, collector_paused, derived, record, signature, statics
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.engine import Value
from micrograd_bp.errors import ShapeError
from micrograd_bp.ops.op import Operand
from micrograd_bp.ops.reals import as_float

P = ParamSpec("P")
Backend = Literal["native", "python"]
BACKENDS: tuple[str, ...] = get_args(Backend)
"""What runs a tape: machine code (the default where llvmlite is installed), or the rows one after the other."""


class Compiled(Inspectable, Generic[P]):
    """What `compile` gives: called as the function is, and asked for derivatives."""

    def __init__(self, f: Callable[P, Any], fast_math: bool = False, backend: Backend | None = None) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, not {type(f).__name__}")
        if backend is not None and backend not in BACKENDS:
            raise ValueError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")
        self.f: Function = f
        self.fast_math = fast_math
        self._asked = backend is not None
        self.backend = backend or ("native" if importlib.util.find_spec("llvmlite") else "python")
        self._recordings: dict[Key, Recording] = {}
        self._programs: dict[Key, Program] = {}
        self._by_shapes: dict[Key, Key] = {}  # of floats and arrays, which need not be taken apart number by number
        self._by_samples: dict[Key, Key] = {}  # likewise in batches
        self._at_shapes: dict[Key, Callable[[Key], tuple[float, Any]]] = {}  # value and gradient, without more ado
        functools.update_wrapper(self, f, updated=())

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Compiled[P]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Compiled[...]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: a program for each object."""
        if instance is None:
            return self
        bound = Compiled(self.f.__get__(instance, owner), self.fast_math, self.backend if self._asked else None)
        if hasattr(instance, "__dict__"):
            instance.__dict__[self.f.__name__] = bound  # is found there the next time
        return bound

    def __reduce__(self) -> Any:
        if self.f is storage.lost:
            raise TypeError("a program that was loaded is not copied: load it again")
        return Compiled, (self.f, self.fast_math, self.backend if self._asked else None)  # a copy records for itself

    def __call__(self, *args: P.args, **static: P.kwargs) -> Any:
        if any(isinstance(leaf, Tracer) for leaf in flatten(args)[0]):
            return self.f(*args, **static)  # part of another recording
        numbers, recording, program = self._ready(args, static, "value")
        return recording.rebuild_result(list(program.run(numbers)))

    def value_and_grad(self, *args: P.args, **static: P.kwargs) -> tuple[float, Any]:
        """f(*args) and its gradient in the structure of the arguments, of one argument the gradient itself.

        Fastest for floats and NumPy arrays of doubles.

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
        """f(*args); its derivatives by the Values that f uses are added to their `grad`, as `Value.backward` does."""
        numbers, recording, program = self._ready(args, static, "parameters")
        value, *gradient = program.run(numbers)
        for parameter, slope in zip(recording.tape.parameters.values(), gradient, strict=True):
            parameter.grad += slope
        return value

    def parameters(self, *args: P.args, **static: P.kwargs) -> list[Value]:
        """The leaves that f uses besides its arguments, in the order in which it meets them."""
        return list(self._recorded(args, static)[1].tape.parameters.values())

    def jvp(self, args: Any, tangents: Any) -> tuple[Any, Any]:
        """f(*args), and its derivative as `args` move along `tangents`, both in the structure of f's result.

        The point and the direction are given as to `micrograd_bp.jvp`.

        >>> compile(lambda x, y: x * y).jvp((2.0, 5.0), (1.0, 0.5))
        (10.0, 6.0)
        """
        recording, found = self._along(args, tangents, "jvp")
        half = len(found) // 2
        return recording.rebuild_result(found[:half]), recording.rebuild_result(found[half:])

    def hvp(self, args: Any, direction: Any) -> Any:
        """The Hessian at `args` times `direction`, which are given as to `micrograd_bp.hvp`; so is the result."""
        recording, found = self._along(args, direction, "hvp")
        return recording.rebuild_args(found)

    def hessian(self, *args: P.args, **static: P.kwargs) -> list[list[float]]:
        """The matrix of second derivatives, as rows over all numbers of the arguments.

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
        """Values and gradients of many samples at once: each argument is an array, a sample per first index.

        `gradients`: "each", arrays shaped as the arguments; "sum", these over the samples; or "parameters", an array of
        the derivatives by `parameters`, summed over the samples. A sample's numbers reach the function as a float, or
        as (nested) lists. `parameters`: an array in place of the numbers of those Values, which take time to be read.
        Machine code takes eight samples at a time and `threads` (all cores) for blocks of them, by vector functions,
        which may differ from the scalar ones by 4 units in the last place.
        """
        if gradients not in ("each", "sum", "parameters"):
            raise ValueError(f'gradients are "each", "sum" or "parameters", not {gradients!r}')
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise ValueError(f"threads is a whole number from 1, not {threads!r}")
        rows, count, shapes = numpy_batches.columns(data)
        if shapes not in self._by_samples:
            self._by_samples[shapes] = self._recorded(tuple([np.zeros(own).tolist() for own in shapes]), {})[0]
        summed = gradients != "each"
        run = self._program(self._by_samples[shapes], "parameters" if gradients == "parameters" else "gradient").run
        each = 1 if summed else len(run.code.results)
        found, sums = run.batch(rows, count, each, threads, numpy_batches.numbers_of(run.code, parameters))
        if gradients == "parameters":
            return found[0], sums
        return found[0], numpy_batches.shaped(*(sums, shapes) if summed else (found[1:], shapes, (count,)))

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.f, '__name__', 'function')}, {self.backend}>"

    def save(self, path: str | Path) -> None:
        """What was recorded so far, as JSON, for `load`. Raises ValueError where that is nothing."""
        if not self._recordings:
            raise ValueError("nothing is recorded yet: call the function once before saving it")
        if any(key[1] for key in self._recordings):
            raise ValueError("a function recorded with keyword arguments is not saved: bind them before compiling it")
        storage.save(path, list(self._recordings.values()), self.fast_math)

    @classmethod
    def load(cls, path: str | Path, backend: Backend | None = None) -> Compiled[...]:
        """What `save` wrote, for arguments of the structures that it had been called with; nothing of it is run.

        Its `parameters` are new Values. Raises StateError for a file that is not right.
        """
        recordings, fast_math = storage.load(path)
        compiled = cls(cast(Any, storage.lost), fast_math, backend)
        for recording in recordings:
            compiled._recordings[signature(recording.args), ()] = recording
        return compiled

    def _ready(self, args: Key, static: dict[str, Any], what: str) -> tuple[list[float], Recording, Program]:
        """The arguments' numbers, the recording for their structure, and the program for `what` of it."""
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
                code, log = optimise(derived(self._recordings[key], what, not self.fast_math), self.fast_math)
                native = self.backend == "native" and (self._asked or has_forms(code.tape.ops))
                run = Machine(code, self.fast_math) if native else Replay(code)
            self._programs[key, what] = Program(run, log, time.perf_counter() - start)
        return self._programs[key, what]

    def _along(self, args: Any, direction: Any, what: str) -> tuple[Recording, list[float]]:
        """The results of a program that takes a direction after the arguments, and the recording."""
        return along(functools.partial(self._moved, what), self.f, args, direction)

    def _moved(self, what: str, args: Key, direction: Key) -> tuple[Recording, list[float]]:
        given, expected = flatten(direction)[1], flatten(args)[1]
        if given != expected:
            raise ShapeError(f"the direction has numbers at {', '.join(given)}, the arguments at {', '.join(expected)}")
        numbers, recording, program = self._ready(args, {}, what)
        return recording, list(program.run([*numbers, *[as_float(leaf) for leaf in flatten(direction)[0]]]))

    def _recorded(self, args: Key, static: dict[str, Any]) -> tuple[Key, Recording]:
        leaves, _, _ = flatten(args)
        if any(isinstance(leaf, Operand) for leaf in leaves):
            raise TypeError("a compiled function takes plain numbers; Values that it uses inside are its parameters")
        key = signature(args), statics(static)
        if key not in self._recordings:
            with collector_paused():
                self._recordings[key] = record(functools.partial(self.f, **static) if static else self.f, args)
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
    """`f`, recorded on a tape at its first call with arguments of a structure, and run from there.

    `f` takes numbers and (nested) sequences of them, and gives numbers; keyword arguments are part of the program,
    which is recorded anew for others. Values that it uses inside, such as a model's parameters, are read at each call.
    It cannot decide by a traced number: TraceError shows the line; use `where`. Compiled functions that it calls with
    traced numbers are part of it; called with others, they give a number that stays. By default every bit is that of
    the eager computation, signs of zeros and `hypot` (Python's is not C's) apart, and values outside an operation's
    domain: they are nan or infinite, nothing is raised.
    `fast_math` allows identities that change last digits (x + 0 = x, 0·x = 0, one rounding for a product and a sum,
    reciprocals for quotients, vector functions for single samples too), those by which the derivatives of tanh and
    sigmoid lose their digits in saturation (1 - tanh²), and no guards for adjoints of exactly 0 (see `semantics`).
    Also a decorator: `@compile`, `@compile(fast_math=True)`.

    `backend`: "native", machine code through LLVM (the extra `native`; the default where it is installed), or "python".

    >>> slope = compile(lambda w: (w[0] * 2.0 + w[1]) ** 2)
    >>> slope([1.0, 3.0]), slope.value_and_grad([1.0, 3.0])
    (25.0, (25.0, [20.0, 10.0]))
    """
    if f is None:
        return functools.partial(compile, fast_math=fast_math, backend=backend)
    return Compiled(f, fast_math, backend)
