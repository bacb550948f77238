"""`micrograd-bp repl`: formulas line by line. Imports the package and session; prompt_toolkit when called."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from collections.abc import Iterator

from micrograd_bp.cli import inputs
from micrograd_bp.cli.session import HELP, Session
from micrograd_bp.errors import MissingExtraError

ABOUT = """Compose formulas line by line: each line is computed at once, and what depends on it follows.

In a terminal there are history and completion, with the extra `repl`; else lines are read from standard input, and the
exit code is 2 if one of them was wrong."""

EXAMPLES = """

< session.txt
--digits 8
"""


def run(arguments: list[str]) -> int:
    """Obey lines until they end."""
    options = inputs.Options("repl", f"{ABOUT}\n\nlines:\n{HELP}", EXAMPLES)
    options.add_argument("--digits", type=inputs.digits, default=4, help="significant digits, 1 to 17 (default 4)")
    session = Session(options.parse_args(arguments).digits)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    wrong = False
    for line in _typed(session) if terminal else _piped():
        try:
            answer = session.do(line)
        except (ValueError, OSError, RuntimeError, MissingExtraError) as error:
            print(error, file=sys.stderr, flush=True)
            wrong = True
        else:
            if answer:
                print(answer, flush=True)
        if session.over:
            break
    return 2 if wrong and not terminal else 0


def _piped() -> Iterator[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # the parser says where a byte is wrong
    yield from sys.stdin


def _typed(session: Session) -> Iterator[str]:
    """Lines from a person; Ctrl-C gives up a line, Ctrl-D ends the session."""
    print("formulas such as  z = w*x + b ; help, quit")
    if importlib.util.find_spec("prompt_toolkit") is None:
        print("(history and completion:  pip install 'micrograd_bp[repl]')")
        read = input
    else:
        import prompt_toolkit

        completer = prompt_toolkit.completion.WordCompleter(session.words, pattern=re.compile(r"\w+"))
        read = prompt_toolkit.PromptSession(completer=completer, complete_while_typing=False).prompt
    while True:
        try:
            yield read("> ")
        except KeyboardInterrupt:
            print()
        except EOFError:
            return
