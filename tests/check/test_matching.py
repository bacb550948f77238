"""Which derivative of a given gradient belongs to which number: by keys, places and shapes."""

import numpy as np
import pytest
from mismatch import mismatch

from micrograd_bp import GradientMismatch, check_gradient

TWO = {"a": 2.0, "b": 3.0}


PAIR = lambda p: [p["a"] * p["b"], p["a"] + 2 * p["b"]]  # noqa: E731


SQUARES = lambda w: sum(x * x for row in w for x in row)  # noqa: E731


SUM = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("f", "inputs", "grad"),
    [
        (PAIR, (TWO,), [{"b": 2.0, "a": 3.0}, {"b": 2.0, "a": 1.0}]),
        (lambda p: dict(zip("uv", PAIR(p), strict=True)), (TWO,), {"v": {"a": 1.0, "b": 2.0}, "u": {"b": 2.0, "a": 3}}),
        (lambda p, q: p["a"] * q["x"] * p["b"], (TWO, {"x": 1.0}), ({"b": 2.0, "a": 3.0}, {"x": 6.0})),
        (lambda x: SUM @ x, (np.ones(3),), SUM),
        (lambda m: m @ np.eye(2), (np.ones((2, 2)),), np.eye(4).reshape(2, 2, 2, 2)),
        (lambda m: m @ np.eye(2), (np.ones((2, 2)),), np.eye(4)),
        (SQUARES, ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],), np.array([[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]])),
        (lambda x: (x * x).sum(), (np.ones(3),), (2 * np.ones(3),)),
        (lambda p: p["a"] * p["b"], (TWO,), ({"b": 2.0, "a": 3.0},)),
        (lambda p: p[0] * p[1]["a"], ([2.0, {"a": 3.0}],), ([3.0, {"a": 2.0}],)),
        (lambda p: p[0][0] * p[0][1], ([[2.0, 3.0]],), ([[3.0, 2.0]],)),
        (lambda p: p[0] * p[0], ([2.0],), 4.0),
    ],
)
def test_derivatives_are_matched_by_what_they_belong_to(f, inputs, grad):
    assert check_gradient(f, *inputs, grad=lambda *_: grad).verdict == "right"


def test_rows_of_dicts_are_matched_by_key():
    mismatch(PAIR, TWO, grad=lambda p: [{"b": 3.0, "a": 2.0}, {"b": 1.0, "a": 2.0}])


@pytest.mark.parametrize(
    ("f", "inputs", "grad", "said"),
    [
        (PAIR, (TWO,), [{"a": 3.0, "b": 2.0}, {"a": 1.0, "c": 2.0}], r"grad\[1\] has the keys \['a', 'c'\]; .* 'b'\]"),
        (PAIR, (TWO,), {"a": [3.0, 1.0], "b": [2.0, 2.0]}, "a row is needed for each number"),
        (lambda p: p["a"] * p["b"], (TWO,), [3.0, 2.0], r"no keys, it is a list; the input .* has \['a', 'b'\]"),
        (lambda p: p[0]["a"] * p[1], ([{"a": 2.0}, 3.0],), {"a": 3.0, "b": 2.0}, "has none, it is a list"),
        (SQUARES, (np.ones((3, 4)),), np.ones((4, 3)).tolist(), r"shape \(4, 3\); .* has \(3, 4\)"),
        (SQUARES, ([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]],), np.ones((2, 3)), r"shape \(2, 3\); .* has \(3, 2\)"),
        (SQUARES, (np.ones((3, 4)),), np.ones(12), r"shape \(12,\); .* has \(3, 4\)"),
        (lambda w, b: w @ b + b[0], (np.ones(3), np.ones(3)), (np.ones((3, 1)), np.ones(3)), r"grad\[0\] has shape"),
        (lambda x: SUM @ x, (np.ones(3),), SUM.T, r"grad has shape \(3, 2\); a row is needed for each of the 2"),
    ],
)
def test_derivatives_that_belong_to_something_else(f, inputs, grad, said):
    with pytest.raises(ValueError, match=said):
        check_gradient(f, *inputs, grad=lambda *_: grad)


def test_shapes_and_keys_have_to_fit():
    with pytest.raises(ValueError, match=r"grad has shape \(4, 3\); the input that it belongs to has \(3, 4\)"):
        check_gradient(lambda W: float(W.sum()), np.ones((3, 4)), grad=lambda W: np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"grad has the keys \['b'\]; the input that it belongs to has \['a'\]"):
        check_gradient(lambda p: p["a"] * 2.0, {"a": 1.0}, grad=lambda p: {"b": 2.0})


class Tensor:
    """What other libraries give: something that tells its numbers by `tolist`."""

    def __init__(self, x):
        self.x = x

    def tolist(self):
        return self.x


def test_tensors_within_tuples_are_numbers():
    def grad(x, y):
        return (Tensor(y), {"y": Tensor([x])}["y"])

    assert check_gradient(lambda x, y: Tensor(x * y), 2.0, 3.0, grad=grad).verdict == "right"


def test_entries_of_matrices_have_two_indices():
    one = np.zeros((3, 4))
    one[1, 2] = 1.0
    with pytest.raises(GradientMismatch, match=r"W\[1, 2\]"):
        check_gradient(
            lambda W: float((W * W).sum()),
            np.ones((3, 4)),
            grad=lambda W: 2 * W + (W * 0 + np.eye(3, 4, 1) * [[0], [1], [0]]),
        )
