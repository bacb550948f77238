"""`fit` refuses before it touches: whatever is wrong, the model, the optimiser and the history are as they were."""

import math

import pytest

import micrograd_bp as mb
from micrograd_bp import StateError, TraceError, Value, nn
from micrograd_bp.training.history import History
from micrograd_bp.training.loop import fit
from micrograd_bp.training.optim import Adam, AdamW, GradientDescent, clip_gradient, gradient_norm

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR = [0.0, 1.0, 1.0, 0.0]


def network(seed=3):
    return nn.MLP(2, [2, 1], "tanh", "sigmoid", seed=seed)


def everything(model, optimiser, history):
    parameters = [(p.data, p.grad, p.has_grad) for p in model.parameters()]
    return repr((parameters, optimiser.state_dict(), vars(history)))


def refused(error, message, history, make=Adam, **settings):
    """`fit` raises the error, and nothing has changed."""
    model = network(seed=9)
    optimiser = make(model.parameters(), 0.05)
    for p in model.parameters():
        p.grad = 0.25
    before = everything(model, optimiser, history)
    settings = {"optimiser": optimiser, "epochs": 2, "progress": False, "resume": history} | settings
    with pytest.raises(error, match=message):
        fit(settings.pop("model", lambda m: m)(model), X, XOR, **settings)
    assert everything(model, optimiser, history) == before


@pytest.fixture
def history():
    model = network()
    return fit(model, X, XOR, optimiser=Adam(model.parameters(), 0.05), epochs=3, batch=3, progress=False)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers is at least 1"),
        ({"workers": 1.5}, TypeError, "workers is a whole number"),
        ({"compiled": True, "workers": 2}, ValueError, "exclude each other"),
        ({"epochs": 0}, ValueError, "epochs is at least 1"),
        ({"learning_rate": 0.1}, TypeError, "this Adam has its own, 0.05: set it there"),
        ({"clip": -1.0}, ValueError, "clip"),
        ({"loss": "absolute"}, ValueError, "no loss"),
        ({"callbacks": [3]}, TypeError, "callbacks are functions"),
        ({"resume": {"cost": []}}, TypeError, "resume is a History, not dict; History.load reads one"),
        ({"make": GradientDescent}, StateError, "that of 'Adam', not of 'GradientDescent'"),
        ({"make": AdamW}, StateError, "that of 'Adam', not of 'AdamW'"),
    ],
)
def test_settings(settings, error, message, history):
    refused(error, message, history, **settings)


@pytest.mark.parametrize("batch", ["full", 2])
def test_what_cannot_be_compiled_is_refused_before_the_history_is_read(batch, history):
    pytest.importorskip("llvmlite", reason="machine code needs llvmlite:  pip install 'micrograd_bp[native]'")
    refused(
        TraceError,
        "[a-z]",
        history,
        compiled=True,
        batch=batch,
        model=lambda model: lambda x: model(x) if x[0] * model.parameters()[0] > 0.0 else -model(x),
    )


def test_what_workers_cannot_be_sent_is_refused_before_the_history_is_read(history):
    pytest.importorskip("joblib", reason="workers need joblib:  pip install 'micrograd_bp[parallel]'")
    refused(TypeError, "by pickle, which fails", history, workers=1, loss=lambda out, y: (out - y) ** 2)


def shuffled(state, version, numbers, gauss=None):
    state["shuffle"] = [version, numbers, gauss]


DAMAGE = {
    "too few parameters": lambda s: s["parameters"].pop(),
    "too many": lambda s: s["parameters"].append(1.0),
    "none": lambda s: s.pop("parameters"),
    "a number": lambda s: s.update(parameters=3.0),
    "the last is too large": lambda s: s["parameters"].__setitem__(-1, 10**400),
    "the last is nan": lambda s: s["parameters"].__setitem__(-1, math.nan),
    "the last is inf": lambda s: s["parameters"].__setitem__(-1, -math.inf),
    "the last is a word": lambda s: s["parameters"].__setitem__(-1, "1.0"),
    "the last is null": lambda s: s["parameters"].__setitem__(-1, None),
    "no optimiser": lambda s: s.pop("optimiser"),
    "an optimiser of no kind": lambda s: s.update(optimiser=[]),
    "fewer means": lambda s: s["optimiser"]["means"].pop(),
    "more squares": lambda s: s["optimiser"]["squares"].append(0.0),
    "a square is too large": lambda s: s["optimiser"]["squares"].__setitem__(-1, 10**400),
    "a mean is nan": lambda s: s["optimiser"]["means"].__setitem__(-1, math.nan),
    "a mean is a word": lambda s: s["optimiser"]["means"].__setitem__(-1, "0"),
    "steps below 0": lambda s: s["optimiser"].update(steps=-1),
    "half a step": lambda s: s["optimiser"].update(steps=0.5),
    "no random numbers": lambda s: s.pop("shuffle"),
    "random numbers cut": lambda s: s["shuffle"][1].pop(),
    "a random number too large": lambda s: s["shuffle"][1].__setitem__(0, 10**400),
    "a random number is a float": lambda s: s["shuffle"][1].__setitem__(5, 0.5),
    "another version": lambda s: shuffled(s, 17, s["shuffle"][1]),
    "a word among the random numbers": lambda s: shuffled(s, 3, s["shuffle"][1], "word"),
    "shuffle is short": lambda s: s.update(shuffle=[3]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_history(damage, history):
    damage(history.state)
    refused(StateError, "the history's state does not fit this model and optimiser", history)


def test_the_undamaged_history_is_taken(history):
    """So it is the damage that is refused above."""
    model = network(seed=9)
    fit(model, X, XOR, optimiser=Adam(model.parameters(), 0.05), epochs=1, resume=history, progress=False)
    assert history.epochs == 4


def test_an_optimiser_of_the_users_that_raises_anything(history):
    class Moody(Adam):
        def load_state_dict(self, state):
            if state["steps"] > 5:
                self.steps = -7
                raise ZeroDivisionError("moody")
            super().load_state_dict(state | {"optimiser": "Moody"})

    refused(StateError, "moody", history, make=Moody)


@pytest.mark.parametrize("make", [GradientDescent, Adam, AdamW])
def test_a_parameter_that_is_given_twice_counts_once(make):
    moved = []
    for twice in (False, True):
        w, v = Value(4.0), Value(1.0)
        (w * w + v).backward()
        optimiser = make([w, v, w, w] if twice else [w, v], 0.1)
        optimiser.step()
        moved.append((w.data, v.data, len(optimiser.parameters), optimiser.state_dict()))
    assert moved[0] == moved[1]
    if make is GradientDescent:
        assert moved[0][0] == 4.0 - 0.1 * 8.0


def test_a_gradient_that_is_given_twice_is_clipped_once():
    w, v = Value(0.0), Value(0.0)
    w.grad, v.grad = 3.0, 4.0
    assert gradient_norm([w, v, w]) == 5.0
    assert clip_gradient([w, w, v], 1.0) == 5.0
    assert (w.grad, v.grad) == pytest.approx((0.6, 0.8))


def test_a_state_dict_that_is_too_large_changes_nothing():
    optimiser = Adam([Value(1.0), Value(2.0)])
    before = optimiser.state_dict()
    with pytest.raises(StateError, match="too large"):
        optimiser.load_state_dict(before | {"steps": 4, "squares": [1.0, 10**400]})
    assert optimiser.state_dict() == before


def test_the_history_of_a_hand_made_state_continues():
    history = History()
    fit(network(), X, XOR, epochs=1, resume=history)
    assert history.epochs == 1
    assert mb.fit(network(), X, XOR, epochs=1, resume=history).epochs == 2
