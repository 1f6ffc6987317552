"""What a training is to do: its hyperparameters, its rows, their order, and the learning rate of each update.

Taught with lesson 34 beside ``training``, whose loop follows a Plan.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from satlib import metrics, runtime, tokens

OPTIMIZERS = ("adamw", "sgd")
POOL = 16  # batches whose rows are sorted by length together
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Plan:
    """The hyperparameters of one training (article, 4.3: AdamW, 1e-5 to 5e-5, up to 10 epochs).

    batch_size counts examples per update over all processes; with batch_tokens above 0 an update takes as many examples
    as fit into so many positions instead, padding included. accumulate splits either into so many passes and recompute
    (gradient checkpointing) calculates the layers' inner values a second time rather than keep them: both save memory.
    warmup is a share of all updates. clip bounds the norm of the gradient. patience: epochs without a better validation
    metric before the run stops; 0 never stops early. save_every: updates between checkpoints (one more after every
    epoch). precision: see ``precision``.
    """

    epochs: int = 3
    batch_size: int = 16
    batch_tokens: int = 0
    accumulate: int = 1
    recompute: bool = False
    learning_rate: float = 5e-5
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    patience: int = 2
    metric: str = "rmse"
    precision: str = "auto"
    save_every: int = 100
    seed: int = 0

    def __post_init__(self):
        runtime.one_of("optimizer", self.optimizer, OPTIMIZERS)
        runtime.one_of("precision", self.precision, PRECISIONS)
        runtime.one_of("metric", self.metric, (*metrics.METRICS, "loss"))
        for name in ("epochs", "batch_size", "batch_tokens", "accumulate", "save_every", "patience", "seed"):
            value, least = getattr(self, name), 0 if name in ("batch_tokens", "patience", "seed") else 1
            if value != int(value) or value < least:
                raise ValueError(f"{name} = {value}; it must be a whole number and at least {least}")
        if not (0 < self.learning_rate < 1 and 0 <= self.warmup < 1 and self.clip > 0 and self.weight_decay >= 0):
            raise ValueError(f"learning_rate {self.learning_rate} must lie in (0, 1), warmup {self.warmup} in [0, 1), "
                             f"clip {self.clip} above 0 and weight_decay {self.weight_decay} at 0 or above")


@dataclass
class State:
    """Where a run stands: what a checkpoint keeps beside the tensors."""

    step: int = 0
    epoch: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    best: float | None = None
    best_epoch: int = 0
    worse: int = 0
    finished: bool = False
    curves: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class Rows:
    """Tokenised examples: token id sequences [N], ratings [N] on the scale, behaviour features [N, F] or None.

    sequences: lists of ids, or a ``stores.TokenStore`` of more texts than memory should hold.
    """

    sequences: Sequence[Sequence[int]]
    ratings: np.ndarray
    features: np.ndarray | None = None

    def __post_init__(self):
        rows = len(self.sequences), len(self.ratings), len(self.ratings if self.features is None else self.features)
        if len(set(rows)) > 1 or not rows[0]:
            raise ValueError(f"{rows[0]} sequences, {rows[1]} ratings and {rows[2]} rows of behaviour features; "
                             "give equally many of each, at least one")

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
    """The epoch's batches: a permutation of 0..n-1 that depends on seed and epoch only, cut into parts.

    lengths: of the n rows in tokens. Where given, each POOL batches of the permutation are sorted by length before they
    are cut, so that rows of a batch need little padding; then the batches are shuffled. The parts are nearly equal in
    rows, or with ``plan.batch_tokens`` in positions.
    """
    rng = np.random.default_rng([plan.seed, epoch])
    order, count = rng.permutation(n), math.ceil(n / plan.batch_size)
    if lengths is None:
        return np.array_split(order, count)
    pools = np.split(order, range(POOL * plan.batch_size, n, POOL * plan.batch_size))
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    budget = plan.batch_tokens
    cut = np.split(order, tokens.within(lengths[order], budget)) if budget else np.array_split(order, count)
    return [cut[i] for i in rng.permutation(len(cut))]


def collate(rows: Rows, part: np.ndarray, device: torch.device, pad_id: int = 0) -> dict[str, torch.Tensor]:
    """Rows of a batch as tensors on the device, padded to the longest of them only."""
    ids, mask = tokens.pad([rows.sequences[i] for i in part], pad_id)
    batch = {"input_ids": ids, "attention_mask": mask, "labels": rows.ratings[part].astype(np.float32)}
    if rows.features is not None:
        batch["features"] = rows.features[part].astype(np.float32)
    return {name: torch.as_tensor(value, device=device) for name, value in batch.items()}


def learning_rate(step: int, total: int, plan: Plan) -> float:
    """The rate of update ``step`` (from 0) of ``total``: linear warm-up, then linear decay to zero."""
    warm = math.ceil(plan.warmup * total)
    if step < warm:
        return plan.learning_rate * (step + 1) / (warm + 1)
    return plan.learning_rate * (total - step) / (total - warm)


def precision(wanted: str = "auto") -> str:
    """fp16 on a GPU without real bf16 (a T4), bf16 where the hardware computes it (GPU or CPU), fp32 otherwise.

    "auto" chooses; any other value is kept. PyTorch says that a T4 supports bf16 because it can emulate it, slowly.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    known = (getattr(torch.cpu, name, bool) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return "bf16" if any(ask() for ask in known) else "fp32"
