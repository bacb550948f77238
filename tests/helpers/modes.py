"""Derivatives of any order of a function of one number, by every mode of the package."""

import math

import micrograd_bp as mb
from micrograd_bp import Value
from micrograd_bp.autodiff.reverse import gradients
from micrograd_bp.autodiff.tape import append_gradient, append_tangents
from micrograd_bp.compiler.passes import Code, optimise
from micrograd_bp.compiler.recording import record
from micrograd_bp.compiler.replay import Replay

MOST = 3  # the highest order that is asked for


def reverse(f, x, order):
    for _ in range(order):
        f = mb.grad(f)
    return f(x)


def graphs(f, x, order):
    """Gradients as graphs, of which gradients are taken."""
    leaf = Value(x)
    number = f(leaf)
    for _ in range(order):
        if not isinstance(number, Value):
            return 0.0
        (number,) = gradients(number, [leaf])
    return number.data if isinstance(number, Value) else number


def created(f, x, order):
    """`backward(create_graph=True)`, again and again."""
    leaf = Value(x)
    number = f(leaf)
    for _ in range(order):
        if not isinstance(number, Value):
            return 0.0
        number = number.backward(create_graph=True).get(leaf, 0.0)
    return number.data if isinstance(number, Value) else number


def forward(f, x, order):
    return mb.derivative(f, order)(x)


def alternating(f, x, order):
    """Reverse mode, of that forward mode, of that reverse mode."""
    for level in range(order):
        f = mb.derivative(f) if level % 2 else mb.grad(f)
    return f(x)


def series(f, x, order):
    return mb.taylor(f, x, order)[order] * math.factorial(order)


def longer_series(f, x, order):
    return mb.taylor(f, x, MOST)[order] * math.factorial(order)


def code(f, order, tangents=False):
    """The optimised program of a derivative."""
    recording = record(f, (1.0,))
    tape, (root,) = recording.tape, recording.results
    (x,) = tape.inputs
    for _ in range(order):
        (root,) = append_gradient(tape, root, [x])
    if tangents:
        (root,) = append_tangents(tape, [root])
    return optimise(Code(tape, [root]))[0]


def compiled(f, x, order):
    return Replay(code(f, order))([x])[0]


def compiled_tangents(f, x, order):
    return Replay(code(f, order - 1, tangents=True))([x, 1.0])[0] if order else compiled(f, x, 0)


IN_PYTHON = {
    mode.__name__: mode
    for mode in (reverse, graphs, created, forward, alternating, series, longer_series, compiled, compiled_tangents)
}


def in_all_modes(f, x, order):
    """{mode: the derivative}."""
    return {name: mode(f, x, order) for name, mode in IN_PYTHON.items()}


def native(f, points, order):
    """The derivatives at some points in machine code: of single samples, and in lanes."""
    import numpy as np

    from micrograd_bp.compiler.machine_code import Machine

    machine = Machine(code(f, order))
    columns = np.concatenate([points, np.full(-len(points) % 64, 1.0)]).reshape(1, -1)
    lanes = machine.batch(columns, len(points), 1, None, np.empty(0))[0][0]
    return [machine([x])[0] for x in points], lanes.tolist()[: len(points)]
