"""Training as machine code is the training: same costs, parameters, stops, state and errors."""

import math

import numpy as np
import pytest

import micrograd_bp as mb
from micrograd_bp.errors import StateError, TraceError, TrainingError
from micrograd_bp.nn import MLP
from micrograd_bp.training.history import History
from micrograd_bp.training.optim import Adam, AdamW, GradientDescent, Optimiser
from micrograd_bp.training.schedules import cosine, step_decay

pytest.importorskip("llvmlite", reason="needs llvmlite: pip install llvmlite")
from micrograd_bp.training import native_loop as training

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 0.0]


def trained(compiled, epochs=1000, optimiser=None, batch="full", X=X, Y=Y, **settings):
    model = MLP(2, [3, 1], "sigmoid", "sigmoid", seed=3)
    steps = optimiser(model.parameters()) if optimiser else "gradient_descent"
    rate = None if optimiser else 2.0
    options = {"batch": batch, "optimiser": steps, "learning_rate": rate, "progress": False, **settings}
    history = mb.fit(model, X, Y, epochs=epochs, compiled=compiled, **options)
    return history, [p.data for p in model.parameters()], steps


OPTIMISERS = [
    None,
    lambda ps: GradientDescent(ps, 0.5, momentum=0.9),
    lambda ps: GradientDescent(ps, 0.5, momentum=0.9, nesterov=True, schedule=step_decay(100, 0.7)),
    lambda ps: Adam(ps, 0.05, schedule=cosine(800)),
    lambda ps: AdamW(ps, 0.05, weight_decay=0.1),
]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("settings", [{}, {"clip": 0.05, "l2": 1e-4}], ids=["plain", "clipped"])
def test_a_thousand_epochs_are_the_same(optimiser, settings):
    eager, parameters, ours = trained(False, optimiser=optimiser, **settings)
    native, others, theirs = trained(True, optimiser=optimiser, **settings)
    assert others == pytest.approx(parameters, rel=1e-12)
    assert native.cost == pytest.approx(eager.cost, rel=1e-12)
    assert native.gradient_norm == pytest.approx(eager.gradient_norm, rel=1e-11)
    assert native.rate == eager.rate
    assert native.stopped == eager.stopped == "epochs"
    if optimiser:
        state, other = ours.state_dict(), theirs.state_dict()
        assert state.keys() == other.keys()
        assert state["steps"] == other["steps"] == 1000


@pytest.mark.parametrize("batch", [1, 3])
def test_small_batches_are_the_same(batch):
    eager, parameters, _ = trained(False, 50, batch=batch)
    native, others, _ = trained(True, 50, batch=batch)
    assert others == pytest.approx(parameters, rel=1e-12)
    assert native.cost == pytest.approx(eager.cost, rel=1e-12)


@pytest.mark.parametrize("stop", [{"stop_cost": 0.1}, {"stop_gradient": 0.02}, {"stop_cost": 10.0}])
def test_stops_are_the_same(stop):
    eager, parameters, _ = trained(False, 3000, **stop)
    native, others, _ = trained(True, 3000, **stop)
    assert (native.stopped, native.epochs) == (eager.stopped, eager.epochs)
    assert native.stopped in ("cost", "gradient")
    assert others == pytest.approx(parameters, rel=1e-12)
    assert native.rate == eager.rate


def test_callbacks_see_each_epoch_and_end_it():
    seen = []
    native, _, _ = trained(True, 50, callbacks=[lambda epoch, history: seen.append(epoch) or epoch == 7])
    assert (seen, native.stopped, native.epochs) == ([*range(1, 8)], "callback", 7)


def test_it_goes_on_from_where_it_was_either_way():
    whole = trained(True, 300)[1]
    for first, second in ((True, False), (False, True), (True, True)):
        model = MLP(2, [3, 1], "sigmoid", "sigmoid", seed=3)
        options = {"learning_rate": 2.0, "progress": False}
        history = mb.fit(model, X, Y, epochs=100, compiled=first, **options)
        again = MLP(2, [3, 1], "sigmoid", "sigmoid", seed=9)
        mb.fit(again, X, Y, epochs=200, compiled=second, resume=history, **options)
        assert [p.data for p in again.parameters()] == pytest.approx(whole, rel=1e-12)
    with pytest.raises(StateError):
        mb.fit(MLP(2, [1], seed=0), X, Y, compiled=True, resume=history, progress=False)


@pytest.mark.parametrize("compiled", [False, True])
def test_what_is_not_finite_is_told_and_nothing_of_it_is_left(compiled):
    model = MLP(2, [3, 1], "identity", seed=3)
    history = History()
    with pytest.raises(TrainingError, match="inf") as caught:
        mb.fit(model, X, Y, epochs=900, learning_rate=50.0, compiled=compiled, progress=False, resume=history)
    assert caught.value.epoch == history.epochs + 1 > 5
    assert all(math.isfinite(p.data) for p in model.parameters())
    assert all(map(math.isfinite, history.cost))
    assert len(history.cost) == len(history.rate) == len(history.gradient_norm)


def test_both_diverge_in_the_same_epoch():
    epochs = []
    for compiled in (False, True):
        with pytest.raises(TrainingError) as caught:
            mb.fit(
                MLP(2, [3, 1], "identity", seed=3),
                X,
                Y,
                learning_rate=50.0,
                epochs=900,
                compiled=compiled,
                progress=False,
            )
        epochs.append(caught.value.epoch)
    assert epochs[0] == epochs[1]


def test_ctrl_c_leaves_whole_epochs(monkeypatch):
    run, calls = training.Loop.run, []

    def interrupted(self, count):
        calls.append(count)
        found = run(self, count)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(training.Loop, "run", interrupted)
    history, parameters, _ = trained(True, 1000)
    assert history.stopped == "interrupted"
    assert history.epochs == sum(calls[:2]) == len(history.cost)
    monkeypatch.undo()
    assert trained(True, history.epochs)[1] == parameters


def test_classes_and_several_outputs():
    draw = np.random.default_rng(0)
    points = draw.normal(size=(60, 2))
    classes = [int(x > 0) + int(y > 0) for x, y in points]
    found = []
    for compiled in (False, True):
        model = MLP(2, [4, 3], "tanh", "identity", seed=1)
        options = {"loss": "cross_entropy", "batch": 20, "epochs": 5, "progress": False, "compiled": compiled}
        history = mb.fit(model, points, classes, learning_rate=0.2, **options)
        found.append((history.cost, [p.data for p in model.parameters()]))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-12)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-10)


def test_frozen_parameters_stay():
    model = MLP(2, [3, 1], "sigmoid", "sigmoid", seed=3)
    model.layers[0].freeze()
    frozen = model.layers[0].neurons[0].w
    before = [p.data for p in frozen]
    for batch in ("full", 2):
        mb.fit(model, X, Y, epochs=20, compiled=True, batch=batch, progress=False)
    assert [p.data for p in frozen] == before


class Deciding(Optimiser):
    def _moves(self, gradients, rate):
        return [-rate if g > 0 else rate for g in gradients]


def test_what_cannot_be_compiled_is_refused_and_nothing_is_moved():
    model = MLP(2, [3, 1], "sigmoid", "sigmoid", seed=3)
    before = [p.data for p in model.parameters()]
    with pytest.raises(TraceError, match="where"):
        mb.fit(model, X, Y, optimiser=Deciding(model.parameters(), 0.1), compiled=True, progress=False)
    with pytest.raises(ValueError, match="exclude each other"):
        mb.fit(model, X, Y, workers=2, compiled=True, progress=False)
    assert [p.data for p in model.parameters()] == before


def test_a_wrong_loop_would_be_noticed(monkeypatch):
    """The comparison above fails where the step is not the optimiser's."""
    right = trained(False, 100)[1]
    monkeypatch.setattr(
        GradientDescent, "_moves", lambda self, gradients, rate: [-1.0001 * rate * g for g in gradients]
    )
    assert trained(True, 100)[1] != pytest.approx(right, rel=1e-12)


# --- decisions, which a recording cannot hold -------------------------------------------------------------------------

LINE_X = [[x / 10] for x in range(-10, 10)]
LINE_Y = [3 * x[0] + 5 for x in LINE_X]


def huber(out, y):
    d = out - y
    return d * d * 0.5 if -1 < d < 1 else mb.abs(d) - 0.5


def lasso(model):
    w = model.parameters()[0]
    return lambda out, y: mb.square(out - y) + (w if w > 0 else -w) * 0.01


def drawing(model):
    draw = np.random.default_rng(1)
    return lambda out, y: mb.square(out - y) * float(draw.random())


@pytest.mark.parametrize("loss", [lambda model: huber, lasso, drawing], ids=["huber", "lasso", "drawing"])
def test_decisions_are_refused_and_the_model_is_as_it_was(loss):
    model = MLP(1, [1], seed=0)
    before = [p.data for p in model.parameters()]
    history = History()
    with pytest.raises(TraceError, match="is recorded"):
        mb.fit(model, LINE_X, [-y for y in LINE_Y], loss=loss(model), epochs=200, compiled=True, resume=history)
    assert [p.data for p in model.parameters()] == before
    assert history.cost == history.rate == history.gradient_norm == []


def test_a_schedule_is_asked_for_no_more_than_is_trained():
    def fitted(compiled, **settings):
        model = MLP(1, [1], seed=0)
        steps = GradientDescent(model.parameters(), 1.0, schedule=([0.1] * 150).__getitem__)
        options = {"optimiser": steps, "epochs": 20_000, "compiled": compiled, "progress": False, **settings}
        try:
            history = mb.fit(model, LINE_X, LINE_Y, **options)
        except IndexError:
            return steps.steps, [round(p.data, 11) for p in model.parameters()]
        return history.stopped, history.epochs

    assert fitted(True, stop_cost=1e-3) == fitted(False, stop_cost=1e-3) == ("cost", 107)
    assert fitted(True) == fitted(False)
    assert fitted(True)[0] == 150


@pytest.mark.parametrize("size", [1e160, 1.0, 1e-170])
def test_lengths_of_gradients_neither_overflow_nor_vanish(size):
    def fitted(compiled):
        model = MLP(1, [1], seed=0)
        loss = lambda out, y: (out - y) * size  # noqa: E731
        history = mb.fit(model, LINE_X, LINE_Y, loss=loss, epochs=5, clip=1.0, stop_gradient=1e-200, compiled=compiled)
        return history.gradient_norm, [p.data for p in model.parameters()]

    (norms, numbers), (expected, parameters) = fitted(True), fitted(False)
    assert norms == pytest.approx(expected, rel=1e-14)
    assert numbers == pytest.approx(parameters, rel=1e-14)


def test_settings_that_a_callback_changes_are_heeded():
    def fitted(compiled):
        model = MLP(1, [1], seed=0)
        steps = GradientDescent(model.parameters(), 0.05, momentum=0.9)

        def slower(epoch, history):
            if epoch == 20:
                steps.momentum = 0.1
            if epoch == 30:
                steps.learning_rate = 0.2

        options = {"optimiser": steps, "epochs": 60, "callbacks": [slower], "compiled": compiled, "progress": False}
        return mb.fit(model, LINE_X, LINE_Y, **options).cost

    assert fitted(True) == pytest.approx(fitted(False), rel=1e-12)


def test_whole_numbers_are_no_classes_unless_the_loss_takes_them_so():
    x, y = [[k / 50] for k in range(50)], list(range(50))
    model = MLP(1, [1], seed=0)
    lanes = training.Lanes(model, lambda out, y: mb.square(out - y), model.parameters())
    lanes.gradients(list(zip(x, y, strict=True)))
    assert len(lanes._programs) == 1
    scores = MLP(1, [3], seed=0)
    classes = training.Lanes(scores, mb.losses.cross_entropy, scores.parameters())
    classes.gradients(list(zip(x, [k % 3 for k in y], strict=True)))
    assert len(classes._programs) == 3


def test_a_parameter_that_is_there_twice_counts_once():
    models = [MLP(1, [1], seed=0) for _ in range(2)]
    for model, twice in zip(models, [True, False], strict=True):
        parameters = model.parameters()
        steps = GradientDescent(parameters + parameters[: int(twice)], 0.1)
        mb.fit(model, LINE_X, LINE_Y, optimiser=steps, epochs=5, compiled=True)
    assert models[0].state_dict() == models[1].state_dict()
