"""The progress bar, the callbacks, and the error for a cost that is not finite."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable

from micrograd_bp.engine import Value
from micrograd_bp.errors import TrainingError
from micrograd_bp.explanation.diagnose import trace_nonfinite
from micrograd_bp.training.history import History

Callback = Callable[[int, History], object]


def call(callbacks: Iterable[Callback], history: History) -> None:
    """Call the callbacks; if one of them ends the training, `history.stopped` is "callback" or "interrupted"."""
    try:
        if True in [callback(history.epochs, history) for callback in callbacks]:
            history.stopped = "callback"
    except KeyboardInterrupt:
        history.stopped = "interrupted"


def not_finite(cost: Value, history: History) -> TrainingError:
    """Return the error for a cost or gradient that is not finite; its message names the value where that began."""
    epoch = history.epochs + 1
    found = trace_nonfinite(cost)
    cause = found.text if found else "the sum of the gradient's squares overflows"
    return TrainingError(
        f"epoch {epoch}: {cause}; a smaller learning rate or clip= may help; the model is as it was before this epoch",
        epoch,
        cause,
        history,
    )


def counted(count: int, progress: bool | None, history: History, chunk: int = 1) -> Iterable[int]:
    """Yield the number of epochs to run next, at most `chunk`, and advance the progress bar.

    With `progress` None, the bar is shown in a terminal if tqdm is installed.
    """
    sizes = [min(chunk, count - done) for done in range(0, count, chunk)]
    if progress is False or importlib.util.find_spec("tqdm") is None:
        yield from sizes
        return
    from tqdm import tqdm

    with tqdm(total=count, desc="training", unit=" epochs", disable=None if progress is None else False) as bar:
        for k, size in enumerate(sizes):
            yield size
            bar.update(size)
            if k % 50 == 0:
                bar.set_postfix_str(f"cost {history.cost[-1]:.4g}" if history.cost else "", refresh=False)
