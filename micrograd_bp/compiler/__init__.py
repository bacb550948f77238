"""Record once, replay: `compile(f)`."""

from micrograd_bp.compiler.program import Compiled as Compiled
from micrograd_bp.compiler.program import compile as compile  # noqa: A004 (the name that users expect)
