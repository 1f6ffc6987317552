"""Spread, power and variance components equal simulations and statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from invented import judged, make
from statsmodels.stats.power import NormalIndPower

from satlib.evaluation import bootstrap, comparison, variance


@pytest.fixture(scope="module")
def found():
    return [make("tfidf-ridge"), make("bert-before"), make("bert-after", 0), make("bert-after", 1)]


@pytest.mark.parametrize("metric", ["rmse", "mae"])
@pytest.mark.parametrize("model", ["bert-before", "bert-after"])
def test_the_spread_gives_the_bootstraps_standard_error(found, metric, model):
    one, other = comparison.side_by_side(found, (model, "tfidf-ridge"))
    weights = bootstrap.group_weights(30, 4000, 0)
    drawn = np.subtract(
        *[comparison.drawn_values(side, metric, weights).mean(axis=1) for side in (one, other)]
    )
    error = variance.spread(found, model, "tfidf-ridge", metric) / np.sqrt(30)
    assert error == pytest.approx(drawn.std(), rel=0.06)


def test_the_spread_of_the_mae_is_statsmodels_cluster_robust_error():
    """Users of different size: the mean over rows is a ratio of sums."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(25), rng.integers(1, 9, 25))
    rating = rng.integers(1, 6, len(user)).astype(float)
    predicted = [
        rating + rng.normal(size=25)[user] + rng.normal(0, size, len(user)) for size in (0.5, 0.8)
    ]
    records = [judged(name, rating, p, user) for name, p in zip("ab", predicted, strict=True)]
    gap = np.abs(predicted[0] - rating) - np.abs(predicted[1] - rating)
    fit = sm.OLS(gap, np.ones(len(gap))).fit(
        cov_type="cluster", cov_kwds={"groups": user, "use_correction": False}
    )
    error = variance.spread(records, "a", "b", "mae") / np.sqrt(25)
    assert error == pytest.approx(fit.bse[0] * np.sqrt(25 / 24)) and np.isclose(
        fit.params[0], gap.mean()
    )


def test_the_number_of_groups_is_that_of_statsmodels_and_keeps_its_promise():
    for sd, gap, power in ((0.17, 0.02, 0.8), (0.3, -0.1, 0.9)):
        # a comparison of two samples needs twice the variance, so one sample is the case of an
        # infinite ratio
        effect = abs(gap) / sd
        exact = NormalIndPower(ddof=0).solve_power(effect, alpha=0.05, power=power, ratio=0)
        assert variance.groups_needed(sd, gap, power) == np.ceil(exact)
    rng, groups = np.random.default_rng(0), variance.groups_needed(1.0, 0.5)
    mean = rng.normal(0.5, 1.0, (4000, groups)).mean(axis=1)
    assert (np.abs(mean) > 1.96 / np.sqrt(groups)).mean() == pytest.approx(0.8, abs=0.03)
    assert variance.groups_needed(0.2, 0.01) == pytest.approx(
        4 * variance.groups_needed(0.2, 0.02), rel=0.01
    )


def test_components_are_those_of_a_mixed_model():
    """Balanced and without negative estimates, the analysis of variance is what REML finds."""
    rng = np.random.default_rng(1)
    table = (
        1 + rng.normal(0, 0.6, (5, 1)) + rng.normal(0, 0.9, (1, 12)) + rng.normal(0, 0.5, (5, 12))
    )
    seed, user = np.indices(table.shape)
    frame = pd.DataFrame({"y": table.ravel(), "seed": seed.ravel(), "user": user.ravel(), "all": 1})
    fit = sm.MixedLM.from_formula(
        "y ~ 1", frame, groups="all", vc_formula={"seed": "0 + C(seed)", "user": "0 + C(user)"}
    ).fit()
    ours, named = (
        variance.components(table),
        dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True)),
    )
    assert ours == pytest.approx((named["seed"], named["user"], fit.scale), rel=0.02)


def test_components_of_a_table_without_noise_and_without_seeds():
    table = np.add.outer([0.0, 1.0, 2.0], [0.0, 10.0])
    assert variance.components(table) == pytest.approx((1.0, 50.0, 0.0))
    noise = np.random.default_rng(0).normal(size=(4, 30))
    noise -= noise.mean(axis=1, keepdims=True)
    assert variance.components(noise)[0] == 0
    with pytest.raises(
        ValueError, match=r"the table has the shape \(1, 5\); give at least 2 seeds and 2 users"
    ):
        variance.components(np.zeros((1, 5)))


def test_a_gap_of_zero_needs_no_number():
    with pytest.raises(ValueError, match="gap is 0; no number of groups"):
        variance.groups_needed(0.2, 0)
