"""What chance explains among runs that differ by their seed: intervals by Student's t, with a
common spread.

Taught with lesson 44 beside ``hyperparameters``. The values are one number a run, as a rule its
validation RMSE. A spread is a pair: a standard deviation and its degrees of freedom.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

CONFIDENCE = 0.95


def pooled(groups: Iterable[Sequence[float]]) -> tuple[float, int]:
    """The standard deviation that groups have in common, and its degrees of freedom (analysis of
    variance).

    Groups with little data each lend each other theirs, if chance moves all of them alike.
    """
    groups = [np.asarray(group, dtype=float) for group in groups]
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < 1:
        raise ValueError(f"{len(groups)} groups without two runs in any of them; run a second seed")
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups)
    return math.sqrt(squares / freedom), freedom


def interval(
    values: Sequence[float], spread: tuple[float, int] | None = None
) -> tuple[float, float, float]:
    """Mean of the runs and its 95 % interval (low, high) by Student's t, over seeds.

    spread: standard deviation and degrees of freedom from ``pooled``; None takes the values' own.
    """
    if spread is None:
        spread = pooled([values])
    deviation, freedom = spread
    error = deviation / math.sqrt(len(values))
    return _t_interval(float(np.mean(values)), error, freedom)


def difference(
    values: Sequence[float], base: Sequence[float], spread: tuple[float, int]
) -> tuple[float, float, float]:
    """Mean of ``values`` minus mean of ``base``, and its 95 % interval (low, high); spread: see
    ``pooled``."""
    deviation, freedom = spread
    # Both means vary, so their variances add up.
    error = deviation * math.sqrt(1 / len(values) + 1 / len(base))
    return _t_interval(float(np.mean(values) - np.mean(base)), error, freedom)


def _t_interval(middle: float, error: float, freedom: int) -> tuple[float, float, float]:
    """The middle and the ends of its interval; error: the standard error of the middle."""
    from scipy.stats import t

    half = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return middle, middle - half, middle + half


def in_words(values: Sequence[float], base: Sequence[float], spread: tuple[float, int]) -> str:
    """The difference and its interval as text, such as "-0.021 (-0.030 to -0.012)"; it says where
    that is chance."""
    middle, low, high = difference(values, base, spread)
    text = f"{middle:+.3f} ({low:+.3f} to {high:+.3f})"
    if low <= 0 <= high:
        return f"{text}, inside chance"
    return text
