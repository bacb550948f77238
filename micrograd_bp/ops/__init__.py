"""The operations. `table.py` is THE table: one line per operation with its function and derivative rules, then the
facts that differ from the defaults. `op.py` says what an operation is, `domain.py` where one is real and how exact its
rules are, `ieee.py` holds float functions that never raise, `reals.py` decides what counts as a real number.

The operations are functions of this room: `ops.log(x)`. Begin reading in `table.py`.
"""

from micrograd_bp.ops.table import *
