"""Frames and series of pandas as X and Y."""

import datetime

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import ShapeError, nn

pd = pytest.importorskip("pandas", reason="needs pandas:  pip install pandas")

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 0.0]
LABELS = ["c", "a", "b", "d"]  # in no order, and no numbers
FRAME, SERIES = pd.DataFrame(X, columns=["x", "y"]), pd.Series(Y)


def trained(X, Y, outputs=1, **settings):
    model = nn.MLP(2, [3, outputs], activation="tanh", seed=1)
    history = mb.fit(model, X, Y, progress=False, **{"epochs": 5, "learning_rate": 0.2, **settings})
    return history.cost, model.state_dict()


@pytest.mark.parametrize("settings", [{}, {"batch": 2, "seed": 3}])
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "bool", "Int64", "Float64", "boolean", "category"])
def test_frames_train_as_lists_do(kind, settings):
    expected = trained(X, Y, **settings)
    frame, series = FRAME.astype(kind), SERIES.astype(kind)
    assert trained(frame, series, **settings) == expected
    assert trained(frame, Y, **settings) == expected
    assert trained(X, series, **settings) == expected
    assert trained(np.array(X), series, **settings) == expected
    assert trained(frame, series.to_frame(), **settings) == expected
    assert trained([row for _, row in frame.iterrows()], list(series), **settings) == expected


@pytest.mark.parametrize("index", [LABELS, [7, 7, 7, 7], pd.date_range("2026-01-01", periods=4), [3, 2, 1, 0]])
def test_the_names_of_rows_and_columns_do_not_matter(index):
    frame = FRAME.set_axis(index, axis=0).set_axis([0, 0], axis=1)
    assert trained(frame, SERIES.set_axis(index)) == trained(X, Y)
    assert trained(frame, Y) == trained(X, Y)


def test_columns_of_several_kinds():
    mixed = FRAME.assign(x=FRAME.x.astype(bool), y=FRAME.y.astype("Int64"))
    assert trained(mixed, SERIES) == trained(X, Y)


def test_a_series_of_inputs_and_a_frame_of_targets():
    both = pd.DataFrame({"y": Y, "not y": [1.0 - y for y in Y]})
    assert trained(FRAME, both, outputs=2) == trained(X, both.to_numpy().tolist(), outputs=2)
    line = [
        mb.fit(nn.Neuron(1, "identity", seed=0), x, Y, epochs=3).cost
        for x in (pd.DataFrame({"a": Y}), [[y] for y in Y])
    ]
    assert line[0] == line[1]


def test_classes():
    classes = SERIES.astype(int)
    expected = trained(X, [0, 1, 1, 0], outputs=2, loss="cross_entropy")
    assert trained(FRAME, classes, outputs=2, loss="cross_entropy") == expected


def test_other_ways_to_train():
    pytest.importorskip("llvmlite", reason="machine code needs llvmlite:  pip install 'micrograd_bp[native]'")
    for settings in ({}, {"batch": 2}):
        assert trained(FRAME, SERIES, compiled=True, **settings) == trained(X, Y, compiled=True, **settings)


@pytest.mark.parametrize(
    ("frame", "series", "error", "message"),
    [
        (FRAME.sample(frac=1, random_state=1), SERIES, ValueError, r"indexes of X and Y differ: .*Y\.loc\[X\.index\]"),
        (FRAME, SERIES[:3], ShapeError, "X has 4 samples and Y has 3"),
        (FRAME[:0], SERIES[:0], ShapeError, "X is empty"),
        (FRAME.assign(y=["a", "b", "c", "d"]), SERIES, TypeError, "a real number is needed, not str 'a'"),
        (FRAME.assign(y=[1.0, None, 2.0, 3.0]), SERIES, ValueError, r"X\[1\] contains nan"),
        (FRAME.assign(y=pd.array([1, None, 2, 3], dtype="Int64")), SERIES, (TypeError, ValueError), "X|real number"),
        (FRAME, pd.Series(pd.date_range("2026-01-01", periods=4)), TypeError, "Y contains dates or durations"),
        (FRAME, pd.Series([datetime.timedelta(1)] * 4), TypeError, "Y contains dates or durations"),
        (FRAME.assign(y=pd.date_range("2026-01-01", periods=4)), SERIES, TypeError, "a real number is needed"),
        (FRAME, SERIES * 1j, TypeError, "real number"),
        (FRAME.assign(z=1.0), SERIES, ShapeError, "takes 2 inputs, 3 given"),
    ],
)
def test_what_is_no_data(frame, series, error, message):
    model = nn.MLP(2, [1], seed=0)
    before = model.state_dict()
    with pytest.raises(error, match=message):
        mb.fit(model, frame, series, epochs=1, progress=False)
    assert model.state_dict() == before


def test_what_was_aligned_trains():
    mixed = FRAME.sample(frac=1, random_state=1)
    aligned = SERIES.loc[mixed.index]
    assert trained(mixed, aligned) == trained(mixed.to_numpy().tolist(), aligned.tolist()) != trained(X, Y)
