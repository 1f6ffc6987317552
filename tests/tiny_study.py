"""A tiny study for the tests of runs, searches and studies: a plan that takes a second, the rows
that its runs share, and an objective that needs no model."""

from dataclasses import replace

import numpy as np
import tiny

from satlib.training import hyperparameters, plan, search

BASE = hyperparameters.Run(
    "bert", plan.Plan(epochs=2, batch_size=8, learning_rate=3e-3, patience=0, precision="fp32"), 0.0
)
ABOUT = {"dataset": "satsim", "profile": "full", "data_sha256": "d" * 64, "split_sha256": "s" * 64}


def bench(**changes) -> hyperparameters.Bench:
    validation = tiny.rows(12, seed=1)
    made = hyperparameters.Bench(
        tiny.model(),
        tiny.rows(32),
        validation,
        [f"u{i // 2}" for i in range(12)],
        ABOUT,
        {"encoder": "tiny", "max_length": 12},
    )
    return replace(made, **changes)


def bowl(trial) -> float:
    """A curve of three epochs that falls to a value set by the learning rate."""
    import optuna

    rate = search.suggest(trial, "learning_rate", (1e-6, 1e-2))
    size = search.suggest(trial, "batch_size", [8, 16, 32])
    value = abs(np.log10(rate) + 4) + size / 100
    for epoch in (1, 2, 3):
        trial.report(value + 1 / epoch, epoch)
        if epoch < 3 and trial.should_prune():
            raise optuna.TrialPruned
    return value + 1 / 3
