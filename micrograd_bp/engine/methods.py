"""`Methods`: a `Node` whose methods type checkers know.

A node's methods come from the table when it is imported (`number.add_method`), where no type checker sees them. The
stub beside this module lists them with their types; `python .ci/stubs.py` writes it. At run time it is `Node` itself.
"""

from __future__ import annotations

from typing import Any

from micrograd_bp.engine.node import Node as Methods

Graph = Any  # to type checkers the class of this name in the room `drawing`, which is above this one

__all__ = ["Graph", "Methods"]
