"""Ordinal losses against coral_pytorch, autograd, finite differences and values by hand; extremes;
bad input."""

import math
import warnings

import numpy as np
import pytest
import torch
from coral_pytorch import dataset
from coral_pytorch import losses as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from satlib.data.satsim import simulation
from satlib.evaluation import metrics
from satlib.losses import cross_entropy, gradients, ordinal

STEADY = settings(max_examples=30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
LOSSES = {
    "cumulative": (ordinal.cumulative_loss, ordinal.cumulative_gradient),
    "coral": (ordinal.coral_loss, ordinal.coral_gradient),
    "corn": (ordinal.corn_loss, ordinal.corn_gradient),
}
READINGS = {"cumulative": ordinal.cumulative_probabilities, "corn": ordinal.corn_probabilities}
each_loss = pytest.mark.parametrize("name", LOSSES)


def drawn(seed: int, n: int = 9, classes: int = 5, falling: bool = True, scale: float = 2.0):
    """Classes [n] and logits [n, classes - 1], falling in each row or in any order."""
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=scale, size=(n, classes - 1))
    return rng.integers(0, classes, n), -np.sort(-z, axis=1) if falling else z


# Values by hand


def test_three_losses_by_hand():
    z = np.log([[3.0, 1.0]])  # sigmoids 3/4 and 1/2: probabilities 1/4, 1/4, 1/2 of three classes
    for y, p in enumerate((1 / 4, 1 / 4, 1 / 2)):
        assert ordinal.cumulative_loss([y], z) == pytest.approx(-math.log(p))
    for y, p in enumerate((1 / 4 * 1 / 2, 3 / 4 * 1 / 2, 3 / 4 * 1 / 2)):  # all boundaries answered
        assert ordinal.coral_loss([y], z) == pytest.approx(-math.log(p))
    for y, p in enumerate((1 / 4, 3 / 4 * 1 / 2, 3 / 4 * 1 / 2)):  # the boundaries reached
        assert ordinal.corn_loss([y], z) == pytest.approx(-math.log(p))


def test_gradient_of_the_score_by_hand():
    z = ordinal.boundary_logits(
        [0.0], -np.log([9.0, 3.0, 1.0, 1 / 4])
    )  # above: 0.9, 0.75, 0.5, 0.2
    by_score = {
        name: [ordinal.by_score(gradient([y], z))[0].item() for y in range(5)]
        for name, (_, gradient) in LOSSES.items()
    }
    assert by_score["cumulative"] == pytest.approx([0.9, 0.65, 0.25, -0.3, -0.8])
    assert by_score["coral"] == pytest.approx([2.35, 1.35, 0.35, -0.65, -1.65])
    assert by_score["corn"] == pytest.approx([0.9, 0.65, 0.15, -0.65, -1.65])


def test_levels_are_those_of_coral_pytorch():
    y = [0, 2, 4, 3, 1]
    assert ordinal.levels(y, 4).tolist() == dataset.levels_from_labelbatch(y, 5).tolist()


def test_boundaries_are_score_minus_thresholds():
    z = ordinal.boundary_logits([1.0, -2.0], [-1.0, 0.5])
    assert z.tolist() == [[2.0, 0.5], [-1.0, -2.5]]
    by_score, by_threshold = ordinal.by_score([[1.0, 2.0], [3.0, 5.0]])
    assert by_score.tolist() == [3, 8] and by_threshold.tolist() == [-4, -7]


# Gradients against central differences, by the logits and through one score


@each_loss
@STEADY
@given(seed=SEEDS, classes=st.integers(2, 6))
def test_gradients_equal_finite_differences(name, seed, classes):
    loss, gradient = LOSSES[name]
    rng = np.random.default_rng(seed)
    y, score = rng.integers(0, classes, 7), rng.normal(size=7)
    thresholds = np.cumsum(rng.uniform(0.05, 1.5, classes - 1)) - 1.5
    z = ordinal.boundary_logits(score, thresholds)
    numeric = gradients.finite_differences(lambda t: loss(y, t), z)
    assert gradient(y, z) == pytest.approx(numeric, abs=1e-7)
    by_score, by_threshold = ordinal.by_score(gradient(y, z))
    assert by_score == pytest.approx(
        gradients.finite_differences(
            lambda s: loss(y, ordinal.boundary_logits(s, thresholds)), score
        ),
        abs=1e-7,
    )
    assert by_threshold == pytest.approx(
        gradients.finite_differences(
            lambda t: loss(y, ordinal.boundary_logits(score, t)), thresholds
        ),
        abs=1e-7,
    )


@STEADY
@given(SEEDS)
def test_soft_gradient_equals_finite_differences(seed):
    rng = np.random.default_rng(seed)
    q, z = rng.dirichlet(np.ones(5), 6), rng.normal(scale=3, size=(6, 5))
    numeric = gradients.finite_differences(lambda t: ordinal.soft_cross_entropy(q, t), z)
    assert ordinal.soft_cross_entropy_gradient(q, z) == pytest.approx(numeric, abs=1e-8)


@STEADY
@given(SEEDS)
def test_pull_of_cumulative_logits_needs_the_two_nearest_boundaries_only(seed):
    y, z = drawn(seed)
    gradient = ordinal.cumulative_gradient(y, z)
    far = (np.arange(4) != y[:, None]) & (np.arange(4) != y[:, None] - 1)
    above = cross_entropy.sigmoid(np.hstack([np.full((9, 1), 1e9), z, np.full((9, 1), -1e9)]))
    row = np.arange(9)
    assert (gradient[far] == 0).all()
    assert 9 * gradient.sum(axis=1) == pytest.approx(
        above[row, y] + above[row, y + 1] - 1, abs=1e-9
    )


# Against torch and coral_pytorch


def autograd(loss, z):
    logits = torch.tensor(z, requires_grad=True)
    value = loss(logits)
    value.backward()
    return value.item(), logits.grad.numpy()


def equal(name, y, z, loss, factor=1.0):
    value, gradient = autograd(loss, z)
    assert LOSSES[name][0](y, z) == pytest.approx(factor * value, abs=1e-12)
    assert LOSSES[name][1](y, z) == pytest.approx(factor * gradient, abs=1e-12)


@STEADY
@given(SEEDS, st.booleans())
def test_coral_equals_coral_pytorch(seed, falling):
    y, z = drawn(seed, falling=falling, scale=6)
    known = dataset.levels_from_labelbatch(y.tolist(), 5, dtype=torch.float64)
    equal("coral", y, z, lambda logits: theirs.coral_loss(logits, known))


@STEADY
@given(SEEDS, st.booleans())
def test_corn_equals_coral_pytorch_up_to_its_divisor(seed, falling):
    y, z = drawn(seed, falling=falling, scale=6)
    asked = sum(np.sum(y >= k) for k in range(4))
    equal(
        "corn",
        y,
        z,
        lambda logits: theirs.corn_loss(logits, torch.tensor(y), 5),
        factor=asked / len(y),
    )


@STEADY
@given(SEEDS)
def test_cumulative_equals_the_plain_formula_in_torch(seed):
    y, z = drawn(seed)

    def plain(logits):
        above = torch.sigmoid(logits)
        one = torch.ones(len(y), 1, dtype=torch.float64)
        p = torch.hstack([one, above]) - torch.hstack([above, 0 * one])
        return -torch.log(p[torch.arange(len(y)), torch.tensor(y)]).mean()

    value, gradient = autograd(plain, z)
    assert ordinal.cumulative_loss(y, z) == pytest.approx(value, rel=1e-9)
    assert ordinal.cumulative_gradient(y, z) == pytest.approx(gradient, rel=1e-6, abs=1e-9)


@STEADY
@given(SEEDS)
def test_soft_cross_entropy_equals_torch(seed):
    rng = np.random.default_rng(seed)
    q, z = rng.dirichlet(np.ones(5), 8), rng.normal(scale=6, size=(8, 5))
    value, gradient = autograd(
        lambda logits: torch.nn.functional.cross_entropy(logits, torch.tensor(q)), z
    )
    assert ordinal.soft_cross_entropy(q, z) == pytest.approx(value, abs=1e-12)
    assert ordinal.soft_cross_entropy_gradient(q, z) == pytest.approx(gradient, abs=1e-12)


def test_soft_cross_entropy_of_certain_labels_is_cross_entropy():
    y, z = drawn(0, falling=False)
    z = np.hstack([z, z[:, :1]])
    q = ordinal.soft_labels(y, 5)
    assert ordinal.soft_cross_entropy(q, z) == pytest.approx(cross_entropy.cross_entropy(y, z))
    assert ordinal.soft_cross_entropy_gradient(q, z) == pytest.approx(
        cross_entropy.cross_entropy_gradient(y, z)
    )


@each_loss
def test_two_classes_are_the_binary_cross_entropy(name):
    y, z = np.array([0, 1, 1, 0]), np.array([1.5, -2.0, 0.3, 40.0])
    loss, gradient = LOSSES[name]
    assert loss(y, z[:, None]) == pytest.approx(cross_entropy.binary_cross_entropy(y, z))
    assert gradient(y, z[:, None])[:, 0] == pytest.approx(
        cross_entropy.binary_cross_entropy_gradient(y, z)
    )


# Probabilities


@pytest.mark.parametrize("name", READINGS)
@STEADY
@given(seed=SEEDS, classes=st.integers(2, 6), falling=st.booleans())
def test_probabilities_are_probabilities(name, seed, classes, falling):
    p = READINGS[name](drawn(seed, classes=classes, falling=falling, scale=8)[1])
    assert p.shape == (9, classes) and (p >= 0).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(9), abs=1e-12)


@pytest.mark.parametrize("name", READINGS)
@STEADY
@given(seed=SEEDS)
def test_the_loss_is_minus_the_log_of_the_probability(name, seed):
    y, z = drawn(seed, falling=name == "cumulative")
    assert LOSSES[name][0](y, z) == pytest.approx(
        -np.mean(np.log(READINGS[name](z)[np.arange(9), y]))
    )


@STEADY
@given(SEEDS)
def test_the_expected_class_is_the_sum_of_what_lies_above(seed):
    _, z = drawn(seed)
    cumulative, corn = cross_entropy.sigmoid(z), np.cumprod(cross_entropy.sigmoid(z), axis=1)
    assert ordinal.expected_class(ordinal.cumulative_probabilities(z)) == pytest.approx(
        cumulative.sum(axis=1)
    )
    assert ordinal.expected_class(ordinal.corn_probabilities(z)) == pytest.approx(corn.sum(axis=1))


def test_contradicting_logits():
    z = np.array([[0.0, -2.0, 1.0, -3.0]])  # more surely above class 2 than above class 1
    above = special.expit([0, -2, -2, -3])
    expected = [1 - above[0], above[0] - above[1], 0, above[2] - above[3], above[3]]
    assert ordinal.cumulative_probabilities(z)[0] == pytest.approx(expected)
    above = np.cumprod(special.expit(z[0]))
    assert (np.diff(above) < 0).all()  # CORN's product cannot rise, whatever its logits do
    expected = -np.diff(np.concatenate([[1], above, [0]]))
    assert ordinal.corn_probabilities(z)[0] == pytest.approx(expected)


def test_cumulative_logits_are_the_noise_of_satsim():
    for utility in (-4.0, 0.0, 2.5):
        p = ordinal.cumulative_probabilities(
            ordinal.boundary_logits([utility], simulation.THRESHOLDS)
        )[0]
        assert p == pytest.approx(simulation.probabilities(utility), abs=2e-6)
        assert 1 + ordinal.expected_class([p]) == pytest.approx(simulation.expected_rating(p))


# Soft labels


def test_soft_labels_by_hand():
    found = ordinal.soft_labels([0, 2 + 2 / 3, 3.5, 4], 5)
    expected = [[1, 0, 0, 0, 0], [0, 0, 1 / 3, 2 / 3, 0], [0, 0, 0, 0.5, 0.5], [0, 0, 0, 0, 1]]
    assert found == pytest.approx(np.array(expected))


@STEADY
@given(st.lists(st.floats(0, 4), min_size=1, max_size=9))
def test_soft_labels_keep_the_mean(y):
    q = ordinal.soft_labels(y, 5)
    assert (
        q.sum(axis=1) == pytest.approx(np.ones(len(y))) and (np.count_nonzero(q, axis=1) <= 2).all()
    )
    assert ordinal.expected_class(q) == pytest.approx(np.array(y))


def test_half_stars_share_what_the_metrics_round_up():
    assert metrics.classes([3.5]).tolist() == [4]
    assert ordinal.soft_labels([2.5], 5)[0].tolist() == [0, 0, 0.5, 0.5, 0]


# Extremes


@each_loss
@pytest.mark.parametrize("score", [-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4])
@pytest.mark.parametrize("y", range(5))
def test_extreme_scores(name, score, y):
    thresholds = np.array([-1.0, 0.0, 0.5, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        z = ordinal.boundary_logits([score], thresholds)
        loss, gradient = (f([y], z) for f in LOSSES[name])
        p = {reading([*z])[0, y] for reading in READINGS.values()}
    assert (
        np.isfinite(loss)
        and loss >= 0
        and np.isfinite(gradient).all()
        and all(0 <= one <= 1 for one in p)
    )
    if name == "cumulative" and abs(score) >= 800:  # linear in the logit of the nearer boundary
        wrong = (
            score - thresholds[y]
            if score > 0 and y < 4
            else thresholds[y - 1] - score
            if score < 0 < y
            else 0
        )
        shape = -math.log(-math.expm1(thresholds[y - 1] - thresholds[y])) if 0 < y < 4 else 0
        assert loss == pytest.approx(wrong + shape, rel=1e-9, abs=1e-9)


def test_difference_of_sigmoids_keeps_its_digits():
    # Both sigmoids are 1 in float64, and their difference is exp(-50) - exp(-51) to 16 digits.
    z = np.array([[51.0, 50.0]])
    exact = math.exp(-50) - math.exp(-51)
    assert special.expit(51.0) - special.expit(50.0) == 0
    assert ordinal.cumulative_loss([1], z) == pytest.approx(-math.log(exact), rel=1e-12)
    assert ordinal.cumulative_probabilities(z)[0, 1] == pytest.approx(exact, rel=1e-12, abs=0)
    assert ordinal.corn_probabilities([[50.0, -50.0]])[0, 0] == pytest.approx(
        math.exp(-50), rel=1e-12, abs=0
    )


def test_thresholds_far_apart_or_nearly_equal():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ordinal.cumulative_loss([1], [[800.0, -800.0]]) == 0
        assert not ordinal.cumulative_gradient([1], [[800.0, -800.0]]).any()
        narrow = ordinal.cumulative_loss([1], [[1e-9, 0.0]])
        assert narrow == pytest.approx(-math.log(1e-9 / 4), rel=1e-6)
        assert ordinal.cumulative_gradient([1], [[1e-9, 0.0]])[0] == pytest.approx(
            [-1e9, 1e9], rel=1e-6
        )
        assert ordinal.soft_cross_entropy([[0.5, 0.5]], [[800.0, -800.0]]) == 800


# Bad input

NAN = float("nan")
BAD = [
    (
        lambda: ordinal.cumulative_loss([0], [[1.0, 1.0]]),
        r"the fall of z\[0, 0\] is 0\.0; .* must fall",
    ),
    (
        lambda: ordinal.cumulative_gradient([0], [[1.0, 2.0]]),
        r"is -1\.0; cumulative logits must fall",
    ),
    (
        lambda: ordinal.cumulative_loss([5], [[3, 2, 1, 0]]),
        r"y\[0\] is 5\.0; with 4 boundaries .* from 0 to 4",
    ),
    (lambda: ordinal.cumulative_loss([1.5], [[3, 2, 1, 0]]), r"y\[0\] is 1\.5; with 4 boundaries"),
    (lambda: ordinal.coral_loss([-1], [[3, 2, 1, 0]]), r"y\[0\] is -1\.0"),
    (lambda: ordinal.coral_loss([1, 2], [[3, 2]]), "y has 2 rows and z has 1"),
    (lambda: ordinal.coral_gradient([1], [3, 2]), r"z has shape \[2\]; it needs shape \[N, K\]"),
    (lambda: ordinal.corn_loss([1], [[NAN, 0]]), r"z\[0, 0\] is nan; give finite numbers"),
    (lambda: ordinal.corn_gradient([3], [[0, 0]]), r"y\[0\] is 3\.0; with 2 boundaries"),
    (lambda: ordinal.levels([3], 2), r"y\[0\] is 3\.0"),
    (lambda: ordinal.boundary_logits([0, NAN], [1]), r"score\[1\] is nan"),
    (lambda: ordinal.boundary_logits([0], [[1]]), r"thresholds has shape \[1, 1\]"),
    (lambda: ordinal.by_score([1, 2]), r"gradient has shape \[2\]"),
    (lambda: ordinal.cumulative_probabilities([1, 2]), r"z has shape \[2\]"),
    (lambda: ordinal.corn_probabilities([[NAN]]), r"z\[0, 0\] is nan"),
    (lambda: ordinal.expected_class([0.5, 0.5]), r"p has shape \[2\]"),
    (
        lambda: ordinal.soft_labels([4.5], 5),
        r"y\[0\] is 4\.5; y lies between 0 and 4 \(rating 1 is class 0\)",
    ),
    (lambda: ordinal.soft_labels([NAN], 5), r"y\[0\] is nan"),
    (
        lambda: ordinal.soft_cross_entropy([[0.5, 0.4]], [[0, 0]]),
        r"the sum of q\[0\] is 0\.9; each row of q sums to 1",
    ),
    (
        lambda: ordinal.soft_cross_entropy([[1.5, -0.5]], [[0, 0]]),
        r"q\[0, 1\] is -0\.5; a probability is at least 0",
    ),
    (
        lambda: ordinal.soft_cross_entropy_gradient([[1.0]], [[0, 0]]),
        r"q has shape \[1, 1\] and z \[1, 2\]",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_bad_input_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
