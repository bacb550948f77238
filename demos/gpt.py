"""A GPT of numbers that remember: trained letter by letter, it makes up words.

One layer, embedding of 16 numbers, 4 heads of attention, context of 16 letters, RMS normalisation, no biases, an MLP
with ReLU; Adam with a learning rate that falls to 0. About 4,200 parameters, and a graph of some 60,000 values for a
word of seven letters, a word a step. By default it learns from the words in Unicode's names of pictographs, which
every Python carries, with --data from the lines of any file. A step takes about a tenth of a second, with --compiled
a hundredth, once a word of that length has been met.

Writes loss.png (the loss by step, smoothed) and model.json (the parameters; --load goes on from such a file).
"""

from __future__ import annotations

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
from common import BLUE, GREY, axes, count, figure, options, save
from micrograd_bp import Value
from micrograd_bp.nn import Module
from micrograd_bp.training.optim import Adam
from micrograd_bp.training.schedules import linear

Vector = list[Any]
Matrix = list[Vector]

CONTEXT, WIDTH, HEADS = 16, 16, 4
END = "\n"  # begins and ends every word


def pictograph_words() -> list[str]:
    """The words of 3 to 12 letters in the names of Unicode's symbols and pictographs."""
    codes = (*range(0x2600, 0x27C0), *range(0x1F300, 0x1FB00))
    names = " ".join(unicodedata.name(chr(code), "") for code in codes).lower()
    return sorted(set(re.findall(r"\b[a-z]{3,12}\b", names)))


def read_words(path: Path) -> list[str]:
    """The lines of a text file that are not empty, without space around, each once."""
    words = list(dict.fromkeys(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()))
    if not words:
        raise ValueError(f"{path} has no lines to learn from")
    return words


def mean(v: Vector) -> Any:
    """Σ v_i / n."""
    total = v[0]
    for a in v[1:]:
        total = total + a
    return total * (1.0 / len(v))


def dot(v: Vector, w: Vector) -> Any:
    """Σ v_i w_i."""
    total = v[0] * w[0]
    for a, b in zip(v[1:], w[1:], strict=True):
        total = total + a * b
    return total


def apply(matrix: Matrix, v: Vector) -> Vector:
    """The matrix times the vector."""
    return [dot(row, v) for row in matrix]


def chosen(rows: Sequence[Any], which: int | Vector) -> Any:
    """The row of that number, or the sum of all weighted by `which`: 1 for one and 0 for the others in a program."""
    if isinstance(which, int):
        return rows[which]
    if isinstance(rows[0], list):
        return [dot([row[i] for row in rows], which) for i in range(len(rows[0]))]
    return dot(list(rows), which)


def add(v: Vector, w: Vector) -> Vector:
    """Their sum."""
    return [a + b for a, b in zip(v, w, strict=True)]


def normalised(v: Vector) -> Vector:
    """v over the root of its mean square."""
    scale = (dot(v, v) * (1.0 / len(v)) + 1e-5) ** -0.5
    return [a * scale for a in v]


def softmax(scores: Vector) -> Vector:
    """e^s over their sum. What is normalised gives small scores: nothing is taken off for fear of overflow."""
    powers = [s.exp() for s in scores]
    total = powers[0]
    for power in powers[1:]:
        total = total + power
    scale = total**-1.0
    return [power * scale for power in powers]


class GPT(Module):
    """A transformer of one layer over `letters`; `leaf` makes a parameter of a number, by default a Value.

    Called with the numbers of letters, it gives for each place the scores of the letter that follows.
    """

    def __init__(self, letters: Sequence[str], seed: int = 0, leaf: Callable[[float], Any] = Value) -> None:
        draw = random.Random(seed)

        def matrix(rows: int, columns: int) -> Matrix:
            return [[leaf(draw.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.letters = list(letters)
        self.letter = matrix(len(letters), WIDTH)
        self.place = matrix(CONTEXT, WIDTH)
        self.query, self.key, self.value, self.out = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.head = matrix(len(letters), WIDTH)

    def __call__(self, tokens: Sequence[int | Vector]) -> list[Vector]:
        keys: list[Vector] = []
        values: list[Vector] = []
        return [self.next(token, keys, values) for token in tokens]

    def next(self, token: int | Vector, keys: list[Vector], values: list[Vector]) -> Vector:
        """The scores after one letter more; keys and values of the letters before it are carried along."""
        x = normalised(add(chosen(self.letter, token), self.place[len(keys)]))
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
        """A word's letters as numbers, the end before and after it; no more than the context and one."""
        return [self.letters.index(letter) for letter in f"{END}{word}{END}"][: CONTEXT + 1]

    def write(self, draw: random.Random, temperature: float = 0.5) -> str:
        """A word made up, letter by letter, each drawn by its probability; a low `temperature` favours the likely."""
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
    """The mean cross-entropy of the word's letters, each after those before it: log Σ e^s − s of the right one."""
    tokens = model.tokens(word)
    return surprise(model, tokens[:-1], tokens[1:])


def surprise(model: GPT, given: Sequence[int | Vector], following: Sequence[int | Vector]) -> Any:
    """The mean cross-entropy of the letters that follow."""
    surprises = []
    for scores, right in zip(model(given), following, strict=True):
        powers = scores[0].exp()
        for s in scores[1:]:
            powers = powers + s.exp()
        surprises.append(powers.log() - chosen(scores, right))
    return mean(surprises)


def progress(steps: Iterable[int]) -> Any:
    """A bar where there is a terminal and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc="training", unit=" words", disable=None)


def eager(model: GPT) -> Callable[[str], float]:
    """A function that gives a word's loss and adds its gradient to the parameters'."""

    def backward(word: str) -> float:
        cost = loss(model, word)
        cost.backward()
        return float(cost.data)

    return backward


def compiled(model: GPT) -> Callable[[str], float]:
    """The same by recorded programs, one for each length of a word: a letter is an input of 0s and a 1 in its place."""
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
    """Adam, a word a step in an order drawn by the seed, the learning rate falling to 0; the loss of each step.

    Ctrl-C ends it; the model is that of the last whole step.
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
    """The loss of each step, its running mean, and what guessing costs."""
    made = figure()
    chart = axes(made, title="A GPT of scalars learns letters", xlabel="step", ylabel="cross-entropy of a letter, nats")
    smooth = [sum(losses[max(0, i - 49) : i + 1]) / min(i + 1, 50) for i in range(len(losses))]
    chart.plot(range(1, len(losses) + 1), losses, ".", color=GREY, markersize=2, alpha=0.5, label="a word")
    chart.plot(range(1, len(losses) + 1), smooth, color=BLUE, label="mean of the last 50")
    chart.axhline(guess, color="black", linestyle=":", linewidth=1, label="guessing")
    chart.legend()
    return save(made, folder, "loss.png")


def main(arguments: list[str] | None = None) -> None:
    """Learn, write words, save."""
    parser = options(__doc__, "gpt", quick="20 steps")
    parser.add_argument("--data", type=Path, metavar="FILE", help="learn from the lines of a text file instead")
    parser.add_argument("--steps", type=count, default=1000, help="words to learn from (default %(default)s)")
    parser.add_argument("--compiled", action="store_true", help="as machine code (3 s for each length of a word)")
    parser.add_argument("--load", type=Path, metavar="FILE", help="go on from parameters that were saved")
    parser.add_argument("--samples", type=count, default=20, help="words to make up in the end (default %(default)s)")
    parser.add_argument("--temperature", type=_positive, default=0.5, help="above 0; low: likely words (default 0.5)")
    parser.add_argument("--seed", type=int, default=0, help="of parameters, order and samples (default 0)")
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
    print(f"{len(words)} words, {letters} letters with the end, {len(model.parameters())} parameters")
    by = compiled if given.compiled else eager
    losses = train(model, words, 20 if given.quick else given.steps, given.seed, by=by)
    if losses:
        last = losses[-100:]
        print(
            f"loss {losses[0]:.4f} at first, {sum(last) / len(last):.4f} in the last {len(last)} steps; guessing costs"
        )
        print(f"ln {letters} = {math.log(letters):.4f}\n")
        plot(losses, math.log(letters), given.out)
    print(f"wrote {model.save(given.out / 'model.json')}\n")
    draw, known = random.Random(given.seed), set(words)
    for _ in range(given.samples):
        word = model.write(draw, given.temperature)
        print(f"  {word}{'   (one of the words)' if word in known else ''}")


def _positive(text: str) -> float:
    if not (math.isfinite(float(text)) and float(text) > 0):
        raise argparse.ArgumentTypeError(f"a finite number above 0 is needed, not {text}")
    return float(text)


if __name__ == "__main__":
    main()
