"""How fast the engine is, beside its peers: `python -m benchmarks`.

Installs nothing: measures every peer that can be imported, each in a process of its own, in rounds, so that what the
machine does meanwhile falls on all alike; with the cyclic garbage collector as a user finds it, and off. The gradients
are compared first. Writes RESULTS.md and results.png beside itself, or where --out says.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.report import Times, markdown, plot
from benchmarks.workloads import workloads

ROOT = Path(__file__).parent.parent


class Worker:
    """A process with one peer."""

    def __init__(self, name: str) -> None:
        self.name = name
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        # the project's folder comes last: what is installed is measured, where it is installed
        run = "runpy.run_module('benchmarks.worker', None, '__main__')"
        start = f"import sys, runpy; sys.path.append({str(ROOT)!r}); {run}"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", start, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.fault: str | None = self._answer().get("error")

    def ask(self, what: str, collector: bool = True) -> dict[str, Any]:
        """What it measured, or {"error": ...}."""
        pipe = self.process.stdin
        if self.fault or pipe is None or self.process.poll() is not None:
            return {"error": self.fault or "crashed"}
        pipe.write(json.dumps({"what": what, "collector": collector}) + "\n")
        pipe.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": "crashed"}
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def agree(one: list[float], other: list[float]) -> bool:
    """Whether two gradients are the same, to 1e-9 of the largest derivative."""
    scale = max(map(abs, other), default=0.0)
    return all(abs(a - b) <= 1e-9 * scale for a, b in zip(one, other, strict=True))


def measure(names: list[str], chosen: list[str], rounds: int) -> tuple[Times, dict[str, str]]:
    """Seconds by (workload, collector, peer), round by round, and what went wrong by peer and workload."""
    workers = {name: Worker(name) for name in names}
    faults = {name: worker.fault for name, worker in workers.items() if worker.fault}
    times: Times = {}
    reference: dict[str, list[float]] = {}
    for turn in range(rounds):
        for workload in chosen:
            for name, worker in workers.items():
                if worker.fault or workload not in PEERS[name].workloads or f"{name}, {workload}" in faults:
                    continue
                for collector in (True, False):
                    _tell(f"round {turn + 1} of {rounds}: {workload}, {name}")
                    answer = worker.ask(workload, collector)
                    gradient = answer.get("gradient") or []
                    if "error" in answer:
                        faults[f"{name}, {workload}"] = answer["error"]
                        break
                    if gradient and not agree(gradient, reference.setdefault(workload, gradient)):
                        faults[f"{name}, {workload}"] = "another gradient"
                        break
                    seconds = (answer["forward"], 0.0 if math.isnan(answer["backward"]) else answer["backward"])
                    times.setdefault((workload, collector, name), []).append(seconds)
    for worker in workers.values():
        worker.close()
    return times, faults


def once(names: list[str]) -> dict[str, dict[str, Any]]:
    """Memory, depth and growth of the engines of nodes, each in a fresh process."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        for what in ("memory", "depth", "growth"):
            worker = Worker(name)
            if not worker.fault:
                _tell(f"{what}, {name}")
                found.setdefault(name, {})[what] = worker.ask(what)
            worker.close()
    return found


def _tell(text: str) -> None:
    """What is being measured, in one line of the terminal."""
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="PEER", choices=PEERS, help=f"of {', '.join(PEERS)}")
    parser.add_argument("--workloads", nargs="+", metavar="NAME", choices=workloads(), help=", ".join(workloads()))
    parser.add_argument("--no-scale", action="store_true", help="leave out memory, depth and growth")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (default: this one)")
    given = parser.parse_args()
    names = [name for name in given.only or PEERS if PEERS[name].version() is not None]
    chosen = given.workloads or list(workloads())
    times, faults = measure(names, chosen, given.rounds)
    nodes = [name for name in ("compiled", "interpreted", "minimal", "micrograd") if name in names]
    scale = {} if given.no_scale else once([name for name in nodes if name not in faults])
    text = markdown(times, faults, scale, given.rounds)
    print(f"\n{text}")
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "RESULTS.md").write_text(text, encoding="utf-8")
    plot(times, given.out / "results.png")
    print(f"wrote {given.out / 'RESULTS.md'} and {given.out / 'results.png'}", file=sys.stderr)


if __name__ == "__main__":
    main()
