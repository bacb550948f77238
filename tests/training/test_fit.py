"""`fit`: descents of the tutorials, batches, stops, and that whatever ends it the model and the history are whole."""

import json
import math
import random

import pytest
from needs import needs_llvm

from micrograd_bp import ShapeError, StateError, TrainingError, Value, nn
from micrograd_bp.training.history import History
from micrograd_bp.training.loop import fit
from micrograd_bp.training.optim import Adam, GradientDescent
from micrograd_bp.training.schedules import exponential

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR = [0.0, 1.0, 1.0, 0.0]


def network(seed=3):
    return nn.MLP(2, [3, 1], "tanh", "sigmoid", seed=seed)


def numbers(model):
    return list(model.state_dict().values())


def test_full_batch_is_the_plain_loop():
    model, by_hand = network(), network()
    history = fit(model, X, XOR, learning_rate=0.5, epochs=20)
    for _ in range(20):
        cost = sum((by_hand(x) - y) ** 2 / 2 for x, y in zip(X, XOR, strict=True)) / 4
        by_hand.zero_grad()
        cost.backward()
        for p in by_hand.parameters():
            p.data -= 0.5 * p.grad
    assert numbers(model) == pytest.approx(numbers(by_hand), rel=1e-12)
    assert history.epochs == 20
    assert history.stopped == "epochs"
    assert history.cost[0] > history.cost[-1]
    assert history.rate == [0.5] * 20


@pytest.mark.parametrize(("batch", "steps"), [("full", 1), (4, 1), (3, 2), (2, 2), (1, 4), (100, 1)])
def test_batches(batch, steps):
    model = network()
    optimiser = GradientDescent(model.parameters(), 0.1)
    fit(model, X, XOR, optimiser=optimiser, batch=batch, epochs=3)
    assert optimiser.steps == 3 * steps


def test_the_seed_decides_the_order():
    runs = []
    for seed in (0, 0, 1):
        model = network()
        fit(model, X, XOR, batch=1, epochs=5, seed=seed)
        runs.append(numbers(model))
    assert runs[0] == runs[1] != runs[2]


def test_stopping_by_cost_leaves_the_model_of_that_cost():
    model = nn.MLP(1, [1], seed=0)
    line = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    history = fit(model, *line, learning_rate=0.3, epochs=1000, stop_cost=1e-6)
    assert history.stopped == "cost"
    cost = sum((model(x).data - y) ** 2 / 2 for x, y in zip(*line, strict=True)) / 3
    assert cost == pytest.approx(history.cost[-1], rel=1e-12)
    assert history.cost[-1] < 1e-6 <= history.cost[-2]


def test_stopping_by_the_gradient_takes_its_length():
    """The tutorial's `if gradient < 0.01` stops at once where the gradient is negative."""
    start = nn.Neuron(1, "identity", seed=0)
    start.w[0].data, start.b.data = -4.0, 0.0
    history = fit(start, [[1.0]], [4.0], learning_rate=0.2, epochs=100, stop_gradient=0.01)
    assert history.stopped == "gradient"
    assert history.epochs > 5
    assert history.gradient_norm[-1] < 0.01


@pytest.mark.parametrize("batch", ["full", 4, 3, 1])
@pytest.mark.parametrize("stop", ["cost", "gradient"])
def test_batches_of_any_size_stop(batch, stop):
    history = fit(
        nn.MLP(1, [1], seed=0),
        [[0.0], [1.0], [2.0], [3.0]],
        [1.0, 3.0, 5.0, 7.0],
        learning_rate=0.1,
        batch=batch,
        epochs=2000,
        **{f"stop_{stop}": 1e-4},
    )
    last = history.cost if stop == "cost" else history.gradient_norm
    assert history.stopped == stop
    assert last[-1] < 1e-4 <= min(last[:-1])


@pytest.mark.parametrize("l2", [0.0, 0.25])
@pytest.mark.parametrize("batch", ["full", 3, 1])
def test_the_history_has_the_mean_over_all_samples_of_the_epoch(batch, l2):
    """With steps of almost 0, all batches see the same model, and uneven ones count by their samples."""
    model = network()
    squares = sum(x * x for x in numbers(model))
    costs = [(model(x).data - y) ** 2 / 2 for x, y in zip(X, XOR, strict=True)]
    history = fit(model, X, XOR, learning_rate=1e-13, batch=batch, l2=l2, epochs=2)
    assert history.cost == pytest.approx([sum(costs) / 4 + l2 * squares] * 2, rel=1e-9)


def test_the_history_has_the_length_before_clipping_and_the_rate_of_the_last_step():
    model = network()
    optimiser = GradientDescent(model.parameters(), 0.5, schedule=exponential(0.5))
    history = fit(model, X, XOR, optimiser=optimiser, batch=3, epochs=2, clip=1e-6)
    assert history.rate == [0.5 * 0.5, 0.5 * 0.5**3]
    assert all(norm > 1e-3 for norm in history.gradient_norm)
    assert math.dist(numbers(model), numbers(network())) <= 1e-6 * 0.5 * (1 + 0.5 + 0.25 + 0.125) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["l2", "clip", "stop_cost", "stop_gradient"])
def test_settings_that_are_no_sizes(name):
    wrong = [-0.5, -1.0, math.inf, -math.inf, math.nan, *([] if name == "l2" else [0.0])]
    for number in wrong:
        model = network()
        with pytest.raises(ValueError, match=f"{name} is a finite number"):
            fit(model, X, XOR, **{name: number})
        assert numbers(model) == numbers(network())
    for number in (1e-300, *([0.0] if name == "l2" else [None])):
        assert fit(network(), X, XOR, epochs=2, **{name: number}).epochs == 2


def test_callbacks_see_each_epoch_and_may_stop():
    seen = []

    def callback(epoch, history):
        seen.append((epoch, len(history.cost)))
        return epoch == 3

    history = fit(network(), X, XOR, epochs=10, callbacks=[callback])
    assert seen == [(1, 1), (2, 2), (3, 3)]
    assert history.stopped == "callback"


@pytest.mark.parametrize("batch", ["full", 1, 3])
@pytest.mark.parametrize(
    "make", [lambda p: GradientDescent(p, 0.1, momentum=0.9, schedule=exponential(0.99)), lambda p: Adam(p, 0.05)]
)
def test_resumed_training_is_the_same_bit_for_bit(batch, make, tmp_path):
    whole = network()
    full = fit(whole, X, XOR, optimiser=make(whole.parameters()), batch=batch, epochs=12, seed=5)
    model = network()
    first = fit(model, X, XOR, optimiser=make(model.parameters()), batch=batch, epochs=7, seed=5)
    saved = History.load(first.save(tmp_path / "deep" / "training.json"))
    fresh = network(seed=99)  # its numbers come from the state
    again = fit(fresh, X, XOR, optimiser=make(fresh.parameters()), batch=batch, epochs=5, seed=5, resume=saved)
    assert numbers(fresh) == numbers(whole)
    assert again.cost == full.cost
    assert again.gradient_norm == full.gradient_norm


def test_ctrl_c_leaves_the_last_whole_epoch():
    model, reference = network(), network()
    optimiser = Adam(model.parameters(), 0.05)
    calls = []

    def interrupted(x):
        calls.append(x)
        if len(calls) == 4 * 3 + 3 + 1:  # one call tries the samples; then in the middle of the fourth epoch
            raise KeyboardInterrupt
        return model(x)

    history = fit(interrupted, X, XOR, optimiser=optimiser, batch=1, epochs=10, seed=2)
    fit(reference, X, XOR, optimiser=Adam(reference.parameters(), 0.05), batch=1, epochs=3, seed=2)
    assert history.stopped == "interrupted"
    assert history.epochs == 3
    assert numbers(model) == numbers(reference)
    assert optimiser.steps == 12


def test_a_cost_that_is_not_finite_names_where_that_began():
    model = nn.Neuron(1, "exp", seed=0)
    model.w[0].data = 700.0
    before = numbers(model)
    with pytest.raises(TrainingError, match=r"epoch 1: forward: a.* = inf from z") as raised:
        fit(model, [[1.5]], [1.0], epochs=3)
    assert raised.value.epoch == 1
    assert raised.value.history.epochs == 0
    assert numbers(model) == before
    diverging = nn.Neuron(1, "identity", seed=0)
    with pytest.raises(TrainingError, match="a smaller learning rate") as raised:
        fit(diverging, [[10.0]], [1.0], learning_rate=10.0, epochs=500)
    assert all(map(math.isfinite, numbers(diverging)))
    assert raised.value.history.epochs == raised.value.epoch - 1


def test_penalty_and_clipping():
    model, plain = network(), network()
    fit(model, X, XOR, learning_rate=0.1, epochs=50, l2=0.1)
    fit(plain, X, XOR, learning_rate=0.1, epochs=50)
    assert math.hypot(*numbers(model)) < math.hypot(*numbers(plain))
    clipped, before = network(), numbers(network())
    fit(clipped, X, XOR, learning_rate=1.0, epochs=1, clip=1e-3)
    assert math.dist(numbers(clipped), before) == pytest.approx(1e-3)


def test_frozen_parameters_stay():
    model = network()
    model.freeze("w1_*")
    before = model.state_dict()
    fit(model, X, XOR, epochs=5)
    after = model.state_dict()
    assert {name for name in before if before[name] != after[name]} == {n for n in before if not n.startswith("w1_")}


def test_numpy_data():
    np = pytest.importorskip("numpy")
    model, plain = network(), network()
    fit(model, np.array(X), np.array(XOR), epochs=3)
    fit(plain, X, XOR, epochs=3)
    assert numbers(model) == numbers(plain)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"Y": XOR[:3]}, ShapeError, "X has 4 samples and Y has 3"),
        ({"X": [], "Y": []}, ShapeError, "X is empty"),
        ({"X": [[0.0]] * 4}, ShapeError, "takes 2 inputs, 1 given"),
        ({"Y": [[0.0, 1.0]] * 4}, ShapeError, "1 outputs and 2 targets"),
        ({"X": [[0.0, math.nan], *X[1:]]}, ValueError, r"X\[0\] contains nan"),
        ({"Y": [0.0, 1.0, 1.0, math.inf]}, ValueError, r"Y\[3\] contains inf"),
        ({"X": [[0.0, "a"], *X[1:]]}, TypeError, "a real number is needed, not str 'a'"),
        ({"X": "abcd"}, TypeError, "X is a sequence"),
        ({"X": [[Value(0.0), 0.0], *X[1:]]}, TypeError, "a real number is needed"),
        ({"batch": 0}, ValueError, "batch is at least 1, not 0"),
        ({"batch": 1.5}, TypeError, 'batch is a whole number or "full", not 1.5'),
        ({"epochs": 0}, ValueError, "epochs is at least 1"),
        ({"optimiser": "adamm"}, ValueError, "no optimiser 'adamm'; give gradient_descent, adam, adamw"),
        ({"optimiser": 3}, TypeError, "an optimiser is a name"),
        ({"loss": "absolute"}, ValueError, "no loss 'absolute'"),
        ({"loss": lambda a, y: 1.0}, TypeError, "not a Value"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate is a finite number above 0"),
    ],
)
def test_bad_input_before_anything_is_trained(change, error, message):
    model = network()
    before = numbers(model)
    with pytest.raises(error, match=message):
        fit(model, **({"X": X, "Y": XOR, "epochs": 3} | change))
    assert numbers(model) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}'])
def test_a_file_that_is_no_training(text, tmp_path):
    path = tmp_path / "training.json"
    path.write_text(text)
    with pytest.raises(StateError, match="is not a file of saved training"):
        History.load(path)


def test_a_file_that_lacks_an_entry_or_has_another_version_is_no_training(tmp_path):
    saved = fit(network(), X, XOR, epochs=1).save(tmp_path / "whole.json")
    whole = json.loads(saved.read_text())
    changed = [{name: entry for name, entry in whole.items() if name != left_out} for left_out in whole]
    changed += [whole | {"version": whole["version"] + 1}, whole | {"version": 0}, whole | {"more": 1}]
    for content in changed:
        saved.write_text(json.dumps(content))
        with pytest.raises(StateError, match="is not a file of saved training"):
            History.load(saved)
    saved.write_text(json.dumps(whole))
    assert History.load(saved).epochs == 1


def test_a_state_of_another_model_is_refused():
    history = fit(network(), X, XOR, epochs=1)
    other = nn.MLP(2, [5, 1], seed=0)
    before = numbers(other)
    with pytest.raises(StateError, match="does not fit"):
        fit(other, X, XOR, epochs=1, resume=history)
    assert numbers(other) == before


def test_the_history_is_json(tmp_path):
    saved = fit(network(), X, XOR, epochs=2, batch=1).save(tmp_path / "t.json")
    content = json.loads(saved.read_text())
    assert content["stopped"] == "epochs"
    assert len(content["state"]["parameters"]) == 13
    assert random.Random().getstate()[0] == content["state"]["shuffle"][0]


@pytest.mark.parametrize("name", ["l2", "clip", "stop_cost", "stop_gradient"])
@pytest.mark.parametrize(
    ("number", "error"), [(-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)]
)
def test_settings_are_checked_before_anything_is_trained(name, number, error):
    model = nn.MLP(2, [2, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(error):
        fit(model, [[0.0, 1.0]], [1.0], epochs=1, progress=False, **{name: number})
    assert model.state_dict() == before


def test_callbacks_are_functions():
    with pytest.raises(TypeError, match="callbacks are functions"):
        fit(nn.MLP(2, [1]), [[0.0, 1.0]], [1.0], epochs=1, progress=False, callbacks=[3])


def test_an_interruption_in_a_callback_ends_the_training_after_a_whole_epoch():
    def interrupt(epoch, history):
        if epoch == 2:
            raise KeyboardInterrupt

    model, twin = nn.MLP(2, [2, 1], seed=0), nn.MLP(2, [2, 1], seed=0)
    history = fit(model, [[0.0, 1.0]], [1.0], epochs=9, progress=False, callbacks=[interrupt])
    fit(twin, [[0.0, 1.0]], [1.0], epochs=2, progress=False)
    assert (history.stopped, history.epochs) == ("interrupted", 2)
    assert model.state_dict() == twin.state_dict()


def test_an_epochs_cost_weighs_samples_alike_also_in_a_last_smaller_batch():
    model = network()
    whole = fit(model, X, XOR, learning_rate=1e-300, epochs=1, progress=False)
    parts = fit(model, X, XOR, learning_rate=1e-300, epochs=1, batch=3, progress=False)
    assert parts.cost == pytest.approx(whole.cost, rel=1e-14)


def test_the_rate_told_is_that_of_the_epochs_last_step():
    model = network()
    steps = GradientDescent(model.parameters(), 0.4, schedule=exponential(0.5))
    assert fit(model, X, XOR, optimiser=steps, epochs=3, progress=False).rate == [0.4, 0.2, 0.1]
    assert fit(model, X, XOR, optimiser=steps, epochs=1, batch=2, progress=False).rate == [0.025]


class Interrupting(list):
    """A list that Ctrl-C meets after `count` numbers have been added."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def append(self, number):
        if len(self) == self.count:
            raise KeyboardInterrupt
        super().append(number)

    def __iadd__(self, numbers):
        for number in numbers:
            self.append(number)
        return self


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_llvm)])
@pytest.mark.parametrize("name", ["cost", "gradient_norm", "rate"])
def test_an_interruption_while_an_epoch_is_recorded_forgets_it(name, compiled):
    model, twin = nn.MLP(2, [2, 1], seed=0), nn.MLP(2, [2, 1], seed=0)
    history = History(**{name: Interrupting(2)})
    fit(model, [[0.0, 1.0]], [1.0], epochs=9, progress=False, resume=history, compiled=compiled)
    assert history.stopped == "interrupted"
    assert len(history.cost) == len(history.gradient_norm) == len(history.rate) == 2
    fit(twin, [[0.0, 1.0]], [1.0], epochs=2, progress=False, compiled=compiled)
    assert model.state_dict() == twin.state_dict()
    assert history.state["parameters"] == [p.data for p in model.parameters()]
