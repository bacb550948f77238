"""Tapes computed on the arrays of NumPy, JAX or PyTorch, by translating the operations' C99 forms."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from micrograd_bp.compiler.c_expressions import Node, tree, written
from micrograd_bp.compiler.passes import Code
from micrograd_bp.compiler.recording import Recording
from micrograd_bp.errors import MissingExtraError, ShapeError
from micrograd_bp.ops.op import Op

Function = Callable[..., Any]


class Arrays:
    """A library: its functions by their C99 names, its `where`, and the conversion of a number to its arrays."""

    def __init__(self, name: str, functions: dict[str, Function], where: Function, number: Function) -> None:
        self.name = name
        self.functions = functions
        self.where = where
        self.number = number


_SAME = ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot")
_INVERSE = ("sin", "cos", "tan", "sinh", "cosh", "tanh")
_SIGNS: dict[str, Function] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "||": operator.or_,
    "&&": operator.and_,
}


def _named(module: Any, **others: Function) -> dict[str, Function]:
    """Return the functions of a module with NumPy's names, by their C99 names, and `others`."""
    found = {name: getattr(module, name) for name in (*_SAME, "fmin", "fmax")}
    found |= {f"a{name}": getattr(module, f"arc{name}") for name in _INVERSE}
    return found | {"fabs": module.abs} | others


@cache
def numpy_arrays() -> Arrays:
    """Return NumPy, with erf and erfc computed number by number."""
    erf, erfc = (np.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc))
    functions = _named(np, cbrt=np.cbrt, atan2=np.arctan2, pow=np.float_power, erf=erf, erfc=erfc)
    return Arrays("NumPy", functions, np.where, lambda x: x if isinstance(x, np.ndarray) else np.float64(x))


@cache
def jax_arrays() -> Arrays:
    """Return JAX. Raises MissingExtraError if it is not installed."""
    try:
        import jax.numpy as jnp
        from jax.scipy import special
    except ImportError:
        raise MissingExtraError("to_jax needs JAX:  pip install 'micrograd_bp[jax]'") from None
    functions = _named(jnp, cbrt=jnp.cbrt, atan2=jnp.arctan2, pow=jnp.power, erf=special.erf, erfc=special.erfc)
    return Arrays("JAX", functions, jnp.where, lambda x: x if isinstance(x, np.ndarray) else float(x))


@cache
def torch_arrays() -> Arrays:
    """Return PyTorch. Raises MissingExtraError if it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError("to_torch needs PyTorch:  pip install 'micrograd_bp[torch]'") from None

    def cbrt(x: Any) -> Any:
        return torch.sign(x) * torch.abs(x) ** (1.0 / 3.0)

    functions = _named(torch, cbrt=cbrt, atan2=torch.atan2, pow=torch.pow, erf=torch.erf, erfc=torch.erfc)
    return Arrays("PyTorch", functions, torch.where, lambda x: torch.as_tensor(x, dtype=torch.float64))


@cache
def function(op: Op, library: Arrays | None = None) -> Function:
    """Return an operation as a function of a library's arrays, by default NumPy's.

    With NumPy, an operation without a C99 form is computed number by number. Raises ValueError where another library
    is given and there is no form, or where the form calls a function that the library does not have.
    """
    arrays = library or numpy_arrays()
    try:
        form = tree(op)
    except ValueError:
        if arrays is numpy_arrays():
            return np.vectorize(op.fn, otypes=[float])
        raise
    _check(form, op, arrays)

    def write(kind: str, value: Any, parts: tuple[Any, ...]) -> Any:
        if kind == "number":
            return arrays.number(value)
        if kind == "call":
            return arrays.functions[value](*parts)
        if kind == "unary":
            return -parts[0]
        return arrays.where(*parts) if kind == "choose" else _SIGNS[value](*parts)

    return lambda *args: written(form, args, write)


def _check(node: Node, op: Op, library: Arrays) -> None:
    if node.kind == "call" and node.value not in library.functions:
        raise ValueError(f"{op.name}: {library.name} has no {node.value}(), which the C99 form {op.native!r} calls")
    for part in node.parts:
        _check(part, op, library)


def evaluate(code: Code, library: Arrays, inputs: Sequence[Any], parameters: Sequence[Any]) -> list[Any]:
    """Return the results for inputs and parameters that are arrays of samples, or numbers shared by all samples."""
    tape = code.tape
    numbers: list[Any] = [None] * len(tape)
    for index, x in tape.constants.items():
        numbers[index] = library.number(x)
    for indices, given in ((tape.parameters, parameters), (tape.inputs, inputs)):
        for index, x in zip(indices, given, strict=True):
            numbers[index] = library.number(x) if isinstance(x, (float, int, np.ndarray, np.generic)) else x
    last = _last_uses(code)
    for index, op in enumerate(tape.ops):
        if op is not None:
            numbers[index] = function(op, library)(*[numbers[arg] for arg in tape.args[index]])
            for arg in last.get(index, ()):
                numbers[arg] = None  # frees the arrays of a large batch after their last use
    return [numbers[index] for index in code.results]


def as_function(code: Code, recording: Recording, library: Arrays, gradient: bool) -> Function:
    """Return the code as a function of the recording's arguments, with an array for each number.

    The function raises TypeError or ShapeError for arguments of another structure.
    """

    def run(*args: Any, parameters: Sequence[Any] | None = None) -> Any:
        if len(args) != len(recording.args):
            raise TypeError(f"the program takes {len(recording.args)} arguments, but {len(args)} were given")
        numbers = _leaves(recording.args, args, "")
        if parameters is None:
            parameters = [p.data for p in code.tape.parameters.values()]
        elif len(parameters) != len(code.tape.parameters):
            raise ShapeError(
                f"the program has {len(code.tape.parameters)} parameters, but {len(parameters)} were given"
            )
        found = evaluate(code, library, numbers, parameters)
        return (
            (found[0], _filled(recording.args[0] if len(args) == 1 else recording.args, found[1:]))
            if gradient
            else _filled(recording.result, found)
        )

    return run


def _leaves(example: Any, given: Any, path: str) -> list[Any]:
    """Return the parts of `given` at the numbers of `example`. Raises ShapeError for another structure."""
    if isinstance(example, dict):
        if not isinstance(given, dict) or given.keys() != example.keys():
            raise ShapeError(
                f"the argument has a dict with the keys {', '.join(map(repr, example))} at {path or 'the top'}"
            )
        return [leaf for key in example for leaf in _leaves(example[key], given[key], f"{path}[{key!r}]")]
    if isinstance(example, (list, tuple)):
        size = len(given) if hasattr(given, "__len__") else 1
        if size != len(example):
            raise ShapeError(f"the argument has {len(example)} entries at {path or 'the top'}, but {size} were given")
        return [leaf for k, part in enumerate(example) for leaf in _leaves(part, given[k], f"{path}[{k}]")]
    if shape := getattr(example, "shape", ()):
        if tuple(getattr(given, "shape", ())[: len(shape)]) != shape:
            raise ShapeError(f"the argument is an array at {path or 'the top'}, and its shape begins with {shape}")
        return [given[index] for index in np.ndindex(shape)]
    return [given]


def _filled(example: Any, leaves: Sequence[Any]) -> Any:
    """Return `leaves` in the structure of the example, with a list for an array."""
    rest = iter(leaves)

    def put(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: put(own) for key, own in part.items()}
        if isinstance(part, (list, tuple)):
            kind: Any = type(part)
            return kind(*map(put, part)) if hasattr(kind, "_fields") else kind([put(own) for own in part])
        return [next(rest) for _ in range(part.size)] if getattr(part, "shape", ()) else next(rest)

    return put(example)


def _last_uses(code: Code) -> dict[int, list[int]]:
    """Return for each operation, by index, the numbers that no later operation uses."""
    last: dict[int, int] = {}
    results = set(code.results)
    for index, args in enumerate(code.tape.args):
        for arg in args:
            last[arg] = index
    found: dict[int, list[int]] = {}
    for arg, index in last.items():
        if arg not in results:
            found.setdefault(index, []).append(arg)
    return found
