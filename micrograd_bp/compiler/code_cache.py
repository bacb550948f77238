"""Machine code on disk: `write` keeps the code that was compiled for a key, and `read` finds it in a later process.

What is read is run. So an entry counts only in a folder, and as a file, of this user which nobody else may write, and
only where its hash binds the code to this key. The folder is `micrograd_bp` in the system's cache folder, which
platformdirs finds; MICROGRAD_BP_CACHE names another one, and "off", "0" and "false" keep nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

LARGEST = 100_000_000  # bytes in the folder; beyond that, the entries go that were not used for the longest time
_OFF = ("off", "0", "false")
_NAME = re.compile(r"[0-9a-f]{64}(\.\w+\.part|\.o)")  # an entry, or one that is being written
_ABANDONED = 3600  # seconds after which an entry that is being written never will be


def read(key: str) -> bytes | None:
    """Return the code that was kept for the key, or None where there is none or the entry is not to be trusted."""
    folder = _folder()
    if folder is None or _fault(folder) is not None:
        return None
    path = folder / _name(key)
    try:
        with open(path, "rb", opener=_open_no_link) as file:
            found = file.read() if _is_own(os.fstat(file.fileno())) else b""
    except OSError:
        return None
    seal, code = found[:32], found[32:]
    if seal != _seal(key, code):
        return None
    with suppress(OSError):
        os.utime(path)  # the time of the last use
    return code


def write(key: str, code: bytes) -> None:
    """Keep the code for the key, whole or not at all, where the folder can be written.

    Warns where the folder is not safe: it belongs to somebody else, others may write it, or it is a link.
    """
    folder = _folder()
    if folder is None:
        return
    with suppress(OSError):
        for path in (*reversed(folder.parents), folder):
            path.mkdir(mode=0o700, exist_ok=True)
        if fault := _fault(folder):
            warnings.warn(
                f"machine code is not kept, because {folder} {fault}. Name a folder that only you can write by "
                f"MICROGRAD_BP_CACHE, or set it to off",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        name = _name(key)
        with tempfile.NamedTemporaryFile(
            dir=folder, prefix=f"{name.removesuffix('.o')}.", suffix=".part", delete=False
        ) as file:
            try:
                file.write(_seal(key, code) + code)
                file.close()
                Path(file.name).replace(folder / name)
            finally:
                Path(file.name).unlink(missing_ok=True)
        _evict(folder)


def _folder() -> Path | None:
    """Return the folder, which may not exist, or None where nothing is to be kept."""
    named = os.environ.get("MICROGRAD_BP_CACHE", "")
    if named.lower() in _OFF:
        return None
    try:
        if named:
            return Path(named).expanduser()
        from platformdirs import user_cache_path

        folder = user_cache_path("micrograd_bp", appauthor=False)
        if not folder.is_absolute():  # some versions take a relative XDG_CACHE_HOME, which is to be ignored
            folder = Path("~/.cache/micrograd_bp").expanduser()
    except (ImportError, RuntimeError):  # the latter where there is no home folder
        return None
    return folder if folder.is_absolute() else None


def _fault(folder: Path) -> str | None:
    """Return what is wrong with an existing folder, or None."""
    try:
        status = folder.lstat()
    except OSError:
        return "cannot be read"
    if not stat.S_ISDIR(status.st_mode):
        return "is a link" if stat.S_ISLNK(status.st_mode) else "is no folder"
    return None if _is_own(status) else "belongs to another user, or others may write it"


def _is_own(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user, and nobody else may write it. Windows has other rights."""
    return not hasattr(os, "geteuid") or (
        status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()}.o"


def _seal(key: str, code: bytes) -> bytes:
    """Return the hash that binds the code to its key, so that another entry's file is not taken for this one's."""
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + code).digest()


def _evict(folder: Path) -> None:
    """Delete the entries that were not used for the longest time while all are too large, and abandoned parts."""
    found = [(entry.stat(follow_symlinks=False), entry) for entry in os.scandir(folder) if _NAME.fullmatch(entry.name)]
    total = 0
    for status, entry in sorted(found, key=lambda pair: pair[0].st_mtime, reverse=True):
        if entry.name.endswith(".part"):
            gone = time.time() - status.st_mtime > _ABANDONED
        else:
            total += status.st_size
            gone = total > LARGEST
        if gone:
            Path(entry.path).unlink(missing_ok=True)
