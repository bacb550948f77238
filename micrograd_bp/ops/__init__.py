"""The operations. `table.py` is the one table: it has a line for each operation, with its function and derivative
rules, and then the facts that differ from the defaults. `op.py` defines the class `Op`, `domain.py` describes domains
and error bounds, `ieee.py` has float functions that never raise, and `reals.py` decides what counts as a real number.

The operations are functions of this package: `ops.log(x)`. Begin reading in `table.py`.
"""

from micrograd_bp.ops.table import *
