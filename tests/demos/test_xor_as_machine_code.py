"""The compiled XOR demo: the counts of the formulas, the files it writes."""

import pytest

pytest.importorskip("llvmlite")

from demos.engine import xor_as_machine_code as demo
from demos.shared.xor_on_arrays import two_hundred_starts


def test_it_shows_and_compares(tmp_path, capsys):
    demo.main(["--quick", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "v5 = sigmoid(v4)" in text
    assert "20 starts" in text
    assert {path.name for path in tmp_path.iterdir()} == {"xor.c", "costs.png"}


def test_starts_end_where_the_formulas_say():
    """The stop at which each start arrives, by the formulas (3.2) to (3.6) on arrays."""
    expected = two_hundred_starts()
    for seed in range(8):
        model, history, _ = demo.trained(seed, 30_000, True)
        reached = history.stopped == "cost"
        assert reached == (expected.stopped[seed] >= 0)
        if reached:
            assert history.epochs - 1 == expected.stopped[seed]  # the last epoch makes no step
        assert [model(x).data for x in demo.X] == pytest.approx(
            expected.outputs[:, seed].tolist(),
            rel=1e-9 if reached else 1e-3,  # those of the epoch before
        )
