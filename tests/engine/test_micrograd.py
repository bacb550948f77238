"""Code written for micrograd runs with only the import changed; PyTorch and micrograd agree, where installed."""

import random

import pytest

from micrograd_bp import nn
from micrograd_bp.engine import Value
from micrograd_bp.nn import MLP, Layer, Module, Neuron


def test_the_readme_example():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def sanity(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return [h + q + q * x], [x]


def more_ops(a, b):
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    return [g + 10.0 / f], [a, b]


def everything(a, b):
    out = (a * b).tanh() + (a - b).sigmoid() * a.exp() - b.abs().sqrt() / (1 + a * a).log()
    return [out + (a * 0.1).sin() * b.cos() + 2**a - b**-2], [a, b]


def test_the_same_programs_in_pytorch():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    for program, at in ((sanity, [-4.0]), (more_ops, [-4.0, 2.0]), (everything, [0.7, -1.3])):
        (ours,), leaves = program(*(Value(x) for x in at))
        ours.backward()
        tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
        (theirs,), _ = program(*tensors)
        theirs.backward()
        assert ours.data == pytest.approx(theirs.item(), rel=1e-14), program
        assert [leaf.grad for leaf in leaves] == pytest.approx([t.grad.item() for t in tensors], rel=1e-13), program


def test_its_names():
    model = nn.MLP(3, [4, 4, 1])
    neuron = model.layers[0].neurons[2]
    neuron.w[1].data, neuron.b.data = 0.25, -0.5
    assert isinstance(model([1.0, -2.0, 3.0]), Value)
    assert len(model.parameters()) == 41
    assert isinstance(model, Module)
    assert isinstance(Layer(2, 3)([1.0, 2.0]), list)
    assert Neuron(2, nonlin=False).nonlin is False
    assert [n.nonlin for n in Layer(2, 2, nonlin=False).neurons] == [False, False]
    assert MLP(2, [2]).parameters()[0].grad == 0


def test_its_training_loop():
    random.seed(1337)
    model = MLP(2, [8, 1])
    data = [([random.uniform(-1, 1), random.uniform(-1, 1)]) for _ in range(20)]
    labels = [1 if x * y > 0 else -1 for x, y in data]
    losses = []
    for k in range(40):
        scores = list(map(model, data))
        hinge = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        total = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 40) * 0.2 * p.grad
        losses.append(total.data)
    assert losses[-1] < 0.7 * losses[0]


def test_the_same_seed_gives_the_same_network_as_micrograd():
    theirs_nn = pytest.importorskip("micrograd.nn")
    outputs = []
    for module in (nn, theirs_nn):
        random.seed(1337)
        model = module.MLP(3, [16, 16, 1])
        out = model([0.3, -0.2, 0.9])
        out.backward()
        named = [(p.data, p.grad) for p in model.parameters()]
        outputs.append((out.data, named))
    (ours, our_parameters), (theirs, their_parameters) = outputs
    assert ours == theirs
    assert [data for data, _ in our_parameters] == [data for data, _ in their_parameters]
    assert [grad for _, grad in our_parameters] == pytest.approx([grad for _, grad in their_parameters], rel=1e-12)
