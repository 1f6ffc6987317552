"""Figures and tables from run records only: what was gained by fine-tuning, and how sure that is.

Nothing here trains or predicts. A record holds the prediction for each example, so every number can
be computed again, two models can be compared example by example, and models that were not judged on
the same rows are refused.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from satlib.evaluation import bootstrap, comparable_records, metrics
from satlib.records import ROW_KEYS, RunRecord


def rows(records: Sequence[RunRecord]) -> list[dict]:
    """The metric rows of all records, for results.json; keys: ``records.ROW_KEYS``."""
    together = []
    for record in records:
        together += [dict(row) for row in record.rows]
    return together


def summary(records: Sequence[RunRecord], part: str = "test") -> pd.DataFrame:
    """One row per model and metric: value, low, high (means over the seeds), n, seeds, and points
    (value per seed)."""
    in_order = comparable_records.comparable(records)
    frame = pd.DataFrame(rows(in_order), columns=list(ROW_KEYS))
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
    records: Sequence[RunRecord], shown: Sequence[str] = tuple(metrics.METRICS), part="test"
) -> pd.DataFrame:
    """Models as rows, metrics as columns, "value [low, high]" in the cells; "-" where a metric is
    not defined."""
    frame = summary(records, part)
    frame["text"] = [_cell(row.value, row.low, row.high) for row in frame.itertuples()]
    wide = frame.pivot(index="model", columns="metric", values="text")
    in_order = wide.reindex(index=frame["model"].unique(), columns=list(shown))
    return in_order.fillna("-").rename_axis(columns=None)


def _cell(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "-"
    if math.isnan(low):
        return f"{value:.3f}"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def training_rows(records: Sequence[RunRecord]) -> int | str:
    """How many rows taught the models; where some learned from fewer, these are named: "80419
    (bert-after 8000)"."""
    counts = {}
    for record in records:
        if "train_rows" in record.parameters:
            counts[record.model] = record.parameters["train_rows"]
    if not counts:
        return "-"
    usual, _ = Counter(counts.values()).most_common(1)[0]
    others = [f"{model} {count}" for model, count in counts.items() if count != usual]
    return f"{usual} ({', '.join(others)})" if others else usual


def facts(records: Sequence[RunRecord]) -> pd.Series:
    """What a reader must know beside the numbers: training rows, test rows, seeds, encoder, epochs
    kept, machine."""
    tuned = [record for record in records if record.model == comparable_records.AFTER]
    if not tuned:
        tuned = list(records)
    first = tuned[0]
    test_rows = len(comparable_records.predictions(records, first.model)) // len(tuned)
    best_epochs = [record.parameters.get("best_epoch", "-") for record in tuned]
    return pd.Series(
        {
            "training rows": training_rows(records),
            "test rows": test_rows,
            "seeds": ", ".join(str(record.seed) for record in tuned),
            "best epoch": ", ".join(map(str, best_epochs)),
            "encoder": first.parameters.get("encoder", "-"),
            "learning rate": first.parameters.get("learning_rate", "-"),
            "accelerator": first.machine.get("accelerator", "-"),
        }
    )


def value(
    records: Sequence[RunRecord], model: str, metric: str = "rmse", part: str = "test"
) -> float:
    """A metric of a model, mean over its seeds; nan where the model has no record or the metric is
    not defined."""
    wanted = (model, metric, part)
    values = []
    for row in rows(records):
        if (row["model"], row["metric"], row["part"]) == wanted and row["value"] is not None:
            values.append(row["value"])
    return float(np.mean(values)) if values else math.nan


def versus(one: float, other: float) -> str:
    """How ``one`` stands to ``other`` at two decimals, in words: below, level with or above."""
    gap = round(one, 2) - round(other, 2)
    if gap == 0:
        return "level with"
    return "below" if gap < 0 else "above"


def by_domain(
    records: Sequence[RunRecord],
    models: Sequence[str],
    part: str = "test",
    most: int = 6,
    draws: int = 300,
) -> pd.DataFrame:
    """RMSE over all seeds, with interval, of each model in the ``most`` frequent domains; the rest
    is "other"."""
    table_rows = []
    for model in models:
        frame = comparable_records.predictions(records, model, part)
        frequent = frame["domain"].value_counts().index[:most]
        frame["domain"] = frame["domain"].where(frame["domain"].isin(frequent), "other")
        for domain, own in frame.groupby("domain"):
            rating = own["rating"].to_numpy(float)
            predicted = own["predicted"].to_numpy(float)
            low, high = bootstrap.bootstrap(
                metrics.rmse, rating, predicted, own["group"].to_numpy(), draws, 0
            )
            table_rows.append(
                {
                    "domain": domain,
                    "model": model,
                    "value": metrics.rmse(rating, predicted),
                    "low": low,
                    "high": high,
                    "n": own["id"].nunique(),
                }
            )
    return pd.DataFrame(table_rows)
