"""Is a gain real? Two models on the same examples: intervals, tests, seeds, and which baseline a
gain is measured against.

The unit is the group (a user, a dialogue), as rows of one group are alike. RMSE and MAE are
functions of sums, so a draw of groups costs one product with the groups' sums, not a walk over the
rows; other metrics are computed by rows. Where a model has several seeds, its metric is the mean
over them. Many models are compared by ``ranking``. Sources: Efron and Tibshirani, An Introduction
to the Bootstrap, 1993; Fisher, The Design of Experiments, 1935 (flipped signs); Rao and Wu,
Resampling inference with complex survey data, 1988 (why one seed fewer is drawn than there are).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from satlib import runtime
from satlib.evaluation import bootstrap, comparable_records, metrics
from satlib.records import RunRecord

# Metric -> what it averages over the rows; the RMSE is the root of that mean.
LOSSES = {"rmse": np.square, "mae": np.abs}
LEVEL = 0.05  # of a test, and 1 - LEVEL of an interval
ENOUGH = 3  # seeds: of fewer, a spread is hardly known


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
    p-value, and how far the claim reaches.

    seeds: how many each has. drawn: whether the seeds were drawn as well as the groups; if not, the
    interval speaks of these trained models alone. fitted: those of the two that are fitted without
    chance. rows: how many rows taught each; None where the records do not say.
    """

    model: str
    other: str
    metric: str
    value: float
    low: float
    high: float
    p: float = math.nan
    seeds: tuple[int, int] = (1, 1)
    drawn: bool = False
    fitted: tuple[str, ...] = ()
    rows: tuple[int | None, int | None] = (None, None)

    @property
    def clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return not self.low <= 0 <= self.high

    @property
    def equal_rows(self) -> bool:
        """Whether both learned from the same number of rows, as far as the records say."""
        return None in self.rows or self.rows[0] == self.rows[1]

    @property
    def seeds_by_chance(self) -> dict[str, int]:
        """The number of seeds of each of the two that chance has a part in."""
        numbers = zip((self.model, self.other), self.seeds, strict=True)
        return {name: number for name, number in numbers if name not in self.fitted}

    @property
    def numbers(self) -> str:
        """The value with its interval, such as "-0.021 [-0.030, -0.012]"."""
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def reach(self) -> str:
        """What the interval speaks of: "over 3 seeds", or "these two trained models"."""
        if not self.drawn:
            return "these two trained models"
        counts = sorted(set(self.seeds_by_chance.values()))
        return f"over {' and '.join(map(str, counts))} seeds"

    @property
    def remarks(self) -> list[str]:
        """What limits the claim, in short sentences: runs that are no sample, unequal rows."""
        found = []
        if self.fitted:
            said = " and ".join(self.fitted)
            found.append(f"{said} {_are(self.fitted)} fitted without chance and ran once")
        if not self.drawn:
            for name, number in self.seeds_by_chance.items():
                found.append(f"{name} has {number} seed{'s' if number > 1 else ''}")
        if not self.equal_rows:
            one, other = self.rows
            found.append(f"{self.model} learned from {one} rows, {self.other} from {other}")
        return found

    def __str__(self) -> str:
        numbers = (
            f"{self.metric} of {self.model} minus {self.other}: {self.value:+.3f}, "
            f"95 % interval {self.low:+.3f} to {self.high:+.3f}"
        )
        if self.drawn:
            numbers = f"{numbers}, {self.reach}"
            compared = "the two ways of training"
        else:
            compared = self.reach
        if self.clear:
            verdict = f"zero lies outside, so these examples tell {compared} apart"
        else:
            verdict = f"zero lies inside, so these examples do not tell {compared} apart"
        return "; ".join([numbers, verdict, *self.remarks])


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


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
    seeds: bool | None = None,
) -> Difference:
    """Paired bootstrap by group: both models are judged on the same resampled groups, which cancels
    what is common.

    With several seeds the metric is averaged over them in each sample. seeds: whether the seeds are
    drawn as well: then the interval speaks of the two ways of training, not of these trained
    models. None draws them where the records allow it: ENOUGH of each model that chance has a part
    in. p is twice the smaller share of draws on one side of zero, the estimate counted in. rng: a
    Generator, or a seed.
    """
    sides = side_by_side(records, (model, other), part)
    counts = tuple(len(side.predicted) for side in sides)
    seeds = _are_drawn(seeds, {model: counts[0], other: counts[1]})
    value, drawn = _drawn_differences(sides, metric, draws, np.random.default_rng(rng), seeds)
    low, high = bootstrap.interval(drawn)
    rows = [comparable_records.training_rows(records, name) for name in (model, other)]
    fitted = [name for name in (model, other) if comparable_records.is_fitted(name)]
    return Difference(
        model,
        other,
        metric,
        value,
        low,
        high,
        two_sided(drawn),
        seeds=counts,
        drawn=seeds,
        fitted=tuple(fitted),
        rows=tuple(rows),
    )


def _drawn_differences(
    sides: Sequence[SeededPredictions],
    metric: str,
    draws: int,
    rng: np.random.Generator,
    seeds: bool,
) -> tuple[float, np.ndarray]:
    """The difference of two models' metrics, and its values [draws] in the samples."""
    groups = len(sides[0].counts)
    weights = bootstrap.with_everyone(bootstrap.group_weights(groups, draws, rng))
    # One set of samples for both models: what makes a sample hard for both cancels out.
    ours, theirs = (drawn_values(side, metric, weights) for side in sides)
    by_sample = ours.mean(axis=1) - theirs.mean(axis=1)
    if seeds:
        drawn = _some_seeds(ours[1:], rng) - _some_seeds(theirs[1:], rng)
    else:
        drawn = by_sample[1:]
    return float(by_sample[0]), drawn


def _are_drawn(seeds: bool | None, counts: dict[str, int]) -> bool:
    """Whether the seeds are drawn: as asked, or by their numbers; ValueError where there is one
    each."""
    if seeds is None:
        return enough_seeds(counts)
    if seeds and max(counts.values()) < 2:
        raise ValueError(
            f"{' and '.join(counts)} have one seed each, which says nothing of other seeds; "
            "train more"
        )
    return seeds


def enough_seeds(counts: dict[str, int]) -> bool:
    """Whether the seeds can be drawn: chance has a part in some of the models, and each of these
    has ENOUGH.

    counts: model -> number of its seeds.
    """
    by_chance = [
        number for model, number in counts.items() if not comparable_records.is_fitted(model)
    ]
    return bool(by_chance) and min(by_chance) >= ENOUGH


def estimate(
    records: Sequence[RunRecord],
    model: str,
    metric: str = "rmse",
    part: str = "test",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
    seeds: bool | None = None,
) -> tuple[float, float, float]:
    """(value, low, high): a metric of one model, the mean over its seeds, with its 95 % interval.

    The interval is that of the mean, by drawing whole groups, and the seeds as ``difference`` does.
    """
    side = predictions_by_seed(records, model, part)
    rng = np.random.default_rng(rng)
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(side.counts), draws, rng))
    values = drawn_values(side, metric, weights)
    if seeds is None:
        seeds = enough_seeds({model: len(side.predicted)})
    drawn = _some_seeds(values[1:], rng) if seeds else values[1:].mean(axis=1)
    return (float(values[0].mean()), *bootstrap.interval(drawn))


def rivals(records: Sequence[RunRecord], model: str = comparable_records.AFTER) -> list[str]:
    """The frozen and simple models that learned from as many rows as ``model``."""
    rows = comparable_records.training_rows(records, model)
    baselines = [record for record in records if comparable_records.is_baseline(record)]
    names = comparable_records.models(baselines)
    return [name for name in names if comparable_records.training_rows(records, name) == rows]


def best_baseline(
    records: Sequence[RunRecord],
    metric: str = "rmse",
    model: str = comparable_records.AFTER,
) -> str:
    """The frozen or simple model with the best metric on the **validation** rows, among those that
    learned from as many rows as ``model``.

    Test rows have no part in the choice, so the difference to it on test rows is an honest one.
    Raises ValueError where there is no such model.
    """
    names = rivals(records, model)
    if not names:
        rows = comparable_records.training_rows(records, model)
        raise ValueError(
            f"no frozen or simple model learned from {rows} rows, as {model} did; "
            "fit the baselines of lesson 32 on the same rows"
        )
    return best_on_validation(records, names, metric)


def best_on_validation(
    records: Sequence[RunRecord], models: Sequence[str], metric: str = "rmse"
) -> str:
    """The one of these models with the best metric on the validation rows, mean over its seeds; the
    first of equals."""
    values = {}
    for model, side in zip(models, side_by_side(records, models, "validation"), strict=True):
        everyone = np.ones((1, len(side.counts)), int)
        values[model] = float(drawn_values(side, metric, everyone).mean())
    if metric in LOSSES:
        return min(values, key=values.get)
    return max(values, key=values.get)


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
