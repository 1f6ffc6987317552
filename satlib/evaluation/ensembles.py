"""Ensembles: the mean of several models' probabilities, made from their records; and parts of a
record scored anew.

Taught with lesson 62, whose models ENSEMBLES names.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from satlib import records, runtime
from satlib.evaluation import bootstrap, comparable_records, comparison, judging, metrics
from satlib.records import RunRecord

BERT = ("bert-utterance", "bert-utterance-previous", "bert-context", "bert-context-previous")
# Name -> the models whose probabilities are averaged. Which one is shown, the validation rows say.
ENSEMBLES = {f"{name}-mean": (name,) for name in BERT} | {
    "bert-previous-mean": BERT[1::2],
    "bert-all-mean": BERT,
    "bert-and-words-mean": (*BERT, "tfidf-logistic"),
    "utterance-and-words-mean": (*BERT[:2], "tfidf-logistic"),
}


class Row(NamedTuple):
    """What a record keeps of an example."""

    id: str
    group: str


def read(folder: str | Path, dataset: str, profile: str, order: Sequence[str]) -> list[RunRecord]:
    """The records of a data set and protocol in a folder, in the order of these models; others are
    left out."""
    paths = [
        path for path in records.paths(folder) if path.name.startswith(f"{dataset}-{profile}-")
    ]
    found = [record for record in map(records.load, paths) if record.model in order]
    return sorted(found, key=lambda record: (order.index(record.model), record.seed))


def judged(record: RunRecord, part: str = "test") -> judging.Judged:
    """A part of a record, to be scored anew."""
    columns = record.predictions[part]
    rows = list(map(Row, columns["id"], columns["group"]))
    return judging.Judged(
        rows, *(np.array(columns[name]) for name in ("rating", "predicted", "expected"))
    )


def only(record: RunRecord, ids: Collection[str]) -> RunRecord:
    """The record with the predictions of these ids alone, and without metric rows, which were those
    of all."""
    wanted, kept = set(ids), {}
    for part, columns in record.predictions.items():
        at = [i for i, id in enumerate(columns["id"]) if id in wanted]
        kept[part] = {name: [column[i] for i in at] for name, column in columns.items()}
    return replace(record, predictions=kept, rows=[])


def score(
    found: Sequence[RunRecord], model: str, metric: str, part: str = "test", draws: int = 1000
) -> tuple[float, float, float, int]:
    """Mean of a metric over the seeds of a model, its 95 % interval by dialogue, and the number of
    seeds.

    metric: one of COUNTED. The interval speaks of other dialogues, with these trained models.
    """
    runtime.one_of("metric of classes", metric, COUNTED)
    one = comparison.judged(found, model, part)
    weights = np.vstack(
        [np.ones((1, len(one.counts)), int), comparison.group_draws(len(one.counts), draws, 0)]
    )
    values = np.mean(
        [COUNTED[metric](weights @ by_group(one, seed)) for seed in one.predicted], axis=0
    )
    return (
        float(values[0]),
        *map(float, np.quantile(values[1:], bootstrap.BOUNDS)),
        len(one.predicted),
    )


def by_group(one: comparison.Judged, predicted: np.ndarray) -> np.ndarray:
    """The confusion of each dialogue as a row of 25 counts, [G, 25]: a draw of dialogues is a
    weighted sum of rows."""
    cell = metrics.CLASSES * (metrics.classes(one.rating) - 1) + metrics.classes(predicted) - 1
    found = np.zeros((len(one.counts), metrics.CLASSES**2))
    np.add.at(found, (one.group, cell), 1)
    return found


def _accuracy(cells: np.ndarray) -> np.ndarray:
    return cells[:, :: metrics.CLASSES + 1].sum(axis=1) / cells.sum(axis=1)


def _macro_f1(cells: np.ndarray) -> np.ndarray:
    table = cells.reshape(-1, metrics.CLASSES, metrics.CLASSES)
    hits, size = cells[:, :: metrics.CLASSES + 1], table.sum(axis=1) + table.sum(axis=2)
    return (2 * hits / np.maximum(size, 1)).sum(axis=1) / (size > 0).sum(axis=1)


COUNTED = {
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
}  # metric -> its values [D] from confusions [D, 25]


def ensemble(
    found: Sequence[RunRecord], name: str, members: Sequence[str], names: Sequence[str] = ()
) -> RunRecord:
    """The record of the mean probabilities of several models, each over its seeds; see ENSEMBLES.

    names: the metrics of which it gets rows, with intervals. Raises ValueError where a member has
    no record, or they were judged on different rows.
    """
    own = comparable_records.comparable([r for r in found if r.model in members])
    if missing := [member for member in members if member not in comparable_records.models(own)]:
        raise ValueError(
            f"no record of {' and '.join(missing)}, a member of {name!r}; make it first"
        )
    parts = {}
    for part in own[0].predictions:
        columns = {(r.model, r.seed): r.predictions[part] for r in own}
        if any(one["id"] != own[0].predictions[part]["id"] for one in columns.values()):
            raise ValueError(
                f"the members of {name!r} were judged on different {part} rows; make them again"
            )
        p = np.mean(
            [
                np.mean(
                    [one["distribution"] for (model, _), one in columns.items() if model == member],
                    axis=0,
                )
                for member in members
            ],
            axis=0,
        )
        kept = judged(own[0], part)
        parts[part] = judging.from_probabilities(kept.examples, kept.rating, p, keep=True)
    job = {
        "model": name,
        "dataset": own[0].dataset,
        "profile": own[0].profile,
        "seed": 0,
        "data_sha256": own[0].data_sha256,
        "split_sha256": own[0].split_sha256,
    }
    seeds = {member: [r.seed for r in own if r.model == member] for member in members}
    return judging.record(job, parts, names, {"members": seeds})
