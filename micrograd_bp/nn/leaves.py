"""The leaves that a module holds, without their names.

A training step asks for both, so this module is compiled where the engine is. Nothing is kept from one walk to the
next: a structure that was changed is seen as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from micrograd_bp.engine.value import Value
from micrograd_bp.ops.op import Op

_NEURON = frozenset({"activation", "w", "b", "_names", "_frozen"})


class Walk:
    """One walk through modules: the leaves in order, some of them more than once, and which ones are frozen.

    It takes the class of modules, and a function that lists the items of any other object.
    """

    __slots__ = ("leaves", "frozen", "_module", "_contents", "_seen")

    def __init__(self, module: type[Any], contents: Callable[[Any], list[Any]]) -> None:
        self.leaves: list[Any] = []
        self.frozen: set[Any] = set()
        self._module: Any = module
        self._contents = contents
        # The objects are held, not only their ids: what a mapping makes anew could otherwise have the id of another.
        self._seen: dict[int, Any] = {}

    def through(self, root: Any) -> None:
        """Add the leaves of `root`, depth first, with a stack: nesting may be deeper than Python's recursion limit."""
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
        """Leave out `thing` from here on: its leaves are all there."""
        self._seen[id(thing)] = thing

    def weights(self, neurons: Iterable[Any], neuron_class: type[Any]) -> bool:
        """Add `w` and `b` of neurons, in the order of the tutorial's names; whether they hold nothing else.

        That is so for neurons of this very class, without further attributes, whose weights are Values and whose
        activation is a row or a function.
        """
        count = 0
        done: list[Any] = []
        usual: Any = None  # neurons of one layer have one activation: it is looked at once
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
        """The leaves that are not frozen, each once."""
        if len(set(self.leaves)) < len(self.leaves):
            self.leaves = list(dict.fromkeys(self.leaves))
        if self.frozen:
            return [leaf for leaf in self.leaves if leaf not in self.frozen]
        return self.leaves
