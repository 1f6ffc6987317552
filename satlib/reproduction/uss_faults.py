"""Faults of published evaluations, restated exactly, so that a lesson can switch them on and off
one by one.

Taught with lesson 61. Nothing else uses these functions: for results, take
``satlib.evaluation.metrics``. Source: the code that came with Sun et al., SIGIR 2021.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

COPIES = 11  # of a training row that is not rated 3: the original and ten more


def first_rank(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1 in which equal values all take the rank of the first of them (7, 8, 8 -> 1, 2,
    2)."""
    values = np.asarray(values, dtype=float)
    return np.searchsorted(np.sort(values), values, side="left") + 1.0


def rho(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Their Spearman's rho: 1 - 6 sum d^2 / (n^3 - n) on ``first_rank``, which is right only where
    no values are equal.

    A constant prediction has all ranks 1, so the formula measures how many ratings are equal: most
    are 3.
    """
    n = len(rating)
    if n < 2:
        return math.nan
    d = first_rank(rating) - first_rank(predicted)
    return float(1 - 6 * (d**2).sum() / (n**3 - n))


def f1(rating: Sequence[float], predicted: Sequence[float]) -> float:
    """Their F1 of "rated below 3": 2 P R / max(P + R, 1). As P + R is below 1 here, it is the true
    one times P + R. "Dissatisfied" is their rule, not the opposite of ``labels.satisfied``."""
    low = np.asarray(rating) < 3
    predicted_low = np.asarray(predicted) < 3
    hits = int((low & predicted_low).sum())
    precision = hits / predicted_low.sum() if predicted_low.any() else 0.0
    recall = hits / low.sum() if low.any() else 0.0
    return float(2 * precision * recall / max(precision + recall, 1))


def upsample(rows: Sequence[int], stars: Sequence[float], copies: int = COPIES) -> np.ndarray:
    """Row numbers in which every row not rated 3 stands ``copies`` times, one rated 3 once; the
    order is kept."""
    rows = np.asarray(rows)
    times = np.where(np.asarray(stars)[rows] == 3, 1, copies)
    return np.repeat(rows, times)


def look_up(
    texts: Sequence[str], stars: Sequence[float], judged: Sequence[str], unknown: float = 3.0
) -> np.ndarray:
    """Classes [M] of the judged texts by a table of the training texts [N] and their classes [N],
    which learns nothing: the class of the same text, the most frequent one where it has several
    (of equally many the lowest).

    unknown: the class of a text that is not in the table. Where all rows but those rated 3 were
    copied before the split, a text without a double is most likely a 3.
    """
    table = defaultdict(Counter)
    for text, star in zip(texts, stars, strict=True):
        table[text][star] += 1
    found = {}
    for text, counts in table.items():
        found[text] = min(counts, key=lambda star: (-counts[star], star))
    return np.array([found.get(text, unknown) for text in judged], dtype=float)


def row_blocks(n: int, folds: int = 10) -> list[np.ndarray]:
    """0..n-1 in ``folds`` contiguous blocks: dialogues that lie across a border are cut. The last
    takes the rest."""
    size = n // folds
    borders = [block * size for block in range(1, folds)]
    return np.split(np.arange(n), borders)


def best_epochs(
    rating: Sequence[float],
    predicted: Sequence[Sequence[float]],
    named: dict[str, Callable[[Sequence[float], Sequence[float]], float]],
) -> dict[str, tuple[float, int]]:
    """Metric -> its highest value over the epochs ON TEST ROWS, and that epoch (from 0): each
    metric takes its own.

    predicted: classes [E, N]. An undefined value (nan) never wins.
    """
    best = {}
    for name, metric in named.items():
        values = [metric(rating, classes) for classes in predicted]
        comparable = [-math.inf if math.isnan(value) else value for value in values]
        epoch = int(np.argmax(comparable))
        best[name] = (float(values[epoch]), epoch)
    return best
