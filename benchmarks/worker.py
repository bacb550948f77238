"""A process that measures one peer when it is told to: a line of JSON in, a line of JSON out.

A process each, so that no peer's memory weighs on another's garbage collector, and one that crashes takes none along.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, Nodes
from benchmarks.workloads import workloads

Answer = dict[str, Any]


def measure(run: Any, name: str, collector: bool) -> Answer:
    """Seconds forward and backward, and the gradient: of a second step, as training repeats it."""
    sys.setrecursionlimit(1_000_000)  # peers sort recursively
    workload = workloads()[name]
    gc.collect()
    (gc.enable if collector else gc.disable)()
    run(workload)
    forward = backward = 0.0
    gradient: list[float] = []
    for _ in range(workload.repeat):
        a, b, gradient = run(workload)
        forward, backward = forward + a, backward + b
    gc.enable()
    return {"forward": forward, "backward": backward, "gradient": gradient}


def memory(nodes: Nodes, count: int = 200_000) -> Answer:
    """Bytes a node, by the process's growth over a chain of `count` operations, and by `sys.getsizeof`."""
    gc.collect()
    x = nodes.leaf(0.5)
    v = _chain(x, 1000)
    before = _resident()
    v = _chain(x, count)
    return {"resident": (_resident() - before) / count, "sizeof": sys.getsizeof(v)}


def depth(nodes: Nodes, count: int = 1_000_000) -> Answer:
    """Seconds to build, to run backward through and to free a chain of `count` operations, as a user finds it."""
    x = nodes.leaf(0.5)
    start = time.perf_counter()
    v = _chain(x, count)
    built = time.perf_counter()
    try:
        v.backward()
    except RecursionError:
        return {"error": "RecursionError"}
    passed = time.perf_counter()
    del v
    return {"build": built - start, "backward": passed - built, "free": time.perf_counter() - passed}


def growth(nodes: Nodes, steps: int = 10_000) -> Answer:
    """By how many bytes the process grows over training steps of XOR, the first tenth apart."""
    workload = workloads()["xor"]
    numbers, before = list(workload.inputs), 0
    for step in range(steps + steps // 10):
        if step == steps // 10:
            before = _resident()
        _, _, gradient = nodes(workload._replace(inputs=numbers))
        numbers = [x - 0.15 * g for x, g in zip(numbers, gradient, strict=True)]
    return {"growth": _resident() - before, "steps": steps}


ONCE: dict[str, Callable[[Nodes], Answer]] = {"memory": memory, "depth": depth, "growth": growth}
"""What is measured once, of engines of nodes."""


def _chain(x: Any, count: int) -> Any:
    v = x * x
    for _ in range(count // 2):
        v = v * x
        v = v + x
    return v


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """Answer lines until there are none."""
    try:
        run: Any = PEERS[sys.argv[1]].load()
    except ImportError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["what"] in ONCE:
                answer = ONCE[asked["what"]](run)
            else:
                answer = measure(run, asked["what"], asked["collector"])
        except (AttributeError, TypeError) as error:  # a function that the peer does not have
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    sys.stdout.flush()
    os._exit(0)  # without freeing: a peer crashes there


if __name__ == "__main__":
    main()
