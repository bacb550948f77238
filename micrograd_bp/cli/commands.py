"""The commands of `micrograd-bp COMMAND ...` and their errors.

A command is the module of its name in this folder, and is imported only when it runs: `xor` needs matplotlib, `eval`
does not. Its function `run(arguments)` returns the exit code and raises an exception for wrong input.
"""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
from collections.abc import Sequence

import micrograd_bp as mb
from micrograd_bp.cli.arguments import PROGRAM, one_line

COMMANDS = {
    "eval": "values, gradients and the chain rule of a formula",
    "repl": "enter formulas line by line",
    "check": "compare your derivative with the right one, and find the mistake",
    "quiz": "ask for a gradient, grade the answer and explain it",
    "xor": "train the XOR network of a backpropagation tutorial",
    "play": "(reserved)",
}
WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141  # exit codes; the last two are a shell's for SIGINT and SIGPIPE

HELP = f"""usage: {PROGRAM} COMMAND ...

Explain, check and draw derivatives.

commands:
{"".join(f"  {name:6} {what}{chr(10)}" for name, what in COMMANDS.items())}
  {PROGRAM} COMMAND --help    the options of a command, with examples
  {PROGRAM} --version

example:
  {PROGRAM} eval "L = (sigmoid(w*x + b) - y)**2 / 2" w=0.3 b=0.1 x=0.5 y=1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, or 1 for a wrong answer, or 2 for wrong input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in ("stdin", "stdout", "stderr"):
        if getattr(sys, stream) is None:  # the parent process closed it
            setattr(sys, stream, io.StringIO())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # some terminals cannot show ∂
    command = arguments[0] if arguments else "--help"
    try:
        status = _run(command, arguments[1:])
        sys.stdout.flush()
    except SystemExit as stop:  # argparse, after --help or a wrong option
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads the rest of the buffer
        return PIPE_CLOSED
    except (ValueError, OSError, RuntimeError, mb.MissingExtraError) as wrong:
        prefix = f"{PROGRAM} {command}: " if command in COMMANDS else f"{PROGRAM}: "
        print(f"{prefix}{_message(wrong)}", file=sys.stderr)
        return WRONG_INPUT
    return status


def _run(command: str, arguments: list[str]) -> int:
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command in ("-V", "--version"):
        print(f"{PROGRAM} {mb.__version__}")
        return 0
    if command not in COMMANDS:
        close = difflib.get_close_matches(command, COMMANDS, n=1)
        meant = f"did you mean {close[0]}?" if close else f"the commands are {', '.join(COMMANDS)}"
        raise ValueError(f"there is no command {one_line(command)!r}; {meant}")
    status: int = importlib.import_module(f"micrograd_bp.cli.{command}").run(arguments)
    return status


def _message(wrong: Exception) -> str:
    """Return an error as one line; an error in an expression has three, which show its position."""
    if isinstance(wrong, mb.ExpressionError):
        return str(wrong)
    if isinstance(wrong, FileExistsError):
        return one_line(f"{wrong.filename} is not a folder")
    if isinstance(wrong, OSError) and wrong.strerror:
        return one_line(wrong.strerror if wrong.filename is None else f"{wrong.filename}: {wrong.strerror}")
    return one_line(str(wrong))
