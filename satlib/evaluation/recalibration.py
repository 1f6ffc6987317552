"""Repair probabilities on validation rows: temperature and isotonic scaling of a distribution over
the ratings 1..5.

Taught with lesson 52 beside ``calibration``. Both are fitted on rows that the model was not trained
on, and judged on rows that they were not fitted on.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from satlib.evaluation import bootstrap, calibration, metrics
from satlib.losses import cross_entropy

if TYPE_CHECKING:
    from sklearn.isotonic import IsotonicRegression

# The lowest and the highest temperature that are tried.
COOLEST = 0.05
HOTTEST = 20.0

Score = Callable[[Sequence[float], np.ndarray], float]


def temper(distribution, temperature: float) -> np.ndarray:
    """Distribution [N, 5] with its logits divided by ``temperature``: above 1 flatter, below 1
    sharper, order kept.

    The logits are those of ``calibration.logits``: a softmax forgets a common constant, so they are
    as good as the model's own. Source: Guo et al., ICML 2017, equation 9.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature = {temperature}; give a number above 0")
    return cross_entropy.softmax(calibration.logits(distribution) / temperature)


def fit_temperature(rating: Sequence[float], distribution) -> float:
    """The temperature with the lowest log loss on these rows, between COOLEST and HOTTEST.

    The loss is convex in 1 / temperature, so it has one valley and a search along the line finds
    it.
    """
    from scipy.optimize import minimize_scalar

    logits = calibration.logits(distribution)
    classes = metrics.classes(rating) - 1

    def loss(log_temperature: float) -> float:
        return cross_entropy.cross_entropy(classes, logits / np.exp(log_temperature))

    # The search goes along the logarithm, as halving a temperature matters as much as doubling it.
    valley = minimize_scalar(
        loss,
        bounds=(np.log(COOLEST), np.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(valley.x))


def fit_isotonic(rating: Sequence[float], distribution) -> "list[IsotonicRegression]":
    """One isotonic regression for each of the four questions "at most k?", fitted on these rows.

    Each is the rising step function of the chance with the least squared error. Source: Zadrozny
    and Elkan, KDD 2002.
    """
    from sklearn.isotonic import IsotonicRegression

    outcomes, chances = calibration.questions(rating, distribution, "cumulative")
    models = []
    for outcome, chance in zip(outcomes.T, chances.T, strict=True):
        # A chance beyond those seen here gets the nearest step ("clip"), not nan.
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        models.append(model.fit(chance, outcome))
    return models


def isotonic(models: "Sequence[IsotonicRegression]", distribution) -> np.ndarray:
    """Distribution [N, 5] whose four answers to "at most k?" went through the models of
    ``fit_isotonic``.

    Fitted apart, the answers may cross; each is then raised to the one before it, so no rating gets
    less than nothing.
    """
    any_rating = np.ones(len(distribution))  # asked for are the chances, which need no outcome
    _, chances = calibration.questions(any_rating, distribution, "cumulative")
    if len(models) != chances.shape[1]:
        raise ValueError(
            f"{len(models)} models for {chances.shape[1]} questions; "
            "give what fit_isotonic returned"
        )
    answers = []
    for model, chance in zip(models, chances.T, strict=True):
        answers.append(model.predict(chance))
    at_most = np.maximum.accumulate(np.stack(answers, axis=1), axis=1)
    return np.diff(at_most, axis=1, prepend=0, append=1)


def change(
    score: Score,
    rating: Sequence[float],
    before,
    after,
    groups: Sequence,
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> tuple[float, float, float]:
    """score(rating, after) - score(rating, before) with its 95 % interval (value, low, high), by
    resampled groups.

    Both are judged on the same resampled users, which cancels what is common. rng: a Generator, or
    a seed.
    """
    rating = np.asarray(rating, dtype=float)
    before = np.asarray(before)
    after = np.asarray(after)
    if not len(rating) == len(before) == len(after) == len(groups):
        raise ValueError(
            f"{len(rating)} ratings, {len(before)} and {len(after)} distributions, "
            f"{len(groups)} groups; give one of each for every example"
        )

    def gap(rows: np.ndarray) -> float:
        return score(rating[rows], after[rows]) - score(rating[rows], before[rows])

    everyone = np.arange(len(rating))
    [(low, high)] = bootstrap.intervals([gap], groups, draws, rng)
    return gap(everyone), low, high
