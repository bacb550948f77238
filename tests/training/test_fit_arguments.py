"""What `fit` may be given: lists or arrays, whole numbers of any kind, both spellings, the optimisers' own rates."""

import math
from fractions import Fraction

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp import ShapeError, nn
from micrograd_bp.training.optim import Adam, AdamW, GradientDescent, Optimiser

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 0.0]
BOTH = [[y, 1.0 - y] for y in Y]


def trained(X, Y, outputs=1, **settings):
    model = nn.MLP(2, [3, outputs], activation="tanh", seed=1)
    history = mb.fit(model, X, Y, progress=False, **{"epochs": 5, "learning_rate": 0.2, **settings})
    return history.cost, model.state_dict()


@pytest.mark.parametrize("kind", [float, np.float32, int, bool])
@pytest.mark.parametrize("settings", [{}, {"batch": 2, "seed": 3}])
def test_arrays_train_as_lists_do(kind, settings):
    expected = trained(X, Y, **settings)
    assert trained(np.array(X, dtype=kind), np.array(Y, dtype=kind), **settings) == expected
    assert trained(np.array(X, dtype=kind), Y, **settings) == expected
    assert trained([np.array(x, dtype=kind) for x in X], tuple(Y), **settings) == expected
    assert trained(np.asfortranarray(np.array(X, dtype=kind)), np.array([Y], dtype=kind).T, **settings) == expected


def test_targets_in_two_dimensions():
    assert trained(np.array(X), np.array(BOTH), outputs=2) == trained(X, BOTH, outputs=2)


def test_classes_in_an_array():
    classes = [int(y) for y in Y]
    expected = trained(X, classes, outputs=2, loss="cross_entropy")
    assert trained(np.array(X), np.array(classes), outputs=2, loss="cross_entropy") == expected


def test_arrays_in_machine_code():
    pytest.importorskip("llvmlite", reason="machine code needs llvmlite:  pip install 'micrograd_bp[native]'")
    assert trained(np.array(X), np.array(Y), compiled=True) == trained(X, Y, compiled=True)


@pytest.mark.parametrize("whole", [np.int64, np.uint8, np.int32])
def test_whole_numbers_of_any_kind(whole):
    expected = trained(X, Y, epochs=3, batch=2, seed=7)
    assert trained(X, Y, epochs=whole(3), batch=whole(2), seed=whole(7)) == expected


def test_workers_may_be_a_whole_number_of_numpy():
    pytest.importorskip("joblib", reason="workers need joblib:  pip install 'micrograd_bp[parallel]'")
    assert trained(X, Y, epochs=2, workers=np.int64(1)) == trained(X, Y, epochs=2, workers=1)


def test_seeds_that_python_knows_are_taken_as_before():
    assert trained(X, Y, batch=1, seed="a word") == trained(X, Y, batch=1, seed="a word")
    assert trained(X, Y, batch=1, seed="a word") != trained(X, Y, batch=1, seed=0)


def test_both_spellings():
    assert trained(X, Y, optimizer="adam") == trained(X, Y, optimiser="adam")
    model = nn.MLP(2, [1], seed=0)
    steps = GradientDescent(model.parameters(), 0.5)
    assert mb.fit(model, X, Y, optimizer=steps, epochs=1, progress=False).rate == [0.5]
    with pytest.raises(TypeError, match="optimiser and optimizer are two spellings of one setting: give one of them"):
        trained(X, Y, optimiser="adam", optimizer="adam")
    with pytest.raises(ValueError, match="no optimiser 'adm'; give gradient_descent, adam, adamw"):
        trained(X, Y, optimizer="adm")


@pytest.mark.parametrize(
    ("name", "kind", "rate"),
    [("gradient_descent", GradientDescent, 0.1), ("adam", Adam, 0.001), ("adamw", AdamW, 0.001), (None, None, 0.1)],
)
def test_the_usual_learning_rates(name, kind, rate):
    model = nn.MLP(2, [1], seed=0)
    for learning_rate in ({}, {"learning_rate": None}):
        history = mb.fit(model, X, Y, optimiser=name, epochs=1, progress=False, **learning_rate)
        assert history.rate == [rate]
    assert mb.fit(model, X, Y, optimiser=name, learning_rate=0.03, epochs=1, progress=False).rate == [0.03]
    if kind is not None:
        assert kind(model.parameters()).rate == kind.usual_rate == rate
        assert kind(model.parameters(), 0.5).rate == 0.5


def test_an_optimiser_of_ones_own_that_has_no_usual_rate(monkeypatch):
    class Halves(Optimiser):
        def __init__(self, parameters, learning_rate):
            super().__init__(parameters, learning_rate / 2)

        def _moves(self, gradients, rate):
            return [-rate * g for g in gradients]

    monkeypatch.setitem(mb.optim.OPTIMISERS, "halves", Halves)
    model = nn.MLP(2, [1], seed=0)
    assert mb.fit(model, X, Y, optimiser="halves", epochs=1, progress=False).rate == [0.05]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 2.0}, TypeError, "epochs is a whole number, not 2.0"),
        ({"epochs": True}, TypeError, "epochs is a whole number, not True"),
        ({"epochs": np.int64(0)}, ValueError, "epochs is at least 1, not 0"),
        ({"epochs": Fraction(3)}, TypeError, "epochs is a whole number, not Fraction"),
        ({"batch": "ful"}, TypeError, "batch is a whole number or \"full\", not 'ful'"),
        ({"batch": np.float64(2)}, TypeError, 'batch is a whole number or "full"'),
        ({"batch": np.array([2, 2])}, TypeError, 'batch is a whole number or "full"'),
        ({"learning_rate": 0.0}, ValueError, "learning_rate is a finite number above 0, not 0.0"),
        ({"optimiser": 3}, TypeError, "an optimiser is a name or an Optimiser, not int"),
        ({"X": np.array(1.0)}, TypeError, "X is a sequence with one entry per sample, not ndarray"),
        ({"Y": np.array(1.0)}, TypeError, "Y is a sequence with one entry per sample, not ndarray"),
        ({"X": np.array(X)[:3]}, ShapeError, "X has 3 samples and Y has 4"),
        ({"X": np.empty((0, 2)), "Y": np.empty(0)}, ShapeError, "X is empty: at least one sample is needed"),
        ({"X": np.array([[math.nan, 0.0]] * 4)}, ValueError, r"X\[0\] contains nan; data are finite numbers"),
        ({"Y": np.array([0.0, 1.0, math.inf, 0.0])}, ValueError, r"Y\[2\] contains inf; data are finite numbers"),
        ({"X": np.array(X) * 1j}, TypeError, "real numbers only"),
        ({"X": np.zeros((4, 3))}, ShapeError, "this MLP takes 2 inputs, 3 given"),
        ({"Y": np.array(BOTH)}, ShapeError, "1 outputs and 2 targets"),
    ],
)
def test_bad_input(settings, error, message):
    with pytest.raises(error, match=message):
        trained(**{"X": X, "Y": Y, **settings})


@pytest.mark.parametrize("unit", ["ns", "D"])
def test_dates_are_no_numbers(unit):
    for dates in (
        np.array([1, 2, 3, 4], dtype=f"datetime64[{unit}]"),
        np.array([1, 2, 3, 4], dtype=f"timedelta64[{unit}]"),
    ):
        with pytest.raises(TypeError, match="Y contains dates or durations; data are numbers"):
            trained(X, dates)
        with pytest.raises(TypeError, match="contains dates or durations"):
            trained([dates[:2]] * 4, Y)
