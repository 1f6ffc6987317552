"""From predictions to a run record: metric rows with intervals, and the prediction of each example.

``Judged`` holds the predictions of one part of a data set beside what is true. ``record`` is the
one function that turns judged parts into a run record; whatever trains a model, a lesson or a
published protocol, ends with it. A lesson calls ``judge_and_save``, which also does the rest.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from satlib import records, runtime
from satlib.data.interactions import Example
from satlib.data.labels import STAR_VALUES
from satlib.data.prepared import Prepared
from satlib.evaluation import bootstrap
from satlib.evaluation.metrics import ALL_METRICS, METRICS, N_CLASSES, checked_pair

# Metrics of the expected rating. All others judge the predicted class.
OF_EXPECTED_RATING = ("rmse", "mae", "pearson", "spearman", "auc")


class RecordedExample(NamedTuple):
    """What a record keeps of an example that was judged; an Example has these fields too."""

    id: str
    group: str
    domain: str = ""


@dataclass(frozen=True)
class Judged:
    """Predictions of one part beside what is true, N examples.

    examples [N]: a record keeps id, group and domain of each. rating [N]: the true ratings.
    predicted [N]: the predicted ratings; for a classifier the predicted classes, and then
    expected [N] is the expected rating, which the metrics of OF_EXPECTED_RATING judge instead.
    distribution [N, 5]: probabilities of the ratings 1..5, where they are to be kept.

    Raises ValueError where the lengths differ or a row of probabilities does not add up to 1.
    """

    examples: Sequence[Example | RecordedExample]
    rating: np.ndarray
    predicted: np.ndarray
    expected: np.ndarray | None = None
    distribution: np.ndarray | None = None

    def __post_init__(self):
        checked_pair(self.rating, self.predicted)
        if self.expected is not None:
            checked_pair(self.rating, self.expected)
        if len(self.examples) != len(self.rating):
            raise ValueError(
                f"{len(self.examples)} examples but {len(self.rating)} ratings; "
                "give one rating per example"
            )
        if self.distribution is not None:
            _check_distribution(self.distribution, len(self.rating))

    @property
    def groups(self) -> list[str]:
        """The group of each example: what is drawn whole for an interval."""
        return [example.group for example in self.examples]


def _check_distribution(distribution: np.ndarray, examples: int) -> None:
    right_shape = distribution.shape == (examples, N_CLASSES)
    if not right_shape or not np.allclose(distribution.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            f"distribution has the shape {distribution.shape}; give [{examples}, {N_CLASSES}] "
            "probabilities, each row summing to 1"
        )


def from_ratings(
    examples: Sequence[Example],
    predicted: Sequence[float],
    distribution: np.ndarray | None = None,
) -> Judged:
    """Predicted ratings [N] of the examples, and probabilities [N, 5] where the model has them.

    Ratings and predictions are rounded to 4 decimals, as a record holds them, so that all its
    metrics can be computed again from the record.
    """
    rating = [example.rating for example in examples]
    rating, predicted = checked_pair(rating, predicted)
    if distribution is not None:
        distribution = np.asarray(distribution, dtype=float)
    return Judged(examples, rating.round(4), predicted.round(4), distribution=distribution)


def from_probabilities(
    examples: Sequence[Example | RecordedExample],
    rating: Sequence[float],
    probabilities: np.ndarray,
    keep: bool = False,
) -> Judged:
    """The most probable class, the lowest of several, and the expected rating of probabilities
    [N, 5].

    keep: whether the record holds the probabilities too.
    """
    rating = np.asarray(rating)
    predicted = STAR_VALUES[probabilities.argmax(axis=1)]
    expected = probabilities @ STAR_VALUES
    judged = Judged(examples, rating, predicted, expected)
    if keep:
        return replace(judged, distribution=probabilities)
    return judged


def from_record(record: records.RunRecord, part: str = "test") -> Judged:
    """A part of a record, to be judged again."""
    columns = record.predictions[part]
    domains = columns.get("domain", [record.dataset] * len(columns["id"]))
    examples = list(map(RecordedExample, columns["id"], columns["group"], domains))
    arrays = {}
    for name in ("rating", "predicted", "expected", "distribution"):
        if name in columns:
            arrays[name] = np.array(columns[name])
    return Judged(examples, **arrays)


def scores(
    judged: Judged, metric_names: Collection[str] = tuple(METRICS), draws: int = 1000
) -> dict[str, tuple[float, float, float]]:
    """Metric -> value and 95 % interval by group, for metrics by name.

    All metrics see the same samples, and so do all models judged on the same rows: the draws have a
    seed of their own.
    """
    expected = judged.predicted if judged.expected is None else judged.expected
    values = {}
    measures = []
    for name in metric_names:
        metric = ALL_METRICS[name]
        predicted = expected if name in OF_EXPECTED_RATING else judged.predicted
        values[name] = metric(judged.rating, predicted)
        measures.append(bootstrap.on_rows(metric, judged.rating, predicted))
    intervals = bootstrap.intervals(measures, judged.groups, draws, rng=0)
    found = {}
    for (name, value), bounds in zip(values.items(), intervals, strict=True):
        found[name] = (value, *bounds)
    return found


def row(job: Mapping, part: str, name: str, numbers: Sequence[float], n: int) -> dict:
    """A metric row of a record, with exactly the keys ``records.ROW_KEYS``.

    numbers: value, low and high; they are rounded to 6 decimals. JSON has no nan: an undefined
    number is None.
    """
    fields = {key: job[key] for key in ("profile", "dataset", "model", "seed")}
    fields |= {"part": part, "metric": name, "n": n}
    for key, number in zip(("value", "low", "high"), numbers, strict=True):
        fields[key] = None if math.isnan(number) else round(float(number), 6)
    return {key: fields[key] for key in records.ROW_KEYS}


def rows(
    job: Mapping,
    part: str,
    judged: Judged,
    metric_names: Collection[str] = tuple(METRICS),
    draws: int = 1000,
) -> list[dict]:
    """The metric rows of a judged part, one for each name; see ``row`` and ``scores``."""
    n = len(judged.rating)
    numbers = scores(judged, metric_names, draws)
    return [row(job, part, name, three, n) for name, three in numbers.items()]


def columns(judged: Judged, domains: bool) -> dict[str, list]:
    """What a record keeps of a judged part: columns of equal length, numbers to 4 decimals.

    domains: whether the domain of each example is kept, too.
    """
    kept = {"id": [example.id for example in judged.examples], "group": judged.groups}
    if domains:
        kept["domain"] = [example.domain for example in judged.examples]
    for name in ("rating", "predicted", "expected", "distribution"):
        values = getattr(judged, name)
        if values is not None:
            kept[name] = values.round(4).tolist()
    return kept


def record(
    job: Mapping,
    parts: Mapping[str, Judged],
    metric_names: Collection[str],
    parameters: Mapping,
    curves: Sequence[dict] = (),
    *,
    draws: int = 1000,
    predictions: bool = True,
    domains: bool = False,
    seconds: float | None = None,
) -> records.RunRecord:
    """The run record of a job: a metric row for each part and name, and the prediction of each
    example.

    job: the record's fields model, dataset, profile, seed, data_sha256 and split_sha256.
    predictions: False leaves out the single predictions, for a small record. domains: True keeps
    the domain of each example, which says nothing where a corpus has one domain only. seconds: how
    long the model took to be fitted and to predict; the record keeps tenths.
    """
    made = records.RunRecord(**job, parameters=dict(parameters), curves=list(curves))
    if seconds is not None:
        made.seconds = round(seconds, 1)
    for part, judged in parts.items():
        made.rows += rows(job, part, judged, metric_names, draws)
        if predictions:
            made.predictions[part] = columns(judged, domains)
    return made


def judge_and_save(
    model: str,
    predicted: Mapping[str, Sequence[float]],
    data: Prepared,
    *,
    profile: str,
    seed: int,
    runs: str,
    parameters: Mapping,
    curves: Sequence[dict] = (),
    distribution: Mapping[str, np.ndarray] | None = None,
    draws: int = 1000,
    seconds: float | None = None,
) -> records.RunRecord:
    """Judge the predictions of one fitted model, save the record and return it.

    predicted: part -> predicted ratings [N], in the order of ``data.parts[part]``; judged are the
    parts named there, as a rule validation and test. distribution: part -> probabilities [N, 5] of
    the ratings 1..5, where the model has them. runs: the folder of records, "" for the cache.
    seconds: how long the model took to be fitted and to predict; None where nobody measured it.
    """
    judged = _by_part(predicted, data, distribution or {})
    job = {
        "model": model,
        "dataset": data.loaded.name,
        "profile": profile,
        "seed": seed,
        "data_sha256": data.loaded.sha256,
        "split_sha256": data.split_sha256,
    }
    made = record(
        job, judged, METRICS, parameters, curves, draws=draws, domains=True, seconds=seconds
    )
    records.save(made, runtime.runs_folder(runs))
    return made


def _by_part(
    predicted: Mapping[str, Sequence[float]],
    data: Prepared,
    distribution: Mapping[str, np.ndarray],
) -> dict[str, Judged]:
    """Part -> predictions beside what is true; ValueError for a part that the split does not
    have."""
    judged = {}
    for part, values in predicted.items():
        if part not in data.parts:
            raise ValueError(
                f"no part {part!r} among {', '.join(data.parts)}; predict for parts of the split"
            )
        judged[part] = from_ratings(data.parts[part], values, distribution.get(part))
    return judged
