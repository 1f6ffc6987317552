"""Aspects: what annotators' other answers tell of an overall rating, the same annotator's and the
others' (AB-ReDial).

Taught with lesson 63 beside ``ab_redial``, whose folds of whole conversations hold here too.
``recompute`` gives the record of a level, from the rows of the published files. Source: Siro et
al., ACM TOIS 2023, doi 10.1145/3624989.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.data import corpora, table_files
from satlib.evaluation import bootstrap, judging, metrics
from satlib.reproduction import ab_redial, protocols

ASPECTS = {
    "turn": ("relevance", "interestingness"),
    "dialogue": ("understanding", "task-completion", "interest-arousal", "efficiency"),
}
WHO = ("same annotator", "mean of the others", "one other", "means")


# The three turns of a row of the published file, and after how many utterances each ends.
TURN_ENDS = {"1": 4, "2": 8, "3": 12}


@dataclass(frozen=True)
class Answers:
    """Annotators' answers: item [R] (ids as in the corpus), conversation [R], aspects [R, A],
    overall rating [R]."""

    item: np.ndarray
    group: np.ndarray
    aspects: np.ndarray
    overall: np.ndarray

    def only(self, rows: np.ndarray) -> "Answers":
        """The rows where ``rows`` [R] is true."""
        return Answers(self.item[rows], self.group[rows], self.aspects[rows], self.overall[rows])

    def means(self) -> "Answers":
        """One row an item: the means over its annotators, items in order of their ids."""
        item, first_row, number = np.unique(self.item, return_index=True, return_inverse=True)
        size = np.bincount(number)
        aspects = [np.bincount(number, column) / size for column in self.aspects.T]
        overall = np.bincount(number, self.overall) / size
        return Answers(item, self.group[first_row], np.column_stack(aspects), overall)


def answers(level: str, data_dir: str | Path = "") -> Answers:
    """The rows of the published file in its order; one without all its ratings is left out."""
    runtime.one_of("level", level, ASPECTS)
    path = corpora.find("ab-redial", data_dir)[f"annotated_{level}s.csv"]
    items, groups, ratings = [], [], []
    names = ItemNames()
    for _, row in table_files.csv_rows(path, []):
        for turn, columns in _rating_columns(level).items():
            cells = [row[column] for column in columns]
            if all(cells):
                items.append(names.name(row, turn))
                groups.append(_group(row))
                ratings.append([float(cell) for cell in cells])
    ratings = np.array(ratings)
    return Answers(np.array(items), np.array(groups), ratings[:, :-1], ratings[:, -1])


def _rating_columns(level: str) -> dict[str, list[str]]:
    """Turn ("" for the whole dialogue) -> the columns of its ratings, the overall one last."""
    if level == "dialogue":
        return {"": [*ASPECTS["dialogue"], "dialogue-overall"]}
    columns = {}
    for turn in TURN_ENDS:
        columns[turn] = [f"{name}{turn}" for name in (*ASPECTS["turn"], "overall")]
    return columns


def _group(row: dict[str, str]) -> str:
    return f"ab-redial-{row['ConvId']}"


class ItemNames:
    """The ids of what is rated, as the corpus has them: a ConvId may stand for two dialogues, which
    are told apart by their words and numbered in the order of the file."""

    def __init__(self):
        self.texts: dict[tuple[str, str], list[tuple[str, ...]]] = {}

    def name(self, row: dict[str, str], turn: str) -> str:
        """The id of the turn ("" for the whole dialogue) of a row of the file."""
        words = []
        for column, text in row.items():
            if column.startswith("utterance") and text:
                words.append(text)
        text = tuple(words[: TURN_ENDS.get(turn)])
        known = self.texts.setdefault((row["ConvId"], turn), [])
        if text not in known:
            known.append(text)
        name = f"{_group(row)}-{known.index(text) + 1}"
        return f"{name}-{turn}" if turn else name


def others(item: Sequence, values: np.ndarray) -> np.ndarray:
    """For each row the mean of the other rows of its item: values [R] or [R, A] give the same
    shape.

    Raises ValueError for an item with a single row.
    """
    _, number, size = np.unique(item, return_inverse=True, return_counts=True)
    if size.min() < 2:
        raise ValueError("an item has a single annotator; leave it out, as it has no others")
    values = np.asarray(values, dtype=float)
    columns = values[:, None] if values.ndim == 1 else values
    total = np.column_stack([np.bincount(number, column) for column in columns.T])
    without_own = total[number] - columns
    mean = without_own / (size[number] - 1)[:, None]
    return mean.reshape(values.shape)


def pairs(item: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers [P] and [P] of every ordered pair of two annotators of one item."""
    item = np.asarray(item)
    same_item = item[:, None] == item[None, :]
    same_row = np.eye(len(item), dtype=bool)
    one, other = np.nonzero(same_item & ~same_row)
    return one, other


def correlations(rows: Answers, level: str, turn: str = "") -> list[dict]:
    """Pearson's r of each aspect, and of the overall rating, with an overall rating, by WHO gave
    the former.

    A dict each, with the interval by conversation. turn: only the first, second or third turns
    ("1", "2", "3").
    """
    if turn:
        rows = rows.only(np.array([name.endswith(f"-{turn}") for name in rows.item]))
    table = []
    for column, aspect in enumerate((*ASPECTS[level], "overall")):
        for who, (x, y, group) in _by_source(rows, column).items():
            if aspect == "overall" and who in ("same annotator", "means"):
                continue  # a rating with itself tells nothing
            r = metrics.pearson(y, x)
            low, high = bootstrap.bootstrap(metrics.pearson, y, x, group)
            line = {"aspect": aspect, "who": who, "turn": turn, "n": len(y)}
            line |= {"value": round(r, 6), "low": round(low, 6), "high": round(high, 6)}
            table.append(line)
    return table


def _by_source(rows: Answers, column: int) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of WHO -> answers to one question by them, the overall ratings that they are held against,
    and the conversations; column: the question, an aspect or last the overall rating."""
    own = np.column_stack([rows.aspects, rows.overall])[:, column]
    one, other = pairs(rows.item)
    items = rows.means()
    mean = np.column_stack([items.aspects, items.overall])[:, column]
    return {
        "same annotator": (own, rows.overall, rows.group),
        "mean of the others": (others(rows.item, own), rows.overall, rows.group),
        "one other": (own[other], rows.overall[one], rows.group[one]),
        "means": (mean, items.overall, items.group),
    }


def ceiling(r: float, size: float) -> float:
    """Highest correlation with the mean rating of ``size`` annotators that anyone can reach who
    knows how good the item is but no annotator, where r is the correlation of one annotator's
    rating with another's.

    Raises ValueError where r is not in (0, 1] or size below 1. Source: the square root of the
    formula of Spearman and of Brown, British Journal of Psychology 3, 1910.
    """
    if not 0 < r <= 1 or not size >= 1:
        raise ValueError(
            f"r = {r} of {size} annotators; give an r in (0, 1] and at least 1 annotator"
        )
    return math.sqrt(size * r / (1 + (size - 1) * r))


def regress(x: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Least squares of y [R] on x [R, A] and a constant; each row is predicted from the other
    folds' conversations."""
    fold = ab_redial.folds(groups)
    constant = np.ones(len(y))
    x = np.column_stack([constant, x])
    predicted = np.zeros(len(y))
    for k in np.unique(fold):
        test = fold == k
        weights, *_ = np.linalg.lstsq(x[~test], y[~test], rcond=None)
        predicted[test] = x[test] @ weights
    return predicted


def on_single_ratings(
    asked: records.RunRecord, seeds: Sequence[records.RunRecord], draws: int = 1000
) -> tuple[float, float, float]:
    """(r, low, high): Pearson's r of what a text model says of an item with each single rating of
    it, the mean over the model's seeds, with its 95 % interval by conversation.

    asked: the record of ``recompute``, which holds the single ratings; so the target is the same
    as that of "others' aspects". seeds: the records of one model of ``ab_redial`` on that level.
    """
    answers = asked.predictions["others' aspects"]
    rating = np.array(answers["rating"])
    said = []
    for record in seeds:
        columns = record.predictions["test"]
        by_item = dict(zip(columns["id"], columns["expected"], strict=True))
        said.append(np.array([by_item[item] for item in answers["id"]]))

    def mean_r(rows) -> float:
        return float(np.mean([metrics.pearson(rating[rows], one[rows]) for one in said]))

    ((low, high),) = bootstrap.intervals([mean_r], answers["group"], draws)
    return (mean_r(slice(None)), low, high)


def questions(rows: Answers) -> dict[str, tuple[Answers, np.ndarray]]:
    """Name -> the rows whose overall rating is to be told, and from what [R, A]."""
    items = rows.means()
    return {
        "same annotator's aspects": (rows, rows.aspects),
        "others' aspects": (rows, others(rows.item, rows.aspects)),
        "others' overall": (rows, others(rows.item, rows.overall)[:, None]),
        "means of the same annotators": (items, items.aspects),
    }


def recompute(level: str, folder: str | Path, data_dir: str = "") -> records.RunRecord:
    """The record of what aspects tell of an overall rating: a part for each of ``questions``, the
    ``correlations`` as curves. Read from ``folder`` where it is, else made."""
    job, _ = ab_redial.job_of("aspects", level, 0, folder, data_dir)
    parameters = {"encoder": protocols.ENCODER}

    def make() -> records.RunRecord:
        rows = answers(level, data_dir)
        judged = {}
        for question, (asked, seen) in questions(rows).items():
            predicted = regress(seen, asked.overall, asked.group)
            items = map(judging.RecordedExample, asked.item.tolist(), asked.group.tolist())
            judged[question] = judging.Judged(list(items), asked.overall, predicted, predicted)
        table = correlations(rows, level)
        if level == "turn":
            for turn in TURN_ENDS:
                table += correlations(rows, level, turn)
        return judging.record(job, judged, protocols.C.metrics, parameters, table)

    return record_cache.complete(job, parameters, make, folder)
