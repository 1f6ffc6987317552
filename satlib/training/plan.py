"""What a training is to do: its hyperparameters, and the learning rate of each update.

Taught with lesson 42 beside ``loop``, which follows a Plan.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from satlib import runtime
from satlib.evaluation import metrics
from satlib.training.gpu import PRECISIONS

OPTIMIZERS = ("adamw", "sgd")

# What a field may hold: the bounds that pydantic checks, and the same in words for the error.
FromZero = Annotated[int, Field(ge=0, description="a whole number and at least 0")]
FromOne = Annotated[int, Field(ge=1, description="a whole number and at least 1")]
Rate = Annotated[float, Field(gt=0, lt=1, description="a number above 0 and below 1")]
Share = Annotated[float, Field(ge=0, lt=1, description="a number from 0 up to but not 1")]
Positive = Annotated[float, Field(gt=0, description="a number above 0")]
NotNegative = Annotated[float, Field(ge=0, description="a number at 0 or above")]
Switch = Annotated[bool, Field(description="True or False")]


@dataclass(frozen=True)
class Plan:
    """The hyperparameters of one training (article, 4.3: AdamW, 1e-5 to 5e-5, up to 10 epochs).

    batch_size counts examples per update over all processes; with batch_tokens above 0 an update
    takes as many examples as fit into so many positions instead, padding included. accumulate
    splits either into so many passes and recompute (gradient checkpointing) calculates the layers'
    inner values a second time rather than keep them: both save memory. warmup is a share of all
    updates. clip bounds the norm of the gradient. patience: epochs without a better validation
    metric before the run stops; 0 never stops early. save_every: updates between checkpoints (one
    more after every epoch). precision: see ``gpu.precision``. A value outside its range raises
    ValueError.
    """

    epochs: FromOne = 3
    batch_size: FromOne = 16
    batch_tokens: FromZero = 0
    accumulate: FromOne = 1
    recompute: Switch = False
    learning_rate: Rate = 5e-5
    optimizer: str = "adamw"
    weight_decay: NotNegative = 0.01
    warmup: Share = 0.1
    clip: Positive = 1.0
    patience: FromZero = 2
    metric: str = "rmse"
    precision: str = "auto"
    save_every: FromOne = 100
    seed: FromZero = 0

    def __post_init__(self):
        runtime.one_of("optimizer", self.optimizer, OPTIMIZERS)
        runtime.one_of("precision", self.precision, PRECISIONS)
        runtime.one_of("metric", self.metric, (*metrics.METRICS, "loss"))
        for each in fields(self):
            value = checked(each.name, each.type, getattr(self, each.name))
            object.__setattr__(self, each.name, value)  # frozen from here on


def checked(name: str, kind: object, value: object) -> object:
    """The value as its annotated type has it, 2.0 as 2; ValueError with one sentence where it does
    not fit."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        wanted = kind.__metadata__[0].description
        raise ValueError(f"{name} = {value}; it must be {wanted}") from None


@dataclass
class State:
    """Where a run stands: what a checkpoint keeps beside the tensors.

    step, epoch: updates and epochs done. loss_sum, seen: of this epoch so far. best, best_epoch:
    the validation metric at its best, and when; worse: epochs since. curves: a dict for each epoch.
    seconds: spent on updates, over all interruptions.
    """

    step: int = 0
    epoch: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    best: float | None = None
    best_epoch: int = 0
    worse: int = 0
    finished: bool = False
    curves: list[dict] = field(default_factory=list)
    # Two runs that did the same are equal, however long they took.
    seconds: float = field(default=0.0, compare=False)


def rate_at(step: int, total: int, plan: Plan) -> float:
    """The rate of update ``step`` (from 0) of ``total``: linear warm-up, then linear decay to
    zero."""
    warm = math.ceil(plan.warmup * total)
    if step < warm:
        return plan.learning_rate * (step + 1) / (warm + 1)
    return plan.learning_rate * (total - step) / (total - warm)
