"""The command line, `micrograd-bp COMMAND ...`: which commands there are, and what becomes of errors.

A command is the module of its name beside this one, loaded when it is asked for: `xor` needs NumPy, `eval` does not.
It has `run(arguments)`, which returns the exit code and raises what the user did wrong.
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
    "repl": "compose formulas line by line",
    "check": "is this derivative right, and if not, where is it wrong",
    "quiz": "a gradient to find, graded and explained",
    "xor": "train the XOR network of a backpropagation tutorial",
    "play": "not there yet",
}
WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141  # the last two as a shell reports SIGINT and SIGPIPE

HELP = f"""usage: {PROGRAM} COMMAND ...

Derivatives that can be read, checked and drawn.

commands:
{"".join(f"  {name:6} {what}{chr(10)}" for name, what in COMMANDS.items())}
  {PROGRAM} COMMAND --help    what a command takes, with examples
  {PROGRAM} --version

example:
  {PROGRAM} eval "L = (sigmoid(w*x + b) - y)**2 / 2" w=0.3 b=0.1 x=0.5 y=1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0, a command's own (1: an answer is wrong), 2 for wrong input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in ("stdin", "stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started the program
            setattr(sys, stream, io.StringIO())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without ∂ is no reason to stop
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still in the buffer has nowhere to go
        return PIPE_CLOSED
    except (ValueError, OSError, RuntimeError, mb.MissingExtraError) as wrong:
        prefix = f"{PROGRAM} {command}: " if command in COMMANDS else f"{PROGRAM}: "
        print(f"{prefix}{_said(wrong)}", file=sys.stderr)
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
        meant = f"is {close[0]} meant?" if close else f"there are {', '.join(COMMANDS)}"
        raise ValueError(f"no command {one_line(command)!r}: {meant}")
    status: int = importlib.import_module(f"micrograd_bp.cli.{command}").run(arguments)
    return status


def _said(wrong: Exception) -> str:
    """An error as one line; one in an expression as three, with the place."""
    if isinstance(wrong, mb.ExpressionError):
        return str(wrong)
    if isinstance(wrong, FileExistsError):
        return one_line(f"{wrong.filename} is not a folder")
    if isinstance(wrong, OSError) and wrong.strerror:
        return one_line(wrong.strerror if wrong.filename is None else f"{wrong.filename}: {wrong.strerror}")
    return one_line(str(wrong))
