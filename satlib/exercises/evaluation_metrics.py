"""The exercises of lesson 31: a reference answer and a checker each."""

import numpy as np


def answer_1(rating, predicted):
    from satlib.evaluation import metrics

    rated = metrics.classes(rating)
    return np.mean([np.abs(rating - predicted)[rated == k].mean() for k in np.unique(rated)])


def check_1(answer):
    rng = np.random.default_rng(0)
    rating = rng.choice([2.0, 3.0, 3.0, 3.0, 3.0, 3.4, 4.0, 5.0], 80)
    for predicted in (np.full(80, 3.0), rng.uniform(1, 5, 80)):
        found, expected = float(answer(rating, predicted)), float(answer_1(rating, predicted))
        plain = float(np.mean(np.abs(rating - predicted)))
        assert not np.isclose(found, plain), (
            "this is the plain MAE; average within each rated class first"
        )
        assert not np.isclose(found, expected * 4 / 5), (
            "nobody rated 1 here: average over the classes that were rated"
        )
        assert np.isclose(found, expected), f"expected {expected:.4f}, got {found:.4f}"


def answer_2(rating, a, b, groups, rng):
    from satlib.evaluation import bootstrap, metrics

    drawn = [
        metrics.rmse(rating[rows], b[rows]) - metrics.rmse(rating[rows], a[rows])
        for rows in bootstrap.resamples(groups, 1000, rng)
    ]
    return tuple(np.quantile(drawn, [0.025, 0.975]))


def check_2(answer):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    user = rng.normal(size=40)[groups]
    rating = 3 + user + rng.normal(size=400)
    a = np.full(400, 3.0)
    b = a + 0.3 * user + rng.normal(0, 0.2, 400)
    low, high = answer(rating, a, b, groups, np.random.default_rng(1))
    expected = answer_2(rating, a, b, groups, np.random.default_rng(1))
    ratio = (high - low) / (expected[1] - expected[0])
    assert high < 0 or low <= 0, "b is the better model here: subtract the RMSE of a from that of b"
    assert ratio < 1.2, "too wide: judge both models on the same rows of each draw"
    assert ratio > 0.9, "too narrow: draw whole groups, and take the 2.5 % and 97.5 % quantiles"
    assert np.allclose((low, high), expected, atol=0.02), (
        f"expected about {expected[0]:.3f} to {expected[1]:.3f}"
    )
