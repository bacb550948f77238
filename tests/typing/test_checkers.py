"""mypy --strict and pyright over a user's script: the types are what it says, and mistakes are seen where they are."""

import json
import os
import re
import runpy
import shutil
import site
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import micrograd_bp

HERE = Path(__file__).parent
PACKAGE = Path(micrograd_bp.__file__).parent
STUBS = HERE.parent.parent / ".ci" / "stubs.py"
SCRIPTS = ("user_script.py", "mistakes.py")
WRONG_MARKS = """\
from micrograd_bp import Value
Value(1.0).tanh()  # error: attr-defined
Value(1.0).tnah()
Value(1.0).gard  # error: attr-defined
"""


def marked(text):
    """The errors that the comments of a script announce: line and mypy's code."""
    lines = enumerate(text.splitlines(), start=1)
    return {(number, line.partition("# error: ")[2]) for number, line in lines if "# error: " in line}


def run(folder, *command, **environment):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


def by_mypy(folder):
    """What mypy reports for the scripts of a folder, by file: line and code."""
    installed = {Path(place).resolve() for place in [*site.getsitepackages(), site.getusersitepackages()]}
    path = "" if PACKAGE.parent.resolve() in installed else str(PACKAGE.parent)  # mypy finds what is installed
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--no-pretty", "--cache-dir=cache"]
    done = run(folder, "mypy", *options, *[file.name for file in folder.glob("*.py")], MYPYPATH=path)
    reports = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert len(reports) == done.stdout.count(": error: "), done.stdout
    found = {file.name: set() for file in folder.glob("*.py")}
    for name, line, code in reports:
        found[name].add((int(line), code))
    return found


def by_pyright(folder):
    """What pyright reports for the scripts of a folder, by file: lines."""
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(PACKAGE.parent)]}))
    options = ["--outputjson", "--pythonpath", sys.executable]
    done = run(folder, "pyright", *options, PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not start; it fetches itself from npm when it first runs: {done.stderr[-200:]}")
    found = {file.name: set() for file in folder.glob("*.py")}
    for report in json.loads(done.stdout)["generalDiagnostics"]:
        if report["severity"] == "error":
            found[Path(report["file"]).name].add(report["range"]["start"]["line"] + 1)
    return found


@pytest.fixture
def scripts(tmp_path):
    """A folder with the scripts, and one whose marks are wrong."""
    for name in SCRIPTS:
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "wrong_marks.py").write_text(WRONG_MARKS)
    return tmp_path


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is missing:  pip install 'micrograd_bp[lint]'")
def test_mypy(scripts):
    found = by_mypy(scripts)
    for name in SCRIPTS:
        assert found[name] == marked((HERE / name).read_text()), name
    assert found["wrong_marks.py"] ^ marked(WRONG_MARKS) == {(2, "attr-defined"), (3, "attr-defined")}


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is missing:  pip install 'micrograd_bp[lint]'")
def test_pyright(scripts):
    found = by_pyright(scripts)
    for name in SCRIPTS:
        assert found[name] == {line for line, _ in marked((HERE / name).read_text())}, name
    assert found["wrong_marks.py"] ^ {line for line, _ in marked(WRONG_MARKS)} == {2, 3}


def test_the_script_runs(own_ops):
    """What the type checkers are told holds when it runs."""
    before = dict(micrograd_bp.OPS)
    runpy.run_path(str(HERE / "user_script.py"))
    assert before == micrograd_bp.OPS


def test_stubs_are_current():
    """`python .ci/stubs.py` writes them."""
    spec = spec_from_file_location("stubs", STUBS)
    stubs = module_from_spec(spec)
    spec.loader.exec_module(stubs)
    assert {path: (PACKAGE / path).read_text() for path in stubs.STUBS} == {
        path: text() for path, text in stubs.STUBS.items()
    }


def test_a_row_that_somebody_has_added_is_in_no_stub(own_ops):
    """The stubs are of the table, whatever `@op` has added before they are written."""

    @micrograd_bp.op(lambda x, out: 1.0)
    def unheard_of(x):
        return x

    try:
        test_stubs_are_current()
    finally:
        del micrograd_bp.OPS["unheard_of"]
