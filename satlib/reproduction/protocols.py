"""Reproduction: what a published protocol is, its split as a file, and a record for everything that is run under it.

A **protocol** says what is an example, its label and its input, how the data are cut, how a model is chosen and what is
measured. Numbers of two protocols are never compared. The functions that follow a protocol are in ``protocol_a`` (USS),
``protocol_b`` (USDA), ``protocol_c`` (AB-ReDial) and ``protocol_d`` (rating prediction).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from satlib import records
from satlib.data import agreement
from satlib.data.interactions import Example
from satlib.evaluation import bootstrap, metrics

STUDY = "reproduction"  # the sub-folder of a folder of records
RATED = ("rmse", "mae", "pearson", "spearman", "auc")  # metrics of the expected rating; all others judge the class
ENCODER = "all-MiniLM-L6-v2, 22.7M parameters"  # the embedded one; what was published used BERT-base, 110M


@dataclass(frozen=True)
class Protocol:
    """One way to pose the question, in words; ``source`` is where it was read."""

    name: str
    corpora: tuple[str, ...]
    unit: str
    label: str
    input: str
    filter: str
    split: str
    choice: str
    metrics: tuple[str, ...]
    source: str


_USS = ("uss-redial", "uss-ccpe", "uss-sgd")
PROTOCOLS = {p.name: p for p in (
    Protocol("A0", _USS, "a user line, and the line OVERALL of each dialogue",
             "most frequent rating, ties to the lowest", "the dialogue before the user speaks", "none",
             "ten contiguous blocks of rows, after which rows not rated 3 stand eleven times in training",
             "the best epoch on the test rows, for each metric anew",
             ("uar", "kappa", "published_rho", "published_f1"), "Sun et al., SIGIR 2021, and its code"),
    Protocol("A1", _USS, "a user line", "most frequent rating, ties to the lowest",
             "the dialogue before the user speaks", "OVERALL lines are left out",
             "five folds of whole dialogues; a tenth of the training dialogues validates",
             "the epoch with the lowest validation loss, the class by the power with the highest validation UAR",
             ("uar", "kappa", "qwk", "spearman", "f1_dissatisfied", "accuracy"), "A0 without its faults"),
    Protocol("B", ("usda-redial", "usda-sgd"), "a user turn from the fourth on, and OVERALL",
             "sign of the mean minus 3", "the dialogue with the user's current words",
             "the first three user turns are left out",
             "published validation and test files, training set rebuilt", "the epoch with the best validation macro-F1",
             ("accuracy", "macro_f1", "uar"), "Deng et al., WWW 2022; Ye et al., ACL 2023"),
    Protocol("C", ("ab-redial",), "a turn (an exchange of four utterances), or a dialogue",
             "mean overall rating of its annotators", "the dialogue up to its end, the user's answer included",
             "answers without a rating are left out", "ten folds of whole conversations", "settings fixed beforehand",
             ("rmse", "mae", "pearson", "spearman"), "Siro et al., TOIS 2023"),
    Protocol("D", ("movielens", "amazon-reviews-2023"), "a rating", "its stars, halves kept",
             "the film or product, and by model what the user rated before",
             "Amazon: users with one review are left out",
             "MovieLens: random rows, each user by time, the last row of each user, global time; Amazon: whole users",
             "validation RMSE; the encoder's rate and epochs fixed beforehand",
             ("rmse", "mae", "rmse_by_user"), "the recommender literature; see lesson 64"),
)}


def f1_dissatisfied(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """F1 of "rated below 3": 2 hits / (rated + predicted); nan where nothing is either."""
    low, found = np.asarray(rating) < 3, np.asarray(predicted) < 3
    size = int(low.sum() + found.sum())
    return 2 * int((low & found).sum()) / size if size else float("nan")


def kappa(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Cohen's kappa of the classes 1..5, unweighted; see ``agreement.kappa``."""
    return agreement.kappa(metrics.classes(rating), metrics.classes(predicted))


def pearson(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Pearson's correlation; nan where either is constant."""
    a, b = (np.asarray(values, dtype=float) - np.mean(values) for values in (rating, predicted))
    spread = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / spread if spread else math.nan


METRICS: dict[str, metrics.Metric] = metrics.METRICS | {"kappa": kappa, "f1_dissatisfied": f1_dissatisfied,
                                                        "pearson": pearson}


@dataclass(frozen=True)
class Judged:
    """What a record is made of: examples [N] that were judged, their ratings [N], the class predicted [N], the expected
    rating [N], and probabilities [N, 5] where they are to be kept."""

    examples: Sequence[Example]
    rating: np.ndarray
    predicted: np.ndarray
    expected: np.ndarray
    distribution: np.ndarray | None = None


def from_probabilities(examples: Sequence[Example], rating: np.ndarray, p: np.ndarray, keep: bool = False) -> Judged:
    """The most probable class (the lowest of several) and the expected rating of probabilities [N, 5]."""
    stars = np.arange(1.0, 6.0)
    return Judged(examples, np.asarray(rating), stars[p.argmax(axis=1)], p @ stars, p if keep else None)


def scores(one: Judged, names: Iterable[str], draws: int = 1000) -> dict[str, tuple[float, float, float]]:
    """Metric -> value and 95 % interval by dialogue, for metrics by name.

    Correlations and errors (RATED) judge the expected rating, all others the class.
    All metrics, and all models on the same rows, see the same samples.
    """
    names = list(names)
    seen = {name: one.expected if name in RATED else one.predicted for name in names}
    samples = bootstrap.resamples([e.group for e in one.examples], draws, np.random.default_rng(0))
    drawn = np.array([[METRICS[name](one.rating[at], seen[name][at]) for name in names] for at in samples])
    known = [column[~np.isnan(column)] for column in drawn.T] if names else []
    bounds = [np.quantile(c, bootstrap.BOUNDS) if c.size else (np.nan, np.nan) for c in known]
    return {name: (METRICS[name](one.rating, seen[name]), *map(float, bound))
            for name, bound in zip(names, bounds, strict=True)}


def record(job: dict, parts: dict[str, Judged], names: Iterable[str], parameters: dict,
           curves: Sequence[dict] = ()) -> records.RunRecord:
    """The run record of a job: a metric row for each name and part, and the prediction of each example.

    job: the fields model, dataset, profile (the protocol's name), seed, data_sha256 and split_sha256.
    """
    made = records.RunRecord(**job, parameters={"encoder": ENCODER} | parameters, curves=list(curves))
    for part, one in parts.items():
        for name, numbers in scores(one, names).items():
            made.rows.append(row(job, part, name, numbers, len(one.rating)))
        columns = {"id": [e.id for e in one.examples], "group": [e.group for e in one.examples],
                   "rating": one.rating.round(4).tolist(), "predicted": one.predicted.round(4).tolist(),
                   "expected": one.expected.round(4).tolist()}
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


def settings_of(settings) -> dict:
    """The fields of a settings dataclass as a record's parameters; the seed has a field of its own there."""
    return {name: value for name, value in asdict(settings).items() if name != "seed"}
