"""One training spread over processes: the samples of each batch go to workers, and any number of them gives the same.

`fit(workers=n)` hands the samples to joblib, which runs them in processes of its own. Inside `joblib.parallel_config`
the same call uses a cluster, here a Dask LocalCluster of two processes (--dask; it needs `pip install distributed`).
Each training is timed once, and its parameters are compared bit for bit.

The demo writes speed.png (the seconds of each training).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import micrograd_bp as mb
from demos.shared.command_line import options, table
from demos.shared.figures import BLUE, axes, figure, save
from micrograd_bp import nn
from micrograd_bp.errors import MissingExtraError


def data(count: int, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Return points with 16 coordinates, and the classes 1 where their sum is positive and 0 elsewhere."""
    draw = random.Random(seed)
    X = [[draw.uniform(-1.0, 1.0) for _ in range(16)] for _ in range(count)]
    return X, [int(sum(x) > 0) for x in X]


def train(X: list[list[float]], Y: list[int], epochs: int, workers: int | None) -> tuple[list[float], float]:
    """Return the parameters after Adam, and the seconds of an epoch without the first, in which processes start."""
    model = nn.MLP(16, [32, 32, 2], activation="tanh", seed=1)
    marks: list[float] = []
    mb.fit(
        model,
        X,
        Y,
        loss="cross_entropy",
        optimiser="adam",
        learning_rate=0.01,
        epochs=epochs + 1,
        workers=workers,
        progress=False,
        callbacks=[lambda epoch, history: marks.append(time.perf_counter())],
    )
    return [p.data for p in model.parameters()], (marks[-1] - marks[0]) / epochs


@contextlib.contextmanager
def dask_cluster() -> Any:
    """Let joblib use a Dask LocalCluster of two processes."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise MissingExtraError("a Dask cluster needs  pip install distributed") from None
    from joblib import parallel_config

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        parallel_config(backend="dask"),
    ):
        yield


def settings(dask: bool) -> dict[str, tuple[Callable[[], Any], int | None]]:
    """Return the context in which `fit` runs and its number of workers, by name."""
    nothing = contextlib.nullcontext
    found: dict[str, tuple[Callable[[], Any], int | None]] = {
        "in this process": (nothing, None),
        "one worker": (nothing, 1),
        "two workers": (nothing, 2),
    }
    return found | ({"two workers of a Dask cluster": (dask_cluster, 2)} if dask else {})


def main(arguments: list[str] | None = None) -> None:
    """Train in each setting, compare the parameters, and plot the seconds."""
    parser = options(__doc__, "training_in_processes", quick="few samples, two epochs")
    parser.add_argument("--dask", action="store_true", help="train on a Dask LocalCluster of two processes, too")
    given = parser.parse_args(arguments)
    X, Y = data(16 if given.quick else 256)
    epochs = 2 if given.quick else 5
    rows, seconds, found = [("", "s an epoch", "parameters")], {}, {}
    for name, (context, workers) in settings(given.dask).items():
        with context():
            found[name], seconds[name] = train(X, Y, epochs, workers)
        reference = found.get("one worker", found[name])
        off = max(abs(a - b) for a, b in zip(found[name], reference, strict=True))
        same = "" if workers is None else "the same bits" if off == 0.0 else f"NOT the same, off by {off:.1e}"
        rows.append((name, f"{seconds[name]:.3f}", same))
    print(table(rows), "\n")
    plot(seconds, given.out)


def plot(seconds: dict[str, float], folder: Path) -> Path:
    """Plot the seconds of an epoch as bars."""
    made = figure(7, 3)
    chart = axes(made, title="One epoch, spread over processes", xlabel="seconds")
    chart.barh(list(seconds)[::-1], list(seconds.values())[::-1], color=BLUE)
    return save(made, folder, "speed.png")


if __name__ == "__main__":
    main()
