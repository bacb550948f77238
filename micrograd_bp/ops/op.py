"""`Op`, an operation with its derivative rules: one row of the table in `table.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from micrograd_bp._mypyc import mypyc_attr
from micrograd_bp.errors import TraceError
from micrograd_bp.ops.domain import REAL, Bound, Interval
from micrograd_bp.ops.reals import as_float

if TYPE_CHECKING:
    from micrograd_bp.ops.reals import Real

Rule = Callable[..., Any]
ATOM = 9  # the precedence of a name, a number or a function call, which need no brackets


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Operand:
    """A number other than a float to which an operation can be applied: a node, a dual number, a formula term.

    Every operator, method and function calls `apply`, which checks the domain and then calls `apply_unchecked`.
    Derivative rules call `apply_unchecked` directly: they follow IEEE 754 and raise no DomainError.
    """

    __slots__ = ()

    def apply(self, op: Op, args: tuple[Any, ...]) -> Any:
        """Return op(*args), with a check of the domain."""
        return self.apply_unchecked(op, args)

    def apply_unchecked(self, op: Op, args: tuple[Any, ...]) -> Any:
        """Return op(*args), without a check of the domain; subclasses define it."""
        raise TypeError(f"{type(self).__name__} does not define apply_unchecked, so {op.name} cannot be applied to it")


T = TypeVar("T", bound=Operand)


class Op:
    """A function of floats with its derivative rules and all other facts that the package uses.

    `name`              the name as a function and as a method
    `fn(*args)`         the function of floats; it never raises and returns nan or an infinity outside `domain`
    `partials`          one derivative rule per argument, `(*args, out)` -> d out / d arg: a pure expression in
                        operations and + - *; `slopes` are the same rules for floats, and
                        `reads` is None or has the arguments that each rule reads, as bits (`chain.py`)
    `arguments`         the names of the arguments, by default those of the rules' parameters; `arity` is their number
    `defaults`          the default values of the last arguments
    `domain`            where the function is real: a union of boxes (one `Interval` per argument); () is everywhere
    `pole`              the index of the argument whose zero is a division by zero; -1 for none
    `kinks`             functions of the arguments that are 0 where the derivative jumps or is infinite
    `convention`        the derivative that the rules give at a kink, as text
    `routes_gradient`   whether a derivative of exactly 0 means that the argument was not selected (see `chain.py`)
    `symbol`            the label on a picture
    `text`, `latex`     templates that are filled with the arguments' texts; the result has the precedence `precedence`,
                        and an argument of a lower precedence than its entry in `binds` is written in brackets
    `exact(m, *args)`   the textbook definition of the function in m, a module such as mpmath; where there is none and
                        `by_name` is True, m's function of the same name
    `bound`             the error bound of the local derivatives
    `description`       the author's description, with which its help begins
    `native`            the function in C99, over {0}, {1}, ...; by default the C function of the same name, "" for none

    Called with floats or ints, an operation returns a float, which is nan or an infinity outside the domain. With an
    `Operand` among its arguments, it calls that operand's `apply`.
    """

    def __init__(
        self,
        name: str,
        fn: Callable[..., float],
        *partials: Rule,
        arguments: tuple[str, ...] = (),
        defaults: tuple[float, ...] = (),
        domain: tuple[tuple[Interval, ...], ...] = (),
        pole: int = -1,
        kinks: tuple[Rule, ...] = (),
        convention: str = "",
        routes_gradient: bool = False,
        symbol: str = "",
        text: str = "",
        latex: str = "",
        precedence: int = ATOM,
        binds: tuple[int, ...] = (),
        exact: Rule | None = None,
        by_name: bool = True,
        bound: Bound | None = None,
        native: str | None = None,
        description: str = "",
    ) -> None:
        self.name = name
        self.fn = fn
        self.arity = len(partials)
        self._partials: tuple[Rule, ...] = partials
        self.slopes: tuple[Rule, ...] = partials  # the rules for floats; a compiled build has its own
        self.reads: tuple[int, ...] | None = None  # which arguments each rule reads, as bits; set by chain.py
        self.arguments = arguments[: self.arity] or _parameters(partials[0], self.arity)
        self.defaults = defaults
        self.domain = domain
        self.pole = pole
        self.kinks = kinks
        self.convention = convention
        self.routes_gradient = routes_gradient
        self.symbol = symbol or name
        self.precedence = precedence
        self.binds = binds or (0,) * self.arity
        holes = ", ".join(f"{{{i}}}" for i in range(self.arity))
        self.text = text or f"{name}({holes})"
        self.latex = latex or rf"\operatorname{{{{{name}}}}}\left({holes}\right)".replace("_", r"\_")
        self._exact = exact
        self._by_name = by_name
        self.bound = bound or Bound()
        self.native = f"{name}({holes})" if native is None else native
        self.description = description

    def state(
        self,
        defaults: tuple[float, ...] | None,
        domain: tuple[tuple[Interval, ...], ...] | None,
        pole: int | None,
        kinks: tuple[Any, ...] | None,
        routes_gradient: bool,
        written: tuple[str, str, str, int, tuple[int, ...]] | None,
        exact: Rule | None,
        bound: Bound | None,
        native: str | None,
    ) -> None:
        """Set the facts that the table states in its lower part; None keeps the present value."""
        self.defaults = self.defaults if defaults is None else defaults
        self.domain = self.domain if domain is None else domain
        self.pole = self.pole if pole is None else pole
        if kinks is not None:
            self.convention, self.kinks = kinks[0], tuple(kinks[1:])
        self.routes_gradient = routes_gradient or self.routes_gradient
        if written is not None:
            self.symbol, self.text, self.latex, self.precedence, self.binds = written
        self._exact = self._exact if exact is None else exact
        self.bound = self.bound if bound is None else bound
        self.native = self.native if native is None else native

    @overload
    def __call__(self, *args: Real, **named: Real) -> float: ...
    @overload
    def __call__(self, x: T, *args: T | Real, **named: T | Real) -> T: ...
    @overload
    def __call__(self, x: Real, y: T, /, *args: T | Real) -> T: ...
    @overload
    def __call__(self, x: Real, y: Real, z: T, /) -> T: ...
    def __call__(self, *args: Any, **named: Any) -> Any:
        if named or len(args) != self.arity:
            args = self.complete(args, named)
        if len(args) == 1:
            x = args[0]
            return x.apply(self, args) if isinstance(x, Operand) else self.fn(as_float(x))
        if len(args) <= 3 and type(args[0]) is type(args[1]) is type(args[-1]) is float:
            return self.fn(*args)  # the usual case first, because derivative rules call operations with floats
        for arg in args:
            if isinstance(arg, Operand):
                return arg.apply(self, args)
        return self.fn(*[as_float(arg) for arg in args])

    @property
    def partials(self) -> tuple[Rule, ...]:
        """The derivative rules, one `(*args, out) -> d out / d arg` per argument. They can be replaced by assignment.

        >>> from micrograd_bp import ops
        >>> ops.square.partials[0](3.0, 9.0)
        6.0
        """
        return self._partials

    @partials.setter
    def partials(self, rules: tuple[Rule, ...]) -> None:
        self._partials = self.slopes = rules
        self.reads = None

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[[str], Op], tuple[str]]:
        return _registered, (self.saved_name(),)

    def saved_name(self) -> str:
        """Return the name by which the operation is saved. Raise LookupError where another operation has it now."""
        if self.superseded:
            raise LookupError(
                f"{self.name} was defined again, and operations are saved by name: compute the value again"
            )
        return self.name

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: Any) -> Op:
        return self

    @property
    def superseded(self) -> bool:
        """Whether another operation has this one's name now; nodes that were recorded before still have this one."""
        return OPS.get(self.name, self) is not self

    def complete(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return all arguments in order: positional, named and default ones. Raise TypeError where they do not fit."""
        least = self.arity - len(self.defaults)
        given: dict[str, Any] = dict(zip(self.arguments[least:], self.defaults, strict=True))
        given |= dict(zip(self.arguments, args, strict=False)) | named
        strangers = [name for name in named if name not in self.arguments[len(args) :]]
        if len(args) > self.arity or strangers or len(given) < self.arity:
            allowed = f"{least} to {self.arity}" if self.defaults else f"{self.arity}"
            what = f"{len(args) + len(named)} given" + (f", {strangers[0]!r} not expected" if strangers else "")
            raise TypeError(
                f"{self.name}({', '.join(self.arguments)}) takes {allowed} argument{'s' * (self.arity > 1)}, {what}"
            )
        return tuple([given[name] for name in self.arguments])

    def defined(self, m: Any) -> bool:
        """Return whether `exact` has a definition in the module `m`."""
        return self._exact is not None or (self._by_name and callable(getattr(m, self.name, None)))

    def exact(self, m: Any, *args: Any) -> Any:
        """Return the function's value by its definition in `m`, a module such as mpmath, at `m`'s precision.

        Raises NotImplementedError where there is no definition.
        """
        if not self.defined(m):
            raise NotImplementedError(f"{self.name} has no exact definition")
        return self._exact(m, *args) if self._exact is not None else getattr(m, self.name)(*args)

    def allows(self, args: Sequence[float]) -> bool:
        """Return whether the domain contains `args`.

        >>> from micrograd_bp import ops
        >>> ops.log.allows([0.0]), ops.pow.allows([-8.0, 3.0]), ops.pow.allows([-8.0, 1 / 3])
        (False, True, False)
        """
        return not self.domain or any(all(i.holds(x) for i, x in zip(box, args, strict=True)) for box in self.domain)

    def refusal(self, args: Sequence[float]) -> tuple[str, str]:
        """Return, for arguments outside the domain, the error message and the domain as text."""
        for index, (name, x) in enumerate(zip(self.arguments, args, strict=True)):
            intervals = list(dict.fromkeys(str(box[index]) for box in self.domain))
            if not any(box[index].holds(x) for box in self.domain):
                allowed = " or ".join(intervals)
                return f"{self.name}: {name} = {x!r} is outside {allowed}", allowed
        allowed = self.where_real()
        names = ", ".join(self.arguments)
        return f"{self.name}: ({names}) = {tuple(args)!r} is outside its domain: {allowed}", allowed

    def where_real(self) -> str:
        """Return the domain as text, "" for an operation that is real everywhere.

        >>> from micrograd_bp import ops
        >>> ops.acosh.where_real(), ops.exp.where_real()
        ('x in [1, inf)', '')
        """
        return "; or ".join(self._describe(box) for box in self.domain)

    def _describe(self, box: tuple[Interval, ...]) -> str:
        parts = zip(self.arguments, box, strict=True)
        return ", ".join(f"{name} in {i}" for name, i in parts if str(i) != str(REAL))


class Choice(Op):
    """An operation (condition, x, y) that chooses x where the condition is not 0, and y elsewhere.

    x and y may be functions without arguments; only the one that is chosen is called. Where the condition is known only
    later, because a function is being recorded, both are called, and the program chooses.
    """

    def __call__(self, *args: Any, **named: Any) -> Any:
        if named or len(args) != self.arity:
            args = self.complete(args, named)
        if type(args[0]) is type(args[1]) is type(args[2]) is float:
            return self.fn(*args)  # as in Op: derivative rules choose between floats
        condition, x, y = args
        if callable(x) or callable(y):
            chosen = _holds(condition)
            x = x() if callable(x) and chosen is not False else x
            y = y() if callable(y) and chosen is not True else y
            if callable(x) or callable(y):  # the result is the other one
                x = y = y if callable(x) else x
                if isinstance(x, Operand):
                    return x
        return super().__call__(condition, x, y)


def _holds(condition: Any) -> bool | None:
    """Return whether a condition is not 0, None where that is known only later."""
    try:
        number = getattr(condition, "data", None) if isinstance(condition, Operand) else condition
    except TraceError:
        return None
    return None if number is None else as_float(number) != 0.0


def _parameters(rule: Rule, arity: int) -> tuple[str, ...]:
    """Return the names of a rule's parameters without the last, `out`; x, y and z where Python does not know them."""
    code: Any = getattr(rule, "__code__", None)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount] if code is not None else ()
    return names[:-1] if len(names) == arity + 1 else ("x", "y", "z")[:arity]


OPS: dict[str, Op] = {}
"""Every operation by its name, in the order of the table; `table.py` fills it."""


def _registered(name: str) -> Op:
    if name not in OPS:
        raise LookupError(f"no operation {name!r} is known here: define it before you load data that use it")
    return OPS[name]
