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
from satlib.data.interactions import Example
from satlib.data.labels import Ratings

LEVELS = ("nominal", "ordinal", "interval")


def rated_by_several(ratings: Ratings) -> list[Sequence[float]]:
    """The ratings of the examples that at least two annotators rated."""
    several = [one for one in ratings if len(one) > 1]
    if not several:
        raise ValueError(
            "no example has two ratings; agreement needs at least two annotators of one example"
        )
    return several


def kappa(a: Sequence, b: Sequence, weight: Sequence[float] | None = None) -> float:
    """Cohen's kappa of two raters: how far they agree beyond chance, (observed - chance) / (1 -
    chance).

    a, b: their labels of the same things, [N] each. weight: of each thing; None: all alike. nan
    where both always say the same one thing. Source: Cohen, Educational and Psychological
    Measurement 20(1), 1960.
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(
            f"{len(a)} labels and {len(b)} labels; give two labels of each thing, and at least "
            "one thing"
        )
    if weight is None:
        weight = 1.0
    values, code = np.unique(np.concatenate([a, b]), return_inverse=True)
    if len(values) == 1:
        return math.nan
    # Row: what the first says. Column: what the second says. Cell: the share of the things.
    table = np.zeros((len(values), len(values)))
    np.add.at(table, (code[: len(a)], code[len(a) :]), weight)
    table /= table.sum()
    observed = np.trace(table)
    chance = table.sum(axis=1) @ table.sum(axis=0)
    return float((observed - chance) / (1 - chance))


def pairs(ratings: Ratings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every ordered pair of two annotators of one example: their ratings [P] and [P], and the
    pair's weight [P].

    An example of m annotators gives m (m - 1) pairs of weight 1 / (m - 1), so every rating counts
    once.
    """
    rows = []
    for one in rated_by_several(ratings):
        weight = 1 / (len(one) - 1)
        for first, second in itertools.permutations(one, 2):
            rows.append((first, second, weight))
    first, second, weight = np.array(rows, dtype=float).T
    return first, second, weight


def alpha(ratings: Ratings, level: str = "ordinal") -> float:
    """Krippendorff's alpha, by the library of that name: 1 is agreement, 0 chance; nan where all
    ratings are equal.

    level: "nominal" (a rating is hit or missed), "ordinal" (by ranks) or "interval" (by stars).
    Source: Krippendorff, Content Analysis, 4th edition, 2018, chapter 12.
    """
    runtime.one_of("level", level, LEVELS)
    counts = labels.counts(rated_by_several(ratings))
    different = (counts.sum(axis=0) > 0).sum()
    if different < 2:
        return math.nan
    value = krippendorff.alpha(
        value_counts=counts, level_of_measurement=level, value_domain=labels.STAR_VALUES
    )
    return float(value)


def leave_one_out(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Each annotator's rating [A], and the mean [A] of the others of the same example."""
    own, row, size = labels.flat(rated_by_several(ratings))
    total = np.bincount(row, own)
    others = (total[row] - own) / (size[row] - 1)
    return own, others


def noise(ratings: Ratings) -> np.ndarray:
    """Unbiased variance of one annotator's rating, for each example that has several: [n], in
    squared stars."""
    values, row, size = labels.flat(rated_by_several(ratings))
    centre = np.bincount(row, values) / size
    squares = (values - centre[row]) ** 2
    return np.bincount(row, squares) / (size - 1)


def reachable_rmse(ratings: Ratings) -> float:
    """RMSE (stars) of the best possible predictor of the mean ratings, estimated from the
    annotators' disagreement.

    A mean of m independent ratings has 1 / m of the variance of one of them, and nobody can predict
    that part.
    """
    size = np.array([len(one) for one in rated_by_several(ratings)])
    return float(np.sqrt(np.mean(noise(ratings) / size)))


def reachable_on(examples: Sequence[Example]) -> float:
    """The floor of a table: the RMSE (stars) that no model can be expected to fall below on these
    examples; nan where none has several ratings, as then nobody knows.

    Give the rows that the table was judged on, as ``prepare(name).parts["test"]`` holds them: the
    floor of a whole corpus is another one (uss-redial 0.262, its test part 0.273). It is
    ``reachable_rmse``, but every row counts: one with a single rating, which shows no disagreement,
    with the mean variance of the others.
    """
    ratings = [example.ratings for example in examples]
    size = np.array([len(one) for one in ratings])
    several = size > 1
    if not several.any():
        return math.nan
    variance = np.empty(len(size))
    variance[several] = noise(ratings)
    variance[~several] = variance[several].mean()
    return float(np.sqrt(np.mean(variance / size)))


def summary(ratings: Ratings) -> dict:
    """What lesson 04 compares between corpora, for a run record: plain numbers and lists.

    ``confusion``: rows are the class by the majority (ties: lowest), columns the class by the mean.
    ``alone`` is one annotator against the mean of the others, ``constant`` their mean over all
    examples in its place.
    """
    ratings = rated_by_several(ratings)
    stars = labels.counts(ratings).sum(axis=0)
    measures = {
        "examples": len(ratings),
        "ratings": int(stars.sum()),
        "ties": int(labels.tied(ratings).sum()),
        **_two_rules(ratings),
        "shares": (stars / stars.sum()).round(6).tolist(),
        **_beyond_chance(ratings),
        **_one_annotator(ratings),
        **_noise_of(ratings),
    }
    for name, value in measures.items():
        if isinstance(value, float):  # also the floats of NumPy
            measures[name] = round(float(value), 6)
    return measures


def _two_rules(ratings: Ratings) -> dict:
    """How far the classes of the majority and of the mean are the same."""
    by_majority = labels.three_classes(labels.majority(ratings))
    by_mean = labels.three_classes(labels.mean(ratings))
    by_wide_mean = labels.three_classes(labels.mean(ratings), margin=0.5)
    table = np.bincount(3 * by_majority + by_mean, minlength=9).reshape(3, 3)
    return {
        "confusion": table.tolist(),
        "same": np.mean(by_majority == by_mean),
        "same_within_half": np.mean(by_majority == by_wide_mean),
    }


def _beyond_chance(ratings: Ratings) -> dict:
    """How far two annotators of an example agree."""
    first, second, weight = pairs(ratings)
    return {
        "pairs_agree": np.average(first == second, weights=weight),
        "kappa": kappa(first, second, weight),
        "alpha_nominal": alpha(ratings, "nominal"),
        "alpha_ordinal": alpha(ratings),
    }


def _one_annotator(ratings: Ratings) -> dict:
    """How well one annotator predicts the mean of the others."""
    own, others = leave_one_out(ratings)
    same_class = labels.three_classes(own) == labels.three_classes(others)
    return {
        "alone_accuracy": np.mean(same_class),
        "alone_rmse": np.sqrt(np.mean((own - others) ** 2)),
        "constant_rmse": np.std(others),
    }


def _noise_of(ratings: Ratings) -> dict:
    """How much the annotators of an example differ, and what that leaves to a model."""
    size = np.array([len(one) for one in ratings])
    variance = noise(ratings)
    by_annotators = {}
    for number in np.unique(size):
        mean = variance[size == number].mean()
        by_annotators[str(number)] = round(float(mean), 6)
    return {
        "noise": np.mean(variance),
        "reachable_rmse": reachable_rmse(ratings),
        "noise_by_annotators": by_annotators,
    }
