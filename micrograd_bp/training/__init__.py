"""Training: `fit(model, X, Y)` minimises the mean loss of a model's outputs by an optimiser, and returns a `History`.

`loop.py` is `fit`. `losses.py`, `optim.py` and `schedules.py` have the losses, the optimisers and the learning rate
schedules; `history.py` has the record of a training and the state needed to resume it; `progress.py` has the progress
bar and calls the callbacks. `native_loop.py` trains in machine code, `workers.py` in several processes. The room uses
`nn`, `compiler`, `explanation` and what they use. Begin reading in `loop.py`.
"""

from micrograd_bp.training import losses, optim, schedules
from micrograd_bp.training.history import History
from micrograd_bp.training.loop import fit

__all__ = ["History", "fit", "losses", "optim", "schedules"]
