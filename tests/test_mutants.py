"""The script that mutates the source: its mutants are what they say, and they are tried in a copy."""

from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits of memory need POSIX")

from benchmarks import mutants

ROOT = Path(__file__).parent.parent

SOURCE = '''"""A module."""
__all__ = ["f"]
Number = Callable[[float], float]
LEAST = 1e-3


def f(x: float, y: float = 2.0) -> float:
    """Return a number."""
    with lock:
        x += 1
        g(x, y)
    if not x < y or ready:
        raise ValueError(f"{x + y}")
    return (-x if y else x) * h(y) + sum([1 for a in y if a])
'''
CHANGED = {  # what stands in a mutant and not in the source
    "operator": ["LEAST = 1.0", "y: float = 1.0", "x -= 1", "h(y) - sum", "/ h(y)", "and ready"],
    "comparison": ["x <= y", "x >= y"],
    "constant": ["x += 2", "x += (0)", "[2 for"],
    "without": [
        "if True:",
        "pass",
        "(-x if y else x) * (y)",
        "(x if y",
        "return (sum([",
        "if (ready):",
        "if (x < y) or",
    ],
    "exchanged": ["g(y, x)", "x if y else -x"],
    "condition": ["-x if (not (y)) else x", "if (not (a))"],
}


def test_mutants_are_of_every_kind_and_each_is_one_change_of_what_is_run():
    every = mutants.mutants("training.optim", SOURCE)
    assert len({m.text for m in every} | {SOURCE}) == len(every) + 1
    for mutant in every:
        compile(mutant.text, "mutant", "exec")
        lines = zip(SOURCE.splitlines(), mutant.text.splitlines(), strict=True)
        changed = [n for n, (old, new) in enumerate(lines, 1) if old != new]
        assert changed == [mutant.line]
        assert changed[0] not in (1, 2, 3, 8)  # docstrings, types, names
        assert changed[0] != 13 or "        pass\n" in mutant.text  # the message
    for kind, texts in CHANGED.items():
        for text in texts:
            assert any(text in m.text for m in every), (kind, text)


def test_a_mutant_is_tried_in_a_copy(tmp_path):
    path = mutants.path_of("training.schedules")
    text = path.read_text(encoding="utf-8")
    (paths,) = mutants.matching("training.schedules", True)
    checkout = mutants.Copy(tmp_path)
    wrong = mutants.Mutant("training.schedules", 1, "operator", text, text.replace("math.cos", "math.sin"))
    same = mutants.Mutant("training.schedules", 1, "comment", text, text + "# the end\n")
    assert wrong.text != text
    assert [checkout.try_out(m, paths, 300.0) for m in (wrong, same)] == ["failed", "passed"]
    assert checkout.try_out(same, paths, 0.01) == "too long"
    assert (
        path.read_text(encoding="utf-8") == text == mutants.path_of("training.schedules", tmp_path).read_text("utf-8")
    )
    assert "-    return lambda step: lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos" in mutants.difference(wrong)


def test_the_tests_of_every_module_are_there():
    for name in mutants.TESTS:
        assert name in mutants.ROOMS or mutants.path_of(name).is_file(), name
        for path in mutants.TESTS[name]:
            assert (ROOT / path).exists(), path
    assert {m.module.partition(".")[0] for m in mutants.selected([])} == set(mutants.ROOMS)
    with pytest.raises(SystemExit, match="no room 'drawing'"):
        mutants.selected(["drawing"])
