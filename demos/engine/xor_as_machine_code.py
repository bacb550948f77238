"""The XOR network as machine code: a function is recorded and listed, then trained from 200 starts.

The demo first shows the loss of a sample as the compiler records it, and its gradient beside the engine's. Then it runs
the first tutorial's training twice, by the engine and as one loop of machine code; costs and parameters are the same.
Then it trains from 200 starts for at most 30,000 epochs each. This takes the engine a quarter of an hour, and machine
code a few seconds. The extra `native` has to be installed.

The demo writes costs.png (the cost by epoch from every start) and xor.c (loss and gradient of a sample as C99).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import time
from collections.abc import Sequence
from pathlib import Path

import micrograd_bp as mb
from demos.shared.command_line import count, heading, options, table, wrote
from demos.shared.figures import BLUE, ORANGE, axes, figure, save
from demos.shared.xor import XOR_Y, X, error, train, tutorial_model
from micrograd_bp.nn import MLP
from micrograd_bp.training.history import History


def trained(seed: int, epochs: int, compiled: bool) -> tuple[MLP, History, float]:
    """Train from the draws of the seed as the tutorial does; return the network, its history and the seconds."""
    model = tutorial_model(seed)
    start = time.perf_counter()
    history = train(model, epochs, compiled=compiled)
    return model, history, time.perf_counter() - start


def classifies(model: MLP) -> bool:
    """Tell whether all four outputs are on the correct side of 1/2."""
    return all((model(x).data > 0.5) == (y > 0.5) for x, y in zip(X, XOR_Y, strict=True))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the largest difference divided by the largest number."""
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / max(map(abs, theirs))


def show_program(folder: Path) -> None:
    """Print the recorded loss of a sample and compare its gradient with the engine's; write it as C."""
    model = tutorial_model(3)
    loss = mb.compile(lambda x, y: error(model(x), y))
    loss.backward(X[1], XOR_Y[1])
    ours = [p.grad for p in loss.parameters(X[1], XOR_Y[1])]
    model.zero_grad()
    error(model(X[1]), XOR_Y[1]).backward()
    theirs = [p.grad for p in loss.parameters(X[1], XOR_Y[1])]
    print(heading("The loss of a sample"))
    print(loss.listing(X[1], XOR_Y[1]), "\n")
    print(f"The largest relative difference of its gradient from the engine's is {difference(ours, theirs):.1e}.")
    source = folder / "xor.c"
    source.write_text(loss.to_c(X[1], XOR_Y[1], name="xor_loss"), encoding="utf-8")
    wrote(source)
    print()


def compare(epochs: int) -> None:
    """Print a table of one training by the engine and by machine code."""
    rows, results = [("by", "seconds", "µs an epoch", "cost")], []
    for name, compiled in (("engine", False), ("machine code", True)):
        model, history, seconds = trained(3, epochs, compiled)
        results.append((history.cost, [p.data for p in model.parameters()]))
        rows.append((name, f"{seconds:.3f}", f"{1e6 * seconds / history.epochs:.2f}", f"{history.cost[-1]:.10f}"))
    (costs, parameters), (others, numbers) = results
    print(heading(f"The training from seed 3, {len(costs)} epochs"))
    print(table(rows))
    print(
        f"The largest relative difference is {difference(others, costs):.1e} for the costs, "
        f"{difference(numbers, parameters):.1e} for the parameters.\n"
    )


def many(starts: int, epochs: int, folder: Path) -> None:
    """Train from this many starts; print how many stop and classify, and plot the costs."""
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
    print(f"{stopped} reach the stop ({stopped / starts:.1%}), {right} classify ({right / starts:.1%}).")
    save(made, folder, "costs.png")


def main(arguments: list[str] | None = None) -> None:
    """Show the recorded function, compare one training, and train from many starts."""
    parser = options(__doc__, "xor_as_machine_code", quick="20 starts of 3,000 epochs")
    parser.add_argument("--starts", type=count, default=200, help="number of starts (default %(default)s)")
    parser.add_argument("--epochs", type=count, default=30_000, help="largest number of epochs (default %(default)s)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    show_program(given.out)
    compare(1000 if given.quick else 10_000)
    many(20 if given.quick else given.starts, 3_000 if given.quick else given.epochs, given.out)


if __name__ == "__main__":
    main()
