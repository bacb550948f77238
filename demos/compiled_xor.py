"""The XOR network as machine code: one function recorded, replayed and listed, then 200 trainings of 30,000 epochs.

First the loss of a sample, what the compiler makes of it and its gradient beside the engine's. Then the first
tutorial's training, by the engine and as one loop of machine code: the same costs and parameters. Then from 200 starts,
which takes the engine a quarter of an hour and machine code seconds (needs the extra `native`).

Writes costs.png (the cost by epoch from every start) and xor.c (loss and gradient of a sample as C99).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import micrograd_bp as mb
from common import BLUE, ORANGE, axes, count, figure, heading, options, save
from micrograd_bp.cli.output import table
from micrograd_bp.cli.xor import STOP, X, Y, error, tutorial_model
from micrograd_bp.training.history import History
from micrograd_bp.nn import MLP

ALPHA = 0.15


def trained(seed: int, epochs: int, compiled: bool) -> tuple[MLP, History, float]:
    """The tutorial's training from the draws of the seed: the network, what happened, and the seconds it took."""
    model = tutorial_model(seed)
    start = time.perf_counter()
    stop = STOP / len(X)
    history = mb.fit(
        model, X, Y, loss=error, learning_rate=ALPHA, epochs=epochs, stop_cost=stop, compiled=compiled, progress=False
    )
    return model, history, time.perf_counter() - start


def classifies(model: MLP) -> bool:
    """Whether all four outputs are on the right side of 1/2."""
    return all((model(x).data > 0.5) == (y > 0.5) for x, y in zip(X, Y, strict=True))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest difference, over the largest number."""
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / max(map(abs, theirs))


def show_program(folder: Path) -> None:
    """The loss of a sample: recorded, shortened, listed, and beside the engine."""
    model = tutorial_model(3)
    loss = mb.compile(lambda x, y: error(model(x), y))
    loss.backward(X[1], Y[1])
    ours = [p.grad for p in loss.parameters(X[1], Y[1])]
    model.zero_grad()
    error(model(X[1]), Y[1]).backward()
    theirs = [p.grad for p in loss.parameters(X[1], Y[1])]
    print(heading("The loss of a sample"))
    print(loss.listing(X[1], Y[1]), "\n")
    print(f"its gradient beside the engine's: largest difference {difference(ours, theirs):.1e}")
    source = folder / "xor.c"
    source.write_text(loss.to_c(X[1], Y[1], name="xor_loss"), encoding="utf-8")
    print(f"wrote {source} (C99)\n")


def compare(epochs: int) -> None:
    """One training by the engine and by machine code."""
    rows, results = [("by", "seconds", "us an epoch", "cost")], []
    for name, compiled in (("engine", False), ("machine code", True)):
        model, history, seconds = trained(3, epochs, compiled)
        results.append((history.cost, [p.data for p in model.parameters()]))
        rows.append((name, f"{seconds:.3f}", f"{1e6 * seconds / history.epochs:.2f}", f"{history.cost[-1]:.10f}"))
    (costs, parameters), (others, numbers) = results
    print(heading(f"The training from seed 3, {len(costs)} epochs"))
    print(table(rows))
    print(
        f"largest differences, relative: costs {difference(others, costs):.1e}, "
        f"parameters {difference(numbers, parameters):.1e}\n"
    )


def many(starts: int, epochs: int, folder: Path) -> None:
    """So many trainings; how many stop and classify, and their costs."""
    made = figure(8.0, 4.5)
    chart = axes(made, title=f"XOR, 2-2-1: {starts} starts", xlabel="epoch", ylabel="cost: mean half squared error")
    stopped = right = 0
    start = time.perf_counter()
    for seed in range(starts):
        model, history, _ = trained(seed, epochs, True)
        reached = history.stopped == "cost"
        stopped, right = stopped + reached, right + classifies(model)
        thin = range(0, history.epochs, max(1, history.epochs // 300))
        line = BLUE if reached else ORANGE
        chart.semilogy([k + 1 for k in thin], [history.cost[k] for k in thin], color=line, linewidth=0.6, alpha=0.4)
    chart.plot([], [], color=BLUE, label=f"{stopped} reach the stop")
    chart.plot([], [], color=ORANGE, label=f"{starts - stopped} do not")
    chart.legend()
    print(heading(f"{starts} starts, at most {epochs} epochs each: {time.perf_counter() - start:.1f} s"))
    print(f"{stopped} reach the stop ({100 * stopped / starts:.1f} %), {right} classify ({100 * right / starts:.1f} %)")
    save(made, folder, "costs.png")


def main(arguments: list[str] | None = None) -> None:
    """Show, compare, train."""
    parser = options(__doc__, "compiled_xor", quick="20 starts of 3,000 epochs")
    parser.add_argument("--starts", type=count, default=200, help="seeds from 0 (default %(default)s)")
    parser.add_argument("--epochs", type=count, default=30_000, help="at most so many (default %(default)s)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    show_program(given.out)
    compare(1000 if given.quick else 10_000)
    many(20 if given.quick else given.starts, 3_000 if given.quick else given.epochs, given.out)


if __name__ == "__main__":
    main()
