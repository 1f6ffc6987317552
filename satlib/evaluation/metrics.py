"""How good is a predicted rating? Eight metrics, their bootstrap intervals by group, and the record
of a judged model.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the
rating scale, and returns one number; nan means "not defined for these ratings" (a correlation with
a constant, say). Predictions are taken as they come: clipping them to the scale is the caller's
business.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from satlib.data import agreement
from satlib.data.labels import SATISFIED

if TYPE_CHECKING:
    pass

CLASSES = 5

Metric = Callable[[Sequence[float], Sequence[float]], float]


def _vector(name: str, values: Sequence[float]) -> np.ndarray:
    try:
        vector = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} holds something that is not a number ({error}); give ratings as numbers"
        ) from error
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(
            f"{name} has the shape {vector.shape}; give a 1-D sequence of at least one number"
        )
    if not np.isfinite(vector).all():
        where = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise ValueError(f"{name}[{where}] is {vector[where]}; give finite numbers only")
    return vector


def _pair(rating: Sequence[float], predicted: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    rating, predicted = _vector("rating", rating), _vector("predicted", predicted)
    if len(rating) != len(predicted):
        raise ValueError(
            f"{len(rating)} ratings but {len(predicted)} predictions; give one prediction per rating"
        )
    return rating, predicted


def classes(rating: Sequence[float]) -> np.ndarray:
    """Ratings as classes 1..5: halves round up (3.5 -> 4, where Python's round(2.5) gives 2), then
    clipped."""
    return np.clip(np.floor(np.asarray(rating, dtype=float) + 0.5), 1, CLASSES).astype(int)


def confusion(rating: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    """Counts [5, 5]: row = class of the rating, column = class of the prediction."""
    rating, predicted = _pair(rating, predicted)
    cell = CLASSES * (classes(rating) - 1) + classes(predicted) - 1
    return np.bincount(cell, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def rmse(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Root mean squared error, in stars; a big miss weighs more than several small ones."""
    rating, predicted = _pair(rating, predicted)
    return math.sqrt(np.mean((rating - predicted) ** 2))


def mae(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean absolute error, in stars."""
    rating, predicted = _pair(rating, predicted)
    return float(np.mean(np.abs(rating - predicted)))


def accuracy(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Share of ratings whose class is hit; compare it with the share of the most frequent class."""
    counts = confusion(rating, predicted)
    return float(np.trace(counts) / counts.sum())


def uar(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Unweighted average recall: the mean, over the classes that were rated, of the share found."""
    counts = confusion(rating, predicted)
    rated = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[rated > 0] / rated[rated > 0]))


def macro_f1(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean F1 of the classes that were rated or predicted; F1 = 2 hits / (rated + predicted)."""
    counts = confusion(rating, predicted)
    size = counts.sum(axis=1) + counts.sum(axis=0)
    return float(np.mean(2 * np.diag(counts)[size > 0] / size[size > 0]))


def qwk(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Quadratic weighted kappa: 1 - squared class distance / the same expected by chance; nan if
    chance never errs.

    Source: Cohen, Weighted kappa, Psychological Bulletin 70(4), 1968.
    """
    counts = confusion(rating, predicted)
    distance = np.subtract.outer(np.arange(CLASSES), np.arange(CLASSES)) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    expected = float((distance * chance).sum())
    return 1 - float((distance * counts).sum()) / expected if expected else math.nan


def midranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they fill (7, 8, 8 -> 1, 2.5, 2.5)."""
    twice = 2 * np.asarray(values, dtype=float)
    which = twice.clip(0, 4 * len(twice)).astype(
        int
    )  # small whole or half numbers are counted, others sorted
    which = which if np.array_equal(which, twice) else np.unique(twice, return_inverse=True)[1]
    count = np.bincount(which)
    return (np.cumsum(count) - (count - 1) / 2)[which]


def spearman(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Spearman's rho corrected for ties: Pearson's correlation of the midranks; nan where either is
    constant."""
    rating, predicted = _pair(rating, predicted)
    middle = (len(rating) + 1) / 2
    a, b = midranks(rating) - middle, midranks(predicted) - middle
    spread = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / spread if spread else math.nan


def auc(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """ROC-AUC: chance that a satisfied user (rating >= 4) is predicted above another, ties half;
    nan if all are one."""
    rating, predicted = _pair(rating, predicted)
    satisfied = rating >= SATISFIED
    yes, no = int(satisfied.sum()), int((~satisfied).sum())
    above = float(midranks(predicted)[satisfied].sum()) - yes * (yes + 1) / 2
    return above / (yes * no) if yes and no else math.nan


METRICS: dict[str, Metric] = {
    "rmse": rmse,
    "mae": mae,
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "uar": uar,
    "qwk": qwk,
    "spearman": spearman,
    "auc": auc,
}


def f1_dissatisfied(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """F1 of "rated below 3": 2 hits / (rated + predicted); nan where nothing is either."""
    low, found = np.asarray(rating) < 3, np.asarray(predicted) < 3
    size = int(low.sum() + found.sum())
    return 2 * int((low & found).sum()) / size if size else float("nan")


def kappa(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Cohen's kappa of the classes 1..5, unweighted; see ``agreement.kappa``."""
    return agreement.kappa(classes(rating), classes(predicted))


def pearson(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Pearson's correlation; nan where either is constant."""
    a, b = (np.asarray(values, dtype=float) - np.mean(values) for values in (rating, predicted))
    spread = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / spread if spread else math.nan


ALL_METRICS: dict[str, Metric] = METRICS | {
    "kappa": kappa,
    "f1_dissatisfied": f1_dissatisfied,
    "pearson": pearson,
}
