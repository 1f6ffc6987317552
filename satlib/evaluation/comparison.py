"""Is a gain real? Two models, or many, on the same examples: intervals, tests, seeds, rankings.

The unit is the group (a user, a dialogue), as rows of one group are alike. RMSE and MAE are
functions of sums, so a draw of groups costs one product with the groups' sums, not a walk over the
rows; other metrics are computed by rows. Where a model has several seeds, its metric is the mean
over them. Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Fisher, The Design
of Experiments, 1935 (flipped signs); Holm, A simple sequentially rejective multiple test procedure,
1979; Rao and Wu, Resampling inference with complex survey data, 1988 (why one seed fewer is drawn
than there are).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from satlib import runtime
from satlib.evaluation import bootstrap, comparable_records, metrics
from satlib.records import RunRecord

# Metric -> what it averages over the rows; the RMSE is the root of that mean.
LOSSES = {"rmse": np.square, "mae": np.abs}
LEVEL = 0.05  # of a test, and 1 - LEVEL of an interval


@dataclass(frozen=True)
class SeededPredictions:
    """A model's predictions [S, N], one row a seed; ratings, ids and group numbers [N]; each
    group's number of rows [G]."""

    predicted: np.ndarray
    rating: np.ndarray
    ids: list
    group: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Difference:
    """A metric of ``model`` minus that of ``other`` on the same examples, its 95 % interval and its
    p-value."""

    model: str
    other: str
    metric: str
    value: float
    low: float
    high: float
    p: float = math.nan

    @property
    def clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return not self.low <= 0 <= self.high

    @property
    def numbers(self) -> str:
        """The value with its interval, such as "-0.021 [-0.030, -0.012]"."""
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    def __str__(self) -> str:
        numbers = (
            f"{self.metric} of {self.model} minus {self.other}: {self.value:+.3f}, "
            f"95 % interval {self.low:+.3f} to {self.high:+.3f}"
        )
        if self.clear:
            return f"{numbers}; zero lies outside, so these examples tell the two apart"
        return f"{numbers}; zero lies inside, so these examples do not tell the two apart"


def predictions_by_seed(
    records: Sequence[RunRecord], model: str, part: str = "test"
) -> SeededPredictions:
    """What the records hold of one model on one part; ValueError where its seeds were judged on
    different examples."""
    frame = comparable_records.predictions(records, model, part)
    seeds = [own for _, own in frame.groupby("seed")]
    first = seeds[0]
    ids = first["id"].tolist()
    for own in seeds:
        if own["id"].tolist() != ids:
            raise ValueError(
                f"the seeds of {model} were judged on different {part} examples; "
                "run them again on the same"
            )
    # Groups are numbered in the order of their names, as ``bootstrap.resamples`` numbers them.
    _, group = np.unique(first["group"].to_numpy(), return_inverse=True)
    return SeededPredictions(
        predicted=np.stack([own["predicted"].to_numpy(float) for own in seeds]),
        rating=first["rating"].to_numpy(float),
        ids=ids,
        group=group,
        counts=np.bincount(group),
    )


def side_by_side(
    records: Sequence[RunRecord], models: Sequence[str], part: str = "test"
) -> list[SeededPredictions]:
    """Models on the same examples, in the order of their names; ValueError where they were judged
    on different ones."""
    sides = [predictions_by_seed(records, model, part) for model in models]
    for model, side in zip(models, sides, strict=True):
        if side.ids != sides[0].ids:
            raise ValueError(
                f"{models[0]} and {model} were judged on different {part} examples; "
                "run both again on the same"
            )
    return sides


def sums(side: SeededPredictions, metric: str = "rmse") -> np.ndarray:
    """Sums [S, G] of the rows' losses by seed and group: squared errors for the RMSE, absolute ones
    for the MAE."""
    runtime.one_of("metric that is a mean over rows", metric, LOSSES)
    losses = LOSSES[metric](side.predicted - side.rating)
    return np.stack([np.bincount(side.group, of_seed) for of_seed in losses])


def drawn_values(side: SeededPredictions, metric: str, weights: np.ndarray) -> np.ndarray:
    """The metric [draws, S] of every seed in samples that hold each group as often as ``weights``
    [draws, G] says."""
    if metric in LOSSES:
        loss = weights @ sums(side, metric).T
        rows = weights @ side.counts
        mean = loss / rows[:, None]
        return np.sqrt(mean) if metric == "rmse" else mean
    runtime.one_of("metric", metric, metrics.METRICS)
    function = metrics.METRICS[metric]
    # No sums help here: each row is repeated as often as its group was drawn.
    rows = np.arange(len(side.rating))
    values = []
    for times in weights:
        sample = np.repeat(rows, times[side.group])
        rating = side.rating[sample]
        values.append([function(rating, predicted[sample]) for predicted in side.predicted])
    return np.array(values)


def difference(
    records: Sequence[RunRecord],
    model: str,
    other: str,
    metric: str = "rmse",
    part: str = "test",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
    seeds: bool = False,
) -> Difference:
    """Paired bootstrap by group: both models are judged on the same resampled groups, which cancels
    what is common.

    With several seeds the metric is averaged over them in each sample. seeds=True draws the seeds
    as well: then the interval speaks of the two ways of training, not of these trained models. p is
    twice the smaller share of draws on one side of zero, the estimate counted in. rng: a Generator,
    or a seed.
    """
    ours, theirs = side_by_side(records, (model, other), part)
    rng = np.random.default_rng(rng)
    if seeds and len(ours.predicted) < 2 and len(theirs.predicted) < 2:
        raise ValueError(
            f"{model} and {other} have one seed each, which says nothing of other seeds; train more"
        )
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(ours.counts), draws, rng))
    # One set of samples for both models: what makes a sample hard for both cancels out.
    our_values = drawn_values(ours, metric, weights)
    their_values = drawn_values(theirs, metric, weights)
    by_sample = our_values.mean(axis=1) - their_values.mean(axis=1)
    if seeds:
        drawn = _some_seeds(our_values[1:], rng) - _some_seeds(their_values[1:], rng)
    else:
        drawn = by_sample[1:]
    low, high = bootstrap.interval(drawn)
    return Difference(model, other, metric, float(by_sample[0]), low, high, two_sided(drawn))


def _some_seeds(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean over drawn seeds [draws] of values [draws, S]. One fewer is drawn than there are: S of S
    would understate their variance."""
    draws, seeds = values.shape
    chosen = rng.integers(seeds, size=(draws, max(1, seeds - 1)))
    return np.take_along_axis(values, chosen, axis=1).mean(axis=1)


def two_sided(drawn: np.ndarray) -> float:
    """The bootstrap's p-value from drawn differences [draws]; never below 2 / (draws + 1)."""
    drawn = drawn[~np.isnan(drawn)]
    below = int((drawn <= 0).sum())
    above = int((drawn >= 0).sum())
    return min(1.0, 2 * (1 + min(below, above)) / (1 + len(drawn)))


def gaps(
    records: Sequence[RunRecord], model: str, other: str, metric: str = "rmse", part: str = "test"
) -> np.ndarray:
    """Sums [G] of the rows' losses of ``model`` minus those of ``other``, by group, each averaged
    over its seeds."""
    ours, theirs = side_by_side(records, (model, other), part)
    return sums(ours, metric).mean(axis=0) - sums(theirs, metric).mean(axis=0)


def sign_flip(gap: np.ndarray, draws: int = 10_000, rng: np.random.Generator | int = 0) -> float:
    """Permutation test: were the models' names dealt out by coin in each group, how often would
    ``|sum|`` be so large?

    gap: the groups' differences [G]. All 2**G ways are tried where they are at most ``draws``.
    """
    groups = len(gap)
    if 2**groups <= draws:
        signs = np.array(list(itertools.product((-1, 1), repeat=groups)))
        extra = 0
    else:
        rng = np.random.default_rng(rng)
        signs = rng.integers(0, 2, (draws, groups), dtype=np.int8) * 2 - 1
        extra = 1  # the signs as they were seen count as a draw, so p is never 0
    sizes = np.abs(signs @ gap)
    # A hair less than what was seen, as the order of the sum may change its last digits.
    limit = abs(gap.sum()) * (1 - 1e-9)
    return float((extra + (sizes >= limit).sum()) / (extra + len(signs)))


def paired_t(gap: np.ndarray) -> float:
    """Student's test that the mean of the groups' differences [G] is zero; 1 where all of them are
    zero."""
    if np.ptp(gap) == 0:  # no spread: the test would divide by zero
        return float(not gap.any())
    return float(stats.ttest_1samp(gap, 0).pvalue)


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values: the smallest times m, the next times m - 1, and so on, never
    falling, at most 1."""
    p = np.asarray(p, float)
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    # A p-value may not fall below that of the one before it, however much smaller its factor is.
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return adjusted


def pairs(records: Sequence[RunRecord], metric: str = "rmse", part: str = "test") -> pd.DataFrame:
    """Every two models: one, other, p (paired t by group) and holm (adjusted for the number of
    pairs)."""
    models = comparable_records.models(records)
    losses = {}
    for model, side in zip(models, side_by_side(records, models, part), strict=True):
        losses[model] = sums(side, metric).mean(axis=0)
    rows = []
    for one, other in itertools.combinations(models, 2):
        rows.append((one, other, paired_t(losses[one] - losses[other])))
    frame = pd.DataFrame(rows, columns=["one", "other", "p"])
    return frame.assign(holm=holm(frame["p"]))


def ranking(
    records: Sequence[RunRecord],
    metric: str = "rmse",
    part: str = "test",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """Models, lowest error first: rank, model, value, low, high, seeds. rank: 1 + how many models
    are clearly better.

    Clearly: p < LEVEL after Holm's correction for all pairs. So models that cannot be told apart
    share a rank, unless one of them is beaten by a third and the other is not.
    """
    models = comparable_records.models(records)
    sides = side_by_side(records, models, part)
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(sides[0].counts), draws, rng))
    rows = []
    for model, side in zip(models, sides, strict=True):
        values = drawn_values(side, metric, weights).mean(axis=1)
        rows.append((model, *bootstrap.estimate(values), len(side.predicted)))
    frame = pd.DataFrame(rows, columns=["model", "value", "low", "high", "seeds"])
    frame = frame.sort_values("value", kind="stable")

    error = dict(zip(frame["model"], frame["value"], strict=True))
    all_pairs = pairs(records, metric, part)
    clear_pairs = all_pairs[all_pairs["holm"] < LEVEL]
    beaten = []
    for one, other in zip(clear_pairs["one"], clear_pairs["other"], strict=True):
        beaten.append(max(one, other, key=error.get))
    frame.insert(0, "rank", [1 + beaten.count(model) for model in frame["model"]])
    return frame.reset_index(drop=True)
