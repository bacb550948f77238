"""Eager speed beside micrograd, in one interleaved run: `python benchmarks/eager.py` (installs nothing).

chain: 10,000 operations `* + * relu`; moons: one full-batch step of MLP 2-16-16-1 over 100 points, as micrograd's demo.
Prints machine, versions, medians and spreads, and the ratio micrograd / ours (above 1: ours is faster), with the cyclic
garbage collector on, as a user finds it, and off. Answers are compared first.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

Timing = tuple[float, float]  # seconds of forward and backward


def chain(engine: Any, nn: Any) -> tuple[Any, list[Any]]:
    """v = relu((v * y + x) * x), 2,500 times."""
    x, y = engine.Value(0.9), engine.Value(0.5)
    v = x
    for _ in range(2_500):
        v = v * y
        v = v + x
        v = v * x
        v = v.relu()
    return v, [x, y]


def moons(engine: Any, nn: Any) -> tuple[Any, list[Any]]:
    """The SVM loss with L2 penalty of a batch of 100."""
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    batch = [[random.gauss(0, 1), random.gauss(0, 1)] for _ in range(100)]
    scores = [model([engine.Value(a) for a in x]) for x in batch]
    labels = [1 if x[0] * x[1] > 0 else -1 for x in batch]
    losses = [(1 + -y * score).relu() for y, score in zip(labels, scores, strict=True)]
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    return sum(losses) * (1.0 / len(losses)) + penalty, model.parameters()


def run(workload: Callable[..., tuple[Any, list[Any]]], package: str) -> tuple[Timing, list[float]]:
    """One forward and backward pass: its times, and the gradients."""
    engine, nn = importlib.import_module(f"{package}.engine"), importlib.import_module(f"{package}.nn")
    gc.collect()
    start = time.perf_counter()
    root, leaves = workload(engine, nn)
    middle = time.perf_counter()
    root.backward()
    end = time.perf_counter()
    return (middle - start, end - middle), [leaf.grad for leaf in leaves]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default 7)")
    rounds = parser.parse_args().rounds
    sys.setrecursionlimit(100_000)  # micrograd sorts recursively
    try:
        peer = f"micrograd {importlib.metadata.version('micrograd')}"
    except importlib.metadata.PackageNotFoundError:
        sys.exit("the peer is not installed:  pip install micrograd")
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {peer}, medians of {rounds} rounds (min to max)\n"
    )
    print(f"{'':6} {'collector':9} {'':8} {'ours, ms':>24} {'micrograd, ms':>24}  ratio")
    for workload in (chain, moons):
        grads = [run(workload, package)[1] for package in ("micrograd_bp", "micrograd")]
        for ours, theirs in zip(*grads, strict=True):
            if abs(ours - theirs) > 1e-9 * max(abs(ours), abs(theirs)):
                sys.exit(f"{workload.__name__}: the answers differ, {ours} and {theirs}")
        for collector in (True, False):
            (gc.enable if collector else gc.disable)()
            times: dict[str, list[Timing]] = {"micrograd_bp": [], "micrograd": []}
            for _ in range(rounds):
                for package, runs in times.items():
                    runs.append(run(workload, package)[0])
            gc.enable()
            for part, pick in (("forward", lambda t: t[0]), ("backward", lambda t: t[1]), ("both", sum)):
                ours, theirs = ([1e3 * pick(t) for t in runs] for runs in times.values())
                ratio = statistics.median(theirs) / statistics.median(ours)
                switch = "on" if collector else "off"
                print(
                    f"{workload.__name__:6} {switch:9} {part:8} {_spread(ours):>24} {_spread(theirs):>24}  {ratio:.2f}"
                )


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"


if __name__ == "__main__":
    main()
