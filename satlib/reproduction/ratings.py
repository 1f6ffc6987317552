"""Rating prediction: four splits of the same ratings, three ways to average an error, and the
record of a model.

Taught with lesson 64.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime
from satlib.data import splits
from satlib.data.corpora import Loaded
from satlib.data.interactions import PARTS, Example
from satlib.data.splits import Parts
from satlib.evaluation import bootstrap, comparison, judging

SPLITS = ("rows", "user-time", "leave-last-out", "global-time")


def cut(examples: Sequence[Example], name: str) -> Parts:
    """Examples by part under one of SPLITS: 80/10/10 of the rows by a rule of ``splits``, or the
    last of each user."""
    runtime.one_of("split", name, SPLITS)
    return (
        leave_last_out(examples) if name == "leave-last-out" else splits.split(examples, rule=name)
    )


def leave_last_out(examples: Sequence[Example]) -> Parts:
    """The last row of each user in time is tested, the one before it validates; equal moments go by
    id.

    Who is tested must be known: a lone row trains, and of two rows the first trains.
    """
    users, side = defaultdict(list), ["train"] * len(examples)
    for i in splits.in_order(examples):
        users[examples[i].group].append(i)
    for rows in users.values():
        for i, part in zip(rows[:0:-1], ("test", "validation")[: len(rows) - 1], strict=False):
            side[i] = part
    parts = {
        part: [e for e, where in zip(examples, side, strict=True) if where == part]
        for part in PARTS
    }
    splits.check(parts, "user-time")
    return parts


def seen(parts: Parts) -> dict[str, list[int]]:
    """For each test row, how many training rows its user has, and how many its item has."""
    users, items = (
        Counter(e.group for e in parts["train"]),
        Counter(e.target.text for e in parts["train"]),
    )
    return {
        "user_rows": [users[e.group] for e in parts["test"]],
        "item_rows": [items[e.target.text] for e in parts["test"]],
    }


def rmse_by_user(rating: Sequence[float], predicted: Sequence[float], group: Sequence) -> float:
    """The mean over users of each one's RMSE, in stars: a user of one row counts as much as a user
    of a hundred."""
    _, user = np.unique(np.asarray(group), return_inverse=True)
    squares = np.bincount(user, (np.asarray(rating, float) - np.asarray(predicted, float)) ** 2)
    return float(np.sqrt(squares / np.bincount(user)).mean())


def known_only(
    rating: Sequence[float],
    predicted: Sequence[float],
    group: Sequence,
    user_rows: Sequence[int],
    item_rows: Sequence[int],
) -> float:
    """``rmse_by_user`` of the rows whose user and item have training rows, as Cornac gives it; nan
    where none has.

    Source: PreferredAI/cornac, eval_methods/base_method.py, ``exclude_unknowns`` and
    ``user_based``.
    """
    kept = (np.asarray(user_rows) > 0) & (np.asarray(item_rows) > 0)
    if not kept.any():
        return float("nan")
    return rmse_by_user(
        np.asarray(rating)[kept], np.asarray(predicted)[kept], np.asarray(group)[kept]
    )


def scores(
    rating: np.ndarray, predicted: np.ndarray, group: Sequence, draws: int = 1000
) -> dict[str, tuple]:
    """rmse, mae and rmse_by_user -> value and 95 % interval by user; all see the same draws of
    users."""
    found = _drawn(rating, predicted, group, draws)
    return {
        name: bootstrap.estimate(values)
        for name, values in found.items()
    }


def _drawn(
    rating: np.ndarray, predicted: np.ndarray, group: Sequence, draws: int
) -> dict[str, np.ndarray]:
    """Each metric [1 + draws]: on the users as they are, and on users drawn with replacement; from
    the users' sums."""
    _, user = np.unique(np.asarray(group), return_inverse=True)
    rows, error = np.bincount(user), np.asarray(rating) - np.asarray(predicted)
    square, absolute = np.bincount(user, error**2), np.bincount(user, np.abs(error))
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(rows), draws, 0))
    n = weights @ rows
    return {
        "rmse": np.sqrt(weights @ square / n),
        "mae": weights @ absolute / n,
        "rmse_by_user": weights @ np.sqrt(square / rows) / len(rows),
    }


def summary(
    found: Sequence[records.RunRecord], metric: str = "rmse", draws: int = 1000
) -> tuple[float, float, float]:
    """A metric of the test rows and its 95 % interval by user, averaged over the seeds of one model
    on one split."""
    if len({(r.dataset, r.model, r.split_sha256) for r in found}) != 1:
        raise ValueError(
            f"{sorted({r.name for r in found})} are not seeds of one model on one split; give those"
        )
    tests = [r.predictions["test"] for r in found]
    values = np.mean(
        [_drawn(t["rating"], t["predicted"], t["group"], draws)[metric] for t in tests], axis=0
    )
    return bootstrap.estimate(values)


def gap_by_user(
    one: Sequence[records.RunRecord], other: Sequence[records.RunRecord], draws: int = 1000
) -> tuple[float, float, float]:
    """rmse_by_user of one model (its seeds) minus that of another on the same test rows, and the
    paired interval."""
    sides = []
    for found in (one, other):
        own = comparison.predictions_by_seed(found, found[0].model)
        sides.append((own.ids, np.sqrt(comparison.sums(own) / own.counts).mean(axis=0)))
    if sides[0][0] != sides[1][0]:
        raise ValueError(
            f"{one[0].name} and {other[0].name} were judged on different rows; take one split"
        )
    change = sides[0][1] - sides[1][1]
    drawn = bootstrap.group_weights(len(change), draws, 0) @ change / len(change)
    return (float(change.mean()), *bootstrap.interval(drawn))


def job(
    dataset: str, model: str, seed: int, loaded: Loaded, parts: Parts, folder: str | Path
) -> dict:
    """The fields of a record of protocol D; the split is written beside it, as ids of all rows that
    do not train."""
    ids = {part: [e.id for e in parts[part]] for part in PARTS if part != "train"}
    return {
        "model": model,
        "dataset": dataset,
        "profile": "D",
        "seed": seed,
        "data_sha256": loaded.sha256,
        "split_sha256": record_cache.save_split(f"split-{dataset}-D", ids, folder),
    }


def judge(
    about: dict,
    parts: Parts,
    found: dict[str, np.ndarray],
    parameters: dict,
    curves: Sequence[dict] = (),
    columns: dict[str, list] | None = None,
) -> records.RunRecord:
    """The record of predictions by part: metric rows of the judged parts, and the test rows one by
    one.

    about: what ``job`` gave. columns: more columns of the test rows.
    """
    rating = {part: np.array([e.rating for e in parts[part]]) for part in found}
    found = {
        part: predicted.round(4) for part, predicted in found.items()
    }  # as the record holds them
    one = judging.Judged(parts["test"], rating["test"], found["test"])
    made = judging.record(about, {"test": one}, [], parameters, curves)
    made.predictions["test"] |= columns or {}
    for part, predicted in found.items():
        numbers = scores(rating[part], predicted, [e.group for e in parts[part]])
        made.rows += [
            judging.row(about, part, name, n, len(predicted)) for name, n in numbers.items()
        ]
    return made


def read(folder: str | Path) -> dict[tuple[str, str], list[records.RunRecord]]:
    """The records of protocol D in a folder: (data set, model) -> its seeds in order. Other files
    there are left."""
    found = defaultdict(list)
    for path in records.paths(folder):
        if "-D-" in path.name:
            made = records.load(path)
            found[made.dataset, made.model].append(made)
    return dict(found)


def only(record: records.RunRecord, kept: Sequence[bool]) -> records.RunRecord:
    """The record with those test rows [N] alone for which ``kept`` is true, and without metric
    rows."""
    columns = {
        name: [x for x, keep in zip(column, kept, strict=True) if keep]
        for name, column in record.predictions["test"].items()
    }
    return replace(record, rows=[], predictions={"test": columns})
