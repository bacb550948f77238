"""A GPT made of Values: it is trained letter by letter, and then makes up words.

The transformer has one layer, an embedding of 16 numbers, 4 attention heads, a context of 16 letters, RMS normalisation
and an MLP with ReLU, but no biases. It is trained by Adam, one word a step, with a learning rate that decreases to 0.
It has about 4,200 parameters, and the graph of a word of seven letters has some 60,000 values. By default it learns the
words in Unicode's names of pictographs, which come with Python; with --data it learns the lines of a file. A step takes
about a tenth of a second. With --compiled it takes a hundredth, once a word of the same length has been compiled.

The demo writes loss.png (the loss of each step, and its running mean) and model.json (the parameters, which --load
reads to continue the training).
"""

from __future__ import annotations

import sys

if not __package__:  # the file is run as a script: let Python find the package `demos`
    sys.path.append(__file__.rpartition("demos")[0])

import argparse
import math
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import micrograd_bp as mb
from demos.shared.command_line import count, options, wrote
from demos.shared.figures import BLUE, GREY, axes, figure, save
from micrograd_bp import Value
from micrograd_bp.nn import Module
from micrograd_bp.training.optim import Adam
from micrograd_bp.training.schedules import linear

Vector = list[Any]
Matrix = list[Vector]

CONTEXT, WIDTH, HEADS = 16, 16, 4
END = "\n"  # begins and ends every word


def pictograph_words() -> list[str]:
    """Return the words of 3 to 12 letters in the names of Unicode's symbols and pictographs."""
    codes = (*range(0x2600, 0x27C0), *range(0x1F300, 0x1FB00))
    names = " ".join(unicodedata.name(chr(code), "") for code in codes).lower()
    return sorted(set(re.findall(r"\b[a-z]{3,12}\b", names)))


def read_words(path: Path) -> list[str]:
    """Return the lines of a text file, stripped, each once and none empty; a ValueError if there are none."""
    words = list(dict.fromkeys(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()))
    if not words:
        raise ValueError(f"{path} has no lines to learn from")
    return words


def mean(v: Vector) -> Any:
    """Return Σ v_i / n."""
    total = v[0]
    for a in v[1:]:
        total = total + a
    return total * (1.0 / len(v))


def dot(v: Vector, w: Vector) -> Any:
    """Return Σ v_i w_i."""
    total = v[0] * w[0]
    for a, b in zip(v[1:], w[1:], strict=True):
        total = total + a * b
    return total


def apply(matrix: Matrix, v: Vector) -> Vector:
    """Return the matrix times the vector."""
    return [dot(row, v) for row in matrix]


def chosen(rows: Sequence[Any], which: int | Vector) -> Any:
    """Return the entry with this index, or the sum of all entries weighted by `which`, a one-hot vector."""
    if isinstance(which, int):
        return rows[which]
    if isinstance(rows[0], list):
        return [dot([row[i] for row in rows], which) for i in range(len(rows[0]))]
    return dot(list(rows), which)


def add(v: Vector, w: Vector) -> Vector:
    """Return the sum of two vectors."""
    return [a + b for a, b in zip(v, w, strict=True)]


def normalised(v: Vector) -> Vector:
    """Return v divided by the root of its mean square."""
    scale = (dot(v, v) * (1.0 / len(v)) + 1e-5) ** -0.5
    return [a * scale for a in v]


def softmax(scores: Vector) -> Vector:
    """Return e^s over the sum of all e^s. Normalised vectors give small scores, so that nothing overflows."""
    powers = [s.exp() for s in scores]
    total = powers[0]
    for power in powers[1:]:
        total = total + power
    scale = total**-1.0
    return [power * scale for power in powers]


class GPT(Module):
    """A transformer of one layer over `letters`; `leaf` makes a parameter from a number, by default a Value.

    It is called with the indices of letters, and returns for each position the scores of the letter that follows.
    """

    def __init__(self, letters: Sequence[str], seed: int = 0, leaf: Callable[[float], Any] = Value) -> None:
        draw = random.Random(seed)

        def matrix(rows: int, columns: int) -> Matrix:
            return [[leaf(draw.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.letters = list(letters)
        self.letter = matrix(len(letters), WIDTH)
        self.position = matrix(CONTEXT, WIDTH)
        self.query, self.key, self.value, self.out = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.head = matrix(len(letters), WIDTH)

    def __call__(self, tokens: Sequence[int | Vector]) -> list[Vector]:
        keys: list[Vector] = []
        values: list[Vector] = []
        return [self.next(token, keys, values) for token in tokens]

    def next(self, token: int | Vector, keys: list[Vector], values: list[Vector]) -> Vector:
        """Return the scores after one more letter; `keys` and `values` hold those of the letters before, and grow."""
        x = normalised(add(chosen(self.letter, token), self.position[len(keys)]))
        before, x = x, normalised(x)
        query = apply(self.query, x)
        keys.append(apply(self.key, x))
        values.append(apply(self.value, x))
        mixed: Vector = []
        size = WIDTH // HEADS
        for head in (slice(start, start + size) for start in range(0, WIDTH, size)):
            shares = softmax([dot(query[head], key[head]) * size**-0.5 for key in keys])
            mixed += [dot(shares, [value[i] for value in values]) for i in range(head.start, head.stop)]
        x = add(apply(self.out, mixed), before)
        before, x = x, normalised(x)
        x = add(apply(self.narrow, [a.relu() for a in apply(self.widen, x)]), before)
        return apply(self.head, x)

    def tokens(self, word: str) -> list[int]:
        """Return the indices of a word's letters, with the end before and after it, at most the context and one."""
        return [self.letters.index(letter) for letter in f"{END}{word}{END}"][: CONTEXT + 1]

    def write(self, draw: random.Random, temperature: float = 0.5) -> str:
        """Make up a word, each letter drawn by its probability; a low `temperature` favours likely letters."""
        keys: list[Vector] = []
        values: list[Vector] = []
        token, word = self.letters.index(END), ""
        while len(word) < CONTEXT - 1:
            scores = [s.data / temperature for s in self.next(token, keys, values)]
            top = max(scores)
            token = draw.choices(range(len(scores)), [math.exp(s - top) for s in scores])[0]
            if self.letters[token] == END:
                break
            word += self.letters[token]
        return word


def loss(model: GPT, word: str) -> Any:
    """Return the mean cross-entropy of the letters of a word, each given those before it."""
    tokens = model.tokens(word)
    return surprise(model, tokens[:-1], tokens[1:])


def surprise(model: GPT, given: Sequence[int | Vector], following: Sequence[int | Vector]) -> Any:
    """Return the mean of log Σ e^s − s, where s is the score of the letter that follows."""
    surprises = []
    for scores, right in zip(model(given), following, strict=True):
        powers = scores[0].exp()
        for s in scores[1:]:
            powers = powers + s.exp()
        surprises.append(powers.log() - chosen(scores, right))
    return mean(surprises)


def progress(steps: Iterable[int]) -> Any:
    """Return the steps with a progress bar, if there is a terminal and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc="training", unit=" words", disable=None)


def eager(model: GPT) -> Callable[[str], float]:
    """Return a function that returns the loss of a word and adds its gradient to the parameters."""

    def backward(word: str) -> float:
        cost = loss(model, word)
        cost.backward()
        return float(cost.data)

    return backward


def compiled(model: GPT) -> Callable[[str], float]:
    """Return the same function by recorded programs, one for each length of a word; letters are one-hot vectors."""
    program = mb.compile(lambda given, following: surprise(model, given, following))
    ones = np.eye(len(model.letters))

    def backward(word: str) -> float:
        tokens = model.tokens(word)
        return float(program.backward(ones[tokens[:-1]], ones[tokens[1:]]))

    return backward


def train(
    model: GPT,
    words: Sequence[str],
    steps: int,
    seed: int = 0,
    rate: float = 0.01,
    by: Callable[[GPT], Callable[[str], float]] = eager,
) -> list[float]:
    """Train by Adam, one word a step in an order drawn by the seed, and return the loss of each step.

    The learning rate decreases to 0. Ctrl-C ends the training; the model is then that of the last whole step.
    """
    backward = by(model)
    order = random.Random(seed).sample(list(words), len(words))
    adam = Adam(model.parameters(), rate, betas=(0.85, 0.99), schedule=linear(steps))
    losses: list[float] = []
    bar = progress(range(steps))
    try:
        for step in bar:
            adam.zero_grad()
            cost = backward(order[step % len(order)])
            adam.step()
            losses.append(cost)
            if step % 10 == 9 and hasattr(bar, "set_postfix_str"):
                bar.set_postfix_str(f"loss {sum(losses[-50:]) / len(losses[-50:]):.3f}", refresh=False)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {len(losses)} steps")
    return losses


def plot(losses: Sequence[float], guess: float, folder: Path) -> Path:
    """Plot the loss of each step, its running mean, and the loss of guessing."""
    made = figure()
    chart = axes(made, title="A GPT of scalars learns letters", xlabel="step", ylabel="cross-entropy of a letter, nats")
    smooth = [sum(losses[max(0, i - 49) : i + 1]) / min(i + 1, 50) for i in range(len(losses))]
    chart.plot(range(1, len(losses) + 1), losses, ".", color=GREY, markersize=2, alpha=0.5, label="a word")
    chart.plot(range(1, len(losses) + 1), smooth, color=BLUE, label="mean of the last 50")
    chart.axhline(guess, color="black", linestyle=":", linewidth=1, label="guessing")
    chart.legend()
    return save(made, folder, "loss.png")


def main(arguments: list[str] | None = None) -> None:
    """Train the model, save it, and print words that it makes up."""
    parser = options(__doc__, "gpt", quick="20 steps")
    parser.add_argument("--data", type=Path, metavar="FILE", help="learn the lines of this text file")
    parser.add_argument("--steps", type=count, default=1000, help="number of steps (default %(default)s)")
    parser.add_argument(
        "--compiled", action="store_true", help="train as machine code (compiling takes 3 s for each length of a word)"
    )
    parser.add_argument("--load", type=Path, metavar="FILE", help="start from saved parameters")
    parser.add_argument("--samples", type=count, default=20, help="number of words to make up (default %(default)s)")
    parser.add_argument(
        "--temperature", type=_positive, default=0.5, help="above 0; a low one makes likely words (default 0.5)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of parameters, order and samples (default 0)")
    given = parser.parse_args(arguments)
    try:
        words = read_words(given.data) if given.data else pictograph_words()
        model = GPT(sorted({END, *"".join(words)}), given.seed)
        if given.load:
            model.load(given.load)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    given.out.mkdir(parents=True, exist_ok=True)
    letters = len(model.letters)
    print(f"{len(words)} words, {letters} letters (the end is one of them), {len(model.parameters())} parameters")
    by = compiled if given.compiled else eager
    losses = train(model, words, 20 if given.quick else given.steps, given.seed, by=by)
    if losses:
        last = losses[-100:]
        print(
            f"The loss is {losses[0]:.4f} in the first step, and {sum(last) / len(last):.4f} in the last {len(last)}."
        )
        print(f"Guessing has a loss of ln {letters} = {math.log(letters):.4f}.\n")
        plot(losses, math.log(letters), given.out)
    wrote(model.save(given.out / "model.json"))
    print()
    draw, known = random.Random(given.seed), set(words)
    for _ in range(given.samples):
        word = model.write(draw, given.temperature)
        print(f"  {word}{'   (in the data)' if word in known else ''}")


def _positive(text: str) -> float:
    if not (math.isfinite(float(text)) and float(text) > 0):
        raise argparse.ArgumentTypeError(f"a finite number above 0 is needed, not {text}")
    return float(text)


if __name__ == "__main__":
    main()
