"""Where the uncertainty of a comparison comes from, users or seeds, and how many users a claim
needs.

Sources: Searle, Casella and McCulloch, Variance Components, 1992; for machine learning Bouthillier
et al., Accounting for variance in machine learning benchmarks, MLSys 2021.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
from scipy import stats

from satlib.evaluation.comparison import LEVEL, side_by_side, sums
from satlib.records import RunRecord


def spread(
    found: Sequence[RunRecord], model: str, other: str, metric: str = "rmse", part: str = "test"
) -> float:
    """Standard deviation by group of the difference: divided by the root of the number of groups,
    its standard error.

    For the RMSE, the root is replaced by its slope (the delta method).
    """
    influence = 0.0
    for sign, one in zip((1, -1), side_by_side(found, (model, other), part), strict=True):
        total, size = sums(one, metric), one.counts.mean()
        mean = total.sum(axis=1, keepdims=True) / one.counts.sum()
        slope = 0.5 / np.sqrt(mean) if metric == "rmse" else 1.0
        influence = influence + sign * (slope * (total - mean * one.counts) / size).mean(axis=0)
    return float(np.std(influence, ddof=1))


def groups_needed(sd: float, gap: float, power: float = 0.8) -> int:
    """How many groups let a true difference ``gap`` be found in this share of studies, at LEVEL;
    sd: ``spread``."""
    if not gap:
        raise ValueError(
            "gap is 0; no number of groups tells equal models apart: name the smallest gap that matters"
        )
    z = stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(power)
    return ceil((z * sd / abs(gap)) ** 2)


def components(table: np.ndarray) -> tuple[float, float, float]:
    """Variances between the rows, between the columns, and of the rest of a full table [S, U]:
    seeds by users, say.

    Two-way analysis of variance; a negative estimate is 0.
    """
    table = np.asarray(table, float)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(
            f"the table has the shape {table.shape}; give at least 2 seeds and 2 users"
        )
    s, u = table.shape
    rows, columns, middle = (
        table.mean(axis=1, keepdims=True),
        table.mean(axis=0, keepdims=True),
        table.mean(),
    )
    rest = ((table - rows - columns + middle) ** 2).sum() / ((s - 1) * (u - 1))
    between = (rows.var(ddof=1) - rest / u, columns.var(ddof=1) - rest / s)
    return (*(float(max(0.0, v)) for v in between), float(rest))
