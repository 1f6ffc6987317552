"""Judged predictions become rows and records, which can be recomputed from what they keep."""

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest

from satlib import records
from satlib.data.interactions import Event, Example
from satlib.data.prepared import Prepared
from satlib.evaluation import bootstrap, judging, metrics

JOB = {
    "model": "m",
    "dataset": "d",
    "profile": "fast",
    "seed": 3,
    "data_sha256": "1",
    "split_sha256": "2",
}


def rows_of(rating, predicted, groups):
    examples = [judging.RecordedExample(str(i), group) for i, group in enumerate(groups)]
    rating, predicted = np.array(rating, float), np.array(predicted, float)
    return judging.rows(JOB, "test", judging.Judged(examples, rating, predicted))


def test_rows_are_those_of_a_record():
    rng = np.random.default_rng(0)
    y, p, groups = rng.integers(1, 6, 60), rng.uniform(1, 5, 60), [f"u{i // 4}" for i in range(60)]
    rows = rows_of(y, p, groups)
    assert [row["metric"] for row in rows] == list(metrics.METRICS)
    for row in rows:
        assert (
            tuple(row) == records.ROW_KEYS
            and row["n"] == 60
            and row["seed"] == 3
            and row["model"] == "m"
        )
        assert row["value"] == pytest.approx(metrics.METRICS[row["metric"]](y, p), abs=1e-6)
        assert row["low"] < row["value"] < row["high"]
        expected = bootstrap.bootstrap(metrics.METRICS[row["metric"]], y, p, groups)
        assert (row["low"], row["high"]) == pytest.approx(expected, abs=1e-6)
    assert rows == rows_of(y, p, groups)


def test_rows_leave_the_undefined_as_none():
    rows = {row["metric"]: row for row in rows_of([3, 3, 2], [3, 3, 3], ["a", "b", "c"])}
    for name in ("spearman", "auc"):
        assert rows[name]["value"] is rows[name]["low"] is rows[name]["high"] is None
    assert rows["accuracy"]["value"] == pytest.approx(2 / 3, abs=1e-6)


def test_rows_are_made_fast_enough():
    rng = np.random.default_rng(0)
    y, p, groups = rng.integers(1, 6, 1300), rng.uniform(1, 5, 1300), rng.integers(0, 160, 1300)
    begin = time.process_time()
    rows_of(y, p, groups)
    assert time.process_time() - begin < 6  # 1 to 2 s on a quiet machine


def an_example(i):
    return Example(
        f"e{i}", f"u{i // 2}", "shop", (Event("user", "click", "a lamp"),), (1.0 + i % 5, 2.0, 4.0)
    )


def judged(tmp_path, **changes):
    parts = {part: [an_example(i) for i in range(6)] for part in ("train", "validation", "test")}
    loaded = SimpleNamespace(name="toy", sha256="1" * 64, scale=(1, 5))
    options = dict(
        data=Prepared(loaded, parts),
        draws=50,
        profile="fast",
        seed=4,
        runs=tmp_path,
        parameters={"alpha": 1.0},
        curves=[{"step": 1}],
        predicted={"validation": np.full(6, 3.123456), "test": [1, 2, 3, 4, 5, 3.33333]},
    )
    return judging.judge_and_save("m", **(options | changes))


def test_a_judged_record_is_saved_and_can_be_recomputed(tmp_path):
    uniform = {"test": np.full((6, 5), 0.2)}
    made = judged(tmp_path, distribution=uniform)
    record = records.load(tmp_path / made.name)
    assert record == made
    assert (record.model, record.dataset, record.seed) == ("m", "toy", 4)
    assert record.data_sha256 == "1" * 64 and len(record.split_sha256) == 64
    assert record.parameters == {"alpha": 1.0} and record.curves == [{"step": 1}]
    assert list(record.predictions) == ["validation", "test"]
    assert "distribution" not in record.predictions["validation"]
    columns = record.predictions["test"]
    assert columns["id"] == [f"e{i}" for i in range(6)]
    assert columns["group"][:3] == ["u0", "u0", "u1"]
    assert columns["rating"][0] == 2.3333 and columns["predicted"][-1] == 3.3333
    assert columns["domain"] == ["shop"] * 6
    assert columns["distribution"] == [[0.2] * 5] * 6
    assert len(record.rows) == 2 * len(metrics.METRICS)
    for row in record.rows:
        columns, metric = record.predictions[row["part"]], metrics.METRICS[row["metric"]]
        value = metric(columns["rating"], columns["predicted"])
        if row["value"] is None:
            assert math.isnan(value)
        else:
            assert row["value"] == pytest.approx(value, abs=1e-6)


def test_the_seconds_of_a_model_are_kept_in_tenths_and_none_where_nobody_measured(tmp_path):
    measured = judged(tmp_path, seconds=12.3456)
    assert records.load(tmp_path / measured.name).seconds == 12.3
    unmeasured = judged(tmp_path)
    assert records.load(tmp_path / unmeasured.name).seconds is None
    zero = judging.record(JOB, {}, [], {}, seconds=0.01)
    assert zero.seconds == 0.0


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"predicted": {"dev": [1]}}, "no part 'dev' among train, validation, test"),
        ({"predicted": {"test": [1, 2]}}, "6 ratings but 2 predictions"),
        ({"distribution": {"test": np.ones((6, 4)) / 4}}, r"shape \(6, 4\); give \[6, 5\]"),
        ({"distribution": {"test": np.ones((6, 5))}}, "summing to 1"),
    ],
)
def test_what_does_not_fit_the_examples_is_refused(changes, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        judged(tmp_path, **changes)


def classified():
    p = np.random.default_rng(0).dirichlet(np.ones(5), 6)
    examples = [an_example(i) for i in range(6)]
    return judging.from_probabilities(examples, [1, 2, 3, 4, 5, 3], p, keep=True)


def test_errors_and_correlations_judge_the_expected_rating_and_all_else_the_class():
    one = classified()
    scores = judging.scores(one, ("rmse", "accuracy"), draws=20)
    assert scores["rmse"][0] == metrics.rmse(one.rating, one.expected)
    assert scores["accuracy"][0] == metrics.accuracy(one.rating, one.predicted)
    with pytest.raises(ValueError, match="6 examples but 5 ratings"):
        judging.Judged(one.examples, one.rating[:5], one.predicted[:5])


def test_a_part_of_a_record_can_be_judged_again():
    one = classified()
    options = {"draws": 20, "domains": True}
    record = judging.record(JOB, {"test": one}, ["uar"], {}, **options)
    again = judging.record(JOB, {"test": judging.from_record(record)}, ["uar"], {}, **options)
    assert again == record
    assert list(record.predictions["test"]) == [
        *("id", "group", "domain", "rating", "predicted", "expected", "distribution")
    ]
    small = judging.record(JOB, {"test": one}, ["uar"], {}, draws=20, predictions=False)
    assert small.rows == record.rows and small.predictions == {}
    assert "domain" not in judging.record(JOB, {"test": one}, [], {}).predictions["test"]
    del record.predictions["test"]["domain"], record.predictions["test"]["expected"]
    older = judging.from_record(record)
    assert older.expected is None and older.examples[0] == ("e0", "u0", "d")


def test_intervals_are_those_of_the_bootstrap_by_group():
    one = classified()
    scores = judging.scores(one, ("kappa", "accuracy"), draws=200)
    for name, (value, *bounds) in scores.items():
        metric = metrics.ALL_METRICS[name]
        assert value == metric(one.rating, one.predicted)
        wanted = bootstrap.bootstrap(metric, one.rating, one.predicted, one.groups, 200)
        assert bounds == pytest.approx(wanted)
    assert judging.scores(one, [], draws=2) == {}


def test_from_probabilities_takes_the_lowest_of_equals_and_the_expectation():
    p = np.array([[0.4, 0.1, 0.1, 0.4, 0]])
    one = judging.from_probabilities([an_example(0)], [3], p)
    assert one.predicted.tolist() == [1] and one.distribution is None
    assert one.expected[0] == pytest.approx(2.5)
