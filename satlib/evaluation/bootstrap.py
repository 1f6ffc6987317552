"""How sure is a number that was computed on a test set? Bootstrap intervals by group.

The bootstrap draws a new test set from the old one, with replacement, again and again; the middle
95 % of the numbers that come out are the interval. What is drawn are whole groups (users,
dialogues), as the rows of one group are alike.

All draws of the kit start here, in one of two forms. ``resamples`` gives the rows of each sample,
which serves any metric. ``group_weights`` gives how often each group is in each sample, which is
faster where a metric is made of the groups' sums. The same seed draws the same groups in both.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from satlib.evaluation.metrics import Metric, auc, checked_pair, spearman

BOUNDS = (0.025, 0.975)  # of the 95 % interval

Measure = Callable[[np.ndarray], float]  # row numbers of a sample -> a value on these rows


def drawn_groups(groups: int, draws: int, rng: np.random.Generator | int) -> Iterator[np.ndarray]:
    """Group numbers [groups] of each of ``draws`` samples: as many as there are, with replacement.

    rng: a Generator, or a seed.
    """
    if draws < 1:
        raise ValueError(f"draws = {draws}; give at least 1 bootstrap sample")
    rng = np.random.default_rng(rng)
    for _ in range(draws):
        yield rng.integers(groups, size=groups)


def resamples(groups: Sequence, draws: int, rng: np.random.Generator | int) -> Iterator[np.ndarray]:
    """Row indices of ``draws`` bootstrap samples: as many groups as there are, drawn with
    replacement, with all rows.

    Rows of one user or dialogue are alike, so they are drawn together. ``groups=range(n)``
    resamples single rows.
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    # Sorted by group, the rows of a group lie side by side; they are cut where the next begins.
    in_order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group))
    rows = np.split(in_order, ends[:-1])
    for chosen in drawn_groups(len(rows), draws, rng):
        yield np.concatenate([rows[number] for number in chosen])


def group_weights(groups: int, draws: int, rng: np.random.Generator | int) -> np.ndarray:
    """How often each group is in each bootstrap sample: counts [draws, groups].

    They are the samples of ``resamples``: multiplied with sums by group [groups], they give the
    sums of each sample without a walk over its rows.
    """
    samples = drawn_groups(groups, draws, rng)
    return np.stack([np.bincount(chosen, minlength=groups) for chosen in samples])


def with_everyone(weights: np.ndarray) -> np.ndarray:
    """Weights [1 + draws, groups]: before the drawn samples the data as they are, each group once.

    What is computed from them is an estimate followed by its draws, as ``estimate`` takes it.
    """
    everyone = np.ones((1, weights.shape[1]), weights.dtype)
    return np.vstack([everyone, weights])


def interval(drawn: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval (low, high) of drawn values; nan among them are left out.

    It is (nan, nan) where no value is defined.
    """
    drawn = np.asarray(drawn, dtype=float)
    defined = drawn[~np.isnan(drawn)]
    if not defined.size:
        return (math.nan, math.nan)
    low, high = np.quantile(defined, BOUNDS)
    return (float(low), float(high))


def estimate(values: np.ndarray) -> tuple[float, float, float]:
    """(value, low, high) of values [1 + draws]: first that of everyone, then those of the
    samples."""
    return (float(values[0]), *interval(values[1:]))


def on_rows(metric: Metric, rating: np.ndarray, predicted: np.ndarray) -> Measure:
    """The metric as a function of row numbers."""
    if metric in (spearman, auc):
        # These two look at the order only. Ranks are small whole numbers, which ``midranks`` counts
        # where it would have to sort the predictions anew in every sample.
        _, predicted = np.unique(predicted, return_inverse=True)

    def measure(rows: np.ndarray) -> float:
        return metric(rating[rows], predicted[rows])

    return measure


def intervals(
    measures: Sequence[Measure],
    groups: Sequence,
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> list[tuple[float, float]]:
    """95 % percentile interval (low, high) of each measure, by resampling whole groups.

    All measures see the same samples. groups: of every row. rng: a Generator, or a seed. Samples in
    which a measure is undefined are left out; (nan, nan) where it is defined in none, or where
    there is only one group.
    """
    if not measures:
        return []
    if len(np.unique(np.asarray(groups))) < 2:
        # One group drawn again and again would feign certainty.
        return [(math.nan, math.nan)] * len(measures)
    drawn = []
    for rows in resamples(groups, draws, rng):
        drawn.append([measure(rows) for measure in measures])
    return [interval(values) for values in np.array(drawn).T]


def bootstrap(
    metric: Metric,
    rating: Sequence[float],
    predicted: Sequence[float],
    groups: Sequence,
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> tuple[float, float]:
    """95 % percentile interval (low, high) of a metric; see ``intervals``."""
    rating, predicted = checked_pair(rating, predicted)
    if len(groups) != len(rating):
        raise ValueError(
            f"{len(rating)} ratings but {len(groups)} groups; give the group of every rating"
        )
    return intervals([on_rows(metric, rating, predicted)], groups, draws, rng)[0]
