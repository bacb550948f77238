"""Recordings as text: JSON, nothing in it is run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_bp.autodiff.pytree import flatten
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.compiler.recording import Recording
from micrograd_bp.engine import Value
from micrograd_bp.errors import StateError
from micrograd_bp.ops.op import OPS

FORMAT = "micrograd_bp program"
VERSION = 1


def save(path: str | Path, recordings: list[Recording], fast_math: bool) -> None:
    """Write recordings, with the present numbers of their parameters."""
    known: dict[Value, int] = {}
    for recording in recordings:
        for value in recording.tape.parameters.values():
            known.setdefault(value, len(known))
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "fast_math": fast_math,
        "parameters": [[value.name, value.data.hex()] for value in known],
        "recordings": [_told(recording, known) for recording in recordings],
    }
    text = json.dumps(whole)
    Path(path).write_text(text, encoding="utf-8")


def load(path: str | Path) -> tuple[list[Recording], bool]:
    """What `save` wrote; parameters are new Values. StateError for anything else."""
    try:
        whole = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(whole, dict) or whole.get("format") != FORMAT:
            raise StateError(f"{path} is no saved program")
        if whole["version"] != VERSION:
            raise StateError(f"{path} is of version {whole['version']!r}, this package reads {VERSION}")
        if type(whole["fast_math"]) is not bool:
            raise StateError(f"{path}: fast_math is true or false, not {whole['fast_math']!r}")
        values = [Value(float.fromhex(x), name) for name, x in whole["parameters"]]
        return [_read(told, values) for told in whole["recordings"]], whole["fast_math"]
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"{path} cannot be read as a saved program: {error!r}") from None


def _told(recording: Recording, known: dict[Value, int]) -> dict[str, Any]:
    tape = recording.tape
    return {
        "args": _structure(recording.args),
        "result": _structure(recording.result),
        "results": recording.results,
        "ops": [op and op.name for op in tape.ops],
        "takes": tape.args,
        "names": tape.names,
        "inputs": tape.inputs,
        "constants": {place: x.hex() for place, x in tape.constants.items()},
        "parameters": {place: known[value] for place, value in tape.parameters.items()},
    }


def _read(told: dict[str, Any], values: list[Value]) -> Recording:
    tape = Tape()
    for name, args, shown in zip(told["ops"], told["takes"], told["names"], strict=True):
        op = None if name is None else OPS.get(name)
        place = len(tape)
        if name is not None and op is None:
            raise StateError(f"the program uses the operation {name!r}, which is not known here: define it first")
        if len(args) != (op.arity if op else 0) or not all(_is_place(arg, place) for arg in args):
            raise StateError(f"operation {place} of the program takes numbers that are not there before it")
        tape.ops.append(op)
        tape.args.append(tuple(args))
        tape.names.append(str(shown))
    size = len(tape)
    tape.inputs = [place for place in told["inputs"] if _is_place(place, size)]
    tape.constants = {int(place): float.fromhex(x) for place, x in told["constants"].items()}
    if not all(_is_place(k, len(values)) for k in told["parameters"].values()):
        raise StateError("the program has parameters that are not in the file")
    tape.parameters = {int(place): values[k] for place, k in told["parameters"].items()}
    leaves = sorted([*tape.inputs, *tape.constants, *tape.parameters])
    if leaves != [place for place in range(size) if tape.ops[place] is None]:
        raise StateError("the program's inputs, constants and parameters are not what its operations leave over")
    if not all(_is_place(place, size) for place in told["results"]):
        raise StateError("the program's results are not on its tape")
    args, result = _made(told["args"], size), _made(told["result"], size)
    if type(args) is not tuple or (len(flatten(args)[0]), len(flatten(result)[0])) != (
        len(tape.inputs),
        len(told["results"]),
    ):
        raise StateError("the program's arguments and result have other numbers than its tape")
    tape.know_leaves()
    return Recording(tape, list(told["results"]), args, result)


def _is_place(place: object, size: int) -> bool:
    return type(place) is int and 0 <= place < size


def _structure(thing: Any) -> Any:
    """A structure as JSON: a list for a list, {"tuple": ...}, {"dict": [[key, ...], ...]}, {"array": shape}, null."""
    if type(thing) not in (list, tuple, dict) and isinstance(thing, (list, tuple, dict)):
        raise TypeError(f"a program is saved for plain lists, tuples and dicts, not for {type(thing).__name__}")
    if isinstance(thing, list):
        return [_structure(part) for part in thing]
    if isinstance(thing, tuple):
        return {"tuple": [_structure(part) for part in thing]}
    if isinstance(thing, dict):
        if not all(isinstance(key, (str, int)) for key in thing):
            raise TypeError("a program is saved for dicts whose keys are texts or whole numbers")
        return {"dict": [[key, _structure(part)] for key, part in thing.items()]}
    return {"array": list(thing.shape)} if hasattr(thing, "shape") and thing.shape else None


def _made(told: Any, most: int) -> Any:
    """The structure with zeros in it; ValueError for an array of more than `most`."""
    if told is None:
        return 0.0
    if isinstance(told, list):
        return [_made(part, most) for part in told]
    if "tuple" in told:
        return tuple([_made(part, most) for part in told["tuple"]])
    if "dict" in told:
        return {key: _made(part, most) for key, part in told["dict"]}
    if not all(_is_place(size, most + 1) for size in told["array"]) or math.prod(told["array"]) > most:
        raise ValueError(f"an array of shape {told['array']}")
    return np.zeros(told["array"])


def lost(*args: Any) -> Any:
    """The function of a program that was loaded."""
    raise ValueError("this program was loaded: it takes arguments of the structures that it was saved with only")
