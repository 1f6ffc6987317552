"""Hyperparameters: vary one at a time over several seeds, and keep each run as a small record.

``sweep`` lists runs, ``complete`` makes those that have no record yet, ``grouped_by`` finds the
records again. ``seed_intervals`` judges the differences between them, and ``search`` looks for good
values by itself. Only training and validation rows are seen: choosing needs no test part.
"""

import copy
import functools
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from satlib import record_cache, records, runtime
from satlib.evaluation import judging, metrics
from satlib.models import heads, satisfaction_model
from satlib.training import loop
from satlib.training.adversarial import Adversarial
from satlib.training.batches import Rows
from satlib.training.gpu import autocast_dtype, precision
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
    and head. batch_pass: how a batch's gradient is computed, see ``loop.train``; None: plainly."""

    model: str
    plan: Plan
    dropout: float = 0.1
    batch_pass: Adversarial | None = None

    def __post_init__(self):
        if not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; it is a share of the numbers, from 0 up to but not 1"
            )

    @property
    def parameters(self) -> dict:
        """The hyperparameters as a record keeps them: all but the seed, which the record has a
        field for, and how often a checkpoint is saved, which changes no result."""
        known = asdict(self.plan)
        del known["seed"]
        del known["save_every"]
        known["dropout"] = self.dropout
        # "auto" means another precision on another machine, so the record says which one it was.
        known["precision"] = precision(self.plan.precision)
        if self.batch_pass is not None:
            known["adversarial"] = self.batch_pass.size
            known["per_text"] = self.batch_pass.per_text
            known["random_move"] = self.batch_pass.random
        return known


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

    @property
    def sizes(self) -> dict:
        """Numbers of rows, as a record keeps them."""
        return {
            "train_rows": len(self.rows.ratings),
            "validation_rows": len(self.validation.ratings),
        }

    def parameters(self, run: Run) -> dict:
        """All that a run of this bench depends on beside data and seed."""
        known = run.parameters | self.sizes | self.settings
        return json.loads(json.dumps(known))  # as a file gives it back: lists for tuples

    def job(self, model: str, seed: int) -> dict:
        """The fields of a record that name it: about, model and seed."""
        return self.about | {"model": model, "seed": seed}


def changed(run: Run, **values) -> Run:
    """The run with other values of hyperparameters, seed, batch pass or model (its name)."""
    of_run = {}
    for name in ("model", "dropout", "batch_pass"):
        if name in values:
            of_run[name] = values.pop(name)
    return replace(run, plan=replace(run.plan, **values), **of_run)


def parse_rates(name: str, text: str) -> list[float]:
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
    seeds = list(seeds)
    runs = []
    for value in values:
        label = value if isinstance(value, str) else f"{value:g}"
        model = f"{base.model}-{name.replace('_', '-')}-{label}"
        for seed in seeds:
            runs.append(changed(base, model=model, seed=seed, **{name: value}))
    return runs


def with_dropout(
    model: satisfaction_model.SatisfactionModel, rate: float
) -> satisfaction_model.SatisfactionModel:
    """A copy of the model whose dropout layers, in encoder and head, all have this rate."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
    # The configuration follows: a model that is saved and loaded again keeps the rate.
    encoder = dict(model.config.encoder)
    for name, value in encoder.items():
        if "drop" in name and value is not None:
            encoder[name] = rate
    model.config.encoder = encoder
    model.config.dropout = rate
    return model


def fit(
    run: Run, bench: Bench, after_epoch: Callable[[State], object] | None = None
) -> tuple[State, satisfaction_model.SatisfactionModel]:
    """Train a copy of the bench's model; give the final State and the model with its best weights.

    A run is short, so no checkpoints are kept. after_epoch: see ``loop.train``.
    """
    model = with_dropout(bench.start, run.dropout)
    state = loop.train(
        model,
        bench.rows,
        run.plan,
        validation=bench.validation,
        after_epoch=after_epoch,
        batch_pass=run.batch_pass,
    )
    return state, model


def moved(before: torch.nn.Module, after: torch.nn.Module) -> float:
    """How far training moved the weights: the length of their change over their length before
    it."""
    change = 0.0
    length = 0.0
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        change += float((new.detach().cpu() - old.detach().cpu()).square().sum())
        length += float(old.detach().square().sum())
    return math.sqrt(change / length)


def complete(runs: Iterable[Run], bench: Bench, folder: str | Path) -> list[records.RunRecord]:
    """A record of every run: read where ``folder`` has it with these parameters and data, else made
    and saved.

    Interrupted, it goes on with the first run that has no record.
    """
    made = []
    for run in runtime.progress(list(runs), "runs"):
        job = bench.job(run.model, run.plan.seed)
        make = functools.partial(make_record, run, bench)
        made.append(record_cache.complete(job, bench.parameters(run), make, folder))
    return made


def make_record(run: Run, bench: Bench) -> records.RunRecord:
    """Do a run, and describe it in a record, with the seconds that it took."""
    start = time.perf_counter()
    state, model = fit(run, bench)
    record = record_of(run, bench, state, model)
    record.seconds = round(time.perf_counter() - start, 1)
    return record


def record_of(
    run: Run, bench: Bench, state: State, model: satisfaction_model.SatisfactionModel
) -> records.RunRecord:
    """The small record of a run: parameters, curves, and metrics of the validation rows; no
    predictions."""
    results = {
        "best_epoch": state.best_epoch,
        "moved": round(moved(bench.start.encoder, model.encoder), 6),
    }
    predicted = _validation_ratings(model, bench, autocast_dtype(run.plan.precision))
    job = bench.job(run.model, run.plan.seed)
    return _judged(job, predicted, bench, bench.parameters(run) | results, state.curves)


def references(bench: Bench) -> list[records.RunRecord]:
    """Two records to read the others against: "mean" predicts the mean training rating, "frozen" is
    the bench's model.

    The curve of "mean" is its squared error on [0, 1]: the training loss of a regression head that
    sees no text.
    """
    mean = float(bench.rows.ratings.mean())
    constant = np.full(len(bench.groups), mean)
    curve = {
        "step": 0,
        "epoch": 0,
        "train_loss": _loss_of_constant(bench.rows, mean, bench),
        "validation_loss": _loss_of_constant(bench.validation, mean, bench),
    }
    frozen = _validation_ratings(bench.start, bench)
    known = bench.sizes | bench.settings
    return [
        _judged(bench.job("mean", 0), constant, bench, known, [curve]),
        _judged(bench.job("frozen", 0), frozen, bench, known, []),
    ]


def _loss_of_constant(rows: Rows, rating: float, bench: Bench) -> float:
    """Mean squared error of one rating for all rows, with the scale pressed into [0, 1]."""
    config = bench.start.config
    error = metrics.rmse(rows.ratings, np.full(len(rows.ratings), rating))
    return (error / (config.high - config.low)) ** 2


def _validation_ratings(
    model: satisfaction_model.SatisfactionModel, bench: Bench, autocast: torch.dtype | None = None
) -> np.ndarray:
    """Predicted ratings [N] of the validation rows; autocast: the number format of the products."""
    rows = bench.validation
    logits = satisfaction_model.run(model, rows.sequences, rows.features, autocast=autocast)
    return heads.read_logits(logits.astype(float), model.config).rating


def _judged(
    job: dict, predicted: np.ndarray, bench: Bench, parameters: dict, curves: list[dict]
) -> records.RunRecord:
    """A record with the metrics of predicted validation ratings [N]."""
    examples = [judging.RecordedExample(str(n), group) for n, group in enumerate(bench.groups)]
    judged = judging.Judged(examples, bench.validation.ratings, predicted)
    return judging.record(
        job, {"validation": judged}, metrics.METRICS, parameters, curves, predictions=False
    )


def settings_of(record: records.RunRecord) -> dict:
    """The parameters of a record without the results among them."""
    return {name: value for name, value in record.parameters.items() if name not in RESULTS}


def grouped_by(
    name: str, runs: Iterable[records.RunRecord], base: dict
) -> dict[object, list[records.RunRecord]]:
    """Value of one hyperparameter -> records, a seed each, among those that agree with ``base`` in
    all else."""
    groups: dict[object, list[records.RunRecord]] = {}
    for record in sorted(runs, key=lambda record: record.seed):
        value = record.parameters.get(name)
        if settings_of(record) | {name: value} == base | {name: value}:
            groups.setdefault(value, []).append(record)
    return dict(sorted(groups.items()))


def rmse_of(runs: Iterable[records.RunRecord]) -> list[float]:
    """The validation RMSE of each record, in stars."""
    values = []
    for record in runs:
        for row in record.rows:
            if row["metric"] == "rmse":
                values.append(row["value"])
    return values


def scores_by(
    name: str, runs: Iterable[records.RunRecord], base: dict
) -> dict[object, list[float]]:
    """Value of one hyperparameter -> validation RMSE of each seed, of the records that
    ``grouped_by`` gives."""
    groups = grouped_by(name, runs, base)
    return {value: rmse_of(group) for value, group in groups.items()}
