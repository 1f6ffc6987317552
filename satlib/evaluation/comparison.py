"""Is a gain real? Two models, or many, on the same examples: intervals, tests, seeds, rankings, and
how many users.

The unit is the group (a user, a dialogue), as rows of one group are alike. RMSE and MAE are
functions of sums, so a draw of groups costs one product with the groups' sums, not a walk over the
rows; other metrics are computed by rows. Where a model has several seeds, its metric is the mean
over them. Sources: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Fisher, The Design
of Experiments, 1935 (flipped signs); Holm, A simple sequentially rejective multiple test procedure,
1979; Rao and Wu, Resampling inference with complex survey data, 1988 (why one seed fewer is drawn
than there are).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import nan

import numpy as np
import pandas as pd
from scipy import stats

from satlib import runtime
from satlib.evaluation import bootstrap, metrics
from satlib.evaluation.comparable_records import (
    models,
    predictions,
)
from satlib.records import RunRecord

LOSSES = {
    "rmse": np.square,
    "mae": np.abs,
}  # metric -> what it averages over the rows; the RMSE is the root of that
LEVEL = 0.05  # of a test, and 1 - LEVEL of an interval


@dataclass(frozen=True)
class Judged:
    """A model's predictions [S, N], one row a seed; ratings, ids and group numbers [N]; each
    group's number of rows."""

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
    p: float = nan

    @property
    def clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return not self.low <= 0 <= self.high

    def __str__(self) -> str:
        where, do = ("outside", "") if self.clear else ("inside", "do not ")
        return (
            f"{self.metric} of {self.model} minus {self.other}: {self.value:+.3f}, 95 % interval {self.low:+.3f} "
            f"to {self.high:+.3f}; zero lies {where}, so these examples {do}tell the two apart"
        )


def judged(found: Sequence[RunRecord], model: str, part: str = "test") -> Judged:
    """What the records hold of one model on one part; ValueError where its seeds were judged on
    different examples."""
    seeds = [one for _, one in predictions(found, model, part).groupby("seed")]
    ids, first = seeds[0]["id"].tolist(), seeds[0]
    if any(one["id"].tolist() != ids for one in seeds):
        raise ValueError(
            f"the seeds of {model} were judged on different {part} examples; run them again on the same"
        )
    _, group = np.unique(first["group"].to_numpy(), return_inverse=True)
    predicted = np.stack([one["predicted"].to_numpy(float) for one in seeds])
    return Judged(predicted, first["rating"].to_numpy(float), ids, group, np.bincount(group))


def side_by_side(
    found: Sequence[RunRecord], names: Sequence[str], part: str = "test"
) -> list[Judged]:
    """Models on the same examples, in the order of the names; ValueError where they were judged on
    different ones."""
    sides = [judged(found, name, part) for name in names]
    for name, one in zip(names, sides, strict=True):
        if one.ids != sides[0].ids:
            raise ValueError(
                f"{names[0]} and {name} were judged on different {part} examples; "
                "run both again on the same"
            )
    return sides


def sums(one: Judged, metric: str = "rmse") -> np.ndarray:
    """Sums [S, G] of the rows' losses by seed and group: squared errors for the RMSE, absolute ones
    for the MAE."""
    runtime.one_of("metric that is a mean over rows", metric, LOSSES)
    return np.stack(
        [np.bincount(one.group, row) for row in LOSSES[metric](one.predicted - one.rating)]
    )


def group_draws(groups: int, draws: int, rng: np.random.Generator | int) -> np.ndarray:
    """How often each group is in each bootstrap sample: counts [draws, groups], the draws of
    ``bootstrap.resamples``."""
    rng = np.random.default_rng(rng)
    return np.stack(
        [np.bincount(rng.integers(groups, size=groups), minlength=groups) for _ in range(draws)]
    )


def drawn_values(one: Judged, metric: str, weights: np.ndarray) -> np.ndarray:
    """The metric [draws, S] of every seed in samples that hold each group as often as ``weights``
    [draws, G] says."""
    if metric in LOSSES:
        mean = weights @ sums(one, metric).T / (weights @ one.counts)[:, None]
        return np.sqrt(mean) if metric == "rmse" else mean
    runtime.one_of("metric", metric, metrics.METRICS)
    f, rows = metrics.METRICS[metric], np.arange(len(one.rating))
    samples = (np.repeat(rows, times[one.group]) for times in weights)
    return np.array(
        [[f(one.rating[sample], seed[sample]) for seed in one.predicted] for sample in samples]
    )


def difference(
    found: Sequence[RunRecord],
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
    pair, rng = side_by_side(found, (model, other), part), np.random.default_rng(rng)
    if seeds and max(len(one.predicted) for one in pair) < 2:
        raise ValueError(
            f"{model} and {other} have one seed each, which says nothing of other seeds; train more"
        )
    groups = len(pair[0].counts)
    weights = np.vstack([np.ones((1, groups), int), group_draws(groups, draws, rng)])
    values = [drawn_values(one, metric, weights) for one in pair]
    plain = values[0].mean(axis=1) - values[1].mean(axis=1)
    drawn = np.subtract(*(_some_seeds(v[1:], rng) for v in values)) if seeds else plain[1:]
    low, high = np.nanquantile(drawn, bootstrap.BOUNDS)
    return Difference(
        model, other, metric, float(plain[0]), float(low), float(high), two_sided(drawn)
    )


def _some_seeds(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean over drawn seeds [draws]. One fewer is drawn than there are: S of S would understate
    their variance."""
    draws, there = values.shape
    return np.take_along_axis(
        values, rng.integers(there, size=(draws, max(1, there - 1))), axis=1
    ).mean(axis=1)


def two_sided(drawn: np.ndarray) -> float:
    """The bootstrap's p-value from drawn differences [draws]; never below 2 / (draws + 1)."""
    drawn = drawn[~np.isnan(drawn)]
    return min(
        1.0, 2 * (1 + min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))) / (1 + len(drawn))
    )


def gaps(
    found: Sequence[RunRecord], model: str, other: str, metric: str = "rmse", part: str = "test"
) -> np.ndarray:
    """Sums [G] of the rows' losses of ``model`` minus those of ``other``, by group, each averaged
    over its seeds."""
    ours, theirs = (
        sums(one, metric).mean(axis=0) for one in side_by_side(found, (model, other), part)
    )
    return ours - theirs


def sign_flip(gap: np.ndarray, draws: int = 10_000, rng: np.random.Generator | int = 0) -> float:
    """Permutation test: were the models' names dealt out by coin in each group, how often would
    ``|sum|`` be so large?

    gap: the groups' differences [G]. All 2**G ways are tried where they are at most ``draws``.
    """
    if 2 ** len(gap) <= draws:
        signs, extra = np.array(list(product((-1, 1), repeat=len(gap)))), 0
    else:
        signs, extra = (
            np.random.default_rng(rng).integers(0, 2, (draws, len(gap)), dtype=np.int8) * 2 - 1,
            1,
        )
    seen, limit = np.abs(signs @ gap), abs(gap.sum()) * (1 - 1e-9)
    return float((extra + (seen >= limit).sum()) / (extra + len(signs)))


def paired_t(gap: np.ndarray) -> float:
    """Student's test that the mean of the groups' differences [G] is zero; 1 where all of them are
    zero."""
    return float(stats.ttest_1samp(gap, 0).pvalue) if np.ptp(gap) else float(not gap.any())


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values: the smallest times m, the next times m - 1, and so on, never
    falling, at most 1."""
    p, order = np.asarray(p, float), np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def pairs(found: Sequence[RunRecord], metric: str = "rmse", part: str = "test") -> pd.DataFrame:
    """Every two models: one, other, p (paired t by group) and holm (adjusted for the number of
    pairs)."""
    names = models(found)
    totals = [sums(one, metric).mean(axis=0) for one in side_by_side(found, names, part)]
    two = combinations(zip(names, totals, strict=True), 2)
    frame = pd.DataFrame(
        [(a, b, paired_t(x - y)) for (a, x), (b, y) in two], columns=["one", "other", "p"]
    )
    return frame.assign(holm=holm(frame["p"]))


def ranking(
    found: Sequence[RunRecord],
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
    names, table = models(found), pairs(found, metric, part)
    sides, rows = side_by_side(found, names, part), []
    weights = group_draws(len(sides[0].counts), draws, rng)
    for name, one in zip(names, sides, strict=True):
        value = drawn_values(one, metric, np.ones((1, len(one.counts)))).mean()
        low, high = np.quantile(drawn_values(one, metric, weights).mean(axis=1), bootstrap.BOUNDS)
        rows.append((name, value, low, high, len(one.predicted)))
    frame = pd.DataFrame(rows, columns=["model", "value", "low", "high", "seeds"]).sort_values(
        "value", kind="stable"
    )
    value, told = frame.set_index("model")["value"], table[table["holm"] < LEVEL]
    beaten = [
        max(two, key=value.__getitem__) for two in zip(told["one"], told["other"], strict=True)
    ]
    frame.insert(0, "rank", [1 + beaten.count(name) for name in frame["model"]])
    return frame.reset_index(drop=True)
