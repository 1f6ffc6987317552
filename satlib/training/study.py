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
from satlib.training.hyperparameters import Bench, Run, changed, rmse_of, sweep, varied

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
    found = hyperparameters.complete(
        sweep(base, "learning_rate", rates, range(seeds)), bench, folder
    )
    best = lowest(found, bench.parameters(base))
    hyperparameters.complete(runs(base, best, rates, sgd_rates, seeds, long_epochs), bench, folder)
    search.complete(base, SPACE, trials, bench, path, folder)


def runs(
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
    some, at = range(seeds), changed(base, learning_rate=best)
    made = [run for name, values in KNOBS.items() for run in sweep(at, name, values, some)]
    if best < max(rates):
        top = changed(base, model=f"{base.model}-top-rate", learning_rate=max(rates))
        made += sweep(top, "warmup", KNOBS["warmup"], some)
    double = changed(base, model=f"{base.model}-double-rate", learning_rate=2 * best)
    made += sweep(double, "batch_size", [max(KNOBS["batch_size"])], some)
    made += sweep(
        changed(base, model=f"{base.model}-sgd", optimizer="sgd"), "learning_rate", sgd_rates, some
    )
    above = [rate for rate in sorted(rates) if rate > best][:1]
    longer = changed(base, model=f"{base.model}-long", epochs=long_epochs)
    return made + sweep(longer, "learning_rate", sorted({ARTICLE, best, *above}), range(1))


def lowest(found: Sequence[records.RunRecord], base: dict) -> float:
    """The learning rate with the lowest mean validation RMSE, among records that agree with
    ``base`` in all else."""
    scores = {
        rate: np.mean(rmse_of(group))
        for rate, group in varied(found, base, "learning_rate").items()
    }
    return min(scores, key=scores.get)


def turned(found: Sequence[records.RunRecord], base: dict) -> dict[str, list[float]]:
    """Validation RMSE of each seed, for every setting that turns one knob of ``base``, by a label
    like "dropout 0"."""
    settings = {
        f"{name.replace('_', ' ')} {value:g}": rmse_of(group)
        for name in KNOBS
        for value, group in varied(found, base, name).items()
        if value != base[name]
    }
    double = varied(found, base | {"learning_rate": 2 * base["learning_rate"]}, "batch_size")
    return settings | {
        f"batch size {value}, rate x 2": rmse_of(group) for value, group in double.items()
    }


def of_kind(found: Sequence[records.RunRecord], start: str) -> records.RunRecord:
    """The first record whose model's name starts so; a study without one is refused."""
    for record in found:
        if record.model.startswith(start):
            return record
    raise ValueError(
        f"no record of {start!r} among {len(found)}; make the study with the profile full of lesson 44"
    )
