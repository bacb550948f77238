"""Marks for tests that need what a plain machine may lack; the reason of a skip says how to install it."""

import shutil
from importlib.util import find_spec

import pytest

needs_llvm = pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs llvmlite: pip install llvmlite")
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler: apt install gcc libc6-dev")
needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="needs pdflatex: apt install texlive-latex-extra"
)
needs_platformdirs = pytest.mark.skipif(
    find_spec("platformdirs") is None, reason="needs platformdirs: pip install platformdirs"
)
