"""A data set made ready in one call: loaded, cut into parts, cut down to size and looked over for leaks.

Lesson 01 to 05 take these steps one by one; every later lesson starts with ``prepare``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satlib.data import corpora, leaks, splits
from satlib.data.corpora import Loaded
from satlib.data.interactions import Example


@dataclass(frozen=True)
class Prepared:
    """A loaded data set and its parts: "train", "validation" and "test" -> examples."""

    loaded: Loaded
    parts: dict[str, list[Example]]

    @property
    def ratings(self) -> dict[str, np.ndarray]:
        """Part -> ratings [N] on the scale of the data set."""
        return {
            part: np.array([example.rating for example in examples])
            for part, examples in self.parts.items()
        }

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
    """Load a data set, cut it by its own rule, keep so many rows of each part (0: all), check it.

    options: those of ``corpora.load``. Raises ValueError for an unknown data set, for too many rows
    and for parts that leak into each other.
    """
    loaded = corpora.load(dataset, data_dir, **options)
    limits = {"train": train_rows, "validation": validation_rows, "test": test_rows}
    wanted = {part: rows or None for part, rows in limits.items()}
    parts = splits.subset(splits.of(loaded), **wanted)
    leaks.check(parts, loaded.rule)
    return Prepared(loaded, parts)
