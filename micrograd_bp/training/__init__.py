"""Training: `loop.py` is `fit`, `native_loop.py` the same as machine code, `workers.py` over processes; `losses.py`,
`optim.py` and `schedules.py` are what it is made of; `history.py` is its record and the state needed to resume it;
`progress.py` has the bar and the callbacks. Begin reading in `loop.py`.
"""

from micrograd_bp.training import losses, optim, schedules
from micrograd_bp.training.history import History
from micrograd_bp.training.loop import fit

__all__ = ["History", "fit", "losses", "optim", "schedules"]
