"""An explanation as lines with a left side, a sign, a right side and a remark, in text or LaTeX."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple, TypeVar

from micrograd_bp import ops
from micrograd_bp.engine import Value
from micrograd_bp.explanation.backward_steps import Step
from micrograd_bp.explanation.paths import Equation, Path, Product
from micrograd_bp.explanation.tutorial import formula_number
from micrograd_bp.symbolic.graph_formulas import Symbols
from micrograd_bp.symbolic.printer import typeset, written
from micrograd_bp.symbolic.templates import number

_MOST = 12  # definitions, factors or paths that are written; the middle ones of more are left out
_MOST_STEPS = 400
_LINE = 90  # characters; a sum of numbers up to this length stays on one line
_SHORT = 20  # characters; a formula up to this length serves as a name


class Line(NamedTuple):
    """A line of an explanation; an empty line separates two blocks."""

    left: str = ""
    sign: str = ""
    right: str = ""
    remark: str = ""


class Writing:
    """Writes an explanation in text or LaTeX with `digits` significant digits."""

    def __init__(
        self,
        root: Value,
        wrt: Value | None,
        symbols: Symbols,
        equations: list[Equation],
        steps: list[Step],
        digits: int,
        seed: float,
    ) -> None:
        self.root = root
        self.wrt = wrt
        self.symbols = symbols
        self.equations = equations
        self.steps = steps
        self.digits = digits
        self.seed = seed
        self.latex = False

    def lines(self, latex: bool) -> list[Line]:
        """Return the explanation, line by line."""
        self.latex = latex
        if self.wrt is None:
            body = self._backward()
            return [*self._definitions({self.root}), Line(), *body]
        if self.wrt is self.root:
            return [Line(self._adjoint(self.root), "=", self._number(self.seed))]
        by_node = {equation.node: equation for equation in self.equations}
        body = []
        for equation in self.equations[:_MOST]:
            body += [Line(), *self._equation(equation, formula_number(equation, by_node, self.symbols))]
        if len(self.equations) > _MOST:
            body += [Line(), Line("", "", self._words(f"… {len(self.equations) - _MOST} more sums …"))]
        stations = {top for e in self.equations for path in e.paths for top, _, _ in path.chain}
        return [*self._definitions(stations), *body]

    def _definitions(self, nodes: set[Value]) -> list[Line]:
        """Return the formulas and numbers of `nodes` and of the values that the explanation gave a name, last first."""
        made = [node for node in nodes.union(self.symbols.given) if node.op is not None]
        output = []
        for node in sorted(made, key=self.symbols.place.__getitem__, reverse=True):
            how = self.symbols.definition(node, self.digits, self.latex)
            output.append(Line(self._name(node), "=", f"{how} = {self._number(node.data)}"))
        return _shortened(output, Line("", "", self._words(f"… {len(output) - _MOST + 1} more …")))

    def _equation(self, equation: Equation, remark: str) -> list[Line]:
        left, paths = self._adjoint(equation.node), equation.paths
        products = [self._in_numbers(product) for path in paths for product in path.products]
        sums = [
            self._sum([self._by_name(path) for path in paths], "paths"),
            self._sum([self._in_symbols(path) for path in paths], "paths"),
            self._sum(products, "products", _LINE),
            [self._number(equation.value)],
        ]
        # in a sum by name that has the left side as a summand, ∂f/∂u would mean two things
        sums = [
            lines for lines, before in zip(sums, [[], *sums], strict=False) if lines != before and left not in lines
        ]
        output = [Line("", "+" if index else "=", line) for lines in sums for index, line in enumerate(lines)]
        output[0] = Line(left, "=", output[0].right, remark)
        factors = [set(map(abs, product.numbers)) for path in paths for product in path.products]
        if any(found >= {0.0, math.inf} for found in factors):
            output[-1] = output[-1]._replace(remark=self._words("0 · ∞ is nan, though a limit may exist"))
        return output

    def _sum(self, summands: list[str], kind: str, line: int = 0) -> list[str]:
        """Return the lines of a sum: one per summand, or a single line if it is not longer than `line` characters."""
        first, *others = _shortened(summands, self._words(f"… {len(summands) - _MOST + 1} more {kind} …"))
        lines = [first, *[self._signed(other) for other in others]]
        together = " + ".join(lines)
        return [together] if len(together) <= line * (1 + self.latex) else lines

    def _signed(self, product: str) -> str:
        """Return a product for the place after a plus, with brackets around a negative first factor."""
        if not product.startswith(("−", "-")):
            return product
        dot = r" \cdot " if self.latex else " · "
        first, between, others = product.partition(dot)
        return self._brackets(first) + between + others

    def _by_name(self, path: Path) -> str:
        factors = [self._derivative(top, bottom) for top, bottom, _ in path.chain]
        return self._times([*self._head(path), *factors])

    def _in_symbols(self, path: Path) -> str:
        factors = [written(term, self.digits, self.latex) for _, _, term in path.chain]
        head = self._head(path)
        if not head and len(factors) == 1:
            return factors[0][0]
        bracketed = [self._brackets(text) if loose < ops.mul.precedence else text for text, loose in factors]
        return self._times([*head, *bracketed])

    def _head(self, path: Path) -> list[str]:
        if path.head is not self.root:
            return [self._adjoint(path.head)]
        return [] if self.seed == 1.0 else [self._number(self.seed)]

    def _adjoint(self, node: Value) -> str:
        derivative = self._derivative(self.root, node)
        return derivative if self.seed == 1.0 else self._times([self._number(self.seed), derivative])

    def _in_numbers(self, product: Product) -> str:
        return self._times([self._number(x) for x in product.numbers] or ["1"])

    def _times(self, factors: list[str]) -> str:
        shown = [
            f if not (index and f.startswith(("−", "-"))) else self._brackets(f) for index, f in enumerate(factors)
        ]
        more = self._words(f"… {len(shown) - _MOST + 1} more factors …")
        return (r" \cdot " if self.latex else " · ").join(_shortened(shown, more))

    # --- the whole backward pass --------------------------------------------------------------------------------------

    def _backward(self) -> list[Line]:
        several = {node for node, count in Counter(step.node for step in self.steps).items() if count > 1}
        shown = _shortened(list[Step | None](self.steps), None, _MOST_STEPS)
        more = Line("", "", self._words(f"… {len(self.steps) - _MOST_STEPS + 1} more steps …"))
        output = [self._step(step, step.node in several) if step else more for step in shown]
        return [Line(self._gradient(self.root), "=", self._number(self.seed)), *output]

    def _step(self, step: Step, with_total: bool) -> Line:
        chain = self._times([self._gradient(step.user), self._derivative(step.user, step.node)])
        numbers = self._times([self._number(step.adjoint), self._number(step.local)])
        total = f" {self._arrow} {self._number(step.total)}" if with_total else ""
        local = typeset(self.symbols.local(step.user, step.argnum), self.digits, self.latex)
        how = f"{self._derivative(step.user, step.node)} = {local}"
        right = f"{chain} = {numbers} = {self._number(step.amount)}{total}"
        return Line(self._gradient(step.node), "+=", right, how)

    @property
    def _arrow(self) -> str:
        return r"\to" if self.latex else "→"

    def _gradient(self, node: Value) -> str:
        return self._derivative(self.root, node) if self.latex else f"{self._name(node)}.grad"

    # --- text and LaTeX -----------------------------------------------------------------------------------------------

    def _name(self, node: Value) -> str:
        """Return the name of a value; in a backward pass, the short formula of an unnamed one."""
        if self.wrt is None and not self.symbols.is_named(node):
            how = self.symbols.definition(node, self.digits, self.latex)
            if len(how) <= _SHORT * (1 + self.latex):
                return self._brackets(how)
        return self.symbols.called(node).name[self.latex]

    def _derivative(self, top: Value, bottom: Value) -> str:
        above, below = self._name(top), self._name(bottom)
        return rf"\frac{{\partial {above}}}{{\partial {below}}}" if self.latex else f"∂{above}/∂{below}"

    def _number(self, x: float) -> str:
        return number(x, self.digits, self.latex)

    def _brackets(self, text: str) -> str:
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def _words(self, text: str) -> str:
        return rf"\text{{{text}}}".replace("…", r"\dots{}") if self.latex else text


T = TypeVar("T")


def _shortened(items: list[T], more: T, most: int = _MOST) -> list[T]:
    """Return at most `most` items: the first ones, `more` for those left out, and the last."""
    if len(items) <= most:
        return items
    return [*items[: most - 2], more, items[-1]]
