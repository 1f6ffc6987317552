"""The table of attempts: all on the same rows, each against the plain recipe seed by seed."""

import numpy as np
import pytest
from invented import make
from scipy import stats
from tiny_study import BASE, bench

from satlib import records
from satlib.data.prepared import prepare
from satlib.models import satisfaction_model
from satlib.training import attempts, finetune, hyperparameters
from satlib.training.adversarial import Adversarial
from satlib.training.attempts import ATTEMPTS, Attempt


def record_of(model: str, seed: int, rmse: float) -> records.RunRecord:
    """A record of one validation RMSE."""
    row = {"part": "validation", "metric": "rmse", "value": rmse}
    return make(model, seed, rows=[row])


FOUND = [
    record_of("plain", 0, 1.10),
    record_of("plain", 1, 1.20),
    record_of("plain", 2, 1.30),
    record_of("moved-words-0.5", 0, 1.04),
    record_of("moved-words-0.5", 1, 1.12),
    record_of("moved-words-0.5", 2, 1.26),
    record_of("plain-6-epochs", 1, 1.25),
]


def test_difference_is_that_of_the_same_seeds_with_students_interval():
    row = attempts.table(FOUND).loc["moved-words-0.5"]
    test = stats.ttest_rel([1.04, 1.12, 1.26], [1.10, 1.20, 1.30])
    low, high = test.confidence_interval(0.95)
    assert row["RMSE"] == pytest.approx((1.04 + 1.12 + 1.26) / 3)
    assert row["difference"] == pytest.approx(-0.06)
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert row["seeds"] == 3 and row["lower"] == 3


def test_every_attempt_with_a_record_is_there_the_best_first():
    table = attempts.table(FOUND)
    assert table.index.tolist() == ["moved-words-0.5", "plain", "plain-6-epochs"]
    one_seed = table.loc["plain-6-epochs"]
    assert one_seed["difference"] == pytest.approx(0.05)
    assert np.isnan(one_seed["low"]) and one_seed["seeds"] == 1


def test_table_without_the_plain_recipe_is_refused():
    with pytest.raises(ValueError, match="no record of 'plain' among 1; make the attempts"):
        attempts.table(FOUND[-1:])


def test_names_are_different_and_each_changes_the_plain_recipe():
    names = [attempt.run.model for attempt in ATTEMPTS]
    assert len(set(names)) == len(names)
    for attempt in ATTEMPTS[1:]:
        same_name = hyperparameters.changed(attempt.run, model="plain")
        assert same_name != attempts.BASE


def test_bench_sees_no_test_row_and_starts_with_a_fitted_head(monkeypatch):
    data = prepare("satsim", train_rows=12, validation_rows=6, test_rows=4)
    del data.parts["test"]
    monkeypatch.setattr(type(data), "split_sha256", "s" * 64)
    made = attempts.bench(data, "full", finetune.Settings(max_length=16))
    assert len(made.rows.ratings) == 12
    assert made.groups == [example.group for example in data.parts["validation"]]
    assert made.settings["penalty"] in finetune.STRENGTHS
    blind = np.std(data.ratings["train"])
    predicted = satisfaction_model.predict_tokens(made.start, made.rows.sequences).rating
    assert np.sqrt(np.mean((predicted - made.rows.ratings) ** 2)) < blind


def test_complete_makes_what_is_missing_and_reads_the_rest(tmp_path):
    moved = hyperparameters.changed(BASE, model="moved", batch_pass=Adversarial(0.5))
    tried = [Attempt(hyperparameters.changed(BASE, model="plain"), ""), Attempt(moved, "")]
    made = attempts.complete(bench(), tmp_path, seeds=2, attempts=tried)
    assert [(record.model, record.seed) for record in made] == [
        ("plain", 0),
        ("moved", 0),
        ("plain", 1),
        ("moved", 1),
    ]
    assert made[1].parameters["adversarial"] == 0.5
    assert "adversarial" not in made[0].parameters
    assert made[1].curves != made[0].curves
    again = attempts.complete(bench(), tmp_path, seeds=2, attempts=tried)
    assert [record.rows for record in again] == [record.rows for record in made]
    other = [Attempt(hyperparameters.changed(moved, batch_pass=Adversarial(0.4)), "")]
    (anew,) = attempts.complete(bench(), tmp_path, seeds=1, attempts=other)
    assert anew.rows != made[1].rows
