"""The build hook: a wheel's core is compiled by mypyc where there is a C compiler, else the wheel is plain Python.

MICROGRAD_BP_BUILD=compiled makes a compilation that fails an error, MICROGRAD_BP_BUILD=pure does without. An editable
installation is plain Python. Nothing is written into the source tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

FORMS = ("compiled", "pure")
MODULES = ("ieee", "op", "number", "node", "engine", "nn/leaves", "dual", "slopes")
# Not ops: its rules are for whatever kind of number they are given. What they do to floats is written into slopes.
CHECKED_AS = ["--config-file=", "--python-version=3.11", "--ignore-missing-imports", "--follow-imports=silent"]
HEADER = Path(__file__).resolve().with_name("trashcan.h")


def wanted() -> str:
    """The form that is asked for; "" leaves it to what is there."""
    form = os.environ.get("MICROGRAD_BP_BUILD", "")
    if form and form not in FORMS:
        raise SystemExit(
            f"MICROGRAD_BP_BUILD={form}: there are {' and '.join(FORMS)}; unset, it is compiled if that works"
        )
    return form


def compiler() -> bool:
    """Whether there is a C compiler, as far as can be told without using it."""
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    return os.name == "nt" or bool(words and shutil.which(words[0]))


def compile_in(folder: Path) -> None:
    """Compile the modules of the copy of the package in `folder`, in place."""
    from mypyc.build import mypycify
    from setuptools import Distribution  # type: ignore[import-untyped]

    os.chdir(folder)
    sys.path[:0] = [str(folder), str(HEADER.parent)]
    import rules

    (folder / "micrograd_bp" / "slopes.py").write_text(rules.source())
    sources = [f"micrograd_bp/{name}.py" for name in MODULES]
    extensions = mypycify([*CHECKED_AS, "--always-true=MYPYC", *sources], opt_level="3", group_name="micrograd_bp")
    # fused multiply-add would give other digits than Python
    ours = ["/FI" + str(HEADER)] if os.name == "nt" else ["-include", str(HEADER), "-ffp-contract=off", "-g0"]
    for extension in extensions:
        theirs = [flag for flag in extension.extra_compile_args if flag != "-Werror"]
        extension.extra_compile_args = [*theirs, *ours]
    command: Any = Distribution({"name": "micrograd_bp", "ext_modules": extensions}).get_command_obj("build_ext")
    command.inplace = True
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    compile_in(Path(sys.argv[1]))
    sys.exit()

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # noqa: E402  # the compiler has no need of it


class Compile(BuildHookInterface):  # type: ignore[type-arg]
    """Adds what was compiled to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What is fetched for the build: the compiler's front end, if it is to be used."""
        form = wanted()
        pure = self.target_name != "wheel" or form == "pure" or (not form and not compiler())
        return [] if pure else ["mypy[mypyc]==2.*", "setuptools>=77"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and list the results for the wheel."""
        if version == "editable" or not self.dependencies():
            return
        self.folder = Path(tempfile.mkdtemp())
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
        shutil.copytree(Path(self.root) / "micrograd_bp", self.folder / "micrograd_bp", ignore=ignored)
        command = [sys.executable, str(Path(__file__).resolve()), str(self.folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            if wanted() == "compiled":
                raise SystemExit(f"the compilation failed:\n{done.stdout}")
            self.app.display_warning(
                f"not compiled, the wheel is plain Python; the end of what was said:\n{done.stdout[-2000:]}"
            )
            return
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        for path in sorted(self.folder.rglob(f"*{suffix}")):
            if "build" not in path.relative_to(self.folder).parts:
                build_data["force_include"][str(path)] = path.relative_to(self.folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        """Clean up."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)
