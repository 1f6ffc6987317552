"""Regressors of ratings: ridge on dense rows, and the encoder fine-tuned, both from rows by part to
ratings by part.

Taught with lesson 64. Unlike ``text_classifiers`` they keep half stars, and choose on validation
rows, never on test rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from satlib.evaluation import metrics
from satlib.training import finetune

# Of a ridge on scaled columns: 13 penalties from 1 to a million, equally far apart as factors.
PENALTIES = tuple(np.logspace(0, 6, 13).round(4).tolist())
MOST_VALIDATION_ROWS = 2000  # that the encoder's head and epochs are chosen by
JUDGED_PARTS = ("validation", "test")


@dataclass(frozen=True)
class Settings(finetune.Settings):
    """How the encoder learns: the recipe's settings, with the defaults of protocol D."""

    recorded: ClassVar = ("epochs", "batch_size", "learning_rate", "max_length", "train_rows")
    max_length: int = 32
    train_rows: int = 8000
    epochs: int = 1
    batch_size: int = 32
    patience: int = 0
    adversarial: float = 0.0  # as published: one plain pass


def ridge(
    rows: dict[str, np.ndarray],
    ratings: dict[str, np.ndarray],
    scale: tuple[float, float],
    penalties: Sequence[float] = PENALTIES,
) -> tuple[dict[str, np.ndarray], float]:
    """Ridge regression on dense rows [N, D] of each part: ratings of the judged parts, on the
    scale, and the penalty with the lowest validation RMSE.

    Columns are brought to mean 0 and standard deviation 1 by the training rows. Source: Hoerl and
    Kennard, Ridge regression, Technometrics 12(1), 1970.
    """
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(rows["train"])
    scaled = {part: scaler.transform(of_part) for part, of_part in rows.items()}
    predictions, errors = {}, {}
    for penalty in penalties:
        model = Ridge(alpha=penalty).fit(scaled["train"], ratings["train"])
        predicted = {}
        for part in JUDGED_PARTS:
            predicted[part] = np.clip(model.predict(scaled[part]), *scale)
        predictions[penalty] = predicted
        errors[penalty] = metrics.rmse(ratings["validation"], predicted["validation"])
    best = min(errors, key=errors.get)
    return predictions[best], float(best)


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
        rows["validation"].some(MOST_VALIDATION_ROWS),
        judged={part: rows[part] for part in JUDGED_PARTS},
        scale=scale,
    )
    predicted = {part: prediction.rating for part, prediction in learnt.after.items()}
    return predicted, learnt.state.curves
