"""The metric rows of records: found by name, and put together over the seeds of a model.

Taught with lesson 61. The ends of several intervals must not be averaged: a mean over seeds varies
less than one of them, and what is common to them does not average out. So the interval of a mean
is made anew, from the predictions.
"""

import math
from collections.abc import Sequence

import numpy as np

from satlib import records
from satlib.evaluation import bootstrap, judging
from satlib.evaluation.metrics import ALL_METRICS

DRAWS = 1000  # of an interval that is made anew


def row_of(record: records.RunRecord, metric: str, part: str = "test") -> dict:
    """The row of a record on one metric and part; ValueError where there is none."""
    for row in record.rows:
        if (row["metric"], row["part"]) == (metric, part):
            return row
    raise ValueError(f"{record.name} has no row of {metric} on the part {part}; name another")


def three(row: dict) -> tuple[float, float, float]:
    """Value, low and high of a row; nan for what is not defined."""
    return tuple(math.nan if row[key] is None else row[key] for key in ("value", "low", "high"))


def estimate(
    seeds: Sequence[records.RunRecord], metric: str, part: str = "test", draws: int = DRAWS
) -> tuple[float, float, float]:
    """(value, low, high): a metric of one model, the mean over its seeds, with the 95 % interval of
    that mean.

    One seed has what its row says. Of several, whole groups are drawn, and in each sample the
    metric is averaged over the seeds: the interval speaks of other groups, with these trained
    models. Where the rows have no interval (metrics as published), there is none of the mean
    either. Raises ValueError where the seeds were judged on different rows.
    """
    rows = [row_of(record, metric, part) for record in seeds]
    if len(rows) == 1:
        return three(rows[0])
    value = float(np.mean([row["value"] for row in rows]))
    if rows[0]["low"] is None:
        return (value, math.nan, math.nan)
    ids = [record.predictions[part]["id"] for record in seeds]
    if any(other != ids[0] for other in ids):
        raise ValueError(f"the seeds of {seeds[0].model} were judged on different {part} rows")
    judged = [judging.from_record(record, part) for record in seeds]

    def mean(rows: np.ndarray) -> float:
        return float(np.mean([measure(rows) for measure in measures]))

    measures = [_measure(one, metric) for one in judged]
    ((low, high),) = bootstrap.intervals([mean], judged[0].groups, draws, rng=0)
    return (value, low, high)


def _measure(judged: judging.Judged, metric: str) -> bootstrap.Measure:
    """The metric as a function of row numbers, of the class or of the expected rating."""
    predicted = judged.predicted
    if metric in judging.OF_EXPECTED_RATING and judged.expected is not None:
        predicted = judged.expected
    return bootstrap.on_rows(ALL_METRICS[metric], judged.rating, predicted)
