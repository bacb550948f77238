"""`Methods`: the class `Node` with methods that type checkers know.

A node's methods are made from the table at import (`number.add_method`), so that type checkers do not see them. The
stub of this module lists them with their types; `python .ci/stubs.py` writes it. At run time `Methods` is `Node`.
"""

from __future__ import annotations

from typing import Any

from micrograd_bp.engine.node import Node as Methods

Graph = Any  # in the stub it is `drawing.picture.Graph`; the engine does not import the drawing at run time

__all__ = ["Graph", "Methods"]
