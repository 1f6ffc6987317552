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

STARS = np.arange(1.0, 6.0)
CLASSES = ("unsatisfied", "neutral", "satisfied")  # of ``three``: 0, 1 and 2
SATISFIED = 4.0  # the lowest rating of a satisfied user
MIDDLE = 3.0
TIES = ("lowest", "highest", "mean", "none")


def to_unit(rating, low: float = 1.0, high: float = 5.0) -> np.ndarray:
    """Ratings on ``low``..``high`` as numbers in [0, 1], any shape; refuses a rating outside the
    scale."""
    _check_scale(low, high)
    rating = numbers("rating", rating)
    refuse(
        "rating",
        rating,
        (rating < low) | (rating > high),
        f"the scale runs from {low:g} to {high:g}",
    )
    return (rating - low) / (high - low)


def from_unit(unit, low: float = 1.0, high: float = 5.0) -> np.ndarray:
    """The inverse of ``to_unit``. A prediction beyond [0, 1] stays beyond the scale: clip it where
    that matters."""
    _check_scale(low, high)
    return low + (high - low) * numbers("unit", unit)


def _check_scale(low: float, high: float) -> None:
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            f"the scale runs from {low!r} to {high!r}; its low end must be a number below its high end"
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
    if array.size == 0 or dims not in (None, array.ndim):
        legal = {
            None: "any shape but an empty one",
            1: "shape [N], N >= 1",
            2: "shape [N, K], N and K >= 1",
        }[dims]
        raise ValueError(f"{name} has shape {list(array.shape)}; it needs {legal}")
    refuse(name, array, ~np.isfinite(array), "give finite numbers")
    return array


def refuse(name: str, array: np.ndarray, bad: np.ndarray, remedy: str) -> None:
    """ValueError that names the first number of ``array`` where ``bad`` is true, if there is one,
    and the remedy."""
    if bad.any():
        where = np.argwhere(bad)[0].tolist()
        raise ValueError(f"{name}{where or ''} is {float(array[tuple(where)])}; {remedy}")


def satisfied(rating, threshold: float = SATISFIED) -> np.ndarray:
    """1 where a rating reaches the threshold, else 0; any shape."""
    return (numbers("rating", rating) >= threshold).astype(int)


def three(rating, middle: float = MIDDLE, margin: float = 0.0) -> np.ndarray:
    """Three classes, any shape: 0 below the middle, 1 at it (or within the margin), 2 above; see
    CLASSES.

    With margin 0, applied to means, it is the label of Deng et al. (WWW 2022): the sign of the mean
    minus 3.
    """
    if not margin >= 0:
        raise ValueError(f"margin = {margin}; it is a distance from the middle, so give 0 or more")
    away = numbers("rating", rating) - middle
    return 1 + (away > margin).astype(int) - (away < -margin).astype(int)


def flat(ratings: Ratings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All ratings [A], the example that each belongs to [A], and the number of each example's
    annotators [N]."""
    size = np.array([len(one) for one in ratings])
    if not size.size or not size.min():
        empty = (
            f"example {int(size.argmin())} has no rating" if size.size else "there are no examples"
        )
        raise ValueError(f"{empty}; a label needs at least one rating of each example")
    return (
        numbers("ratings", list(itertools.chain.from_iterable(ratings))),
        np.repeat(np.arange(len(size)), size),
        size,
    )


def mean(ratings: Ratings) -> np.ndarray:
    """Mean rating [N] of each example's annotators."""
    given, row, size = flat(ratings)
    return np.bincount(row, given) / size


def counts(ratings: Ratings) -> np.ndarray:
    """How many annotators gave 1, 2, 3, 4 and 5 stars: [N, 5]."""
    given, row, size = flat(ratings)
    refuse(
        "ratings",
        given,
        ~np.isin(given, STARS),
        "only 1, 2, 3, 4 and 5 are counted: round it, or use the mean",
    )
    return np.bincount(5 * row + given.astype(int) - 1, minlength=5 * len(size)).reshape(-1, 5)


def tied(ratings: Ratings) -> np.ndarray:
    """Whether several ratings are the most frequent one, as booleans [N]."""
    return _top(ratings).sum(axis=1) > 1


def _top(ratings: Ratings) -> np.ndarray:
    found = counts(ratings)
    return found == found.max(axis=1, keepdims=True)


def majority(ratings: Ratings, ties: str = "lowest") -> np.ndarray:
    """The most frequent rating [N] of each example's annotators.

    ties: of several most frequent ratings take the "lowest" (Sun et al., SIGIR 2021), the
    "highest", their "mean", or "none", which gives nan, for examples to be left out.
    """
    runtime.one_of("ties", ties, TIES)
    top = _top(ratings)
    if ties == "lowest":
        return STARS[top.argmax(axis=1)]
    if ties == "highest":
        return STARS[4 - top[:, ::-1].argmax(axis=1)]
    found = top @ STARS / top.sum(axis=1)
    return np.where(top.sum(axis=1) > 1, math.nan, found) if ties == "none" else found


def soft(ratings: Ratings, weight: float = 0.0, base=None) -> np.ndarray:
    """Soft labels [N, 5]: the share of the annotators that gave 1 to 5 stars.

    weight: that many imagined annotators are added, who rate as ``base`` [5] does (None: all five
    equally often), so that nothing is impossible after a few ratings (additive smoothing).
    """
    base = np.full(5, 0.2) if base is None else numbers("base", base)
    if base.shape != (5,) or base.min() < 0 or not math.isclose(base.sum(), 1, abs_tol=1e-6):
        raise ValueError(f"base is {base.tolist()}; give five probabilities that add up to 1")
    if not 0 <= weight < math.inf:
        raise ValueError(f"weight = {weight}; add 0 or more imagined annotators")
    found = counts(ratings)
    return (found + weight * base) / (found.sum(axis=1, keepdims=True) + weight)


def class_weights(label: Sequence) -> dict:
    """Class -> N / (number of classes x its count): rare classes weigh more, and the mean weight of
    the rows is 1.

    Source: King and Zeng, Political Analysis 9(2), 2001; scikit-learn calls it "balanced".
    """
    values, count = np.unique(np.asarray(label), return_counts=True)
    if not len(values):
        raise ValueError("there are no labels to weigh; give at least one")
    return dict(zip(values.tolist(), (count.sum() / (len(values) * count)).tolist(), strict=True))
