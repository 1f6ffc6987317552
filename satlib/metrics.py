"""How good is a predicted rating? Eight metrics, their bootstrap intervals by group, and the record of a judged model.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the rating scale, and
returns one number; nan means "not defined for these ratings" (a correlation with a constant, say). Predictions are
taken as they come: clipping them to the scale is the caller's business.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from satlib import records
from satlib.interactions import Example
from satlib.labels import SATISFIED

if TYPE_CHECKING:
    from satlib.corpora import Loaded

CLASSES = 5
BOUNDS = (0.025, 0.975)  # of the 95 % interval

Metric = Callable[[Sequence[float], Sequence[float]], float]


def _vector(name: str, values: Sequence[float]) -> np.ndarray:
    try:
        vector = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number ({error}); give ratings as numbers") from error
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has the shape {vector.shape}; give a 1-D sequence of at least one number")
    if not np.isfinite(vector).all():
        where = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise ValueError(f"{name}[{where}] is {vector[where]}; give finite numbers only")
    return vector


def _pair(rating: Sequence[float], predicted: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    rating, predicted = _vector("rating", rating), _vector("predicted", predicted)
    if len(rating) != len(predicted):
        raise ValueError(f"{len(rating)} ratings but {len(predicted)} predictions; give one prediction per rating")
    return rating, predicted


def classes(rating: Sequence[float]) -> np.ndarray:
    """Ratings as classes 1..5: halves round up (3.5 -> 4, where Python's round(2.5) gives 2), then clipped."""
    return np.clip(np.floor(np.asarray(rating, dtype=float) + 0.5), 1, CLASSES).astype(int)


def confusion(rating: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    """Counts [5, 5]: row = class of the rating, column = class of the prediction."""
    rating, predicted = _pair(rating, predicted)
    cell = CLASSES * (classes(rating) - 1) + classes(predicted) - 1
    return np.bincount(cell, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def rmse(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Root mean squared error, in stars; a big miss weighs more than several small ones."""
    rating, predicted = _pair(rating, predicted)
    return math.sqrt(np.mean((rating - predicted) ** 2))


def mae(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean absolute error, in stars."""
    rating, predicted = _pair(rating, predicted)
    return float(np.mean(np.abs(rating - predicted)))


def accuracy(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Share of ratings whose class is hit; compare it with the share of the most frequent class."""
    counts = confusion(rating, predicted)
    return float(np.trace(counts) / counts.sum())


def uar(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Unweighted average recall: the mean, over the classes that were rated, of the share found."""
    counts = confusion(rating, predicted)
    rated = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[rated > 0] / rated[rated > 0]))


def macro_f1(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean F1 of the classes that were rated or predicted; F1 = 2 hits / (rated + predicted)."""
    counts = confusion(rating, predicted)
    size = counts.sum(axis=1) + counts.sum(axis=0)
    return float(np.mean(2 * np.diag(counts)[size > 0] / size[size > 0]))


def qwk(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Quadratic weighted kappa: 1 - squared class distance / the same expected by chance; nan if chance never errs.

    Source: Cohen, Weighted kappa, Psychological Bulletin 70(4), 1968.
    """
    counts = confusion(rating, predicted)
    distance = np.subtract.outer(np.arange(CLASSES), np.arange(CLASSES)) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    expected = float((distance * chance).sum())
    return 1 - float((distance * counts).sum()) / expected if expected else math.nan


def midranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they fill (7, 8, 8 -> 1, 2.5, 2.5)."""
    twice = 2 * np.asarray(values, dtype=float)
    which = twice.clip(0, 4 * len(twice)).astype(int)  # small whole or half numbers are counted, others sorted
    which = which if np.array_equal(which, twice) else np.unique(twice, return_inverse=True)[1]
    count = np.bincount(which)
    return (np.cumsum(count) - (count - 1) / 2)[which]


def spearman(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Spearman's rho corrected for ties: Pearson's correlation of the midranks; nan where either is constant."""
    rating, predicted = _pair(rating, predicted)
    middle = (len(rating) + 1) / 2
    a, b = midranks(rating) - middle, midranks(predicted) - middle
    spread = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / spread if spread else math.nan


def auc(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """ROC-AUC: chance that a satisfied user (rating >= 4) is predicted above another, ties half; nan if all are one."""
    rating, predicted = _pair(rating, predicted)
    satisfied = rating >= SATISFIED
    yes, no = int(satisfied.sum()), int((~satisfied).sum())
    above = float(midranks(predicted)[satisfied].sum()) - yes * (yes + 1) / 2
    return above / (yes * no) if yes and no else math.nan


METRICS: dict[str, Metric] = {"rmse": rmse, "mae": mae, "accuracy": accuracy, "macro_f1": macro_f1, "uar": uar,
                              "qwk": qwk, "spearman": spearman, "auc": auc}


def resamples(groups: Sequence, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Row indices of ``draws`` bootstrap samples: as many groups as there are, drawn with replacement, with all rows.

    Rows of one user or dialogue are alike, so they are drawn together. ``groups=range(n)`` resamples single rows.
    """
    if draws < 1:
        raise ValueError(f"draws = {draws}; give at least 1 bootstrap sample")
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    rows = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for _ in range(draws):
        yield np.concatenate([rows[g] for g in rng.integers(len(rows), size=len(rows))])


def _intervals(metrics: Sequence[Metric], rating, predicted, groups, draws: int, rng) -> list[tuple[float, float]]:
    rating, predicted = _pair(rating, predicted)
    if len(groups) != len(rating):
        raise ValueError(f"{len(rating)} ratings but {len(groups)} groups; give the group of every rating")
    samples = resamples(groups, draws, rng)
    if len(np.unique(np.asarray(groups))) < 2:  # one group drawn again and again would feign certainty
        return [(math.nan, math.nan)] * len(metrics)
    place = dict.fromkeys((spearman, auc), np.unique(predicted, return_inverse=True)[1])  # the same order, counted
    drawn = np.array([[m(rating[rows], place.get(m, predicted)[rows]) for m in metrics] for rows in samples])
    defined = [column[~np.isnan(column)] for column in drawn.T]
    return [tuple(np.quantile(c, BOUNDS).tolist()) if c.size else (math.nan, math.nan) for c in defined]


def bootstrap(metric: Metric, rating: Sequence[float], predicted: Sequence[float], groups: Sequence,
              draws: int = 1000, rng: np.random.Generator | int = 0) -> tuple[float, float]:
    """95 % percentile interval (low, high) of a metric, by resampling whole groups.

    rng: a Generator, or a seed. Samples in which the metric is undefined are left out; (nan, nan) where it is defined
    in none, or where there is only one group. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
    """
    return _intervals([metric], rating, predicted, groups, draws, np.random.default_rng(rng))[0]


def evaluate(rating: Sequence[float], predicted: Sequence[float], groups: Sequence, *, model: str, dataset: str,
             profile: str, part: str, seed: int, draws: int = 1000) -> list[dict]:
    """One row per metric, with exactly the keys ``records.ROW_KEYS``; value, low and high to 6 decimals.

    All metrics see the same samples, and so do all models judged on the same rows: the draws have a seed of their own.
    JSON has no nan: an undefined value or bound is None.
    """
    intervals = _intervals(list(METRICS.values()), rating, predicted, groups, draws, np.random.default_rng(0))
    fixed = {"profile": profile, "dataset": dataset, "part": part, "model": model, "n": len(rating), "seed": seed}
    rows = []
    for (name, metric), (low, high) in zip(METRICS.items(), intervals, strict=True):
        numbers = {"value": metric(rating, predicted), "low": low, "high": high}
        row = fixed | {"metric": name} | {k: None if math.isnan(v) else round(v, 6) for k, v in numbers.items()}
        rows.append({key: row[key] for key in records.ROW_KEYS})
    return rows


def judge(model: str, predicted: Mapping[str, Sequence[float]], parts: Mapping[str, Sequence[Example]], *,
          loaded: "Loaded", split_sha256: str, profile: str, seed: int, parameters: Mapping,
          curves: Sequence[dict] = (), distribution: Mapping[str, np.ndarray] | None = None,
          draws: int = 1000) -> records.RunRecord:
    """Build the run record of one fitted model: its metric rows and its prediction for each example.

    predicted: part -> predicted ratings [N], in the order of ``parts[part]``; judged are the parts named there, as a
    rule validation and test. distribution: part -> probabilities [N, 5] of the ratings 1..5, where the model has one.
    Ratings and predictions are rounded to 4 decimals first, so the rows can be recomputed from the record.
    """
    record = records.RunRecord(model, loaded.name, profile, seed, loaded.sha256, split_sha256, dict(parameters),
                               list(curves))
    for part, values in predicted.items():
        if part not in parts:
            raise ValueError(f"no part {part!r} among {', '.join(parts)}; predict for parts of the split")
        columns = _columns(parts[part], values, (distribution or {}).get(part))
        record.predictions[part] = columns
        record.rows += evaluate(columns["rating"], columns["predicted"], columns["group"], model=model,
                                dataset=loaded.name, profile=profile, part=part, seed=seed, draws=draws)
    return record


def _columns(examples: Sequence[Example], predicted: Sequence[float], distribution: np.ndarray | None) -> dict:
    rating, predicted = _pair([e.rating for e in examples], predicted)
    columns = {"id": [e.id for e in examples], "group": [e.group for e in examples],
               "domain": [e.domain for e in examples], "rating": rating.round(4).tolist(),
               "predicted": predicted.round(4).tolist()}
    if distribution is not None:
        distribution = np.asarray(distribution, dtype=float)
        if distribution.shape != (len(rating), CLASSES) or not np.allclose(distribution.sum(axis=1), 1, atol=1e-3):
            raise ValueError(f"distribution has the shape {distribution.shape}; give [{len(rating)}, {CLASSES}] "
                             "probabilities, each row summing to 1")
        columns["distribution"] = distribution.round(4).tolist()
    return columns
