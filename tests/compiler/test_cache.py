"""Machine code in the user's cache folder: what is kept, what is found again, and what must never be run."""

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
from needs import needs_llvm, needs_platformdirs

import micrograd_bp as mb
from micrograd_bp.compiler import code_cache, llvm_build
from micrograd_bp.nn import MLP

has_owners = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners and modes here")
KEY, CODE = "a program", b"machine code" * 10


def name_of(key):
    return hashlib.sha256(key.encode()).hexdigest() + ".o"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The cache folder, which is not there yet."""
    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def entry(folder):
    """The file of an entry that was kept."""
    code_cache.write(KEY, CODE)
    assert code_cache.read(KEY) == CODE
    return folder / name_of(KEY)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# --- programs ---------------------------------------------------------------------------------------------------------


@needs_llvm
def test_machine_code_is_kept_and_damage_ignored(folder, monkeypatch):
    monkeypatch.setattr(llvm_build, "WORTH", 0.0)
    model = MLP(2, [4, 1], "relu", seed=1)
    at = ([0.3, -0.4], 1.0)

    def value():
        return mb.compile(lambda x, y: mb.square(model(x) - y), backend="native")(*at)

    expected = value()
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    reads = []
    monkeypatch.setattr(code_cache, "read", lambda key, real=code_cache.read: reads.append(real(key)) or reads[-1])
    assert value() == expected
    assert reads.pop() == whole[32:]
    for damaged in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b"x" * 100):
        entry.write_bytes(damaged)
        assert value() == expected
        assert reads.pop() is None
        assert entry.read_bytes() == whole  # written anew

    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(entry / "no folder"))
    assert value() == expected
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "off")
    assert value() == expected
    assert names_in(folder) == [entry.name]


@needs_llvm
def test_the_file_of_another_program_is_not_run(folder, monkeypatch):
    monkeypatch.setattr(llvm_build, "WORTH", 0.0)
    other = mb.compile(lambda x: x * 666.0, backend="native")
    assert other(3.0) == 1998.0
    (foreign,) = folder.iterdir()
    assert mb.compile(lambda x: x * x, backend="native")(3.0) == 9.0
    (own,) = set(folder.iterdir()) - {foreign}
    own.write_bytes(foreign.read_bytes())
    assert mb.compile(lambda x: x * x, backend="native")(3.0) == 9.0


class _Features(dict):
    def flatten(self):
        return ""


@needs_llvm
@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (llvm_build, "__version__", "0.0.9"),
        (llvm_build, "PASSES", {"speed_level": 1, "loop_unrolling": False, "loop_vectorization": False}),
        (llvm_build, "PASSES", {"speed_level": 2, "loop_unrolling": True, "loop_vectorization": False}),
        ("llvm", "llvm_version_info", (1, 2, 3)),
        ("llvm", "get_host_cpu_name", lambda: "generic"),
        ("llvm", "get_host_cpu_features", _Features),
    ],
)
def test_what_changes_the_code_is_in_its_key(folder, monkeypatch, where, name, value):
    def run():
        assert mb.compile(lambda x: mb.square(x + 1.0), backend="native")(2.0) == 9.0

    monkeypatch.setattr(llvm_build, "WORTH", 0.0)
    run()
    before = names_in(folder)
    run()
    assert names_in(folder) == before
    where = llvm_build.binding() if where == "llvm" else where
    assert getattr(where, name) != value
    monkeypatch.setattr(where, name, value)
    run()
    assert len(names_in(folder)) == 2


@needs_llvm
def test_whether_instructions_are_packed_is_in_the_key(folder):
    text = "define void @f(ptr %x) {\n  store double 1.0, ptr %x\n  ret void\n}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm_build, "WORTH", 0.0)
        llvm_build.Library(text, True)
        llvm_build.Library(text, False)
    assert len(names_in(folder)) == 2


# --- entries ----------------------------------------------------------------------------------------------------------


def test_an_entry_is_found_by_its_key_alone(entry, folder):
    assert code_cache.read(KEY + " ") is None
    code_cache.write(KEY, b"other code")
    assert code_cache.read(KEY) == b"other code"
    code_cache.write("empty", b"")
    assert code_cache.read("empty") == b""
    assert names_in(folder) == sorted([entry.name, name_of("empty")])


def test_an_entry_that_belongs_to_another_key_is_refused(entry, folder):
    (folder / name_of("another program")).write_bytes(entry.read_bytes())
    assert code_cache.read("another program") is None


def test_an_entry_with_the_hash_of_its_code_alone_is_refused(entry):
    entry.write_bytes(hashlib.sha256(CODE).digest() + CODE)
    assert code_cache.read(KEY) is None


@has_owners
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_entry_that_others_may_write_is_refused(entry, mode):
    entry.chmod(mode)
    assert code_cache.read(KEY) is None
    entry.chmod(0o644)
    assert code_cache.read(KEY) == CODE


@has_owners
def test_an_entry_of_another_user_is_refused(entry, monkeypatch):
    monkeypatch.setattr(code_cache, "_fault", lambda folder: None)
    assert code_cache.read(KEY) == CODE
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    assert code_cache.read(KEY) is None


@has_owners
def test_links_are_not_followed(entry, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    before = elsewhere.read_bytes()
    entry.symlink_to(elsewhere)
    assert code_cache.read(KEY) is None
    for suffix in (f".{os.getpid()}", ".part", ".tmp"):  # names that could be foreseen
        entry.with_suffix(suffix).symlink_to(elsewhere)
    code_cache.write(KEY, b"new")
    assert elsewhere.read_bytes() == before
    assert not entry.is_symlink()
    assert code_cache.read(KEY) == b"new"


@has_owners
def test_folder_and_entry_are_private_whatever_the_mask(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "folders" / "cache"
    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(folder))
    mask = os.umask(0)
    try:
        code_cache.write(KEY, CODE)
    finally:
        os.umask(mask)
    made = [folder.parent.parent, folder.parent, folder, folder / name_of(KEY)]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700, 0o700, 0o600]


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["write", "replace"])
def test_a_failed_write_leaves_the_old_entry_and_nothing_else(entry, folder, monkeypatch, where, error):
    def fails(*args):
        raise error

    def opened(real=tempfile.NamedTemporaryFile, **options):
        file = real(**options)
        file.write = fails
        return file

    if where == "write":
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", opened)
    else:
        monkeypatch.setattr(Path, "replace", fails)
    if isinstance(error, OSError):
        code_cache.write(KEY, b"new")
    else:
        with pytest.raises(KeyboardInterrupt):
            code_cache.write(KEY, b"new")
    assert names_in(folder) == [entry.name]
    assert code_cache.read(KEY) == CODE


def test_the_time_of_the_last_use_may_be_unwritable(entry, monkeypatch):
    def refused(*args, **options):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refused)
    assert code_cache.read(KEY) == CODE


# --- the folder -------------------------------------------------------------------------------------------------------


def refused(folder, reason):
    """Nothing is read from the folder, and nothing is written, with a warning that names it and the reason."""
    before = names_in(folder)
    assert code_cache.read(KEY) is None
    with pytest.warns(RuntimeWarning, match=f"machine code is not kept, because .*cache {reason}.* MICROGRAD_BP_CACHE"):
        code_cache.write("another key", CODE)
    assert names_in(folder) == before
    return True


@has_owners
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o720, 0o702])
def test_a_folder_that_others_may_write_is_refused(entry, folder, mode):
    folder.chmod(mode)
    assert refused(folder, "belongs to another user, or others may write it")
    folder.chmod(0o755)
    assert code_cache.read(KEY) == CODE


@has_owners
def test_a_folder_of_another_user_is_refused(entry, folder, monkeypatch):
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    assert refused(folder, "belongs to another user, or others may write it")


@has_owners
def test_a_folder_that_is_a_link_is_refused(entry, folder, tmp_path):
    folder.rename(tmp_path / "real")
    folder.symlink_to(tmp_path / "real")
    assert refused(folder, "is a link")


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for named in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("MICROGRAD_BP_CACHE", str(named))
        code_cache.write(KEY, CODE)
        assert code_cache.read(KEY) is None
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("word", ["off", "OFF", "Off", "0", "false", "False", "FALSE"])
def test_words_that_switch_the_cache_off(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("MICROGRAD_BP_CACHE", word)
    code_cache.write(KEY, CODE)
    assert code_cache.read(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_named_from_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "~/mine")
    code_cache.write(KEY, CODE)
    assert names_in(tmp_path / "mine") == [name_of(KEY)]
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "~no-such-user/mine")
    code_cache.write(KEY, CODE)
    assert code_cache.read(KEY) is None


@needs_platformdirs
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
@pytest.mark.parametrize(
    ("xdg", "expected"),
    [
        (None, "home/.cache/micrograd_bp"),
        ("", "home/.cache/micrograd_bp"),
        ("relative", "home/.cache/micrograd_bp"),
        ("../relative", "home/.cache/micrograd_bp"),
        ("{}/xdg", "xdg/micrograd_bp"),
    ],
)
def test_the_folder_that_the_system_has_for_it(tmp_path, monkeypatch, xdg, expected):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MICROGRAD_BP_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", xdg.format(tmp_path))
    code_cache.write(KEY, CODE)
    assert names_in(tmp_path / expected) == [name_of(KEY)]
    assert code_cache.read(KEY) == CODE
    assert list((tmp_path / "here").iterdir()) == []


@needs_platformdirs
def test_a_version_of_platformdirs_that_takes_relative_paths(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("MICROGRAD_BP_CACHE", "")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: Path("relative") / name)
    code_cache.write(KEY, CODE)
    assert names_in(tmp_path) == ["home"]
    assert names_in(tmp_path / "home" / ".cache" / "micrograd_bp") == [name_of(KEY)]
    monkeypatch.setenv("HOME", "other")
    monkeypatch.setenv("USERPROFILE", "other")
    code_cache.write(KEY, CODE)
    assert names_in(tmp_path) == ["home"]


def test_without_platformdirs_a_folder_has_to_be_named(tmp_path, monkeypatch, folder):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    code_cache.write(KEY, CODE)
    assert code_cache.read(KEY) == CODE
    monkeypatch.delenv("MICROGRAD_BP_CACHE")
    code_cache.write(KEY, CODE)
    assert code_cache.read(KEY) is None
    assert names_in(tmp_path) == ["cache"]


# --- eviction ---------------------------------------------------------------------------------------------------------


def test_what_was_not_used_for_the_longest_time_goes(folder, monkeypatch):
    monkeypatch.setattr(code_cache, "LARGEST", 3 * (32 + len(CODE)))
    for age, key in enumerate("abc"):
        code_cache.write(key, CODE)
        os.utime(folder / name_of(key), (time.time() - 1000 + age,) * 2)
    assert code_cache.read("a") == CODE  # is used, and therefore stays
    code_cache.write("d", CODE)
    assert names_in(folder) == sorted(map(name_of, "acd"))
    code_cache.write("too large", CODE * 4)
    assert code_cache.read("too large") is None


def test_only_entries_are_deleted(folder, monkeypatch):
    monkeypatch.setattr(code_cache, "LARGEST", 0)
    folder.mkdir(mode=0o700)
    digits = "0" * 64
    parts = [f"{digits}.abc_12.part", f"{'f' * 64}.x.part"]
    others = ["main.o", digits, f"{digits}.o.txt", f"{digits}.txt", f"{digits[1:]}.o", f"{digits}0.o", "x.part"]
    for name in [*others, *parts, f"{digits}.o"]:
        (folder / name).write_text("text")
        os.utime(folder / name, (time.time() - 7200,) * 2)
    os.utime(folder / parts[1])  # is being written
    code_cache.write(KEY, CODE)
    assert names_in(folder) == sorted([*others, parts[1]])
