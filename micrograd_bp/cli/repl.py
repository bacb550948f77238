"""`micrograd-bp repl` reads formulas line by line."""

from __future__ import annotations

import functools
import importlib.util
import io
import re
import sys
from collections.abc import Callable, Iterator

from micrograd_bp.cli.arguments import Options, digits
from micrograd_bp.cli.session import HELP, Sheet
from micrograd_bp.errors import MissingExtraError

ABOUT = """Enter formulas line by line. Each line is computed at once, and what depends on it is updated.

In a terminal, the extra `repl` adds history and completion. Otherwise lines are read from standard input, and the exit
code is 2 if one of them was wrong."""

EXAMPLES = """

< lines.txt
--digits 8
"""


def run(arguments: list[str]) -> int:
    """Execute lines until they end."""
    options = Options("repl", f"{ABOUT}\n\nlines:\n{HELP}", EXAMPLES)
    options.add_argument("--digits", type=digits, default=4, help="significant digits, 1 to 17 (default 4)")
    sheet = Sheet(options.parse_args(arguments).digits)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    wrong = False
    for line in _typed(sheet) if terminal else _piped():
        try:
            answer = sheet.do(line)
        except (ValueError, OSError, RuntimeError, MissingExtraError) as error:
            print(error, file=sys.stderr, flush=True)
            wrong = True
        else:
            if answer:
                print(answer, flush=True)
        if sheet.over:
            break
    return 2 if wrong and not terminal else 0


def _piped() -> Iterator[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # the parser reports a wrong byte
    yield from sys.stdin


def _typed(sheet: Sheet) -> Iterator[str]:
    """Yield the lines that a user types; Ctrl-C discards a line, Ctrl-D ends."""
    print("Type a formula, such as  z = w*x + b , or help, or quit.")
    if importlib.util.find_spec("prompt_toolkit") is None:
        print("(For history and completion:  pip install 'micrograd_bp[repl]')")
        read: Callable[[str], str] = input
    else:
        import prompt_toolkit

        completer = prompt_toolkit.completion.WordCompleter(sheet.words, pattern=re.compile(r"\w+"))
        history = prompt_toolkit.history.InMemoryHistory()
        read = functools.partial(
            prompt_toolkit.prompt, completer=completer, history=history, complete_while_typing=False
        )
    while True:
        try:
            yield read("> ")
        except KeyboardInterrupt:
            print()
        except EOFError:
            return
