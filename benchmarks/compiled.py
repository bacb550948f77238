"""How fast recorded programs are, beside C by hand and other compilers: `python -m benchmarks.compiled`.

Installs nothing: measures what can be imported, and gcc where it is there, in rounds, so that what the machine does
meanwhile falls on all alike; one thread, medians. Compiling is not in the times. Gradients are compared first. Writes
COMPILED.md beside itself, or where --out says.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and JAX are imported
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

import micrograd_bp as mb
from benchmarks import minimal
from benchmarks.peers import Nodes
from benchmarks.report import machine
from benchmarks.workloads import gpt_demo, workloads
from micrograd_bp.autodiff.tape import Tape
from micrograd_bp.cli.xor import X, Y, error, tutorial_model
from micrograd_bp.training.losses import mean
from micrograd_bp.training.native_loop import Loop

Task = tuple[Callable[[], Any], int]  # what is run, and how many operations of the unit that is
FLAGS = {"C": ["-O3", "-march=native"], "C, -ffast-math": ["-O3", "-march=native", "-ffast-math"]}


def c_libraries(folder: Path) -> dict[str, Any]:
    """limit.c by gcc, with and without -ffast-math; none without gcc."""
    if shutil.which("gcc") is None:
        return {}
    found = {}
    for number, (name, flags) in enumerate(FLAGS.items()):
        source, target = Path(__file__).parent / "limit.c", folder / f"limit{number}.so"
        subprocess.run(["gcc", *flags, "-shared", "-fPIC", str(source), "-o", str(target), "-lm"], check=True)
        found[name] = ctypes.CDLL(str(target))
    return found


def address(array: Any) -> Any:
    """An array for C."""
    return ctypes.c_void_p(array.ctypes.data)


def network(w: Any, x: Any, y: Any, sizes: tuple[int, ...], activation: Any) -> Any:
    """The squared error of an MLP."""
    return total_of([mb.square(a - b) for a, b in zip(outputs(w, x, sizes, activation), y, strict=True)])


def outputs(w: Any, x: Any, sizes: tuple[int, ...], activation: Any) -> list[Any]:
    """What an MLP gives; w has each neuron's weights, then its bias."""
    layer, place = list(x), 0
    for number, width in enumerate(sizes, start=1):
        found = []
        for _ in range(width):
            total = w[place + len(layer)]
            for k, value in enumerate(layer):
                total = total + w[place + k] * value
            place += len(layer) + 1
            found.append(activation(total) if number < len(sizes) else total)
        layer = found
    return layer


def total_of(terms: list[Any]) -> Any:
    """Their sum."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def jax_network(sizes: tuple[int, ...], inputs: int, activation: str) -> Any:
    """The same in JAX, on matrices; None without it."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    act = {"tanh": jax.numpy.tanh, "relu": jax.nn.relu}[activation]

    def f(w: Any, x: Any, y: Any) -> Any:
        place, n = 0, inputs
        for number, width in enumerate(sizes, start=1):
            rows = w[place : place + width * (n + 1)].reshape(width, n + 1)
            x = rows[:, :n] @ x + rows[:, n]
            x = act(x) if number < len(sizes) else x
            place, n = place + width * (n + 1), width
        return jax.numpy.sum((x - y) ** 2)

    return jax, f


def xor(epochs: int, libraries: dict[str, Any]) -> dict[str, Task]:
    """30,000 epochs of the tutorial's XOR."""
    model = tutorial_model(3)
    steps = mb.optim.GradientDescent(model.parameters(), 0.15)
    tape = Tape()
    loop = Loop(tape, tape.value(mean(error(model(x), y) for x, y in zip(X, Y, strict=True))), steps)
    start = [p.data for p in steps.parameters]
    costs = np.empty(epochs)

    def ours() -> float:
        for p, x in zip(steps.parameters, start, strict=True):
            p.data = x
        return loop.run(epochs)[0][-1]

    names = ("w1_11", "w1_12", "b1_1", "w1_21", "w1_22", "b1_2", "w2_11", "w2_12", "b2_1")
    state = {name: p.data for name, p in model.named_parameters()}
    first = np.array([state[name] for name in names])

    def by_hand(c: Any) -> float:
        p = first.copy()
        c.xor_train(address(p), ctypes.c_double(0.15), ctypes.c_long(epochs), address(costs))
        return float(costs[-1])

    def eager() -> float:
        few = tutorial_model(3)
        return mb.fit(few, X, Y, loss=error, learning_rate=0.15, epochs=epochs, progress=False).cost[-1]

    tasks: dict[str, Task] = {"ours": (ours, 1), "our engine, eagerly": (eager, 1)}
    for name, c in libraries.items():
        if abs(by_hand(c) - ours()) > 1e-9:
            raise RuntimeError(f"{name} has another cost")
        tasks[name] = (functools.partial(by_hand, c), 1)
    return tasks


def single(w: Any, libraries: dict[str, Any]) -> dict[str, Task]:
    """Value and gradient by 337 parameters of one sample, from Python; C in a loop of its own."""
    x, y, times = np.array([0.3, -0.2]), np.array([0.5]), 1000
    f = mb.compile(lambda w, x, y: network(w, x, y, (16, 16, 1), mb.tanh))
    fast = mb.compile(lambda w, x, y: network(w, x, y, (16, 16, 1), mb.tanh), fast_math=True)
    expected = f.value_and_grad(w, x, y)[1][0]

    def repeated(run: Callable[[], Any]) -> Callable[[], Any]:
        def many() -> Any:
            for _ in range(times):
                found = run()
            return found

        return many

    tasks: dict[str, Task] = {"ours": (repeated(lambda: f.value_and_grad(w, x, y)), times)}
    tasks["ours, fast_math"] = (repeated(lambda: fast.value_and_grad(w, x, y)), times)
    together = mb.compile(lambda z: network(z[:337], z[337:339], z[339:], (16, 16, 1), mb.tanh))
    z = np.concatenate([w, x, y])
    check("one array", together.value_and_grad(z)[1][:337], expected)
    tasks["ours, of one array"] = (repeated(lambda: together.value_and_grad(z)), times)
    g, value = np.empty(337), np.zeros(1)

    def by_hand(c: Any) -> Any:
        arguments = (address(w), address(x), ctypes.c_double(y[0]), address(g), ctypes.c_long(times))
        c.mlp_loop(*arguments, address(value))
        return g

    for name, c in libraries.items():
        check(name, by_hand(c), expected)
        tasks[f"{name}, called by C"] = (functools.partial(by_hand, c), times)
        c.mlp_single.restype = ctypes.c_double
        from_python = lambda c=c: c.mlp_single(address(w), address(x), ctypes.c_double(y[0]), address(g))  # noqa: E731
        tasks[f"{name}, called from Python"] = (repeated(from_python), times)
    if (found := jax_network((16, 16, 1), 2, "tanh")) is not None:
        jax, loss = found
        jitted = jax.jit(jax.value_and_grad(loss))
        check("jax", jitted(w, x, y)[1], expected)
        tasks["jax.jit"] = (repeated(lambda: jax.block_until_ready(jitted(w, x, y))), times)
    with contextlib.suppress(ImportError):
        import casadi

        W, U, V = casadi.SX.sym("w", 337), casadi.SX.sym("x", 2), casadi.SX.sym("y", 1)
        error = outputs(W, [U[0], U[1]], (16, 16, 1), casadi.tanh)[0] - V[0]
        function = casadi.Function("f", [W, U, V], [error**2, casadi.gradient(error**2, W)])
        check("casadi", np.array(function(w, x, y)[1]).ravel(), expected)
        tasks["casadi"] = (repeated(lambda: function(w, x, y)), times)
    with contextlib.suppress(ImportError):
        import heyoka

        V = heyoka.make_vars(*[f"v{k:03}" for k in range(340)])
        error = outputs(V[:337], V[337:339], (16, 16, 1), heyoka.tanh)[0] - V[339]
        slopes = heyoka.diff_tensors([error**2.0], diff_args=V[:337], diff_order=1).gradient
        compiled = heyoka.cfunc([error**2.0, *slopes], vars=V)
        check("heyoka", compiled(z)[1:], expected)
        tasks["heyoka, of one array"] = (repeated(lambda: compiled(z)), times)
    return tasks


def gpt() -> dict[str, Task]:
    """Loss and gradient of a word of seven letters in demos/networks/gpt.py, 4,192 parameters."""
    workload = workloads()["gpt"]
    demo, letters = gpt_demo()
    model = demo.GPT(letters)
    for p, x in zip(model.parameters(), workload.inputs, strict=True):
        p.data = x
    by = demo.compiled(model)

    def ours() -> float:
        return float(by("unicorn"))

    def small() -> list[float]:
        found: list[float] = Nodes(minimal.Value)(workload)[2]
        return found

    sys.setrecursionlimit(1_000_000)  # the minimal engine sorts recursively
    ours()
    check("the minimal engine", small(), [p.grad for p in model.parameters()])
    return {"ours": (ours, 1), "a minimal engine, eagerly": (small, 1)}


def batch(
    w: Any, libraries: dict[str, Any], samples: int, sizes: tuple[int, ...], inputs: int, activation: str
) -> dict[str, Task]:
    """Values, and the gradient summed over a batch; by sample."""
    draw = np.random.default_rng(0)
    points, targets = draw.normal(size=(samples, inputs)), draw.normal(size=(samples, sizes[-1]))
    values = [mb.Value(x) for x in w]
    act = {"tanh": mb.tanh, "relu": mb.relu}[activation]
    tasks: dict[str, Task] = {}
    expected: Any = None
    for name, fast in (("ours", False), ("ours, fast_math", True)):
        f = mb.compile(lambda x, y: network(values, x, y, sizes, act), fast_math=fast)
        start = time.perf_counter()
        run = functools.partial(f.batched, points, targets, gradients="parameters", threads=1)
        order = f.parameters(points[0], targets[0])
        slopes = dict(zip(order, run()[1], strict=True))
        print(f"{name}: recorded and compiled in {time.perf_counter() - start:.2f} s", file=sys.stderr)
        found = [slopes[value] for value in values]
        expected = expected or found
        check(name, found, expected)
        tasks[name] = (run, samples)
        tasks[f"{name}, parameters in an array"] = (
            functools.partial(run, parameters=np.array([p.data for p in order])),
            samples,
        )
    g, out = np.empty(len(w)), np.empty(samples)

    def by_hand(c: Any) -> Any:
        function = c.mlp_batch if len(w) == 337 else c.large_batch
        function(address(w), address(points), address(targets), ctypes.c_long(samples), address(g), address(out))
        return g

    for name, c in libraries.items():
        check(name, by_hand(c), expected)
        tasks[name] = (functools.partial(by_hand, c), samples)
    if (found := jax_network(sizes, inputs, activation)) is not None:
        jax, loss = found
        mean_loss = lambda w, x, y: jax.numpy.sum(jax.vmap(loss, in_axes=(None, 0, 0))(w, x, y))  # noqa: E731
        jitted = jax.jit(jax.value_and_grad(mean_loss))
        check("jax", jitted(w, points, targets)[1], expected)
        tasks["jax.jit, on matrices"] = (lambda: jax.block_until_ready(jitted(w, points, targets)), samples)
    return tasks


def check(name: str, found: Any, expected: Any) -> None:
    """RuntimeError where a gradient is another."""
    ours, theirs = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if not np.abs(ours - theirs).max() <= 1e-12 * np.abs(theirs).max():
        raise RuntimeError(f"{name} has another gradient: {np.abs(ours - theirs).max() / np.abs(theirs).max():.1e}")


def measured(tasks: dict[str, Task], rounds: int) -> dict[str, list[float]]:
    """Seconds by one of what a task does many of, round by round.

    What takes less than a tenth of a second is run once more before, so that the caches are its own, not those of the
    task before it.
    """
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for name, (run, count) in [(name, task) for _ in range(rounds + 1) for name, task in tasks.items()]:
        if not times[name] or times[name][-1] * count < 0.1:
            run()
        start = time.perf_counter()
        run()
        times[name].append((time.perf_counter() - start) / count)
    return {name: seconds[1:] for name, seconds in times.items()}


def table(title: str, unit: str, scale: float, times: dict[str, list[float]]) -> list[str]:
    """A table in Markdown."""
    ours = statistics.median(times["ours"])
    lines = ["", f"## {title}", "", f"| | {unit} (least to most) | / ours |", "|---|--:|--:|"]
    for name, seconds in sorted(times.items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(seconds)
        spread = f"{scale * min(seconds):.3g} to {scale * max(seconds):.3g}"
        lines.append(f"| {name} | {scale * middle:.3g} ({spread}) | {middle / ours:.2f} |")
    return lines


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="benchmarks.compiled", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small batches only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (default: this one)")
    given = parser.parse_args()
    draw = np.random.default_rng(1)
    small = draw.normal(size=337) * 0.4
    large = draw.normal(size=256 * 65 + 256 * 257 + 10 * 257) * 0.08
    lines = [
        "# How fast recorded programs are",
        "",
        f"Written by `python -m benchmarks.compiled`. {machine()}, micrograd_bp {mb.__version__}. One thread,",
        f"medians of {given.rounds} interleaved rounds; gradients agree to 1e-12 of the largest derivative. C is",
        f"`limit.c`, written by hand, by `gcc {' '.join(FLAGS['C'])}`. Compiling is not in the times.",
    ]
    with tempfile.TemporaryDirectory() as folder:
        c = c_libraries(Path(folder))
        tasks = xor(3_000 if given.quick else 30_000, c)
        lines += table("XOR 2-2-1, a training of 30,000 epochs", "ms", 1e3, measured(tasks, given.rounds))
        tasks = single(small, c)
        lines += table("MLP 2-16-16-1, one value and gradient from Python", "µs", 1e6, measured(tasks, given.rounds))
        for count in (64,) if given.quick else (1024, 65_536):
            tasks = batch(small, c, count, (16, 16, 1), 2, "tanh")
            lines += table(f"MLP 2-16-16-1, batch of {count:,}, by sample", "ns", 1e9, measured(tasks, given.rounds))
        tasks = gpt()
        lines += table("demos/networks/gpt.py, loss and gradient of a word", "ms", 1e3, measured(tasks, given.rounds))
        if not given.quick:
            tasks = batch(large, c, 64, (256, 256, 10), 64, "relu")
            title = "MLP 64-256-256-10, 544,306 operations with the gradient, batch of 64, by sample"
            lines += table(title, "µs", 1e6, measured(tasks, given.rounds))
    text = "\n".join([*lines, ""])
    print(text)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "COMPILED.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
