"""Who is measured: each peer computes a workload's value and gradient. One that is not installed is left out.

A peer's `load()` imports it and gives a function that runs a workload once: seconds forward, seconds backward (nan
where they cannot be told apart; then all is in the first), and the gradient.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from benchmarks.workloads import Workload

Run = Callable[[Workload], tuple[float, float, list[float]]]
PACKAGE = Path(__file__).parent.parent / "micrograd_bp"
OURS = ("chain", "moons", "step", "batch", "xor", "gpt")
METHODS = SimpleNamespace(relu=lambda v: v.relu(), exp=lambda v: v.exp(), log=lambda v: v.log())


class Peer(NamedTuple):
    """`distribution` is what it is installed as; "" for what is part of this project."""

    name: str
    load: Callable[[], Run]
    distribution: str = ""
    workloads: tuple[str, ...] = ("chain", "moons", "xor", "gpt")

    def version(self) -> str | None:
        """None where it is not installed."""
        try:
            return version(self.distribution) if self.distribution else ""
        except PackageNotFoundError:
            return None


class Nodes:
    """For engines of nodes with `backward()` and `grad`; `leaf` makes one of a number, `network` one of layer sizes."""

    def __init__(self, leaf: Callable[[float], Any], network: Callable[[int, list[int]], Any] | None = None) -> None:
        self.leaf = leaf
        self.network = network

    def __call__(self, workload: Workload) -> tuple[float, float, list[float]]:
        if workload.steps and self.network is not None:
            return self.train(self.network(2, [16, 16, 1]), workload)
        leaves = [self.leaf(x) for x in workload.inputs]
        start = time.perf_counter()
        root = workload.f(leaves, METHODS)
        middle = time.perf_counter()
        root.backward()
        end = time.perf_counter()
        return middle - start, end - middle, [float(p.grad or 0.0) for p in leaves]  # torch: None where nothing came

    def train(self, model: Any, workload: Workload) -> tuple[float, float, list[float]]:
        """The training loop as micrograd's users write it; its first step is not timed."""
        for p, x in zip(model.parameters(), workload.inputs, strict=True):
            p.data = x
        forward = backward = 0.0
        for step in range(workload.steps + 1):
            start = time.perf_counter()
            model.zero_grad()
            loss = workload.f(model, METHODS)
            middle = time.perf_counter()
            loss.backward()
            for p in model.parameters():
                p.data -= 0.001 * p.grad
            end = time.perf_counter()
            if step > 0:
                forward, backward = forward + (middle - start), backward + (end - middle)
        return forward, backward, [float(p.grad) for p in model.parameters()]


class _Sources(MetaPathFinder):
    """Finds this project's modules as Python sources, though compiled ones stand beside them."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        parts = name.split(".")
        if parts[0] != PACKAGE.name:
            return None
        stem = PACKAGE.joinpath(*parts[1:])
        if (stem / "__init__.py").exists():
            return spec_from_file_location(name, stem / "__init__.py", submodule_search_locations=[str(stem)])
        source = stem.with_suffix(".py")
        return spec_from_file_location(name, source) if source.exists() else None


def _interpreted() -> Run:
    sys.meta_path.insert(0, _Sources())
    return _ours()


def _ours() -> Run:
    from micrograd_bp import Value
    from micrograd_bp.nn import MLP

    return Nodes(Value, MLP)


def _compiled() -> Run:
    import micrograd_bp

    if not getattr(micrograd_bp, "compiled", False):
        raise ImportError("this installation is not compiled")
    return _ours()


def _minimal() -> Run:
    from benchmarks.minimal import Value

    return Nodes(Value)


def _micrograd() -> Run:
    from micrograd.engine import Value
    from micrograd.nn import MLP

    return Nodes(Value, MLP)


def _minigrad() -> Run:
    from minigrad import Value

    kept: list[Any] = []  # it crashes when it frees a graph
    run = Nodes(Value)

    def keeping(workload: Workload) -> tuple[float, float, list[float]]:
        def f(numbers: Any, rows: Any) -> Any:
            kept.append(workload.f(numbers, rows))
            return kept[-1]

        return run(workload._replace(f=f))

    return keeping


def _torch() -> Run:
    import torch

    torch.set_num_threads(1)
    return Nodes(lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True))


def _xad() -> Run:
    import xad.adj_1st as xad
    import xad.math as functions

    rows = SimpleNamespace(relu=lambda v: functions.max(v, 0.0), exp=functions.exp, log=functions.log)

    def run(workload: Workload) -> tuple[float, float, list[float]]:
        with xad.Tape() as tape:
            leaves = [xad.Real(x) for x in workload.inputs]
            for leaf in leaves:
                tape.registerInput(leaf)
            tape.newRecording()
            start = time.perf_counter()
            root = workload.f(leaves, rows)
            middle = time.perf_counter()
            tape.registerOutput(root)
            root.derivative = 1.0
            tape.computeAdjoints()
            end = time.perf_counter()
            return middle - start, end - middle, [leaf.derivative for leaf in leaves]

    return run


def _traced(gradient_of: Callable[[Callable[..., Any]], Callable[..., Any]], rows: Any, array: Any) -> Run:
    """For libraries whose gradient is a transformation of a function of an array."""

    def run(workload: Workload) -> tuple[float, float, list[float]]:
        inputs = array(workload.inputs)
        start = time.perf_counter()
        gradient = gradient_of(lambda p: workload.f([p[i] for i in range(len(workload.inputs))], rows))(inputs)
        found = [float(x) for x in gradient]
        return time.perf_counter() - start, math.nan, found

    return run


def _autograd() -> Run:
    import autograd.numpy as np
    from autograd import grad

    return _traced(grad, SimpleNamespace(relu=lambda v: np.maximum(v, 0.0), exp=np.exp, log=np.log), np.array)


def _jax() -> Run:
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", True)
    rows = SimpleNamespace(relu=lambda v: jax.numpy.maximum(v, 0.0), exp=jax.numpy.exp, log=jax.numpy.log)
    return _traced(jax.grad, rows, jax.numpy.array)


def _casadi() -> Run:
    import casadi

    rows = SimpleNamespace(relu=lambda v: casadi.fmax(v, 0.0), exp=casadi.exp, log=casadi.log)

    def run(workload: Workload) -> tuple[float, float, list[float]]:
        symbols = [casadi.SX.sym(f"x{i}") for i in range(len(workload.inputs))]
        start = time.perf_counter()
        root = workload.f(symbols, rows)
        middle = time.perf_counter()
        every = casadi.vertcat(*symbols)
        function = casadi.Function("f", [every], [casadi.gradient(root, every)])
        found = [float(x) for x in function(workload.inputs).full().ravel()]
        return middle - start, time.perf_counter() - middle, found

    return run


def _floats() -> Run:
    """No gradient at all: what the operations cost Python itself."""
    rows = SimpleNamespace(relu=lambda v: max(0.0, v), exp=math.exp, log=math.log)

    def run(workload: Workload) -> tuple[float, float, list[float]]:
        start = time.perf_counter()
        workload.f(workload.inputs, rows)
        return time.perf_counter() - start, math.nan, []

    return run


PEERS = {
    peer.name: peer
    for peer in (
        Peer("compiled", _compiled, workloads=OURS),
        Peer("interpreted", _interpreted, workloads=OURS),
        Peer("floats", _floats, workloads=("chain", "moons", "xor")),
        Peer("minimal", _minimal),
        Peer("micrograd", _micrograd, "micrograd", ("chain", "moons", "step", "batch")),
        Peer("minigrad", _minigrad, "minigrad", ("chain",)),  # crashes on larger ones
        Peer("torch", _torch, "torch"),
        Peer("xad", _xad, "xad", ("chain", "moons", "xor")),
        Peer("autograd", _autograd, "autograd", ("chain", "moons", "xor")),
        Peer("casadi", _casadi, "casadi", ("chain", "moons", "xor")),
        Peer("jax", _jax, "jax", ("chain", "xor")),
    )
}
"""In the order of the tables. A workload that a peer has no functions for, or is hopeless at, is left out."""
