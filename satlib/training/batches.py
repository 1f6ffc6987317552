"""What a training is to do: its hyperparameters, its rows, their order, and the learning rate of
each update.

Taught with lesson 42 beside ``training``, whose loop follows a Plan.
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
        rows = (
            len(self.sequences),
            len(self.ratings),
            len(self.ratings if self.features is None else self.features),
        )
        if len(set(rows)) > 1 or not rows[0]:
            raise ValueError(
                f"{rows[0]} sequences, {rows[1]} ratings and {rows[2]} rows of behaviour features; "
                "give equally many of each, at least one"
            )

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row: shape [N]."""
        known = getattr(self.sequences, "lengths", None)  # a store has counted them
        return np.array([len(sequence) for sequence in self.sequences]) if known is None else known

    def some(self, n: int) -> "Rows":
        """A seeded choice of n rows; all rows for 0, or where there are no more."""
        if not 0 < n < len(self.ratings):
            return self
        kept = np.sort(np.random.default_rng(0).choice(len(self.ratings), n, replace=False))
        features = None if self.features is None else self.features[kept]
        return Rows([self.sequences[i] for i in kept], self.ratings[kept], features)


def batches(n: int, plan: Plan, epoch: int, lengths: np.ndarray | None = None) -> list[np.ndarray]:
    """The epoch's batches: a permutation of 0..n-1 that depends on seed and epoch only, cut into
    parts.

    lengths: of the n rows in tokens. Where given, each POOL batches of the permutation are sorted
    by length before they are cut, so that rows of a batch need little padding; then the batches are
    shuffled. The parts are nearly equal in rows, or with ``plan.batch_tokens`` in positions.
    """
    rng = np.random.default_rng([plan.seed, epoch])
    order, count = rng.permutation(n), math.ceil(n / plan.batch_size)
    if lengths is None:
        return np.array_split(order, count)
    pools = np.split(order, range(POOL * plan.batch_size, n, POOL * plan.batch_size))
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    budget = plan.batch_tokens
    cut = (
        np.split(order, tokens.batch_cuts(lengths[order], budget))
        if budget
        else np.array_split(order, count)
    )
    return [cut[i] for i in rng.permutation(len(cut))]


def collate(
    rows: Rows, part: np.ndarray, device: torch.device, pad_id: int = 0
) -> dict[str, torch.Tensor]:
    """Rows of a batch as tensors on the device, padded to the longest of them only."""
    ids, mask = tokens.pad([rows.sequences[i] for i in part], pad_id)
    batch = {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": rows.ratings[part].astype(np.float32),
    }
    if rows.features is not None:
        batch["features"] = rows.features[part].astype(np.float32)
    return {name: torch.as_tensor(value, device=device) for name, value in batch.items()}
