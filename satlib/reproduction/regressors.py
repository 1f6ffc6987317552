"""Regressors of ratings: ridge on dense rows, and the encoder fine-tuned, both from rows by part to
ratings by part.

Taught with lesson 64. Unlike ``classifiers`` they keep half stars, and choose on validation rows,
never on test rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from satlib.evaluation import metrics
from satlib.training import finetune

PENALTIES = tuple(float(a) for a in np.logspace(0, 6, 13).round(4))  # of a ridge on scaled columns
JUDGED = 2000  # validation rows that the encoder's head and epochs are chosen by, at most
PARTS = ("validation", "test")


@dataclass(frozen=True)
class Settings(finetune.Settings):
    """How the encoder learns: the recipe's settings, with the defaults of protocol D."""

    recorded: ClassVar = ("epochs", "batch_size", "learning_rate", "max_length", "train_rows")
    max_length: int = 32
    train_rows: int = 8000
    epochs: int = 1
    batch_size: int = 32
    patience: int = 0


def ridge(
    rows: dict[str, np.ndarray],
    ratings: dict[str, np.ndarray],
    scale: tuple[float, float],
    alphas: Sequence[float] = PENALTIES,
) -> tuple[dict[str, np.ndarray], float]:
    """Ridge regression on dense rows [N, D] of each part: ratings of the judged parts, on the
    scale, and the penalty.

    Columns are brought to mean 0 and standard deviation 1 by the training rows. With the
    eigenvectors V and eigenvalues s of X'X the weights are V (V'X'y / (s + alpha)), so one
    decomposition serves all penalties; the one with the lowest validation RMSE is kept. Source:
    Hoerl and Kennard, Ridge regression, Technometrics 12(1), 1970.
    """
    middle, spread = rows["train"].mean(axis=0), rows["train"].std(axis=0)
    scaled = {part: (x - middle) / np.where(spread > 0, spread, 1) for part, x in rows.items()}
    mean = ratings["train"].mean()
    values, vectors = np.linalg.eigh(scaled["train"].T @ scaled["train"])
    turned = vectors.T @ (scaled["train"].T @ (ratings["train"] - mean))

    def predict(part: str, alpha: float) -> np.ndarray:
        return np.clip(
            mean + scaled[part] @ (vectors @ (turned / (np.maximum(values, 0) + alpha))), *scale
        )

    best = min(
        alphas, key=lambda alpha: metrics.rmse(ratings["validation"], predict("validation", alpha))
    )
    return {part: predict(part, best) for part in PARTS}, float(best)


def encoder(
    texts: dict[str, Sequence[str]],
    ratings: dict[str, np.ndarray],
    scale: tuple[float, float],
    settings: Settings,
    features: dict[str, np.ndarray] | None = None,
) -> tuple[dict[str, np.ndarray], list[dict]]:
    """The embedded encoder with a regression head, fitted on it frozen, then fine-tuned: ratings
    [N] of the judged parts, on the scale, and the curves.

    features: behaviour features [N, F] of every part, which join the text before the head. A part
    of the validation rows chooses the head's penalty and the best epoch.
    """
    rows = finetune.encode_texts(texts, ratings, settings, features)
    learnt = finetune.finetune(
        rows["train"],
        settings,
        rows["validation"].some(JUDGED),
        judged={part: rows[part] for part in PARTS},
        scale=scale,
    )
    predicted = {part: prediction.rating for part, prediction in learnt.after.items()}
    return predicted, learnt.state.curves
