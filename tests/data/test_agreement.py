"""Agreement: by hand, against scikit-learn, statsmodels and the oracle, on the published counts of
USS."""

import math
from collections import Counter

import krippendorff
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa

from satlib import records, runtime
from satlib.data import agreement, corpora, labels
from satlib.data.interactions import Event, Example
from satlib.data.prepared import prepare
from satlib.data.satsim import simulation

STEADY = settings(max_examples=40, deadline=None, derandomize=True)
STAR = st.integers(1, 5).map(float)
NAN = math.nan

SEVERAL = st.lists(st.lists(STAR, min_size=2, max_size=6).map(tuple), min_size=2, max_size=12)
USS = ("uss-redial", "uss-sgd", "uss-ccpe")


@STEADY
@given(st.lists(st.tuples(STAR, STAR, st.floats(0.1, 3)), min_size=1, max_size=30))
def test_kappa_is_that_of_scikit_learn(rows):
    a, b, weight = map(list, zip(*rows, strict=True))
    if len({*a, *b}) == 1:
        assert math.isnan(agreement.kappa(a, b))
        return
    assert agreement.kappa(a, b) == pytest.approx(sk.cohen_kappa_score(a, b))
    assert agreement.kappa(a, b, weight) == pytest.approx(
        sk.cohen_kappa_score(a, b, sample_weight=weight)
    )
    assert agreement.kappa(a, b) == pytest.approx(agreement.kappa(b, a))


def test_kappa_of_words_and_in_closed_form():
    assert (
        agreement.kappa(list("aabb"), list("aabb")) == 1
        and agreement.kappa(list("aabb"), list("bbaa")) == -1
    )
    assert agreement.kappa(list("abab"), list("aabb")) == 0
    assert math.isnan(agreement.kappa([3, 3], [3, 3]))


@STEADY
@given(SEVERAL)
def test_pooled_kappa_is_nominal_alpha_but_for_the_correction(ratings):
    pooled, nominal = (
        agreement.kappa(*agreement.pairs(ratings)),
        agreement.alpha(ratings, "nominal"),
    )
    if len({star for one in ratings for star in one}) == 1:
        assert math.isnan(pooled) and math.isnan(nominal)
        return
    n = sum(map(len, ratings))
    assert 1 - nominal == pytest.approx((1 - pooled) * (n - 1) / n)


def test_pooled_kappa_is_fleiss_kappa_where_annotators_are_equally_many():
    ratings = np.random.default_rng(0).integers(1, 6, (50, 4)).astype(float)
    assert agreement.kappa(*agreement.pairs(ratings)) == pytest.approx(
        fleiss_kappa(labels.counts(ratings))
    )


@pytest.mark.parametrize("level", agreement.LEVELS)
def test_alpha_is_the_library_on_a_table_of_annotators(level):
    table = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5],
            [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5],
        ]
    )
    ratings = [tuple(column[~np.isnan(column)]) for column in table.T]
    theirs = krippendorff.alpha(
        reliability_data=table, level_of_measurement=level, value_domain=[1, 2, 3, 4, 5]
    )
    assert agreement.alpha(ratings, level) == pytest.approx(theirs)
    assert agreement.alpha([*ratings, (3.0,)], level) == pytest.approx(
        theirs
    )  # a single rating tells nothing
    assert agreement.alpha([(2, 2), (5, 5)], level) == 1


@STEADY
@given(SEVERAL)
def test_one_annotator_alone_and_the_noise_as_plain_loops_find_them(ratings):
    own, rest = agreement.leave_one_out([*ratings, (3.0,)])
    assert own.tolist() == [star for one in ratings for star in one]
    assert rest == pytest.approx(
        [np.mean(one[:i] + one[i + 1 :]) for one in ratings for i in range(len(one))]
    )
    spread = [np.var(one, ddof=1) for one in ratings]
    assert agreement.noise([*ratings, (3.0,)]) == pytest.approx(spread, abs=1e-12)
    bound = math.sqrt(np.mean([v / len(one) for v, one in zip(spread, ratings, strict=True)]))
    assert agreement.reachable_rmse(ratings) == pytest.approx(bound, abs=1e-9)


def test_the_planted_noise_of_satsim_is_found():
    rated = [e for e in corpora.load("satsim").examples if len(e.ratings) == simulation.ANNOTATORS]
    oracle = simulation.oracle()
    chances = np.array([oracle[e.id] for e in rated])
    expected, variance = simulation.expected_rating(chances), simulation.variance(chances).mean()
    drawn = np.array([e.ratings for e in rated])
    for m in (1, 2, 3):
        rmse = np.sqrt(np.mean((drawn[:, :m].mean(axis=1) - expected) ** 2))
        assert rmse == pytest.approx(math.sqrt(variance / m), rel=0.05)
    assert agreement.reachable_rmse(drawn) == pytest.approx(math.sqrt(variance / 3), rel=0.03)
    apart = np.corrcoef((drawn - expected[:, None]).T)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < 0.06  # independent draws


def test_the_reachable_rmse_is_unbiased():
    rng = np.random.default_rng(1)
    truth = rng.choice(labels.STAR_VALUES, p=[0.1, 0.2, 0.4, 0.2, 0.1], size=(20_000, 4))
    variance = 1.2  # of one of these ratings
    assert agreement.noise(truth).mean() == pytest.approx(variance, rel=0.02)
    assert agreement.reachable_rmse(truth) == pytest.approx(math.sqrt(variance / 4), rel=0.02)


def test_the_floor_of_a_part_counts_rows_with_one_rating_too():
    def rated(*ratings):
        return Example("id", "group", "domain", (Event("user", "say", "yes"),), ratings)

    # Variances of one rating: 2, 1, and for the last row, which does not show its own, their mean.
    rows = [rated(2.0, 4.0), rated(3.0, 3.0, 3.0, 5.0), rated(5.0)]
    by_hand = math.sqrt((2 / 2 + 1 / 4 + 1.5 / 1) / 3)
    assert agreement.reachable_on(rows) == pytest.approx(by_hand)
    several = [row.ratings for row in rows[:2]]
    assert agreement.reachable_on(rows[:2]) == pytest.approx(agreement.reachable_rmse(several))
    assert math.isnan(agreement.reachable_on(rows[2:]))


def test_the_floor_of_satsim_is_where_the_oracle_lies():
    """A third of its sessions have three annotators, the others one."""
    examples = corpora.load("satsim").examples
    oracle = simulation.oracle()
    chances = np.array([oracle[example.id] for example in examples])
    error = simulation.expected_rating(chances) - [example.rating for example in examples]
    reached = math.sqrt(np.mean(error**2))
    assert agreement.reachable_on(examples) == pytest.approx(reached, rel=0.03)


def test_the_floor_of_a_test_part_is_that_of_its_own_rows(real_data):
    part = prepare("uss-redial", real_data).parts["test"]
    assert agreement.reachable_on(part) == pytest.approx(0.273, abs=5e-4)
    (kept,) = records.load_all(runtime.data_folder() / "runs" / "labels", "uss-redial")
    of_part = kept.parameters["test part"]["reachable_rmse"]
    assert of_part == pytest.approx(agreement.reachable_on(part), abs=1e-6)


# The summary, and what is published


def test_summary_by_hand():
    found = agreement.summary([(3, 3, 4), (1, 3, 5), (5, 5), (2.0,)])
    assert found["examples"] == 3 and found["ratings"] == 8 and found["ties"] == 1
    assert found["confusion"] == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert found["same"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["same_within_half"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["shares"] == [0.125, 0, 0.375, 0.125, 0.375]
    assert found["noise_by_annotators"] == {"2": 0, "3": pytest.approx((1 / 3 + 4) / 2, abs=1e-6)}
    assert found["pairs_agree"] == pytest.approx((1 + 0 + 2) / 8, abs=1e-6)


@pytest.mark.parametrize(
    "name, ties, always_three, alone",
    [
        ("uss-redial", 661, 0.8126, 0.459),
        ("uss-sgd", 695, 0.8306, 0.490),
        ("uss-ccpe", 354, 0.8816, None),
    ],
)
def test_the_published_counts_of_uss(real_data, name, ties, always_three, alone):
    examples = corpora.load(name, real_data, overall=True).examples
    every = [e.ratings for e in examples]
    turns = [e.ratings for e in examples if "unit" not in e.attributes]
    assert labels.tied(turns).sum() == ties  # without OVERALL
    assert np.mean(labels.majority(every) == 3) == pytest.approx(
        always_three, abs=5e-5
    )  # with OVERALL
    own, rest = agreement.leave_one_out(every)
    assert alone is None or np.mean(
        labels.three_classes(own) == labels.three_classes(rest)
    ) == pytest.approx(alone, abs=5e-4)
    same = np.mean(
        labels.three_classes(labels.majority(turns)) == labels.three_classes(labels.mean(turns))
    )
    assert same == pytest.approx(0.5, abs=0.05)  # "agree on about half of the turns"
    assert 0.09 < agreement.kappa(*agreement.pairs(turns)) < 0.175  # "pairwise kappa .10-.17"


@pytest.mark.parametrize("name", USS)
def test_the_committed_record_is_what_the_corpus_gives(real_data, name):
    (record,) = records.load_all(runtime.data_folder() / "runs" / "labels", name)
    loaded = corpora.load(name, real_data, overall=True)
    assert (
        record.model == "labels" and record.data_sha256 == loaded.sha256 and not record.predictions
    )
    place, rows = Counter(), {"turns": [], "with OVERALL": [], "turn 4 on, with OVERALL": []}
    for e in loaded.examples:
        place[e.group] += 1
        whole = "unit" in e.attributes
        for view, taken in zip(rows, (not whole, True, whole or place[e.group] > 3), strict=True):
            rows[view] += [e.ratings] * taken
    rows["test part"] = [e.ratings for e in prepare(name, real_data).parts["test"]]
    assert rows.keys() == record.parameters.keys()
    for view, ratings in rows.items():
        found, kept = agreement.summary(ratings), record.parameters[view]
        assert found.keys() == kept.keys()
        assert all(
            found[key] == pytest.approx(kept[key], abs=2e-6) for key in found if key != "confusion"
        )
        assert found["confusion"] == kept["confusion"]


# At the door


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: agreement.kappa([1], [1, 2]), "1 labels and 2 labels"),
        (lambda: agreement.kappa([], []), "at least one"),
        (lambda: agreement.pairs([(3,), (4,)]), "no example has two ratings"),
        (lambda: agreement.alpha([(3,)]), "no example has two ratings"),
        (lambda: agreement.alpha([(3, 4)], "ratio"), "unknown level 'ratio'"),
        (lambda: agreement.summary([(3,)]), "no example has two ratings"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
