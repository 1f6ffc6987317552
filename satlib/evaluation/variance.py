"""Where the uncertainty of a comparison comes from, users or seeds, and how many users a claim
needs.

Sources: Searle, Casella and McCulloch, Variance Components, 1992; for machine learning Bouthillier
et al., Accounting for variance in machine learning benchmarks, MLSys 2021.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from satlib.evaluation.comparison import LEVEL, SeededPredictions, side_by_side, sums
from satlib.records import RunRecord


def spread(
    records: Sequence[RunRecord], model: str, other: str, metric: str = "rmse", part: str = "test"
) -> float:
    """Standard deviation by group of the difference: divided by the root of the number of groups,
    its standard error."""
    ours, theirs = side_by_side(records, (model, other), part)
    influence = _influence(ours, metric) - _influence(theirs, metric)
    return float(np.std(influence, ddof=1))


def _influence(side: SeededPredictions, metric: str) -> np.ndarray:
    """How far each group [G] pulls the metric away from its value, mean over the seeds.

    For the RMSE, the root is replaced by its slope (the delta method).
    """
    total = sums(side, metric)
    mean = total.sum(axis=1, keepdims=True) / side.counts.sum()
    slope = 0.5 / np.sqrt(mean) if metric == "rmse" else 1.0
    excess = total - mean * side.counts  # what the rows of a group add beyond the mean
    usual_size = side.counts.mean()
    return (slope * excess / usual_size).mean(axis=0)


def groups_needed(sd: float, gap: float, power: float = 0.8) -> int:
    """How many groups let a true difference ``gap`` be found in this share of studies, at LEVEL;
    sd: ``spread``."""
    if gap == 0:
        raise ValueError(
            "gap is 0; no number of groups tells equal models apart: "
            "name the smallest gap that matters"
        )
    z = stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(power)
    return math.ceil((z * sd / abs(gap)) ** 2)


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
    rows = table.mean(axis=1, keepdims=True)
    columns = table.mean(axis=0, keepdims=True)
    left_over = table - rows - columns + table.mean()
    rest = (left_over**2).sum() / ((s - 1) * (u - 1))
    # The means of rows and columns scatter by their share of the rest, too; it is taken off.
    of_rows = rows.var(ddof=1) - rest / u
    of_columns = columns.var(ddof=1) - rest / s
    return float(max(0.0, of_rows)), float(max(0.0, of_columns)), float(rest)
