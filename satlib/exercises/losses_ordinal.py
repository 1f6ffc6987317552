"""The exercises of lesson 13: a reference answer and a checker each."""

import numpy as np


def answer_1(above):
    return 1 + (np.asarray(above) >= 0.5).sum(axis=1)


def check_1(answer):
    p = np.array(
        [
            [0.4, 0.05, 0.0, 0.25, 0.3],
            [0.0, 0.1, 0.2, 0.6, 0.1],
            [0.6, 0.1, 0.1, 0.1, 0.1],
            [0.0, 0.0, 0.1, 0.2, 0.7],
            [0.3, 0.25, 0.15, 0.15, 0.15],
        ]
    )
    above = 1 - np.cumsum(p, axis=1)[:, :4]
    got = np.asarray(answer(above), dtype=float)
    assert got.shape == (5,), f"one rating for each row, shape (5,), not {got.shape}"
    assert not np.allclose(got, 1 + p.argmax(axis=1)), (
        "that is the most probable rating, and not the median"
    )
    assert not np.allclose(got, 1 + above.sum(axis=1)), (
        "that is the expected rating, which is a mean"
    )
    assert not np.allclose(got, np.round(1 + above.sum(axis=1))), "a rounded mean is not the median"
    assert not np.allclose(got, [3, 3, 0, 4, 1]), (
        "the count of such boundaries starts at 0, and ratings at 1"
    )
    assert np.allclose(got, [4, 4, 1, 5, 2]), (
        f"the medians are 4, 4, 1, 5 and 2, not {got.tolist()}"
    )


def answer_2(y, score, thresholds, weights):
    from satlib.losses import cross_entropy

    z = np.subtract.outer(score, thresholds)
    levels = np.asarray(y)[:, None] > np.arange(len(thresholds))
    return (cross_entropy.sigmoid(z) - levels) @ weights / len(z)


def check_2(answer):
    from satlib.losses import cross_entropy, ordinal

    y, score = np.array([0, 2, 4, 3, 1]), np.array([0.5, -1.0, 2.0, 800.0, -800.0])
    thresholds, weights = np.array([-2.0, -0.5, 0.5, 1.5]), np.array([1.0, 1.0, 3.0, 0.5])
    by_logits = ordinal.coral_gradient(y, ordinal.boundary_logits(score, thresholds))
    with np.errstate(all="ignore"):
        got, expected = (
            np.asarray(answer(y, score, thresholds, weights), dtype=float),
            by_logits @ weights,
        )
    wrong = 1 + np.arange(4) <= y[:, None] - 1
    later = (cross_entropy.sigmoid(score[:, None] - thresholds) - wrong) @ weights / 5
    assert got.shape == (5,), f"one number for each session, shape (5,), not {got.shape}"
    assert np.isfinite(got).all(), "not finite at a score of 800: use losses.sigmoid"
    assert not np.allclose(got, by_logits.sum(axis=1)), "the weights are missing"
    assert not np.allclose(got, 5 * expected), (
        "the loss is a mean over sessions: divide by their number"
    )
    assert not np.allclose(got, expected / weights.sum()), (
        "the boundaries are summed: do not divide by the weights"
    )
    assert not np.allclose(got, -expected), (
        "the sign is turned: a score below the rating must have a negative gradient"
    )
    assert not np.allclose(got, later), (
        "classes count from 0: class y lies above the boundaries 0 to y - 1"
    )
    assert np.allclose(got, expected, atol=1e-12), (
        f"y = {y.tolist()} should give {expected.round(3).tolist()}"
    )


def answer_3(z):
    from satlib.losses import cross_entropy

    return 1 + np.cumprod(cross_entropy.sigmoid(z), axis=1).sum(axis=1)


def check_3(answer):
    from satlib.losses import cross_entropy

    z = np.array([[1.0, -0.5, 2.0, 0.0], [3.0, 2.0, 1.0, -1.0], [-4.0, 0.0, 0.0, 6.0]])
    p = cross_entropy.sigmoid(z)
    got, expected = np.asarray(answer(z), dtype=float), 1 + np.cumprod(p, axis=1).sum(axis=1)
    assert got.shape == (3,), f"one rating for each row, shape (3,), not {got.shape}"
    assert not np.allclose(got, 1 + p.sum(axis=1)), (
        "these probabilities are conditional: multiply them in order"
    )
    assert not np.allclose(got, expected - 1), "that counts from 0: the lowest rating is 1"
    assert np.allclose(got, expected), (
        f"these are {expected.round(3).tolist()}, not {got.round(3).tolist()}"
    )
