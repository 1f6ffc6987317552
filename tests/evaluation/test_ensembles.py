"""Averages of models on a made-up corpus: probabilities, refusals, parts of records, scores."""

from dataclasses import replace

import numpy as np
import pytest
import usda_corpus

from satlib import record_cache, records
from satlib.evaluation import bootstrap, comparison, ensembles, judging, metrics
from satlib.reproduction import usda
from satlib.reproduction.text_classifiers import Settings


@pytest.fixture
def data(tmp_path, monkeypatch):
    return usda_corpus.registered(monkeypatch, tmp_path)


def three(data, folder):
    names = ("naive-bayes", "tfidf-logistic", "majority")
    return [usda.run("usda-redial", name, Settings(), folder, data) for name in names]


def test_an_ensemble_averages_probabilities_first_over_seeds_then_over_models(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    second = replace(most, model="naive-bayes", seed=1)
    made = ensembles.ensemble(
        [bayes, second, words], "both", ("naive-bayes", "tfidf-logistic"), ["accuracy"]
    )
    for part in ("validation", "test"):
        p = {r.name: np.array(r.predictions[part]["distribution"]) for r in (bayes, second, words)}
        mean = ((p[bayes.name] + p[second.name]) / 2 + p[words.name]) / 2
        assert np.allclose(made.predictions[part]["distribution"], mean, atol=1e-4)
        assert made.predictions[part]["predicted"] == (mean.argmax(axis=1) + 1.0).tolist()
        value = metrics.accuracy(
            bayes.predictions[part]["rating"], made.predictions[part]["predicted"]
        )
        rows = [r["value"] for r in made.rows if r["part"] == part]
        assert rows == [pytest.approx(value)]
    assert (
        made.parameters["members"] == {"naive-bayes": [0, 1], "tfidf-logistic": [0]}
        and made.seed == 0
    )
    assert made.split_sha256 == bayes.split_sha256 and records.save(made, tmp_path).is_file()
    alone = ensembles.ensemble([bayes], "alone", ("naive-bayes",))
    assert alone.predictions["test"]["predicted"] == bayes.predictions["test"]["predicted"]


def test_an_ensemble_of_what_does_not_belong_together_is_refused(data, tmp_path):
    bayes, words, _ = three(data, tmp_path)
    with pytest.raises(ValueError, match="no record of gru, a member of 'x'; make it first"):
        ensembles.ensemble([bayes, words], "x", ("naive-bayes", "gru"))
    with pytest.raises(ValueError, match="no record of naive-bayes, a member"):
        ensembles.ensemble([], "x", ("naive-bayes",))
    with pytest.raises(ValueError, match="differ in split_sha256"):
        ensembles.ensemble(
            [bayes, replace(words, split_sha256="0")], "x", ("naive-bayes", "tfidf-logistic")
        )
    turned = {"test": {name: column[::-1] for name, column in words.predictions["test"].items()}}
    with pytest.raises(ValueError, match="'x' were judged on different test rows; make them again"):
        ensembles.ensemble(
            [bayes, replace(words, predictions=words.predictions | turned)],
            "x",
            ("naive-bayes", "tfidf-logistic"),
        )


def test_records_of_a_study_are_read_in_order_and_scored_in_parts(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    found = ensembles.read(tmp_path, "usda-redial", "B", usda.TABLE_ORDER)
    assert [r.model for r in found] == ["majority", "naive-bayes", "tfidf-logistic"]
    assert [r.model for r in ensembles.read(tmp_path, "usda-redial", "B", ("majority",))] == [
        "majority"
    ]
    assert ensembles.read(tmp_path, "usda-sgd", "B", usda.TABLE_ORDER) == []
    ids = record_cache.load_split("split-usda-redial-B", tmp_path)["overall"]
    whole = judging.from_record(ensembles.only(bayes, ids))
    assert [e.id for e in whole.examples] == ids[3:] and set(whole.rating) == {4.0}
    assert ensembles.only(bayes, ids).rows == [] and len(bayes.rows) == 6
    every = judging.from_record(bayes)
    value, low, high = judging.scores(every, ["macro_f1"], draws=50)["macro_f1"]
    assert low <= value <= high and value == metrics.macro_f1(every.rating, every.predicted)
    assert ensembles.score([bayes], "naive-bayes", "macro_f1", draws=50) == pytest.approx(
        (value, low, high, 1)
    )
    with pytest.raises(
        ValueError, match="unknown metric of classes 'rmse'; choose one of accuracy, macro_f1"
    ):
        ensembles.score([bayes], "naive-bayes", "rmse")
    columns = bayes.predictions["test"]
    second = replace(
        bayes, seed=1, predictions={"test": columns | {"predicted": columns["rating"]}}
    )
    both = ensembles.score([bayes, second], "naive-bayes", "macro_f1", draws=50)
    assert both[0] == pytest.approx((value + 1) / 2) and both[3] == 2


def test_two_models_are_compared_on_the_same_dialogues(data, tmp_path):
    bayes, words, most = three(data, tmp_path)
    gap = comparison.difference([bayes, most], "naive-bayes", "majority", "accuracy", draws=50)
    one, other = (judging.from_record(r) for r in (bayes, most))
    assert gap.value == pytest.approx(
        np.mean(one.rating == one.predicted) - np.mean(other.rating == other.predicted)
    )


def test_metrics_of_counts_equal_those_of_rows():
    rng = np.random.default_rng(0)
    for high in (3, 4, 6):
        rating, predicted, group = (
            rng.integers(2, high, 60),
            rng.integers(1, high, 60),
            rng.integers(0, 9, 60),
        )
        one = comparison.SeededPredictions(
            predicted[None], rating, list(range(60)), group, np.bincount(group)
        )
        weights = bootstrap.group_weights(9, 20, 1)
        for name, metric in ensembles.COUNTED.items():
            slow = comparison.drawn_values(one, name, weights)[:, 0]
            assert np.allclose(metric(weights @ ensembles.by_group(one, predicted)), slow)
            assert metric is not None and name in metrics.METRICS
