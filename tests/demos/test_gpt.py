"""The GPT demo beside a GPT in NumPy, and its gradient beside differences."""

import random

import numpy as np
import pytest

from demos.networks import gpt as demo

WORDS = ["unicorn", "snowman", "umbrella", "cat"]
LETTERS = sorted({demo.END, *"".join(WORDS)})


def arrays(model):
    return {
        name: np.array([[p.data for p in row] for row in rows])
        for name, rows in vars(model).items()
        if name != "letters"
    }


def numpy_scores(model, tokens):
    """The same network on arrays, all places at once, with a mask."""
    m = arrays(model)

    def norm(x):
        return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5)

    x = norm(m["letter"][tokens] + m["position"][: len(tokens)])
    n = norm(x)
    q, k, v = (n @ m[name].T for name in ("query", "key", "value"))
    heads = []
    for i in range(0, demo.WIDTH, 4):
        scores = q[:, i : i + 4] @ k[:, i : i + 4].T / 2.0
        powers = np.tril(np.exp(scores))
        heads.append(powers / powers.sum(axis=1, keepdims=True) @ v[:, i : i + 4])
    x = x + np.hstack(heads) @ m["out"].T
    x = x + np.maximum(norm(x) @ m["widen"].T, 0.0) @ m["narrow"].T
    return x @ m["head"].T


def numpy_loss(model, word):
    tokens = model.tokens(word)
    scores = numpy_scores(model, tokens[:-1])
    right = scores[np.arange(len(tokens) - 1), tokens[1:]]
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - right))


@pytest.fixture
def model():
    model = demo.GPT(LETTERS, seed=1)
    draw = random.Random(2)
    for p in model.parameters():  # larger than at the start, so that attention and ReLU matter
        p.data = draw.gauss(0.0, 0.4)
    return model


def test_scores_are_numpys(model):
    tokens = model.tokens("umbrella")
    ours = np.array([[s.data for s in scores] for scores in model(tokens)])
    assert ours == pytest.approx(numpy_scores(model, tokens), rel=1e-11, abs=1e-12)
    assert demo.loss(model, "umbrella").data == pytest.approx(numpy_loss(model, "umbrella"), rel=1e-12)


def test_its_gradient_is_that_of_differences(model):
    model.zero_grad()
    demo.loss(model, "cat").backward()
    for name, p in random.Random(3).sample(list(model.named_parameters()), 60):
        x, h = p.data, 1e-5
        p.data = x + h
        above = numpy_loss(model, "cat")
        p.data = x - h
        below = numpy_loss(model, "cat")
        p.data = x
        assert p.grad == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-9), name


def test_what_follows_does_not_matter(model):
    tokens = model.tokens("umbrella")
    whole = [[s.data for s in scores] for scores in model(tokens)]
    assert [[s.data for s in scores] for scores in model(tokens[:4])] == whole[:4]


def test_it_learns_and_writes(tmp_path):
    model = demo.GPT(LETTERS)
    losses = demo.train(model, ["cat"], 25)
    assert losses[0] == pytest.approx(np.log(len(LETTERS)), rel=0.15)
    assert losses[-1] < 0.1
    assert model.write(random.Random(0)) == "cat"
    again = demo.GPT(LETTERS, seed=5)
    again.load(model.save(tmp_path / "model.json"))
    assert [p.data for p in again.parameters()] == [p.data for p in model.parameters()]


def test_an_interruption_leaves_whole_steps(monkeypatch, capsys):
    model, calls = demo.GPT(LETTERS), []

    def interrupted(model, word):
        calls.append(word)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(model, word)

    original = demo.loss
    monkeypatch.setattr(demo, "loss", interrupted)
    assert len(demo.train(model, ["cat", "dog"][:1], 10)) == 2
    assert "interrupted after 2 steps" in capsys.readouterr().out


def test_words():
    words = demo.pictograph_words()
    assert len(words) > 1000
    assert {"unicorn", "umbrella", "snowman"} <= set(words)
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 12 for word in words)


def test_tokens_are_cut_to_the_context():
    model = demo.GPT(LETTERS)
    assert model.tokens("cat") == [LETTERS.index(letter) for letter in "\ncat\n"]
    assert len(model.tokens("un" * 20)) == demo.CONTEXT + 1
    assert len(model(model.tokens("un" * 20)[:-1])) == demo.CONTEXT


def test_it_runs(tmp_path, capsys):
    data = tmp_path / "words.txt"
    data.write_text("cat\n\n cat \nact\n", encoding="utf-8")
    demo.main(["--quick", "--data", str(data), "--out", str(tmp_path), "--samples", "3"])
    told = capsys.readouterr().out
    assert "2 words, 4 letters (the end is one of them)" in told
    assert (tmp_path / "loss.png").stat().st_size > 10_000
    demo.main(["--steps", "1", "--data", str(data), "--out", str(tmp_path), "--load", str(tmp_path / "model.json")])
    (tmp_path / "empty.txt").write_text("\n")
    for wrong in (
        ["--data", str(tmp_path / "none.txt")],
        ["--data", str(tmp_path / "empty.txt")],
        ["--load", str(data)],
    ):
        with pytest.raises(SystemExit) as stopped:
            demo.main([*wrong, "--out", str(tmp_path)])
        assert stopped.value.code == 2


@pytest.mark.parametrize(
    "words", [("cat", "act"), pytest.param(("cat", "umbrella", "unicorns", "cat"), marks=pytest.mark.slow)]
)
def test_the_recorded_program_is_the_model(model, words):
    pytest.importorskip("llvmlite")
    by = demo.compiled(model)
    for word in words:
        found = []
        for backward in (by, demo.eager(model)):
            for p in model.parameters():
                p.zero_grad()
            found.append((backward(word), [p.grad for p in model.parameters()]))
        (ours, slopes), (wanted, gradient) = found
        assert ours == pytest.approx(wanted, rel=1e-12)
        assert slopes == pytest.approx(gradient, rel=1e-9, abs=1e-12)
