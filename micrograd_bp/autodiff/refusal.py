"""`refuse` raises TraceError with the line of the user's code that cannot be recorded."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from typing import Any, NoReturn

from micrograd_bp.errors import TraceError

_PACKAGE, _LIBRARY = str(Path(__file__).parent.parent), str(Path(linecache.__file__).parent)


def refuse(problem: str) -> NoReturn:
    """Raise TraceError about the line of the user's code that is running."""
    frame = users(sys._getframe(1))
    refuse_line(frame.f_code.co_filename, frame.f_lineno, problem)


def refuse_line(file: str, line: int, problem: str) -> NoReturn:
    """Raise TraceError about a line of the user's code."""
    text = linecache.getline(file, line).strip()
    raise TraceError(f"{file}, line {line}: {text}\n{problem}", line, text)


def is_users(file: str) -> bool:
    """Return whether a file of code is neither of this package nor of Python's library."""
    return not file.startswith((_PACKAGE, "<frozen")) and (not file.startswith(_LIBRARY) or "site-packages" in file)


def users(frame: Any) -> Any:
    """Return `frame`, or the nearest frame that called it and runs the user's code."""
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
