"""Metrics by scikit-learn and scipy, and their bootstrap: intervals and paired differences.

A bootstrap sample draws as many groups (users, dialogues) as there are, with replacement, each with
all its rows. How often each group was drawn, counts [G, D], says all of D samples: a metric of sums
is a product with the sums by group. Spearman's rho and the AUC rank the rows of each sample anew:
with the rows in order of the prediction, a row's rank is the number of drawn rows before it.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
import scipy.sparse
import scipy.stats
import sklearn.metrics as sk

from .records import Predictions

DRAWS = 10_000
SEED = 20_240  # of the samples; any number, but not one that the kit draws with
STARS = np.arange(1, 6)
AT_ONCE = 50  # samples that are ranked together; more would not fit the processor's cache

Three = tuple[float, float, float]  # value, low and high


def stars(values) -> np.ndarray:
    """Ratings as whole stars from 1 to 5, halves rounded up."""
    return np.clip(np.floor(np.asarray(values, float) + 0.5), 1, 5).astype(int)


def satisfied(rating) -> np.ndarray:
    """Which ratings are those of a satisfied user: 4 or 5, as whole stars."""
    return stars(rating) >= 4


# Metrics of all rows


def _of_stars(function: Callable, **options) -> Callable:
    """A metric of classes as one of ratings."""
    return lambda rating, predicted: function(stars(rating), stars(predicted), **options)


# Metric -> its value from ratings [N] and predictions [N].
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "qwk": _of_stars(sk.cohen_kappa_score, weights="quadratic", labels=STARS),
    "kappa": _of_stars(sk.cohen_kappa_score, labels=STARS),
    "accuracy": _of_stars(sk.accuracy_score),
    "macro_f1": _of_stars(sk.f1_score, average="macro"),
    "spearman": lambda rating, predicted: scipy.stats.spearmanr(rating, predicted).statistic,
    "pearson": lambda rating, predicted: scipy.stats.pearsonr(rating, predicted).statistic,
    "auc": lambda rating, predicted: sk.roc_auc_score(satisfied(rating), predicted),
}
# Those that judge the expected rating of a classifier, not its class.
OF_EXPECTED = ("rmse", "mae", "pearson", "spearman", "auc")


def judged_by(metric: str, model: Predictions) -> np.ndarray:
    """The predictions [S, N] that a metric looks at."""
    return model.expected if metric in OF_EXPECTED else model.predicted


def values(metric: str, model: Predictions) -> np.ndarray:
    """A metric [S] of each seed; nan where it is not defined."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constants, for which a correlation is not defined
        for own in judged_by(metric, model):
            found.append(METRICS[metric](model.rating, own))
    return np.array(found, float)


def value(metric: str, model: Predictions) -> float:
    """A metric, the mean over the seeds."""
    return float(values(metric, model).mean())


# Metrics of bootstrap samples


@cache
def samples(groups: int) -> np.ndarray:
    """How often each group is in each sample: counts [G, D], the same for all models."""
    chosen = np.random.default_rng(SEED).integers(groups, size=(DRAWS, groups))
    counts = np.zeros((groups, DRAWS), np.float32)
    for sample, drawn in enumerate(chosen):
        counts[:, sample] = np.bincount(drawn, minlength=groups)
    return counts


@cache
def draws(metric: str, model: Predictions) -> np.ndarray:
    """A metric [S, D] of each seed in each sample; nan where it is not defined."""
    if metric in ("spearman", "auc"):
        return _ranked(model)[metric]
    counts = samples(model.group.max() + 1)
    drawn = []
    for own in judged_by(metric, model):
        drawn.append(OF_SAMPLES[metric](model.rating, own, model.group, counts))
    return np.stack(drawn)


def _mean(loss: np.ndarray, group: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean [D] of a loss [N] over the rows of each sample."""
    return (np.bincount(group, loss) @ counts) / (np.bincount(group) @ counts)


def _rmse(rating, predicted, group, counts) -> np.ndarray:
    return np.sqrt(_mean((predicted - rating) ** 2, group, counts))


def _mae(rating, predicted, group, counts) -> np.ndarray:
    return _mean(np.abs(predicted - rating), group, counts)


def _accuracy(rating, predicted, group, counts) -> np.ndarray:
    return _mean((stars(rating) == stars(predicted)).astype(float), group, counts)


def _pearson(rating, predicted, group, counts) -> np.ndarray:
    y = rating - rating.mean()  # smaller numbers, so that the sums lose fewer digits
    p = predicted - predicted.mean()
    columns = (y, p, y * y, p * p, y * p)
    of_y, of_p, of_yy, of_pp, of_yp = [_mean(column, group, counts) for column in columns]
    return _ratio(of_yp - of_y * of_p, np.sqrt((of_yy - of_y**2) * (of_pp - of_p**2)))


def _confusions(rating, predicted, group, counts) -> np.ndarray:
    """Rows [5, 5, D] of each sample: class of the rating, class of the prediction."""
    by_group = np.zeros((25, len(counts)), np.float32)
    np.add.at(by_group, (5 * (stars(rating) - 1) + stars(predicted) - 1, group), 1)
    return (by_group @ counts).astype(float).reshape(5, 5, -1)


def _kappa(cost: np.ndarray) -> Callable:
    """Kappa, 1 - cost / cost expected by chance, as a metric of samples."""

    def drawn(rating, predicted, group, counts) -> np.ndarray:
        table = _confusions(rating, predicted, group, counts)
        seen = np.einsum("ijd,ij->d", table, cost)
        of_rating, of_prediction = table.sum(axis=1), table.sum(axis=0)
        by_chance = np.einsum("id,jd,ij->d", of_rating, of_prediction, cost)
        return 1 - _ratio(seen * table.sum(axis=(0, 1)), by_chance)

    return drawn


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below [D]; nan where below is 0, or as good as 0."""
    return np.divide(above, below, out=np.full(len(below), math.nan), where=below > 1e-9)


_DISTANCE = np.abs(np.subtract.outer(STARS, STARS)).astype(float)
# Metric -> its values [D] from ratings [N], predictions [N], groups [N] and counts [G, D].
OF_SAMPLES: dict[str, Callable] = {
    "rmse": _rmse,
    "mae": _mae,
    "accuracy": _accuracy,
    "pearson": _pearson,
    "qwk": _kappa(_DISTANCE**2),
    "kappa": _kappa(np.sign(_DISTANCE)),
}


@cache
def _ranked(model: Predictions) -> dict[str, np.ndarray]:
    """Spearman's rho [S, D] and the AUC [S, D] of each seed in each sample."""
    drawn = []
    for own in model.expected:
        drawn.append(_of_ranks(model.rating, own, model.group))
    rho, auc = np.stack(drawn, axis=1)
    return {"spearman": rho, "auc": auc}


def _of_ranks(rating: np.ndarray, predicted: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Rho and AUC [2, D] from the midranks of the drawn rows."""
    order = np.argsort(predicted, kind="stable")
    _, tie = np.unique(predicted[order], return_inverse=True)
    last = np.flatnonzero(np.diff(tie, append=tie[-1] + 1))  # of the rows predicted equally
    levels, level = np.unique(rating[order], return_inverse=True)
    rows = np.arange(len(level))
    of_level = scipy.sparse.csr_array((np.ones(len(level), np.float32), (level, rows)))
    counts = samples(group.max() + 1)
    found = []
    for start in range(0, DRAWS, AT_ONCE):
        drawn = counts[:, start : start + AT_ONCE][group[order]]
        up_to = np.cumsum(drawn, axis=0)[last]
        size = np.diff(up_to, axis=0, prepend=np.float32(0))
        rank = up_to - (size - 1) / 2
        squares = np.einsum("td,td,td->d", size, rank, rank, dtype=float)
        ranks_by_level = of_level @ (drawn * rank[tie])
        rows_by_level = of_level @ drawn
        found.append(_rho_and_auc(ranks_by_level, rows_by_level, squares, satisfied(levels)))
    return np.concatenate(found, axis=1)


def _rho_and_auc(
    ranks: np.ndarray, rows: np.ndarray, squares: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Rho and AUC [2, D] of samples: the sums of the predictions' ranks by rating [K, D], the rows
    by rating [K, D], the sums of the squared ranks [D]; high: which ratings are satisfied [K]."""
    ranks, rows = ranks.astype(float), rows.astype(float)
    n = rows.sum(axis=0)
    of_rating = np.cumsum(rows, axis=0) - (rows - 1) / 2
    by_mean = n * ((n + 1) / 2) ** 2
    covariance = (ranks * of_rating).sum(axis=0) - by_mean
    spread_of_rating = (rows * of_rating**2).sum(axis=0) - by_mean
    rho = _ratio(covariance, np.sqrt(spread_of_rating * (squares - by_mean)))
    yes = rows[high].sum(axis=0)
    lowest = yes * (yes + 1) / 2
    auc = _ratio(ranks[high].sum(axis=0) - lowest, yes * (n - yes))
    return np.stack([rho, auc])


# Intervals


def _mean_over_seeds(drawn: np.ndarray, seeds_too: bool, seed: int) -> np.ndarray:
    """Draws [D] of the mean over the seeds, of draws [S, D].

    seeds_too: the seeds are drawn as well; one fewer than there are, as the mean of S seeds drawn
    from S varies less than that of S new ones (Rao and Wu, 1988). seed: of this drawing.
    """
    seeds, number = drawn.shape
    if not seeds_too:
        return drawn.mean(axis=0)
    chosen = np.random.default_rng(SEED + seed).integers(seeds, size=(max(1, seeds - 1), number))
    return np.take_along_axis(drawn, chosen, axis=0).mean(axis=0)


def _with_ends(value: float, drawn: np.ndarray) -> Three:
    """A value and the middle 95 % of its draws [D], undefined ones left out."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return (value, math.nan, math.nan)
    low, high = np.quantile(defined, (0.025, 0.975))
    return (value, float(low), float(high))


def estimate(metric: str, model: Predictions, seeds_too: bool = False) -> Three:
    """A metric, the mean over the seeds, with its interval."""
    drawn = _mean_over_seeds(draws(metric, model), seeds_too, seed=1)
    return _with_ends(value(metric, model), drawn)


def difference(metric: str, one: Predictions, other: Predictions, seeds_too: bool) -> Three:
    """A metric of ``one`` minus that of ``other`` in the same samples, with its interval;
    ValueError where the rows are not the same."""
    if one.ids != other.ids:
        raise ValueError(f"{one.model} and {other.model} were judged on different rows")
    ours = _mean_over_seeds(draws(metric, one), seeds_too, seed=1)
    theirs = _mean_over_seeds(draws(metric, other), seeds_too, seed=2)
    return _with_ends(value(metric, one) - value(metric, other), ours - theirs)
