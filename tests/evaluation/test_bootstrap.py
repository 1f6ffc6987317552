"""Intervals against a plain loop and a known truth; the two forms of a draw are the same draw."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk

from satlib.evaluation import bootstrap, metrics


def test_resamples_take_whole_groups():
    groups = ["b", "a", "b", "c", "b", "a"]
    seen = set()
    for rows in bootstrap.resamples(groups, 200, np.random.default_rng(0)):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2] == counts[4] and counts[1] == counts[5]
        assert counts[0] + counts[1] + counts[3] == 3  # as many groups as there are
        seen.add(tuple(counts))
    assert len(seen) == 10  # multisets of 3 out of 3 groups


def test_bootstrap_is_the_percentile_interval_of_the_plain_loop():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 4)
    y, p = rng.integers(1, 6, 48).astype(float), rng.uniform(1, 5, 48)
    again = np.random.default_rng(9)
    values = []
    for _ in range(150):
        chosen = again.integers(12, size=12)
        rows = [i for g in chosen for i in range(48) if groups[i] == g]
        values.append(sk.mean_absolute_error(y[rows], p[rows]))
    expected = np.percentile(values, [2.5, 97.5])
    assert bootstrap.bootstrap(
        metrics.mae, y, p, groups, 150, np.random.default_rng(9)
    ) == pytest.approx(expected)
    assert bootstrap.bootstrap(metrics.mae, y, p, groups, 150, 9) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [metrics.spearman, metrics.auc])
def test_the_short_cut_of_metrics_that_look_at_the_order_only_changes_no_interval(metric):
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 3)
    for y in (rng.integers(1, 6, 90) / 1, rng.integers(1, 11, 90) / 2, rng.integers(3, 16, 90) / 3):
        p = (y + rng.normal(0, 1, 90)).round(1)
        plain = [
            metric(y[rows], p[rows])
            for rows in bootstrap.resamples(groups, 100, np.random.default_rng(9))
        ]
        assert bootstrap.bootstrap(metric, y, p, groups, 100, 9) == tuple(
            np.quantile(plain, [0.025, 0.975])
        )


def test_interval_by_group_covers_the_truth_and_by_row_does_not():
    rng, hit = np.random.default_rng(2), {"group": 0, "row": 0}
    truth = math.sqrt(2)  # user effect and row noise have variance 1 each
    for _ in range(100):
        groups = np.repeat(np.arange(30), 12)
        error = rng.normal(size=30)[groups] + rng.normal(size=360)
        for how, by in (("group", groups), ("row", range(360))):
            low, high = bootstrap.bootstrap(
                metrics.rmse, 3 + error, np.full(360, 3.0), by, 200, rng
            )
            hit[how] += low <= truth <= high
    assert hit["group"] >= 84 and hit["row"] <= 75


def test_one_group_has_no_interval_and_undefined_samples_are_left_out():
    assert all(map(math.isnan, bootstrap.bootstrap(metrics.mae, [1, 2], [2, 2], ["a", "a"])))
    assert all(map(math.isnan, bootstrap.bootstrap(metrics.spearman, [1, 2], [2, 2], ["a", "b"])))
    low, high = bootstrap.bootstrap(
        metrics.auc, [1, 5, 2, 4], [1, 5, 2, 4], range(4)
    )  # some samples have one class
    assert low == high == 1


@pytest.mark.parametrize(
    "groups, draws, said", [(["a"], 10, "2 ratings but 1 groups"), (["a", "b"], 0, "draws = 0")]
)
def test_bootstrap_refuses(groups, draws, said):
    with pytest.raises(ValueError, match=said):
        bootstrap.bootstrap(metrics.mae, [1, 2], [2, 2], groups, draws)


def test_weights_and_rows_are_the_same_draws():
    groups = np.array(["b", "a", "b", "c", "b", "a"])
    weights = bootstrap.group_weights(3, 50, 7)
    for times, rows in zip(weights, bootstrap.resamples(groups, 50, 7), strict=True):
        drawn = np.bincount(rows, minlength=6)
        assert drawn.tolist() == times[[1, 0, 1, 2, 1, 0]].tolist()  # groups are sorted: a, b, c
    everyone = bootstrap.with_everyone(weights)
    assert everyone.shape == (51, 3) and everyone[0].tolist() == [1, 1, 1]
    assert (everyone[1:] == weights).all()


def test_an_estimate_comes_first_and_undefined_draws_are_left_out():
    value, low, high = bootstrap.estimate(np.array([9.0, 1, math.nan, 2, 3]))
    assert value == 9 and (low, high) == pytest.approx((1.05, 2.95))
    assert all(map(math.isnan, bootstrap.interval([math.nan, math.nan])))


def test_measures_see_the_same_samples():
    groups, values = np.repeat(np.arange(5), 2), np.arange(10.0)
    one, other = bootstrap.intervals(
        [lambda rows: values[rows].mean(), lambda rows: -values[rows].mean()], groups, 40, 3
    )
    assert one == pytest.approx((-other[1], -other[0]))
    assert bootstrap.intervals([], groups, 40, 3) == []
