"""`Methods`: what a type checker knows of a node's operators and of its method per operation of the table.

The methods themselves are set by `number.add_method`, from the table, where no type checker sees them. The stub beside
this module lists them with their types; `python .ci/stubs.py` writes it.
"""

from __future__ import annotations

from micrograd_bp._mypyc import mypyc_attr
from micrograd_bp.engine.node import Node


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Methods(Node):
    """A node that has a method per operation of the table, typed."""

    __slots__ = ()
