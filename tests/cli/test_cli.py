"""The command line: what commands print, and that nothing a user does ends in a traceback."""

import io
import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import HOSTILE

import micrograd_bp
from micrograd_bp import ExpressionError
from micrograd_bp.cli.commands import COMMANDS, main
from micrograd_bp.cli.quiz import graded, question
from micrograd_bp.cli.session import Sheet
from micrograd_bp.expression.locations import display_width

MAIN = [sys.executable, "-m", "micrograd_bp"]
FOLDER = str(Path(micrograd_bp.__file__).parent.parent)


@pytest.fixture
def run(capsys, monkeypatch):
    """`run(*arguments, stdin=...)`: exit code, standard output, standard error."""

    def call(*arguments, stdin=""):
        data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        code = main([*arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


# --- the program ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_without_a_command_it_helps(run, arguments):
    code, out, _ = run(*arguments)
    assert code == 0
    assert all(command in out for command in COMMANDS)


def test_version(run):
    assert run("--version") == (0, f"micrograd-bp {micrograd_bp.__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_examples(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"micrograd-bp {command}" in out.partition("examples:")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evl"], "micrograd-bp: there is no command 'evl'; did you mean eval?"),
        (
            ["--frobnicate"],
            "micrograd-bp: there is no command '--frobnicate'; the commands are eval, repl, check, quiz, xor, play",
        ),
        (
            ["\x1b[31m"],
            "micrograd-bp: there is no command '\ufffd[31m'; the commands are eval, repl, check, quiz, xor, play",
        ),
        (["play"], "micrograd-bp play: play does not exist"),
        (["eval"], "micrograd-bp eval: give a formula"),
        (["eval", "x", "--digits", "0"], "argument --digits: give a whole number from 1 to 17, not '0'"),
        (["eval", "x", "--digits", "many"], "give a whole number from 1 to 17, not 'many'"),
        (["eval", "x", "--frob"], "unrecognized arguments: --frob"),
        (["eval", "x", "--json", "--latex"], "not allowed with argument"),
        (["eval", "x", "--svg", "x.png"], "the name of the file has to end in .svg"),
        (["eval", "x", "--html", "x"], "the name of the file has to end in .html"),
        (["eval", "2*x", "x=1", "--svg", "/dev/null/x.svg"], "/dev/null is not a folder"),
        (["eval", "-f", "no/such/file"], "no/such/file: No such file or directory"),
        (["eval", "-f", "."], ".: Is a directory"),
        (["eval", "L", "=", "x", "x=3"], "not '='; is the formula in quotes?"),
        (["eval", "x", "x"], "a value is given as name=number, not 'x'"),
        (["eval", "x", "=3"], "a value is given as name=number, not '=3'"),
        (["eval", "x", "x="], "x=: '' is not a number"),
        (["eval", "x", "x=1,5"], "x=1,5: '1,5' is not a number: decimals are written with a point"),
        (["eval", "x", "x=three"], "'three' is not a number"),
        (["eval", "x", "x==3"], "'=3' is not a number"),
        (["eval", "x", "x=0x10"], "'0x10' is not a number"),
        (["eval", "x", "x=٣"], "'٣' is not a number"),
        (["eval", "x", "x=nan"], "x=nan: give a finite number\n"),
        (["eval", "x", "x=-inf"], "x=-inf: give a finite number\n"),
        (["eval", "x", "x=1e999"], "give a finite number; a float is at most 1.8e308"),
        (["eval", "x", "x=1\n\x1b[2J2"], "'1 \ufffd[2J2' is not a number"),
        (["eval", "x", "x=1", "x=2"], "x is given twice: 1.0 and 2"),
        (["eval", "x", "x=1", "q=2"], "'q' is not used by the expression"),
        (["eval", "x", "x=1", "\ud800=2"], "is not used by the expression"),
        (["eval", "a = x; 2*a", "x=1", "a=2"], "a is computed by the expression"),
        (["eval", "x*w", "x=1", "w=2", "--wrt", "v"], "--wrt v: the formula does not have this name"),
        (["eval", "a = x; b = 2*w", "x=1", "w=2", "--wrt", "x"], "--wrt x: the result does not depend on it"),
        (["check", "x", "dL/dx = 1", "x=1"], "column 2: the formula has no name 'L': write L = ... in the formula"),
        (["check", "L = x", "dL/dx = ", "x=1"], "column 8: a formula is missing after ="),
        (["check", "L = x*y"], "the derivative is missing"),
        (["check", "L = x*y", "y", "x=1", "y=2"], "column 1: the derivative has the form dL/dw = ..."),
        (["check", "L = x*y", "dL/dq = y", "x=1", "y=2"], "column 5: the formula has no name 'q'"),
        (["check", "L = x*y", "dL/dx = z", "x=1", "y=2"], "column 9: the formula has no name 'z'"),
        (["check", "L = x*y", "dL/dx = a = y", "x=1", "y=2"], "column 9: the derivative is one formula"),
        (["check", "L = x*y", "dL/dx = y +", "x=1", "y=2"], "column 12: the formula is not complete"),
        (["check", "L = x*y", "dL/dx = 1/(x-1)", "x=1", "y=2"], "column 10: division by zero"),
        (["check", "L = x*y", "dL/dx = y", "x=1"], "no value is given for y"),
        (["quiz", "--level", "9"], "argument --level: invalid choice: 9"),
        (["quiz", "--seed", "x"], "argument --seed: give a whole number, at least 0, not 'x'"),
        (["quiz", "--seed", "1", "--answer", "x"], "the answer is a number"),
        (["quiz", "--seed", "1", "--answer", "1/0"], "division by zero"),
        (["quiz", "--seed", "1"], "no answer"),
        (["xor", "--alpha", "nan"], "argument --alpha"),
        (["xor", "--out", __file__], "argument --out: give a folder that can be written to"),
        (["xor", "--out", f"{__file__}/x"], "Not a directory"),
        (["repl", "--digits", "99"], "a whole number from 1 to 17"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err
    first, *rest = err.splitlines()
    assert first.startswith("micrograd-bp")
    assert rest == [] or (len(rest) == 2 and rest[1].strip() == "^")


# --- eval -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "line", "column", "said"), HOSTILE, ids=[ascii(h[0][:30]) for h in HOSTILE])
def test_hostile_formulas(run, text, line, column, said):
    code, out, err = run("eval", text)
    assert (code, out) == (2, "")
    first, source, caret = err.split("\n")[:3]
    assert err.count("\n") == 3
    assert first.startswith(f"micrograd-bp eval: line {line}, column {column}: ")
    assert said in first
    shown = re.split("\r\n?|\n", text)[line - 1]
    before, here = shown[: column - 1], shown[column - 1 : column]
    under_mark = bool(here) and display_width(here) == 0  # then the caret is under the letter that carries it
    assert caret == "  " + " " * (display_width(before) - under_mark) + "^"
    assert source.startswith(f"  {before}")


def test_the_hostile_are_many_and_different():
    assert len({text for text, *_ in HOSTILE}) == len(HOSTILE) >= 120


NEURON = ["L = (sigmoid(w*x + b) - y)**2 / 2", "w=0.3", "b=0.1", "x=0.5", "y=1"]


def test_the_main_example(run):
    code, out, err = run("eval", *NEURON)
    assert (code, err) == (0, "")
    assert out.startswith(
        "name    value  ∂L/∂name\n"
        "w         0.3  −0.05388\n"
        "x         0.5  −0.03233\n"
        "b         0.1   −0.1078\n"
        "y           1    0.4378\n"
        "L     0.09584         1\n"
        "\n"
    )
    assert "w       0.3     −0.05\n" in run("eval", *NEURON, "--digits", "1")[1]
    assert "−0.053882\n" in run("eval", *NEURON, "--digits", "5")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_help(run, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "neuron.txt").write_text("L = tanh(w*x + b)")
    examples = run(command, "--help")[1].partition("examples:")[2].strip().split("\n")
    for example in examples:
        words = shlex.split(example)
        assert words[:2] == ["micrograd-bp", command]
        if command not in ("xor", "play") and "<" not in words:
            assert run(*words[1:], stdin="1")[0] in (0, 1)


def test_json_is_in_full(run):
    code, out, _ = run("eval", *NEURON, "--json")
    assert code == 0
    found = json.loads(out)
    w, b, x, y = (micrograd_bp.Value(v) for v in (0.3, 0.1, 0.5, 1.0))
    loss = (micrograd_bp.sigmoid(w * x + b) - y) ** 2 / 2
    loss.backward()
    assert found["result"] == "L"
    assert found["values"]["L"] == loss.data
    assert found["gradients"] == {"w": w.grad, "x": x.grad, "b": b.grad, "y": y.grad, "L": 1.0}
    assert found["formulas"] == {"L": "(sigmoid(w*x + b) - y)**2 / 2"}
    assert list(found["derivatives"]) == ["w", "x", "b", "y"]
    assert list(json.loads(run("eval", *NEURON, "--json", "--wrt", "b")[1])["derivatives"]) == ["b"]


def test_json_of_infinite_gradients(run):
    found = json.loads(run("eval", "sqrt(x)", "x=0", "--json")[1])
    assert found["gradients"] == {"x": "inf", "f": 1.0}


def test_options_in_any_order(run):
    plain = run("eval", "L = w*x", "w=1", "x=2", "--wrt", "w")
    assert plain[0] == 0
    assert run("eval", "--wrt", "w", "L = w*x", "w=1", "x=2") == plain
    assert run("eval", "L = w*x", "w=1", "--wrt", "w", "x=2") == plain


@pytest.mark.parametrize("formula", ["-x**2", "-(x)", "--x", "- x", "-2*x", "-1"])
def test_a_formula_can_begin_with_minus(run, formula):
    values = ["x=3"] if "x" in formula else []
    before = ["--"] if formula.startswith("--") else []
    code, out, err = run("eval", *before, formula, *values)
    assert (code, err) == (0, "")
    assert "\nf " in out


@pytest.mark.parametrize("arguments", [["-f", "{file}"], ["--file={file}"], ["-"], ["-f", "-"]])
@pytest.mark.parametrize("text", ["z = w*x\nL = z**2\n", "\ufeffz = w*x\r\nL = z**2"])
def test_formulas_from_files_and_standard_input(run, tmp_path, arguments, text):
    file = tmp_path / "formula.txt"
    file.write_text(text, encoding="utf-8")
    code, out, err = run("eval", *(a.format(file=file) for a in arguments), "w=2", "x=3", stdin=text)
    assert (code, err) == (0, "")
    assert "L        36" in out


def test_files_that_are_no_formulas(run, tmp_path):
    file = tmp_path / "latin1.txt"
    file.write_bytes(b"z = \xff")
    assert f"{file}: byte 5 is not UTF-8" in run("eval", "-f", str(file))[2]
    assert "standard input: byte 5 is not UTF-8" in run("eval", "-", stdin=b"z = \xff")[2]
    file.write_text("é" * 5_000_000)
    assert "a text has at most 1,000,000 characters" in run("eval", "-f", str(file))[2]
    assert "at most 1,000,000 characters" in run("eval", "-", stdin=b"x+" * 5_000_000)[2]
    assert "never closed" in run("eval", "-", stdin=b"(" * 100_000)[2]
    assert "U+0000" in run("eval", "-f", "/dev/zero")[2] or "at most" in run("eval", "-f", "/dev/zero")[2]


def test_a_long_sum(run):
    code, out, err = run("eval", "-", "x=1", stdin="+".join(["x"] * 100_000))
    assert (code, err) == (0, "")
    assert re.search(r"^x +1 +1e5$", out, re.MULTILINE)
    assert "no explanation for 100,000 values" in out


def test_pictures(run, tmp_path):
    file = tmp_path / "new" / "graph.svg"
    code, _, err = run("eval", *NEURON, "--svg", str(file))
    assert (code, err) == (0, f"wrote {file}\n")
    assert "<svg" in file.read_text()


# --- repl -------------------------------------------------------------------------------------------------------------


def sheet(*lines):
    s = Sheet()
    return s, [s.do(line) for line in lines]


def test_a_sheet_follows_what_changes():
    s, said = sheet("z = w*x", "L = (z - y)**2", "set w 2", "set x = 3", "set y=1", "L*2", "set w 1", "z = w + x")
    assert said == [
        "z needs w, x",
        "L needs w, x, y",
        "w = 2\nz needs x\nL needs x, y",
        "x = 3\nz = 6\nL needs y",
        "y = 1\nL = 25",
        "50",
        "w = 1\nz = 3\nL = 4",
        "z = 4\nL = 9",
    ]
    assert s.do("grad L").splitlines()[1] == "w         1         6"
    assert s.do("undo").splitlines()[-2] == "z  3  w*x"


def test_definitions_come_in_any_order():
    s, said = sheet("L = 2*z", "z = x**2", "set x 3")
    assert said[-1] == "x = 3\nz = 9\nL = 18"
    with pytest.raises(ValueError, match="a name cannot depend on itself: "):
        s.do("x2 = L; z = x2")
    assert s.do("z = 5") == "z = 5\nL = 10"
    assert s.do("show") == "z   5  5\nL  10  2*z" or "x" in s.do("show")


@pytest.mark.parametrize(
    "line",
    [
        "L = 1/(w - w)", "L = L + 1", "w = = 2", "set w", "set", "set w nan", "set w 2 3", "set L 3", "set 3 w",
        "set w+1 2", "set q=", "grad q", "explain L q", "explain q", "draw", "draw x.gif", "draw /dev/null/x.svg",
        "foo bar", "q*2", "set w 1e200", "a = 1; a = 2", "import os", "set log 3", "\0",
    ],
)  # fmt: skip
def test_a_wrong_line_changes_nothing(line):
    s, _ = sheet("L = (w*x)**2", "set w 2", "set x 3")
    before = s.do("show"), s.definitions, s.values
    with pytest.raises((ValueError, OSError)):
        s.do(line)
    assert (s.do("show"), s.definitions, s.values) == before
    assert s.do("undo").startswith("w         2\nx  no value")


def test_an_error_shows_its_line():
    s, _ = sheet("a = 2", "b = a*x", "c = 1 / (b - 6)", "set x 1")
    with pytest.raises(ExpressionError) as caught:
        s.do("set x 3")
    assert str(caught.value).split("\n")[1:] == ["  c = 1 / (b - 6)", "        ^"]
    assert (caught.value.line, caught.value.column) == (1, 7)


def test_undo_to_the_beginning():
    s, _ = sheet("a = 2", "b = a*x", "set x 1")
    for _ in range(3):
        s.do("undo")
    assert s.do("show") == "nothing is defined"
    with pytest.raises(ValueError, match="nothing to undo"):
        s.do("undo")
    with pytest.raises(ValueError, match="nothing is defined"):
        s.do("grad")


def test_names_of_commands_can_be_defined():
    _, said = sheet("show = 3", "set = 2", "show*set")
    assert said == ["show = 3", "set = 2", "6"] or said[-1] == "6"


def test_what_can_be_completed():
    s, _ = sheet("L = w*x")
    assert {"set", "L", "w", "x", "sigmoid"} <= set(s.words())


def test_lines_from_standard_input(run, tmp_path):
    file = tmp_path / "graph.svg"
    lines = f"# neuron\nL = w**2\nset w 3\n\ngrad L\ndraw {file}\nhelp\nquit\nnot reached"
    code, out, err = run("repl", stdin=lines)
    assert (code, err) == (0, "")
    assert out.startswith("L needs w\nw = 3\nL = 9\nname  value  ∂L/∂name\n")
    assert file.exists()
    code, out, err = run("repl", stdin="x = 2 +\nx = 3\n\udcff")
    assert (code, out) == (2, "x = 3\n")
    assert err.startswith("line 1, column 8: the formula is not complete")


# --- check ------------------------------------------------------------------------------------------------------------

NEURON_STEPS = "z = w*x + b; a = sigmoid(z); L = (a - y)**2 / 2"
AT = ["w=0.3", "x=0.5", "b=0.1", "y=1"]


@pytest.mark.parametrize(
    ("formula", "derivative", "values"),
    [
        ("L = (w*x - y)**2/2", "dL/dw = (w*x - y)*x", ["w=2", "x=3", "y=1"]),
        (NEURON_STEPS, "dL/dw = (a - y)*a*(1 - a)*x", AT),
        (NEURON_STEPS, "∂L/∂z = (sigmoid(w*x + b) - y) * sigmoid(z) * sigmoid(-z)", AT),
        (NEURON_STEPS, "da/db = a - a**2", AT),
        (NEURON_STEPS, "dL/dL = 1", AT),
        ("w = 2; L = w**3", "dL/dw = 3*w**2", []),
        ("L = log(x)", "dL/dx = 1/x", ["x=0.001"]),
        ("L = relu(x)", "dL/dx = 0*x", ["x=-30"]),
        ("L = e**x", "dL/dx = e**x", ["x=1"]),
        ("L = abs(x)", "dL/dx = where(less(x, 0), -1, 1)", ["x=0"]),
    ],
)
def test_right_derivatives(run, formula, derivative, values):
    code, out, err = run("check", formula, derivative, *values)
    assert (code, err) == (0, "")
    assert out.startswith("right: ")


@pytest.mark.parametrize(
    ("formula", "derivative", "values", "said"),
    [
        ("L = (w*x - y)**2/2", "dL/dw = (y - w*x)*x", ["w=2", "x=3", "y=1"], "the sign is wrong; the rest is right"),
        ("L = (w*x - y)**2", "dL/dw = (w*x - y)*x", ["w=2", "x=3", "y=1"], "a factor 2 is missing"),
        ("L = (w*x - y)**2/2", "dL/dw = 2*(w*x - y)*x", ["w=2", "x=3", "y=1"], "there is a factor 2 too much"),
        ("L = (w*x - y)**2/2", "dL/dw = (w*x - y)*w", ["w=2", "x=3", "y=1"], "differentiated with respect to x, not w"),
        ("L = (w*x - y)**2/2", "dL/dw = w*x - y", ["w=2", "x=3", "y=1"], "the factor ∂(w·x)/∂w = 3 is missing"),
        (NEURON_STEPS, "dL/dw = (a - y)*x", AT, "the factor ∂a/∂z = 0.2461 is missing"),
        (NEURON_STEPS, "dL/dw = (y - a)*x", AT, "the factor ∂a/∂z = 0.2461 is missing; the sign is wrong as well"),
        (NEURON_STEPS, "dL/dw = a*(1 - a)", AT, "the factors ∂L/∂a = −0.4378 and ∂z/∂w = 0.5 are missing"),
        (NEURON_STEPS, "dL/dw = (a - y)*a*(1 + a)*x", AT,
         "the first factor that differs: ∂a/∂z = 0.2461 here; in its place stands a · (1 + a)"),
        (NEURON_STEPS, "dL/dw = (a - y)*a*(1 - a)*x*x", AT, "the factor ∂z/∂w = 0.5 occurs twice"),
        (NEURON_STEPS, "dL/dw = 7*b", AT, "none of the chain's factors is found"),
        ("L = w**2 + w*x", "dL/dw = 2*w", ["w=2", "x=3"],
         "over 2 paths, and their derivatives add up; missing in yours: L → w·x → w"),
        ("L = w*w", "dL/dw = w", ["w=2"], "missing in yours: L → w"),
        ("L = w**2", "dL/dw = 4", ["w=2"], "right at this point by chance"),
        ("w = 2; L = w**2", "dL/dw = 4", [], "right at this point by chance"),
        ("L = relu(x)", "dL/dx = x", ["x=-30"], "the derivative is 0"),
        ("L = exp(-x**2)", "dL/dx = exp(-x**2)", ["x=1"],
         "the factor ∂(x²)/∂x = 2 is missing; the sign is wrong as well"),
    ],
)  # fmt: skip
def test_wrong_derivatives(run, formula, derivative, values, said):
    code, out, err = run("check", formula, derivative, *values)
    assert (code, err) == (1, "")
    assert out.startswith("wrong: ")
    assert said in re.sub(r"(∂\S+ = )[^=;∂\n]* = ", r"\1", out)  # without the factors' formulas


def test_the_chain_is_shown(run):
    _, out, _ = run("check", NEURON_STEPS, "dL/dw = (a - y)*x", *AT)
    heading, *lines = out.splitlines()[2:]
    assert heading == "the chain: ∂L/∂w = ∂L/∂a · ∂a/∂z · ∂z/∂w"
    assert [re.sub(r"= .* = ", "= ", re.sub(" +", " ", line)) for line in lines] == [
        " ∂L/∂a = −0.4378 found: a − y",
        " ∂a/∂z = 0.2461 not found in yours",
        " ∂z/∂w = 0.5 found: x",
    ]


def test_check_of_a_large_graph(run):
    formula = "L = " + " + ".join(["sin(x)"] * 3000)
    assert run("check", formula, "dL/dx = 3000*cos(x)", "x=1")[0] == 0
    assert run("check", formula, "dL/dx = cos(x)", "x=1")[0] == 1
    deep = "a0 = x*x\n" + "\n".join(f"a{i} = sin(a{i - 1})*a{i - 1}" for i in range(1, 90))
    assert run("check", deep, "da89/dx = x", "x=1")[0] == 1


# --- quiz -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_quiz(run, level):
    for seed in range(15):
        program, values, name = question(level, seed)
        found = program.run(values)
        found["L"].backward()
        truth = found[name].grad
        start = ["quiz", "--level", str(level), "--seed", str(seed)]
        code, out, err = run(*start, "--answer", repr(truth))
        assert (code, err) == (0, ""), out
        assert "right: it is " in out
        assert run(*start, "--answer", f"{truth:#.3g}")[0] == 0
        code, out, _ = run(*start, stdin=f"{-truth}\n")
        assert code == 1
        assert "the sign" in out
        assert run(*start, "--answer", f"{1.2 * truth:.6g}")[0] == 1


@pytest.mark.parametrize(
    ("answer", "truth", "right", "said"),
    [
        ("0.3333", 1 / 3, True, "compared at the 4 significant digits given"),
        ("0.33", 1 / 3, True, "compared at the 2 significant digits given"),
        ("0.3", 1 / 3, False, "give at least 2 significant digits"),
        ("0.34", 1 / 3, False, "compared at the 2 significant digits given"),
        ("1/3", 1 / 3, True, "it is 0.3333"),
        ("-1/3", 1 / 3, False, "the sign"),
        ("−2", -2.0, True, "it is −2"),
        ("2e-3", 0.002, True, "0.002"),
        ("1.2e1", 12.3, True, "2 significant digits"),
        ("0", 0.5, False, "compared at the 1 significant digit given"),
        ("sqrt(2)/2", 0.70710678, True, "compared at 4"),
    ],
)
def test_grading(answer, truth, right, said):
    verdict, why = graded(answer, truth)
    assert verdict is right
    assert said in why


# --- as a process -----------------------------------------------------------------------------------------------------


def process(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": FOLDER} | options.pop("env", {})
    return subprocess.run([*MAIN, *arguments], capture_output=True, env=environment, check=False, **options)


def test_as_a_process():
    done = process("eval", "y = x**2", "x=3", env={"PYTHONIOENCODING": "utf-8"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("name  value  ∂y/∂name\nx         3         6\n")
    done = process("eval", "y = x.z")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 3


def test_a_terminal_without_the_signs():
    done = process("eval", "ŷ = x**2", "x=3", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2202" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="a terminal")
def test_a_terminal():
    """Lines are typed one by one; with prompt_toolkit or without."""
    ours, theirs = os.openpty()
    environment = os.environ | {"PYTHONPATH": FOLDER, "TERM": "dumb"}
    shown = b""
    with subprocess.Popen([*MAIN, "repl"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as running:
        for count, typed in enumerate((b"L = w**2\r", b"set w 3\r", b"quit\r"), start=1):
            while shown.count(b"> ") < count and select.select([ours], [], [], 30)[0]:
                shown += os.read(ours, 4096)
            os.write(ours, typed)
        try:
            assert running.wait(30) == 0
        finally:
            running.kill()
    assert b"L needs w" in shown
    assert b"L = 9" in shown
    os.close(ours)
    os.close(theirs)
    assert b"Traceback" not in shown


@pytest.mark.skipif(os.name != "posix", reason="a shell")
@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("eval x x=1 >&-", 0),
        ("eval x x=1 >/dev/full", 2),
        ("eval x x=nan 2>&-", 2),
        ("eval - <&-", 2),
        ("repl <&-", 0),
        ("quiz <&-", 2),
    ],
)
def test_closed_and_full_streams(rest, code):
    command = shlex.join(MAIN) + " " + rest
    environment = os.environ | {"PYTHONPATH": FOLDER}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 3


def test_arguments_that_are_not_utf8():
    done = process("eval", b"x + \xff", "x=1")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"column 5" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_leaves():
    names = " + ".join(f"x{i}" for i in range(20_000))
    values = "\n".join(f"x{i} = {i}" for i in range(20_000))
    command = [*MAIN, "eval", "-"]
    environment = os.environ | {"PYTHONPATH": FOLDER}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as running:
        running.stdin.write(f"{values}\n{names}".encode())
        running.stdin.close()
        assert running.stdout.readline().startswith(b"name")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c():
    environment = os.environ | {"PYTHONPATH": FOLDER, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*MAIN, "repl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells' background jobs ignore it
    ) as running:
        running.stdin.write(b"x = 2\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"x = 2\n"
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        assert running.wait() == 130
        assert running.stderr.read() == b"interrupted\n"
