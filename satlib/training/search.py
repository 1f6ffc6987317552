"""Automatic search for hyperparameters with optuna: hopeless trials are pruned, a killed search
goes on where it was.

Taught with lesson 44 beside ``hyperparameters``. optuna is imported only when a search runs. A
trial is judged by its validation RMSE and by nothing else.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from satlib import record_cache, records, runtime, storage
from satlib.training import hyperparameters
from satlib.training.hyperparameters import Bench, Run
from satlib.training.loop import Diverged
from satlib.training.plan import State

PRUNERS = ("median", "hyperband", "none")
# Trials that are drawn at random and run to their end, before the sampler and the median pruner
# have a say.
STARTUP = 4


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
    its loss is no number any more.
    """
    for name in space:
        runtime.one_of("hyperparameter", name, hyperparameters.NAMES)

    def judge(trial) -> float:
        pruned = _quiet_optuna().TrialPruned
        suggested = {name: suggest(trial, name, legal) for name, legal in space.items()}
        run = hyperparameters.changed(base, **suggested)

        def after_epoch(state: State) -> None:
            trial.report(state.curves[-1]["validation_rmse"], step=len(state.curves))
            # After the last epoch there is nothing to save by pruning.
            if not state.finished and trial.should_prune():
                raise pruned

        try:
            state, _ = hyperparameters.fit(run, bench, after_epoch)
        except Diverged as error:
            raise pruned from error
        return min(point["validation_rmse"] for point in state.curves)

    return judge


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
    optuna = _quiet_optuna()
    states = optuna.trial.TrialState
    study = _opened(Path(path), pruner, {"seed": seed, "pruner": pruner, "about": about})
    # Trials that seem to run are those that a killed search left behind.
    for left in study.get_trials(deepcopy=False, states=[states.RUNNING]):
        study.tell(left.number, state=states.FAIL)
    missing = range(len(finished_trials(study)), trials)
    for number in runtime.progress(missing, "trials"):
        study.sampler = optuna.samplers.TPESampler(
            seed=sampler_seed(seed, number), n_startup_trials=STARTUP
        )
        study.optimize(judge, n_trials=1)
        last = study.get_trials(deepcopy=False)[-1]
        if last.state == states.FAIL:
            raise ValueError(
                f"the trial with {last.params} gave no number; "
                "return a finite one or raise TrialPruned"
            )
    return study


def _opened(path: Path, pruner: str, known: dict):
    """The study in a file, made where there is none; refused where it belongs to another search."""
    optuna = _quiet_optuna()
    if pruner == "median":
        rule = optuna.pruners.MedianPruner(n_startup_trials=STARTUP)
    elif pruner == "hyperband":
        rule = optuna.pruners.HyperbandPruner(min_resource=1)
    else:
        rule = optuna.pruners.NopPruner()
    path.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{path}",
        study_name="search",
        load_if_exists=True,
        direction="minimize",
        pruner=rule,
    )
    stored = study.user_attrs.get("search", known)
    if stored != known:
        raise ValueError(
            f"{path} holds another search, {stored} and not {known}; give another file or delete it"
        )
    study.set_user_attr("search", known)
    return study


def _quiet_optuna():
    """optuna, without its line for every trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def sampler_seed(seed: int, number: int) -> int:
    """The seed of the sampler that proposes trial ``number`` (from 0) of a search."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def finished_trials(study) -> list[dict]:
    """The finished trials in order: state ("complete" or "pruned"), parameters, validation RMSE of
    each epoch."""
    trials = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name not in ("COMPLETE", "PRUNED"):
            continue
        epochs = sorted(trial.intermediate_values.items())
        trials.append(
            {
                "trial": len(trials),
                "state": trial.state.name.lower(),
                "parameters": dict(trial.params),
                "validation_rmse": [value for _, value in epochs],
            }
        )
    return trials


def to_be_pruned(values: list[float], others: Iterable[list[float]]) -> bool:
    """The rule of the median pruner: its best error so far is above the median of the others' at
    the same epoch.

    values: errors of this trial, an epoch each; others: those of the trials that ran to their end.
    It is a check of the rule in the open; ``search`` leaves the decision to optuna.
    """
    epochs = len(values)
    at_this_epoch = [other[epochs - 1] for other in others if len(other) >= epochs]
    if not at_this_epoch:
        return False
    return min(values) > float(np.median(at_this_epoch))


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
    legal_values = {name: list(legal) for name, legal in space.items()}
    known = bench.parameters(base) | {"space": legal_values}
    job = bench.job(f"{base.model}-search", seed)
    parameters = known | {"trials": trials}

    def make() -> records.RunRecord:
        # The number of trials is not among what decides the result: a longer search goes on.
        about = storage.sha256_text(json.dumps([known, bench.about]))
        judge = objective(bench, base, space)
        study = search(judge, path, trials, seed, about=about)
        curves = finished_trials(study)[:trials]
        return records.RunRecord(**job, parameters=parameters, curves=curves)

    return record_cache.complete(job, parameters, make, folder)
