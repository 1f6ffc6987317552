"""Figures and tables from run records only: what was gained by fine-tuning, and how sure that is.

Nothing here trains or predicts. A record holds the prediction for each example, so every number can
be computed again, two models can be compared example by example, and models that were not judged on
the same rows are refused.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib import records
from satlib.evaluation import bootstrap, metrics
from satlib.evaluation.calibration import (
    miscalibration,
)
from satlib.evaluation.comparable_records import (
    AFTER,
    comparable,
    predictions,
)
from satlib.evaluation.comparison import (
    difference,
)
from satlib.records import RunRecord


def rows(found: Sequence[RunRecord]) -> list[dict]:
    """The metric rows of all records, for results.json; keys: ``records.ROW_KEYS``."""
    return [dict(row) for record in found for row in record.rows]


def summary(found: Sequence[RunRecord], part: str = "test") -> pd.DataFrame:
    """One row per model and metric: value, low, high (means over the seeds), n, seeds, and points
    (value per seed)."""
    frame = pd.DataFrame(rows(comparable(found)), columns=list(records.ROW_KEYS))
    frame = frame[frame["part"] == part].astype({"value": float, "low": float, "high": float})
    if frame.empty:
        raise ValueError(f"no record was judged on the part {part!r}; judge on validation and test")
    grouped = frame.groupby(["model", "metric"], sort=False)
    return grouped.agg(
        value=("value", "mean"),
        low=("low", "mean"),
        high=("high", "mean"),
        n=("n", "first"),
        seeds=("seed", "nunique"),
        points=("value", list),
    ).reset_index()


def table(
    found: Sequence[RunRecord], shown: Sequence[str] = tuple(metrics.METRICS), part="test"
) -> pd.DataFrame:
    """Models as rows, metrics as columns, "value [low, high]" in the cells; "-" where a metric is
    not defined."""

    def text(row) -> str:
        bounds = "" if np.isnan(row.low) else f" [{row.low:.3f}, {row.high:.3f}]"
        return "-" if np.isnan(row.value) else f"{row.value:.3f}{bounds}"

    frame = summary(found, part)
    frame["text"] = [text(row) for row in frame.itertuples()]
    wide = frame.pivot(index="model", columns="metric", values="text").reindex(
        frame["model"].unique()
    )
    return wide.reindex(columns=list(shown)).fillna("-").rename_axis(columns=None)


def training_rows(found: Sequence[RunRecord]) -> int | str:
    """How many rows taught the models; where some learned from fewer, these are named: "80419
    (bert-after 8000)"."""
    rows = {
        record.model: record.parameters["train_rows"]
        for record in found
        if "train_rows" in record.parameters
    }
    if not rows:
        return "-"
    usual = Counter(rows.values()).most_common(1)[0][0]
    others = [f"{model} {n}" for model, n in rows.items() if n != usual]
    return f"{usual} ({', '.join(others)})" if others else usual


def facts(found: Sequence[RunRecord]) -> pd.Series:
    """What a reader must know beside the numbers: training rows, test rows, seeds, encoder, epochs
    kept, machine."""
    tuned = [r for r in found if r.model == AFTER] or list(found)
    said = tuned[0].parameters
    seeds = {
        "seeds": [r.seed for r in tuned],
        "best epoch": [r.parameters.get("best_epoch", "-") for r in tuned],
    }
    return pd.Series(
        {
            "training rows": training_rows(found),
            "test rows": len(predictions(found, tuned[0].model)) // len(tuned),
            **{name: ", ".join(map(str, values)) for name, values in seeds.items()},
            "encoder": said.get("encoder", "-"),
            "learning rate": said.get("learning_rate", "-"),
            "accelerator": tuned[0].machine.get("accelerator", "-"),
        }
    )


def value(
    found: Sequence[RunRecord], model: str, metric: str = "rmse", part: str = "test"
) -> float:
    """A metric of a model, mean over its seeds; nan where the model has no record or the metric is
    not defined."""
    values = [
        row["value"]
        for row in rows(found)
        if (row["model"], row["metric"], row["part"]) == (model, metric, part)
        and row["value"] is not None
    ]
    return float(np.mean(values)) if values else float("nan")


def versus(one: float, other: float) -> str:
    """How ``one`` stands to ``other`` at two decimals, in words: below, level with or above."""
    gap = round(one, 2) - round(other, 2)
    return "level with" if gap == 0 else "below" if gap < 0 else "above"


def by_domain(
    found: Sequence[RunRecord],
    models: Sequence[str],
    part: str = "test",
    most: int = 6,
    draws: int = 300,
) -> pd.DataFrame:
    """RMSE over all seeds, with interval, of each model in the ``most`` frequent domains; the rest
    is "other"."""
    listed = []
    for model in models:
        frame = predictions(found, model, part)
        kept = frame["domain"].value_counts().index[:most]
        frame["domain"] = frame["domain"].where(frame["domain"].isin(kept), "other")
        for domain, own in frame.groupby("domain"):
            low, high = bootstrap.bootstrap(
                metrics.rmse, own["rating"], own["predicted"], own["group"], draws, 0
            )
            listed.append(
                {
                    "domain": domain,
                    "model": model,
                    "value": metrics.rmse(own["rating"], own["predicted"]),
                    "low": low,
                    "high": high,
                    "n": own["id"].nunique(),
                }
            )
    return pd.DataFrame(listed)
