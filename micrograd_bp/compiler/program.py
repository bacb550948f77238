"""`compile`: a function recorded at its first call and replayed afterwards. Imports tape, tree, engine and passes.

What a function does besides arithmetic happens once, while it is recorded; loops are unrolled. It is recorded anew for
arguments of another structure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from micrograd_bp.compiler import numpy_
from micrograd_bp.compiler.c import to_c
from micrograd_bp.compiler.llvm import Machine
from micrograd_bp.compiler.passes import Code, optimise
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.engine import Value
from micrograd_bp.errors import ShapeError, TraceError
from micrograd_bp.formula import number
from micrograd_bp.op import Operand, as_float
from micrograd_bp.tape import Slot, Tape, append_gradient
from micrograd_bp.tree import Rebuild, flatten

Function = Callable[..., Any]
Backend = Replay | Machine
BACKENDS: dict[str, Callable[[Code], Backend]] = {"python": Replay, "native": Machine}
"""What runs a tape, by name."""


class Recording(NamedTuple):
    """A function on a tape, before any pass, and what puts numbers into its structures."""

    tape: Tape
    results: list[int]
    rebuild_args: Rebuild
    rebuild_result: Rebuild


class Program(NamedTuple):
    """What runs an optimised tape, and the (pass, operations after it) that made it."""

    run: Backend
    log: list[tuple[str, int]]


class Compiled:
    """What `compile` gives: called as the function is, and asked for derivatives."""

    def __init__(self, f: Function, fast_math: bool = False, backend: str = "python") -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, not {type(f).__name__}")
        if backend not in BACKENDS:
            raise ValueError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")
        self.f = f
        self.fast_math = fast_math
        self.backend = BACKENDS[backend]
        self._recordings: dict[tuple[str, ...], Recording] = {}
        self._programs: dict[tuple[Any, ...], Program] = {}

    def __call__(self, *args: Any) -> Any:
        numbers, recording, program = self._ready(args, "value")
        return recording.rebuild_result(program.run(numbers))

    def value_and_grad(self, *args: Any) -> tuple[float, Any]:
        """f(*args) and its gradient in the structure of the arguments, of one argument the gradient itself.

        >>> compile(lambda x, y: x**2 + 3 * y**2).value_and_grad(4.0, -4.0)
        (64.0, (8.0, -24.0))
        """
        numbers, recording, program = self._ready(args, "gradient")
        value, *gradient = program.run(numbers)
        structured = recording.rebuild_args(gradient)
        return value, structured[0] if len(args) == 1 else structured

    def backward(self, *args: Any) -> float:
        """f(*args); its derivatives by the Values that f uses are added to their `grad`, as `Value.backward` does."""
        numbers, recording, program = self._ready(args, "parameters")
        value, *gradient = program.run(numbers)
        for parameter, slope in zip(recording.tape.parameters.values(), gradient, strict=True):
            parameter.grad += slope
        return value

    def parameters(self, *args: Any) -> list[Value]:
        """The leaves that f uses for arguments of this structure, in the order in which it meets them."""
        return list(self._recorded(args, _numbers(args)[1]).tape.parameters.values())

    def jvp(self, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """f(*args), and its derivative in the direction of `tangents`, structured as `args`.

        >>> compile(lambda x, y: x * y).jvp((2.0, 5.0), (1.0, 0.5))
        (10.0, 6.0)
        """
        recording, found = self._along(tuple(args), tuple(tangents), "jvp")
        half = len(found) // 2
        return recording.rebuild_result(found[:half]), recording.rebuild_result(found[half:])

    def hvp(self, args: Sequence[Any], direction: Sequence[Any]) -> Any:
        """The Hessian at `args` times `direction`; both are tuples of arguments, and so is the result unless of one."""
        recording, found = self._along(tuple(args), tuple(direction), "hvp")
        structured = recording.rebuild_args(found)
        return structured[0] if len(args) == 1 else structured

    def batched(self, *arrays: Any, gradients: str = "each") -> tuple[Any, Any]:
        """Values and gradients of many samples at once, on NumPy: each argument is an array, a sample per first index.

        `gradients`: "each", arrays shaped as the arguments, or "sum", over the samples. A sample's numbers reach the
        function as a float, or as (nested) lists.
        """
        if gradients not in ("each", "sum"):
            raise ValueError(f'gradients are "each" or "sum", not {gradients!r}')
        columns, samples, count = numpy_.columns(arrays)
        _, _, (run, _) = self._ready(tuple(samples), "gradient")
        if isinstance(run, Machine):
            value, *slopes = numpy_.on_machine(run, columns, count)
        else:
            value, *slopes = numpy_.run(run.code, columns, count)
        return value, numpy_.shaped(slopes, arrays, summed=gradients == "sum")

    def stats(self, *args: Any) -> list[tuple[str, int]]:
        """(pass, operations after it) for the value and gradient at arguments of this structure."""
        return self._ready(args, "gradient")[2].log

    def listing(self, *args: Any, gradient: bool = False) -> str:
        """The program for arguments of this structure, a line per operation.

        >>> print(compile(lambda x: x * x + 1).listing(2.0))
        x = input
        v1 = mul(x, x)
        v2 = add(v1, 1)
        return v2
        """
        return _listing(self._ready(args, "gradient" if gradient else "value")[2].run.code)

    def to_c(self, *args: Any, name: str = "program", gradient: bool = True) -> str:
        """A self-contained C99 file: a function of the numbers of arguments of this structure, then of `parameters`.

        It gives the value and, with `gradient`, the derivatives by the arguments.
        """
        code = self._ready(args, "gradient" if gradient else "value")[2].run.code
        return to_c(code, name, "value and gradient" if gradient else "value")

    def _ready(self, args: tuple[Any, ...], what: str) -> tuple[list[float], Recording, Program]:
        """The arguments' numbers, the recording for their structure, and the program for `what` of it."""
        numbers, paths = _numbers(args)
        recording = self._recorded(args, paths)
        return numbers, recording, self._program(paths, what)

    def _along(self, args: tuple[Any, ...], direction: tuple[Any, ...], what: str) -> tuple[Recording, list[float]]:
        """The results of a program that takes a direction after the arguments, and the recording."""
        directions, others = _numbers(direction)
        _same(others, _numbers(args)[1])
        numbers, recording, program = self._ready(args, what)
        return recording, program.run([*numbers, *directions])

    def _recorded(self, args: tuple[Any, ...], paths: tuple[str, ...]) -> Recording:
        if paths not in self._recordings:
            self._recordings[paths] = _record(self.f, args)
        return self._recordings[paths]

    def _program(self, paths: tuple[str, ...], what: str) -> Program:
        if (paths, what) not in self._programs:
            code, log = optimise(_derived(self._recordings[paths], what, not self.fast_math), self.fast_math)
            self._programs[paths, what] = Program(self.backend(code), log)
        return self._programs[paths, what]


def compile(f: Function, fast_math: bool = False, backend: str = "python") -> Compiled:  # noqa: A001 (the name that users expect)
    """`f`, a function of numbers or nested structures of numbers, recorded at its first call and replayed afterwards.

    Values that f uses are parameters: read anew at each call. With `fast_math`, identities are used that do not hold
    for infinities, nans and signed zeros. Outside an operation's domain results are nan or infinite, nothing is raised.
    `backend` is "python", or "native": machine code through LLVM, single and for batches; needs llvmlite.
    Raises TraceError where f decides something by its arguments (use `where`, `step`, `sign`, `maximum`, `minimum`).

    >>> slope = compile(lambda w: (w[0] * 2.0 + w[1]) ** 2)
    >>> slope([1.0, 3.0]), slope.value_and_grad([1.0, 3.0])
    (25.0, (25.0, [20.0, 10.0]))
    """
    return Compiled(f, fast_math, backend)


def _numbers(args: tuple[Any, ...]) -> tuple[list[float], tuple[str, ...]]:
    leaves, paths, _ = flatten(args)
    for leaf in leaves:
        if isinstance(leaf, Operand):
            raise TypeError("a compiled function takes plain numbers; Values that it uses inside are its parameters")
    return [as_float(leaf) for leaf in leaves], tuple(paths)


def _record(f: Function, args: tuple[Any, ...]) -> Recording:
    _, paths, rebuild = flatten(args)
    tape = Tape()
    result = f(*rebuild([Slot(tape, tape.input(name)) for name in _input_names(paths, len(args))]))
    try:
        numbers, _, rebuild_result = flatten(result)
    except TypeError as error:
        raise TraceError(f"what the function gives cannot be recorded: {error}") from None
    return Recording(tape, [tape.place(x) for x in numbers], rebuild, rebuild_result)


def _input_names(paths: Sequence[str], count: int) -> list[str]:
    """x, or x0, x1, ... for arguments of one number; x[0], x1['w'] for what is in structures."""
    names = []
    for path in paths:
        argument, _, rest = path[1:].partition("]")
        names.append(f"x{argument if count > 1 else ''}{rest}")
    return names


def _derived(recording: Recording, what: str, guarded: bool) -> Code:
    """A copy of the tape with what was asked for appended: the recording stays as it is."""
    code = Code(_copy(recording.tape), list(recording.results))
    tape = code.tape
    if what == "value":
        return code
    if what == "jvp":
        return _forward(code)
    if len(code.results) != 1:
        raise TraceError("a gradient is of a function that gives one number")
    inputs, root = list(tape.inputs), code.results[0]
    if what == "parameters":
        return Code(tape, [root, *append_gradient(tape, root, tape.parameters, guarded)])
    gradient = append_gradient(tape, root, inputs, guarded)
    if what == "gradient":
        return Code(tape, [root, *gradient])
    total: Any = 0.0
    for place in gradient:
        total = total + tape.slot(place) * Slot(tape, tape.input())
    return Code(tape, append_gradient(tape, tape.place(total), inputs, guarded))


def _forward(code: Code) -> Code:
    """Results and their tangents, for inputs followed by as many tangents."""
    tape, recorded = code.tape, len(code.tape)
    tangents: dict[int, Any] = {place: Slot(tape, tape.input()) for place in list(tape.inputs)}
    for place in range(recorded):
        op = tape.ops[place]
        if op is None:
            continue
        numbers = [tape.slot(arg) for arg in tape.args[place]]
        total: Any = None
        for arg, rule in zip(tape.args[place], op.partials, strict=True):
            if arg in tangents:
                part = rule(*numbers, Slot(tape, place)) * tangents[arg]
                total = part if total is None else total + part
        if total is not None:
            tangents[place] = total
    return Code(tape, [*code.results, *[tape.place(tangents.get(place, 0.0)) for place in code.results]])


def _copy(tape: Tape) -> Tape:
    copied = Tape()
    copied.ops, copied.args, copied.names = list(tape.ops), list(tape.args), list(tape.names)
    copied.inputs, copied.constants, copied.parameters = list(tape.inputs), dict(tape.constants), dict(tape.parameters)
    copied._known = dict(tape._known)
    return copied


def _same(given: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if given != expected:
        raise ShapeError(f"the direction has numbers at {', '.join(given)}, the arguments at {', '.join(expected)}")


def _listing(code: Code) -> str:
    tape = code.tape
    texts = list(tape.names)
    unnamed = [place for place, op in enumerate(tape.ops) if op is not None and not texts[place]]
    for count, place in enumerate(unnamed, start=1):
        texts[place] = f"v{count}"
    for place, x in tape.constants.items():
        texts[place] = number(x, 17)
    lines = [f"{texts[place]} = input" for place in tape.inputs]
    lines += [f"{texts[place]} = parameter" for place in tape.parameters]
    for place, op in enumerate(tape.ops):
        if op is not None:
            lines.append(f"{texts[place]} = {op.name}({', '.join(texts[arg] for arg in tape.args[place])})")
    return "\n".join([*lines, f"return {', '.join(texts[place] for place in code.results)}"])
