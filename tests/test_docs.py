"""What the README, the pages of docs/ and the docstrings show is what happens; the demo does what it says."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd_bp
from micrograd_bp.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *(path for path in sorted(ROOT.glob("docs/*.md")) if path.stem != "semantics")]
PROSE = [ROOT / "docs" / "semantics.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]  # no examples of this form
MODULES = ["micrograd_bp", *(m.name for m in pkgutil.walk_packages(micrograd_bp.__path__, "micrograd_bp."))]
XOR = str(ROOT / "demos" / "tutorials" / "first" / "xor.py")
TOUR = str(ROOT / "demos" / "engine" / "tour.py")


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name, own_ops):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_doctests_are_there():
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = [t for name in MODULES for t in finder.find(importlib.import_module(name)) if t.examples]
    assert len(tests) >= 15


def differences(text):
    """What the examples in a document print otherwise than it shows: pairs (shown, printed).

    A block of Python shows what it prints in a block of text after it, or in comments after `print(...)`. Of a block
    `console` the first line is typed, and the others are shown.
    """
    namespace = {}
    for block, shown, typed in re.findall(
        r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?|```console\n(.*?)```", text, re.DOTALL
    ):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if typed:
                command, _, shown = typed.partition("\n")
                program, *arguments = shlex.split(command.removeprefix("$ "))
                assert program == "micrograd-bp"
                main(arguments)
            else:
                exec(block, namespace)
        expected = shown.splitlines() or re.findall(r"^print\(.*\)  +# (.*)$", block, re.MULTILINE)
        if printed.getvalue().splitlines() != expected:
            yield "\n".join(expected), printed.getvalue()


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_the_examples_in_the_documents_run(path, tmp_path, monkeypatch, own_ops):
    monkeypatch.chdir(tmp_path)
    assert list(differences(path.read_text(encoding="utf-8"))) == []


def test_a_false_example_is_found():
    assert list(differences("```python\nprint(1 + 1)  # 3\n```")) == [("3", "2\n")]
    assert list(differences("```python\nprint(1 + 1)\n```\n\n```text\n3\n```")) == [("3", "2\n")]
    assert len(list(differences("```console\n$ micrograd-bp --version\nmicrograd-bp 99\n```"))) == 1


def test_the_readme_draws_its_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(differences(README)) == []
    assert "<svg" in (tmp_path / "neuron.svg").read_text(encoding="utf-8")


def test_the_readme_is_read_in_three_minutes():
    assert len(README.splitlines()) <= 75


@pytest.mark.parametrize("path", [*DOCUMENTS, *PROSE], ids=lambda path: path.stem)
def test_what_the_documents_link_is_there(path):
    assert list(dead_links(path, path.read_text(encoding="utf-8"))) == []


def dead_links(path, text):
    """The links in a document to files that do not exist, or to headings that the file does not have."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (anchor and anchor not in headings(file.read_text(encoding="utf-8"))):
            yield target


def headings(text):
    """The anchors of a document's headings, as GitHub makes them."""
    for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_a_dead_link_is_found():
    text = "[here](docs/README.md) [there](docs/nowhere.md) [no heading](docs/README.md#nothing)"
    assert list(dead_links(ROOT / "README.md", text)) == ["docs/nowhere.md", "docs/README.md#nothing"]


def test_the_map_shows_the_rooms():
    rooms = re.findall(r"^\| \[`(\w+)`\]", (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8"), re.MULTILINE)
    package = ROOT / "micrograd_bp"
    assert sorted(rooms) == sorted(path.parent.name for path in package.glob("*/__init__.py"))


def test_the_readme_begins_with_its_two_commands():
    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert re.search(r"pip install .*\.\[all\].*\n.*python demos/tutorials/first/xor\.py", blocks[0])
    assert re.search(r"pip install .*\.\[test\].*\npytest", blocks[1])


def test_the_tour_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "demos" / "engine" / "tour.py")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert "wrong gradient" in done.stdout
    assert "(3.3)" in done.stdout
    assert "<svg" in (tmp_path / "out" / "tour.svg").read_text()


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    """The demo, run in full as a user runs it; what it printed, and where it wrote."""
    folder = tmp_path_factory.mktemp("xor")
    command = [
        sys.executable,
        XOR,
        "--out",
        str(folder / "pictures"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout, folder / "pictures"


def test_the_xor_demo_stops_where_the_tutorials_script_does(xor):
    """After np.random.seed(3) the script stops at epoch index 28896, with these parameters."""
    printed, _ = xor
    assert "28897 epochs, stopped at 0.0049" in printed
    learned = dict(re.findall(r"^([wb]\d_\d+) +(-?\d+\.\d{6})$", printed, re.MULTILINE))
    assert learned == {
        "w1_11": "5.849697",
        "w1_12": "5.860036",
        "b1_1": "-2.456112",
        "w1_21": "3.813643",
        "w1_22": "3.815780",
        "b1_2": "-5.842154",
        "w2_11": "7.681300",
        "w2_12": "-8.305909",
        "b2_1": "-3.478126",
    }


def test_the_xor_demo_prints_its_tables(xor):
    printed, _ = xor
    assert re.findall(r"^ (\d)   (\d)    (\d)  0\.\d{6}  (\w+)$", printed, re.MULTILINE) == [
        ("0", "0", "0", "right"),
        ("0", "1", "1", "right"),
        ("1", "0", "1", "right"),
        ("1", "1", "0", "right"),
    ]
    assert re.findall(r"\((3\.\d)\)", printed.split("backward()", 1)[1])[-9:] == ["3.3", "3.3", "3.6"] * 2 + [
        "3.2",
        "3.2",
        "3.5",
    ]
    worst = re.search(r"worst difference: ([\d.]+) ulp", printed)
    assert worst
    assert float(worst[1]) <= 8


def test_the_xor_demo_writes_its_pictures(xor):
    printed, pictures = xor
    assert (pictures / "xor_cost.png").read_bytes().startswith(b"\x89PNG")
    svg = (pictures / "xor_graph.svg").read_text()
    assert all(name in svg for name in ("w1_21", "b2_1", "z1_2", "a2_1", "x1", ">E<"))
    assert str(pictures / "xor_cost.png") in printed
    assert str(pictures / "xor_graph.svg") in printed


@pytest.mark.parametrize(
    "arguments", ["--alpha nan", "--alpha 0", "--alpha -1", "--epochs 0", "--epochs 1.5", "--seed x", "--seed -1"]
)
def test_the_xor_demo_refuses_bad_input(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["xor.py", *arguments.split()])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(XOR, run_name="__main__")
    assert stopped.value.code == 2
    assert f"argument {arguments.split()[0]}" in capsys.readouterr().err


def test_the_xor_demo_helps():
    done = subprocess.run(
        [sys.executable, XOR, "--help"],
        capture_output=True,
        text=True,
    )
    assert "--seed" in done.stdout
    assert "alpha = 0.15" in done.stdout
