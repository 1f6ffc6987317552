"""The exercises of lesson 31: a reference answer and a checker each."""

import numpy as np

from satlib.exercises.checking import expect


def answer_1(rating, predicted):
    from satlib.evaluation import metrics

    error = np.abs(rating - predicted)
    rated = metrics.classes(rating)
    return np.mean([error[rated == k].mean() for k in np.unique(rated)])


def check_1(answer):
    rng = np.random.default_rng(0)
    rating = rng.choice([2.0, 3.0, 3.0, 3.0, 3.0, 3.4, 4.0, 5.0], 80)
    for predicted in (np.full(80, 3.0), rng.uniform(1, 5, 80)):
        right = answer_1(rating, predicted)
        plain = np.mean(np.abs(rating - predicted))
        mistakes = {
            "this is the plain MAE; average within each rated class first": plain,
            "nobody rated 1 here: average over the classes that were rated": right * 4 / 5,
        }
        expect(answer(rating, predicted), right, mistakes, "expected {right}, got {got}")


def answer_2(rating, a, b, groups, rng):
    from satlib.evaluation import bootstrap, metrics

    drawn = []
    for rows in bootstrap.resamples(groups, 1000, rng):
        of_a = metrics.rmse(rating[rows], a[rows])
        of_b = metrics.rmse(rating[rows], b[rows])
        drawn.append(of_b - of_a)
    return tuple(np.quantile(drawn, [0.025, 0.975]))


def check_2(answer):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    user = rng.normal(size=40)[groups]
    rating = 3 + user + rng.normal(size=400)
    a = np.full(400, 3.0)
    b = a + 0.3 * user + rng.normal(0, 0.2, 400)
    right = answer_2(rating, a, b, groups, np.random.default_rng(1))
    interval = answer(rating, a, b, groups, np.random.default_rng(1))
    if interval is None:
        expect(interval, right)  # which says that a `return` is missing
    low, high = interval
    # Draws of its own make an interval a little wider or narrower, so the width is judged roughly.
    ratio = (high - low) / (right[1] - right[0])
    assert high < 0 or low <= 0, "b is the better model here: subtract the RMSE of a from that of b"
    assert ratio < 1.2, "too wide: judge both models on the same rows of each draw"
    assert ratio > 0.9, "too narrow: draw whole groups, and take the 2.5 % and 97.5 % quantiles"
    assert np.allclose((low, high), right, atol=0.02), (
        f"expected about {right[0]:.3f} to {right[1]:.3f}"
    )
