"""The rows of a training, and the batches of each epoch: who shares one, and in which order.

Taught with lesson 42 beside ``loop``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from satlib.encoding import tokens
from satlib.training.plan import Plan

POOL = 16  # batches whose rows are sorted by length together


@dataclass(frozen=True)
class Rows:
    """Tokenised examples: token id sequences [N], ratings [N] on the scale, behaviour features [N,
    F] or None.

    sequences: lists of ids, or a ``token_store.TokenStore`` of more texts than memory should hold.
    """

    sequences: Sequence[Sequence[int]]
    ratings: np.ndarray
    features: np.ndarray | None = None

    def __post_init__(self):
        texts = len(self.sequences)
        ratings = len(self.ratings)
        features = ratings if self.features is None else len(self.features)
        if texts == 0 or not texts == ratings == features:
            raise ValueError(
                f"{texts} sequences, {ratings} ratings and {features} rows of behaviour features; "
                "give equally many of each, at least one"
            )

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row: shape [N]."""
        counted = getattr(self.sequences, "lengths", None)
        if counted is not None:  # a TokenStore knows them
            return counted
        return np.array([len(sequence) for sequence in self.sequences])

    def at(self, places: np.ndarray) -> "Rows":
        """The rows at these places [M], in this order."""
        sequences = [self.sequences[place] for place in places]
        features = None if self.features is None else self.features[places]
        return Rows(sequences, self.ratings[places], features)

    def some(self, n: int) -> "Rows":
        """A seeded choice of n rows; all rows for 0, or where there are no more."""
        if n <= 0 or n >= len(self.ratings):
            return self
        rng = np.random.default_rng(0)
        places = rng.choice(len(self.ratings), n, replace=False)
        return self.at(np.sort(places))


def batches(n: int, plan: Plan, epoch: int, lengths: np.ndarray | None = None) -> list[np.ndarray]:
    """The epoch's batches: a permutation of 0..n-1 that depends on seed and epoch only, cut into
    parts.

    lengths: of the n rows in tokens. Where given, each POOL batches of the permutation are sorted
    by length before they are cut, so that rows of a batch need little padding; then the batches are
    shuffled. The parts are nearly equal in rows, or with ``plan.batch_tokens`` in positions.
    """
    rng = np.random.default_rng([plan.seed, epoch])
    order = rng.permutation(n)
    count = math.ceil(n / plan.batch_size)
    if lengths is None:
        return np.array_split(order, count)
    pool_size = POOL * plan.batch_size
    pools = np.split(order, range(pool_size, n, pool_size))
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    if plan.batch_tokens:
        cut = np.split(order, tokens.batch_cuts(lengths[order], plan.batch_tokens))
    else:
        cut = np.array_split(order, count)
    return [cut[place] for place in rng.permutation(len(cut))]


def order_of(rows: Rows, plan: Plan, epoch: int) -> list[np.ndarray]:
    """The batches of these rows in an epoch, rows of similar length together."""
    return batches(len(rows.ratings), plan, epoch, rows.lengths)


def collate(
    rows: Rows, part: np.ndarray, device: torch.device, pad_id: int = 0
) -> dict[str, torch.Tensor]:
    """Rows of a batch as tensors on the device, padded to the longest of them only."""
    ids, mask = tokens.pad([rows.sequences[row] for row in part], pad_id)
    batch = {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": rows.ratings[part].astype(np.float32),
    }
    if rows.features is not None:
        batch["features"] = rows.features[part].astype(np.float32)
    return {name: torch.as_tensor(value, device=device) for name, value in batch.items()}
