"""Calibration measured, each number against a library or a second way of computing it."""

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from invented import distributions
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from satlib import records, runtime
from satlib.evaluation import calibration, recalibration

# What is asked


def test_satisfied_adds_four_and_five():
    p = [[0.1, 0.2, 0.3, 0.25, 0.15], [0, 0, 0, 0.5, 0.5]]
    assert calibration.satisfied(p) == pytest.approx([0.4, 1.0])
    assert calibration.is_satisfied([3.4, 3.5, 4, 5, 1]).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_questions_ask_for_every_class_and_every_threshold():
    p = np.array([[0.1, 0.2, 0.3, 0.25, 0.15]])
    outcome, chance = calibration.questions([3], p, "class")
    assert outcome.tolist() == [[0, 0, 1, 0, 0]] and chance == pytest.approx(p)
    outcome, chance = calibration.questions([3], p, "cumulative")
    assert outcome.tolist() == [[0, 0, 1, 1]] and chance == pytest.approx(
        np.array([[0.1, 0.3, 0.6, 0.85]])
    )


def test_rounded_distributions_are_scaled_and_others_refused():
    p = distributions(50).round(4)
    assert calibration.checked(p).sum(axis=1) == pytest.approx(np.ones(50), abs=1e-12)
    for wrong in (
        [[0.5, 0.5]],
        [0.2] * 5,
        [[0.5, 0.5, 0.5, 0, 0]],
        [[1.5, -0.5, 0, 0, 0]],
        np.zeros((0, 5)),
    ):
        with pytest.raises(ValueError, match="distribution"):
            calibration.checked(wrong)


# Reliability diagrams


def test_bins_of_equal_width_have_their_upper_edge_inside():
    frame = calibration.reliability([0, 1, 1, 0, 1], [0.1, 0.11, 0.2, 0.3, 1.0], range(5))
    assert frame["n"].tolist() == [1, 2, 1, 1]
    assert frame["predicted"].tolist() == pytest.approx([0.1, 0.155, 0.3, 1.0])
    assert frame["observed"].tolist() == [0, 1, 0, 1]


def test_bins_of_equal_size_hold_equally_many_and_never_cut_ties():
    chance = np.random.default_rng(0).random(103)
    frame = calibration.reliability(chance > 0.5, chance, range(103), 10, "size")
    assert len(frame) == 10 and set(frame["n"]) <= {10, 11} and frame["n"].sum() == 103
    assert calibration.reliability([0, 1, 1], [0.3, 0.3, 0.3], range(3), 10, "size")[
        "n"
    ].tolist() == [3]


def wilson(hits: int, n: int) -> tuple[float, float]:
    interval = scipy.stats.binomtest(hits, n).proportion_ci(method="wilson")
    return interval.low, interval.high


def test_the_interval_of_a_bin_is_wilsons_and_never_empty():
    for hits, n in ((0, 7), (3, 10), (10, 10), (412, 1000)):
        outcome = np.arange(n) < hits
        frame = calibration.reliability(outcome, np.full(n, 0.5), range(n))
        [(low, high)] = frame[["low", "high"]].to_numpy()
        assert (low, high) == pytest.approx(wilson(hits, n), abs=1e-6)
        assert high - low > 0.05


def test_rows_of_one_group_are_counted_as_one():
    """Ten users with four copies each: the interval is that of ten rows."""
    outcome, chance = np.repeat([1, 0, 1, 1, 0, 1, 0, 0, 1, 1], 4), np.full(40, 0.5)
    grouped = calibration.reliability(outcome, chance, np.repeat(range(10), 4)).iloc[0]
    assert (grouped["low"], grouped["high"]) == pytest.approx(wilson(6, 10), abs=1e-6)
    single = calibration.reliability(outcome, chance, range(40)).iloc[0]
    assert single["high"] - single["low"] < 0.6 * (grouped["high"] - grouped["low"])


def test_the_intervals_cover_the_chances_of_a_calibrated_model():
    rng, held = np.random.default_rng(3), []
    for _ in range(60):
        chance = rng.random(400)
        frame = calibration.reliability(rng.random(400) < chance, chance, range(400))
        held += (
            (frame["low"] <= frame["predicted"]).tolist(),
            (frame["predicted"] <= frame["high"]).tolist(),
        )
    assert 0.96 < np.mean(held) < 0.99  # each side misses about 2.5 %


@pytest.mark.parametrize(
    "outcome, chance, said",
    [
        ([0, 1], [0.5], "give one probability for each outcome"),
        ([], [], "at least one"),
        ([0, 2], [0.5, 0.5], "an outcome is 2.0"),
        ([0, 1], [0.5, 1.1], "a chance is 1.1"),
        ([0, 1], [0.5, np.nan], "a chance is nan"),
    ],
)
def test_what_is_no_outcome_or_no_probability_is_refused(outcome, chance, said):
    for f in (calibration.ece, calibration.brier, calibration.brier_parts):
        with pytest.raises(ValueError, match=said):
            f(outcome, chance)


def test_wrong_bins_rules_kinds_and_groups_are_refused():
    with pytest.raises(ValueError, match="bins = 0"):
        calibration.ece([1], [0.5], 0)
    with pytest.raises(ValueError, match="unknown rule 'depth'; choose one of width, size"):
        calibration.ece([1], [0.5], 5, "depth")
    with pytest.raises(ValueError, match="unknown kind 'star'"):
        calibration.questions([1], distributions(1), "star")
    with pytest.raises(ValueError, match="1 outcomes but 2 groups"):
        calibration.reliability([1], [0.5], ["a", "b"])
    with pytest.raises(ValueError, match="2 ratings but 1 distributions"):
        calibration.questions([1, 2], distributions(1), "class")
    with pytest.raises(ValueError, match="level = 1"):
        calibration.coverage([1], distributions(1), 1)


# Expected calibration error


@pytest.mark.parametrize("rule", calibration.RULES)
def test_ece_is_the_weighted_distance_in_the_diagram(rule, many):
    _, _, outcome, chance = many
    bent = chance**2
    frame = calibration.reliability(outcome, bent, range(len(bent)), 12, rule)
    plain = np.average((frame["predicted"] - frame["observed"]).abs(), weights=frame["n"])
    assert calibration.ece(outcome, bent, 12, rule) == pytest.approx(plain) and plain > 0.1


def test_ece_by_a_loop_over_guos_bins():
    rng = np.random.default_rng(0)
    chance = rng.random(300)
    outcome, total = rng.random(300) < 0.4, 0.0
    for m in range(10):
        inside = (chance > m / 10) & (chance <= (m + 1) / 10)
        if inside.any():
            total += inside.sum() / 300 * abs(outcome[inside].mean() - chance[inside].mean())
    assert calibration.ece(outcome, chance) == pytest.approx(total)


def test_a_calibrated_model_has_a_positive_ece_that_falls_with_n_and_rises_with_bins():
    chance = np.random.default_rng(0).random(3200)
    means = {
        (n, b): calibration.ece_if_calibrated(chance[:n], b, draws=100).mean()
        for n in (200, 3200)
        for b in (5, 20)
    }
    assert means[200, 5] > 0.02 and means[200, 20] > 1.5 * means[200, 5]
    assert means[200, 5] / means[3200, 5] == pytest.approx(
        4, rel=0.25
    )  # as 1 / sqrt(n): sixteen times the rows


def test_the_drawn_ece_belongs_to_the_seed():
    chance = np.random.default_rng(0).random(50)
    one, other = (calibration.ece_if_calibrated(chance, draws=5, rng=seed) for seed in (1, 2))
    assert (
        one.shape == (5,) and (one == calibration.ece_if_calibrated(chance, draws=5, rng=1)).all()
    )
    assert (one != other).any()


# Proper scores


def test_brier_and_log_loss_are_those_of_scikit_learn(many):
    rating, p, outcome, chance = many
    assert calibration.brier(outcome, chance) == pytest.approx(
        brier_score_loss(outcome, chance), abs=1e-12
    )
    assert calibration.log_loss(rating, p) == pytest.approx(sklearn_log_loss(rating, p), abs=1e-9)


def test_a_stored_zero_is_charged_as_the_least_that_four_decimals_show():
    assert calibration.log_loss([1], [[0, 0, 0, 0, 1.0]]) == pytest.approx(-np.log(5e-5))


@pytest.mark.parametrize("rule", calibration.RULES)
@pytest.mark.parametrize("bins", [1, 3, 10])
def test_murphys_parts_add_up(many, rule, bins):
    _, _, outcome, chance = many
    got = calibration.brier_parts(outcome, chance**2, bins, rule)
    total = got["reliability"] - got["resolution"] + got["uncertainty"] + got["within"]
    assert total == pytest.approx(brier_score_loss(outcome, chance**2), abs=1e-12)
    assert got["uncertainty"] == pytest.approx(outcome.var())


def test_murphys_parts_by_hand():
    got = calibration.brier_parts([1, 1, 0, 0, 0, 0], [0.8, 0.8, 0.8, 0.2, 0.2, 0.2])
    assert got["reliability"] == pytest.approx((3 * (2 / 3 - 0.8) ** 2 + 3 * 0.2**2) / 6)
    assert got["resolution"] == pytest.approx((1 / 3) ** 2) and got["within"] == pytest.approx(
        0, abs=1e-15
    )


def test_the_share_of_ones_is_calibrated_and_resolves_nothing():
    outcome = np.array([1, 0, 0, 1, 1])
    got = calibration.brier_parts(outcome, np.full(5, 0.6))
    assert got["reliability"] == pytest.approx(0) and got["resolution"] == pytest.approx(0)
    assert calibration.ece(outcome, np.full(5, 0.6)) == pytest.approx(0) and got[
        "brier"
    ] == pytest.approx(0.24)


def test_rps_is_half_the_squared_energy_distance_over_four():
    p, rating = distributions(6), [1, 2, 3, 4, 5, 3]
    theirs = [
        scipy.stats.energy_distance(range(1, 6), [y], u_weights=row) ** 2 / 2
        for y, row in zip(rating, p, strict=True)
    ]
    assert calibration.rps(rating, p) == pytest.approx(np.mean(theirs) / 4)
    outcome, chance = calibration.questions(rating, p, "cumulative")
    assert calibration.rps(rating, p) == pytest.approx(
        np.mean([brier_score_loss(o, c) for o, c in zip(outcome.T, chance.T, strict=True)])
    )


def test_rps_forgives_near_misses_and_log_loss_does_not():
    near, far = [[0, 0, 0, 0.9, 0.1]], [[0.9, 0, 0, 0, 0.1]]
    assert calibration.log_loss([5], near) == calibration.log_loss([5], far)
    assert calibration.rps([5], near) < calibration.rps([5], far) / 3


@pytest.mark.parametrize("score", [calibration.log_loss, calibration.rps])
def test_the_true_distribution_has_the_best_expected_score(score, many):
    rating, p, _, _ = many
    for other in (
        recalibration.temper(p, 1.4),
        recalibration.temper(p, 0.7),
        np.roll(p, 1, axis=1),
    ):
        assert score(rating, p) < score(rating, other)


def test_coverage_counts_what_lies_inside_the_central_interval(many):
    assert calibration.coverage([1], [[0.1, 0.2, 0.4, 0.2, 0.1]], 0.8) == pytest.approx(
        (0.8, 0)
    )  # 2 to 4
    assert calibration.coverage([2], [[0.1, 0.2, 0.4, 0.2, 0.1]], 0.8) == pytest.approx((0.8, 1))
    assert calibration.coverage([1], [[0.11, 0.2, 0.4, 0.2, 0.09]], 0.8) == pytest.approx((0.91, 1))
    assert calibration.coverage([5], [[1.0, 0, 0, 0, 0]], 0.9) == pytest.approx((1, 0))
    rating, p, _, _ = many
    for level in (0.5, 0.8, 0.95):
        claimed, observed = calibration.coverage(rating, p, level)
        assert claimed >= level and observed == pytest.approx(claimed, abs=0.01)
    claimed, observed = calibration.coverage(rating, recalibration.temper(p, 0.4), 0.8)
    assert observed < claimed - 0.1


# Calibrated ratings


def test_bins_of_ratings_are_equal_and_sorted_and_keep_the_means():
    predicted = np.random.default_rng(0).uniform(1, 5, 103)
    rating = predicted + 0.5
    bins = calibration.rating_bins(rating, predicted)
    assert (
        bins["n"].tolist() == [11, 11, 11, 10, 10, 10, 10, 10, 10, 10]
        and bins["predicted"].is_monotonic_increasing
    )
    assert np.average(bins["rating"], weights=bins["n"]) == pytest.approx(rating.mean())
    first = np.sort(predicted)[:11]
    assert bins["predicted"][0] == pytest.approx(first.mean())
    assert bins["error"][0] == pytest.approx(first.std() / np.sqrt(11))
    assert calibration.miscalibration(bins) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="bins = 0; choose 1 to 103"):
        calibration.rating_bins(rating, predicted, 0)


def test_ratings_are_sorted_by_prediction_and_bins_weighed_by_size():
    bins = calibration.rating_bins([5, 1, 1, 2, 4], [1.0, 4.0, 2.0, 3.0, 5.0], bins=2)
    assert bins["predicted"].tolist() == [2, 4.5] and bins["n"].tolist() == [3, 2]
    assert bins["rating"].tolist() == pytest.approx([8 / 3, 2.5])
    assert calibration.miscalibration(bins) == pytest.approx((3 * (8 / 3 - 2) + 2 * 2) / 5)


def test_the_error_of_a_bin_is_that_of_statsmodels_with_clusters():
    """Rows of one user are alike: the error by user is the larger one."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(40), 5)
    rating = 3 + rng.normal(size=40)[user] + 0.3 * rng.normal(size=200)
    predicted = rng.normal(size=200)
    bins = calibration.rating_bins(rating, predicted, bins=2, group=user)
    plain = calibration.rating_bins(rating, predicted, bins=2)
    first = np.argsort(predicted, kind="stable")[:100]
    model = sm.OLS(rating[first], np.ones(100))
    options = {"groups": user[first], "use_correction": False}
    expected = model.fit(cov_type="cluster", cov_kwds=options).bse[0]
    assert bins["error"][0] == pytest.approx(expected)
    assert bins["error"][0] > 1.2 * plain["error"][0]


def test_calibration_of_ratings_survives_a_constant_prediction():
    bins = calibration.rating_bins([1, 2, 3, 4], [3, 3, 3, 3], bins=2)
    assert bins["predicted"].tolist() == [3, 3] and bins["n"].tolist() == [2, 2]
    assert calibration.miscalibration(bins) == pytest.approx(1)


# A committed record


def test_satsims_oracle_is_calibrated_within_its_intervals():
    record = records.load(runtime.data_folder() / "runs" / "satsim-fast-oracle-seed0.json")
    columns = record.predictions["test"]
    outcome, chance = (
        calibration.is_satisfied(columns["rating"]),
        calibration.satisfied(columns["distribution"]),
    )
    frame = calibration.reliability(outcome, chance, columns["group"])
    inside = (frame["low"] <= frame["predicted"]) & (frame["predicted"] <= frame["high"])
    assert inside.mean() >= 0.9
    null = calibration.ece_if_calibrated(chance)
    assert 0.01 < calibration.ece(outcome, chance) < np.quantile(null, 0.975)
    assert recalibration.fit_temperature(
        columns["rating"], columns["distribution"]
    ) == pytest.approx(1, abs=0.15)
