"""`Sheet`: the state of `repl` and its commands, without a terminal."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterable

from micrograd_bp.cli import output
from micrograd_bp.cli.arguments import finite, one_line
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.errors import ExpressionError
from micrograd_bp.expression import Program, parse
from micrograd_bp.expression.locations import error
from micrograd_bp.ops.op import OPS
from micrograd_bp.symbolic.templates import number

HELP = """a formula        z = w*x + b      defines or redefines z, and updates what depends on it
                 z**2             has no name: the line only computes
set w 0.5        gives a leaf a value, and updates what depends on it
show             shows all names with their values and formulas
grad L           shows the gradients of L
explain L w      explains the chain rule from L to w, without w to all leaves
draw FILE [L]    writes the graph as .svg, .png, .pdf, .dot, .mmd or .html
undo             undoes the last line that changed something
help, quit"""


class Sheet:
    """Definitions and values. `do(line)` executes a line and returns the text to print; an error changes nothing.

    As in a spreadsheet, definitions may have any order, and the names that a formula uses may be defined later.

    >>> sheet = Sheet()
    >>> sheet.do("L = w**2"), sheet.do("set w 3"), sheet.do("set w 4")
    ('L needs w', 'w = 3\\nL = 9', 'w = 4\\nL = 16')
    """

    def __init__(self, digits: int = 4) -> None:
        self.digits = digits
        self.definitions: dict[str, str] = {}
        self.values: dict[str, float] = {}
        self.over = False
        self._before: list[tuple[dict[str, str], dict[str, float]]] = []
        self._commands: dict[str, Callable[[list[str]], str]] = {
            "set": self._set,
            "show": self._show,
            "grad": self._grad,
            "explain": self._explain,
            "draw": self._draw,
            "undo": self._undo,
            "help": lambda words: HELP,
            "quit": self._quit,
        }

    def words(self) -> list[str]:
        """Return the words that a line may contain: commands, names, operations."""
        return [*self._commands, *self.definitions, *self._leaves(), *OPS]

    def do(self, line: str) -> str:
        """Execute a line. Raises ValueError (ExpressionError for formulas), or OSError for files."""
        words = line.split()
        if not words or words[0].startswith("#"):
            return ""
        if words[0] in self._commands and words[1:2] != ["="]:
            return self._commands[words[0]](words[1:])
        return self._define(line)

    # --- commands that change the sheet ----------------------------------------------------------------------------

    def _define(self, line: str) -> str:
        program = parse(line)
        new = {a.name: _on_one_line(a.text) for a in program.assignments if a.name}
        definitions = {name: text for name, text in self.definitions.items() if name not in new} | new
        values = {name: x for name, x in self.values.items() if name not in new}
        changed = self._changed(definitions, values, list(new))
        text = self._report(definitions, values, changed)
        if not program.result:
            bare = program.assignments[-1].text
            found = self._run(definitions, values, [*definitions], bare)
            text = "\n".join(filter(None, [text, number(found[""].data, self.digits)]))
        if new:
            self._keep(definitions, values)
        return text

    def _set(self, words: list[str]) -> str:
        name, _, rest = " ".join(words).partition("=" if "=" in "".join(words) else " ")
        name = name.strip()
        program = parse(name or "=")
        if (*program.leaves, *program.constants) != (program.assignments[0].text,):
            raise ValueError(f"set takes a name and a number, as in: set w 0.5; {one_line(name)!r} is not a name")
        name = program.assignments[0].text
        if name in self.definitions:
            raise ValueError(f"{name} is defined by a formula; redefine it with: {name} = NUMBER")
        if not rest.strip():
            raise ValueError(f"set takes a name and a number, as in: set {name} 0.5")
        (name,) = (*program.leaves, *program.constants)
        values = self.values | {name: finite(rest.strip(), f"set {name}")}
        changed = self._changed(self.definitions, values, [name])
        text = self._report(self.definitions, values, [name, *changed])
        self._keep(self.definitions, values)
        return text

    def _undo(self, words: list[str]) -> str:
        if not self._before:
            raise ValueError("there is nothing to undo")
        self.definitions, self.values = self._before.pop()
        return self._show([])

    def _keep(self, definitions: dict[str, str], values: dict[str, float]) -> None:
        self._before.append((self.definitions, self.values))
        self.definitions, self.values = definitions, values

    def _quit(self, words: list[str]) -> str:
        self.over = True
        return ""

    # --- commands that show it ------------------------------------------------------------------------------------

    def _show(self, words: list[str]) -> str:
        if not self.definitions and not self.values:
            return "nothing is defined"
        found = self._run(self.definitions, self.values, [*self.definitions])
        rows = [(name, number(self.values[name], self.digits), "") for name in self._leaves() if name in self.values]
        rows += [(name, "no value", "") for name in self._leaves() if name not in self.values]
        for name in self._needed(self.definitions, self.definitions):
            rows.append((name, number(found[name].data, self.digits) if name in found else "?", self.definitions[name]))
        columns = output.table([row[:2] for row in rows]).split("\n")
        return "\n".join(f"{line}  {text}".rstrip() for line, (*_, text) in zip(columns, rows, strict=True))

    def _grad(self, words: list[str]) -> str:
        program, found = self._computed(words[0] if words else "")
        found[program.result].backward()
        return output.gradients(program.result, found, self.digits)

    def _explain(self, words: list[str]) -> str:
        program, found = self._computed(words[0] if words else "")
        root = found[program.result]
        wrt = []
        for name in words[1:]:
            if name not in found or found[name] not in set(topological_order(root)):
                raise ValueError(f"{program.result} does not depend on {one_line(name)}")
            wrt.append(found[name])
        leaves = [node for node in topological_order(root) if node.op is None and node is not root]
        return output.explanation(root, wrt or leaves, self.digits) or f"{program.result} is a number"

    def _draw(self, words: list[str]) -> str:
        if not words:
            raise ValueError("draw takes a file, as in: draw graph.svg")
        program, found = self._computed(words[1] if len(words) > 1 else "")
        root = found[program.result]
        root.backward()
        return f"wrote {output.save(root, words[0])}"

    # --- computing ------------------------------------------------------------------------------------------------

    def _leaves(self) -> list[str]:
        """Return the names that are used or set but not defined; pi and e are among them only if they are set."""
        used = [name for text in self.definitions.values() for name in parse(text).leaves]
        return [name for name in dict.fromkeys([*used, *self.values]) if name not in self.definitions]

    def _computed(self, name: str) -> tuple[Program, dict[str, Value]]:
        """Return the program of a name, by default the last defined, and its values. ValueError if one is missing."""
        if not self.definitions:
            raise ValueError("nothing is defined")
        name = name or next(reversed(self.definitions))
        if name not in self.definitions:
            raise ValueError(f"{one_line(name)} is not defined; the defined names are {', '.join(self.definitions)}")
        needed = self._needed(self.definitions, [name])
        lines = [f"{n} = {self.definitions[n]}" for n in needed]
        program = parse("\n".join(lines))
        missing = [n for n in program.leaves if n not in self.values]
        if missing:
            raise ValueError(f"{name} needs {', '.join(missing)}: set {missing[0]} NUMBER")
        return program, _values(program, lines, self.values)

    def _run(
        self, definitions: dict[str, str], values: dict[str, float], names: Iterable[str], bare: str = ""
    ) -> dict[str, Value]:
        """Return the values of the names whose leaves all have values, and of `bare`, a formula without a name.

        Raises ValueError where a leaf of `bare` has no value.
        """
        ready: set[str] = set()
        lines = []
        for name in self._needed(definitions, names):
            leaves = parse(definitions[name]).leaves
            if all(leaf in (ready if leaf in definitions else values) for leaf in leaves):
                ready.add(name)
                lines.append(f"{name} = {definitions[name]}")
        if bare:
            lacking = [n for n in parse(bare).leaves if n not in ready and n not in values]
            if lacking:
                raise ValueError(
                    f"{', '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no value: set {lacking[0]} NUMBER"
                )
            lines.append(bare)
        if not lines:
            return {}
        return _values(parse("\n".join(lines)), lines, values)

    def _needed(self, definitions: dict[str, str], names: Iterable[str]) -> list[str]:
        """Return `names` and the definitions that they depend on, in order of computation."""
        below: dict[str, list[str]] = {}
        stack = [*names]
        while stack:
            name = stack.pop()
            if name not in below:
                program = parse(definitions[name])
                below[name] = [n for n in (*program.leaves, *program.constants) if n in definitions]
                stack.extend(below[name])
        order = {name: below[name] for name in definitions if name in below}
        try:
            return list(graphlib.TopologicalSorter(order).static_order())
        except graphlib.CycleError as cycle:
            raise ValueError(f"a name cannot depend on itself: {' <- '.join(cycle.args[1])}") from None

    def _changed(self, definitions: dict[str, str], values: dict[str, float], names: list[str]) -> list[str]:
        """Return the definitions among `names` and those that depend on them, in order of computation."""
        touched = set(names)
        order = self._needed(definitions, definitions)
        for name in order:
            program = parse(definitions[name])
            if touched.intersection((*program.leaves, *program.constants)):
                touched.add(name)
        return [name for name in order if name in touched]

    def _report(self, definitions: dict[str, str], values: dict[str, float], names: Iterable[str]) -> str:
        """Return a line `name = number` for each name, or one with the leaves that lack a value."""
        found = self._run(definitions, values, definitions)
        lines = []
        for name in names:
            if name in values:
                lines.append(f"{name} = {number(values[name], self.digits)}")
            elif name in found:
                lines.append(f"{name} = {number(found[name].data, self.digits)}")
            else:
                leaves = [n for d in self._needed(definitions, [name]) for n in parse(definitions[d]).leaves]
                lacking = [n for n in dict.fromkeys(leaves) if n not in definitions and n not in values]
                lines.append(f"{name} needs {', '.join(lacking)}")
        return "\n".join(lines)


def _on_one_line(text: str) -> str:
    return " ".join(re.sub(r"#[^\r\n]*", "", text).split())


def _values(program: Program, lines: list[str], values: dict[str, float]) -> dict[str, Value]:
    """Return the values that a program of these lines computes. The position in an error is that within its line."""
    try:
        return program.run({name: x for name, x in values.items() if name in program.uses})
    except ExpressionError as wrong:
        raise error(wrong.message, lines[wrong.line - 1], wrong.column - 1) from None
