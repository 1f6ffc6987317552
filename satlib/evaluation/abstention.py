"""Answer only where the model is sure: which error is left when the widest distributions are passed
over.

Taught with lesson 52 beside ``calibration``.
"""

import math
from collections.abc import Sequence

import numpy as np

from satlib.data.labels import STAR_VALUES
from satlib.evaluation import calibration


def spread(distribution) -> np.ndarray:
    """Standard deviation [N] of the ratings 1..5 under each distribution, in stars: wide means
    unsure."""
    p = calibration.checked(distribution)
    mean = p @ STAR_VALUES
    variance = p @ STAR_VALUES**2 - mean**2
    # Rounding may leave the variance of a certain distribution a hair below 0.
    return np.sqrt(np.maximum(variance, 0))


def risk_coverage(loss: Sequence[float], unsure: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Coverage [N] and risk [N]: mean loss of the 1, 2, ... N examples that are least unsure.

    Examples that are equally unsure are taken in no order: each counts with their mean loss, so
    that what is unsure of everything alike has a flat curve. Source: El-Yaniv and Wiener, JMLR 11,
    2010.
    """
    loss = np.asarray(loss, dtype=float)
    unsure = np.asarray(unsure, dtype=float)
    if loss.ndim != 1 or loss.shape != unsure.shape or not loss.size:
        raise ValueError(
            f"loss has the shape {loss.shape} and unsure {unsure.shape}; "
            "give one number each for every example, and at least one example"
        )
    if not (np.isfinite(loss).all() and np.isfinite(unsure).all()):
        raise ValueError(
            "loss or unsure holds a number that is not finite; leave those examples out of both"
        )
    _, level, size = np.unique(unsure, return_inverse=True, return_counts=True)
    mean_of_level = np.bincount(level, weights=loss) / size
    surest_first = np.argsort(unsure, kind="stable")
    answered = np.arange(1, len(loss) + 1)
    risk = np.cumsum(mean_of_level[level][surest_first]) / answered
    return answered / len(loss), risk


def area(loss: Sequence[float], unsure: Sequence[float]) -> float:
    """Mean risk over all coverages, in the loss's unit; for a random order it is, on average, the
    mean loss."""
    _, risk = risk_coverage(loss, unsure)
    return float(risk.mean())


def gained(loss: Sequence[float], unsure: Sequence[float]) -> float:
    """Share of what abstaining can gain: 0 as good as a random order, 1 as good as the order of the
    losses themselves.

    The best order knows the losses, so nobody reaches 1 where chance has a part in them; nan where
    all are equal.
    """
    own = area(loss, unsure)
    if np.ptp(loss) == 0:
        return math.nan
    random = float(np.mean(loss))
    best = area(loss, loss)
    return (random - own) / (random - best)
