"""Metric rows by name, and the interval of a mean over seeds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn

from satlib.evaluation import bootstrap, judging
from satlib.reproduction import record_rows

NAMES = ("kappa", "rmse")
N = 60
RATING = np.random.default_rng(0).integers(1, 6, N).astype(float)
GROUPS = [f"g{row // 4:02d}" for row in range(N)]


def made(seed, metrics=NAMES):
    """A record of 60 rows in 15 groups; what is said differs by seed."""
    rng = np.random.default_rng(seed + 1)
    predicted = np.where(rng.random(N) < 0.5, RATING, rng.integers(1, 6, N)).astype(float)
    expected = predicted + rng.normal(0, 0.3, N).round(4)
    examples = [judging.RecordedExample(f"r{row:02d}", GROUPS[row]) for row in range(N)]
    job = {"model": "gru", "dataset": "d", "profile": "A1", "seed": seed}
    job |= {"data_sha256": "a", "split_sha256": "b"}
    judged = judging.Judged(examples, RATING, predicted, expected)
    return judging.record(job, {"test": judged}, metrics, {})


def columns(record):
    test = record.predictions["test"]
    return np.array(test["predicted"]), np.array(test["expected"])


def test_one_seed_has_what_its_row_says():
    record = made(0)
    row = record_rows.row_of(record, "kappa")
    found = record_rows.estimate([record], "kappa")
    assert found == (row["value"], row["low"], row["high"])
    with pytest.raises(ValueError, match="no row of uar on the part test"):
        record_rows.row_of(record, "uar")


def test_of_several_seeds_the_metric_is_averaged_in_each_sample():
    seeds = [made(seed) for seed in range(3)]
    value, low, high = record_rows.estimate(seeds, "kappa", draws=300)
    drawn = []
    for rows in bootstrap.resamples(GROUPS, 300, np.random.default_rng(0)):
        kappas = [sklearn.cohen_kappa_score(RATING[rows], columns(r)[0][rows]) for r in seeds]
        drawn.append(np.mean(kappas))
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))
    kappas = [sklearn.cohen_kappa_score(RATING, columns(r)[0]) for r in seeds]
    assert value == pytest.approx(np.mean(kappas), abs=1e-6)


def test_a_mean_of_seeds_has_a_narrower_interval_than_the_mean_of_the_ends():
    seeds = [made(seed) for seed in range(3)]
    rows = [record_rows.row_of(record, "rmse") for record in seeds]
    value, low, high = record_rows.estimate(seeds, "rmse")
    of_expected = [np.sqrt(np.mean((RATING - columns(record)[1]) ** 2)) for record in seeds]
    assert value == pytest.approx(np.mean(of_expected), abs=1e-3)
    averaged = np.mean([[row["low"], row["high"]] for row in rows], axis=0)
    assert averaged[0] < low < value < high < averaged[1]


def test_metrics_without_intervals_and_other_rows():
    published = [made(seed) for seed in range(2)]
    for record in published:
        for row in record.rows:
            row["low"] = row["high"] = None
    value, low, high = record_rows.estimate(published, "kappa")
    assert value == pytest.approx(np.mean([record.rows[0]["value"] for record in published]))
    assert math.isnan(low) and math.isnan(high)
    other = made(1)
    other = replace(other, predictions={"test": other.predictions["test"] | {"id": ["x"] * N}})
    with pytest.raises(ValueError, match="judged on different test rows"):
        record_rows.estimate([made(0), other], "kappa")
