"""Many models on the same examples: all pairs tested, with Holm's correction, and ranks that models
share where they cannot be told apart.

Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib.evaluation import bootstrap, comparable_records, comparison
from satlib.records import RunRecord


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values: the smallest times m, the next times m - 1, and so on, never
    falling, at most 1."""
    p = np.asarray(p, float)
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    # A p-value may not fall below that of the one before it, however much smaller its factor is.
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return adjusted


def pairs(records: Sequence[RunRecord], metric: str = "rmse", part: str = "test") -> pd.DataFrame:
    """Every two models: one, other, p (paired t by group) and holm (adjusted for the number of
    pairs)."""
    models = comparable_records.models(records)
    losses = {}
    for model, side in zip(models, comparison.side_by_side(records, models, part), strict=True):
        losses[model] = comparison.sums(side, metric).mean(axis=0)
    rows = []
    for one, other in itertools.combinations(models, 2):
        rows.append((one, other, comparison.paired_t(losses[one] - losses[other])))
    frame = pd.DataFrame(rows, columns=["one", "other", "p"])
    return frame.assign(holm=holm(frame["p"]))


def ranks(
    records: Sequence[RunRecord],
    metric: str = "rmse",
    part: str = "test",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """Models, lowest error first: rank, model, value, low, high, seeds. rank: 1 + how many models
    are clearly better.

    Clearly: p < ``comparison.LEVEL`` after Holm's correction for all pairs, over the groups. So
    models that cannot be told apart share a rank, unless one of them is beaten by a third and the
    other is not. Intervals and ranks speak of these trained models.
    """
    models = comparable_records.models(records)
    sides = comparison.side_by_side(records, models, part)
    weights = bootstrap.with_everyone(bootstrap.group_weights(len(sides[0].counts), draws, rng))
    rows = []
    for model, side in zip(models, sides, strict=True):
        values = comparison.drawn_values(side, metric, weights).mean(axis=1)
        rows.append((model, *bootstrap.estimate(values), len(side.predicted)))
    frame = pd.DataFrame(rows, columns=["model", "value", "low", "high", "seeds"])
    frame = frame.sort_values("value", kind="stable")

    error = dict(zip(frame["model"], frame["value"], strict=True))
    all_pairs = pairs(records, metric, part)
    clear_pairs = all_pairs[all_pairs["holm"] < comparison.LEVEL]
    beaten = []
    for one, other in zip(clear_pairs["one"], clear_pairs["other"], strict=True):
        beaten.append(max(one, other, key=error.get))
    frame.insert(0, "rank", [1 + beaten.count(model) for model in frame["model"]])
    return frame.reset_index(drop=True)
