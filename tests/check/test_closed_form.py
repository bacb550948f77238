"""The closed-form formulas against the engine, against differences of the cost, and the misprints against both."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_bp import OPS, ShapeError, nn
from micrograd_bp import closed_form as cf

# The networks on which the tutorial's formulas were recomputed: 3-3-3-1 and 3-3-3-3, and the 2-2-1 of its XOR script.
NET_3331 = cf.Network(
    [
        np.array([[-0.4398, -0.0777, -0.7566], [0.0452, -0.1817, -0.8567], [-0.8021, 0.9726, 0.3881]]),
        np.array([[-0.1026, 0.2804, -0.459], [-0.3963, -0.8533, -0.8948], [0.615, 0.6266, -0.9901]]),
        np.array([[-0.3399, -0.8218, -0.0641]]),
    ],
    [np.array([0.2354, 0.1021, -0.7319]), np.array([0.4049, 0.2259, -0.0651]), np.array([-0.4057])],
    ["sigmoid"] * 3,
)
NET_3333 = cf.Network(
    [
        np.array([[0.5622, 0.2117, 0.4196], [-0.8218, 0.2614, 0.9616], [-0.1532, -0.7752, 0.9165]]),
        np.array([[0.352, -0.6056, 0.3441], [0.9855, -0.581, 0.7077], [0.3978, -0.5566, -0.6305]]),
        np.array([[0.9083, -0.3191, -0.1172], [0.3122, -0.1194, -0.9995], [-0.4795, -0.0555, 0.5225]]),
    ],
    [np.array([0.2128, -0.1396, -0.6179]), np.array([0.5693, -0.6258, 0.4476]), np.array([-0.0052, 0.1044, -0.232])],
    ["sigmoid"] * 3,
)
X3 = np.array([0.2, -0.7, 1.1])
XOR_NET = cf.Network(
    [np.array([[0.3, -0.4], [0.2, 0.6]]), np.array([[0.7, -0.3]])],
    [np.array([0.25, 0.45]), np.array([0.15])],
    ["sigmoid", "sigmoid"],
)
XOR_X, XOR_Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def model_of(net):
    """An MLP with a network's numbers."""
    names = {"activation": net.activations[0], "output_activation": net.activations[-1]}
    model = nn.MLP(net.W[0].shape[1], [len(b) for b in net.b], **names)
    for layer, W, b in zip(model.layers, net.W, net.b, strict=True):
        for neuron, w_j, b_j in zip(layer.neurons, W, b, strict=True):
            for parameter, number in zip(neuron.parameters(), (*w_j, b_j), strict=True):
                parameter.data = float(number)
    return model


def by_differences(net, x, y):
    """dE_t/dW and dE_t/db by central differences of the cost alone."""

    def slope(array, place, h=1e-6):
        old = array[place]
        costs = []
        for new in (old + h, old - h):
            array[place] = new
            costs.append(cf.cost_of_sample(y, cf.forward(net, x)[1][-1]))
        array[place] = old
        return (costs[0] - costs[1]) / (2 * h)

    return tuple(
        [np.array([slope(a, i) for i in np.ndindex(a.shape)]).reshape(a.shape) for a in arrays]
        for arrays in (net.W, net.b)
    )


@pytest.mark.parametrize(("net", "y"), [(NET_3331, [1.0]), (NET_3333, [0.0, 1.0, 0.0])])
def test_formulas_against_differences_of_the_cost(net, y):
    for ours, theirs in zip(cf.backpropagate(net, X3, y), by_differences(net, X3, y), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(("net", "y"), [(NET_3331, [1.0]), (NET_3333, [0.0, 1.0, 0.0])])
def test_backward_is_the_formulas(net, y):
    comparison = cf.compare(model_of(net), X3, y)
    assert comparison.worst.ulps <= 16
    assert [row.formula for row in comparison.rows] == (
        ["3.3", "3.3", "3.3", "3.6"] * 6 + ["3.2", "3.2", "3.2", "3.5"] * len(y)
    )


def test_the_xor_network():
    comparison = cf.compare(model_of(XOR_NET), XOR_X, XOR_Y)
    assert comparison.worst.ulps <= 4
    dW, db = cf.gradient(XOR_NET, XOR_X, XOR_Y)
    by_name = {row.parameter: row.closed_form for row in comparison.rows}
    assert by_name["w1_21"] == pytest.approx(dW[0][1, 0], rel=1e-15)
    assert by_name["b2_1"] == pytest.approx(db[1][0], rel=1e-15)
    text = str(comparison)
    assert "w1_21   (3.3)" in text
    assert "b2_1    (3.5)" in text
    assert "worst difference:" in text


def test_misprints_of_the_tutorial():
    """As printed they are not the gradient: y without its index, a sum over i from 0, layers down to 2 only."""
    y = np.array([0.0, 1.0, 0.0])
    db3 = cf.backpropagate(NET_3333, X3, y)[1][-1]
    z, a = cf.forward(NET_3333, X3)
    as_printed = (a[3] - y.sum()) * cf.sigma_prime(z[2])  # one y^(t) for all outputs
    assert not np.allclose(as_printed, db3)
    assert np.allclose((a[3] - y) * cf.sigma_prime(z[2]), db3)
    with pytest.raises(IndexError):
        NET_3333.W[2][3]  # s + 1 terms in (3.6): there is no row w_0j besides the rows 1..s
    dW1 = cf.backpropagate(NET_3331, X3, [1.0])[0][0]
    assert np.linalg.norm(dW1) > 1e-3  # layer 1 has a gradient: the layers run down to 1


def test_sigma_prime_wants_z_not_the_activation():
    """(1.2) at the activation, the slip of the third document, is another number."""
    z = np.array([-30.0, -10.0, -1.0, 0.5, 2.0, 10.0, 30.0])
    textbook = np.exp(-z) / (1 + np.exp(-z)) ** 2
    np.testing.assert_allclose(cf.sigma_prime(z), textbook, rtol=1e-15)
    np.testing.assert_allclose(cf.sigma_prime(z)[1:5], (cf.sigma(z) * (1 - cf.sigma(z)))[1:5], rtol=1e-11)
    assert not np.allclose(cf.sigma_prime(cf.sigma(z)), textbook)


def test_costs():
    Y, H = [[0], [1], [1], [0]], [[0.1], [0.8], [0.7], [0.3]]
    assert cf.cost(Y, H) == pytest.approx(0.02875, rel=1e-15)  # the mean; the sum is 0.115
    assert cf.cost_of_sample([1.0, 0.0], [0.5, 0.5]) == 0.25


def magnitudes(net, x, y):
    """For each parameter, the sum of the magnitudes of the terms of its gradient: what rounding is relative to."""
    z, a = cf.forward(net, x)
    flow = np.abs(a[-1]) + np.abs(y)
    out = []
    for W, z_l, a_below in zip(net.W[::-1], z[::-1], a[-2::-1], strict=True):
        db = flow * cf.sigma_prime(z_l)
        out.insert(0, [number for j, d in enumerate(db) for number in (*(d * np.abs(a_below)), db[j])])
        flow = db @ np.abs(W)
    return np.concatenate(out)


@st.composite
def networks(draw):
    numbers = st.floats(-4, 4)
    widths = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    W = [np.array(draw(st.lists(numbers, min_size=j * k, max_size=j * k))).reshape(j, k) for j, k in shapes]
    b = [np.array(draw(st.lists(numbers, min_size=j, max_size=j))) for j, _ in shapes]
    x, y = (np.array(draw(st.lists(numbers, min_size=n, max_size=n))) for n in (widths[0], widths[-1]))
    return cf.Network(W, b, ["sigmoid"] * len(W)), x, y


@given(networks())
def test_random_networks(case):
    """Depth 1 to 4, width 1 to 6: backward() equals (3.2), (3.3), (3.5), (3.6) to rounding."""
    net, x, y = case
    comparison = cf.compare(model_of(net), x, y)
    difference = np.array([abs(row.engine - row.closed_form) for row in comparison.rows])
    assert np.all(difference <= 60 * 2.0**-53 * magnitudes(net, x, y) + 1e-300)


@pytest.mark.parametrize("mistake", ["sign", "slope at the activation", "transposed", "one term short", "bias scaled"])
def test_the_comparison_can_fail(mistake, monkeypatch):
    """Formulas that are wrong in the usual ways are thousands of ulps away."""
    right = cf.backpropagate

    def wrong(net, x, y):
        dW, db = right(net, x, y)
        if mistake == "sign":
            dW[-1] = -dW[-1]
        elif mistake == "slope at the activation":
            z, a = cf.forward(net, x)
            db[0] = db[0] / cf.sigma_prime(z[0]) * cf.sigma_prime(a[1])
        elif mistake == "transposed":
            dW[0] = dW[0].T
        elif mistake == "one term short":
            dW[1], db[1] = dW[1] * 0.99999999, db[1]
        else:
            db[1] = db[1] * len(db[1])
        return dW, db

    monkeypatch.setattr(cf, "backpropagate", wrong)
    assert cf.compare(model_of(NET_3333), X3, [0.0, 1.0, 0.0]).worst.ulps > 1000


def test_the_worst_sample_counts(monkeypatch):
    right = cf.backpropagate

    def wrong_for_one(net, x, y):
        dW, db = right(net, x, y)
        return (dW, [b * 1.001 for b in db]) if list(x) == [0, 1] else (dW, db)

    monkeypatch.setattr(cf, "backpropagate", wrong_for_one)
    assert cf.compare(model_of(XOR_NET), XOR_X, XOR_Y).worst.ulps > 1e6
    assert cf.compare(model_of(XOR_NET), XOR_X[2:], XOR_Y[2:]).worst.ulps < 10


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu", "sigmoid"])
def test_other_activations(activation):
    model = nn.MLP(3, [4, 2], activation, "identity", seed=4)
    assert cf.compare(model, [[0.3, -0.2, 0.9], [1, 2, 3]], [[1, 0], [0.5, -1]]).worst.ulps <= 64


def test_the_model_is_not_touched():
    model = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    model.parameters()[0].grad = 7.0
    cf.compare(model, XOR_X, XOR_Y)
    assert [p.grad for p in model.parameters()] == [7.0] + [0.0] * 8


def test_a_nan_is_the_worst():
    model = model_of(XOR_NET)
    model.parameters()[0].data = math.nan
    assert math.isnan(cf.compare(model, XOR_X, XOR_Y).worst.ulps)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: cf.compare(m, [[1, 2, 3]], [1]), ShapeError, "X has 3 columns; this model has 2"),
        (lambda m: cf.compare(m, [[1, 2]], [[1, 2]]), ShapeError, "Y has 2 columns; this model has 1"),
        (lambda m: cf.compare(m, [[1, 2], [3, 4]], [1]), ShapeError, "as many rows of each"),
        (lambda m: cf.compare(m, np.zeros((0, 2)), []), ShapeError, "at least one"),
        (lambda m: cf.compare(3, [[1]], [1]), TypeError, "hold for an MLP, not for int"),
        (lambda m: cf.forward(XOR_NET, [1, 2, 3]), ShapeError, r"x has shape \(3,\); this network takes \(2,\)"),
        (lambda m: cf.backpropagate(XOR_NET, [1, 2], [1, 2]), ShapeError, r"y has shape \(2,\); this network gives"),
        (lambda m: cf.compare(nn.MLP(1, [1], output_activation="sin"), [[1]], [1]), ValueError, "no closed form for"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(model_of(XOR_NET))


def test_single_samples_and_single_outputs_need_no_outer_brackets():
    model = model_of(XOR_NET)
    rows = [cf.compare(model, X, Y).rows for X, Y in (([[0, 1]], [[1]]), ([0, 1], [1]), ([[0, 1]], [1]))]
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize(
    "b", [([[0.25, 0.45]], [[0.15]]), ([[0.25], [0.45]], [[0.15]]), ([0.25], [0.15]), ([0.25, 0.45],)]
)
def test_biases_of_another_shape_are_refused(b):
    W = [np.array([[0.3, -0.4], [0.2, 0.6]]), np.array([[0.7, -0.3]])]
    with pytest.raises(ShapeError):
        cf.Network(W, [np.array(row) for row in b], ["sigmoid"] * 2)
    with pytest.raises(ShapeError, match="layer 2"):
        cf.Network([W[0], np.ones((1, 3))], [np.ones(2), np.ones(1)], ["sigmoid"] * 2)


def test_costs_do_not_broadcast():
    for call in (
        lambda: cf.cost([1, 0], [[0.5] * 3] * 2),
        lambda: cf.cost_of_sample([1, 0, 0], [0.5]),
        lambda: cf.cost([], []),
    ):
        with pytest.raises(ShapeError):
            call()


def test_models_that_the_formulas_do_not_describe_are_refused():
    mixed = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    mixed.layers[0].neurons[1].activation = OPS["tanh"]
    with pytest.raises(ValueError, match="different activations"):
        cf.compare(mixed, [[0, 1]], [1])
    tied = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    tied.layers[0].neurons[0].w[0] = tied.layers[0].neurons[1].w[0]
    with pytest.raises(ValueError, match="each once"):
        cf.compare(tied, [[0, 1]], [1])


def test_the_columns_are_what_they_say(monkeypatch):
    """One gradient moved by exactly 3 ulp in one sample: that row says so, and its mean moves."""
    model = nn.MLP(2, [2, 1], "sigmoid", "sigmoid", seed=1)
    X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    true = cf._backward
    engine = [true(model, np.array(x, float), np.array([y], float)) for x, y in zip(X, Y, strict=True)]
    calls = []

    def off(twin, x, y):
        found = true(twin, x, y)
        calls.append(x)
        if len(calls) == 3:
            exact = cf.backpropagate(cf.Network.of(model), x, y)[1][1][0]
            found["b2_1"] = exact + 3 * np.spacing(abs(exact))
        return found

    monkeypatch.setattr(cf, "_backward", off)
    row = cf.compare(model, X, Y).rows[-1]
    assert row.parameter == "b2_1"
    assert row.ulps == 3.0
    assert row.engine == pytest.approx(np.mean([g["b2_1"] for g in engine]), rel=1e-14)
