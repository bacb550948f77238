"""`Inspectable`: the methods of a compiled function that show its program or export it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

from micrograd_bp.compiler import array_libraries
from micrograd_bp.compiler.c_source import to_c
from micrograd_bp.compiler.listing import Stats, listing, values
from micrograd_bp.compiler.machine_code import Machine
from micrograd_bp.compiler.recording import Recording, derived
from micrograd_bp.compiler.replay import Replay
from micrograd_bp.engine import Value
from micrograd_bp.engine.methods import Graph
from micrograd_bp.engine.pictures import GraphOptions

Key = tuple[Any, ...]


class Program(NamedTuple):
    """A backend with an optimised tape, its log of (pass, operations left), and the compile time in seconds."""

    run: Replay | Machine
    log: list[tuple[str, int]]
    seconds: float


class Inspectable:
    """The base class of `Compiled`."""

    _recordings: dict[Key, Recording]

    def _ready(self, args: Key, static: dict[str, Any], what: str) -> tuple[list[float], Recording, Program]:
        raise NotImplementedError

    def stats(self, *args: Any, **static: Any) -> Stats:
        """Return the cost of compiling value and gradient for arguments of this structure."""
        run, log, seconds = self._ready(args, static, "gradient")[2]
        return Stats(log, run.code_bytes if isinstance(run, Machine) else 0, seconds)

    def listing(self, *args: Any, gradient: bool = False, **static: Any) -> str:
        """Return the program for arguments of this structure as text, one line per operation.

        >>> import micrograd_bp as mb
        >>> print(mb.compile(lambda x: x * x + 1).listing(2.0))
        x = input
        v1 = mul(x, x)
        v2 = add(v1, 1)
        return v2
        """
        return listing(self._ready(args, static, "gradient" if gradient else "value")[2].run.code)

    def __str__(self) -> str:
        """Return the listings of all recordings."""
        shown = [listing(derived(recording, "value")) for recording in self._recordings.values()]
        return "\n\n".join(shown) if shown else f"{self!r}: it has not been called, so nothing is recorded"

    def draw(self, *args: Any, **options: Unpack[GraphOptions[Value]]) -> Graph:
        """Return a picture of the optimised program at these arguments; the options are those of `draw_graph`."""
        numbers, _, program = self._ready(args, {}, "value")
        root = values(program.run.code, numbers)[0]
        return (root if isinstance(root, Value) else Value(root)).graph(**options)

    def to_c(self, *args: Any, name: str = "program", gradient: bool = True, **static: Any) -> str:
        """Return a self-contained C99 file with the function `void name(const double *x, double *out)`.

        `x` holds the numbers of the arguments, then those of `parameters()`; `out` receives the value and, with
        `gradient`, the derivatives by the arguments. Raises ValueError for a name that C does not allow and for an
        operation without a C99 form.
        """
        code = self._ready(args, static, "gradient" if gradient else "value")[2].run.code
        return to_c(code, name, "value and gradient" if gradient else "value")

    def to_jax(self, *args: Any, gradient: bool = False, **static: Any) -> Callable[..., Any]:
        """Return the program for arguments of this structure as a function of JAX arrays, which jit and vmap accept.

        The function takes arguments of that structure, with an array of samples (or a number) for each number, and
        `parameters=`, an array or number for each of `parameters()` (by default their present numbers). With `gradient`
        it returns value and gradient by this package's derivative rules. Raises MissingExtraError without JAX.
        """
        _, recording, program = self._ready(args, static, "gradient" if gradient else "value")
        return array_libraries.as_function(program.run.code, recording, array_libraries.jax_arrays(), gradient)

    def to_torch(self, *args: Any, gradient: bool = False, **static: Any) -> Callable[..., Any]:
        """Return the same function for PyTorch tensors. Raises MissingExtraError without PyTorch."""
        _, recording, program = self._ready(args, static, "gradient" if gradient else "value")
        return array_libraries.as_function(program.run.code, recording, array_libraries.torch_arrays(), gradient)
