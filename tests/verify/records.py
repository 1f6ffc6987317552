"""Committed run records, read as the files that they are: JSON, some of it packed by LZMA."""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

Records = dict[str, list[dict]]  # model -> its records in the order of their seeds


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the S seeds of a model predicted for the N rows of a part.

    predicted [S, N]: ratings, or the classes of a classifier. expected [S, N]: the expected rating,
    which a classifier has beside its class; else the same. distribution [S, N, 5]: probabilities of
    the ratings; None where they were not kept. rating [N]. group [N]: users or dialogues, numbered
    from 0.
    """

    model: str
    ids: list[str]
    rating: np.ndarray
    group: np.ndarray
    predicted: np.ndarray
    expected: np.ndarray
    distribution: np.ndarray | None = None

    @property
    def seeds(self) -> int:
        """How many seeds there are."""
        return len(self.predicted)


@cache
def read(path: Path) -> dict:
    """A file's content."""
    content = path.read_bytes()
    if path.suffix == ".xz":
        content = lzma.decompress(content)
    return json.loads(content)


@cache
def protocols(folder: Path) -> dict[tuple[str, str], Records]:
    """(Data set, profile) -> the records in a folder; ValueError where a seed is there twice."""
    found: dict[tuple[str, str], Records] = {}
    for path in sorted([*folder.glob("*-seed*.json"), *folder.glob("*-seed*.json.xz")]):
        record = read(path)
        models = found.setdefault((record["dataset"], record["profile"]), {})
        models.setdefault(record["model"], []).append(record)
    for (dataset, profile), models in found.items():
        for model, own in models.items():
            own.sort(key=lambda record: record["seed"])
            if len(set(seeds(own))) < len(own):
                raise ValueError(
                    f"{folder.name} has two records of one seed of {model} on {dataset}, profile "
                    f"{profile}; delete one of the files"
                )
    return found


def seeds(records: Sequence[dict]) -> list[int]:
    """The seeds of the records of a model."""
    return [record["seed"] for record in records]


def training_rows(records: Sequence[dict]) -> int | None:
    """How many rows taught a model; None where its records do not say. ValueError where its seeds
    learned from different numbers."""
    counts = {record["parameters"].get("train_rows") for record in records}
    if len(counts) > 1:
        raise ValueError(f"the seeds of {records[0]['model']} learned from {sorted(counts)} rows")
    return counts.pop()


def predictions(records: Sequence[dict], part: str = "test") -> Predictions:
    """What the records of one model predicted; ValueError where its seeds were judged on different
    rows."""
    columns = [record["predictions"][part] for record in records]
    first = columns[0]
    model = records[0]["model"]
    for other in columns:
        if any(other[name] != first[name] for name in ("id", "rating", "group")):
            raise ValueError(f"the seeds of {model} were judged on different {part} rows")

    def by_seed(name: str) -> np.ndarray:
        return np.array([own[name] for own in columns], float)

    _, group = np.unique(first["group"], return_inverse=True)
    return Predictions(
        model=model,
        ids=first["id"],
        rating=np.array(first["rating"], float),
        group=group,
        predicted=by_seed("predicted"),
        expected=by_seed("expected" if "expected" in first else "predicted"),
        distribution=by_seed("distribution") if "distribution" in first else None,
    )


def of_rows(own: Predictions, rows: Predictions) -> Predictions:
    """What a model predicted for the ids of other rows, of which several may have one id."""
    place = {id: number for number, id in enumerate(own.ids)}
    order = [place[id] for id in rows.ids]
    predicted, expected = own.predicted[:, order], own.expected[:, order]
    return replace(rows, model=own.model, predicted=predicted, expected=expected)


def average(members: Sequence[Predictions]) -> Predictions:
    """The mean of the members' probabilities, each first over its seeds, as one model."""
    stars = np.arange(1, 6)
    together = np.mean([member.distribution.mean(axis=0) for member in members], axis=0)
    predicted = stars[together.argmax(axis=1)].astype(float)
    name = " and ".join(member.model for member in members)
    return replace(
        members[0], model=name, predicted=predicted[None], expected=(together @ stars)[None]
    )
