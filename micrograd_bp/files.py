"""Files: all that the package saves is written by `write`; JSON is made by `as_json` and read by `read_json`.

A file that exists is replaced by a complete new one or is left as it was, whatever happens: an error, a full disk, the
end of the process or of the power.
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any


def write(path: str | Path, content: bytes) -> Path:
    """Write a file atomically and durably, and return its path, with ~ expanded.

    Missing folders are created. Where `path` is a symbolic link, the file it refers to is written; a file that exists
    keeps its mode. Raises OSError where the file cannot be written or is a folder, a device or a pipe.
    """
    path = expanded(path)
    target = Path(os.path.realpath(path))
    old = _regular(target, path)
    _make_folders(target.parent)
    # not by `tempfile`, whose files have the mode 0600: the system applies the umask
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
            if old is not None:
                _keep_mode(part, old)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _sync(target.parent)
    return path


def expanded(path: str | Path) -> Path:
    """Return the path with ~ expanded. Raises OSError where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(
            errno.ENOENT, f"{error}; write the path of the folder instead of ~", str(path)
        ) from None


def _regular(target: Path, path: Path) -> os.stat_result | None:
    """Return the facts of the file, or None where there is none. Raises OSError where it cannot be replaced."""
    try:
        old = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None  # the second is raised again, about the folder, when that is made
    if stat.S_ISLNK(old.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder: give the path of a file", str(path))
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "this is a device or a pipe: give the path of a file", str(path))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return old


def _make_folders(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _sync(each.parent)


def _keep_mode(part: Path, old: os.stat_result) -> None:
    if hasattr(os, "chown"):
        new = part.stat()
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(PermissionError):  # only root may give files away
                os.chown(part, old.st_uid, old.st_gid)
    part.chmod(stat.S_IMODE(old.st_mode))


def _sync(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems do not sync folders
            raise
    finally:
        os.close(handle)


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(content: Any, indent: int | None = None) -> bytes:
    """Return `content` as JSON, which has no words for nan and inf: they are written as {"float": "nan"}.

    >>> as_json([1.0, float("inf")])
    b'[1.0, {"float": "inf"}]'
    """
    try:
        text = json.dumps(content, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(_marked(content), allow_nan=False, indent=indent)
    return text.encode()


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON file as `as_json` was given it. Raises OSError, ValueError or RecursionError."""
    return json.loads(expanded(path).read_text(encoding="utf-8"), object_hook=_unmarked)


_NAMES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _marked(thing: Any) -> Any:
    if isinstance(thing, float) and not math.isfinite(thing):
        return {"float": repr(float(thing))}
    if isinstance(thing, dict):
        return {key: _marked(value) for key, value in thing.items()}
    return [_marked(item) for item in thing] if isinstance(thing, (list, tuple)) else thing


def _unmarked(found: dict[str, Any]) -> Any:
    name = found.get("float")
    return _NAMES[name] if len(found) == 1 and isinstance(name, str) and name in _NAMES else found
