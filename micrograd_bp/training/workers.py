"""The gradients of a batch from several processes, through joblib.

The processes compute the gradient of each sample separately, and the gradients are added in the order of the samples,
so the result is the same for any number of workers. By default they run on this machine; inside
`joblib.parallel_config(backend="dask")` or another backend of joblib they run on a cluster.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from micrograd_bp.engine import Value
from micrograd_bp.errors import MissingExtraError
from micrograd_bp.training.losses import Loss, Sample


class Workers(NamedTuple):
    """Processes that compute `loss(model(x), y)` and its gradient with respect to the parameters."""

    parallel: Any
    processes: int
    content: bytes
    parameters: list[Value]

    def gradients(self, samples: Sequence[Sample]) -> tuple[float, list[float]]:
        """Return the mean loss of the samples and its gradient."""
        from joblib import delayed

        numbers = [p.data for p in self.parameters]
        size = -(-len(samples) // self.processes)
        shares = [samples[start : start + size] for start in range(0, len(samples), size)]
        found = self.parallel(delayed(_gradients)(self.content, numbers, share) for share in shares)
        total, sums = 0.0, [0.0] * len(numbers)
        for share in found:
            for loss, gradient in share:
                total += loss
                sums = [s + g for s, g in zip(sums, gradient, strict=True)]
        return total / len(samples), [s / len(samples) for s in sums]


@contextmanager
def workers(count: int, model: Any, loss: Loss, parameters: list[Value]) -> Iterator[Workers]:
    """Start `count` processes, which live as long as the context.

    Raises MissingExtraError without joblib, TypeError where model or loss cannot be pickled.
    """
    try:
        from joblib import Parallel
    except ImportError:
        raise MissingExtraError("workers need joblib:  pip install 'micrograd_bp[parallel]'") from None
    try:
        content = pickle.dumps((model, loss, parameters))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"workers receive model and loss by pickle, which fails: {error}; define them at the top level of a module"
        ) from None
    with Parallel(n_jobs=count) as parallel:
        yield Workers(parallel, count, content, parameters)


@lru_cache(maxsize=1)  # each step sends the same pickled model with new parameters
def _loaded(content: bytes) -> tuple[Any, Loss, list[Value]]:
    loaded: tuple[Any, Loss, list[Value]] = pickle.loads(content)
    return loaded


def _gradients(content: bytes, numbers: list[float], samples: Sequence[Sample]) -> list[tuple[float, list[float]]]:
    """Return loss and gradient of each sample for the given parameters."""
    model, loss, parameters = _loaded(content)
    for p, x in zip(parameters, numbers, strict=True):
        p.data = x
    found = []
    for x, y in samples:
        cost = loss(model(x), y)
        if not isinstance(cost, Value):
            raise TypeError(f"the loss of the model gives {type(cost).__name__}, not a Value")
        for p in parameters:
            p.zero_grad()
        cost.backward()
        found.append((cost.data, [p.grad for p in parameters]))
    return found
