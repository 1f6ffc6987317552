"""A search that prunes, dies and goes on: with an objective that costs nothing, then with a tiny
model."""

import os
import subprocess
import sys

import pytest
import tiny
import torch
from tiny_study import BASE, bench, bowl

from satlib import records
from satlib.training import hyperparameters, search

# --- cheap objectives


class Killed(BaseException):
    pass


def killed_at(*numbers):
    """The bowl, killed when it starts for the given times."""
    starts = iter(range(1000))

    def judge(trial):
        search.suggest(trial, "learning_rate", (1e-6, 1e-2))
        if next(starts) in numbers:
            raise Killed
        return bowl(trial)

    return judge


@pytest.mark.parametrize(
    "provoke, words",
    [
        (
            lambda: search.search(len, "x.db", 1, pruner="axe"),
            "unknown pruner .axe.; choose one of median, ",
        ),
        (
            lambda: search.objective(bench(), BASE, {"rate": (0.1, 0.2)}),
            "unknown hyperparameter 'rate'",
        ),
    ],
)
def test_refused_in_one_sentence(provoke, words):
    with pytest.raises(ValueError, match=words) as error:
        provoke()
    assert "\n" not in str(error.value)


def test_a_range_is_logarithmic_where_it_is_wide():
    class Trial:
        def suggest_float(self, name, low, high, log):
            return name, low, high, log

        def suggest_categorical(self, name, choices):
            return name, choices

    assert search.suggest(Trial(), "learning_rate", (1e-6, 1e-3)) == (
        "learning_rate",
        1e-6,
        1e-3,
        True,
    )
    assert search.suggest(Trial(), "warmup", (0.0, 0.5)) == ("warmup", 0.0, 0.5, False)
    assert search.suggest(Trial(), "dropout", (0.1, 0.3)) == ("dropout", 0.1, 0.3, False)
    assert search.suggest(Trial(), "batch_size", [8, 16]) == ("batch_size", [8, 16])


def test_a_search_prunes_by_the_rule_in_the_open(tmp_path):
    made = search.finished_trials(search.search(bowl, tmp_path / "a.db", 25, seed=3))
    ended, states = [], []
    for trial in made:
        values, so_far = trial["validation_rmse"], len(ended) >= search.STARTUP
        stop = [so_far and search.to_be_pruned(values[:n], ended) for n in (1, 2)]
        expected = 3 if not any(stop) else stop.index(True) + 1
        assert len(values) == expected and (trial["state"] == "pruned") == (expected < 3)
        states.append(trial["state"])
        ended += [values] if expected == 3 else []
    assert {"complete", "pruned"} == set(states) and set(states[: search.STARTUP]) == {"complete"}


@pytest.mark.parametrize(
    "values, others, stop",
    [
        ([1.1], [[1.0, 0.5], [1.2, 0.4], [0.9, 0.9]], True),
        ([1.0], [[1.0, 0.5], [1.2, 0.4], [0.9, 0.9]], False),
        ([0.4, 1.5], [[1.0, 0.5], [1.2, 0.6]], False),
        ([1.0, 1.0], [[0.5]], False),
        ([1.0], [], False),
    ],
)
def test_the_rule_of_the_median(values, others, stop):
    assert search.to_be_pruned(values, others) is stop


def test_a_resumed_search_makes_the_trials_of_an_uninterrupted_one(tmp_path):
    whole = search.finished_trials(search.search(bowl, tmp_path / "whole.db", 14, seed=1))
    with pytest.raises(Killed):
        search.search(killed_at(5), tmp_path / "parts.db", 14, seed=1)
    with pytest.raises(Killed):
        search.search(killed_at(0), tmp_path / "parts.db", 14, seed=1)
    assert (
        search.finished_trials(search.search(bowl, tmp_path / "parts.db", 8, seed=1)) == whole[:8]
    )
    study = search.search(bowl, tmp_path / "parts.db", 14, seed=1)
    assert search.finished_trials(study) == whole and len(whole) == 14
    assert [trial["trial"] for trial in whole] == list(range(14))
    assert len({trial["parameters"]["learning_rate"] for trial in whole}) == 14
    again = search.search(bowl, tmp_path / "parts.db", 14, seed=1)
    assert search.finished_trials(again) == whole and again.best_value == study.best_value
    assert (
        search.finished_trials(search.search(bowl, tmp_path / "other.db", 3, seed=2)) != whole[:3]
    )


def test_optuna_alone_does_not_resume_exactly(tmp_path):
    """Why the sampler is seeded anew for each trial: a study does not store its sampler's state."""
    import optuna

    def run(name, *counts):
        for n in counts:
            study = optuna.create_study(
                storage=f"sqlite:///{tmp_path / name}",
                study_name="s",
                load_if_exists=True,
                sampler=optuna.samplers.TPESampler(seed=0),
            )
            study.optimize(bowl, n_trials=n)
        return [trial.params for trial in study.trials]

    search._quiet_optuna()
    whole, parts = run("whole.db", 4), run("parts.db", 2, 2)
    assert whole[:2] == parts[:2] == parts[2:] != whole[2:]


def test_a_search_survives_a_kill(tmp_path, root):
    script = (
        "import os, sys\nfrom tiny_study import bowl\nfrom satlib.training import search\n"
        "def judge(trial):\n    search.suggest(trial, 'learning_rate', (1e-6, 1e-2))\n"
        "    if trial.number == 2: os._exit(9)\n    return bowl(trial)\n"
        "search.search(judge, sys.argv[1], 6, seed=1)\n"
    )
    place = os.pathsep.join([str(root), str(root / "tests")])
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "killed.db")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": place},
    )
    assert ended.returncode == 9 and ended.stdout == ended.stderr == ""
    whole = search.finished_trials(search.search(bowl, tmp_path / "whole.db", 6, seed=1))
    study = search.search(bowl, tmp_path / "killed.db", 6, seed=1)
    assert search.finished_trials(study) == whole
    assert [trial.state.name for trial in study.trials].count("FAIL") == 1


@pytest.mark.parametrize("pruner", ["hyperband", "none"])
def test_the_other_pruners(tmp_path, pruner):
    made = search.finished_trials(search.search(bowl, tmp_path / "a.db", 20, pruner=pruner))
    assert len(made) == 20 and ("pruned" in {trial["state"] for trial in made}) == (
        pruner == "hyperband"
    )
    assert made == search.finished_trials(search.search(bowl, tmp_path / "b.db", 20, pruner=pruner))


def test_a_file_of_another_search_is_refused(tmp_path):
    search.search(bowl, tmp_path / "a.db", 1, about="rates")
    for other in (
        {"about": "sizes"},
        {"about": "rates", "seed": 1},
        {"about": "rates", "pruner": "none"},
    ):
        with pytest.raises(
            ValueError, match=r"a\.db holds another search, .*; give another file or delete it"
        ):
            search.search(bowl, tmp_path / "a.db", 2, **other)
    assert (
        len(search.finished_trials(search.search(bowl, tmp_path / "a.db", 2, about="rates"))) == 2
    )


def test_a_value_that_is_no_number_ends_the_search(tmp_path):
    with pytest.raises(
        ValueError, match="gave no number; return a finite one or raise TrialPruned"
    ):
        search.search(lambda trial: float("nan"), tmp_path / "a.db", 3)


# --- a tiny model

SPACE = {"learning_rate": (1e-4, 1e-2), "batch_size": [4, 8], "dropout": (0.0, 0.3)}


def test_trials_train_the_plan_and_report_every_epoch(tmp_path, scratch):
    place = bench()
    study = search.search(search.objective(place, BASE, SPACE), tmp_path / "a.db", 3)
    for trial in search.finished_trials(study):
        state, _ = hyperparameters.fit(hyperparameters.changed(BASE, **trial["parameters"]), place)
        assert trial["validation_rmse"] == [point["validation_rmse"] for point in state.curves]
    assert study.best_value == min(
        min(trial["validation_rmse"]) for trial in search.finished_trials(study)
    )
    assert list(scratch.iterdir()) == [] and [path.name for path in tmp_path.glob("*.db*")] == [
        "a.db"
    ]


def test_the_record_of_a_search_is_made_once_and_goes_on(tmp_path, monkeypatch, scratch):
    place, fit, made = bench(), hyperparameters.fit, []

    def counted(run, place, after_epoch):
        made.append(run)
        if len(made) == 3:
            raise KeyboardInterrupt
        return fit(run, place, after_epoch)

    monkeypatch.setattr(hyperparameters, "fit", counted)
    ask = (
        hyperparameters.changed(BASE, epochs=1),
        SPACE,
        4,
        place,
        tmp_path / "a.db",
        tmp_path / "runs",
    )
    with pytest.raises(KeyboardInterrupt):
        search.complete(*ask)
    assert not (tmp_path / "runs").exists() and list(scratch.iterdir()) == []
    record = search.complete(*ask)
    assert len(made) == 5 and made[3] == made[2] and len(record.curves) == 4
    assert record.model == "bert-search" and record.rows == [] and record.predictions == {}
    assert record.parameters["trials"] == 4 and record.parameters["space"]["batch_size"] == [4, 8]
    (tmp_path / "a.db").unlink()
    assert vars(search.complete(*ask)) == vars(record) and len(made) == 5
    search.complete(*ask[:2], 1, place, tmp_path / "b.db", tmp_path / "runs")
    assert len(made) == 6
    with pytest.raises(ValueError, match="holds another search"):
        search.complete(
            ask[0], {"dropout": (0.0, 0.3)}, 1, place, tmp_path / "b.db", tmp_path / "runs"
        )


def test_a_compressed_record_of_a_search_is_read_and_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "LARGE", 100)  # every record is stored as .json.xz
    ask = (hyperparameters.changed(BASE, epochs=1), SPACE, 1, bench(), tmp_path / "a.db")
    record = search.complete(*ask, tmp_path / "runs")
    assert [path.suffix for path in records.paths(tmp_path / "runs")] == [".xz"]

    monkeypatch.setattr(search, "search", None)  # nothing may be searched any more
    assert vars(search.complete(*ask, tmp_path / "runs")) == vars(record)


class Pruner:
    """A trial that is to be pruned after the first epoch."""

    def __init__(self):
        self.told = {}

    def suggest_float(self, name, low, high, log):
        return low

    def report(self, value, step):
        self.told[step] = value

    def should_prune(self):
        return True


def test_a_pruned_trial_ends_early_and_leaves_nothing(scratch, tmp_path):
    import optuna

    trial, steps = Pruner(), []
    place = bench()
    judge = search.objective(
        place, hyperparameters.changed(BASE, epochs=5), {"learning_rate": (1e-3, 1e-2)}
    )
    with pytest.raises(optuna.TrialPruned):
        judge(trial)
    assert list(trial.told) == [1] and list(scratch.iterdir()) == [] and steps == []
    judge = search.objective(
        place, hyperparameters.changed(BASE, epochs=1), {"learning_rate": (1e-3, 1e-2)}
    )
    assert judge(Pruner()) > 0  # after the last epoch there is nothing to save by pruning


def test_a_loss_that_is_no_number_prunes_and_other_errors_end(monkeypatch, scratch):
    import optuna

    judge = search.objective(bench(), BASE, {"learning_rate": (1e-3, 1e-2)})
    with torch.no_grad():
        sick = tiny.model()
        sick.head.bias.fill_(float("nan"))
    with pytest.raises(optuna.TrialPruned):
        search.objective(bench(start=sick), BASE, {"learning_rate": (1e-3, 1e-2)})(Pruner())
    monkeypatch.setattr(
        hyperparameters,
        "fit",
        lambda *args: (_ for _ in ()).throw(ValueError("batch_size 8 is too small")),
    )
    with pytest.raises(ValueError, match="batch_size 8 is too small"):
        judge(Pruner())


def test_optuna_is_loaded_by_a_search_only():
    code = (
        "import sys\n"
        "from satlib.training import hyperparameters, search\n"
        "sys.exit('optuna' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
