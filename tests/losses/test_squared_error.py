"""The squared error and its gradient against finite differences, torch and values by hand; the
scale of its targets; bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from satlib.data.labels import from_unit, to_unit
from satlib.losses import cross_entropy, gradients, squared_error

STEADY = settings(max_examples=30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, n: int = 7, k: int = 3):
    """Inputs [n, k], parameters [k] and targets [n] in [0, 1]."""
    rng = np.random.default_rng(seed)
    x, theta = rng.normal(size=(n, k)), rng.normal(size=k)
    rng.integers(0, 2, n)  # labels in {0, 1}, which the twin of cross_entropy takes
    return x, theta, rng.random(n)


# Ratings and the unit interval


def test_scale_by_hand():
    assert to_unit([1, 3, 4, 5]).tolist() == [0, 0.5, 0.75, 1]
    assert to_unit(4.5, 0.5, 5).item() == pytest.approx(8 / 9)
    assert from_unit([0, 0.25, 1.1]) == pytest.approx([1, 2, 5.4])  # beyond [0, 1]: not clipped


@STEADY
@given(arrays(np.float64, (3, 2), elements=st.floats(0.5, 5)))
def test_scale_round_trip(rating):
    unit = to_unit(rating, 0.5, 5)
    assert ((unit >= 0) & (unit <= 1)).all()
    assert from_unit(unit, 0.5, 5) == pytest.approx(rating)


# Against central differences and torch


@STEADY
@given(SEEDS)
def test_squared_error_gradient_of_linear_and_sigmoid_model(seed):
    x, theta, y = drawn(seed)
    by_hand = gradients.chain(squared_error.squared_error_gradient(y, x @ theta), x)
    assert by_hand == pytest.approx(
        gradients.finite_differences(lambda t: squared_error.squared_error(y, x @ t), theta),
        abs=1e-8,
    )
    z = x @ theta
    jacobian = cross_entropy.sigmoid_slope(z)[:, None] * x
    by_hand = gradients.chain(
        squared_error.squared_error_gradient(y, cross_entropy.sigmoid(z)), jacobian
    )
    numeric = gradients.finite_differences(
        lambda t: squared_error.squared_error(y, cross_entropy.sigmoid(x @ t)), theta
    )
    assert by_hand == pytest.approx(numeric, abs=1e-8)


@STEADY
@given(SEEDS)
def test_squared_error_equals_torch(seed):
    x, theta, y = drawn(seed)
    weights = torch.tensor(theta, requires_grad=True)
    loss = torch.nn.functional.mse_loss(torch.sigmoid(torch.tensor(x) @ weights), torch.tensor(y))
    loss.backward()
    z = x @ theta
    by_hand = gradients.chain(
        squared_error.squared_error_gradient(y, cross_entropy.sigmoid(z)),
        cross_entropy.sigmoid_slope(z)[:, None] * x,
    )
    assert squared_error.squared_error(y, cross_entropy.sigmoid(z)) == pytest.approx(
        loss.item(), abs=1e-12
    )
    assert by_hand == pytest.approx(weights.grad.numpy(), abs=1e-12)


# Bad input: one sentence with the value and the remedy

NAN = float("nan")
BAD = [
    (lambda: to_unit([1, 7]), r"rating\[1\] is 7\.0; the scale runs from 1 to 5"),
    (lambda: to_unit(0.5), r"rating is 0\.5; the scale runs from 1 to 5"),
    (lambda: to_unit("five"), "rating is not an array of numbers"),
    (lambda: to_unit([[1, 2], [3]]), "rating is not an array of numbers"),
    (lambda: to_unit([1, None]), r"rating\[1\] is nan; give finite numbers"),
    (lambda: to_unit([]), r"rating has shape \[0\]"),
    (lambda: to_unit(3, 5, 1), "the scale runs from 5 to 1"),
    (lambda: to_unit(3, 1, NAN), "the scale runs from 1 to nan"),
    (lambda: from_unit([0, NAN]), r"unit\[1\] is nan"),
    (lambda: from_unit(0, 2, 2), "the scale runs from 2 to 2"),
    (lambda: squared_error.squared_error([4], [0.5]), r"y\[0\] is 4\.0; .* to_unit"),
    (lambda: squared_error.squared_error([-0.1], [0.5]), r"y\[0\] is -0\.1"),
    (lambda: squared_error.squared_error([0, 1], [0.5]), "y has 2 rows and p has 1"),
    (
        lambda: squared_error.squared_error([[0]], [[1]]),
        r"y has shape \[1, 1\]; it needs shape \[N\]",
    ),
    (lambda: squared_error.squared_error_gradient([0, 1], [0.5, NAN]), r"p\[1\] is nan"),
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
