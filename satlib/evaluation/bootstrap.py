"""How good is a predicted rating? Eight metrics, their bootstrap intervals by group, and the record
of a judged model.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the
rating scale, and returns one number; nan means "not defined for these ratings" (a correlation with
a constant, say). Predictions are taken as they come: clipping them to the scale is the caller's
business.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from satlib.evaluation.metrics import Metric, _pair, auc, spearman

BOUNDS = (0.025, 0.975)  # of the 95 % interval


def resamples(groups: Sequence, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Row indices of ``draws`` bootstrap samples: as many groups as there are, drawn with
    replacement, with all rows.

    Rows of one user or dialogue are alike, so they are drawn together. ``groups=range(n)``
    resamples single rows.
    """
    if draws < 1:
        raise ValueError(f"draws = {draws}; give at least 1 bootstrap sample")
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    rows = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for _ in range(draws):
        yield np.concatenate([rows[g] for g in rng.integers(len(rows), size=len(rows))])


def _intervals(
    metrics: Sequence[Metric], rating, predicted, groups, draws: int, rng
) -> list[tuple[float, float]]:
    rating, predicted = _pair(rating, predicted)
    if len(groups) != len(rating):
        raise ValueError(
            f"{len(rating)} ratings but {len(groups)} groups; give the group of every rating"
        )
    samples = resamples(groups, draws, rng)
    if (
        len(np.unique(np.asarray(groups))) < 2
    ):  # one group drawn again and again would feign certainty
        return [(math.nan, math.nan)] * len(metrics)
    place = dict.fromkeys(
        (spearman, auc), np.unique(predicted, return_inverse=True)[1]
    )  # the same order, counted
    drawn = np.array(
        [[m(rating[rows], place.get(m, predicted)[rows]) for m in metrics] for rows in samples]
    )
    defined = [column[~np.isnan(column)] for column in drawn.T]
    return [
        tuple(np.quantile(c, BOUNDS).tolist()) if c.size else (math.nan, math.nan) for c in defined
    ]


def bootstrap(
    metric: Metric,
    rating: Sequence[float],
    predicted: Sequence[float],
    groups: Sequence,
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> tuple[float, float]:
    """95 % percentile interval (low, high) of a metric, by resampling whole groups.

    rng: a Generator, or a seed. Samples in which the metric is undefined are left out; (nan, nan)
    where it is defined in none, or where there is only one group. Source: Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993.
    """
    return _intervals([metric], rating, predicted, groups, draws, np.random.default_rng(rng))[0]
