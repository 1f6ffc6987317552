"""What a training is to do: its hyperparameters, its rows, their order, and the learning rate of
each update.

Taught with lesson 42 beside ``training``, whose loop follows a Plan.
"""

import math
from dataclasses import dataclass, field

from satlib import runtime
from satlib.evaluation import metrics
from satlib.training.gpu import PRECISIONS

OPTIMIZERS = ("adamw", "sgd")


@dataclass(frozen=True)
class Plan:
    """The hyperparameters of one training (article, 4.3: AdamW, 1e-5 to 5e-5, up to 10 epochs).

    batch_size counts examples per update over all processes; with batch_tokens above 0 an update
    takes as many examples as fit into so many positions instead, padding included. accumulate
    splits either into so many passes and recompute (gradient checkpointing) calculates the layers'
    inner values a second time rather than keep them: both save memory. warmup is a share of all
    updates. clip bounds the norm of the gradient. patience: epochs without a better validation
    metric before the run stops; 0 never stops early. save_every: updates between checkpoints (one
    more after every epoch). precision: see ``precision``.
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
        for name in (
            "epochs",
            "batch_size",
            "batch_tokens",
            "accumulate",
            "save_every",
            "patience",
            "seed",
        ):
            value, least = (
                getattr(self, name),
                0 if name in ("batch_tokens", "patience", "seed") else 1,
            )
            if value != int(value) or value < least:
                raise ValueError(
                    f"{name} = {value}; it must be a whole number and at least {least}"
                )
        if not (
            0 < self.learning_rate < 1
            and 0 <= self.warmup < 1
            and self.clip > 0
            and self.weight_decay >= 0
        ):
            raise ValueError(
                f"learning_rate {self.learning_rate} must lie in (0, 1), warmup {self.warmup} in [0, 1), "
                f"clip {self.clip} above 0 and weight_decay {self.weight_decay} at 0 or above"
            )


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


def rate_at(step: int, total: int, plan: Plan) -> float:
    """The rate of update ``step`` (from 0) of ``total``: linear warm-up, then linear decay to
    zero."""
    warm = math.ceil(plan.warmup * total)
    if step < warm:
        return plan.learning_rate * (step + 1) / (warm + 1)
    return plan.learning_rate * (total - step) / (total - warm)
