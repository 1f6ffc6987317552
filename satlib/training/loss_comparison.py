"""Losses compared: what each changes against one of them, with intervals over trainings and users.

Taught with lesson 44 beside ``hyperparameters``. Every loss was trained equally often, and training
number s had the same rows (or the same seed) with all of them. What is common to two losses cancels
in their difference; left is the luck of the trainings and of the test users, so a bootstrap draw
takes both with replacement, the same ones for all losses.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from satlib.evaluation import bootstrap, comparison, metrics
from satlib.evaluation.comparison import SeededPredictions

MEASURES = ("RMSE", "MAE", "kappa")


def differences(
    sides: Mapping[str, SeededPredictions],
    base: str,
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """A row for each loss and measure: value, difference to the loss ``base``, its 95 % interval
    (low, high), and a verdict: "better", "worse", or "inside" where zero lies in the interval.

    sides: loss -> what its trainings predict of the same rows. rng: a Generator, or a seed. Raises
    ValueError where the losses were not trained equally often.
    """
    trainings = {loss: len(side.predicted) for loss, side in sides.items()}
    if len(set(trainings.values())) > 1:
        raise ValueError(f"the losses have {trainings} trainings; give each equally many")
    rng = np.random.default_rng(rng)
    size = trainings[base]
    weights = bootstrap.group_weights(len(sides[base].counts), draws, rng)
    weights = bootstrap.with_everyone(weights)
    # One training fewer is drawn than there are: all of them would understate their variance.
    chosen = rng.integers(size, size=(draws, max(1, size - 1)))

    of_base = _measured(sides[base], weights, chosen)
    rows = []
    for loss, side in sides.items():
        for measure, values in _measured(side, weights, chosen).items():
            change, low, high = bootstrap.estimate(values - of_base[measure])
            verdict = _verdict(measure, low, high)
            rows.append((loss, measure, values[0], change, low, high, verdict))
    columns = ["loss", "measure", "value", "difference", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns).set_index(["loss", "measure"])


def _measured(
    side: SeededPredictions, weights: np.ndarray, chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Each measure [1 + draws]: first the mean over all trainings, then over those chosen for each
    draw [draws, S - 1]."""
    by_training = {
        "RMSE": comparison.drawn_values(side, "rmse", weights),
        "MAE": comparison.drawn_values(side, "mae", weights),
        "kappa": drawn_kappa(side, weights),
    }
    means = {}
    for measure, values in by_training.items():
        drawn = np.take_along_axis(values[1:], chosen, axis=1).mean(axis=1)
        means[measure] = np.append(values[0].mean(), drawn)
    return means


def drawn_kappa(side: SeededPredictions, weights: np.ndarray) -> np.ndarray:
    """Quadratic weighted kappa [draws, S] in samples that hold each group as often as ``weights``
    [draws, G] says.

    It is ``metrics.qwk`` by moments: 1 - mean((a - b)**2) / (var a + var b + (mean a - mean b)**2).
    Moments are sums over groups, so a draw costs one product with them.
    """
    rows = weights @ side.counts

    def mean(values: np.ndarray) -> np.ndarray:
        return weights @ np.bincount(side.group, values) / rows

    rated = metrics.classes(side.rating)
    kappas = []
    for predicted in side.predicted:
        guessed = metrics.classes(predicted)
        variances = mean(rated**2) - mean(rated) ** 2 + mean(guessed**2) - mean(guessed) ** 2
        by_chance = variances + (mean(rated) - mean(guessed)) ** 2
        kappas.append(1 - mean((rated - guessed) ** 2) / by_chance)
    return np.array(kappas).T


def _verdict(measure: str, low: float, high: float) -> str:
    """What an interval of a difference says: a lower error is better, and a higher kappa."""
    if low <= 0 <= high:
        return "inside"
    fell = high < 0
    if measure == "kappa":
        return "worse" if fell else "better"
    return "better" if fell else "worse"


def in_words(table: pd.DataFrame, base: str) -> pd.DataFrame:
    """Differences and verdicts of ``differences`` as text: a row a loss, a column a measure."""
    words = table["difference"].map("{:+.3f} ".format) + table["verdict"]
    losses = list(dict.fromkeys(table.index.get_level_values("loss")))
    losses.remove(base)
    return words.unstack("measure").loc[losses]
