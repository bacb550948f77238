"""The formulas of a recorded graph: `formula(v)`, `derivative_formula(v, x)`, and the local derivatives as terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from micrograd_bp import ops
from micrograd_bp.engine import Value, topological_order
from micrograd_bp.engine.chain import reverse_pass
from micrograd_bp.ops.op import ATOM
from micrograd_bp.ops.reals import kind
from micrograd_bp.symbolic.printer import Written, typeset
from micrograd_bp.symbolic.rules import apply, local_term, symbols_in, within
from micrograd_bp.symbolic.templates import fill, latex_name, latex_names, number, one_line, unused
from micrograd_bp.symbolic.term import ONE, ZERO, Term, constant, symbol

_LARGEST_INLINE = 12  # operations; a larger part of a formula gets a name
_LONGEST_FORMULA = 100_000
_LARGEST_DERIVATIVE = 2_000
_CONSTANTS = {"e": "e", "π": r"\pi", "pi": r"\pi"}  # in LaTeX


class Formula:
    """A formula as text (`str()`, `.text`) and as LaTeX (`.latex`); notebooks typeset it."""

    def __init__(self, text: str, latex: str) -> None:
        self.text = text
        self.latex = latex

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__  # so that a list of formulas reads [2x, 6y]

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Formula) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def _repr_latex_(self) -> str:
        return f"${self.latex}$"


class Symbols:
    """Distinct symbols for the values of a graph, which is given by its topological order `order`.

    The symbol of a value is its name; where several values have the same name, the second is `a[2]`, and so is a value
    named e beside the constant e. No two are alike in LaTeX either. An unnamed root is f, unnamed leaves are x1, x2,
    ... Other unnamed values are written out; one that is long, or for which `called` is called, gets a symbol t1, t2,
    ...
    """

    def __init__(self, order: list[Value]) -> None:
        self.place = {node: place for place, node in enumerate(order)}
        self.given: list[Value] = []  # the inner values that got a symbol t1, t2, ...
        self._symbols: dict[Value, Term] = {}
        self._expanded: dict[Value, Term] = {}
        self._locals: dict[tuple[Value, int], Term] = {}
        self._numbers: Counter[str] = Counter()
        names = {node: name for node in order if (name := one_line(node.name or ""))}
        often = Counter(names.values())
        self._texts, self._latex = _constants_in(order) if not _CONSTANTS.keys().isdisjoint(often) else (set(), set())
        notation = latex_names(often, self._latex)
        for node, name in names.items():
            self._numbers[name] += 1
            index = f"[{self._numbers[name]}]" if often[name] > 1 else ""
            text, latex = unused(name + index, self._texts), unused(notation[name] + index, self._latex)
            self._symbols[node] = symbol(text, latex, self.place[node])
            self._texts.add(text)
            self._latex.add(latex)
        root = order[-1]
        if root.op is not None and root not in self._symbols:
            self._symbols[root] = symbol("f" if "f" not in self._texts else self._free("f"), identity=self.place[root])
        for node in order:
            if node.op is None and node not in self._symbols:
                self._name(node, "x")

    def _free(self, letter: str) -> str:
        while True:
            self._numbers[letter] += 1
            name = f"{letter}{self._numbers[letter]}"
            if name not in self._texts and latex_name(name) not in self._latex:
                return name

    def _name(self, node: Value, letter: str) -> None:
        name = self._free(letter)
        self._symbols[node] = symbol(name, latex_name(name), self.place[node])

    def is_named(self, node: Value) -> bool:
        """Return whether the value has a symbol."""
        return node in self._symbols

    def called(self, node: Value) -> Term:
        """Return the symbol of a value; a value without one gets one."""
        if node not in self._symbols:
            self._name(node, "t")
            self.given.append(node)
        return self._symbols[node]

    def term(self, arg: Value | float) -> Term:
        """Return a value or constant as a term: its symbol, or its operation where it is unnamed and short."""
        if not isinstance(arg, Value):
            return constant(arg)
        if arg in self._symbols or arg.op is None or self._is_long(arg):
            return self.called(arg)
        if arg not in self._expanded:  # the recursion is as deep as a short formula
            self._expanded[arg] = apply(arg.op, [self.term(inner) for inner in arg.args])
        return self._expanded[arg]

    def local(self, node: Value, index: int) -> Term:
        """Return d node / d argument `index` as a term: ∂f/∂x where a user-defined rule accepts only floats."""
        edge = (node, index)
        if edge not in self._locals:
            try:
                self._locals[edge] = self._local(node, index)
            except TypeError:
                if node.op is None or vars(ops).get(node.op.name) is node.op:
                    raise
                self._locals[edge] = symbol(f"∂{node.op.name}/∂{node.op.arguments[index]}")
        return self._locals[edge]

    def _local(self, node: Value, index: int) -> Term:
        """Return `local`. Unnamed arguments are expanded only if the rule uses them: those of a long sum are not."""
        op, unused = node.op, {}
        if op is None:
            raise ValueError("a leaf has no local derivatives")
        args = []
        for i, arg in enumerate(node.args):
            if isinstance(arg, Value) and arg not in self._symbols:
                unused[f"#{i}"] = arg
                args.append(symbol(f"#{i}"))
            else:
                args.append(self.term(arg))
        out = self._symbols.get(node, symbol("#"))
        derivative = local_term(op, index, args, out)
        if not symbols_in(derivative).isdisjoint([*unused, "#"]):
            args = [self.term(arg) for arg in node.args]
            derivative = local_term(op, index, args, out if node in self._symbols else apply(op, args))
        return derivative

    def definition(self, node: Value, digits: int = 4, latex: bool = False) -> str:
        """Return the operation that made a value, in symbols and as the user composed it: w·x + b."""
        parts: dict[Value, Written] = {}
        for inner in self._inline(node):
            if inner is not node and inner in self._symbols:
                parts[inner] = (self._symbols[inner].name[latex], ATOM)
            elif inner is not node and self._is_long(inner):
                parts[inner] = (r"\dots" if latex else "…", ATOM)
            else:
                parts[inner] = write(inner, parts, digits, latex)
        return parts[node][0]

    def _is_long(self, node: Value) -> bool:
        """Return whether an unnamed value has too many operations to be written out."""
        count, stack = 0, [node]
        while stack and count <= _LARGEST_INLINE:
            count += 1
            stack += [arg for arg in stack.pop().args if isinstance(arg, Value) and arg not in self._symbols]
        return count > _LARGEST_INLINE

    def _inline(self, node: Value) -> Iterator[Value]:
        """Yield the values that `definition` writes: below `node` as far as they are short and unnamed, then `node`."""
        for arg in node.args:
            if isinstance(arg, Value):
                if arg in self._symbols or self._is_long(arg):
                    yield arg
                else:
                    yield from self._inline(arg)  # the recursion is as deep as a short formula
        yield node


def _constants_in(order: list[Value]) -> tuple[set[str], set[str]]:
    """Return the constants e and π that formulas of the graph may contain, as text and as LaTeX.

    In LaTeX, e occurs in e^x too. A value of the same name is written otherwise.
    """
    terms = [constant(arg) for node in order for arg in node.args if not isinstance(arg, Value)]
    for op in {node.op for node in order if node.op is not None}:
        args = [symbol(f"#{k}") for k in range(op.arity)]
        terms.append(apply(op, args))
        for index in range(op.arity):
            try:
                terms.append(local_term(op, index, args, terms[-1]))
            except TypeError:  # a user-defined rule that accepts only floats
                continue
    inner = [part for term in terms for part in within(term)]
    texts = {part.name[0] for part in inner if part.kind == "symbol" and part.name[0] in _CONSTANTS}
    powers = {"e" for part in inner if part.op is not None and "e^" in part.op.latex}
    return texts, {_CONSTANTS[text] for text in texts} | powers


def write(node: Value, parts: Mapping[Value, Written], digits: int, latex: bool) -> Written:
    """Return the operation that made `node` as text with its precedence; `parts` has the texts of its arguments."""
    args = [parts[a] if isinstance(a, Value) else (number(a, digits, latex), ATOM) for a in node.args]
    return fill(node.op, args, latex) if node.op else ("", ATOM)


def formula(v: Value) -> Formula:
    """Return the expression that made `v`, in terms of its leaves and as the user composed it.

    Raises TypeError where `v` is not a Value, and ValueError for an expression of more than 100,000 characters.

    >>> w, x, b, y = (Value(0.5, name) for name in ("w", "x", "b", "y"))
    >>> formula(((w * x + b).sigmoid() - y) ** 2 / 2)
    (σ(w·x + b) − y)² / 2
    """
    order = topological_order(v)
    symbols = Symbols(order)
    both = []
    for latex in (False, True):
        parts: dict[Value, Written] = {}
        for node in order:
            parts[node] = (symbols.called(node).name[latex], ATOM) if node.op is None else write(node, parts, 4, latex)
            if len(parts[node][0]) > _LONGEST_FORMULA:
                raise ValueError("the formula is too long to write out: take that of an inner value, or use explain()")
        both.append(parts[v][0])
    return Formula(*both)


def derivative_formula(v: Value, x: Value) -> Formula:
    """Return the simplified formula of d v / d x, in terms of the leaves.

    x may be an inner value, which is then a variable. The formula holds almost everywhere (x / x is 1); for kinks see
    `help()` of the operation. Raises TypeError where v or x is not a Value, and ValueError for graphs of more than
    2,000 values.

    >>> x, y = Value(1.0, "x"), Value(2.0, "y")
    >>> derivative_formula((x + 3) ** 3, x)
    3 (x + 3)²
    >>> [derivative_formula(x ** 2 + 3 * y ** 2, leaf) for leaf in (x, y)]
    [2x, 6y]
    """
    if not isinstance(x, Value):
        raise TypeError(f"derivative_formula takes two Values, not {kind(x)}")
    term = derivative_term(v, x)
    return Formula(typeset(term), typeset(term, latex=True))


def derivative_term(v: Value, x: Value) -> Term:
    """Return `derivative_formula` as a Term."""
    order = topological_order(v)
    if len(order) > _LARGEST_DERIVATIVE:
        raise ValueError(
            f"the graph has {len(order):,} values, more than {_LARGEST_DERIVATIVE:,}: take an inner one or explain()"
        )
    symbols = Symbols(order)
    terms: dict[Value, Term] = {}
    for node in order:
        if node.op is None or node is x:
            terms[node] = symbols.called(node)
        else:
            terms[node] = apply(node.op, [terms[a] if isinstance(a, Value) else constant(a) for a in node.args])

    def contributions(node: Value, adjoint: Term) -> Iterator[tuple[Value, Term]]:
        if node.op is None or node is x or adjoint is ZERO:
            return
        args = [terms[a] if isinstance(a, Value) else constant(a) for a in node.args]
        for index, arg in enumerate(node.args):
            if isinstance(arg, Value):
                yield arg, adjoint * local_term(node.op, index, args, terms[node])

    found: Term = reverse_pass(order, ONE, contributions).get(x, ZERO)
    return found
