"""Figures and tables from run records only: what was gained by fine-tuning, and how sure that is.

Nothing here trains or predicts. A record holds the prediction for each example, so every number can be computed again,
two models can be compared example by example, and models that were not judged on the same rows are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from satlib import metrics, plots, records, runtime
from satlib.records import RunRecord

MODELS = ("mean", "majority", "tfidf-ridge", "bert-before", "bert-after", "oracle")  # order of tables and figures
REQUIRED = ("mean", "tfidf-ridge", "bert-before", "bert-after")
RIDGE, BEFORE, AFTER = REQUIRED[1:]
COLOURS = dict(zip(MODELS, (6, 5, 2, 4, 0, 3), strict=True))  # numbers in plots.PALETTE; both BERTs are blue
OWN, COMMITTED = "the records that lessons 32 and 35 wrote", "the records committed with the kit"


def find(dataset: str, profile: str, runs: str = "") -> tuple[list[RunRecord], str]:
    """Comparable records of one data set and profile, in the order of MODELS, and in words where they come from.

    runs: a folder of records; "" takes the cache where every model of REQUIRED is there, else the committed records.
    Raises FileNotFoundError where there is none, ValueError where they may not be compared.
    """
    own = records.load_all(runtime.runs_folder(runs), dataset, profile)
    committed = [] if runs else load_committed(dataset, profile)
    complete = set(REQUIRED) <= {r.model for r in own}
    found, words = (own, OWN) if runs or complete or not committed else (committed, COMMITTED)
    if not found:
        raise FileNotFoundError(f"no run record of {dataset!r} with the profile {profile!r} in {runs or 'the cache'}; "
                                "run lessons 32 and 35 with the same parameters first")
    return comparable(found), words


def load_committed(dataset: str, profile: str) -> list[RunRecord]:
    """The records of one data set and profile that are committed with the kit; may be none."""
    return records.load_all(runtime.data_folder() / "runs", dataset, profile)


def comparable(found: Sequence[RunRecord]) -> list[RunRecord]:
    """The records in the order of MODELS; ValueError where their data, split, data set or profile differ."""
    for name in ("dataset", "profile", "data_sha256", "split_sha256"):
        values = {getattr(record, name): record.name for record in found}
        if len(values) > 1:
            one, other = list(values.values())[:2]
            raise ValueError(f"{one} and {other} differ in {name}, and numbers of different protocols never share a "
                             "ranking; run the lessons of both again with the same parameters")
    return sorted(found, key=lambda r: ((*MODELS, r.model).index(r.model), r.model, r.seed))


def rows(found: Sequence[RunRecord]) -> list[dict]:
    """The metric rows of all records, for results.json; keys: ``records.ROW_KEYS``."""
    return [dict(row) for record in found for row in record.rows]


def summary(found: Sequence[RunRecord], part: str = "test") -> pd.DataFrame:
    """One row per model and metric: value, low, high (means over the seeds), n, seeds, and points (value per seed)."""
    frame = pd.DataFrame(rows(comparable(found)), columns=list(records.ROW_KEYS))
    frame = frame[frame["part"] == part].astype({"value": float, "low": float, "high": float})
    if frame.empty:
        raise ValueError(f"no record was judged on the part {part!r}; judge on validation and test")
    grouped = frame.groupby(["model", "metric"], sort=False)
    return grouped.agg(value=("value", "mean"), low=("low", "mean"), high=("high", "mean"), n=("n", "first"),
                       seeds=("seed", "nunique"), points=("value", list)).reset_index()


def table(found: Sequence[RunRecord], shown: Sequence[str] = tuple(metrics.METRICS), part="test") -> pd.DataFrame:
    """Models as rows, metrics as columns, "value [low, high]" in the cells; "-" where a metric is not defined."""
    def text(row) -> str:
        bounds = "" if np.isnan(row.low) else f" [{row.low:.3f}, {row.high:.3f}]"
        return "-" if np.isnan(row.value) else f"{row.value:.3f}{bounds}"

    frame = summary(found, part)
    frame["text"] = [text(row) for row in frame.itertuples()]
    wide = frame.pivot(index="model", columns="metric", values="text").reindex(frame["model"].unique())
    return wide.reindex(columns=list(shown)).fillna("-").rename_axis(columns=None)


def facts(found: Sequence[RunRecord]) -> pd.Series:
    """What a reader must know beside the numbers: training rows, test rows, seeds, encoder, epochs kept, machine."""
    tuned = [r for r in found if r.model == AFTER] or list(found)
    said = tuned[0].parameters
    seeds = {"seeds": [r.seed for r in tuned], "best epoch": [r.parameters.get("best_epoch", "-") for r in tuned]}
    return pd.Series({
        "training rows": said.get("train_rows", "-"),
        "test rows": len(predictions(found, tuned[0].model)) // len(tuned),
        **{name: ", ".join(map(str, values)) for name, values in seeds.items()},
        "encoder": said.get("encoder", "-"), "learning rate": said.get("learning_rate", "-"),
        "accelerator": tuned[0].machine.get("accelerator", "-"),
    })


def value(found: Sequence[RunRecord], model: str, metric: str = "rmse", part: str = "test") -> float:
    """A metric of a model, mean over its seeds; nan where the model has no record or the metric is not defined."""
    values = [row["value"] for row in rows(found)
              if (row["model"], row["metric"], row["part"]) == (model, metric, part) and row["value"] is not None]
    return float(np.mean(values)) if values else float("nan")


def look(model: str) -> tuple[str, str]:
    """Colour and marker of a model, the same in all figures."""
    number = COLOURS.get(model, 1)
    return plots.PALETTE[number], plots.MARKERS[number]


def versus(one: float, other: float) -> str:
    """How ``one`` stands to ``other`` at two decimals, in words: below, level with or above."""
    gap = round(one, 2) - round(other, 2)
    return "level with" if gap == 0 else "below" if gap < 0 else "above"


def predictions(found: Sequence[RunRecord], model: str, part: str = "test") -> pd.DataFrame:
    """Columns seed, id, group, domain, rating, predicted: the examples of a part once for every seed of the model."""
    names = ["id", "group", "domain", "rating", "predicted"]
    frames = [pd.DataFrame({name: r.predictions[part][name] for name in names}).assign(seed=r.seed)
              for r in found if r.model == model and part in r.predictions]
    if not frames:
        there = ", ".join(sorted({r.model for r in found}))
        raise ValueError(f"no record of {model!r} with {part} predictions; choose one of {there}")
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class Difference:
    """A metric of ``model`` minus that of ``other`` on the same examples, with its 95 % interval."""

    model: str
    other: str
    metric: str
    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return not self.low <= 0 <= self.high

    def __str__(self) -> str:
        where, do = ("outside", "") if self.clear else ("inside", "do not ")
        return (f"{self.metric} of {self.model} minus {self.other}: {self.value:+.3f}, 95 % interval {self.low:+.3f} "
                f"to {self.high:+.3f}; zero lies {where}, so these examples {do}tell the two apart")


def difference(found: Sequence[RunRecord], model: str, other: str, metric: str = "rmse", part: str = "test",
               draws: int = 1000, rng: np.random.Generator | int = 0) -> Difference:
    """Paired bootstrap by group: both models are judged on the same resampled groups, which cancels what is common.

    With several seeds the metric is averaged over them in each sample. rng: a Generator, or a seed.
    """
    runtime.one_of("metric", metric, metrics.METRICS)
    f = metrics.METRICS[metric]
    ours, theirs = ([one for _, one in predictions(found, name, part).groupby("seed")] for name in (model, other))
    if ours[0]["id"].tolist() != theirs[0]["id"].tolist():
        raise ValueError(f"{model} and {other} were judged on different {part} examples; run both again on the same")
    rating = ours[0]["rating"].to_numpy()

    def gap(rows) -> float:
        a, b = ([f(rating[rows], p["predicted"].to_numpy()[rows]) for p in side] for side in (ours, theirs))
        return float(np.mean(a) - np.mean(b))

    groups = ours[0]["group"].to_numpy()
    drawn = [gap(sample) for sample in metrics.resamples(groups, draws, np.random.default_rng(rng))]
    low, high = np.nanquantile(drawn, metrics.BOUNDS)
    return Difference(model, other, metric, gap(np.arange(len(rating))), float(low), float(high))


def calibration(rating: Sequence[float], predicted: Sequence[float], bins: int = 10) -> pd.DataFrame:
    """Examples in ``bins`` bins of equal size by prediction: mean prediction, mean rating, its standard error, n."""
    if not 1 <= bins <= len(rating):
        raise ValueError(f"bins = {bins}; choose 1 to {len(rating)}, the number of examples")
    rating, predicted = np.asarray(rating, float), np.asarray(predicted, float)
    parts = np.array_split(np.argsort(predicted, kind="stable"), bins)
    return pd.DataFrame([{"predicted": predicted[rows].mean(), "rating": rating[rows].mean(),
                          "error": rating[rows].std() / np.sqrt(len(rows)), "n": len(rows)} for rows in parts])


def miscalibration(bins: pd.DataFrame) -> float:
    """Mean distance of mean prediction and mean rating over the bins, weighted by their size, in stars."""
    return float(np.average((bins["predicted"] - bins["rating"]).abs(), weights=bins["n"]))


def by_domain(found: Sequence[RunRecord], models: Sequence[str], part: str = "test", most: int = 6, draws: int = 300
              ) -> pd.DataFrame:
    """RMSE over all seeds, with interval, of each model in the ``most`` frequent domains; the rest is "other"."""
    listed = []
    for model in models:
        frame = predictions(found, model, part)
        kept = frame["domain"].value_counts().index[:most]
        frame["domain"] = frame["domain"].where(frame["domain"].isin(kept), "other")
        for domain, own in frame.groupby("domain"):
            low, high = metrics.bootstrap(metrics.rmse, own["rating"], own["predicted"], own["group"], draws, 0)
            listed.append({"domain": domain, "model": model, "value": metrics.rmse(own["rating"], own["predicted"]),
                           "low": low, "high": high, "n": own["id"].nunique()})
    return pd.DataFrame(listed)
