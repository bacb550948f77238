"""What is saved: a file is replaced as a whole or not at all, and JSON is JSON."""

import ast
import errno
import json
import math
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import micrograd_bp as mb
from micrograd_bp import StateError, Value, files, nn
from micrograd_bp.compiler import Compiled
from micrograd_bp.training import History

PACKAGE = Path(mb.__file__).parent
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX: links, modes, devices, limits")


def program():
    f = mb.compile(lambda x: x * x)
    f(2.0)
    return f


def picture():
    x = Value(2.0, "x")
    return (x * x).graph()


SAVED = {  # what can be saved, and the name of the file
    "module": (lambda: nn.MLP(2, [1], seed=0), "model.json"),
    "history": (lambda: mb.fit(nn.MLP(1, [1], seed=0), [[1.0]], [1.0], epochs=2, progress=False), "training.json"),
    "program": (program, "program.json"),
    "dot": (picture, "picture.dot"),
    "mermaid": (picture, "picture.mmd"),
    "svg": (picture, "picture.svg"),
    "page": (picture, "page.html"),
}
saved = pytest.mark.parametrize(("make", "name"), SAVED.values(), ids=SAVED)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_else_of_the_package_writes_files():
    """Machine code in the cache is the exception: it may be lost."""
    writing = {"write_text", "write_bytes", "savefig", "mkstemp", "NamedTemporaryFile"}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in writing:
                found.add((path.relative_to(PACKAGE).as_posix(), node.func.attr))
    assert {name for name, _ in found} - {"compiler/code_cache.py"} == {"cli/xor.py"}
    assert ("cli/xor.py", "savefig") in found  # into a BytesIO


@saved
def test_home_folders_and_new_folders(make, name, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    make().save(f"~/new/deep/{name}")
    assert entries(tmp_path / "new" / "deep") == [name]
    assert (tmp_path / "new" / "deep" / name).stat().st_size > 10
    if name.endswith("json"):
        kind = {"model.json": nn.MLP(2, [1]), "training.json": History, "program.json": Compiled}[name]
        kind.load(f"~/new/deep/{name}")


@saved
def test_nothing_is_changed_where_writing_fails(make, name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"old")
    thing = make()
    for function in ("fsync", "replace"):
        with monkeypatch.context() as patched:

            def full(*args):
                raise OSError(errno.ENOSPC, "No space left on device")

            patched.setattr(os, function, full)
            if function == "replace":
                patched.setattr(Path, "replace", full)
            with pytest.raises(OSError, match="No space left"):
                thing.save(path)
        assert path.read_bytes() == b"old"
        assert entries(tmp_path) == [name]
    thing.save(path)
    assert path.read_bytes() != b"old"
    assert entries(tmp_path) == [name]


@posix
def test_a_disk_that_is_full(tmp_path):
    """A limit for the size of files stops the writing in the middle, as a full disk does."""
    code = """
import resource, sys
from micrograd_bp import nn
from micrograd_bp.training import History
history = History(cost=[1.0] * 10_000, gradient_norm=[1.0] * 10_000, rate=[1.0] * 10_000)
history.save("h.json")
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
history.cost[0] = 2.0
try:
    history.save("h.json")
except OSError as error:
    print(type(error).__name__, error.errno)
"""
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert out.stdout == f"OSError {errno.EFBIG}\n"
    assert History.load(tmp_path / "h.json").cost[0] == 1.0
    assert entries(tmp_path) == ["h.json"]


@posix
@saved
def test_links_are_followed(make, name, tmp_path):
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target"
    link = tmp_path / name
    link.symlink_to("real/target")
    for _ in range(2):  # the link dangles at first
        make().save(link)
        assert link.is_symlink()
        assert entries(tmp_path / "real") == ["target"]
        assert target.read_bytes() == link.read_bytes()
    assert entries(tmp_path) == sorted([name, "real"])


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o755])
def test_modes_are_kept(mode, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    files.write(path, b"new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"new")


@posix
def test_new_files_have_the_mode_that_the_umask_gives(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    files.write(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@posix
@saved
def test_devices_and_folders_are_refused(make, name, tmp_path):
    suffix = Path(name).suffix
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"null{suffix}").symlink_to("/dev/null")
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / f"s{suffix}"))
        for kind, message in (
            ("pipe", "device or a pipe"),
            ("null", "device or a pipe"),
            ("s", "device or a pipe"),
            ("folder", "this is a folder"),
            ("loop", "symbolic links"),
        ):
            with pytest.raises(OSError, match=message) as raised:
                make().save(tmp_path / f"{kind}{suffix}")
            assert raised.value.filename == str(tmp_path / f"{kind}{suffix}")
    assert len(entries(tmp_path)) == 5
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@posix
def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as for another user than root
    with pytest.raises(PermissionError):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"


def test_an_unknown_home_is_named(monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"write the path of the folder instead of ~"):
        files.write("~no_such_user_here/a", b"")


@posix
def test_what_is_written_is_synced_before_and_after_it_has_its_name(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, Path.replace

    def synced(handle):
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else os.fstat(handle).st_size)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda old, new: (calls.append("replace"), replace(old, new)))
    files.write(tmp_path / "new" / "a", b"12345")
    assert calls == ["folder", 5, "replace", "folder"]  # the first holds the name of the new folder


def test_long_names(tmp_path):
    for name in ("a" * 250, "ä" * 125):
        files.write(tmp_path / name, b"1")
    assert len(entries(tmp_path)) == 2


def test_readers_and_writers_at_once(tmp_path):
    """Whoever reads sees one of the complete files."""
    path, wrong = tmp_path / "a", []
    contents = [bytes([48 + k]) * 100_000 for k in range(4)]
    files.write(path, contents[0])
    writers = [threading.Thread(target=lambda c=c: [files.write(path, c) for _ in range(10)]) for c in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if path.read_bytes() not in contents:
            wrong.append(1)
    assert not wrong
    assert entries(tmp_path) == ["a"]


# --- JSON -------------------------------------------------------------------------------------------------------------


def strict(text):
    def refuse(token):
        raise AssertionError(f"{token} is no JSON")

    return json.loads(text, parse_constant=refuse)


def same(a, b):
    return repr(a) == repr(b)


@pytest.mark.parametrize("x", [0.0, -0.0, 5e-324, 1.7e308, 0.1, math.nan, math.inf, -math.inf])
def test_every_float_is_read_as_it_was(x, tmp_path):
    content = {"a": [x, [x, {"b": x}]], "float": x, "c": {"float": "other"}, "d": {"float": 1.0, "more": 2}}
    text = files.as_json(content)
    strict(text)
    (tmp_path / "a").write_bytes(text)
    assert same(files.read_json(tmp_path / "a"), content)


def test_a_history_with_numbers_that_are_not_finite(tmp_path):
    history = History(cost=[1.0, 2.0], gradient_norm=[math.inf, 1.0], rate=[math.nan, -math.inf])
    history.state = {"optimiser": {"squares": [math.inf, 0.1]}}
    strict(history.save(tmp_path / "h").read_text())
    assert same(vars(History.load(tmp_path / "h")), vars(history))


@saved
def test_saved_json_is_json(make, name, tmp_path):
    make().save(tmp_path / name)
    if name.endswith("json"):
        strict((tmp_path / name).read_text())


def test_files_with_the_words_that_python_wrote_before_are_read(tmp_path):
    (tmp_path / "h").write_text(History(cost=[1.0], gradient_norm=[1.0], rate=[1.0]).save(tmp_path / "g").read_text())
    text = (tmp_path / "h").read_text().replace('"rate": [1.0]', '"rate": [Infinity]')
    (tmp_path / "h").write_text(text)
    assert History.load(tmp_path / "h").rate == [math.inf]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": [1.0]},
        {"rate": [1.0, 2.0, 3.0]},
        {"cost": 3},
        {"cost": ["1", 2.0]},
        {"cost": [10**400, 2.0]},
        {"gradient_norm": None},
        {"stopped": None},
        {"state": []},
        {"more": 1},
        {"version": 7},
        {"format": "other"},
    ],
)
def test_a_damaged_file_is_no_history(change, tmp_path):
    numbers = [0.5, 0.25]
    path = History(cost=numbers, gradient_norm=numbers, rate=numbers).save(tmp_path / "h")
    assert History.load(path).cost == numbers
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StateError):
        History.load(path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.6, 0.99])
def test_a_file_that_was_cut_is_refused(keep, tmp_path):
    history = mb.fit(nn.MLP(1, [1], seed=0), [[1.0]], [1.0], epochs=2, progress=False)
    path = history.save(tmp_path / "h")
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(StateError):
        History.load(path)
