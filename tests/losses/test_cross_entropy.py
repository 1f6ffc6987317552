"""The cross-entropies and their gradients against finite differences, torch, scipy and values known
in closed form; extreme logits; bad input."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from satlib.losses import cross_entropy, gradients

STEADY = settings(max_examples=30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
LOGITS = arrays(np.float64, st.integers(1, 8), elements=st.floats(-30, 30))
EXTREME = [-1e4, -800.0, -745.2, -40.0, 0.0, 40.0, 745.2, 800.0, 1e4]


# Gradients against central differences


@STEADY
@given(SEEDS)
def test_binary_gradient_and_the_articles_form(seed):
    rng = np.random.default_rng(seed)
    x, theta, y = rng.normal(size=(7, 3)), rng.normal(size=3), rng.integers(0, 2, 7)
    z = x @ theta
    collapsed = gradients.chain(cross_entropy.binary_cross_entropy_gradient(y, z), x)
    numeric = gradients.finite_differences(
        lambda t: cross_entropy.binary_cross_entropy(y, x @ t), theta
    )
    assert collapsed == pytest.approx(numeric, abs=1e-8)
    p = cross_entropy.sigmoid(z)
    article = gradients.chain(cross_entropy.probability_gradient(y, p), (p * (1 - p))[:, None] * x)
    assert article == pytest.approx(collapsed, abs=1e-12)


@STEADY
@given(SEEDS)
def test_cross_entropy_gradient(seed):
    rng = np.random.default_rng(seed)
    x, theta, y = rng.normal(size=(6, 3)), rng.normal(size=(3, 5)), rng.integers(0, 5, 6)
    gradient = cross_entropy.cross_entropy_gradient(y, x @ theta)
    numeric = gradients.finite_differences(lambda t: cross_entropy.cross_entropy(y, x @ t), theta)
    assert x.T @ gradient == pytest.approx(numeric, abs=1e-8)
    assert gradient.sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-15)


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
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
