"""The exercises of lesson 13: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


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
            [0.25, 0.25, 0.25, 0.25, 0.0],  # exactly one half lies above the rating 2
        ]
    )
    right = np.array([4, 4, 1, 5, 2, 3])
    above = 1 - np.cumsum(p, axis=1)[:, :4]
    got = answer(above)
    if got is not None:
        assert np.shape(got) == (6,), f"one rating for each row, shape (6,), not {np.shape(got)}"
    mean = 1 + above.sum(axis=1)
    more_than_half = 1 + (above > 0.5).sum(axis=1)
    mistakes = {
        "that is the most probable rating, and not the median": 1 + p.argmax(axis=1),
        "that is the expected rating, which is a mean": mean,
        "a rounded mean is not the median": np.round(mean),
        "the count of such boundaries starts at 0, and ratings at 1": right - 1,
        "where exactly one half lies above a rating, that is not less than one half: "
        "the median is higher": more_than_half,
    }
    expect(got, right, mistakes, "the medians are 4, 4, 1, 5, 2 and 3, not {got}")


def answer_2(y, score, thresholds, weights):
    from satlib.losses import cross_entropy

    z = np.subtract.outer(score, thresholds)
    levels = np.asarray(y)[:, None] > np.arange(len(thresholds))
    return (cross_entropy.sigmoid(z) - levels) @ weights / len(z)


def check_2(answer):
    from satlib.losses import cross_entropy, ordinal

    y = np.array([0, 2, 4, 3, 1])
    score = np.array([0.5, -1.0, 2.0, 800.0, -800.0])
    thresholds = np.array([-2.0, -0.5, 0.5, 1.5])
    weights = np.array([1.0, 1.0, 3.0, 0.5])
    with np.errstate(all="ignore"):  # what overflows is told by the hint
        got = answer(y, score, thresholds, weights)
    if got is not None:
        assert np.shape(got) == (5,), (
            f"one number for each session, shape (5,), not {np.shape(got)}"
        )
        assert np.isfinite(got).all(), "not finite at a score of 800: use cross_entropy.sigmoid"

    z = ordinal.boundary_logits(score, thresholds)
    by_logits = ordinal.coral_gradient(y, z)
    right = by_logits @ weights
    levels_counted_from_1 = 1 + np.arange(4) <= y[:, None] - 1
    one_too_high = (cross_entropy.sigmoid(z) - levels_counted_from_1) @ weights / 5
    mistakes = {
        "the weights are missing": by_logits.sum(axis=1),
        "the loss is a mean over sessions: divide by their number": 5 * right,
        "the boundaries are summed: do not divide by the weights": right / weights.sum(),
        "the sign is turned: a score below the rating must have a negative gradient": -right,
        "classes count from 0: class y lies above the boundaries 0 to y - 1": one_too_high,
    }
    expect(got, right, mistakes, f"y = {y.tolist()} should give {{right}}")


def answer_3(z):
    from satlib.losses import cross_entropy

    return 1 + np.cumprod(cross_entropy.sigmoid(z), axis=1).sum(axis=1)


def check_3(answer):
    from satlib.losses import cross_entropy

    z = np.array([[1.0, -0.5, 2.0, 0.0], [3.0, 2.0, 1.0, -1.0], [-4.0, 0.0, 0.0, 6.0]])
    got = answer(z)
    if got is not None:
        assert np.shape(got) == (3,), f"one rating for each row, shape (3,), not {np.shape(got)}"
    p = cross_entropy.sigmoid(z)
    right = 1 + np.cumprod(p, axis=1).sum(axis=1)
    mistakes = {
        "these probabilities are conditional: multiply them in order": 1 + p.sum(axis=1),
        "that counts from 0: the lowest rating is 1": right - 1,
    }
    expect(got, right, mistakes, "these are {right}, not {got}")
