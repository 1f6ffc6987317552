"""What chance explains among runs: held against the analysis of variance, scipy and simulated
studies."""

import numpy as np
import pytest
import scipy.stats

from satlib.training import seed_intervals


def test_pooled_is_the_analysis_of_variance():
    groups = [[1.0, 1.2, 1.1], [0.7, 0.9], [2.0]]
    deviation, freedom = seed_intervals.pooled(groups)
    residual = np.concatenate([np.array(group) - np.mean(group) for group in groups])
    assert freedom == 3 and deviation == pytest.approx(np.sqrt((residual**2).sum() / 3))
    assert seed_intervals.pooled([[1.0, 3.0]])[0] == pytest.approx(np.std([1.0, 3.0], ddof=1))


def test_intervals_are_those_of_scipy():
    a, b = [1.0, 1.2, 1.1, 1.4], [0.7, 0.9, 0.8]
    theirs = scipy.stats.ttest_1samp(a, 0.0).confidence_interval(0.95)
    assert seed_intervals.interval(a) == pytest.approx((np.mean(a), theirs.low, theirs.high))
    theirs = scipy.stats.ttest_ind(a, b, equal_var=True).confidence_interval(0.95)
    assert seed_intervals.difference(a, b, seed_intervals.pooled([a, b])) == pytest.approx(
        (np.mean(a) - np.mean(b), *theirs)
    )
    middle, low, high = seed_intervals.interval([1.0, 1.2], (0.1, 20))
    assert middle == pytest.approx(1.1) and high - low == pytest.approx(
        2 * scipy.stats.t.ppf(0.975, 20) * 0.1 / 2**0.5
    )


def test_intervals_cover_the_truth_in_95_of_100_studies():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(1000):
        groups = rng.normal(0.9, 0.02, size=(5, 3))
        _, low, high = seed_intervals.difference(
            groups[0], groups[1], seed_intervals.pooled(groups)
        )
        hits += low <= 0 <= high
    assert 930 <= hits <= 970


def test_a_difference_in_words():
    assert (
        seed_intervals.in_words([0.9, 0.9], [1.0, 1.0], (0.01, 30)) == "-0.100 (-0.120 to -0.080)"
    )
    assert (
        seed_intervals.in_words([1.0, 1.0], [1.0, 1.0], (0.01, 30))
        == "+0.000 (-0.020 to +0.020), inside chance"
    )


def test_groups_of_one_run_are_refused():
    with pytest.raises(
        ValueError, match="2 groups without two runs in any of them; run a second seed"
    ):
        seed_intervals.pooled([[1.0], [2.0]])
