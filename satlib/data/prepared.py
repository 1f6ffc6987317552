"""A data set made ready in one call: loaded, cut into parts, cut down to size and looked over for
leaks.

Lessons 01 to 05 take these steps one by one; every later lesson starts with ``prepare``.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from satlib.data import corpora, leaks, splits
from satlib.data.corpora import Loaded
from satlib.data.leaks import Finding
from satlib.data.splits import Parts


@dataclass(frozen=True)
class Prepared:
    """A loaded data set and its parts: "train", "validation" and "test" -> Examples.

    suspects: what the leak checker found that somebody must look at.
    """

    loaded: Loaded
    parts: Parts
    suspects: list[Finding] = field(default_factory=list)

    @property
    def ratings(self) -> dict[str, np.ndarray]:
        """Part -> ratings [N], on the scale of the data set, in the order of its examples."""
        ratings = {}
        for part, examples in self.parts.items():
            ratings[part] = np.array([example.rating for example in examples])
        return ratings

    @property
    def sizes(self) -> dict[str, int]:
        """Part -> number of examples."""
        return {part: len(examples) for part, examples in self.parts.items()}

    @property
    def split_sha256(self) -> str:
        """Checksum of which example lies in which part; models are comparable where it is equal."""
        return splits.checksum(self.parts)


def prepare(
    dataset: str,
    data_dir: str | Path = "",
    *,
    train_rows: int = 0,
    validation_rows: int = 0,
    test_rows: int = 0,
    **options,
) -> Prepared:
    """Load a data set, cut it by its own rule, keep at most so many rows of each part, check it.

    train_rows, validation_rows, test_rows: 0 keeps all; which rows are kept, ``splits.subset``
    says. options: those of ``corpora.load``; a seed there is that of its ``limit``, so the cut is
    the same for every seed. Raises ValueError for an unknown data set, for fewer than 0 rows and
    for parts that leak into each other.
    """
    loaded = corpora.load(dataset, data_dir, **options)
    whole = splits.split_corpus(loaded)
    parts = splits.subset(
        whole,
        train=_limit("train_rows", train_rows),
        validation=_limit("validation_rows", validation_rows),
        test=_limit("test_rows", test_rows),
    )
    suspects = leaks.check(parts, loaded.rule)
    return Prepared(loaded, parts, suspects)


def _limit(name: str, rows: int) -> int | None:
    """A number of rows as ``splits.subset`` takes it: None for all, which a lesson writes as 0."""
    if rows < 0:
        raise ValueError(f"{name} is {rows}; take at least 1 row, or 0 for all")
    if rows == 0:
        return None
    return rows
