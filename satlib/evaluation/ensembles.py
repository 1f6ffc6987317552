"""Ensembles: the mean of several models' probabilities, made from their records; and parts of a
record scored anew.

Taught with lesson 62, whose models ENSEMBLES names.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from satlib import runtime
from satlib.evaluation import bootstrap, comparable_records, comparison, judging
from satlib.evaluation.comparison import SeededPredictions
from satlib.evaluation.metrics import N_CLASSES, classes
from satlib.records import RunRecord, load, paths

BERT = ("bert-utterance", "bert-utterance-previous", "bert-context", "bert-context-previous")
BERT_OF_UTTERANCES = ("bert-utterance", "bert-utterance-previous")
BERT_WITH_PREVIOUS = ("bert-utterance-previous", "bert-context-previous")
WORDS = "tfidf-logistic"
# Name -> the models whose probabilities are averaged. Which one is shown, the validation rows say.
ENSEMBLES = {
    "bert-utterance-mean": ("bert-utterance",),
    "bert-utterance-previous-mean": ("bert-utterance-previous",),
    "bert-context-mean": ("bert-context",),
    "bert-context-previous-mean": ("bert-context-previous",),
    "bert-previous-mean": BERT_WITH_PREVIOUS,
    "bert-all-mean": BERT,
    "bert-and-words-mean": (*BERT, WORDS),
    "utterance-and-words-mean": (*BERT_OF_UTTERANCES, WORDS),
}


def read(folder: str | Path, dataset: str, profile: str, order: Sequence[str]) -> list[RunRecord]:
    """The records of a data set and protocol in a folder, in the order of these models; others are
    left out."""
    records = []
    for path in paths(folder):
        # The name is looked at first: other files of the folder need not be records at all.
        if path.name.startswith(f"{dataset}-{profile}-"):
            record = load(path)
            if record.model in order:
                records.append(record)
    return sorted(records, key=lambda record: (order.index(record.model), record.seed))


def only(record: RunRecord, ids: Collection[str]) -> RunRecord:
    """The record with the predictions of these ids alone, and without metric rows, which were those
    of all."""
    wanted = set(ids)
    kept = {}
    for part, columns in record.predictions.items():
        places = [place for place, id in enumerate(columns["id"]) if id in wanted]
        kept[part] = {}
        for name, column in columns.items():
            kept[part][name] = [column[place] for place in places]
    return replace(record, predictions=kept, rows=[])


def score(
    records: Sequence[RunRecord], model: str, metric: str, part: str = "test", draws: int = 1000
) -> tuple[float, float, float, int]:
    """Mean of a metric over the seeds of a model, its 95 % interval by dialogue, and the number of
    seeds.

    metric: one of COUNTED. The interval speaks of other dialogues, with these trained models.
    """
    runtime.one_of("metric of classes", metric, COUNTED)
    side = comparison.predictions_by_seed(records, model, part)
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(side.counts), draws, rng=0))
    values = []
    for predicted in side.predicted:
        confusions = weights @ by_group(side, predicted)
        values.append(COUNTED[metric](confusions))
    return (*bootstrap.estimate(np.mean(values, axis=0)), len(side.predicted))


def by_group(side: SeededPredictions, predicted: np.ndarray) -> np.ndarray:
    """The confusion of each dialogue as a row of 25 counts, [G, 25]: a draw of dialogues is a
    weighted sum of rows."""
    cell = N_CLASSES * (classes(side.rating) - 1) + classes(predicted) - 1
    counts = np.zeros((len(side.counts), N_CLASSES**2))
    np.add.at(counts, (side.group, cell), 1)
    return counts


def _hits(cells: np.ndarray) -> np.ndarray:
    """The diagonals [D, 5] of confusions [D, 25]."""
    return cells[:, :: N_CLASSES + 1]


def _accuracy(cells: np.ndarray) -> np.ndarray:
    return _hits(cells).sum(axis=1) / cells.sum(axis=1)


def _macro_f1(cells: np.ndarray) -> np.ndarray:
    tables = cells.reshape(-1, N_CLASSES, N_CLASSES)
    size = tables.sum(axis=1) + tables.sum(axis=2)
    # A class that was neither rated nor predicted has no F1: it adds nothing and is not counted.
    f1 = 2 * _hits(cells) / np.maximum(size, 1)
    return f1.sum(axis=1) / (size > 0).sum(axis=1)


# Metric -> its values [D] from confusions [D, 25].
COUNTED = {"accuracy": _accuracy, "macro_f1": _macro_f1}


def ensemble(
    records: Sequence[RunRecord],
    name: str,
    members: Sequence[str],
    metric_names: Sequence[str] = (),
) -> RunRecord:
    """The record of the mean probabilities of several models, each over its seeds; see ENSEMBLES.

    metric_names: the metrics of which it gets rows, with intervals. Raises ValueError where a
    member has no record, or they were judged on different rows.
    """
    own = comparable_records.comparable([r for r in records if r.model in members])
    _check_members(own, name, members)
    first = own[0]
    parts = {}
    for part in first.predictions:
        kept = judging.from_record(first, part)
        # Seeds first, then members: a model with more seeds does not count for more.
        mean = np.mean([_mean_distribution(own, member, part) for member in members], axis=0)
        parts[part] = judging.from_probabilities(kept.examples, kept.rating, mean, keep=True)
    job = {
        "model": name,
        "dataset": first.dataset,
        "profile": first.profile,
        "seed": 0,
        "data_sha256": first.data_sha256,
        "split_sha256": first.split_sha256,
    }
    seeds = {}
    for member in members:
        seeds[member] = [record.seed for record in own if record.model == member]
    parameters = {"encoder": first.parameters["encoder"], "members": seeds}
    return judging.record(job, parts, metric_names, parameters)


def _check_members(own: Sequence[RunRecord], name: str, members: Sequence[str]) -> None:
    """Refuse members without a record, and members that were judged on different rows."""
    there = comparable_records.models(own)
    missing = [member for member in members if member not in there]
    if missing:
        raise ValueError(
            f"no record of {' and '.join(missing)}, a member of {name!r}; make it first"
        )
    for part, columns in own[0].predictions.items():
        for record in own:
            if record.predictions[part]["id"] != columns["id"]:
                raise ValueError(
                    f"the members of {name!r} were judged on different {part} rows; make them again"
                )


def _mean_distribution(records: Sequence[RunRecord], member: str, part: str) -> np.ndarray:
    """Mean probabilities [N, 5] over the seeds of one model."""
    own = [record for record in records if record.model == member]
    return np.mean([record.predictions[part]["distribution"] for record in own], axis=0)
