"""The measurements as tables and as a plot."""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
from pathlib import Path
from typing import Any

import micrograd_bp
from benchmarks.peers import PEERS
from benchmarks.workloads import workloads

Times = dict[tuple[str, bool, str], list[tuple[float, float]]]  # (workload, collector, peer): forward and backward


def medians(times: list[tuple[float, float]]) -> tuple[float, float, float, float, float]:
    """Forward, backward and total in the median, least and largest total."""
    totals = [a + b for a, b in times]
    forward, backward = (statistics.median(column) for column in zip(*times, strict=True))
    return forward, backward, statistics.median(totals), min(totals), max(totals)


def machine() -> str:
    """Processor, cores, system, Python."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        cpu = named[0].partition(":")[2].strip() if named else cpu
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def markdown(times: Times, faults: dict[str, str], scale: dict[str, dict[str, Any]], rounds: int) -> str:
    """RESULTS.md."""
    versions = {name: peer.version() for name, peer in PEERS.items() if any(key[2] == name for key in times)}
    listed = ", ".join(f"{name} {version}".strip() for name, version in versions.items())
    lines = [
        "# How fast",
        "",
        f"Written by `python -m benchmarks`. {machine()}, micrograd_bp {micrograd_bp.__version__}.",
        f"Measured: {listed}.",
        "",
        f"Medians of {rounds} interleaved rounds, a process for each; the gradients agree to 1e-9. Each time is",
        "that of a second step: the first is not timed, but what it left behind is there, as in training. The last",
        "columns: how many times as long as ours. `floats` computes no gradient, it is what the operations cost",
        "Python. Where forward and backward cannot be told apart, all is in the first. In training steps the first is",
        "`zero_grad()`, the model and the loss, the second `backward()` and the loop over `parameters()`.",
    ]
    for name, workload in workloads().items():
        if not any(key[0] == name for key in times):
            continue
        lines += ["", f"## {name}: {workload.says}"]
        for collector in (True, False):
            lines += ["", f"Garbage collector {'on, as a user finds it' if collector else 'off'}:", ""]
            lines += _table(times, name, collector)
    if scale:
        lines += ["", "## Memory and depth", "", *_scale(scale)]
    if faults:
        lines += ["", "## Left out", "", *[f"- {who}: {why}" for who, why in faults.items()]]
    return "\n".join(lines) + "\n"


def _table(times: Times, workload: str, collector: bool) -> list[str]:
    found = {name: medians(t) for (w, c, name), t in times.items() if (w, c) == (workload, collector)}
    ours = [name for name in ("compiled", "interpreted") if name in found]
    lines = [
        f"| | forward, ms | backward, ms | total, ms (least to most) | {' | '.join(f'/ {name}' for name in ours)} |",
        "|---|--:|--:|--:|" + "--:|" * len(ours),
    ]
    for name, (forward, backward, total, least, most) in sorted(found.items(), key=lambda pair: pair[1][2]):
        ratios = " | ".join(f"{total / found[one][2]:.2f}" for one in ours)
        numbers = (
            f"{forward * 1e3:.2f} | {backward * 1e3:.2f} | {total * 1e3:.2f} ({least * 1e3:.2f} to {most * 1e3:.2f})"
        )
        lines.append(f"| {name} | {numbers} | {ratios} |")
    return lines


def _scale(scale: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "A chain of 200,000 operations for memory, of 1,000,000 for depth; growth over 10,000 training steps of XOR.",
        "",
        "| | bytes a node (process) | `sys.getsizeof` | build, s | backward, s | free, s | growth, kB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in scale.items():
        memory, depth, growth = (found.get(what, {}) for what in ("memory", "depth", "growth"))
        seconds = [f"{depth[part]:.3f}" if part in depth else "–" for part in ("build", "backward", "free")]
        seconds[0] = depth.get("error", seconds[0])
        grown = f"{growth['growth'] / 1024:.0f}" if "growth" in growth else "–"
        lines.append(f"| {name} | {memory['resident']:.0f} | {memory['sizeof']} | {' | '.join(seconds)} | {grown} |")
    return lines


def plot(times: Times, path: Path) -> None:
    """Nanoseconds an operation, forward and backward, with the collector on."""
    if importlib.util.find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure

    shown = [name for name in workloads() if any(key[0] == name for key in times)]
    figure = Figure(figsize=(4.2 * len(shown), 4.2), layout="constrained")
    figure.suptitle("Forward and backward, ns per operation (garbage collector on)")
    for place, workload in enumerate(shown, start=1):
        operations = workloads()[workload].operations * workloads()[workload].repeat
        found = {name: medians(t) for (w, c, name), t in times.items() if (w, c) == (workload, True)}
        order = sorted(found, key=lambda name: -found[name][2])
        axes = figure.add_subplot(1, len(shown), place, title=workload, xscale="log")
        totals = [found[name][2] / operations * 1e9 for name in order]
        ours = [name in ("compiled", "interpreted") for name in order]
        axes.barh(order, totals, color=["#d9822b" if own else "#9cc4e4" for own in ours])
        axes.set_xlim(10.0, max(totals) * 6.0)
        for name, total in zip(order, totals, strict=True):
            axes.annotate(f" {total:,.0f}", (total, name), va="center")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", labelsize="small")
    figure.savefig(path, dpi=110)
