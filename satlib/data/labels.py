"""Labels: what a model is to learn, made of the ratings of one or several annotators.

``ratings`` is a sequence with the ratings of each of N examples, one per annotator, as
``Example.ratings`` holds them. What counts stars (``counts`` and all that is built on it) needs
whole ratings from 1 to 5; a mean takes any number.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from satlib import runtime

Ratings = Sequence[Sequence[float]]

STAR_VALUES = np.arange(1.0, 6.0)
SATISFACTION_CLASSES = ("unsatisfied", "neutral", "satisfied")  # 0, 1 and 2 of ``three_classes``
# A user is satisfied if the mean rating, rounded half up, is 4 or 5: so from here on. This is the
# kit's one definition, of ratings and of predicted ratings; a published protocol keeps its own.
SATISFIED = 3.5
MIDDLE = 3.0
TIES = ("lowest", "highest", "mean", "none")
# What ``numbers`` asks for, by the number of dimensions.
LEGAL_SHAPES = {
    None: "any shape but an empty one",
    1: "shape [N], N >= 1",
    2: "shape [N, K], N and K >= 1",
}


def to_unit(rating, low: float = 1.0, high: float = 5.0) -> np.ndarray:
    """Ratings on ``low``..``high`` as numbers in [0, 1], any shape; refuses a rating outside the
    scale."""
    _check_scale(low, high)
    rating = numbers("rating", rating)
    outside = (rating < low) | (rating > high)
    refuse("rating", rating, outside, f"the scale runs from {low:g} to {high:g}")
    return (rating - low) / (high - low)


def from_unit(unit, low: float = 1.0, high: float = 5.0) -> np.ndarray:
    """The inverse of ``to_unit``. A prediction beyond [0, 1] stays beyond the scale: clip it where
    that matters."""
    _check_scale(low, high)
    return low + (high - low) * numbers("unit", unit)


def _check_scale(low: float, high: float) -> None:
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            f"the scale runs from {low!r} to {high!r}; its low end must be a number below its "
            "high end"
        )


def numbers(name: str, value, dims: int | None = None) -> np.ndarray:
    """``value`` as finite float64 with ``dims`` dimensions (None: any number), or ValueError that
    says why not."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is not an array of numbers ({error}); give numbers in rows of one length"
        ) from error
    wrong_dims = dims is not None and array.ndim != dims
    if wrong_dims or array.size == 0:
        raise ValueError(f"{name} has shape {list(array.shape)}; it needs {LEGAL_SHAPES[dims]}")
    refuse(name, array, ~np.isfinite(array), "give finite numbers")
    return array


def refuse(name: str, array: np.ndarray, bad: np.ndarray, remedy: str) -> None:
    """ValueError that names the first number of ``array`` where ``bad`` is true, if there is one,
    and the remedy."""
    if not bad.any():
        return
    place = np.argwhere(bad)[0].tolist()
    value = float(array[tuple(place)])
    index = place or ""  # a single number has no index
    raise ValueError(f"{name}{index} is {value}; {remedy}")


def satisfied(rating, threshold: float = SATISFIED) -> np.ndarray:
    """1 where a rating, of one annotator or the mean of several, is that of a satisfied user, else
    0; any shape.

    By default a rating of 4 or 5, to which a mean is rounded half up: from SATISFIED on.
    """
    return (numbers("rating", rating) >= threshold).astype(int)


def three_classes(rating, middle: float = MIDDLE, margin: float = 0.0) -> np.ndarray:
    """Three classes, any shape: 0 below the middle, 1 at it (or within the margin), 2 above; see
    SATISFACTION_CLASSES.

    With margin 0, applied to means, it is the label of Deng et al. (WWW 2022): the sign of the mean
    minus 3. They call any mean above 3 satisfied; the kit's own definition is ``satisfied``.
    """
    if not margin >= 0:  # so that NaN is refused as well
        raise ValueError(f"margin = {margin}; it is a distance from the middle, so give 0 or more")
    distance = numbers("rating", rating) - middle
    above = (distance > margin).astype(int)
    below = (distance < -margin).astype(int)
    return 1 + above - below


def flat(ratings: Ratings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All ratings [A], the example that each belongs to [A], and the number of each example's
    annotators [N]."""
    size = np.array([len(one) for one in ratings])
    if size.size == 0:
        raise ValueError("there are no examples; a label needs at least one rating of each example")
    if size.min() == 0:
        raise ValueError(
            f"example {int(size.argmin())} has no rating; a label needs at least one rating of "
            "each example"
        )
    values = numbers("ratings", list(itertools.chain.from_iterable(ratings)))
    row = np.repeat(np.arange(len(size)), size)
    return values, row, size


def mean(ratings: Ratings) -> np.ndarray:
    """Mean rating [N] of each example's annotators."""
    values, row, size = flat(ratings)
    return np.bincount(row, values) / size


def counts(ratings: Ratings) -> np.ndarray:
    """How many annotators gave 1, 2, 3, 4 and 5 stars: [N, 5]."""
    values, row, size = flat(ratings)
    between = ~np.isin(values, STAR_VALUES)
    remedy = "only 1, 2, 3, 4 and 5 are counted: round it, or use the mean"
    refuse("ratings", values, between, remedy)
    # Every pair of an example and a star is a number of its own, which bincount counts.
    cell = 5 * row + values.astype(int) - 1
    return np.bincount(cell, minlength=5 * len(size)).reshape(-1, 5)


def tied(ratings: Ratings) -> np.ndarray:
    """Whether several ratings are the most frequent one, as booleans [N]."""
    return _most_frequent(ratings).sum(axis=1) > 1


def _most_frequent(ratings: Ratings) -> np.ndarray:
    """Which of the five stars are the most frequent of an example, as booleans [N, 5]."""
    count = counts(ratings)
    return count == count.max(axis=1, keepdims=True)


def majority(ratings: Ratings, ties: str = "lowest") -> np.ndarray:
    """The most frequent rating [N] of each example's annotators.

    ties: of several most frequent ratings take the "lowest" (Sun et al., SIGIR 2021), the
    "highest", their "mean", or "none", which gives nan, for examples to be left out.
    """
    runtime.one_of("ties", ties, TIES)
    top = _most_frequent(ratings)
    if ties == "lowest":
        return STAR_VALUES[top.argmax(axis=1)]  # argmax gives the first true
    if ties == "highest":
        from_above = top[:, ::-1]
        return STAR_VALUES[4 - from_above.argmax(axis=1)]
    number = top.sum(axis=1)
    middle = top @ STAR_VALUES / number
    if ties == "mean":
        return middle
    return np.where(number > 1, math.nan, middle)


def soft(ratings: Ratings, weight: float = 0.0, base=None) -> np.ndarray:
    """Soft labels [N, 5]: the share of the annotators that gave 1 to 5 stars.

    weight: that many imagined annotators are added, who rate as ``base`` [5] does (None: all five
    equally often), so that nothing is impossible after a few ratings (additive smoothing).
    """
    if base is None:
        base = np.full(5, 0.2)
    base = numbers("base", base)
    if base.shape != (5,) or base.min() < 0 or not math.isclose(base.sum(), 1, abs_tol=1e-6):
        raise ValueError(f"base is {base.tolist()}; give five probabilities that add up to 1")
    if not 0 <= weight < math.inf:
        raise ValueError(f"weight = {weight}; add 0 or more imagined annotators")
    count = counts(ratings)
    annotators = count.sum(axis=1, keepdims=True)
    return (count + weight * base) / (annotators + weight)


def class_weights(label: Sequence) -> dict:
    """Class -> N / (number of classes x its count): rare classes weigh more, and the mean weight of
    the rows is 1.

    Source: King and Zeng, Political Analysis 9(2), 2001; scikit-learn calls it "balanced".
    """
    classes, count = np.unique(np.asarray(label), return_counts=True)
    if len(classes) == 0:
        raise ValueError("there are no labels to weigh; give at least one")
    weights = count.sum() / (len(classes) * count)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))
