"""The engine: `Value`, a number that remembers how it was made, and `backward()`.

`value.py` records operations and runs the backward pass; `node.py` is what a value holds; `number.py` gives every
kind of number its operators; `chain.py` is the one rule for what passes along an edge; `custom_op.py` is `@op`;
`pickling.py` copies and pickles graphs. The room uses `ops` only. Begin reading in `value.py`.
"""

from micrograd_bp.engine import pickling as pickling  # teaches copy and pickle about Value
from micrograd_bp.engine.custom_op import op
from micrograd_bp.engine.value import Value, topological_order

__all__ = ["Value", "op", "topological_order"]
