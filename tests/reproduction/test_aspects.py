"""Aspects: correlations and regressions equal the libraries', "others" never holds one's own,
counts of the corpus."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from satlib.data import corpora
from satlib.evaluation import metrics
from satlib.reproduction import ab_redial, aspects


def made(items=30, seed=0):
    """Invented answers: three or two annotators an item, two items a conversation."""
    rng = np.random.default_rng(seed)
    item = np.concatenate([[f"i{i}"] * (2 if i % 5 == 0 else 3) for i in range(items)])
    quality = {f"i{i}": rng.normal() for i in range(items)}
    base = np.array([quality[name] for name in item])
    given = base[:, None] + rng.normal(size=(len(item), 2))
    group = np.array([f"c{int(name[1:]) // 2}" for name in item])
    return aspects.Answers(item, group, given, given.mean(axis=1) + rng.normal(size=len(item)))


def test_pearson_is_scipys():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=50), rng.integers(1, 6, 50)
    assert metrics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert metrics.ALL_METRICS["pearson"](3 * x + 1, x) == pytest.approx(1)
    assert np.isnan(metrics.pearson(np.ones(5), np.arange(5)))


def test_others_is_the_mean_without_ones_own():
    item, values = ["a", "b", "a", "b", "b"], np.array([1.0, 2.0, 5.0, 4.0, 9.0])
    assert aspects.others(item, values).tolist() == [5, 6.5, 1, 5.5, 3]
    both = aspects.others(item, np.column_stack([values, -values]))
    assert np.allclose(both, np.column_stack([[5, 6.5, 1, 5.5, 3], [-5, -6.5, -1, -5.5, -3]]))


def test_ones_own_rating_never_enters_what_the_others_say():
    rows = made()
    before = aspects.others(rows.item, rows.aspects)
    for at in range(len(rows.item)):
        changed = rows.aspects.copy()
        changed[at] += 10
        after = aspects.others(rows.item, changed)
        mates = (rows.item == rows.item[at]) & (np.arange(len(rows.item)) != at)
        assert np.allclose(before[at], after[at]) and (after[mates] > before[mates]).all()


def test_an_item_with_one_annotator_has_no_others():
    with pytest.raises(ValueError, match="single annotator"):
        aspects.others(["a", "a", "b"], np.array([1.0, 2.0, 3.0]))


def test_pairs_are_all_ordered_pairs_of_an_item():
    one, other = aspects.pairs(["a", "b", "a", "a", "b"])
    found = set(zip(one.tolist(), other.tolist(), strict=True))
    assert found == {(0, 2), (2, 0), (0, 3), (3, 0), (2, 3), (3, 2), (1, 4), (4, 1)} and len(
        one
    ) == len(found)


def test_means_are_by_item():
    rows = made()
    whole = rows.means()
    assert len(whole.item) == 30 and set(whole.item) == set(rows.item)
    for name, group, given, overall in zip(
        whole.item, whole.group, whole.aspects, whole.overall, strict=True
    ):
        mine = rows.item == name
        assert np.allclose(given, rows.aspects[mine].mean(axis=0)) and set(rows.group[mine]) == {
            group
        }
        assert overall == pytest.approx(rows.overall[mine].mean())


def test_the_regression_is_scikit_learns_on_other_conversations():
    rows = made()
    found, fold = (
        aspects.regress(rows.aspects, rows.overall, rows.group),
        ab_redial.folds(rows.group),
    )
    for k in range(ab_redial.FOLDS):
        model = LinearRegression().fit(rows.aspects[fold != k], rows.overall[fold != k])
        assert np.allclose(found[fold == k], model.predict(rows.aspects[fold == k]))
    one = aspects.regress(rows.aspects[:, :1], rows.overall, rows.group)
    assert one.shape == found.shape


def test_the_table_of_correlations_is_scipys():
    rows = made()
    table = {(line["aspect"], line["who"]): line for line in aspects.correlations(rows, "turn")}
    assert len(table) == 4 + 4 + 2
    x, y = rows.aspects[:, 0], rows.overall
    assert table["relevance", "same annotator"]["value"] == pytest.approx(
        stats.pearsonr(x, y).statistic, abs=1e-6
    )
    a, o = [], []
    for name in set(rows.item):
        for i in np.flatnonzero(rows.item == name):
            for j in np.flatnonzero(rows.item == name):
                if i != j:
                    a.append(x[j])
                    o.append(y[i])
    assert table["relevance", "one other"]["value"] == pytest.approx(
        stats.pearsonr(a, o).statistic, abs=1e-6
    )
    assert all(line["low"] < line["value"] < line["high"] for line in table.values())


@pytest.mark.parametrize("size", [1, 3, 5])
def test_the_ceiling_is_what_knowing_the_quality_reaches(size):
    rng = np.random.default_rng(0)
    quality = rng.normal(size=40_000)
    rating = quality[:, None] + rng.normal(0, 1.5, (len(quality), size + 1))
    r = stats.pearsonr(rating[:, 0], rating[:, 1]).statistic
    reached = stats.pearsonr(quality, rating[:, :size].mean(axis=1)).statistic
    assert aspects.ceiling(r, size) == pytest.approx(reached, abs=0.01)


def test_the_ceiling_refuses_what_is_no_correlation():
    for r, size in ((0.0, 3), (1.2, 3), (0.4, 0.5)):
        with pytest.raises(ValueError, match="in \\(0, 1\\]"):
            aspects.ceiling(r, size)


def test_questions_differ_in_who_gave_what_is_seen():
    rows = made()
    asked = aspects.questions(rows)
    assert np.array_equal(asked["same annotator's aspects"][1], rows.aspects)
    for name in ("others' aspects", "others' overall"):
        changed = aspects.Answers(
            rows.item,
            rows.group,
            rows.aspects
            + (rows.item == "i1")[:, None]
            * (np.arange(len(rows.item)) == np.flatnonzero(rows.item == "i1")[0])[:, None],
            rows.overall + (np.arange(len(rows.item)) == np.flatnonzero(rows.item == "i1")[0]),
        )
        at = np.flatnonzero(rows.item == "i1")[0]
        assert np.allclose(aspects.questions(changed)[name][1][at], asked[name][1][at])


@pytest.mark.parametrize(("level", "rows", "items"), [("turn", 1919, 600), ("dialogue", 636, 200)])
def test_the_answers_of_the_corpus(real_data, level, rows, items):
    """640 rows a file: one turn and four dialogues lack a rating; 195 ConvIds stand for 200
    dialogues."""
    found = aspects.answers(level, real_data)
    examples = corpora.load("ab-redial", real_data, level=level).examples
    assert (
        len(found.item) == rows and len(set(found.item)) == items and len(set(found.group)) == 195
    )
    assert found.aspects.shape == (rows, len(aspects.ASPECTS[level]))
    assert {e.id: list(e.ratings) for e in examples} == {
        name: found.overall[found.item == name].tolist() for name in dict.fromkeys(found.item)
    }
    assert {e.id: e.group for e in examples} == dict(zip(found.item, found.group, strict=True))
    dialogues = {
        name.removesuffix(f"-{turn}")
        for turn in "123"
        for name in found.item
        if level == "turn" and name.endswith(f"-{turn}")
    } or set(found.item)
    twice = [group for group in set(found.group) if f"{group}-2" in dialogues]
    assert len(dialogues) == 200 and len(twice) == 5


def test_the_recomputation_of_the_corpus(real_data, tmp_path):
    record = aspects.recompute("turn", tmp_path, str(real_data))
    value = {row["part"]: row["value"] for row in record.rows if row["metric"] == "pearson"}
    assert value["means of the same annotators"] == pytest.approx(0.73, abs=0.01)  # as published
    assert value["same annotator's aspects"] == pytest.approx(0.665, abs=0.01)
    assert value["others' aspects"] == pytest.approx(0.444, abs=0.01)
    single = [
        line["value"]
        for line in record.curves
        if line["aspect"] == "relevance" and line["turn"] and line["who"] == "same annotator"
    ]
    assert [round(v, 3) for v in single] == [0.705, 0.641, 0.606]
    for part, columns in record.predictions.items():
        r = stats.pearsonr(columns["rating"], columns["expected"]).statistic
        assert r == pytest.approx(value[part], abs=1e-4)
        rho = next(
            row["value"]
            for row in record.rows
            if (row["part"], row["metric"]) == (part, "spearman")
        )
        assert rho == pytest.approx(
            stats.spearmanr(columns["rating"], columns["expected"]).statistic, abs=2e-3
        )
