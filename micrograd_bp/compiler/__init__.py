"""The compiler: `compile(f)` records a function on a tape once and then runs the tape.

`program.py` is `compile`, and `inspection.py` has the methods that show or export a compiled function. `recording.py`
records functions and derives the tapes of their derivatives, `passes.py` shortens tapes, `storage.py` saves them,
`listing.py` prints them. The backends read the operations' C99 forms through `c_expressions.py`: `replay.py` is plain
Python and the reference, `numpy_batches.py` and `array_libraries.py` compute on arrays (NumPy, JAX, PyTorch),
`c_source.py` writes C99, `machine_code.py` runs machine code. Machine code is written as LLVM IR by `llvm_ir.py`,
`vector_math.py` and, for large programs, `bytecode.py` and `interpreter.py`; `llvm_build.py` compiles it, and
`code_cache.py` keeps it on disk. The room uses `autodiff`, `symbolic` and what they use. Begin reading in `program.py`.
"""

from micrograd_bp.compiler.program import Compiled as Compiled
from micrograd_bp.compiler.program import compile as compile  # noqa: A004 (the name that users expect)
