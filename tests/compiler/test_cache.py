"""Machine code in the user's cache folder."""

from needs import needs_llvm

import micrograd_bp as mb
from micrograd_bp.compiler import llvm_build
from micrograd_bp.nn import MLP


@needs_llvm
def test_machine_code_is_kept_and_damage_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_BP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(llvm_build, "WORTH", 0.0)
    model = MLP(2, [4, 1], "relu", seed=1)
    at = ([0.3, -0.4], 1.0)

    def value():
        return mb.compile(lambda x, y: mb.square(model(x) - y), backend="native")(*at)

    expected = value()
    (entry,) = (tmp_path / "cache").iterdir()
    whole = entry.read_bytes()
    reads = []
    monkeypatch.setattr(
        llvm_build.Cache, "read", lambda self, real=llvm_build.Cache.read: reads.append(real(self)) or reads[-1]
    )
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
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [entry.name]
