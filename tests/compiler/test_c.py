"""Programs as C99, compiled by a C compiler, beside the replay in plain Python."""

import ctypes
import subprocess

import pytest
from needs import needs_gcc
from points import fixed
from recorded import bits, of_row

import micrograd_bp as mb
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.compiler import passes
from micrograd_bp.compiler.c_source import constant, to_c
from micrograd_bp.nn import MLP
from micrograd_bp.ops.op import OPS

ROWS = list(OPS.values())


def in_c(code, tmp_path, *options):
    """The code's C file, compiled by gcc: a function of a list of numbers."""
    source, library = tmp_path / "program.c", tmp_path / "program.so"
    source.write_text(to_c(code, "program", "test"))
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([*command, *options, str(source), "-o", str(library), "-lm"], check=True)
    function = ctypes.CDLL(str(library)).program
    function.restype = None

    def run(numbers):
        x, out = (ctypes.c_double * max(1, len(numbers)))(*numbers), (ctypes.c_double * len(code.results))()
        function(x, out)
        return list(out)

    return run


@needs_gcc
def test_c_agrees_with_the_rows(tmp_path):
    """All rows in one file."""
    for op in ROWS:
        folder = tmp_path / op.name
        folder.mkdir()
        run = in_c(of_row(op), folder)
        for point in fixed(op):
            (found,) = run(point)
            assert found == pytest.approx(op.fn(*point), rel=4e-15, abs=1e-300, nan_ok=True), (op, point)


@needs_gcc
def test_a_model_in_c(tmp_path):
    model = MLP(3, [4, 2], "sigmoid", "identity", seed=5)
    f = mb.compile(lambda x: sum(a * a for a in model(x)))
    at = [0.1, -0.4, 2.0]
    value, gradient = f.value_and_grad(at)
    code = f._ready((at,), {}, "gradient")[2].run.code
    assert f.to_c(at) == to_c(code, "program", "value and gradient")
    found = in_c(code, tmp_path)([*at, *[p.data for p in f.parameters(at)]])
    assert found == pytest.approx([value, *gradient], rel=1e-14)


@needs_gcc
def test_constants_in_c(tmp_path):
    tape = Tape()
    numbers = [0.1, -2.5, float("inf"), float("-inf"), float("nan"), -0.0, 5e-324, 1.7976931348623157e308]
    x = tape.input()
    code = passes.Code(tape, [*[tape.constant(n) for n in numbers], tape.record(mb.mul, (x, tape.constant(-3.0)))])
    assert bits(in_c(code, tmp_path)([2.0])) == bits([*numbers, -6.0])
    assert constant(-0.0) == "(-0.0)"


@pytest.mark.parametrize("name", ["2f", "a b", "", "f;", "if"])
def test_names_that_are_none_in_c(name):
    with pytest.raises(ValueError, match="name of a C function"):
        mb.compile(lambda x: x).to_c(1.0, name=name)


@pytest.mark.parametrize("name", ["double", "int", "switch", "exp", "class", "x", "out", "2f", "_f", "été"])
def test_names_that_c_has_already(name):
    with pytest.raises(ValueError, match="name"):
        mb.compile(lambda x: x * x).to_c(1.0, name=name)
