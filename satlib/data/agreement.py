"""Agreement: how far annotators say the same of one example, and what their noise leaves to be
predicted.

Taught with ``labels``, whose ``Ratings`` everything here takes. Only examples with several ratings
can tell: those with one are left out, and where there are no others, ValueError says so.
"""

import itertools
import math
from collections.abc import Sequence

import krippendorff
import numpy as np

from satlib import runtime
from satlib.data import labels
from satlib.data.labels import Ratings

LEVELS = ("nominal", "ordinal", "interval")


def several(ratings: Ratings) -> list[Sequence[float]]:
    """The examples that at least two annotators rated."""
    found = [one for one in ratings if len(one) > 1]
    if not found:
        raise ValueError(
            "no example has two ratings; agreement needs at least two annotators of one example"
        )
    return found


def kappa(a: Sequence, b: Sequence, weight: Sequence[float] | None = None) -> float:
    """Cohen's kappa of two raters: how far they agree beyond chance, (observed - chance) / (1 -
    chance).

    a, b: their labels of the same things, [N] each. weight: of each thing; None: all alike. nan
    where both always say the same one thing. Source: Cohen, Educational and Psychological
    Measurement 20(1), 1960.
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(
            f"{len(a)} labels and {len(b)} labels; give two labels of each thing, and at least one thing"
        )
    values, code = np.unique(np.concatenate([a, b]), return_inverse=True)
    table = np.zeros((len(values), len(values)))
    np.add.at(table, (code[: len(a)], code[len(a) :]), 1.0 if weight is None else weight)
    table /= table.sum()
    chance = table.sum(axis=1) @ table.sum(axis=0)
    return float((np.trace(table) - chance) / (1 - chance)) if len(values) > 1 else math.nan


def pairs(ratings: Ratings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every ordered pair of two annotators of one example: their ratings [P] and [P], and the
    pair's weight [P].

    An example of m annotators gives m (m - 1) pairs of weight 1 / (m - 1), so every rating counts
    once.
    """
    found = [
        (*pair, 1 / (len(one) - 1))
        for one in several(ratings)
        for pair in itertools.permutations(one, 2)
    ]
    return tuple(np.array(found, dtype=float).T)


def alpha(ratings: Ratings, level: str = "ordinal") -> float:
    """Krippendorff's alpha, by the library of that name: 1 is agreement, 0 chance; nan where all
    ratings are equal.

    level: "nominal" (a rating is hit or missed), "ordinal" (by ranks) or "interval" (by stars).
    Source: Krippendorff, Content Analysis, 4th edition, 2018, chapter 12.
    """
    runtime.one_of("level", level, LEVELS)
    found = labels.counts(several(ratings))
    if (found.sum(axis=0) > 0).sum() < 2:
        return math.nan
    return float(
        krippendorff.alpha(
            value_counts=found, level_of_measurement=level, value_domain=labels.STARS
        )
    )


def alone(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Each annotator's rating [A], and the mean [A] of the others of the same example."""
    given, row, size = labels.flat(several(ratings))
    return given, (np.bincount(row, given)[row] - given) / (size[row] - 1)


def noise(ratings: Ratings) -> np.ndarray:
    """Unbiased variance of one annotator's rating, for each example that has several: [n], in
    squared stars."""
    given, row, size = labels.flat(several(ratings))
    centre = np.bincount(row, given) / size
    return np.bincount(row, (given - centre[row]) ** 2) / (size - 1)


def reachable(ratings: Ratings) -> float:
    """RMSE (stars) of the best possible predictor of the mean ratings, estimated from the
    annotators' disagreement.

    A mean of m independent ratings has 1 / m of the variance of one of them, and nobody can predict
    that part.
    """
    size = np.array([len(one) for one in several(ratings)])
    return float(np.sqrt(np.mean(noise(ratings) / size)))


def summary(ratings: Ratings) -> dict:
    """What lesson 04 compares between corpora, for a run record: plain numbers and lists.

    ``confusion``: rows are the class by the majority (ties: lowest), columns the class by the mean.
    ``alone`` is one annotator against the mean of the others, ``constant`` their mean over all
    examples in its place.
    """
    ratings = several(ratings)
    lowest, middle = labels.three(labels.majority(ratings)), labels.three(labels.mean(ratings))
    wide = labels.three(labels.mean(ratings), margin=0.5)
    (a, b, weight), (own, rest), given = (
        pairs(ratings),
        alone(ratings),
        labels.counts(ratings).sum(axis=0),
    )
    size, spread = np.array([len(one) for one in ratings]), noise(ratings)
    found = {
        "examples": len(ratings),
        "ratings": int(given.sum()),
        "ties": int(labels.tied(ratings).sum()),
        "confusion": np.bincount(3 * lowest + middle, minlength=9).reshape(3, 3).tolist(),
        "same": np.mean(lowest == middle),
        "same_within_half": np.mean(lowest == wide),
        "shares": (given / given.sum()).round(6).tolist(),
        "pairs_agree": np.average(a == b, weights=weight),
        "kappa": kappa(a, b, weight),
        "alpha_nominal": alpha(ratings, "nominal"),
        "alpha_ordinal": alpha(ratings),
        "alone_accuracy": np.mean(labels.three(own) == labels.three(rest)),
        "alone_rmse": np.sqrt(np.mean((own - rest) ** 2)),
        "constant_rmse": np.std(rest),
        "noise": np.mean(spread),
        "reachable_rmse": reachable(ratings),
        "noise_by_annotators": {
            str(m): round(float(spread[size == m].mean()), 6) for m in np.unique(size)
        },
    }
    return {name: round(float(v), 6) if isinstance(v, float) else v for name, v in found.items()}
