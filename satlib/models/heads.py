"""The task heads: what the logits of the last layer mean, and which loss trains them (article, 3.2
step 4, 4.1, 4.2).

Taught with lesson 41 beside ``models``. ``config`` is the model's
(``satisfaction_model.SatisfactionConfig``); of it only head, low, high, threshold and group_means
are read.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from satlib.data.labels import from_unit, to_unit
from satlib.evaluation import metrics
from satlib.losses import cross_entropy
from satlib.models import heads_ordinal
from satlib.models.heads_ordinal import ORDINAL

HEADS = {"regression": 1, "binary": 1, "classes": 5} | ORDINAL  # name -> number of logits
CLASSES = (1.0, 2.0, 3.0, 4.0, 5.0)
ABSENT = -20.0  # logit of a class that has no training example: a probability of about 2e-9


def layer(size: int, head: str) -> torch.nn.Linear:
    """The last layer of a head, for an input of ``size`` numbers: linear, with HEADS[head]
    logits."""
    return (
        heads_ordinal.layer(size, head) if head in ORDINAL else torch.nn.Linear(size, HEADS[head])
    )


def loss_of(logits: torch.Tensor, ratings: torch.Tensor, config) -> torch.Tensor:
    """Mean loss of a batch: squared error on [0, 1] (article, 4.1); in nats, cross-entropy (4.2) or
    an ordinal loss.

    logits [B] where the head has one, else [B, HEADS[head]]; ratings [B] on the scale, which become
    classes by rounding half up, as in ``metrics.classes``.
    """
    ratings = ratings.to(logits.dtype)
    if config.head == "regression":
        return functional.mse_loss(logits, (ratings - config.low) / (config.high - config.low))
    if config.head == "binary":
        return functional.binary_cross_entropy_with_logits(
            logits, (ratings >= config.threshold).to(logits.dtype)
        )
    y = (ratings + 0.5).floor().clamp(1, 5).long() - 1
    if config.head in ORDINAL:
        return heads_ordinal.loss_of(logits, ratings, y, config.head)
    return functional.cross_entropy(logits, y)


@dataclass(frozen=True)
class Prediction:
    """rating [N] on the scale; distribution [N, 5] over 1..5, or None; satisfied [N], boolean."""

    rating: np.ndarray
    distribution: np.ndarray | None
    satisfied: np.ndarray


def read_logits(logits: np.ndarray, config) -> Prediction:
    """Turn logits into a Prediction: rescale, or take the expectation under the predicted
    probabilities."""
    if config.head == "regression":
        rating = np.clip(from_unit(logits, config.low, config.high), config.low, config.high)
        return Prediction(rating, None, rating >= config.threshold)
    if config.head == "binary":
        satisfied = cross_entropy.sigmoid(logits)
        unhappy, happy = config.group_means
        return Prediction((1 - satisfied) * unhappy + satisfied * happy, None, satisfied >= 0.5)
    p = heads_ordinal.READINGS.get(config.head, cross_entropy.softmax)(logits)
    happy = p[:, np.asarray(CLASSES) >= config.threshold].sum(1)
    return Prediction(p @ np.asarray(CLASSES), p, happy >= 0.5)


def group_means(ratings: np.ndarray, threshold: float) -> list[float]:
    """Mean rating of the unsatisfied and of the satisfied: what a binary head needs to predict a
    rating.

    Raises ValueError where one of the two groups is empty.
    """
    happy = np.asarray(ratings) >= threshold
    if happy.all() or not happy.any():
        raise ValueError(
            f"all ratings lie on one side of the threshold {threshold}; a binary head needs both sides"
        )
    return [float(np.mean(ratings[~happy])), float(np.mean(ratings[happy]))]


def head_solution(
    seen: np.ndarray, ratings: np.ndarray, config, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and biases of the penalised linear model of the head's kind on embeddings [N, H].

    ``heads_ordinal.write`` puts them into a model. Logits are embeddings @ weight.T + biases; a
    head with one score for all boundaries has a weight of one row.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    if config.head == "regression":
        fitted = Ridge(alpha=strength).fit(seen, to_unit(ratings, config.low, config.high))
        return fitted.coef_[None], np.array([fitted.intercept_])
    labels = ratings >= config.threshold if config.head == "binary" else metrics.classes(ratings)
    if len(np.unique(labels)) == 1:
        raise ValueError(
            f"all {len(labels)} ratings fall into one class; the head {config.head!r} needs at least two"
        )
    if config.head in ORDINAL:
        known = torch.from_numpy(np.asarray(ratings, dtype=np.float64))
        return heads_ordinal.solution(
            seen, config.head, lambda logits: loss_of(logits, known, config), strength
        )
    fitted = LogisticRegression(C=1 / strength, max_iter=1000).fit(seen, labels)
    if config.head == "binary":
        return fitted.coef_, fitted.intercept_
    coefficients, intercepts, found = (
        fitted.coef_,
        fitted.intercept_,
        fitted.classes_.astype(int) - 1,
    )
    if (
        len(found) == 2
    ):  # one row of log-odds; half of it against minus half of it is the same in a softmax
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.array([-1, 1]) * intercepts[0] / 2,
        )
    weight, bias = np.zeros((len(CLASSES), seen.shape[1])), np.full(len(CLASSES), ABSENT)
    weight[found], bias[found] = coefficients, intercepts
    return weight, bias
