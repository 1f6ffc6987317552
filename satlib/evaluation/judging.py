"""How good is a predicted rating? Eight metrics, their bootstrap intervals by group, and the record
of a judged model.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the
rating scale, and returns one number; nan means "not defined for these ratings" (a correlation with
a constant, say). Predictions are taken as they come: clipping them to the scale is the caller's
business.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from satlib import records
from satlib.data.corpora import Loaded
from satlib.data.interactions import Example
from satlib.evaluation import bootstrap
from satlib.evaluation.bootstrap import _intervals
from satlib.evaluation.metrics import ALL_METRICS, CLASSES, METRICS, _pair


def evaluate(
    rating: Sequence[float],
    predicted: Sequence[float],
    groups: Sequence,
    *,
    model: str,
    dataset: str,
    profile: str,
    part: str,
    seed: int,
    draws: int = 1000,
) -> list[dict]:
    """One row per metric, with exactly the keys ``records.ROW_KEYS``; value, low and high to 6
    decimals.

    All metrics see the same samples, and so do all models judged on the same rows: the draws have a
    seed of their own. JSON has no nan: an undefined value or bound is None.
    """
    intervals = _intervals(
        list(METRICS.values()), rating, predicted, groups, draws, np.random.default_rng(0)
    )
    fixed = {
        "profile": profile,
        "dataset": dataset,
        "part": part,
        "model": model,
        "n": len(rating),
        "seed": seed,
    }
    rows = []
    for (name, metric), (low, high) in zip(METRICS.items(), intervals, strict=True):
        numbers = {"value": metric(rating, predicted), "low": low, "high": high}
        row = (
            fixed
            | {"metric": name}
            | {k: None if math.isnan(v) else round(v, 6) for k, v in numbers.items()}
        )
        rows.append({key: row[key] for key in records.ROW_KEYS})
    return rows


def judge(
    model: str,
    predicted: Mapping[str, Sequence[float]],
    parts: Mapping[str, Sequence[Example]],
    *,
    loaded: Loaded,
    split_sha256: str,
    profile: str,
    seed: int,
    parameters: Mapping,
    curves: Sequence[dict] = (),
    distribution: Mapping[str, np.ndarray] | None = None,
    draws: int = 1000,
) -> records.RunRecord:
    """Build the run record of one fitted model: its metric rows and its prediction for each
    example.

    predicted: part -> predicted ratings [N], in the order of ``parts[part]``; judged are the parts
    named there, as a rule validation and test. distribution: part -> probabilities [N, 5] of the
    ratings 1..5, where the model has one. Ratings and predictions are rounded to 4 decimals first,
    so the rows can be recomputed from the record.
    """
    record = records.RunRecord(
        model,
        loaded.name,
        profile,
        seed,
        loaded.sha256,
        split_sha256,
        dict(parameters),
        list(curves),
    )
    for part, values in predicted.items():
        if part not in parts:
            raise ValueError(
                f"no part {part!r} among {', '.join(parts)}; predict for parts of the split"
            )
        columns = _columns(parts[part], values, (distribution or {}).get(part))
        record.predictions[part] = columns
        record.rows += evaluate(
            columns["rating"],
            columns["predicted"],
            columns["group"],
            model=model,
            dataset=loaded.name,
            profile=profile,
            part=part,
            seed=seed,
            draws=draws,
        )
    return record


def _columns(
    examples: Sequence[Example], predicted: Sequence[float], distribution: np.ndarray | None
) -> dict:
    rating, predicted = _pair([e.rating for e in examples], predicted)
    columns = {
        "id": [e.id for e in examples],
        "group": [e.group for e in examples],
        "domain": [e.domain for e in examples],
        "rating": rating.round(4).tolist(),
        "predicted": predicted.round(4).tolist(),
    }
    if distribution is not None:
        distribution = np.asarray(distribution, dtype=float)
        if distribution.shape != (len(rating), CLASSES) or not np.allclose(
            distribution.sum(axis=1), 1, atol=1e-3
        ):
            raise ValueError(
                f"distribution has the shape {distribution.shape}; give [{len(rating)}, {CLASSES}] "
                "probabilities, each row summing to 1"
            )
        columns["distribution"] = distribution.round(4).tolist()
    return columns


RATED = (
    "rmse",
    "mae",
    "pearson",
    "spearman",
    "auc",
)  # metrics of the expected rating; all others judge the class
ENCODER = "all-MiniLM-L6-v2, 22.7M parameters"  # the embedded one; what was published used BERT-base, 110M


@dataclass(frozen=True)
class Judged:
    """What a record is made of: examples [N] that were judged, their ratings [N], the class
    predicted [N], the expected rating [N], and probabilities [N, 5] where they are to be kept."""

    examples: Sequence[Example]
    rating: np.ndarray
    predicted: np.ndarray
    expected: np.ndarray
    distribution: np.ndarray | None = None


def from_probabilities(
    examples: Sequence[Example], rating: np.ndarray, p: np.ndarray, keep: bool = False
) -> Judged:
    """The most probable class (the lowest of several) and the expected rating of probabilities [N,
    5]."""
    stars = np.arange(1.0, 6.0)
    return Judged(
        examples, np.asarray(rating), stars[p.argmax(axis=1)], p @ stars, p if keep else None
    )


def scores(
    one: Judged, names: Iterable[str], draws: int = 1000
) -> dict[str, tuple[float, float, float]]:
    """Metric -> value and 95 % interval by dialogue, for metrics by name.

    Correlations and errors (RATED) judge the expected rating, all others the class.
    All metrics, and all models on the same rows, see the same samples.
    """
    names = list(names)
    seen = {name: one.expected if name in RATED else one.predicted for name in names}
    samples = bootstrap.resamples([e.group for e in one.examples], draws, np.random.default_rng(0))
    drawn = np.array(
        [[ALL_METRICS[name](one.rating[at], seen[name][at]) for name in names] for at in samples]
    )
    known = [column[~np.isnan(column)] for column in drawn.T] if names else []
    bounds = [np.quantile(c, bootstrap.BOUNDS) if c.size else (np.nan, np.nan) for c in known]
    return {
        name: (ALL_METRICS[name](one.rating, seen[name]), *map(float, bound))
        for name, bound in zip(names, bounds, strict=True)
    }


def record(
    job: dict,
    parts: dict[str, Judged],
    names: Iterable[str],
    parameters: dict,
    curves: Sequence[dict] = (),
) -> records.RunRecord:
    """The run record of a job: a metric row for each name and part, and the prediction of each
    example.

    job: the fields model, dataset, profile (the protocol's name), seed, data_sha256 and
    split_sha256.
    """
    made = records.RunRecord(
        **job, parameters={"encoder": ENCODER} | parameters, curves=list(curves)
    )
    for part, one in parts.items():
        for name, numbers in scores(one, names).items():
            made.rows.append(row(job, part, name, numbers, len(one.rating)))
        columns = {
            "id": [e.id for e in one.examples],
            "group": [e.group for e in one.examples],
            "rating": one.rating.round(4).tolist(),
            "predicted": one.predicted.round(4).tolist(),
            "expected": one.expected.round(4).tolist(),
        }
        if one.distribution is not None:
            columns["distribution"] = one.distribution.round(4).tolist()
        made.predictions[part] = columns
    return made


def row(job: dict, part: str, name: str, numbers: tuple, n: int) -> dict:
    """A metric row of a record: value and interval to 6 decimals, nan as None."""
    value, low, high = (None if x != x else round(float(x), 6) for x in numbers)
    known = {key: job[key] for key in ("profile", "dataset", "model", "seed")}
    row = known | {"part": part, "metric": name, "value": value, "low": low, "high": high, "n": n}
    return {key: row[key] for key in records.ROW_KEYS}
