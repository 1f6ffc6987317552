"""Rankings of many models equal plain computations and statsmodels."""

import numpy as np
import pytest
from invented import NOISE, judged, make
from statsmodels.stats.multitest import multipletests

from satlib.evaluation import comparable_records, comparison, ranking


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


def test_holm_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 40):
        p = rng.random(size) ** 3
        assert ranking.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert ranking.holm([0.01, 0.04, 0.03, 0.5]).tolist() == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert ranking.holm([]).tolist() == []


def test_pairs_are_all_pairs_with_their_t_test(found):
    frame = ranking.pairs(found)
    assert len(frame) == 10 and frame["holm"].tolist() == ranking.holm(frame["p"]).tolist()
    one = frame[(frame["one"] == "tfidf-ridge") & (frame["other"] == "bert-before")]["p"].item()
    assert one == pytest.approx(
        comparison.paired_t(comparison.gaps(found, "tfidf-ridge", "bert-before"))
    )


def test_a_ranking_is_by_value_and_models_that_cannot_be_told_apart_share_a_rank(found):
    frame = ranking.ranks(found, draws=100)
    assert frame["value"].is_monotonic_increasing and set(frame["model"]) == set(NOISE)
    for row in frame.itertuples():
        assert (
            row.value == pytest.approx(value(found, row.model), abs=1e-5)
            and row.low < row.value < row.high
        )
    assert dict(zip(frame["model"], frame["rank"], strict=True)) == {
        "oracle": 1,
        "bert-after": 2,
        "tfidf-ridge": 3,
        "bert-before": 3,
        "mean": 5,
    }
    assert dict(zip(frame["model"], frame["seeds"], strict=True))["bert-after"] == 2


def test_a_rank_counts_the_clearly_better_ones():
    """a is a little better than b, and b than c: only a and c are told apart."""
    rng = np.random.default_rng(2)
    user, truth = np.repeat(np.arange(40), 2), np.full(80, 3.0)
    error = rng.choice([-1, 1], 80)
    records = [
        judged(name, truth, 3 + error * size + rng.normal(0, 0.4, 80), user)
        for name, size in (("c", 1.16), ("a", 1.0), ("b", 1.08))
    ]
    frame = ranking.ranks(records, draws=20)
    told = ranking.pairs(records).query("holm < 0.05")
    assert frame["model"].tolist() == ["a", "b", "c"] and set(
        map(tuple, told[["one", "other"]].to_numpy())
    ) == {("c", "a")}
    assert frame["rank"].tolist() == [1, 1, 2]


def test_equal_models_share_a_rank_and_other_examples_are_refused(found):
    twin = comparable_records.blend(found, ["mean"], "twin")
    assert ranking.ranks([found[0], twin], draws=5)["rank"].tolist() == [1, 1]
    assert ranking.ranks(found[:1], draws=5)["rank"].tolist() == [1]
    odd = make("oracle")
    odd.predictions["test"]["id"][0] = "another"
    with pytest.raises(ValueError, match="judged on different test examples"):
        ranking.ranks([*found[:5], odd], draws=5)
