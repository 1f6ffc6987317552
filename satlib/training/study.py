"""The study of lesson 44: AdamW's learning rates first, then every other knob at the best of them,
SGD, and a search.

Taught with lesson 44 beside ``hyperparameters``. A study is a folder of small records; whoever
draws it finds them by their parameters, so it does not matter at which rate or with how many rows
it was made.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from satlib import records
from satlib.training import hyperparameters, search
from satlib.training.hyperparameters import Bench, Run, changed, scores_by, sweep

KNOBS = {
    "warmup": (0.0, 0.3),
    "batch_size": (4, 64),
    "weight_decay": (0.0, 1.0),
    "dropout": (0.0, 0.3),
}
SPACE = {
    "learning_rate": (1e-6, 1e-3),
    "batch_size": [8, 16, 32],
    "warmup": (0.0, 0.3),
    "dropout": (0.0, 0.3),
}
ARTICLE = 1e-5  # the learning rate from which the article would start


def complete(
    base: Run,
    bench: Bench,
    folder: str | Path,
    path: str | Path,
    rates: Sequence[float],
    sgd_rates: Sequence[float],
    seeds: int,
    long_epochs: int,
    trials: int,
) -> None:
    """Make what the study lacks: records in ``folder``, the search's trials in the SQLite file
    ``path``.

    base: the usual plan; its learning rate is replaced. Interrupted, it goes on with the run that
    was not finished.
    """
    for record in hyperparameters.references(bench):
        records.save(record, folder)
    rate_runs = sweep(base, "learning_rate", rates, range(seeds))
    by_rate = hyperparameters.complete(rate_runs, bench, folder)
    best = best_rate(by_rate, bench.parameters(base))
    others = other_runs(base, best, rates, sgd_rates, seeds, long_epochs)
    hyperparameters.complete(others, bench, folder)
    search.complete(base, SPACE, trials, bench, path, folder)


def other_runs(
    base: Run,
    best: float,
    rates: Sequence[float],
    sgd_rates: Sequence[float],
    seeds: int,
    long_epochs: int,
) -> list[Run]:
    """All runs but the sweep of AdamW's rates: the knobs at the best rate, warm-up at the largest,
    SGD, long runs.

    Batches of 64 are run at twice the best rate too: they give a quarter of the updates. The long
    runs have one seed.
    """
    usual = changed(base, learning_rate=best)
    runs = []
    for name, values in KNOBS.items():
        runs += sweep(usual, name, values, range(seeds))

    # At the largest rate warm-up should help most; where that is the best, it was just run.
    if best < max(rates):
        top = changed(base, model=f"{base.model}-top-rate", learning_rate=max(rates))
        runs += sweep(top, "warmup", KNOBS["warmup"], range(seeds))

    double = changed(base, model=f"{base.model}-double-rate", learning_rate=2 * best)
    runs += sweep(double, "batch_size", [max(KNOBS["batch_size"])], range(seeds))

    sgd = changed(base, model=f"{base.model}-sgd", optimizer="sgd")
    runs += sweep(sgd, "learning_rate", sgd_rates, range(seeds))

    long = changed(base, model=f"{base.model}-long", epochs=long_epochs)
    long_rates = {ARTICLE, best}
    above = [rate for rate in rates if rate > best]
    if above:
        long_rates.add(min(above))
    return runs + sweep(long, "learning_rate", sorted(long_rates), range(1))


def best_rate(runs: Sequence[records.RunRecord], base: dict) -> float:
    """The learning rate with the lowest mean validation RMSE, among records that agree with
    ``base`` in all else."""
    scores = scores_by("learning_rate", runs, base)
    mean_rmse = {rate: np.mean(values) for rate, values in scores.items()}
    return min(mean_rmse, key=mean_rmse.get)


def knob_scores(runs: Sequence[records.RunRecord], base: dict) -> dict[str, list[float]]:
    """Validation RMSE of each seed, for every setting that turns one knob of ``base``, by a label
    like "dropout 0"."""
    scores = {}
    for name in KNOBS:
        for value, values in scores_by(name, runs, base).items():
            if value != base[name]:
                scores[f"{name.replace('_', ' ')} {value:g}"] = values
    double_rate = base | {"learning_rate": 2 * base["learning_rate"]}
    for value, values in scores_by("batch_size", runs, double_rate).items():
        scores[f"batch size {value}, rate x 2"] = values
    return scores


def first_named(runs: Sequence[records.RunRecord], start: str) -> records.RunRecord:
    """The first record whose model's name starts so; a study without one is refused."""
    for record in runs:
        if record.model.startswith(start):
            return record
    raise ValueError(
        f"no record of {start!r} among {len(runs)}; "
        "make the study with the profile full of lesson 44"
    )


def stops_at(values: Sequence[float], patience: int) -> int:
    """The epoch after which a run of these validation errors, one an epoch, would stop: its best
    epoch is ``patience`` epochs old. A run that never comes to that has all its epochs."""
    for epoch in range(1, len(values) + 1):
        best_epoch = int(np.argmin(values[:epoch])) + 1
        if epoch - best_epoch == patience:
            return epoch
    return len(values)
