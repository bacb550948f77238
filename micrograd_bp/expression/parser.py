"""The parser: it makes instructions for a stack machine from tokens, by operator precedence and without recursion.

It does not use Python's parser, which fails for a sum of 10,000 terms and for 200 nested brackets. The grammar has only
what formulas need, so that no input has to be filtered and no text is evaluated.
"""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass, field

from micrograd_bp import ops
from micrograd_bp.expression import lexer
from micrograd_bp.expression.lexer import END, LINE_END, NAME, NUMBER, Token
from micrograd_bp.expression.locations import error, position
from micrograd_bp.ops.op import OPS, Op

_UNARY = 3  # between a product and a power: -x**2 is -(x**2)
_POWER = 4
_BINARY = {"+": (1, ops.add), "-": (1, ops.sub), "*": (2, ops.mul), "/": (2, ops.div), "**": (_POWER, ops.pow)}

# A constant, a name, or an operation; its offset in the text; the number of arguments that an operation takes from the
# stack; and, unless these are all its arguments in order, the arguments as indices among them or as default numbers.
Instruction = tuple[float | str | Op, int, int, tuple[int | float, ...] | None]
_LATEX = re.compile(r"\\([a-z]+)")  # the usual name of a function in print: ln, arctan, max
_Pending = tuple[int, Op, int]  # an operator whose right side is not read yet: precedence, operation, offset


@dataclass(frozen=True)
class Assignment:
    """The assignment `name = text`; `name` is "" for a last formula without a name."""

    name: str
    text: str
    code: list[Instruction] = field(repr=False)


@dataclass
class _Bracket:
    """An open bracket around a formula or, with `op`, around the arguments of a call."""

    offset: int
    op: Op | None = None
    called_at: int = 0
    positional: int = 0
    named: dict[str, int] = field(default_factory=dict)
    keyword: str = ""  # the name of the argument that is being read


class Parser:
    """The parser of one text. After `assignments()`, `uses` maps each name in a formula to its first offset."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.uses: dict[str, int] = {}
        self._tokens = lexer.tokens(text)
        self._ahead: Token = next(self._tokens)

    def assignments(self) -> list[Assignment]:
        """Return all assignments in order. Raise ExpressionError at the first mistake."""
        found: list[Assignment] = []
        assigned: dict[str, int] = {}
        start = 0
        while self._ahead[0] is not END:
            if self._ahead[0] is LINE_END or self._ahead[1] == ";":
                self._take()
                continue
            if found and not found[-1].name:
                raise self._error("only the last formula can be without a name: write name = ... here", start)
            name, first, start = "", self._take(), self._ahead[2]
            if first[0] is NAME and self._ahead[1] == "=":
                name = self._new_name(first, assigned)
                self._take()
                start, first = self._ahead[2], self._take()
            else:
                start = first[2]
            code, end = self._formula(first, bool(name))
            if name in self.uses:
                own = self.uses[name] >= start
                raise self._error(
                    f"{name} is used {'in its own definition' if own else 'before it is assigned'}", self.uses[name]
                )
            if name:
                assigned[name] = start
            found.append(Assignment(name, self.text[start:end].strip(), code))
        if not found:
            raise self._error("there is nothing to compute: write a formula such as L = (w*x - y)**2", 0)
        return found

    def _take(self) -> Token:
        token = self._ahead
        if token[0] is not END:
            self._ahead = next(self._tokens)
        return token

    def _error(self, message: str, offset: int) -> Exception:
        return error(message, self.text, offset)

    def _new_name(self, token: Token, assigned: dict[str, int]) -> str:
        _, name, offset = token
        self._check_name(name, offset)
        if name in assigned:
            line = position(self.text, assigned[name])[0]
            raise self._error(f"{name} is assigned already, in line {line}: a name has one value, take another", offset)
        return name

    def _check_name(self, name: str, offset: int) -> None:
        if keyword.iskeyword(name):
            raise self._error(f"{name} is a word of Python and cannot be a name", offset)
        if name in OPS:
            call = f"{name}({', '.join(OPS[name].arguments)})"
            raise self._error(f"{name} is a function, used as {call}; a value needs another name", offset)

    def _formula(self, token: Token, assigned: bool) -> tuple[list[Instruction], int]:
        """Return the instructions of a formula and the offset of its end; `token` is its first token."""
        code: list[Instruction] = []
        pending: list[_Pending | _Bracket] = []
        brackets: list[_Bracket] = []
        expects_operand = True
        while True:
            kind, text, offset = token
            if kind is LINE_END and brackets:
                pass
            elif expects_operand:
                begins = bool(brackets) and pending[-1] is brackets[-1]  # an argument of a call, or a bracket's inside
                if kind is NUMBER:
                    code.append((lexer.number(token, self.text), offset, 0, None))
                    expects_operand = False
                elif kind is NAME and self._ahead[1] == "(":
                    brackets.append(_Bracket(self._ahead[2], self._function(text, offset), offset))
                    pending.append(brackets[-1])
                    self._take()
                elif kind is NAME and self._ahead[1] == "=" and begins and brackets[-1].op:
                    self._keyword(text, offset, brackets[-1])
                    self._take()
                elif kind is NAME:
                    self._check_name(text, offset)
                    self.uses.setdefault(text, offset)
                    code.append((text, offset, 0, None))
                    expects_operand = False
                elif text == "(":
                    brackets.append(_Bracket(offset))
                    pending.append(brackets[-1])
                elif text == "-":
                    pending.append((_UNARY, ops.neg, offset))
                elif text == ")" and begins and brackets[-1].op and not brackets[-1].keyword:
                    pending.pop()
                    self._call(brackets.pop(), code)
                    expects_operand = False
                elif text != "+":
                    raise self._no_operand(token, brackets)
            elif text in _BINARY:
                precedence, op = _BINARY[text]
                _settle(pending, code, precedence + (precedence == _POWER))  # powers group from the right
                pending.append((precedence, op, offset))
                expects_operand = True
            elif text == ")" and brackets:
                _settle(pending, code, 0)
                pending.pop()
                bracket = brackets.pop()
                if bracket.op:
                    self._argument_ends(bracket, offset)
                    self._call(bracket, code)
            elif text == "," and brackets and brackets[-1].op:
                _settle(pending, code, 0)
                self._argument_ends(brackets[-1], offset)
                expects_operand = True
            elif not brackets and (kind in (LINE_END, END) or text == ";"):
                _settle(pending, code, 0)
                return code, offset
            else:
                raise self._no_operator(token, brackets, assigned)
            token = self._take()

    def _function(self, name: str, offset: int) -> Op:
        if name in OPS:
            return OPS[name]
        if keyword.iskeyword(name):
            self._check_name(name, offset)
        signs = {word: op.name for op in reversed(OPS.values()) for word in (op.symbol, *_LATEX.findall(op.latex))}
        close = [signs[name]] if name in signs else difflib.get_close_matches(name, OPS, n=1)
        meant = f": is {close[0]} meant?" if close else f"; a product is written {name}*(...)"
        raise self._error(f"no function '{name}'{meant}", offset)

    def _keyword(self, name: str, offset: int, bracket: _Bracket) -> None:
        if name in bracket.named or bracket.keyword:
            raise self._error(f"the argument {name} is given twice", offset)
        bracket.keyword = name

    def _argument_ends(self, bracket: _Bracket, offset: int) -> None:
        if bracket.keyword:
            bracket.named[bracket.keyword] = bracket.positional + len(bracket.named)
            bracket.keyword = ""
        elif bracket.named:
            raise self._error("an argument without a name follows one with a name: exchange them", offset)
        else:
            bracket.positional += 1

    def _call(self, bracket: _Bracket, code: list[Instruction]) -> None:
        """Append the instruction for a call whose arguments are complete."""
        op = bracket.op
        if op is None:
            return
        positional, count = tuple(range(bracket.positional)), bracket.positional + len(bracket.named)
        try:
            order = op.complete(positional, bracket.named)
        except TypeError as wrong:
            raise self._error(str(wrong), bracket.called_at) from None
        code.append((op, bracket.called_at, count, None if order == tuple(range(op.arity)) else order))

    def _no_operand(self, token: Token, brackets: list[_Bracket]) -> Exception:
        """Return the error for a token that cannot begin an operand."""
        kind, text, offset = token
        if brackets and kind is END:
            return self._error("this ( is never closed", brackets[-1].offset)
        if kind in (LINE_END, END):
            return self._error(f"the formula is not complete: a number, a name or ( is missing at {kind}", offset)
        return self._error(f"a number, a name or ( is missing before '{text}'", offset)

    def _no_operator(self, token: Token, brackets: list[_Bracket], assigned: bool) -> Exception:
        """Return the error for a token that cannot follow an operand."""
        kind, text, offset = token
        if brackets and kind is END:
            return self._error("this ( is never closed", brackets[-1].offset)
        if brackets and (text in (";", "=") or self._ahead[1] == "="):
            return self._error(f"this ( is not closed before '{_cut(text)}'", brackets[-1].offset)
        if text == "=":
            message = "an assignment has one name: x = 1; y = 1" if assigned else "the left side of = is a single name"
        elif text == ")":
            message = "this ) closes no bracket"
        elif text == ",":
            message = "a comma separates arguments only: write 0.5 for decimals, ; between assignments"
        elif kind is NAME and keyword.iskeyword(text):
            message = f"'{text}' is a word of Python and has no meaning in a formula"
        elif kind is NAME and text in "jJ" and self._number_ends_at(offset):
            message = "numbers are real here: there is no imaginary unit"
        else:
            message = f"an operator is missing before '{_cut(text)}': a product is written with *"
        return self._error(message, offset)

    def _number_ends_at(self, offset: int) -> bool:
        return offset > 0 and self.text[offset - 1] in "0123456789."


def _settle(pending: list[_Pending | _Bracket], code: list[Instruction], precedence: int) -> None:
    """Append the pending operators after the last open bracket whose precedence is at least `precedence`."""
    while pending and isinstance(waiting := pending[-1], tuple) and waiting[0] >= precedence:
        pending.pop()
        _, op, offset = waiting
        code.append((op, offset, op.arity, None))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
