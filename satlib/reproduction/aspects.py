"""Aspects: what annotators' other answers tell of an overall rating, the same annotator's and the
others' (AB-ReDial).

Taught with lesson 63 beside ``protocol_c``, whose folds of whole conversations hold here too.
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


@dataclass(frozen=True)
class Answers:
    """Annotators' answers: item [R] (ids as in the corpus), conversation [R], aspects [R, A],
    overall rating [R]."""

    item: np.ndarray
    group: np.ndarray
    aspects: np.ndarray
    overall: np.ndarray

    def means(self) -> "Answers":
        """One row an item: the means over its annotators, items in order of their ids."""
        item, first, which = np.unique(self.item, return_index=True, return_inverse=True)
        total = [
            np.bincount(which, column) / np.bincount(which)
            for column in (*self.aspects.T, self.overall)
        ]
        return Answers(item, self.group[first], np.column_stack(total[:-1]), total[-1])


def answers(level: str, data_dir: str | Path = "") -> Answers:
    """The rows of the published file in its order; one without all its ratings is left out."""
    runtime.one_of("level", level, ASPECTS)
    path = corpora.find("ab-redial", data_dir)[f"annotated_{level}s.csv"]
    names, known, found = {}, {}, []
    for _, row in table_files.csv_rows(path, []):
        words = tuple(text for name, text in row.items() if name.startswith("utterance") and text)
        for turn, end in (
            (("1", 4), ("2", 8), ("3", 12)) if level == "turn" else (("", len(words)),)
        ):
            cells = [
                row[f"{name}{turn}"]
                for name in (*ASPECTS[level], "overall" if turn else "dialogue-overall")
            ]
            if not all(cells):
                continue
            key, group = (row["ConvId"], turn, words[:end]), f"ab-redial-{row['ConvId']}"
            if key not in names:  # five ConvIds stand for two dialogues each
                known[key[:2]] = known.get(key[:2], 0) + 1
                names[key] = f"{group}-{known[key[:2]]}" + (f"-{turn}" if turn else "")
            found.append((names[key], group, [float(cell) for cell in cells]))
    item, group, values = zip(*found, strict=True)
    return Answers(
        np.array(item), np.array(group), np.array(values)[:, :-1], np.array(values)[:, -1]
    )


def others(item: Sequence, values: np.ndarray) -> np.ndarray:
    """For each row the mean of the other rows of its item: values [R] or [R, A] give the same
    shape.

    Raises ValueError for an item with a single row.
    """
    _, which, size = np.unique(item, return_inverse=True, return_counts=True)
    if size.min() < 2:
        raise ValueError("an item has a single annotator; leave it out, as it has no others")
    values = np.asarray(values, dtype=float)
    columns = values[:, None] if values.ndim == 1 else values
    total = np.column_stack([np.bincount(which, column) for column in columns.T])
    return ((total[which] - columns) / (size[which] - 1)[:, None]).reshape(values.shape)


def pairs(item: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers [P] and [P] of every ordered pair of two annotators of one item."""
    item = np.asarray(item)
    one, other = np.nonzero((item[:, None] == item[None, :]) & ~np.eye(len(item), dtype=bool))
    return one, other


def correlations(rows: Answers, level: str, turn: str = "") -> list[dict]:
    """Pearson's r of each aspect, and of the overall rating, with an overall rating, by WHO gave
    the former.

    A dict each, with the interval by conversation. turn: only the first, second or third turns
    ("1", "2", "3").
    """
    kept = np.array([name.endswith(f"-{turn}" if turn else "") for name in rows.item])
    rows = Answers(rows.item[kept], rows.group[kept], rows.aspects[kept], rows.overall[kept])
    (one, other), whole = pairs(rows.item), rows.means()
    given, average = (np.column_stack([r.aspects, r.overall]) for r in (rows, whole))
    rest, table = others(rows.item, given), []
    for column, name in enumerate((*ASPECTS[level], "overall")):
        seen = {
            "same annotator": (given[:, column], rows.overall, rows.group),
            "mean of the others": (rest[:, column], rows.overall, rows.group),
            "one other": (given[other, column], rows.overall[one], rows.group[one]),
            "means": (average[:, column], whole.overall, whole.group),
        }
        for who in WHO[1:3] if name == "overall" else WHO:  # a rating with itself tells nothing
            x, y, group = seen[who]
            numbers = metrics.pearson(y, x), *bootstrap.bootstrap(metrics.pearson, y, x, group)
            table.append(
                {"aspect": name, "who": who, "turn": turn, "n": len(y)}
                | dict(zip(("value", "low", "high"), (round(v, 6) for v in numbers), strict=True))
            )
    return table


def ceiling(r: float, size: float) -> float:
    """Highest correlation with the mean rating of ``size`` annotators that anyone can reach who
    knows how good the item is but no annotator, where r is the correlation of one annotator's
    rating with another's.

    Raises ValueError where r is not in (0, 1] or size below 1. Source: the square root of the
    formula of Spearman and of Brown, British Journal of Psychology 3, 1910.
    """
    if not (0 < r <= 1 and size >= 1):
        raise ValueError(
            f"r = {r} of {size} annotators; give an r in (0, 1] and at least 1 annotator"
        )
    return math.sqrt(size * r / (1 + (size - 1) * r))


def regress(x: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Least squares of y [R] on x [R, A] and a constant; each row is predicted from the other
    folds' conversations."""
    fold, x = ab_redial.folds(groups), np.column_stack([np.ones(len(y)), x])
    found = np.zeros(len(y))
    for k in np.unique(fold):
        found[fold == k] = x[fold == k] @ np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]
    return found


def questions(rows: Answers) -> dict[str, tuple[Answers, np.ndarray]]:
    """Name -> the rows whose overall rating is to be told, and from what [R, A]."""
    whole = rows.means()
    return {
        "same annotator's aspects": (rows, rows.aspects),
        "others' aspects": (rows, others(rows.item, rows.aspects)),
        "others' overall": (rows, others(rows.item, rows.overall)[:, None]),
        "means of the same annotators": (whole, whole.aspects),
    }


def recompute(level: str, folder: str | Path, data_dir: str = "") -> records.RunRecord:
    """The record of what aspects tell of an overall rating: a part for each of ``questions``, the
    ``correlations`` as curves. Read from ``folder`` where it is, else made."""
    job, _ = ab_redial.job_of("aspects", level, 0, folder, data_dir)
    parameters = {"encoder": protocols.ENCODER}

    def make() -> records.RunRecord:
        rows, judged = answers(level, data_dir), {}
        for name, (asked, seen) in questions(rows).items():
            found = regress(seen, asked.overall, asked.group)
            ids = list(map(judging.RecordedExample, asked.item.tolist(), asked.group.tolist()))
            judged[name] = judging.Judged(ids, asked.overall, found, found)
        turns = ("", "1", "2", "3") if level == "turn" else ("",)
        table = [line for turn in turns for line in correlations(rows, level, turn)]
        return judging.record(job, judged, protocols.PROTOCOLS["C"].metrics, parameters, table)

    return record_cache.complete(job, parameters, make, folder)
