"""Differences, tests and rankings equal plain computations, SciPy and statsmodels, and keep their
promises."""

import numpy as np
import pytest
import statsmodels.api as sm
from invented import judged, make
from scipy import stats

from satlib.evaluation import bootstrap, comparable_records, comparison, metrics


@pytest.fixture(scope="module")
def found():
    return comparable_records.comparable(
        [
            make("oracle"),
            make("bert-after", 1),
            make("mean"),
            make("tfidf-ridge"),
            make("bert-after", 0),
            make("bert-before"),
        ]
    )


def value(found, model, metric="rmse"):
    """Mean over the seeds of a metric, from the rows."""
    return np.mean(
        [
            row["value"]
            for r in found
            for row in r.rows
            if (row["model"], row["metric"], row["part"]) == (model, metric, "test")
        ]
    )


# Differences: the paired bootstrap


def test_different_rows_of_the_same_split_are_refused(found):
    odd = make("oracle")
    odd.predictions["test"]["id"][0] = "another"
    with pytest.raises(
        ValueError, match="bert-after and oracle were judged on different test examples"
    ):
        comparison.difference([*found[:5], odd], "bert-after", "oracle", draws=3)


def test_a_difference_is_that_of_the_values_and_follows_a_plain_bootstrap(found):
    got = comparison.difference(found, "bert-before", "tfidf-ridge", draws=200, rng=3)
    assert got.value == pytest.approx(
        value(found, "bert-before") - value(found, "tfidf-ridge"), abs=1e-5
    )
    ours, theirs = (
        comparable_records.predictions(found, m) for m in ("bert-before", "tfidf-ridge")
    )
    rng, users, drawn = np.random.default_rng(3), np.arange(30), []
    for _ in range(200):
        picked = np.concatenate(
            [3 * u + np.arange(3) for u in _sorted_users()[rng.integers(30, size=len(users))]]
        )
        drawn.append(
            np.subtract(
                *[
                    np.sqrt(((f["rating"] - f["predicted"]) ** 2).to_numpy()[picked].mean())
                    for f in (ours, theirs)
                ]
            )
        )
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def _sorted_users() -> np.ndarray:
    """User numbers in the order of their names, user-0, user-1, user-10, ..."""
    return np.array(sorted(range(30), key=lambda i: f"user-{i}"))


def test_pairing_narrows_the_interval():
    """Two models that share most of their error: the paired interval is narrower than either
    model's own."""
    one, two = make("tfidf-ridge"), make("bert-before")
    shared = np.array(one.predictions["test"]["predicted"]) + 0.02
    two.predictions["test"]["predicted"] = shared.tolist()
    got = comparison.difference([one, two], "bert-before", "tfidf-ridge", draws=200)
    row = next(r for r in one.rows if (r["part"], r["metric"]) == ("test", "rmse"))
    assert got.high - got.low < (row["high"] - row["low"]) / 3


def test_a_difference_between_groups_is_seen_only_when_whole_groups_are_drawn():
    """All examples of a user are copies: drawing single examples would feign certainty."""
    one, two = make("tfidf-ridge"), make("bert-before")
    for record in (one, two):
        columns = record.predictions["test"]
        for name in ("rating", "predicted"):
            columns[name] = np.repeat(np.array(columns[name])[::3], 3).tolist()
    grouped = comparison.difference([one, two], "bert-before", "tfidf-ridge", draws=300)
    for record in (one, two):
        record.predictions["test"]["group"] = record.predictions["test"]["id"]
    single = comparison.difference([one, two], "bert-before", "tfidf-ridge", draws=300)
    assert grouped.high - grouped.low > 1.4 * (single.high - single.low)


def test_a_difference_says_whether_zero_is_inside(found):
    clear = comparison.difference(found, "bert-after", "tfidf-ridge", draws=100)
    assert (
        clear.clear
        and clear.value < 0
        and "zero lies outside" in str(clear)
        and "rmse of bert-after" in str(clear)
    )
    same = comparison.difference(found, "tfidf-ridge", "tfidf-ridge", draws=20)
    assert (
        not same.clear
        and same.value == same.low == same.high == 0
        and "zero lies inside" in str(same)
    )
    flipped = comparison.difference(found, "tfidf-ridge", "bert-after", draws=100)
    assert flipped.value == pytest.approx(-clear.value) and flipped.low == pytest.approx(
        -clear.high
    )
    with pytest.raises(ValueError, match="unknown metric 'loss'"):
        comparison.difference(found, "bert-after", "mean", "loss")


@pytest.mark.parametrize("metric", ["rmse", "mae", "accuracy", "qwk"])
def test_a_difference_is_the_same_by_sums_and_by_rows(found, metric):
    """The fast way of RMSE and MAE, and the weights of groups, against the metric on the rows of
    each draw."""
    sides = [comparable_records.predictions(found, name) for name in ("bert-after", "bert-before")]

    def one(frame, rows):
        return np.mean(
            [
                metrics.METRICS[metric](
                    seed["rating"].to_numpy()[rows], seed["predicted"].to_numpy()[rows]
                )
                for _, seed in frame.groupby("seed")
            ]
        )

    groups = sides[1]["group"].to_numpy()
    drawn = [
        one(sides[0], rows) - one(sides[1], rows)
        for rows in bootstrap.resamples(groups, 50, np.random.default_rng(5))
    ]
    got = comparison.difference(found, "bert-after", "bert-before", metric, draws=50, rng=5)
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(drawn, bootstrap.BOUNDS)))
    assert got.value == pytest.approx(
        np.subtract(*[value(found, x, metric) for x in ("bert-after", "bert-before")]), abs=1e-5
    )


def test_one_models_draws_are_those_of_its_own_interval(found):
    """``bootstrap.bootstrap`` and the sums see the same samples."""
    one = comparison.predictions_by_seed(found, "bert-before")
    drawn = comparison.drawn_values(one, "rmse", bootstrap.group_weights(len(one.counts), 300, 7))
    frame = comparable_records.predictions(found, "bert-before")
    expected = bootstrap.bootstrap(
        metrics.rmse, frame["rating"], frame["predicted"], frame["group"].to_numpy(), 300, 7
    )
    assert tuple(np.quantile(drawn, bootstrap.BOUNDS)) == pytest.approx(expected)


def test_p_counts_the_draws_beyond_zero(found):
    assert comparison.two_sided(np.array([1.0, 2, 3, -1, 5, 6, 7, 8, 9])) == pytest.approx(
        2 * 2 / 10
    )
    assert comparison.two_sided(np.full(99, -1.0)) == pytest.approx(2 / 100)
    assert (
        comparison.two_sided(np.zeros(9)) == 1
        and comparison.two_sided(np.array([np.nan, 1, -1])) == 1
    )
    one, two = (
        comparison.difference(found, *pair, draws=400)
        for pair in (("bert-after", "mean"), ("bert-before", "tfidf-ridge"))
    )
    assert one.clear and one.p == pytest.approx(2 / 401) and (two.p < 0.05) == two.clear


def test_seeds_of_different_rows_are_refused():
    odd = make("bert-after", 1)
    odd.predictions["test"]["id"][0] = "another"
    with pytest.raises(
        ValueError, match="the seeds of bert-after were judged on different test examples"
    ):
        comparison.predictions_by_seed([make("bert-after"), odd], "bert-after")


# Tests by group


@pytest.fixture(scope="module")
def gap(found):
    return comparison.gaps(found, "bert-before", "tfidf-ridge")


def test_gaps_are_sums_of_the_groups_losses(found, gap):
    frame = comparable_records.predictions(found, "bert-before").merge(
        comparable_records.predictions(found, "tfidf-ridge"), on="id"
    )
    error = [(frame[f"predicted_{side}"] - frame[f"rating_{side}"]) ** 2 for side in "xy"]
    expected = (error[0] - error[1]).groupby(frame["group_x"]).sum()
    assert gap == pytest.approx(expected.to_numpy()) and len(gap) == 30
    both = comparison.gaps(found, "bert-after", "mean", "mae")
    single = [
        comparison.gaps(
            [r for r in found if (r.model, r.seed) in (("bert-after", s), ("mean", 0))],
            "bert-after",
            "mean",
            "mae",
        )
        for s in (0, 1)
    ]
    assert both == pytest.approx(np.mean(single, axis=0))
    with pytest.raises(
        ValueError, match="unknown metric that is a mean over rows 'qwk'; choose one of rmse, mae"
    ):
        comparison.gaps(found, "bert-after", "mean", "qwk")


def test_the_paired_t_is_scipys_and_statsmodels(found, gap):
    ours, theirs = (
        comparison.sums(comparison.predictions_by_seed(found, name))[0]
        for name in ("bert-before", "tfidf-ridge")
    )
    assert comparison.paired_t(gap) == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)
    assert comparison.paired_t(gap) == pytest.approx(
        sm.OLS(gap, np.ones(len(gap))).fit().pvalues[0]
    )
    assert comparison.paired_t(np.zeros(5)) == 1 and comparison.paired_t(np.ones(5)) == 0


def test_the_sign_flip_test_is_scipys_permutation_test():
    rng = np.random.default_rng(0)
    for size in (3, 8, 11):
        ours, theirs = rng.normal(size=size), rng.normal(0.4, 1, size)
        exact = stats.permutation_test(
            (ours, theirs),
            lambda a, b, axis: (a - b).sum(axis),
            vectorized=True,
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert comparison.sign_flip(ours - theirs) == pytest.approx(exact.pvalue)
    assert (
        comparison.sign_flip(np.zeros(4)) == 1
        and comparison.sign_flip(np.array([1.0, 2, 3])) == 2 / 8
    )


def test_drawn_signs_come_close_to_all_signs():
    gap = np.random.default_rng(3).normal(0.4, 1, 13)
    every, some = comparison.sign_flip(gap, 10_000), comparison.sign_flip(gap, 8_000)
    assert every != some and some == pytest.approx(every, abs=0.02)
    assert comparison.sign_flip(np.arange(1.0, 60), 99) == pytest.approx(1 / 100)


def test_swapping_the_models_in_a_user_asks_the_same_of_the_rmse_as_of_the_squared_error(
    found, gap
):
    """The two RMSEs of a swap have a constant sum of squares, so their order is that of the summed
    gaps."""
    ours, theirs = (
        comparison.sums(comparison.predictions_by_seed(found, name))[0]
        for name in ("bert-before", "tfidf-ridge")
    )
    swap = np.random.default_rng(1).random((2000, 30)) < 0.5
    one, two = np.where(swap, theirs, ours).sum(axis=1), np.where(swap, ours, theirs).sum(axis=1)
    by_rmse = np.abs(np.sqrt(one) - np.sqrt(two)) >= abs(
        np.sqrt(ours.sum()) - np.sqrt(theirs.sum())
    )
    by_sum = np.abs(np.where(swap, -gap, gap).sum(axis=1)) >= abs(gap.sum())
    assert (by_rmse == by_sum).all()


def null(rng, groups=60):
    """Two equally good models on a fresh test set, in which users differ widely."""
    user = np.repeat(np.arange(groups), 5)
    hard = np.repeat(rng.exponential(size=groups), 5)
    rating = np.full(len(user), 3.0)
    return [
        judged(name, rating, 3 + hard * rng.normal(size=len(user)), user) for name in ("one", "two")
    ]


def test_where_nothing_differs_the_tests_rarely_say_that_it_does():
    rng, said = np.random.default_rng(0), {"bootstrap": [], "flip": [], "t": []}
    for _ in range(150):
        records = null(rng)
        gap = comparison.gaps(records, "one", "two")
        said["bootstrap"].append(
            comparison.difference(records, "one", "two", draws=200, rng=rng).p < 0.05
        )
        said["flip"].append(comparison.sign_flip(gap, 400, rng) < 0.05)
        said["t"].append(comparison.paired_t(gap) < 0.05)
    assert all(np.mean(list(map(bool, found))) < 0.11 for found in said.values())


# Seeds


def seeded(seeds, between, rng, groups=80):
    """Two ways of training that are equally good; every training has a luck of its own, alike for
    all users."""
    user, rating = np.repeat(np.arange(groups), 4), np.full(groups * 4, 3.0)
    shared = rng.normal(size=len(user))
    return [
        judged(
            name,
            rating,
            3 + shared * np.exp(between * rng.normal()) + rng.normal(0, 0.1, len(user)),
            user,
            s,
        )
        for name in ("one", "two")
        for s in range(seeds)
    ]


def test_drawing_the_seeds_widens_the_interval_by_what_the_seeds_differ():
    records = seeded(6, 0.1, np.random.default_rng(4))
    plain, wide = (
        comparison.difference(records, "one", "two", draws=4000, seeds=s) for s in (False, True)
    )
    assert wide.value == pytest.approx(plain.value) and wide.high - wide.low > 2 * (
        plain.high - plain.low
    )
    seeds = [
        np.sqrt((comparison.sums(comparison.predictions_by_seed(records, name)) / 320).sum(axis=1))
        for name in ("one", "two")
    ]
    error = np.sqrt(sum(s.var(ddof=1) / 6 for s in seeds) + ((plain.high - plain.low) / 3.92) ** 2)
    assert (wide.high - wide.low) / 3.92 == pytest.approx(error, rel=0.06)


def test_one_seed_each_says_nothing_of_seeds_but_one_side_may_have_none(found):
    with pytest.raises(
        ValueError,
        match="bert-before and mean have one seed each, which says nothing of other seeds",
    ):
        comparison.difference(found, "bert-before", "mean", seeds=True)
    assert comparison.difference(found, "bert-after", "mean", draws=50, seeds=True).value < 0


# Which baseline


def run(model, error, rows=100, seed=0, validation=None):
    """A record of 40 users with 2 rows each, whose predictions are wrong by ``error`` on the test
    rows, by ``validation`` on the validation rows."""
    made = judged(model, np.full(80, 3.0), np.full(80, 3.0 + error), np.repeat(range(40), 2), seed)
    made.parameters = {"train_rows": rows}
    other = error if validation is None else validation
    columns = made.predictions["test"] | {"predicted": [3.0 + other] * 80}
    made.predictions["validation"] = columns
    return made


def test_the_best_baseline_is_chosen_on_validation_rows():
    """ridge is better on the test rows, but who may look at these?"""
    records = [
        run("bert-after", 0.5),
        run("tfidf-ridge", 0.6, validation=0.9),
        run("embeddings-ridge", 0.7, validation=0.8),
    ]
    assert comparison.best_baseline(records) == "embeddings-ridge"
    test = {name: comparison.estimate(records, name)[0] for name in comparison.rivals(records)}
    assert min(test, key=test.get) == "tfidf-ridge"


def test_a_baseline_that_learned_from_other_rows_is_not_chosen_silently():
    records = [
        run("bert-after", 0.5, rows=100),
        run("bert-behaviour", 0.4, rows=900),
        run("tfidf-ridge", 0.1, rows=900),
        run("bert-before", 0.7, rows=100),
        run("mean", 0.9, rows=100),
    ]
    assert comparison.rivals(records) == ["bert-before", "mean"]
    assert comparison.best_baseline(records) == "bert-before"
    assert comparison.best_baseline(records, model="bert-behaviour") == "tfidf-ridge"
    with pytest.raises(ValueError, match="no frozen or simple model learned from 100 rows"):
        comparison.best_baseline(records[:3])


def test_neither_the_oracle_nor_a_fine_tuned_model_nor_a_blend_with_one_is_a_baseline():
    records = [
        run("bert-after", 0.5),
        run("bert-after-corn", 0.4),
        run("bert-behaviour", 0.4),
        run("oracle", 0.1),
        run("mean", 0.9),
    ]
    records.append(comparable_records.blend(records, ["bert-after", "mean"], "both"))
    assert comparable_records.training_rows(records, "both") == 100
    assert comparison.rivals(records) == ["mean"]


@pytest.mark.parametrize(("metric", "best"), [("rmse", min), ("mae", min), ("qwk", max)])
def test_the_best_baseline_by_a_metric_that_should_be_high_has_the_highest(metric, best):
    found = [make("bert-after"), make("mean"), make("tfidf-ridge"), make("bert-before")]
    exact = {}
    for record in found[1:]:
        columns = record.predictions["validation"]
        exact[record.model] = metrics.METRICS[metric](columns["rating"], columns["predicted"])
    assert len(set(exact.values())) == 3
    assert comparison.best_baseline(found, metric) == best(exact, key=exact.get) != "mean"


def test_the_seeds_of_a_baseline_count_by_their_mean():
    """One lucky seed does not make a baseline the best."""
    records = [
        run("bert-after", 0.5),
        run("gru", 0.1, seed=0),
        run("gru", 0.9, seed=1),
        run("tfidf-ridge", 0.4),
    ]
    assert comparison.best_baseline(records) == "tfidf-ridge"


def test_seeds_that_learned_from_different_numbers_of_rows_are_refused():
    records = [run("bert-after", 0.5, rows=100), run("bert-after", 0.5, rows=800, seed=1)]
    with pytest.raises(ValueError, match=r"different numbers of rows \(100, 800\)"):
        comparison.rivals(records)


# What a difference may claim


def trained(name, seeds, rows=800, error=0.5):
    """Records of one model with some seeds, each with a luck of its own."""
    records = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, *name.encode()])
        wrong = error + 0.1 * rng.normal() + 0.2 * rng.normal(size=80)
        record = judged(name, np.full(80, 3.0), 3 + wrong, np.repeat(range(40), 2), seed)
        record.parameters = {"train_rows": rows}
        records.append(record)
    return records


AUTOMATIC = {
    "two deterministic models": ("mean", 1, "tfidf-ridge", 1, False),
    "one seed each": ("bert-after", 1, "gru", 1, False),
    "one seed and a deterministic model": ("bert-after", 1, "tfidf-ridge", 1, False),
    "two seeds are too few": ("bert-after", 2, "tfidf-ridge", 1, False),
    "three seeds and a deterministic model": ("bert-after", 3, "tfidf-ridge", 1, True),
    "the deterministic model first": ("tfidf-ridge", 1, "bert-after", 3, True),
    "three seeds each": ("bert-after", 3, "gru", 3, True),
    "three seeds and one": ("bert-after", 3, "gru", 1, False),
    "a model that is not known, run once": ("bert-after", 3, "something-new", 1, False),
}


@pytest.mark.parametrize("case", AUTOMATIC)
def test_the_seeds_are_drawn_where_there_are_enough_of_each_that_chance_has_a_part_in(case):
    one, its, other, theirs, drawn = AUTOMATIC[case]
    records = [*trained(one, its), *trained(other, theirs, error=0.9)]
    got = comparison.difference(records, one, other, draws=200)
    same = comparison.difference(records, one, other, draws=200, seeds=drawn)
    assert got == same and got.drawn is drawn and got.seeds == (its, theirs)
    assert ("these two trained models" in str(got)) is not drawn
    assert ("over 3 seeds" in str(got)) is drawn
    if drawn:
        plain = comparison.difference(records, one, other, draws=200, seeds=False)
        assert got.value == plain.value and got.high - got.low > plain.high - plain.low


def test_a_difference_says_what_it_rests_on():
    records = [*trained("bert-after", 3), *trained("tfidf-ridge", 1, error=0.9)]
    records += [*trained("gru", 5, error=0.8), *trained("mean", 1, rows=80419, error=1.2)]

    def said(one, other, **options):
        return str(comparison.difference(records, one, other, draws=200, **options)).split("; ")[1:]

    assert said("bert-after", "tfidf-ridge") == [
        "zero lies outside, so these examples tell the two ways of training apart",
        "tfidf-ridge is fitted without chance and ran once",
    ]
    assert said("tfidf-ridge", "mean") == [
        "zero lies outside, so these examples tell these two trained models apart",
        "tfidf-ridge and mean are fitted without chance and ran once",
        "tfidf-ridge learned from 800 rows, mean from 80419",
    ]
    assert said("bert-after", "gru", seeds=False)[1:] == [
        "bert-after has 3 seeds",
        "gru has 5 seeds",
    ]
    unknown = comparison.difference([*records, run("x", 0.1, rows=None)], "x", "mean", draws=20)
    assert unknown.equal_rows, "what a record does not say is no difference"
    both = comparison.difference(records, "bert-after", "gru", draws=200)
    assert both.reach == "over 3 and 5 seeds" and not both.remarks
    once = [record for record in records if (record.model, record.seed) != ("gru", 0)][:1]
    lone = comparison.difference([*once, *trained("gru", 1)], "bert-after", "gru", draws=20)
    assert lone.remarks == ["bert-after has 1 seed", "gru has 1 seed"]


def test_models_are_known_to_be_fitted_or_trained_by_chance():
    fitted = ["mean", "trees", "tfidf-ridge", "steps-svr", "bert-before", "bert-before-corn"]
    fitted += ["frozen-behaviour", "oracle", "tfidf-logistic", "tfidf-logistic-context"]
    fitted += ["always-3", "prior", "trees-static", "text-title", "earlier-ratings"]
    assert all(map(comparable_records.is_fitted, fitted))
    by_chance = ["bert-after", "bert-behaviour", "gru", "matrix-factorisation", "something-new"]
    assert not any(map(comparable_records.is_fitted, by_chance))


# The mean over the seeds


def test_the_interval_of_a_mean_over_seeds_is_that_of_the_mean():
    """Not the mean of the seeds' ends: chance in one seed's errors averages out."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(60), 2)
    records = []
    for seed in range(2):
        predicted = 3 + rng.normal(0, 1, 120)
        records.append(judged("bert-after", np.full(120, 3.0), predicted, user, seed))
    value, low, high = comparison.estimate(records, "bert-after", draws=2000, rng=1)
    squared = np.array([record.predictions["test"]["predicted"] for record in records])
    squared = (squared - 3) ** 2
    drawn = []
    for users in np.random.default_rng(1).integers(60, size=(2000, 60)):
        rows = (2 * users[:, None] + [0, 1]).ravel()
        drawn.append(np.sqrt(squared[:, rows].mean(axis=1)).mean())
    assert value == pytest.approx(np.sqrt(squared.mean(axis=1)).mean())
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.01)
    widths = []
    for record in records:
        _, one, other = comparison.estimate([record], "bert-after", draws=2000, rng=1)
        widths.append(other - one)
    assert high - low < 0.85 * np.mean(widths)


def test_the_interval_of_a_mean_over_three_seeds_draws_the_seeds_too():
    records = trained("bert-after", 3)
    plain = comparison.estimate(records, "bert-after", seeds=False)
    wide = comparison.estimate(records, "bert-after")
    assert wide[0] == plain[0] and wide[2] - wide[1] > 1.3 * (plain[2] - plain[1])
    fitted = [*trained("tfidf-ridge", 1), *trained("tfidf-ridge", 2)[1:]]
    assert comparison.estimate(fitted, "tfidf-ridge") == comparison.estimate(
        fitted, "tfidf-ridge", seeds=False
    )


def test_the_interval_of_one_seed_is_that_of_its_record():
    record = make("bert-after")
    row = next(r for r in record.rows if (r["part"], r["metric"]) == ("test", "qwk"))
    got = comparison.estimate([record], "bert-after", "qwk", draws=40)
    assert got == pytest.approx((row["value"], row["low"], row["high"]), abs=1e-6)
