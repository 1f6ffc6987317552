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
from satlib.reproduction import record_rows

SPLITS = ("rows", "user-time", "leave-last-out", "global-time")


def cut(examples: Sequence[Example], name: str) -> Parts:
    """Examples by part under one of SPLITS: 80/10/10 of the rows by a rule of ``splits``, or the
    last of each user."""
    runtime.one_of("split", name, SPLITS)
    if name == "leave-last-out":
        return leave_last_out(examples)
    return splits.split(examples, rule=name)


def leave_last_out(examples: Sequence[Example]) -> Parts:
    """The last row of each user in time is tested, the one before it validates; equal moments go by
    id.

    Who is tested must be known: a lone row trains, and of two rows the first trains.
    """
    rows_of_user = defaultdict(list)  # in order of time
    for row in splits.in_order(examples):
        rows_of_user[examples[row].group].append(row)
    place = ["train"] * len(examples)
    for rows in rows_of_user.values():
        if len(rows) > 1:
            place[rows[-1]] = "test"
        if len(rows) > 2:
            place[rows[-2]] = "validation"
    parts = {part: [] for part in PARTS}
    for example, part in zip(examples, place, strict=True):
        parts[part].append(example)
    splits.check(parts, "user-time")
    return parts


def seen(parts: Parts) -> dict[str, list[int]]:
    """For each test row, how many training rows its user has, and how many its item has."""
    users = Counter(example.group for example in parts["train"])
    items = Counter(example.target.text for example in parts["train"])
    return {
        "user_rows": [users[example.group] for example in parts["test"]],
        "item_rows": [items[example.target.text] for example in parts["test"]],
    }


def rmse_by_user(rating: Sequence[float], predicted: Sequence[float], group: Sequence) -> float:
    """The mean over users of each one's RMSE, in stars: a user of one row counts as much as a user
    of a hundred."""
    _, user = np.unique(np.asarray(group), return_inverse=True)
    error = np.asarray(rating, float) - np.asarray(predicted, float)
    mean_square = np.bincount(user, error**2) / np.bincount(user)
    return float(np.sqrt(mean_square).mean())


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
    known = (np.asarray(user_rows) > 0) & (np.asarray(item_rows) > 0)
    if not known.any():
        return float("nan")
    rating = np.asarray(rating)[known]
    predicted = np.asarray(predicted)[known]
    group = np.asarray(group)[known]
    return rmse_by_user(rating, predicted, group)


def scores(
    rating: np.ndarray, predicted: np.ndarray, group: Sequence, draws: int = 1000
) -> dict[str, tuple[float, float, float]]:
    """rmse, mae and rmse_by_user -> value and 95 % interval by user; all see the same draws of
    users."""
    drawn = _drawn(rating, predicted, group, draws)
    return {metric: bootstrap.estimate(values) for metric, values in drawn.items()}


def _drawn(
    rating: Sequence[float], predicted: Sequence[float], group: Sequence, draws: int
) -> dict[str, np.ndarray]:
    """Each metric [1 + draws]: on the users as they are, and on users drawn with replacement; from
    the users' sums."""
    _, user = np.unique(np.asarray(group), return_inverse=True)
    error = np.asarray(rating) - np.asarray(predicted)
    rows = np.bincount(user)
    square = np.bincount(user, error**2)
    absolute = np.bincount(user, np.abs(error))
    users = len(rows)
    weights = bootstrap.with_everyone(bootstrap.group_weights(users, draws, 0))
    n = weights @ rows
    return {
        "rmse": np.sqrt(weights @ square / n),
        "mae": weights @ absolute / n,
        "rmse_by_user": weights @ np.sqrt(square / rows) / users,
    }


def summary(
    seeds: Sequence[records.RunRecord], metric: str = "rmse", draws: int = 1000
) -> tuple[float, float, float]:
    """A metric of the test rows and its 95 % interval by user, averaged over the seeds of one model
    on one split."""
    kinds = {(record.dataset, record.model, record.split_sha256) for record in seeds}
    if len(kinds) != 1:
        names = sorted({record.name for record in seeds})
        raise ValueError(f"{names} are not seeds of one model on one split; give those")
    drawn = []
    for record in seeds:
        test = record.predictions["test"]
        values = _drawn(test["rating"], test["predicted"], test["group"], draws)
        drawn.append(values[metric])
    return bootstrap.estimate(np.mean(drawn, axis=0))


def best_on_validation(
    rated: dict[tuple[str, str], list[records.RunRecord]], dataset: str, models: Sequence[str]
) -> str:
    """The one of these models with the lowest RMSE on the validation rows, the mean over its seeds.

    rated: what ``read`` gives. Test rows have no part in the choice.
    """
    errors = {}
    for model in models:
        rows = [record_rows.row_of(r, "rmse", "validation") for r in rated[dataset, model]]
        errors[model] = np.mean([row["value"] for row in rows])
    return min(errors, key=errors.get)


def gap_by_user(
    one: Sequence[records.RunRecord], other: Sequence[records.RunRecord], draws: int = 1000
) -> tuple[float, float, float]:
    """rmse_by_user of one model (its seeds) minus that of another on the same test rows, and the
    paired interval."""
    ids, errors = _user_rmse(one)
    other_ids, other_errors = _user_rmse(other)
    if ids != other_ids:
        raise ValueError(
            f"{one[0].name} and {other[0].name} were judged on different rows; take one split"
        )
    change = errors - other_errors
    users = len(change)
    drawn = bootstrap.group_weights(users, draws, 0) @ change / users
    return (float(change.mean()), *bootstrap.interval(drawn))


def _user_rmse(seeds: Sequence[records.RunRecord]) -> tuple[list[str], np.ndarray]:
    """The ids of the test rows, and each user's RMSE [G] as a mean over the seeds."""
    side = comparison.predictions_by_seed(seeds, seeds[0].model)
    by_seed = np.sqrt(comparison.sums(side) / side.counts)
    return side.ids, by_seed.mean(axis=0)


def job_of(
    dataset: str, model: str, seed: int, loaded: Loaded, parts: Parts, folder: str | Path
) -> dict:
    """The fields that name a record of protocol D; the split is written beside it, as ids of all
    rows that do not train."""
    ids = {}
    for part in ("validation", "test"):
        ids[part] = [example.id for example in parts[part]]
    return {
        "model": model,
        "dataset": dataset,
        "profile": "D",
        "seed": seed,
        "data_sha256": loaded.sha256,
        "split_sha256": record_cache.save_split(f"split-{dataset}-D", ids, folder),
    }


def judge(
    job: dict,
    parts: Parts,
    predicted: dict[str, np.ndarray],
    parameters: dict,
    curves: Sequence[dict] = (),
    columns: dict[str, list] | None = None,
    seconds: float | None = None,
) -> records.RunRecord:
    """The record of predictions by part: metric rows of the judged parts, and the test rows one by
    one.

    job: what ``job_of`` gave. columns: more columns of the test rows. seconds: how long it took to
    fit and to predict.
    """
    judged = {}
    for part, values in predicted.items():
        judged[part] = judging.from_ratings(parts[part], values)
    # Its metrics are its own (``rmse_by_user`` is one), so no names of metrics are given here.
    record = judging.record(
        job, {"test": judged["test"]}, [], parameters, curves, domains=True, seconds=seconds
    )
    if columns is not None:
        record.predictions["test"] |= columns
    for part, one in judged.items():
        for metric, numbers in scores(one.rating, one.predicted, one.groups).items():
            record.rows.append(judging.row(job, part, metric, numbers, len(one.rating)))
    return record


def read(folder: str | Path) -> dict[tuple[str, str], list[records.RunRecord]]:
    """The records of protocol D in a folder: (data set, model) -> its seeds in order. Other files
    there are left."""
    seeds = defaultdict(list)
    for path in records.paths(folder):
        if "-D-" in path.name:
            record = records.load(path)
            seeds[record.dataset, record.model].append(record)
    return dict(seeds)


def only(record: records.RunRecord, kept: Sequence[bool]) -> records.RunRecord:
    """The record with those test rows [N] alone for which ``kept`` is true, and without metric
    rows."""
    columns = {}
    for name, values in record.predictions["test"].items():
        columns[name] = [value for value, keep in zip(values, kept, strict=True) if keep]
    return replace(record, rows=[], predictions={"test": columns})
