"""Automatic search for hyperparameters with optuna: hopeless trials are pruned, a killed search
goes on where it was.

Taught with lesson 44 beside ``hyperparameters``. optuna is imported only when a search runs. A
trial is judged by its validation RMSE and by nothing else.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from satlib import records, runtime, storage
from satlib.training import hyperparameters
from satlib.training.hyperparameters import Bench, Run

PRUNERS = ("median", "hyperband", "none")
STARTUP = 4  # trials drawn at random, and run to their end, before the sampler and the median pruner have a say


def suggest(trial, name: str, legal: tuple | list) -> object:
    """A value for one hyperparameter: a tuple (low, high) is a range, a list is a choice.

    A range over two powers of ten and more is drawn on a logarithmic scale: each power gets its
    share of the trials.
    """
    if isinstance(legal, list):
        return trial.suggest_categorical(name, legal)
    low, high = legal
    return trial.suggest_float(name, low, high, log=low > 0 and high >= 100 * low)


def objective(bench: Bench, base: Run, space: dict[str, tuple | list]) -> Callable:
    """What a trial does: train ``base`` with the suggested values; its value is the best validation
    RMSE of its epochs.

    The RMSE of each epoch is reported, and the run ends as pruned when the pruner says so, or when
    its loss is no number any more. It leaves nothing behind: its checkpoints lie in a temporary
    folder.
    """
    for name in space:
        runtime.one_of("hyperparameter", name, hyperparameters.NAMES)

    def judge(trial) -> float:
        run = hyperparameters.changed(
            base, **{name: suggest(trial, name, legal) for name, legal in space.items()}
        )
        told: list[float] = []
        try:  # an epoch's value is seen at the first update of the next one
            state, _ = hyperparameters.fit(run, bench, lambda state: _report(trial, state, told))
        except ValueError as error:
            if not str(error).startswith("the loss is"):
                raise
            raise _quiet().TrialPruned from error
        _report(trial, state, told)
        return min(told)

    return judge


def _report(trial, state, told: list[float]) -> None:
    """Tell the trial the epochs that it does not know yet; raise TrialPruned where the pruner gives
    it up."""
    for point in state.curves[len(told) :]:
        told.append(point["validation_rmse"])
        trial.report(told[-1], step=len(told))
        if not state.finished and trial.should_prune():
            raise _quiet().TrialPruned


def search(
    judge: Callable,
    path: str | Path,
    trials: int,
    seed: int = 0,
    pruner: str = "median",
    about: str = "",
):
    """Run an objective until the study in the SQLite file ``path`` has ``trials`` finished trials;
    return the study.

    A trial that was killed does not count and is made again. optuna stores trials, but not the
    state of its sampler: so each trial gets a sampler of its own, seeded by ``seed`` and the number
    of finished trials before it. An interrupted and resumed search therefore makes the trials of an
    uninterrupted one, if the objective is deterministic and the pruner is "median" or "none"
    ("hyperband" deals trials to its brackets by a number that a killed trial uses up). about: what
    else decides the result; a file of another search is refused.
    """
    runtime.one_of("pruner", pruner, PRUNERS)
    optuna = _quiet()
    failed = optuna.trial.TrialState.FAIL
    study = _opened(Path(path), pruner, {"seed": seed, "pruner": pruner, "about": about})
    for left in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
        study.tell(left.number, state=failed)
    for number in runtime.progress(range(len(finished(study)), trials), "trials"):
        study.sampler = optuna.samplers.TPESampler(
            seed=sampler_seed(seed, number), n_startup_trials=STARTUP
        )
        study.optimize(judge, n_trials=1)
        if (last := study.get_trials(deepcopy=False)[-1]).state == failed:
            raise ValueError(
                f"the trial with {last.params} gave no number; return a finite one or raise TrialPruned"
            )
    return study


def _opened(path: Path, pruner: str, known: dict):
    """The study in a file, made where there is none; refused where it belongs to another search."""
    import optuna

    kinds = {
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(min_resource=1),
        "none": optuna.pruners.NopPruner,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{path}",
        study_name="search",
        load_if_exists=True,
        direction="minimize",
        pruner=kinds[pruner](),
    )
    there = study.user_attrs.get("search", known)
    if there != known:
        raise ValueError(
            f"{path} holds another search, {there} and not {known}; give another file or delete it"
        )
    study.set_user_attr("search", known)
    return study


def _quiet():
    """optuna, without its line for every trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def sampler_seed(seed: int, number: int) -> int:
    """The seed of the sampler that proposes trial ``number`` (from 0) of a search."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def finished(study) -> list[dict]:
    """The finished trials in order: state ("complete" or "pruned"), parameters, validation RMSE of
    each epoch."""
    ended = [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state.name in ("COMPLETE", "PRUNED")
    ]
    return [
        {
            "trial": number,
            "state": trial.state.name.lower(),
            "parameters": dict(trial.params),
            "validation_rmse": [
                trial.intermediate_values[step] for step in sorted(trial.intermediate_values)
            ],
        }
        for number, trial in enumerate(ended)
    ]


def to_be_pruned(values: list[float], others: Iterable[list[float]]) -> bool:
    """The rule of the median pruner: its best error so far is above the median of the others' at
    the same epoch.

    values: errors of this trial, an epoch each; others: those of the trials that ran to their end.
    It is a check of the rule in the open; ``search`` leaves the decision to optuna.
    """
    there = [other[len(values) - 1] for other in others if len(other) >= len(values)]
    return bool(there) and min(values) > float(np.median(there))


def complete(
    base: Run,
    space: dict[str, tuple | list],
    trials: int,
    bench: Bench,
    path: str | Path,
    folder: str | Path,
    seed: int = 0,
) -> records.RunRecord:
    """The record of a whole search: read where ``folder`` has it, else made and saved; its trials
    are the curves.

    Interrupted, the search goes on from its study in the file ``path``.
    """
    wanted = bench.parameters(base) | {
        "space": {name: list(legal) for name, legal in space.items()}
    }
    about = storage.sha256_text(json.dumps([wanted, bench.about]))
    record = records.RunRecord(
        **bench.about,
        model=f"{base.model}-search",
        seed=seed,
        parameters=wanted | {"trials": trials},
    )
    file = Path(folder) / record.name
    if file.is_file():
        found = records.load(file)
        if (found.parameters, found.data_sha256, found.split_sha256) == (
            record.parameters,
            record.data_sha256,
            record.split_sha256,
        ):
            return found
    record.curves = finished(
        search(objective(bench, base, space), path, trials, seed, about=about)
    )[:trials]
    records.save(record, folder)
    return record
