"""`to_c` writes a tape as a C99 function, from the operations' C99 forms."""

from __future__ import annotations

import math
import re

from micrograd_bp.compiler.c_expressions import FUNCTIONS, tree
from micrograd_bp.compiler.passes import Code, operations

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while x out main asm bool
class delete export friend mutable namespace new operator private protected public template this throw try catch
typename using virtual true false nullptr constexpr NAN INFINITY
"""
"""The keywords of C, those of C++ (which may call the function), and the names in the file."""


def to_c(code: Code, name: str, comment: str) -> str:
    """Return a C99 file with `void name(const double *x, double *out)`; parameters follow the inputs in x.

    Raises ValueError for a name that C does not allow or reserves, and for an operation without a C99 form.
    """
    if not _NAME.fullmatch(name) or name in _WORDS.split() or name in FUNCTIONS or name.startswith("_"):
        raise ValueError(
            f"{name!r} is not a name of a C function; use letters, digits and _, a letter first, and no reserved name"
        )
    tape = code.tape
    texts = [f"v{index}" for index in range(len(tape))]
    for index, number in tape.constants.items():
        texts[index] = constant(number)
    sources = [*tape.inputs, *tape.parameters]
    lines = [f"    const double v{index} = x[{i}];" for i, index in enumerate(sources)]
    for index, op in enumerate(tape.ops):
        if op is not None:
            tree(op)  # raises ValueError where there is no form
            form = op.native.format(*[texts[arg] for arg in tape.args[index]])
            lines.append(f"    const double v{index} = {form};")
    lines += [f"    out[{i}] = {texts[index]};" for i, index in enumerate(code.results)]
    head = [
        f"/* {comment}",
        f"   {len(tape.inputs)} inputs and {len(tape.parameters)} parameters in x, {len(code.results)} numbers in out,",
        f"   {operations(tape)} operations. Compile with -ffp-contract=off for the digits of the other backends. */",
        "#include <math.h>",
        "",
        f"void {name}(const double *restrict x, double *restrict out)",
        "{",
        *(["    (void)x;"] if not sources else []),
    ]
    return "\n".join([*head, *lines, "}"]) + "\n"


def constant(number: float) -> str:
    """Return a constant in C, with brackets around a negative one.

    >>> constant(0.1), constant(-2.0), constant(float("inf"))
    ('0.1', '(-2.0)', 'INFINITY')
    """
    if math.isfinite(number):
        return repr(number) if math.copysign(1.0, number) > 0 else f"({number!r})"
    return "NAN" if math.isnan(number) else "INFINITY" if number > 0 else "(-INFINITY)"
