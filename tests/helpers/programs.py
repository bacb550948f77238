"""Random programs of operations that are rounded once, at ordinary and special numbers, and results to the bit."""

import math
import random
import struct
from typing import NamedTuple

from micrograd_bp import OPS, Value

EXACT = [
    *("add", "sub", "mul", "div", "neg", "square", "reciprocal", "sqrt", "relu", "leaky_relu", "abs"),
    *("sign", "step", "less", "exceeds", "maximum", "minimum", "clip", "where"),
]
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 5e-324, -5e-324, 1e-170, 1e170, 1.7e308, math.inf, -math.inf, math.nan)
COUNT = 400  # programs, each at its own point


class Program(NamedTuple):
    """Operations on earlier numbers: the two inputs, constants, results. An index picks a number, a float is itself."""

    steps: tuple[tuple[str, tuple[int | float, ...]], ...]
    point: tuple[float, float]

    def __call__(self, x, y):
        numbers = [x, y]
        for name, args in self.steps:
            numbers.append(OPS[name](*[numbers[arg] if isinstance(arg, int) else arg for arg in args]))
        return numbers[-1]

    def __str__(self):
        lines = [f"v{k} = {name}({', '.join(f'v{a}' if isinstance(a, int) else repr(a) for a in args)})"
                 for k, (name, args) in enumerate(self.steps, start=2)]  # fmt: skip
        return "; ".join([f"v0, v1 = {self.point}", *lines])


def draw(seed, special=True, names=EXACT):
    rng = random.Random(seed)
    pick = (lambda: rng.choice(SPECIAL)) if special else (lambda: rng.uniform(-2.0, 2.0))
    steps = []
    for k in range(2, 2 + rng.randrange(1, 8)):
        op = OPS[rng.choice(names)]
        # the last result is used most of the time, or the graph would be a bush without depth
        args = [
            k - 1 if place == 0 and rng.random() < 0.7 else rng.randrange(k) if rng.random() < 0.8 else pick()
            for place in range(op.arity)
        ]
        steps.append((op.name, tuple(args)))
    return Program(tuple(steps), (pick(), pick()))


def eager(program):
    """(value, gradient, root, leaves) by `backward`; None outside the domain or for a constant."""
    leaves = [Value(x) for x in program.point]
    try:
        root = program(*leaves)
    except ValueError:
        return None
    if not isinstance(root, Value) or root.op is None:
        return None
    root.backward()
    return root.data, [leaf.grad for leaf in leaves], root, leaves


def usable(seeds):
    found = ((program, eager(program)) for program in map(draw, seeds))
    return [(program, result) for program, result in found if result is not None]


def bits(x):
    return "nan" if x != x else struct.pack("d", x + 0.0 if x else 0.0)


def same(given, wanted):
    return len(given) == len(wanted) and all(bits(a) == bits(b) for a, b in zip(given, wanted, strict=True))


def assert_same(programs, mode):
    """`mode(program)` gives value and gradient of each program as `backward` does, to the bit."""
    for program, (value, gradient, *_) in programs:
        out, slopes = mode(program)
        assert same([out, *slopes], [value, *gradient]), f"{program}: {out}, {slopes}, not {value}, {gradient}"
