"""Recordings as JSON files; loading a file executes nothing in it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_bp import files
from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.compiler.recording import Recording
from micrograd_bp.engine import Value
from micrograd_bp.engine.chain import guarded_product
from micrograd_bp.errors import StateError
from micrograd_bp.ops.op import OPS

FORMAT = "micrograd_bp program"
VERSION = 1


def save(path: str | Path, recordings: list[Recording], fast_math: bool) -> None:
    """Write recordings with the present numbers of their parameters."""
    known: dict[Value, int] = {}
    for recording in recordings:
        for value in recording.tape.parameters.values():
            known.setdefault(value, len(known))
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "fast_math": fast_math,
        "parameters": [[value.name, value.data.hex()] for value in known],
        "recordings": [_as_json(recording, known) for recording in recordings],
    }
    files.write(path, files.as_json(whole))


def load(path: str | Path) -> tuple[list[Recording], bool]:
    """Return the recordings, with new Values as parameters, and `fast_math`. Raises StateError for any other file."""
    try:
        whole = files.read_json(path)
        if not isinstance(whole, dict) or whole.get("format") != FORMAT:
            raise StateError(f"{path} is not a saved program")
        if whole["version"] != VERSION:
            raise StateError(f"{path} has version {whole['version']!r}; this package reads version {VERSION}")
        if type(whole["fast_math"]) is not bool:
            raise StateError(f"{path}: fast_math is true or false, not {whole['fast_math']!r}")
        values = [Value(float.fromhex(x), name) for name, x in whole["parameters"]]
        return [_read(saved, values) for saved in whole["recordings"]], whole["fast_math"]
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"{path} cannot be read as a saved program: {error!r}") from None


def _as_json(recording: Recording, known: dict[Value, int]) -> dict[str, Any]:
    tape = recording.tape
    return {
        "args": _structure(recording.args),
        "result": _structure(recording.result),
        "results": recording.results,
        "ops": [op and op.saved_name() for op in tape.ops],
        "takes": tape.args,
        "names": tape.names,
        "inputs": tape.inputs,
        "constants": {index: x.hex() for index, x in tape.constants.items()},
        "parameters": {index: known[value] for index, value in tape.parameters.items()},
    }


def _read(saved: dict[str, Any], values: list[Value]) -> Recording:
    tape = Tape()
    for name, args, shown in zip(saved["ops"], saved["takes"], saved["names"], strict=True):
        op = None if name is None else guarded_product if name == guarded_product.name else OPS.get(name)
        index = len(tape)
        if name is not None and op is None:
            raise StateError(
                f"the program uses the operation {name!r}, which is not defined; define it with @op before loading"
            )
        if len(args) != (op.arity if op else 0) or not all(_is_index(arg, index) for arg in args):
            raise StateError(f"operation {index} of the program has arguments that do not come before it")
        tape.ops.append(op)
        tape.args.append(tuple(args))
        tape.names.append(str(shown))
    size = len(tape)
    tape.inputs = [index for index in saved["inputs"] if _is_index(index, size)]
    tape.constants = {int(index): float.fromhex(x) for index, x in saved["constants"].items()}
    if not all(_is_index(k, len(values)) for k in saved["parameters"].values()):
        raise StateError("the program has parameters that are not in the file")
    tape.parameters = {int(index): values[k] for index, k in saved["parameters"].items()}
    leaves = sorted([*tape.inputs, *tape.constants, *tape.parameters])
    if leaves != [index for index in range(size) if tape.ops[index] is None]:
        raise StateError("the leaves of the program's tape are not exactly its inputs, constants and parameters")
    if not all(_is_index(index, size) for index in saved["results"]):
        raise StateError("the program's results are not on its tape")
    args, result = _made(saved["args"], size), _made(saved["result"], size)
    if type(args) is not tuple or (len(flatten(args)[0]), len(flatten(result)[0])) != (
        len(tape.inputs),
        len(saved["results"]),
    ):
        raise StateError("the structures of the program's arguments and result do not fit its tape")
    tape.know_leaves()
    return Recording(tape, list(saved["results"]), args, result)


def _is_index(index: object, size: int) -> bool:
    return type(index) is int and 0 <= index < size


def _structure(thing: Any) -> Any:
    """Return a structure as JSON: a list, {"tuple": ...}, {"dict": [[key, ...], ...]}, {"array": shape}, or null."""
    if type(thing) not in (list, tuple, dict) and isinstance(thing, (list, tuple, dict)):
        raise TypeError(
            f"a program is saved only if its structures are lists, tuples and dicts, not {type(thing).__name__}"
        )
    if isinstance(thing, list):
        return [_structure(part) for part in thing]
    if isinstance(thing, tuple):
        return {"tuple": [_structure(part) for part in thing]}
    if isinstance(thing, dict):
        if not all(isinstance(key, (str, int)) for key in thing):
            raise TypeError("a program is saved only if the keys of its dicts are str or int")
        return {"dict": [[key, _structure(part)] for key, part in thing.items()]}
    return {"array": list(thing.shape)} if hasattr(thing, "shape") and thing.shape else None


def _made(saved: Any, most: int) -> Any:
    """Return a structure filled with zeros. Raises ValueError for an array of more than `most` numbers."""
    if saved is None:
        return 0.0
    if isinstance(saved, list):
        return [_made(part, most) for part in saved]
    if "tuple" in saved:
        return tuple([_made(part, most) for part in saved["tuple"]])
    if "dict" in saved:
        return {key: _made(part, most) for key, part in saved["dict"]}
    if not all(_is_index(size, most + 1) for size in saved["array"]) or math.prod(saved["array"]) > most:
        raise ValueError(f"the array of shape {saved['array']} has more numbers than the tape")
    return np.zeros(saved["array"])


def lost(*args: Any) -> Any:
    """The function of a loaded program, which cannot be recorded again."""
    raise ValueError("this program was loaded from a file: it takes only arguments of the structures that the file has")
