"""Losses and update rules against finite differences, torch, scipy and values known in closed form;
and bad input."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from satlib.data.labels import from_unit, to_unit
from satlib.losses import cross_entropy, optimisers, squared_error

STEADY = settings(max_examples=30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
LOGITS = arrays(np.float64, st.integers(1, 8), elements=st.floats(-30, 30))
EXTREME = [-1e4, -800.0, -745.2, -40.0, 0.0, 40.0, 745.2, 800.0, 1e4]


def drawn(seed: int, n: int = 7, k: int = 3):
    """Inputs [n, k], parameters [k], labels in {0, 1}, targets in [0, 1]."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)), rng.normal(size=k), rng.integers(0, 2, n), rng.random(n)


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


# Gradients against central differences


@STEADY
@given(SEEDS)
def test_squared_error_gradient_of_linear_and_sigmoid_model(seed):
    x, theta, _, y = drawn(seed)
    by_hand = cross_entropy.chain(squared_error.squared_error_gradient(y, x @ theta), x)
    assert by_hand == pytest.approx(
        cross_entropy.finite_differences(lambda t: squared_error.squared_error(y, x @ t), theta),
        abs=1e-8,
    )
    z = x @ theta
    jacobian = cross_entropy.sigmoid_slope(z)[:, None] * x
    by_hand = cross_entropy.chain(
        squared_error.squared_error_gradient(y, cross_entropy.sigmoid(z)), jacobian
    )
    numeric = cross_entropy.finite_differences(
        lambda t: squared_error.squared_error(y, cross_entropy.sigmoid(x @ t)), theta
    )
    assert by_hand == pytest.approx(numeric, abs=1e-8)


@STEADY
@given(SEEDS)
def test_binary_gradient_and_the_articles_form(seed):
    x, theta, y, _ = drawn(seed)
    z = x @ theta
    collapsed = cross_entropy.chain(cross_entropy.binary_cross_entropy_gradient(y, z), x)
    numeric = cross_entropy.finite_differences(
        lambda t: cross_entropy.binary_cross_entropy(y, x @ t), theta
    )
    assert collapsed == pytest.approx(numeric, abs=1e-8)
    p = cross_entropy.sigmoid(z)
    article = cross_entropy.chain(
        cross_entropy.probability_gradient(y, p), (p * (1 - p))[:, None] * x
    )
    assert article == pytest.approx(collapsed, abs=1e-12)


@STEADY
@given(SEEDS)
def test_cross_entropy_gradient(seed):
    rng = np.random.default_rng(seed)
    x, theta, y = rng.normal(size=(6, 3)), rng.normal(size=(3, 5)), rng.integers(0, 5, 6)
    gradient = cross_entropy.cross_entropy_gradient(y, x @ theta)
    numeric = cross_entropy.finite_differences(
        lambda t: cross_entropy.cross_entropy(y, x @ t), theta
    )
    assert x.T @ gradient == pytest.approx(numeric, abs=1e-8)
    assert gradient.sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-15)


def test_finite_differences_of_a_cubic_are_off_by_the_step_squared():
    # The central difference of t^3 at 1 is exactly 3 + h^2.
    slope = cross_entropy.finite_differences(lambda t: float(t[0] ** 3), [1.0], step=0.1)
    assert slope.item() == pytest.approx(3.01, abs=1e-12)


# Values and gradients against torch, in float64


@STEADY
@given(SEEDS)
def test_binary_cross_entropy_equals_torch(seed):
    rng = np.random.default_rng(seed)
    z, y = rng.normal(scale=8, size=9), rng.integers(0, 2, 9)
    logits = torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.tensor(y, dtype=torch.float64)
    )
    loss.backward()
    assert cross_entropy.binary_cross_entropy(y, z) == pytest.approx(loss.item(), abs=1e-12)
    assert cross_entropy.binary_cross_entropy_gradient(y, z) == pytest.approx(
        logits.grad.numpy(), abs=1e-12
    )


@STEADY
@given(SEEDS)
def test_cross_entropy_equals_torch(seed):
    rng = np.random.default_rng(seed)
    z, y = rng.normal(scale=8, size=(9, 5)), rng.integers(0, 5, 9)
    logits = torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y))
    loss.backward()
    assert cross_entropy.cross_entropy(y, z) == pytest.approx(loss.item(), abs=1e-12)
    assert cross_entropy.cross_entropy_gradient(y, z) == pytest.approx(
        logits.grad.numpy(), abs=1e-12
    )
    assert cross_entropy.softmax(z) == pytest.approx(
        torch.softmax(logits, 1).detach().numpy(), abs=1e-12
    )


@STEADY
@given(SEEDS)
def test_squared_error_equals_torch(seed):
    x, theta, _, y = drawn(seed)
    weights = torch.tensor(theta, requires_grad=True)
    loss = torch.nn.functional.mse_loss(torch.sigmoid(torch.tensor(x) @ weights), torch.tensor(y))
    loss.backward()
    z = x @ theta
    by_hand = cross_entropy.chain(
        squared_error.squared_error_gradient(y, cross_entropy.sigmoid(z)),
        cross_entropy.sigmoid_slope(z)[:, None] * x,
    )
    assert squared_error.squared_error(y, cross_entropy.sigmoid(z)) == pytest.approx(
        loss.item(), abs=1e-12
    )
    assert by_hand == pytest.approx(weights.grad.numpy(), abs=1e-12)


def optimised(optimiser, gradients, start):
    weights = torch.nn.Parameter(torch.tensor(start))
    rule = optimiser([weights])
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        rule.step()
    return weights.detach().numpy()


@pytest.mark.parametrize("decoupled", [True, False])
def test_sgd_with_the_articles_decay_is_torch_sgd(decoupled):
    gradients = np.random.default_rng(0).normal(size=(50, 4))
    start = np.array([1.0, -2.0, 0.5, 3.0])
    theta = start
    for gradient in gradients:
        theta = optimisers.sgd_step(theta, gradient, 0.05, 0.1, decoupled)
    torch_sgd = optimised(lambda w: torch.optim.SGD(w, lr=0.05, weight_decay=0.1), gradients, start)
    assert theta == pytest.approx(torch_sgd, abs=1e-12)
    assert (
        np.abs(theta - optimised(lambda w: torch.optim.SGD(w, lr=0.05), gradients, start)).max()
        > 0.1
    )


@pytest.mark.parametrize(("decoupled", "name"), [(True, "AdamW"), (False, "Adam")])
def test_adam_step_is_torch_adam_and_adamw(decoupled, name):
    gradients = np.random.default_rng(0).normal(size=(50, 4)) * [10, 1, 0.1, 0.01]
    start = np.array([1.0, -2.0, 0.5, 3.0])
    theta, state = start, (0, 0.0, 0.0)
    for gradient in gradients:
        theta, state = optimisers.adam_step(
            theta, gradient, state, 0.05, 0.1, decoupled, (0.8, 0.99), 1e-6
        )
    options = {"lr": 0.05, "weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6}
    expected = optimised(lambda w: getattr(torch.optim, name)(w, **options), gradients, start)
    assert theta == pytest.approx(expected, abs=1e-12)
    assert state[0] == 50


def test_decay_matters_where_only_for_adam():
    theta, gradient = np.array([1.0, 1.0]), np.array([1.0, 0.01])
    same = [
        optimisers.sgd_step(theta, gradient, 0.1, 0.1, decoupled) for decoupled in (True, False)
    ]
    assert same[0] == pytest.approx(same[1], abs=1e-15)
    apart = [
        optimisers.adam_step(theta, gradient, (0, 0.0, 0.0), 0.1, 0.1, decoupled)[0]
        for decoupled in (True, False)
    ]
    assert apart[1] == pytest.approx(
        [0.9, 0.9], abs=1e-6
    )  # the first step of Adam is the sign of the gradient
    assert apart[0] == pytest.approx([0.89, 0.89], abs=1e-6)


# Stability


@STEADY
@given(LOGITS)
def test_sigmoid_family_equals_scipy(z):
    assert cross_entropy.sigmoid(z) == pytest.approx(special.expit(z), abs=1e-15)
    assert cross_entropy.sigmoid_slope(z) == pytest.approx(
        special.expit(z) * special.expit(-z), rel=1e-12
    )
    assert cross_entropy.softplus(z) == pytest.approx(-special.log_expit(-z), rel=1e-12)


@pytest.mark.parametrize("z", EXTREME)
@pytest.mark.parametrize("y", [0, 1])
def test_extreme_logits(y, z):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an overflow on the way is a fault too
        loss, gradient = (
            cross_entropy.binary_cross_entropy([y], [z]),
            cross_entropy.binary_cross_entropy_gradient([y], [z]),
        )
        two = cross_entropy.cross_entropy([y], [[0.0, z]])
    wrong_by = z if y == 0 else -z
    assert loss == pytest.approx(max(wrong_by, 0) + math.log1p(math.exp(-abs(z))), rel=1e-12)
    assert two == pytest.approx(loss, abs=1e-12)
    assert np.isfinite(gradient).all()
    assert -1 <= gradient[0] <= 1


def test_a_well_classified_example_keeps_its_tiny_loss():
    assert cross_entropy.binary_cross_entropy([1], [50.0]) == pytest.approx(
        math.exp(-50), rel=1e-12, abs=0
    )
    assert cross_entropy.sigmoid_slope([50.0])[0] == pytest.approx(math.exp(-50), rel=1e-12, abs=0)


def test_cross_entropy_at_extreme_logits():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cross_entropy.cross_entropy(
            [0, 4], [[800, 0, 0, 0, -800], [800, 0, 0, 0, -800]]
        ) == pytest.approx(800)
        assert cross_entropy.softmax([[1e4, 1e4, -1e4]]).tolist() == [[0.5, 0.5, 0]]


@STEADY
@given(SEEDS, st.floats(-1e3, 1e3))
def test_softmax_ignores_a_shift_and_sums_to_one(seed, shift):
    z = np.random.default_rng(seed).normal(size=(4, 5))
    assert cross_entropy.softmax(z).sum(axis=1) == pytest.approx(np.ones(4))
    assert cross_entropy.softmax(z + shift) == pytest.approx(cross_entropy.softmax(z), abs=1e-10)


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
    (
        lambda: cross_entropy.binary_cross_entropy([0, 2], [0, 0]),
        r"y\[1\] is 2\.0; a binary label is 0",
    ),
    (
        lambda: cross_entropy.binary_cross_entropy([0.5], [0]),
        r"y\[0\] is 0\.5; a binary label is 0",
    ),
    (
        lambda: cross_entropy.binary_cross_entropy([1], [math.inf]),
        r"z\[0\] is inf; give finite numbers",
    ),
    (lambda: cross_entropy.binary_cross_entropy_gradient([1], [0, 1]), "y has 1 rows and z has 2"),
    (
        lambda: cross_entropy.probability_gradient([1, 0], [0.5, 1]),
        r"p\[1\] is 1\.0; .*binary_cross_entropy_gradient",
    ),
    (lambda: cross_entropy.sigmoid([NAN]), r"z\[0\] is nan"),
    (lambda: cross_entropy.softmax([0, 1]), r"z has shape \[2\]; it needs shape \[N, K\]"),
    (lambda: cross_entropy.softmax([[0, NAN]]), r"z\[0, 1\] is nan"),
    (
        lambda: cross_entropy.cross_entropy([5], [[0] * 5]),
        r"y\[0\] is 5\.0; a class is a whole number from 0 to 4",
    ),
    (lambda: cross_entropy.cross_entropy([-1], [[0] * 5]), r"y\[0\] is -1\.0"),
    (lambda: cross_entropy.cross_entropy([1.5], [[0] * 5]), r"y\[0\] is 1\.5"),
    (lambda: cross_entropy.cross_entropy_gradient([1, 2], [[0] * 5]), "y has 2 rows and z has 1"),
    (lambda: cross_entropy.chain([1, 2], [[1, 2]]), "gradient has 2 rows and jacobian has 1"),
    (lambda: optimisers.sgd_step([1, 2], [1], 0.1), r"gradient has shape \[1\]; theta needs \[2\]"),
    (lambda: optimisers.sgd_step([1], [1], 0), "learning_rate 0 must be above 0"),
    (lambda: optimisers.sgd_step([1], [1], 0.1, -1), "weight_decay -1 at least 0"),
    (lambda: optimisers.adam_step([1], [NAN], (0, 0.0, 0.0), 0.1), r"gradient\[0\] is nan"),
    (
        lambda: optimisers.adam_step([1], [1], (0, 0.0, 0.0), NAN),
        "learning_rate nan must be above 0",
    ),
    (lambda: cross_entropy.finite_differences(lambda t: 0.0, [NAN]), r"theta\[0\] is nan"),
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_inputs_are_left_alone():
    theta, gradient = np.ones(2), np.ones(2)
    optimisers.adam_step(theta, gradient, (0, 0.0, 0.0), 0.1, 0.1, decoupled=False)
    optimisers.sgd_step(theta, gradient, 0.1, 0.1)
    cross_entropy.finite_differences(lambda t: float(t.sum()), theta)
    assert theta.tolist() == gradient.tolist() == [1, 1]
