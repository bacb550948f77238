"""The engine: `Value`, a number that records the operation that made it, and `backward()`.

`value.py` records operations and runs the backward pass, `node.py` defines the state of a node, `number.py` gives every
kind of number its operators, `chain.py` has the rule for what passes along an edge, `custom_op.py` has `@op`,
`pickling.py` copies and pickles graphs, and `forks.py` has what a fork waits for. Begin reading in `value.py`.
"""

from micrograd_bp.engine import pickling as pickling  # registers Value with copy and pickle
from micrograd_bp.engine.custom_op import op
from micrograd_bp.engine.value import Value, topological_order

__all__ = ["Value", "op", "topological_order"]
