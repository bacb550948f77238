"""Optimisers and schedules step by step: against PyTorch where it is installed, and by hand."""

import itertools
import json
import math
from fractions import Fraction

import pytest

from micrograd_bp import StateError, Value, nn
from micrograd_bp.training.optim import Adam, AdamW, GradientDescent, clip_gradient, gradient_norm
from micrograd_bp.training.schedules import constant, cosine, exponential, linear, step_decay

START = (0.5, -1.25, 3.0)


def gradient(p):
    """Of Σ cos(i p_i) + p_i⁴ / 10, at plain numbers."""
    return [-i * math.sin(i * x) + 0.4 * x**3 for i, x in enumerate(p, start=1)]


OURS = {
    "gradient descent": lambda p, s: GradientDescent(p, 0.05, schedule=s),
    "momentum": lambda p, s: GradientDescent(p, 0.05, momentum=0.9, schedule=s),
    "nesterov": lambda p, s: GradientDescent(p, 0.05, momentum=0.9, nesterov=True, schedule=s),
    "adam": lambda p, s: Adam(p, 0.1, schedule=s),
    "adam, other rates": lambda p, s: Adam(p, 0.1, betas=(0.8, 0.95), epsilon=1e-6, schedule=s),
    "adamw": lambda p, s: AdamW(p, 0.1, weight_decay=0.1, schedule=s),
}
SCHEDULES = {
    "constant": constant(),
    "step": step_decay(10, 0.5),
    "exponential": exponential(0.97),
    "cosine": cosine(50, 0.1),
    "linear": linear(40, 0.25),
}


def descend(name, schedule, steps=50):
    """The parameters after each step, as lists."""
    parameters = [Value(x) for x in START]
    optimiser = OURS[name](parameters, SCHEDULES[schedule])
    path = []
    for _ in range(steps):
        for p, g in zip(parameters, gradient([p.data for p in parameters]), strict=True):
            p.grad = g
        optimiser.step()
        path.append([p.data for p in parameters])
    return path


# --- by hand: the papers' means as sums over all steps made, nothing carried from step to step


def weighted(rate, gradients):
    """Σ rate^(t-k) g_k over the steps k = 1 … t."""
    return sum(rate ** (len(gradients) - k) * g for k, g in enumerate(gradients, start=1))


def adam(first, second, epsilon):
    def move(p, g):
        mean = (1 - first) * weighted(first, g) / (1 - first ** len(g))
        square = (1 - second) * weighted(second, [x * x for x in g]) / (1 - second ** len(g))
        return mean / (math.sqrt(square) + epsilon)

    return move


MOVES = {  # what the rate is multiplied by, from p and the gradients of all steps
    "gradient descent": lambda p, g: g[-1],
    "momentum": lambda p, g: weighted(0.9, g),
    "nesterov": lambda p, g: g[-1] + 0.9 * weighted(0.9, g),
    "adam": adam(0.9, 0.999, 1e-8),
    "adam, other rates": adam(0.8, 0.95, 1e-6),
    "adamw": lambda p, g: adam(0.9, 0.999, 1e-8)(p, g) + 0.1 * p,
}
FACTORS = {  # of the rate, after t steps
    "constant": lambda t: 1.0,
    "step": lambda t: 0.5 ** sum(t >= k for k in range(10, 51, 10)),
    "exponential": lambda t: 0.97**t,
    "cosine": lambda t: 0.1 + 0.9 * math.cos(math.pi * t / 100) ** 2,
    "linear": lambda t: 1.0 - 0.75 * t / 40 if t < 40 else 0.25,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OURS)
def test_agrees_with_the_formulas_over_50_steps(name, schedule):
    rate = 0.05 if name in ("gradient descent", "momentum", "nesterov") else 0.1
    p, seen = list(START), [[], [], []]
    for t, ours in enumerate(descend(name, schedule)):
        for gradients, g in zip(seen, gradient(p), strict=True):
            gradients.append(g)
        p = [x - rate * FACTORS[schedule](t) * MOVES[name](x, g) for x, g in zip(p, seen, strict=True)]
        assert ours == pytest.approx(p, rel=1e-9, abs=1e-12)


def test_usual_settings():
    """Those of the papers: Kingma and Ba (2015), section 2; AdamW's decay is the 0.01 of its implementations."""
    for make, rate in ((GradientDescent, 0.1), (Adam, 0.001), (AdamW, 0.001)):
        usual = make([Value(1.0)])
        assert (usual.learning_rate, usual.rate, usual.steps) == (rate, rate, 0)
    assert (usual.betas, usual.epsilon, usual.weight_decay) == ((0.9, 0.999), 1e-8, 0.01)
    plain = GradientDescent([Value(1.0)])
    assert (plain.momentum, plain.nesterov) == (0.0, False)
    (w,) = plain.parameters
    w.grad = 2.0
    plain.step()
    assert w.data == 1.0 - 0.1 * 2.0


def test_agrees_with_pytorch_over_50_steps():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    for name, schedule in itertools.product(OURS, SCHEDULES):
        compare(torch, name, schedule)


def compare(torch, name, schedule):
    p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    theirs = {
        "gradient descent": lambda: sgd([p], 0.05),
        "momentum": lambda: sgd([p], 0.05, momentum=0.9),
        "nesterov": lambda: sgd([p], 0.05, momentum=0.9, nesterov=True),
        "adam": lambda: adam([p], 0.1),
        "adam, other rates": lambda: adam([p], 0.1, betas=(0.8, 0.95), eps=1e-6),
        "adamw": lambda: torch.optim.AdamW([p], 0.1, weight_decay=0.1),
    }[name]()
    rates = torch.optim.lr_scheduler
    scheduler = {
        "constant": lambda: rates.LambdaLR(theirs, lambda _: 1.0),
        "step": lambda: rates.StepLR(theirs, 10, 0.5),
        "exponential": lambda: rates.ExponentialLR(theirs, 0.97),
        "cosine": lambda: rates.CosineAnnealingLR(theirs, 50, eta_min=0.1 * theirs.param_groups[0]["lr"]),
        "linear": lambda: rates.LinearLR(theirs, 1.0, 0.25, 40),
    }[schedule]()
    for ours in descend(name, schedule):
        p.grad = torch.tensor(gradient(p.tolist()), dtype=torch.float64)
        theirs.step()
        scheduler.step()
        assert ours == pytest.approx(p.tolist(), rel=1e-12, abs=1e-15)


def test_the_tutorial_descent_on_x_squared():
    x = Value(4.0)
    descent = GradientDescent([x], 0.2)
    path = []
    for _ in range(3):
        descent.zero_grad()
        (x**2).backward()
        descent.step()
        path.append(x.data)
    assert path == pytest.approx([2.4, 1.44, 0.864], rel=1e-14)


@pytest.mark.parametrize("name", OURS)
def test_a_loaded_state_continues_bit_for_bit(name):
    whole = descend(name, "cosine", 20)
    parameters = [Value(x) for x in START]
    optimiser = OURS[name](parameters, SCHEDULES["cosine"])
    for step in range(20):
        if step == 7:
            state = json.loads(json.dumps(optimiser.state_dict()))
            parameters = [Value(p.data) for p in parameters]
            optimiser = OURS[name](parameters, SCHEDULES["cosine"])
            optimiser.load_state_dict(state)
        for p, g in zip(parameters, gradient([p.data for p in parameters]), strict=True):
            p.grad = g
        optimiser.step()
        assert [p.data for p in parameters] == whole[step]


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser": "AdamW"},
        {"steps": -1},
        {"steps": True},
        {"means": [0.0]},
        {"means": None},
        {"squares": ["a", 0.0, 0.0]},
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change):
    optimiser = Adam([Value(x) for x in START])
    before = optimiser.state_dict()
    with pytest.raises((StateError, TypeError)):
        optimiser.load_state_dict(before | change)
    assert optimiser.state_dict() == before


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_moves_nothing(bad):
    parameters = [Value(x, f"p{i}") for i, x in enumerate(START)]
    optimiser = Adam(parameters)
    parameters[1].grad = bad
    with pytest.raises(ValueError, match=r"the gradient of p1 is .*; no parameter was changed"):
        optimiser.step()
    assert [p.data for p in parameters] == list(START)
    assert optimiser.steps == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: GradientDescent(p, 0.0), "learning_rate is a finite number above 0, not 0.0"),
        (lambda p: GradientDescent(p, math.nan), "learning_rate"),
        (lambda p: GradientDescent(p, math.inf), "learning_rate is a finite number above 0, not inf"),
        (lambda p: GradientDescent(p, 0.1, momentum=1.0), "momentum is a number, at least 0 and below 1"),
        (lambda p: GradientDescent(p, 0.1, nesterov=True), "nesterov needs a momentum"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), r"betas\[1\]"),
        (lambda p: AdamW(p, weight_decay=-1.0), "weight_decay is a finite number, at least 0"),
        (lambda p: AdamW(p, weight_decay=math.inf), "weight_decay is a finite number, at least 0"),
        (lambda p: Adam([]), "needs at least one parameter"),
        (lambda p: Adam(p, 0.1, schedule=cosine(0)), "steps is at least 1"),
        (lambda p: Adam(p, 0.1, schedule=cosine(3, math.nan)), "lowest is a share"),
        (lambda p: Adam(p, 0.1, schedule=linear(3, -1.0)), "lowest is a share"),
        (lambda p: Adam(p, 0.1, schedule=step_decay(5, 2.0)), "factor is above 0, at most 1"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make([Value(1.0)])


@pytest.mark.parametrize("make", [cosine, linear])
def test_schedules_at_their_ends(make):
    assert [make(1)(t) for t in (0, 1, 2, 1000)] == [1.0, 0.0, 0.0, 0.0]
    assert [make(4, 0.25)(t) for t in (0, 2, 4, 5, 1000)] == pytest.approx([1.0, 0.625, 0.25, 0.25, 0.25])
    assert [make(3, 1.0)(t) for t in (0, 1, 3, 4)] == [1.0] * 4
    for settings in ((0,), (-1,), (2, -0.5), (2, 1.5), (2, math.nan)):
        with pytest.raises(ValueError, match=r"steps is at least 1|lowest is a share from 0 to 1"):
            make(*settings)


def test_decay_at_its_ends():
    assert [step_decay(1, 0.5)(t) for t in (0, 1, 3)] == [exponential(0.5)(t) for t in (0, 1, 3)] == [1.0, 0.5, 0.125]
    assert step_decay(3)(2) == 1.0
    assert step_decay(3)(3) == 0.1
    never = step_decay(2, 1)(5)
    assert (type(never), never) == (float, 1.0)
    for settings in ((0,), (-1, 0.5), (2, 0.0), (2, -0.5), (2, 1.5), (2, math.nan)):
        with pytest.raises(ValueError, match=r"every is at least 1|factor is above 0, at most 1"):
            step_decay(*settings)


def test_settings_may_be_numbers_of_any_kind():
    p = [Value(1.0)]
    half = Fraction(1, 2)
    descent, decayed = GradientDescent(p, half, momentum=half), AdamW(p, half, betas=(half, half), weight_decay=half)
    numbers = [descent.learning_rate, descent.momentum, decayed.learning_rate, *decayed.betas, decayed.weight_decay]
    assert [(type(x), x) for x in numbers] == [(float, 0.5)] * 6


def test_parameters_are_leaves():
    x = Value(1.0)
    for wrong in ([x * 2], [x, 2.0], [None]):
        with pytest.raises(TypeError, match="leaf Value"):
            Adam(wrong)


@pytest.mark.parametrize("name", OURS)
def test_the_state_before_the_first_step_can_be_loaded(name):
    first, second = (OURS[name]([Value(x) for x in START], constant()) for _ in range(2))
    for p in first.parameters:
        p.grad = 1.0
    fresh = second.state_dict()
    first.step()
    assert first.state_dict() != fresh
    first.load_state_dict(fresh)
    assert first.state_dict() == fresh == {**fresh, "steps": 0}


def test_without_decay_adamw_is_adam():
    paths = []
    for make in (Adam, lambda p, rate: AdamW(p, rate, weight_decay=0.0)):
        parameters = [Value(x) for x in START]
        optimiser = make(parameters, 0.1)
        for _ in range(5):
            for p, g in zip(parameters, gradient([p.data for p in parameters]), strict=True):
                p.grad = g
            optimiser.step()
        paths.append([p.data for p in parameters])
    assert paths[0] == paths[1] != list(START)


def test_clipping():
    model = nn.MLP(2, [3, 1], seed=0)
    (model([1.0, 2.0]) * 100).backward()
    before = [p.grad for p in model.parameters()]
    norm = gradient_norm(model.parameters())
    assert clip_gradient(model.parameters(), 1.0) == norm > 1.0
    assert gradient_norm(model.parameters()) == pytest.approx(1.0)
    assert [p.grad for p in model.parameters()] == pytest.approx([g / norm for g in before])
    assert clip_gradient(model.parameters(), 2.0) == pytest.approx(1.0)
