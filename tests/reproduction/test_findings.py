"""The numbers behind the README's table on the literature, recomputed from the committed records
by plain means, and the sentences that carry them."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from satlib import record_cache, records
from satlib.data import corpora, splits
from satlib.kit import readme
from satlib.reproduction import findings, published


@pytest.fixture(scope="module")
def told() -> dict[str, dict]:
    """Finding -> its numbers."""
    return {row["name"]: row["numbers"] for row in findings.table()}


def line_of(name: str, page: str = "README.md") -> str:
    """The line of the README's table that carries a finding."""
    names = [compute.__name__ for compute, _ in findings.FINDINGS]
    return readme.part("literature", page).splitlines()[2 + names.index(name)]


def record_of(name: str) -> records.RunRecord:
    return records.load(records.find(findings.folder(), f"{name}.json"))


def columns_of(name: str, part: str = "test") -> dict[str, np.ndarray]:
    columns = record_of(name).predictions[part]
    return {key: np.array(values) for key, values in columns.items()}


def rmse(columns: dict[str, np.ndarray], predicted=None) -> float:
    said = columns["predicted"] if predicted is None else predicted
    return float(np.sqrt(np.mean((columns["rating"] - said) ** 2)))


# Lesson 61


def test_what_is_nearly_a_constant_is_not_called_one(told):
    line = line_of("constant")
    assert "nearly" in line and "is that constant" not in line
    for metric, values in told["constant"]["theirs"].items():
        for corpus, value in zip(("uss-redial", "uss-ccpe", "uss-sgd"), values, strict=True):
            numbers = published.numbers("A0", corpus)
            of_xgboost = numbers[(numbers["model"] == "XGBoost") & (numbers["metric"] == metric)]
            assert value == of_xgboost["value"].item()
            assert f"{value:.3f}" in line
    assert max(told["constant"]["theirs"]["kappa"]) > 0


def test_the_encoder_was_frozen_where_validation_chose_epoch_0(told):
    epochs = []
    for corpus, head in itertools.product(
        ("uss-redial", "uss-ccpe", "uss-sgd"), ("bert-classes", "bert-ordinal", "bert-soft")
    ):
        record = record_of(f"{corpus}-A1-{head}-seed0")
        epochs += [fold["epoch"] for fold in record.parameters["chosen"]]
        assert record.parameters["train_rows"] == told["corrected"]["ours"]["train_rows"]
    assert (epochs.count(0), len(epochs)) == (36, 45)
    assert (told["corrected"]["frozen"], told["corrected"]["folds"]) == (36, 45)
    line = line_of("corrected")
    for words in ("1,000 rows", "48 tokens", "1 epoch", "500 tokens", "100 epochs", "36 of 45"):
        assert words in line


def test_the_range_of_kappas_is_that_of_all_trained_models(told):
    for one in told["corrected"]["reached"]:
        kappas = []
        for record in record_cache.found(findings.folder(), one["corpus"], "A1"):
            if record.model not in ("always-3", "prior"):
                test = record.predictions["test"]
                kappas.append(sklearn.cohen_kappa_score(test["rating"], test["predicted"]))
        assert len(kappas) == 6
        assert [one["lowest"], one["highest"]] == pytest.approx(
            [min(kappas), max(kappas)], abs=1e-5
        )


def test_the_fault_that_is_shown_is_the_published_one_on_the_published_corpora(told):
    found = {one["corpus"]: one for one in told["copied_first"]["found"]}
    assert found.keys() == {"uss-ccpe", "uss-sgd"}, "T5 reports these two"
    assert [found["uss-ccpe"]["quoted"], found["uss-sgd"]["quoted"]] == [0.612, 0.763]
    for one in found.values():
        assert one["copied"] > 0.99 and abs(one["shuffled"]) < 0.01


# Lesson 62


def test_a_quoted_accuracy_is_told_by_its_distance(told):
    line = line_of("three_classes")
    assert "3.8 points below a quoted 66.0%" in line and "cannot be tested" in line
    for one in told["three_classes"]["averages"]:
        assert one["below"] == pytest.approx(100 * (one["quoted"] - one["accuracy"]["value"]))


def test_the_differences_to_words_and_to_the_frozen_encoder_are_paired(told):
    (redial, sgd) = told["three_classes"]["averages"]
    for one in (redial, sgd):
        corpus = one["corpus"]
        seeds = [columns_of(f"{corpus}-B-bert-utterance-previous-seed{n}") for n in range(3)]
        mean = np.mean([columns["distribution"] for columns in seeds], axis=0)
        right = mean.argmax(axis=1) + 1 == seeds[0]["rating"]
        for gap in one["gaps"]:
            other = columns_of(f"{corpus}-B-{gap['other']}-seed0")
            other_right = other["predicted"] == other["rating"]
            value = 100 * (right.mean() - other_right.mean())
            assert gap["value"] == pytest.approx(value, abs=1e-6)
            assert not gap["drawn"]
        names = {gap["other"] for gap in one["gaps"]}
        assert "tfidf-logistic" in names and one["best"] in names
        assert any(name.startswith("embeddings") for name in names)
    to_words = next(gap for gap in redial["gaps"] if gap["other"] == "tfidf-logistic")
    assert [to_words["low"], to_words["high"]] == pytest.approx([-3.3, 4.2], abs=0.3)


def test_the_best_baseline_is_chosen_on_validation_rows(told):
    for one in told["three_classes"]["averages"]:
        scores = {}
        for gap in one["gaps"]:
            rows = columns_of(f"{one['corpus']}-B-{gap['other']}-seed0", "validation")
            scores[gap["other"]] = sklearn.f1_score(
                rows["rating"], rows["predicted"], average="macro"
            )
        assert one["best"] == max(scores, key=scores.get)


# Lesson 63


def test_own_and_other_annotators_are_compared_on_one_target(told):
    numbers = told["same_people"]
    own = columns_of("ab-redial-turn-C-aspects-seed0", "same annotator's aspects")
    other = columns_of("ab-redial-turn-C-aspects-seed0", "others' aspects")
    assert np.array_equal(own["id"], other["id"])
    assert np.array_equal(own["rating"], other["rating"])
    for name, columns in (("own", own), ("other", other)):
        r = stats.pearsonr(columns["rating"], columns["expected"])[0]
        assert numbers[name]["value"] == pytest.approx(r, abs=1e-4)
    assert [numbers["own"]["value"], numbers["other"]["value"]] == pytest.approx(
        [0.67, 0.44], abs=0.006
    )
    line = line_of("same_people")
    assert "On one target" in line and "for means of ratings" in line


def test_each_text_model_is_told_on_means_and_on_single_ratings(told):
    answers = columns_of("ab-redial-turn-C-aspects-seed0", "others' aspects")
    texts = {one["model"]: one for one in told["same_people"]["texts"]}
    frozen = columns_of("ab-redial-turn-C-embeddings-ridge-seed0")
    of_item = dict(zip(frozen["id"], frozen["expected"], strict=True))
    single = stats.pearsonr(answers["rating"], [of_item[item] for item in answers["id"]])[0]
    on_means = stats.pearsonr(frozen["rating"], frozen["expected"])[0]
    assert texts["embeddings-ridge"]["single"] == pytest.approx(single, abs=1e-6)
    assert texts["embeddings-ridge"]["means"] == pytest.approx(on_means, abs=1e-4)
    assert [single, on_means] == pytest.approx([0.43, 0.54], abs=0.006)
    assert texts.keys() == {"tfidf-ridge", "embeddings-ridge", "bert-regression"}, "all that ran"


def test_the_fine_tuned_encoder_stands_against_the_mean(told):
    line = line_of("same_people")
    for one in told["same_people"]["tuned"]:
        seeds = record_cache.found(findings.folder(), f"ab-redial-{one['level']}", "C")
        errors = {"bert-regression": [], "mean": []}
        for record in seeds:
            if record.model in errors:
                errors[record.model].append(
                    rmse({k: np.array(v) for k, v in record.predictions["test"].items()})
                )
        gap = np.mean(errors["bert-regression"]) - np.mean(errors["mean"])
        assert one["gap"]["value"] == pytest.approx(gap, abs=1e-6)
        assert one["gap"]["seeds"] == len(errors["bert-regression"])
        if one["gap"]["high"] >= 0:
            assert "better than the mean" not in line
        if one["gap"]["low"] > 0:
            assert "worse than the mean" in line


# Lesson 64


def test_updating_is_told_apart_from_the_model(told):
    errors = {one["split"]: one["errors"] for one in told["updating"]["errors"]}
    models = ("biases", "biases-online", "trees-static", "trees")
    for split, values in errors.items():
        for model, value in zip(models, values, strict=True):
            if value is not None:
                columns = columns_of(f"movielens-{split}-D-{model}-seed0")
                assert value == pytest.approx(rmse(columns), abs=1e-4)
    assert errors["rows"][2] is None, "random rows have no cut at which features could stop"
    biases, online, static, trees = errors["global-time"]
    gaps = told["updating"]
    assert gaps["biases"]["value"] == pytest.approx(online - biases, abs=1e-6)
    assert gaps["trees"]["value"] == pytest.approx(trees - static, abs=1e-6)
    assert gaps["static"]["value"] == pytest.approx(static - biases, abs=1e-6)
    assert gaps["biases"]["high"] < 0 and gaps["trees"]["high"] < 0


def test_users_are_counted_and_rows_are_not_taken_for_users(told):
    numbers = told["own_review"]
    columns = columns_of("amazon-without-review-D-mean-seed0")
    assert numbers["test_users"] == len(set(columns["group"])) == 81
    assert numbers["test_rows"] == len(columns["id"]) == 140
    assert "140 test rows of 81 users, 354 users in all" in line_of("own_review")


def test_users_are_those_of_the_real_reviews(told, real_data):
    loaded = corpora.load("amazon-reviews-2023", data_dir=real_data)
    parts = splits.split_corpus(loaded)
    users = {part: {example.group for example in rows} for part, rows in parts.items()}
    assert told["own_review"]["users"] == len(set.union(*users.values())) == 354
    assert told["own_review"]["test_users"] == len(users["test"])
    recorded = record_of("amazon-with-review-D-mean-seed0").parameters["users"]
    assert recorded == {part: len(names) for part, names in users.items()}


def test_two_tasks_are_shown_by_one_model_with_and_without_the_review(told):
    numbers = told["own_review"]
    seeds = range(numbers["review"]["seeds"])
    by_view = {}
    for view in ("with", "without"):
        columns = [columns_of(f"amazon-{view}-review-D-bert-seed{seed}") for seed in seeds]
        by_view[view] = np.mean([rmse(one) for one in columns])
    value = by_view["with"] - by_view["without"]
    assert numbers["review"]["value"] == pytest.approx(value, abs=1e-6)
    assert numbers["review"]["clear"]
    mean = rmse(columns_of("amazon-without-review-D-mean-seed0"))
    assert numbers["mean"]["value"] == pytest.approx(by_view["without"] - mean, abs=1e-6)
    for view, gap in numbers["best"].items():
        rival = record_of(f"amazon-{view}-review-D-{gap['other']}-seed0")
        gap_by_hand = by_view[view] - rmse(columns_of(rival.name.removesuffix(".json")))
        assert gap["value"] == pytest.approx(gap_by_hand, abs=1e-6)
