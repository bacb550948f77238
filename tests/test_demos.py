"""The demos' own README: it names every demo, and what it names is there. And each demo helps."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp as mb

DEMOS = Path(__file__).parent.parent / "demos"
TEXT = (DEMOS / "README.md").read_text(encoding="utf-8")
SCRIPTS = sorted(path for path in DEMOS.glob("*.py") if "__main__" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_every_demo_helps_and_is_named(path, tmp_path):
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--out" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert f"`{path.name}" in TEXT


def test_files_that_are_named_exist():
    for name in set(re.findall(r"`(\w+\.py|\w+/)(?: --\w+)?`", TEXT)) - {"out/"}:
        assert (DEMOS / name).exists() or (DEMOS.parent / "micrograd_bp" / name).exists(), name
    for picture in re.findall(r"\]\((pictures/[^)]+)\)", TEXT):
        assert (DEMOS / picture).stat().st_size > 5_000


def test_functions_that_are_named_exist():
    named = re.findall(r"`(mb|nn|losses|optim|schedules|closed_form|Value)\.(\w+)", TEXT)
    assert len(named) > 30
    for where, name in named:
        owner = (
            mb if where == "mb" else mb.Value if where == "Value" else importlib.import_module(f"micrograd_bp.{where}")
        )
        assert hasattr(owner, name) or (where, name) == ("Value", "grad"), f"{where}.{name}"


def test_the_numbers_that_are_told():
    import errata

    kinds = [case.kind for case in errata.CASES]
    told = re.search(r"(\d+) cases.*?(\d+) are as.*?(\d+) are mis.*?(\d+) of", TEXT, re.DOTALL).groups()
    right, hard = kinds.count(""), kinds.count("hard")
    assert tuple(map(int, told)) == (len(kinds), right, len(kinds) - right, hard)
