"""How good is a predicted rating? Eight metrics, their bootstrap intervals by group, and the record of a judged model.

Every metric takes the true ratings and the predicted ones, two sequences of equal length on the rating scale, and
returns one number; nan means "not defined for these ratings" (a correlation with a constant, say). Predictions are
taken as they come: clipping them to the scale is the caller's business.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from satlib import records
from satlib.data.corpora import Loaded
from satlib.data.interactions import Example
from satlib.evaluation.bootstrap import _intervals
from satlib.evaluation.metrics import CLASSES, METRICS, _pair


def evaluate(rating: Sequence[float], predicted: Sequence[float], groups: Sequence, *, model: str, dataset: str,
             profile: str, part: str, seed: int, draws: int = 1000) -> list[dict]:
    """One row per metric, with exactly the keys ``records.ROW_KEYS``; value, low and high to 6 decimals.

    All metrics see the same samples, and so do all models judged on the same rows: the draws have a seed of their own.
    JSON has no nan: an undefined value or bound is None.
    """
    intervals = _intervals(list(METRICS.values()), rating, predicted, groups, draws, np.random.default_rng(0))
    fixed = {"profile": profile, "dataset": dataset, "part": part, "model": model, "n": len(rating), "seed": seed}
    rows = []
    for (name, metric), (low, high) in zip(METRICS.items(), intervals, strict=True):
        numbers = {"value": metric(rating, predicted), "low": low, "high": high}
        row = fixed | {"metric": name} | {k: None if math.isnan(v) else round(v, 6) for k, v in numbers.items()}
        rows.append({key: row[key] for key in records.ROW_KEYS})
    return rows


def judge(model: str, predicted: Mapping[str, Sequence[float]], parts: Mapping[str, Sequence[Example]], *,
          loaded: Loaded, split_sha256: str, profile: str, seed: int, parameters: Mapping,
          curves: Sequence[dict] = (), distribution: Mapping[str, np.ndarray] | None = None,
          draws: int = 1000) -> records.RunRecord:
    """Build the run record of one fitted model: its metric rows and its prediction for each example.

    predicted: part -> predicted ratings [N], in the order of ``parts[part]``; judged are the parts named there, as a
    rule validation and test. distribution: part -> probabilities [N, 5] of the ratings 1..5, where the model has one.
    Ratings and predictions are rounded to 4 decimals first, so the rows can be recomputed from the record.
    """
    record = records.RunRecord(model, loaded.name, profile, seed, loaded.sha256, split_sha256, dict(parameters),
                               list(curves))
    for part, values in predicted.items():
        if part not in parts:
            raise ValueError(f"no part {part!r} among {', '.join(parts)}; predict for parts of the split")
        columns = _columns(parts[part], values, (distribution or {}).get(part))
        record.predictions[part] = columns
        record.rows += evaluate(columns["rating"], columns["predicted"], columns["group"], model=model,
                                dataset=loaded.name, profile=profile, part=part, seed=seed, draws=draws)
    return record


def _columns(examples: Sequence[Example], predicted: Sequence[float], distribution: np.ndarray | None) -> dict:
    rating, predicted = _pair([e.rating for e in examples], predicted)
    columns = {"id": [e.id for e in examples], "group": [e.group for e in examples],
               "domain": [e.domain for e in examples], "rating": rating.round(4).tolist(),
               "predicted": predicted.round(4).tolist()}
    if distribution is not None:
        distribution = np.asarray(distribution, dtype=float)
        if distribution.shape != (len(rating), CLASSES) or not np.allclose(distribution.sum(axis=1), 1, atol=1e-3):
            raise ValueError(f"distribution has the shape {distribution.shape}; give [{len(rating)}, {CLASSES}] "
                             "probabilities, each row summing to 1")
        columns["distribution"] = distribution.round(4).tolist()
    return columns
