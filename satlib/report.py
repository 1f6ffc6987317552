"""Figures and tables from run records only: what was gained by fine-tuning, and how sure that is.

Nothing here trains or predicts. A record holds the prediction for each example, so every number can
be computed again, two models can be compared example by example, and models that were not judged on
the same rows are refused.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from satlib.evaluation import advice, bootstrap, comparable_records, comparison, metrics
from satlib.evaluation.comparison import Difference
from satlib.records import ROW_KEYS, RunRecord


def rows(records: Sequence[RunRecord]) -> list[dict]:
    """The metric rows of all records, for results.json; keys: ``records.ROW_KEYS``."""
    together = []
    for record in records:
        together += [dict(row) for row in record.rows]
    return together


def summary(
    records: Sequence[RunRecord],
    part: str = "test",
    shown: Sequence[str] = tuple(metrics.METRICS),
) -> pd.DataFrame:
    """One row per model and metric: value (mean over the seeds), low, high, n, seeds, and points
    (value per seed).

    low, high: 95 % interval, of the mean where there are several seeds (``comparison.estimate``);
    of one seed what its record holds.
    """
    in_order = comparable_records.comparable(records)
    frame = pd.DataFrame(rows(in_order), columns=list(ROW_KEYS))
    frame = frame[(frame["part"] == part) & frame["metric"].isin(shown)]
    frame = frame.astype({"value": float, "low": float, "high": float})
    if frame.empty:
        raise ValueError(f"no record was judged on the part {part!r}; judge on validation and test")
    lines = []
    for (model, metric), own in frame.groupby(["model", "metric"], sort=False):
        if len(own) == 1:
            value, low, high = own[["value", "low", "high"]].iloc[0]
        else:
            value, low, high = comparison.estimate(in_order, model, metric, part)
        points = own["value"].tolist()
        lines.append((model, metric, value, low, high, own["n"].iloc[0], len(own), points))
    columns = ["model", "metric", "value", "low", "high", "n", "seeds", "points"]
    return pd.DataFrame(lines, columns=columns)


@dataclass(frozen=True)
class Standing:
    """A model's row of a table. cells: metric -> (value, low, high), nan where it is not defined.
    training_rows: None where the record does not say. fitted: without chance, so that there are no
    seeds. edge: its settings that lie at the edge of their grid. best: whether no competitor has a
    better main metric. oracle: whether it is the best possible predictor, which is none."""

    model: str
    cells: dict[str, tuple[float, float, float]]
    seeds: int
    training_rows: int | None
    fitted: bool
    edge: tuple[str, ...]
    best: bool = False
    oracle: bool = False

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the row, in words."""
        found = []
        if self.oracle:
            found.append("best possible")
        if self.best:
            found.append("best")
        if self.edge:
            found.append(f"at the edge of the grid: {', '.join(self.edge)}")
        return found


def standings(
    records: Sequence[RunRecord],
    shown: Sequence[str] = tuple(metrics.METRICS),
    part: str = "test",
    by: str = "rmse",
) -> list[Standing]:
    """The rows of a table: every model that was run, the best main metric ``by`` first, and the
    oracle apart at the end."""
    frame = summary(records, part, list(dict.fromkeys([by, *shown])))
    rows_of_table = []
    for model, own in frame.groupby("model", sort=False):
        cells = {row.metric: (row.value, row.low, row.high) for row in own.itertuples()}
        rows_of_table.append(
            Standing(
                model=model,
                cells=cells,
                seeds=int(own["seeds"].max()),
                training_rows=comparable_records.training_rows(records, model),
                fitted=comparable_records.is_fitted(model),
                edge=tuple(advice.edges(records, model)),
                oracle=model == comparable_records.ORACLE,
            )
        )

    def place(row: Standing) -> tuple[bool, float]:
        value = row.cells.get(by, (math.inf,))[0]
        error = value if by in comparison.LOSSES else -value
        return row.oracle, math.inf if math.isnan(error) else error

    in_order = sorted(rows_of_table, key=place)
    if not in_order[0].oracle:
        in_order[0] = replace(in_order[0], best=True)
    return in_order


def table(
    records: Sequence[RunRecord],
    shown: Sequence[str] = tuple(metrics.METRICS),
    part: str = "test",
    by: str = "rmse",
) -> pd.DataFrame:
    """``standings`` as a frame: models as rows, metrics as columns, "value [low, high]" in the
    cells, "-" where a metric is not defined.

    Further columns say what is not the same for all: the number of training rows, the number of
    seeds, and notes.
    """
    rows_of_table = standings(records, shown, part, by)
    lines = {}
    for row in rows_of_table:
        lines[row.model] = {metric: written(row.cells.get(metric)) for metric in shown}
        lines[row.model]["training rows"] = row.training_rows
        lines[row.model]["seeds"] = "fitted" if row.fitted else row.seeds
        lines[row.model]["note"] = "; ".join(row.notes)
    frame = pd.DataFrame.from_dict(lines, orient="index").rename_axis(index="model")
    left_out = unneeded(rows_of_table)
    return frame.drop(columns=left_out)


def unneeded(rows_of_table: Sequence[Standing]) -> list[str]:
    """The columns that would say the same in every row: "training rows" or "seeds"."""
    same = []
    if len({row.training_rows for row in rows_of_table}) == 1:
        same.append("training rows")
    if all(row.seeds == 1 for row in rows_of_table):
        same.append("seeds")
    return same


def written(numbers: tuple[float, float, float] | None) -> str:
    """Value and interval as text: "0.532 [0.510, 0.556]"; "-" where the value is not defined."""
    if numbers is None or math.isnan(numbers[0]):
        return "-"
    value, low, high = numbers
    if math.isnan(low):
        return f"{value:.3f}"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def drawn(records: Sequence[RunRecord]) -> list[str]:
    """The models that a figure shows: one of each family, and the best baseline of each fine-tuned
    model, in the order of the records."""
    chosen = set(comparable_records.DRAWN)
    chosen |= {gain.other for gain in gains(records, draws=1)}
    return [model for model in comparable_records.models(records) if model in chosen]


def gains(
    records: Sequence[RunRecord],
    metric: str = "rmse",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> list[Difference]:
    """The differences that a claim on fine-tuning rests on, of each fine-tuned model that is there;
    see ``advice.gains``."""
    there = comparable_records.models(records)
    found = []
    for tuned in comparable_records.FROZEN_TWINS:
        if tuned in there:
            found += advice.gains(records, tuned, metric, draws, rng)
    return found


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
