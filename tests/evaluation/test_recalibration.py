"""Calibration repaired: temperatures and isotonic steps against scikit-learn and plain loops."""

import numpy as np
import pytest
import sklearn
from invented import distributions, drawn_ratings
from sklearn.linear_model import LogisticRegression

from satlib.evaluation import bootstrap, calibration, recalibration
from satlib.losses import cross_entropy


def test_a_temperature_flattens_sharpens_and_keeps_the_order():
    p = distributions(200)
    for temperature in (0.3, 1.0, 4.0):
        tempered = recalibration.temper(p, temperature)
        assert tempered.sum(axis=1) == pytest.approx(np.ones(200))
        assert (np.argsort(tempered, axis=1) == np.argsort(p, axis=1)).all()
    assert recalibration.temper(p, 1) == pytest.approx(p)
    assert recalibration.temper(p, 1e6) == pytest.approx(np.full(p.shape, 0.2), abs=1e-4)
    for wrong in (0, -1, np.inf, np.nan):
        with pytest.raises(ValueError, match="temperature = "):
            recalibration.temper(p, wrong)


@pytest.mark.parametrize("distorted", [0.4, 1.0, 2.5])
def test_the_temperature_that_bent_a_calibrated_model_is_found_again(many, distorted):
    rating, p, _, _ = many
    found = recalibration.fit_temperature(rating, recalibration.temper(p, distorted))
    assert found == pytest.approx(1 / distorted, rel=0.04)


def test_the_temperature_of_two_classes_is_one_over_the_slope_of_a_logistic_regression():
    """A softmax over two of five classes is a sigmoid of their logits' difference: twin of
    scikit-learn."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.2, 800)
    yes = rng.random(800) < cross_entropy.sigmoid(0.6 * z)
    p = np.full((800, 5), 1e-300)  # three ratings that no temperature brings back
    p[:, 0], p[:, 4] = 1 - cross_entropy.sigmoid(z), cross_entropy.sigmoid(z)
    slope = (
        LogisticRegression(C=1e12, fit_intercept=False, tol=1e-10).fit(z[:, None], yes).coef_[0, 0]
    )
    assert recalibration.fit_temperature(np.where(yes, 5, 1), p) == pytest.approx(
        1 / slope, rel=1e-4
    )


def test_the_temperature_is_the_best_of_a_fine_grid():
    p = distributions(300, 4)
    rating = drawn_ratings(recalibration.temper(p, 1.7))
    found = recalibration.fit_temperature(rating, p)
    grid = np.exp(np.linspace(-1.5, 1.5, 1201))
    best = grid[np.argmin([cross_entropy.cross_entropy(rating - 1, np.log(p) / t) for t in grid])]
    assert found == pytest.approx(best, rel=0.003)


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8), reason="temperature came with 1.8"
)
def test_the_temperature_is_that_of_scikit_learn():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 6))
    y = np.digitize(
        x[:, 0] + rng.normal(0, 1, 900), [-1.2, -0.4, 0.4, 1.2]
    )  # from 0: up to 1.9.1 it misreads others
    model = LogisticRegression(C=1000, max_iter=2000).fit(x[:60], y[:60])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(
        x[60:500], y[60:500]
    )
    temperature = recalibration.fit_temperature(1 + y[60:500], model.predict_proba(x[60:500]))
    ours = recalibration.temper(model.predict_proba(x[500:]), temperature)
    assert temperature > 1.1 and ours == pytest.approx(theirs.predict_proba(x[500:]), abs=1e-4)


def test_no_model_is_hotter_or_cooler_than_the_bounds():
    always = np.tile([0.1, 0.1, 0.1, 0.1, 0.6], (20, 1))
    assert recalibration.fit_temperature(np.full(20, 5), always) == pytest.approx(
        recalibration.COOLEST, rel=0.01
    )
    assert recalibration.fit_temperature(np.full(20, 1), always) == pytest.approx(
        recalibration.HOTTEST, rel=0.01
    )


# Isotonic


def pool(outcome):
    """Pool adjacent violators, by the book."""
    blocks = []
    for y in outcome:
        blocks.append([y, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            value, size = blocks.pop()
            blocks[-1] = [
                (blocks[-1][0] * blocks[-1][1] + value * size) / (blocks[-1][1] + size),
                blocks[-1][1] + size,
            ]
    return np.repeat(*zip(*blocks, strict=True))


def test_isotonic_pools_adjacent_violators():
    p, rating = distributions(60, 2), drawn_ratings(distributions(60, 2), 5)
    models = recalibration.fit_isotonic(rating, p)
    outcome, chance = calibration.questions(rating, p, "cumulative")
    for model, o, c in zip(models, outcome.T, chance.T, strict=True):
        order = np.argsort(c)
        assert model.predict(c[order]) == pytest.approx(pool(o[order]))


def test_isotonic_gives_distributions_and_repairs_what_was_bent(many):
    rating, p, _, _ = many
    bent = recalibration.temper(p, 0.4)
    repaired = recalibration.isotonic(
        recalibration.fit_isotonic(rating[:8000], bent[:8000]), bent[8000:]
    )
    assert (repaired >= 0).all() and repaired.sum(axis=1) == pytest.approx(np.ones(12_000))
    assert calibration.rps(rating[8000:], repaired) < calibration.rps(rating[8000:], bent[8000:])
    for o, c in zip(
        *(a.T for a in calibration.questions(rating[8000:], repaired, "cumulative")), strict=True
    ):
        assert calibration.ece(o, c) < 0.02
    with pytest.raises(ValueError, match="2 models for 4 questions"):
        recalibration.isotonic([None] * 2, p[:3])


def test_crossed_answers_never_make_a_negative_probability():
    class Says:
        def __init__(self, value):
            self.value = value

        def predict(self, chance):
            return np.full(len(chance), self.value)

    got = recalibration.isotonic([Says(v) for v in (0.2, 0.5, 0.4, 0.9)], distributions(2))
    assert got == pytest.approx(np.tile([0.2, 0.3, 0.0, 0.4, 0.1], (2, 1)))


# Before and after


def test_a_change_is_paired_and_by_group(many):
    rating, p, _, _ = (x[:600] for x in many)
    bent, groups = recalibration.temper(p, 0.5), np.repeat(range(100), 6)
    value, low, high = recalibration.change(calibration.log_loss, rating, bent, p, groups, 200)
    assert value == pytest.approx(
        calibration.log_loss(rating, p) - calibration.log_loss(rating, bent)
    )
    assert low < value < high < 0
    drawn = [
        calibration.log_loss(rating[r], p[r]) - calibration.log_loss(rating[r], bent[r])
        for r in bootstrap.resamples(groups, 200, np.random.default_rng(0))
    ]
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert recalibration.change(calibration.rps, rating, p, p, groups, 5) == (0, 0, 0)
    with pytest.raises(ValueError, match="600 ratings, 600 and 5 distributions, 600 groups"):
        recalibration.change(calibration.rps, rating, p, p[:5], groups)
