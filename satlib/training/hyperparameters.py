"""Hyperparameters: vary one at a time over several seeds, and keep each run as a small record.

``sweep`` lists runs, ``complete`` makes those that have no record yet, ``varied`` finds the records
again; ``spread`` judges them, ``search`` looks by itself. Only training and validation rows are
seen: choosing needs no test part.
"""

import copy
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from satlib import records, runtime
from satlib.evaluation import judging, metrics
from satlib.models import heads, satisfaction_model
from satlib.training import loop
from satlib.training.batches import Rows
from satlib.training.gpu import precision
from satlib.training.plan import Plan, State

NAMES = (
    "learning_rate",
    "warmup",
    "batch_size",
    "epochs",
    "weight_decay",
    "dropout",
    "optimizer",
    "clip",
    "patience",
)
RESULTS = ("best_epoch", "moved")  # what a record's parameters hold beside what was asked for


@dataclass(frozen=True)
class Run:
    """One training to do. model: its name in the record. dropout: the rate in all layers of encoder
    and head."""

    model: str
    plan: Plan
    dropout: float = 0.1

    def __post_init__(self):
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; it is a share of the numbers, from 0 up to but not 1"
            )

    @property
    def parameters(self) -> dict:
        """The hyperparameters as a record keeps them: all but the seed, which the record has a
        field for."""
        known = asdict(self.plan) | {
            "dropout": self.dropout,
            "precision": precision(self.plan.precision),
        }
        return {name: value for name, value in known.items() if name not in ("seed", "save_every")}


@dataclass(frozen=True)
class Bench:
    """What all runs of a study share.

    start: the model of which every run trains a copy. groups: user or dialogue of each validation
    row. about: the record's fields dataset, profile, data_sha256 and split_sha256. settings:
    further parameters (encoder, max_length).
    """

    start: satisfaction_model.SatisfactionModel
    rows: Rows
    validation: Rows
    groups: Sequence[str]
    about: dict
    settings: dict = field(default_factory=dict)

    def parameters(self, run: Run) -> dict:
        """All that a run of this bench depends on beside data and seed."""
        sizes = {
            "train_rows": len(self.rows.ratings),
            "validation_rows": len(self.validation.ratings),
        }
        return json.loads(json.dumps(run.parameters | sizes | self.settings))


def changed(run: Run, **values) -> Run:
    """The run with other values of hyperparameters, seed or model (its name)."""
    own = {name: values.pop(name) for name in ("model", "dropout") if name in values}
    return replace(run, plan=replace(run.plan, **values), **own)


def rates_of(name: str, text: str) -> list[float]:
    """Learning rates from a parameter such as "1e-05 1e-04"; ValueError that names it where a word
    is no rate."""
    try:
        rates = [float(word) for word in text.split()]
    except ValueError:
        rates = []
    if not rates or not all(0 < rate < 1 for rate in rates):
        raise ValueError(
            f"{name} = {text!r}; write learning rates between 0 and 1 with blanks between, "
            "as in '1e-05 1e-04'"
        )
    return rates


def sweep(base: Run, name: str, values: Iterable, seeds: Iterable[int]) -> list[Run]:
    """Runs that differ from ``base`` in one hyperparameter, named for example
    ``bert-learning-rate-3e-05``."""
    runtime.one_of("hyperparameter", name, NAMES)
    seeds, found = list(seeds), []
    for value in values:
        label = value if isinstance(value, str) else f"{value:g}"
        model = f"{base.model}-{name.replace('_', '-')}-{label}"
        found += [changed(base, model=model, seed=seed, **{name: value}) for seed in seeds]
    return found


def with_dropout(
    model: satisfaction_model.SatisfactionModel, rate: float
) -> satisfaction_model.SatisfactionModel:
    """A copy of the model whose dropout layers, in encoder and head, all have this rate."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
    encoder = {
        name: rate if "drop" in name and value is not None else value
        for name, value in model.config.encoder.items()
    }
    model.config.dropout, model.config.encoder = rate, encoder
    return model


def fit(
    run: Run, bench: Bench, after_step: Callable[[State], object] = bool
) -> tuple[State, satisfaction_model.SatisfactionModel]:
    """Train a copy of the bench's model; give the final State and the model with its best weights.

    A run is short, so its checkpoints lie in a temporary folder and go with it, however it ends.
    """
    model = with_dropout(bench.start, run.dropout)
    with tempfile.TemporaryDirectory(prefix="satlib-") as folder:
        return loop.train(model, bench.rows, bench.validation, run.plan, folder, after_step), model


def moved(before: torch.nn.Module, after: torch.nn.Module) -> float:
    """How far training moved the weights: the length of their change over their length before
    it."""
    pairs = list(zip(before.parameters(), after.parameters(), strict=True))
    change = sum(float((b.detach().cpu() - a.detach().cpu()).square().sum()) for a, b in pairs)
    return math.sqrt(change / sum(float(a.detach().square().sum()) for a, _ in pairs))


def record_of(
    run: Run, bench: Bench, state: State, model: satisfaction_model.SatisfactionModel
) -> records.RunRecord:
    """The small record of a run: parameters, curves, and metrics of the validation rows; no
    predictions."""
    results = {
        "best_epoch": state.best_epoch,
        "moved": round(moved(bench.start.encoder, model.encoder), 6),
    }
    half = loop.HALF.get(precision(run.plan.precision))
    return _judged(
        run.model,
        run.plan.seed,
        _ratings(model, bench, half),
        bench,
        bench.parameters(run) | results,
        state.curves,
    )


def references(bench: Bench) -> list[records.RunRecord]:
    """Two records to read the others against: "mean" predicts the mean training rating, "frozen" is
    the bench's model.

    The curve of "mean" is its squared error on [0, 1]: the training loss of a regression head that
    sees no text.
    """
    mean, wide = float(bench.rows.ratings.mean()), bench.start.config.high - bench.start.config.low
    known = {
        "train_rows": len(bench.rows.ratings),
        "validation_rows": len(bench.groups),
    } | bench.settings
    loss, rmse = (
        metrics.rmse(r.ratings, np.full(len(r.ratings), mean))
        for r in (bench.rows, bench.validation)
    )
    curve = {
        "step": 0,
        "epoch": 0,
        "train_loss": (loss / wide) ** 2,
        "validation_loss": (rmse / wide) ** 2,
    }
    return [
        _judged("mean", 0, np.full(len(bench.groups), mean), bench, known, [curve]),
        _judged("frozen", 0, _ratings(bench.start, bench), bench, known, []),
    ]


def _ratings(
    model: satisfaction_model.SatisfactionModel, bench: Bench, half: torch.dtype | None = None
) -> np.ndarray:
    logits = satisfaction_model.run(
        model, bench.validation.sequences, bench.validation.features, autocast=half
    )
    return heads.read_logits(logits.astype(float), model.config).rating


def _judged(
    model: str, seed: int, predicted, bench: Bench, parameters: dict, curves: list
) -> records.RunRecord:
    named = {
        "dataset": bench.about["dataset"],
        "profile": bench.about["profile"],
        "model": model,
        "seed": seed,
    }
    rows = judging.evaluate(
        bench.validation.ratings, predicted, bench.groups, part="validation", **named
    )
    return records.RunRecord(
        **bench.about, model=model, seed=seed, parameters=parameters, curves=curves, rows=rows
    )


def complete(runs: Iterable[Run], bench: Bench, folder: str | Path) -> list[records.RunRecord]:
    """A record of every run: read where ``folder`` has it with these parameters and data, else made
    and saved.

    Interrupted, it goes on with the first run that has no record.
    """
    made = []
    for run in runtime.progress(list(runs), "runs"):
        record = _kept(run, bench, Path(folder))
        if record is None:
            record = record_of(run, bench, *fit(run, bench))
            records.save(record, folder)
        made.append(record)
    return made


def _kept(run: Run, bench: Bench, folder: Path) -> records.RunRecord | None:
    """The record of this very run, if there is one."""
    path = folder / records.RunRecord(model=run.model, seed=run.plan.seed, **bench.about).name
    found = records.load(path) if path.is_file() else None
    same = (
        found
        and asked(found) == bench.parameters(run)
        and all(getattr(found, name) == value for name, value in bench.about.items())
    )
    return found if same else None


def asked(record: records.RunRecord) -> dict:
    """The parameters of a record without the results among them."""
    return {name: value for name, value in record.parameters.items() if name not in RESULTS}


def varied(
    found: Iterable[records.RunRecord], base: dict, name: str
) -> dict[object, list[records.RunRecord]]:
    """Value of one hyperparameter -> records, a seed each, among those that agree with ``base`` in
    all else."""
    groups: dict[object, list[records.RunRecord]] = {}
    for record in sorted(found, key=lambda record: record.seed):
        if asked(record) | {name: None} == base | {name: None}:
            groups.setdefault(record.parameters[name], []).append(record)
    return dict(sorted(groups.items()))


def rmse_of(found: Iterable[records.RunRecord]) -> list[float]:
    """The validation RMSE of each record, in stars."""
    return [row["value"] for record in found for row in record.rows if row["metric"] == "rmse"]
