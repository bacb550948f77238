"""`Module`, the base class of all objects with parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from micrograd_bp import files
from micrograd_bp.engine import Value
from micrograd_bp.engine.value import clear_gradients
from micrograd_bp.errors import StateError
from micrograd_bp.nn.leaves import Walk
from micrograd_bp.ops.reals import as_float, short

_FORMAT, _VERSION = "micrograd_bp parameters", 1


class Module:
    """The base class of objects with parameters.

    The parameters are the leaves among the attributes, in modules among the attributes, and in lists, tuples and dicts
    of both. A parameter that occurs twice counts once. Attributes whose names begin with _ are ignored; store a
    reference to a parent there. The names of parameters are attribute paths ("hidden.w.0"), unless a class defines its
    own, as `MLP` does (`w1_21`).

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line.state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    _frozen: frozenset[Value] = frozenset()

    def parameters(self) -> list[Value]:
        """Return the trained parameters, which are all but the frozen ones, in order.

        >>> from micrograd_bp import nn
        >>> [p.name for p in nn.MLP(2, [1]).parameters()]
        ['w1_11', 'w1_12', 'b1_1']
        """
        return self._walk().distinct()

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield (name, parameter) for all parameters, including the frozen ones, each once and in order."""
        seen: set[Value] = set()
        for name, parameter in self._all_named():
            if parameter not in seen:
                seen.add(parameter)
                yield name, parameter

    def _all_named(self) -> Iterator[tuple[str, Value]]:
        """Yield all parameters by name; a class with its own names for some yields these first, then `_others`."""
        return self._others()

    def _others(self) -> Iterator[tuple[str, Value]]:
        for name, attribute in vars(self).items():
            if not name.startswith("_"):
                yield from _named(name, attribute)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all modules in it."""
        yield self
        for name, attribute in vars(self).items():
            if not name.startswith("_"):
                for module in _children(attribute):
                    yield from module.modules()

    def zero_grad(self) -> None:
        """Reset the gradients of all parameters, including the frozen ones, to 0.0."""
        leaves = self._walk().leaves
        if getattr(self.parameters, "__func__", None) is not Module.parameters:  # user-defined, as in micrograd
            leaves.extend(self.parameters())
        clear_gradients(leaves)

    def _walk(self) -> Walk:
        """Return a walk with the parameters in the order of `named_parameters`, without their names."""
        walk = Walk(Module, _contents)
        if getattr(self.named_parameters, "__func__", None) is Module.named_parameters:
            walk.through(self)
        else:  # a user-defined named_parameters
            walk.leaves.extend(parameter for _, parameter in self.named_parameters())
            walk.frozen.update(*(module._frozen for module in self.modules()))
        return walk

    def _walk_first(self, walk: Walk) -> None:
        """Add to `walk` the parameters that `_all_named` yields before `_others`; they may be repeated."""
        if type(self)._all_named is not Module._all_named:
            walk.leaves.extend(parameter for _, parameter in self._all_named())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what notebooks show: the picture of a network, and the text."""
        from micrograd_bp.drawing import notebook

        return notebook(self)

    # --- freezing -----------------------------------------------------------------------------------------------------

    def freeze(self, *names: str) -> None:
        """Exclude parameters from `parameters()`, so that training does not change them: all, or those with `names`.

        Names may have wildcards. Raises ValueError, and freezes no parameter, where a name matches none.

        >>> from micrograd_bp import nn
        >>> model = nn.MLP(2, [1])
        >>> model.freeze("w1_*")
        >>> [p.name for p in model.parameters()]
        ['b1_1']
        """
        chosen = self._matching(names)
        for module in self.modules():
            module._frozen = module._frozen | (chosen & module._own())

    def unfreeze(self, *names: str) -> None:
        """Undo `freeze` for all parameters, or for those with `names`. Raise ValueError where a name matches none."""
        chosen = self._matching(names)
        for module in self.modules():
            module._frozen = module._frozen - chosen

    def _matching(self, patterns: tuple[str, ...]) -> set[Value]:
        named = list(self.named_parameters())
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise TypeError(f"the name of a parameter is a str, not {type(pattern).__name__}")
            if not any(fnmatchcase(name, pattern) for name, _ in named):
                raise ValueError(f"no parameter is called {pattern!r}; there are {_list(name for name, _ in named)}")
        return {p for name, p in named if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)}

    def _own(self) -> set[Value]:
        """Return the leaves of this module without those of modules in it; each module freezes its own leaves."""
        return {
            leaf
            for name, attribute in vars(self).items()
            if not name.startswith("_")
            for _, leaf in _named(name, attribute, into_modules=False)
        }

    # --- saving and loading -------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of all parameters by name. Raise ValueError where two parameters have the same name."""
        return {name: p.data for name, p in self._by_name().items()}

    def _by_name(self) -> dict[str, Value]:
        named: dict[str, Value] = {}
        for name, parameter in self.named_parameters():
            if name in named:
                raise ValueError(f"two parameters of this {type(self).__name__} are called {name!r}: rename one")
            named[name] = parameter
        return named

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set all parameters from `state`, a mapping of names to numbers as returned by `state_dict`.

        Raises StateError (a ValueError), and changes no parameter, where names are missing or unexpected or a number is
        not a finite real number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a mapping of names to numbers, not {type(state).__name__}")
        own = self._by_name()
        missing = tuple(name for name in own if name not in state)
        unexpected = tuple(str(name) for name in state if name not in own)
        invalid = tuple(
            f"{name} = {short(state[name])}" for name in own if name in state and not _is_finite(state[name])
        )
        faults = [
            f"{what}: {_list(names)}"
            for what, names in (("missing", missing), ("unexpected", unexpected), ("not finite numbers", invalid))
            if names
        ]
        if faults:
            raise StateError(
                f"the state does not fit this {type(self).__name__} of {len(own)} parameters, and nothing is changed; "
                + "; ".join(faults),
                missing,
                unexpected,
                invalid,
            )
        for name, parameter in own.items():
            parameter.data = state[name]

    def save(self, path: str | Path) -> Path:
        """Write the parameters to a JSON file and return its path; `load` restores every float exactly.

        The file is replaced as a whole or not at all. Raises StateError for a parameter that is not finite, because
        `load` does not accept it.
        """
        state = self.state_dict()
        invalid = tuple(f"{name} = {x!r}" for name, x in state.items() if not math.isfinite(x))
        if invalid:
            raise StateError(f"some parameters are not finite, no file is written: {_list(invalid)}", invalid=invalid)
        content = {"format": _FORMAT, "version": _VERSION, "module": repr(self), "parameters": state}
        return files.write(path, files.as_json(content, indent=1))

    def load(self, path: str | Path) -> None:
        """Set the parameters from a file that `save` wrote.

        Raises StateError where it is not such a file or does not fit the module, and OSError where it cannot be read;
        no parameter is changed then.
        """
        try:
            content = files.read_json(path)
        except (ValueError, RecursionError) as error:
            raise StateError(f"{path} is not a file of saved parameters: {error}") from None
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise StateError(f"{path} is not a file of saved parameters: it has no format {_FORMAT!r}")
        if content.get("version") != _VERSION:
            raise StateError(f"{path} has version {content.get('version')!r}; this package reads version {_VERSION}")
        parameters = content.get("parameters")
        if not isinstance(parameters, dict):
            raise StateError(f"{path} is not a file of saved parameters: it has no parameters")
        self.load_state_dict(parameters)


def _named(path: str, thing: Any, into_modules: bool = True) -> Iterator[tuple[str, Value]]:
    if isinstance(thing, Value):
        if thing.op is None:
            yield path, thing
    elif isinstance(thing, Module):
        if into_modules:
            yield from ((f"{path}.{name}", parameter) for name, parameter in thing._all_named())
    else:
        for key, item in _items(thing):
            yield from _named(f"{path}.{key}", item, into_modules)


def _children(thing: Any) -> Iterator[Module]:
    if isinstance(thing, Module):
        yield thing
    else:
        for _, item in _items(thing):
            yield from _children(item)


def _items(thing: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(thing, Mapping):
        yield from thing.items()
    elif isinstance(thing, (list, tuple)) or getattr(getattr(thing, "dtype", None), "kind", "") == "O":
        yield from enumerate(thing)


def _contents(thing: Any) -> list[Any]:
    return list(thing) if isinstance(thing, (list, tuple)) else [item for _, item in _items(thing)]


def _is_finite(x: object) -> bool:
    try:
        return math.isfinite(as_float(x))
    except (TypeError, OverflowError):
        return False


def _list(names: Any, most: int = 8) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
