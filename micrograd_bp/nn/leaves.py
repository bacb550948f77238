"""The leaves of a module, without their names.

Every training step needs them, so this module is compiled with the engine. No result is stored between two walks, so
that changes of the structure take effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from micrograd_bp.engine.value import Value
from micrograd_bp.ops.op import Op

_NEURON = frozenset({"activation", "w", "b", "_names", "_frozen"})


class Walk:
    """One walk through modules: it collects the leaves in order, possibly repeated, and the frozen ones.

    `module` is the class of modules, and `contents` lists the items of any other object.
    """

    __slots__ = ("leaves", "frozen", "_module", "_contents", "_seen")

    def __init__(self, module: type[Any], contents: Callable[[Any], list[Any]]) -> None:
        self.leaves: list[Any] = []
        self.frozen: set[Any] = set()
        self._module: Any = module
        self._contents = contents
        # The objects are stored with their ids, because the id of a deleted object can be used again.
        self._seen: dict[int, Any] = {}

    def through(self, root: Any) -> None:
        """Add the leaves of `root`, depth first, with a stack: the nesting may exceed Python's recursion limit."""
        stack: list[Any] = [root]
        while stack:
            thing = stack.pop()
            if isinstance(thing, Value):
                if thing._op is None:
                    self.leaves.append(thing)
                continue
            if id(thing) in self._seen:
                continue
            self.skip(thing)
            if isinstance(thing, self._module):
                if thing._frozen:
                    self.frozen.update(thing._frozen)
                thing._walk_first(self)
                items: list[Any] = [item for name, item in vars(thing).items() if not name.startswith("_")]
            else:
                items = self._contents(thing)
            items.reverse()
            stack.extend(items)

    def skip(self, thing: Any) -> None:
        """Do not visit `thing` again, because its leaves are collected."""
        self._seen[id(thing)] = thing

    def weights(self, neurons: Iterable[Any], neuron_class: type[Any]) -> bool:
        """Add `w` and `b` of neurons, in the order of the tutorial's names; return whether they have no other leaves.

        That is so for neurons of exactly `neuron_class` without further attributes, whose weights are Values and whose
        activation is an operation or a function.
        """
        count = 0
        done: list[Any] = []
        usual: Any = None  # neurons of a layer share one activation, which is checked once
        for neuron in neurons:
            count += 1
            plain = isinstance(neuron.b, Value)
            for weight in neuron.w:
                self.leaves.append(weight)
                if not isinstance(weight, Value):
                    plain = False
            self.leaves.append(neuron.b)
            if plain and type(neuron) is neuron_class and _NEURON.issuperset(vars(neuron)):
                activation = neuron.activation
                if activation is usual or isinstance(activation, Op) or type(activation) is FunctionType:
                    usual = activation
                    if neuron._frozen:
                        self.frozen.update(neuron._frozen)
                    done.append(neuron)
        if len(done) == count:
            return True
        for neuron in done:
            self.skip(neuron)
        return False

    def distinct(self) -> list[Any]:
        """Return the leaves that are not frozen, each once."""
        if len(set(self.leaves)) < len(self.leaves):
            self.leaves = list(dict.fromkeys(self.leaves))
        if self.frozen:
            return [leaf for leaf in self.leaves if leaf not in self.frozen]
        return self.leaves
