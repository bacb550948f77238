"""The errors of the package. Each one is a subclass of a built-in error and has the facts of the message as fields."""

from __future__ import annotations


class DomainError(ValueError):
    """The arguments of an operation lie outside its real domain.

    Fields: `op` (the operation's name), `args_given` (the arguments), `domain` (the allowed arguments, as text).

    >>> from micrograd_bp import Value
    >>> Value(-1.0).log()
    Traceback (most recent call last):
    ...
    micrograd_bp.errors.DomainError: log: x = -1.0 is outside (0, inf)
    """

    def __init__(self, message: str, op: str = "", args_given: tuple[float, ...] = (), domain: str = "") -> None:
        super().__init__(message)
        self.op = op
        self.args_given = args_given
        self.domain = domain

    def __reduce__(self) -> tuple[type[DomainError], tuple[object, ...]]:
        return type(self), (self.args[0], self.op, self.args_given, self.domain)


class PoleError(DomainError, ZeroDivisionError):
    """The operation divides by zero or raises zero to a negative power; this is also a `ZeroDivisionError`."""


class ShapeError(ValueError):
    """A length, shape or nesting is not the one that is needed. Fields: `expected` and `given`, as text."""

    def __init__(self, message: str, expected: str = "", given: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.given = given


class StateError(ValueError):
    """Saved parameters do not fit the model, which is not changed.

    Fields: the names that are `missing` in the saved state, the names that are `unexpected` there, and the parameters
    with `invalid` numbers.
    """

    def __init__(
        self,
        message: str,
        missing: tuple[str, ...] = (),
        unexpected: tuple[str, ...] = (),
        invalid: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.missing = missing
        self.unexpected = unexpected
        self.invalid = invalid


class ExpressionError(ValueError):
    """A typed expression cannot be read or computed. The error shows the line, with a caret under the mistake.

    Fields: `message` (one line), `text` (the whole text), `line` and `column` (in characters; both start at 1).

    >>> from micrograd_bp.expression import parse
    >>> parse("L = sigmod(x)")
    Traceback (most recent call last):
    ...
    micrograd_bp.errors.ExpressionError: line 1, column 5: no function 'sigmod': is sigmoid meant?
      L = sigmod(x)
          ^
    """

    def __init__(self, message: str, text: str = "", line: int = 1, column: int = 1, shown: str = "") -> None:
        super().__init__(shown or message)
        self.message = message
        self.text = text
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[object, ...]]:
        return type(self), (self.message, self.text, self.line, self.column, self.args[0])


class TrainingError(ArithmeticError):
    """A cost or gradient is not finite. The model has the parameters of the last complete epoch.

    Fields: `epoch` (counted from 1), `cause` (the operation that made the first nan or infinity), `history` (the
    `History` of the epochs before).
    """

    def __init__(self, message: str, epoch: int = 0, cause: str = "", history: object = None) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.cause = cause
        self.history = history


class TraceError(TypeError):
    """A function cannot be recorded: it branches on a traced number, which has no value, or it returns no numbers.

    Fields: `line` (the line number in the user's file, 0 where no line is at fault) and `text` (that line).
    """

    def __init__(self, message: str, line: int = 0, text: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.text = text


class MissingExtraError(ImportError):
    """An optional package is not installed; the message names the command that installs it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
