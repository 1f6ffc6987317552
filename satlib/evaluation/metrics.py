"""How good is a predicted rating? Eight metrics for lessons, and three more of published studies.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the
rating scale, and returns one number; nan means "not defined for these ratings" (a correlation with
a constant, say). Predictions are taken as they come: clipping them to the scale is the caller's
business.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from satlib.data import agreement, labels
from satlib.data.labels import STAR_VALUES

N_CLASSES = len(STAR_VALUES)

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
    finite = np.isfinite(vector)
    if not finite.all():
        place = int(np.flatnonzero(~finite)[0])
        raise ValueError(f"{name}[{place}] is {vector[place]}; give finite numbers only")
    return vector


def checked_pair(
    rating: Sequence[float], predicted: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Ratings and predictions as arrays of floats [N]; ValueError where they are not N numbers
    each."""
    rating = _vector("rating", rating)
    predicted = _vector("predicted", predicted)
    if len(rating) != len(predicted):
        raise ValueError(
            f"{len(rating)} ratings but {len(predicted)} predictions; "
            "give one prediction per rating"
        )
    return rating, predicted


def classes(rating: Sequence[float]) -> np.ndarray:
    """Ratings as classes 1..5: halves round up (3.5 -> 4, where Python's round(2.5) gives 2), then
    clipped."""
    rounded = np.floor(np.asarray(rating, dtype=float) + 0.5)
    return np.clip(rounded, 1, N_CLASSES).astype(int)


def confusion(rating: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    """Counts [5, 5]: row = class of the rating, column = class of the prediction."""
    rating, predicted = checked_pair(rating, predicted)
    # The cells of the table are numbered row by row, 0 to 24, and counted.
    cell = N_CLASSES * (classes(rating) - 1) + classes(predicted) - 1
    return np.bincount(cell, minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


def rmse(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Root mean squared error, in stars; a big miss weighs more than several small ones."""
    rating, predicted = checked_pair(rating, predicted)
    return math.sqrt(np.mean((rating - predicted) ** 2))


def mae(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean absolute error, in stars."""
    rating, predicted = checked_pair(rating, predicted)
    return float(np.mean(np.abs(rating - predicted)))


def accuracy(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Share of ratings whose class is hit; compare it with the share of the most frequent class."""
    counts = confusion(rating, predicted)
    return float(np.trace(counts) / counts.sum())


def uar(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Unweighted average recall: the mean, over the classes that were rated, of the share found."""
    counts = confusion(rating, predicted)
    rated = counts.sum(axis=1)
    hits = np.diag(counts)
    there = rated > 0
    return float(np.mean(hits[there] / rated[there]))


def macro_f1(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Mean F1 of the classes that were rated or predicted; F1 = 2 hits / (rated + predicted)."""
    counts = confusion(rating, predicted)
    hits = np.diag(counts)
    size = counts.sum(axis=1) + counts.sum(axis=0)
    there = size > 0
    return float(np.mean(2 * hits[there] / size[there]))


def qwk(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Quadratic weighted kappa: 1 - squared class distance / the same expected by chance; nan if
    chance never errs.

    Source: Cohen, Weighted kappa, Psychological Bulletin 70(4), 1968.
    """
    counts = confusion(rating, predicted)
    number = np.arange(N_CLASSES)
    distance = np.subtract.outer(number, number) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    seen = float((distance * counts).sum())
    expected = float((distance * chance).sum())
    if expected == 0:
        return math.nan
    return 1 - seen / expected


def midranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1; equal values share the mean of the ranks they fill (7, 8, 8 -> 1, 2.5, 2.5)."""
    twice = 2 * np.asarray(values, dtype=float)
    # Ratings, whole or half, are small whole numbers here: these need no sorting, only counting.
    # Anything else is sorted first and takes its place among the different values.
    whole = twice.clip(0, 4 * len(twice)).astype(int)
    if np.array_equal(whole, twice):
        place = whole
    else:
        _, place = np.unique(twice, return_inverse=True)
    count = np.bincount(place)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def spearman(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Spearman's rho corrected for ties: Pearson's correlation of the midranks; nan where either is
    constant."""
    rating, predicted = checked_pair(rating, predicted)
    middle = (len(rating) + 1) / 2
    return _cosine(midranks(rating) - middle, midranks(predicted) - middle)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two vectors [N] whose means are 0; nan where either is 0 throughout."""
    spread = math.sqrt((a @ a) * (b @ b))
    if spread == 0:
        return math.nan
    return float(a @ b) / spread


def auc(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """ROC-AUC: chance that a satisfied user (``labels.satisfied``) is predicted above another, ties
    half; nan if all are one."""
    rating, predicted = checked_pair(rating, predicted)
    satisfied = labels.satisfied(rating) == 1
    yes = int(satisfied.sum())
    no = int((~satisfied).sum())
    if yes == 0 or no == 0:
        return math.nan
    # The rank sum of the satisfied, less what it is at least, counts the pairs in the right order.
    lowest = yes * (yes + 1) / 2
    pairs_in_order = float(midranks(predicted)[satisfied].sum()) - lowest
    return pairs_in_order / (yes * no)


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
    """F1 of "rated below 3": 2 hits / (rated + predicted); nan where nothing is either.

    The rule is that of Sun et al. (SIGIR 2021): a 3 counts as not dissatisfied. It is not the
    opposite of ``labels.satisfied``, the kit's own definition.
    """
    rated_low = np.asarray(rating) < 3
    predicted_low = np.asarray(predicted) < 3
    size = int(rated_low.sum() + predicted_low.sum())
    if size == 0:
        return math.nan
    return 2 * int((rated_low & predicted_low).sum()) / size


def kappa(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Cohen's kappa of the classes 1..5, unweighted; see ``agreement.kappa``."""
    return agreement.kappa(classes(rating), classes(predicted))


def pearson(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Pearson's correlation; nan where either is constant."""
    rating = np.asarray(rating, dtype=float)
    predicted = np.asarray(predicted, dtype=float)
    return _cosine(rating - rating.mean(), predicted - predicted.mean())


ALL_METRICS: dict[str, Metric] = METRICS | {
    "kappa": kappa,
    "f1_dissatisfied": f1_dissatisfied,
    "pearson": pearson,
}
