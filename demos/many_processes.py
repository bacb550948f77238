"""One training spread over processes: each batch's samples go to workers, and the result is the same for any number.

`fit(workers=n)` hands the samples to joblib. Its own processes are one place for them; inside `joblib.parallel_config`
the same call goes to a cluster, here to a Dask LocalCluster of two processes (--dask; needs `pip install distributed`).
Each way is timed once; what is compared are the parameters, bit for bit.

Writes speed.png (seconds of each way).
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import micrograd_bp as mb
from common import BLUE, axes, figure, options, save
from micrograd_bp import nn
from micrograd_bp.cli.output import table
from micrograd_bp.errors import MissingExtraError


def data(count: int, seed: int = 0) -> tuple[list[list[float]], list[int]]:
    """Points with 16 numbers, and which half their sum is in."""
    draw = random.Random(seed)
    X = [[draw.uniform(-1.0, 1.0) for _ in range(16)] for _ in range(count)]
    return X, [int(sum(x) > 0) for x in X]


def train(X: list[list[float]], Y: list[int], epochs: int, workers: int | None) -> tuple[list[float], float]:
    """The parameters after some epochs of Adam, and seconds an epoch, the first apart: processes start in it."""
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
    """Two processes of a Dask LocalCluster, for joblib."""
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


def ways(dask: bool) -> dict[str, tuple[Callable[[], Any], int | None]]:
    """What surrounds `fit`, and its number of workers, by what it is called."""
    nothing = contextlib.nullcontext
    found: dict[str, tuple[Callable[[], Any], int | None]] = {
        "in this process": (nothing, None),
        "one worker": (nothing, 1),
        "two workers": (nothing, 2),
    }
    return found | ({"two workers of a Dask cluster": (dask_cluster, 2)} if dask else {})


def main(arguments: list[str] | None = None) -> None:
    """Train each way, compare, plot."""
    parser = options(__doc__, "many_processes", quick="few samples, two epochs")
    parser.add_argument("--dask", action="store_true", help="also on a Dask LocalCluster of two processes")
    given = parser.parse_args(arguments)
    X, Y = data(16 if given.quick else 256)
    epochs = 2 if given.quick else 5
    rows, seconds, found = [("", "s an epoch", "the parameters")], {}, {}
    for name, (surroundings, workers) in ways(given.dask).items():
        with surroundings():
            found[name], seconds[name] = train(X, Y, epochs, workers)
        reference = found.get("one worker", found[name])
        off = max(abs(a - b) for a, b in zip(found[name], reference, strict=True))
        same = "" if workers is None else "the same bits" if off == 0.0 else f"NOT the same, off by {off:.1e}"
        rows.append((name, f"{seconds[name]:.3f}", same))
    print(table(rows), "\n")
    plot(seconds, given.out)


def plot(seconds: dict[str, float], folder: Path) -> Path:
    """Bars."""
    made = figure(7, 3)
    chart = axes(made, title="One epoch, spread over processes", xlabel="seconds")
    chart.barh(list(seconds)[::-1], list(seconds.values())[::-1], color=BLUE)
    return save(made, folder, "speed.png")


if __name__ == "__main__":
    main()
