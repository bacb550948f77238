"""The package's errors. Each is also the built-in error that a caller expects, and has the facts as fields."""

from __future__ import annotations


class DomainError(ValueError):
    """An operation was asked for a number outside its real domain.

    Fields: `op` (its name), `args_given` (the numbers), `domain` (what is allowed, as text).

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
    """A division by zero, or a negative power of zero: a `DomainError` that is also a `ZeroDivisionError`."""


class ShapeError(ValueError):
    """Something has another length or nesting than it must have. Fields: `expected` and `given`, as text."""

    def __init__(self, message: str, expected: str = "", given: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.given = given


class StateError(ValueError):
    """Saved parameters do not fit the model; nothing was changed. Fields: `missing`, `unexpected`, `invalid` ."""

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
    """A typed expression cannot be read or computed; the error shows the line, with a caret under the place.

    Fields: `message` (one line), `text` (the whole text), `line` and `column` (in characters, both from 1).

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
    """A cost or gradient is no longer finite; the model is as it was after the last whole epoch.

    Fields: `epoch` (from 1), `cause` (where the first nan or infinity was made), `history` (what was done until then).
    """

    def __init__(self, message: str, epoch: int = 0, cause: str = "", history: object = None) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.cause = cause
        self.history = history


class TraceError(TypeError):
    """A function cannot be recorded: it decides by a number that has no value yet, or gives no numbers.

    Fields: `line` (its number in the file, 0 where none is to blame) and `text` (the line).
    """

    def __init__(self, message: str, line: int = 0, text: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.text = text


class MissingExtraError(ImportError):
    """An optional package is not installed; the message names the command that installs it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
