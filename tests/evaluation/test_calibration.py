"""Calibration measured, repaired and used, each against a library or a second way of computing
it."""

import numpy as np
import pytest
import scipy.stats
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from satlib import records, runtime
from satlib.evaluation import abstention, bootstrap, calibration, recalibration
from satlib.losses import cross_entropy


def distributions(n: int, seed: int = 0, sharpness: float = 1.5) -> np.ndarray:
    """Invented distributions [n, 5]."""
    return cross_entropy.softmax(np.random.default_rng(seed).normal(0, sharpness, (n, 5)))


def drawn(p: np.ndarray, seed: int = 1) -> np.ndarray:
    """One rating from each distribution, so p is calibrated for them."""
    return 1.0 + (
        np.random.default_rng(seed).random(len(p))[:, None] > np.cumsum(p, axis=1)[:, :-1]
    ).sum(axis=1)


@pytest.fixture(scope="module")
def many():
    """20,000 examples with calibrated distributions: ratings, distributions, outcome and chance of
    satisfied."""
    p = distributions(20_000)
    rating = drawn(p)
    return rating, p, calibration.is_satisfied(rating), calibration.satisfied(p)


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


@pytest.mark.parametrize("outcome, chance, said", [
    ([0, 1], [0.5], "give one probability for each outcome"), ([], [], "at least one"),
    ([0, 2], [0.5, 0.5], "an outcome is 2.0"), ([0, 1], [0.5, 1.1], "a chance is 1.1"),
    ([0, 1], [0.5, np.nan], "a chance is nan")])  # fmt: skip
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
    means = {(n, b): calibration.ece_if_calibrated(chance[:n], b, draws=100).mean()
             for n in (200, 3200) for b in (5, 20)}  # fmt: skip
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
    theirs = [scipy.stats.energy_distance(range(1, 6), [y], u_weights=row) ** 2 / 2
              for y, row in zip(rating, p, strict=True)]  # fmt: skip
    assert calibration.rps(rating, p) == pytest.approx(np.mean(theirs) / 4)
    outcome, chance = calibration.questions(rating, p, "cumulative")
    assert calibration.rps(rating, p) == pytest.approx(np.mean(
        [brier_score_loss(o, c) for o, c in zip(outcome.T, chance.T, strict=True)]))  # fmt: skip


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


def test_calibration_of_ratings_survives_a_constant_prediction():
    bins = calibration.rating_bins([1, 2, 3, 4], [3, 3, 3, 3], bins=2)
    assert bins["predicted"].tolist() == [3, 3] and bins["n"].tolist() == [2, 2]
    assert calibration.miscalibration(bins) == pytest.approx(1)


# Temperature


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
    rating = drawn(recalibration.temper(p, 1.7))
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
    p, rating = distributions(60, 2), drawn(distributions(60, 2), 5)
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
    drawn = [calibration.log_loss(rating[r], p[r]) - calibration.log_loss(rating[r], bent[r])
             for r in bootstrap.resamples(groups, 200, np.random.default_rng(0))]  # fmt: skip
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert recalibration.change(calibration.rps, rating, p, p, groups, 5) == (0, 0, 0)
    with pytest.raises(ValueError, match="600 ratings, 600 and 5 distributions, 600 groups"):
        recalibration.change(calibration.rps, rating, p, p[:5], groups)


# Abstaining


def test_the_spread_is_the_standard_deviation():
    p = distributions(5)
    for row, got in zip(p, abstention.spread(p), strict=True):
        assert got == pytest.approx(np.sqrt(np.cov(range(1, 6), aweights=row, ddof=0)))
    assert abstention.spread([[0, 0, 1.0, 0, 0], [0.5, 0, 0, 0, 0.5]]) == pytest.approx([0, 2])


def test_risk_is_the_mean_loss_of_the_surest():
    coverage, risk = abstention.risk_coverage([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1] and risk == pytest.approx([0, 0.5, 4 / 3, 2])
    assert abstention.area([4, 0, 1, 3], [0.9, 0.1, 0.2, 0.5]) == pytest.approx(
        np.mean([0, 0.5, 4 / 3, 2])
    )


def test_equal_doubts_are_taken_in_no_order():
    loss = [4, 0, 1, 3]
    assert abstention.risk_coverage(loss, [1, 1, 1, 1])[1] == pytest.approx(np.full(4, 2))
    assert abstention.risk_coverage(loss, [1, 0, 1, 1])[1] == pytest.approx([0, 4 / 3, 16 / 9, 2])
    assert abstention.gained(loss, [1, 1, 1, 1]) == pytest.approx(0)


def test_the_mean_over_random_orders_is_the_mean_loss():
    loss = np.random.default_rng(0).exponential(size=30)
    areas = [abstention.area(loss, np.random.default_rng(i).random(30)) for i in range(2000)]
    assert np.mean(areas) == pytest.approx(loss.mean(), rel=0.02)


def test_what_abstaining_gains_lies_between_random_and_the_losses_own_order(many):
    rating, p, _, _ = many
    loss = (p @ np.arange(1, 6) - rating) ** 2
    assert abstention.gained(loss, loss) == pytest.approx(1)
    assert 0.1 < abstention.gained(loss, abstention.spread(p)) < 0.9
    assert abstention.gained(loss, -loss) < 0 and np.isnan(abstention.gained([1, 1], [1, 2]))
    with pytest.raises(ValueError, match="loss has the shape"):
        abstention.risk_coverage([1, 2], [1])
    with pytest.raises(ValueError, match="not finite"):
        abstention.risk_coverage([1, np.nan], [1, 2])


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
