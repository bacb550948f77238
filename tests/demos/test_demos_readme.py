"""The README of the demos links every demo, and all that it names is there. Every demo explains itself with --help."""

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp as mb
from demos.tutorials.cases import CASES
from micrograd_bp import closed_form

DEMOS = Path(__file__).parent.parent.parent / "demos"
TEXT = (DEMOS / "README.md").read_text(encoding="utf-8")
SCRIPTS = [path for path in sorted(DEMOS.glob("**/*.py")) if "__main__" in path.read_text(encoding="utf-8")]
OWNERS = {"mb": mb, "Value": mb.Value, "closed_form": closed_form}
OWNERS |= {name: getattr(mb, name) for name in ("losses", "nn", "optim", "schedules")}
FINDS_DEMOS = """
import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])
"""


def module_name(path):
    return ".".join(path.relative_to(DEMOS.parent).with_suffix("").parts)


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_every_demo_helps_and_is_linked(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if path.stem == "xor":  # it has no options of its own: the command `micrograd-bp xor` has
        assert subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True).returncode == 0
    else:
        with pytest.raises(SystemExit) as stopped:
            importlib.import_module(module_name(path)).main(["--help"])
        assert stopped.value.code == 0
        assert "--out" in capsys.readouterr().out
        assert FINDS_DEMOS in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []
    assert f"]({path.relative_to(DEMOS)})" in TEXT


def test_no_demo_writes_into_the_folder_of_another():
    folders = [re.search(r'options\(__doc__, "(\w+)"', path.read_text(encoding="utf-8")) for path in SCRIPTS]
    assert [found[1] for found in folders if found] == [path.stem for path in SCRIPTS if path.stem != "xor"]


@pytest.mark.slow
def test_a_demo_runs_as_a_module(tmp_path):
    """That demos run as files is shown by those of the errata and of XOR, which are run so in other tests."""
    command = [sys.executable, "-m", "demos.tutorials.third.two_outputs", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=DEMOS.parent)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "step.svg").exists()


def test_the_examples_in_docstrings():
    shown = [path for path in DEMOS.glob("**/*.py") if ">>>" in path.read_text(encoding="utf-8")]
    assert len(shown) >= 6
    for path in shown:
        tests = doctest.testmod(importlib.import_module(module_name(path)))
        assert tests.attempted > tests.failed == 0, path


def test_links_lead_to_files():
    links = re.findall(r"\[`([^`]+)`\]\(([^)#]+)\)", TEXT)
    assert len(links) > 60
    for text, path in links:
        assert (DEMOS / path).exists(), path
        assert Path(path).name in text or path.endswith(text), path
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT):
        assert (DEMOS / picture).stat().st_size > 5_000


def test_functions_that_are_named_exist():
    named = re.findall(rf"`({'|'.join(OWNERS)})\.(\w+)", TEXT)
    assert len(named) > 30
    for owner, name in named:
        assert hasattr(OWNERS[owner], name) or (owner, name) == ("Value", "grad"), f"{owner}.{name}"


def test_the_counts_of_misprints():
    kinds = [case.kind for case in CASES]
    counts = re.search(r"(\d+) cases.*?(\d+) are as.*?(\d+) are mis.*?(\d+) of", TEXT, re.DOTALL).groups()
    correct, hard = kinds.count(""), kinds.count("hard")
    assert tuple(map(int, counts)) == (len(kinds), correct, len(kinds) - correct, hard)
