"""Twin of lesson 44: runs and their records, what chance explains, and a search that prunes, dies
and goes on."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import tiny
import torch

from satlib import records, runtime
from satlib.evaluation import metrics
from satlib.models import satisfaction_model
from satlib.models.heads import read_logits
from satlib.training import hyperparameters, plan, search, seed_intervals, study

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


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """The folder that temporary files of the module go to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


# --- runs


def test_a_sweep_changes_one_thing_and_names_it():
    runs = hyperparameters.sweep(BASE, "learning_rate", [3e-5, 1e-3], seeds=range(2))
    assert [(run.model, run.plan.seed, run.plan.learning_rate) for run in runs] == [
        ("bert-learning-rate-3e-05", 0, 3e-5),
        ("bert-learning-rate-3e-05", 1, 3e-5),
        ("bert-learning-rate-0.001", 0, 1e-3),
        ("bert-learning-rate-0.001", 1, 1e-3),
    ]
    assert all(
        hyperparameters.changed(run, model="bert", seed=0, learning_rate=3e-3) == BASE
        for run in runs
    )
    (one,) = hyperparameters.sweep(BASE, "dropout", [0.3], [5])
    assert one == hyperparameters.Run("bert-dropout-0.3", replace(BASE.plan, seed=5), 0.3)
    assert hyperparameters.sweep(BASE, "optimizer", ["sgd"], [0])[0].model == "bert-optimizer-sgd"


@pytest.mark.parametrize(
    "provoke, words",
    [
        (
            lambda: hyperparameters.sweep(BASE, "seed", [1], [0]),
            "unknown hyperparameter 'seed'; choose one of learning_rate",
        ),
        (
            lambda: hyperparameters.sweep(BASE, "learning_rate", [2.0], [0]),
            "learning_rate 2.0 must lie in",
        ),
        (lambda: replace(BASE, dropout=1.0), "dropout is 1.0; it is a share"),
        (
            lambda: seed_intervals.pooled([[1.0], [2.0]]),
            "2 groups without two runs in any of them; run a second seed",
        ),
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


def test_a_run_knows_its_parameters_and_not_its_seed():
    known = bench().parameters(BASE)
    assert (
        known["learning_rate"] == 3e-3 and known["dropout"] == 0.0 and known["precision"] == "fp32"
    )
    assert (known["train_rows"], known["validation_rows"], known["encoder"]) == (32, 12, "tiny")
    assert "seed" not in known and known == json.loads(json.dumps(known))
    assert known == bench().parameters(hyperparameters.changed(BASE, model="other", seed=4))


def test_dropout_is_set_in_every_layer_of_a_copy():
    before = tiny.model(dropout=0.1)
    after = hyperparameters.with_dropout(before, 0.4)
    rates = {m.p for m in after.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.4} and {
        m.p for m in before.modules() if isinstance(m, torch.nn.Dropout)
    } == {0.1}
    assert after.config.dropout == after.config.encoder["hidden_dropout_prob"] == 0.4
    assert (
        before.config.encoder["hidden_dropout_prob"] == 0.1
        and hyperparameters.moved(before, after) == 0
    )
    assert {
        m.p
        for m in satisfaction_model.SatisfactionModel(after.config).modules()
        if isinstance(m, torch.nn.Dropout)
    } == {0.4}
    ids = torch.tensor([[7, 8, 9]])
    same = [after.train()(ids, torch.ones_like(ids)).logits.item() for _ in range(2)]
    assert same[0] != same[1]


def test_moved_is_a_share_of_the_length():
    one, other = tiny.model(), tiny.model()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1.25)
    assert hyperparameters.moved(one, other) == pytest.approx(0.25)


def test_a_run_trains_a_copy_and_leaves_no_file(scratch):
    place = bench()
    before = {name: value.clone() for name, value in place.start.state_dict().items()}
    state, model = hyperparameters.fit(BASE, place)
    assert state.finished and len(state.curves) == 2 and list(scratch.iterdir()) == []
    assert all(torch.equal(value, before[name]) for name, value in place.start.state_dict().items())
    assert hyperparameters.moved(place.start, model) > 0
    again, _ = hyperparameters.fit(BASE, place)
    assert again.curves == state.curves
    assert (
        hyperparameters.fit(hyperparameters.changed(BASE, seed=1), place)[0].curves != state.curves
    )


# --- records


def test_the_record_of_a_run(scratch, tmp_path):
    place = bench()
    run = hyperparameters.changed(BASE, seed=3)
    state, model = hyperparameters.fit(run, place)
    record = hyperparameters.record_of(run, place, state, model)
    predicted = read_logits(
        satisfaction_model.run(model, place.validation.sequences).astype(float), model.config
    ).rating
    assert hyperparameters.rmse_of([record]) == [
        pytest.approx(metrics.rmse(place.validation.ratings, predicted), abs=1e-6)
    ]
    assert hyperparameters.rmse_of([record]) == [pytest.approx(state.best, abs=1e-4)]
    assert {row["part"] for row in record.rows} == {"validation"} and {
        row["n"] for row in record.rows
    } == {12}
    assert record.predictions == {} and record.curves == state.curves and record.seed == 3
    assert record.parameters["best_epoch"] == state.best_epoch and record.parameters["moved"] > 0
    path = records.save(record, tmp_path)
    assert path.stat().st_size < 6000 and asdict_equal(records.load(path), record)


def asdict_equal(one, other) -> bool:
    return vars(one) == vars(other)


def test_the_references(tmp_path):
    place = bench()
    mean, frozen = hyperparameters.references(place)
    truth, constant = place.validation.ratings, place.rows.ratings.mean()
    assert hyperparameters.rmse_of([mean]) == [
        pytest.approx(metrics.rmse(truth, np.full(12, constant)), abs=1e-6)
    ]
    assert mean.curves[0]["train_loss"] == pytest.approx(np.var(place.rows.ratings) / 16)
    logits = satisfaction_model.run(place.start, place.validation.sequences).astype(float)
    predicted = read_logits(logits, place.start.config).rating
    assert hyperparameters.rmse_of([frozen]) == [
        pytest.approx(metrics.rmse(truth, predicted), abs=1e-6)
    ]
    assert [records.save(one, tmp_path).name for one in (mean, frozen)] == [
        "satsim-full-mean-seed0.json",
        "satsim-full-frozen-seed0.json",
    ]
    assert hyperparameters.varied([mean, frozen], place.parameters(BASE), "warmup") == {}


def test_complete_makes_what_is_missing_and_nothing_else(monkeypatch, tmp_path, scratch):
    made, fit = [], hyperparameters.fit
    monkeypatch.setattr(
        hyperparameters, "fit", lambda run, place: made.append(run.model) or fit(run, place)
    )
    runs, place = hyperparameters.sweep(BASE, "warmup", [0.0, 0.5], [0]), bench()
    first = hyperparameters.complete(runs[:1], place, tmp_path)
    both = hyperparameters.complete(runs, place, tmp_path)
    assert made == ["bert-warmup-0", "bert-warmup-0.5"] and vars(both[0]) == vars(first[0])
    assert sorted(path.name for path in records.paths(tmp_path)) == sorted(
        record.name for record in both
    )
    hyperparameters.complete(runs, place, tmp_path)
    assert len(made) == 2

    other = hyperparameters.complete(
        [replace(runs[0], plan=replace(runs[0].plan, epochs=1))], place, tmp_path
    )
    assert len(made) == 3 and records.load(tmp_path / other[0].name).parameters["epochs"] == 1
    hyperparameters.complete(
        runs[1:], replace(place, about=ABOUT | {"data_sha256": "e" * 64}), tmp_path
    )
    hyperparameters.complete(runs[1:], replace(place, settings={"encoder": "other"}), tmp_path)
    assert len(made) == 5


def test_an_interrupted_study_keeps_what_it_has(monkeypatch, tmp_path, scratch):
    runs, place, fit = (
        hyperparameters.sweep(BASE, "warmup", [0.0, 0.5], [0]),
        bench(),
        hyperparameters.fit,
    )

    def killed(run, place):
        if run.plan.warmup:
            return fit(run, place, after_step=interrupt)
        return fit(run, place)

    def interrupt(state):
        raise KeyboardInterrupt

    monkeypatch.setattr(hyperparameters, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        hyperparameters.complete(runs, place, tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [
        "satsim-full-bert-warmup-0-seed0.json"
    ]
    assert list(scratch.iterdir()) == []


def record(value: float, seed: int = 0, **parameters) -> records.RunRecord:
    row = dict.fromkeys(records.ROW_KEYS) | {"metric": "rmse", "value": value}
    known = bench().parameters(BASE) | parameters | {"best_epoch": 1, "moved": value}
    return records.RunRecord(
        "m", "satsim", "full", seed, "", "", known, rows=[row | {"metric": "mae"}, row]
    )


def test_varied_finds_the_records_that_differ_in_one_thing():
    found = [
        record(0.9, 1, warmup=0.5),
        record(0.8, 0, warmup=0.5),
        record(0.7, warmup=0.0),
        record(0.6, epochs=9),
        record(0.5, warmup=0.5, epochs=9),
    ]
    base = bench().parameters(BASE)
    groups = hyperparameters.varied(found, base, "warmup")
    assert {value: hyperparameters.rmse_of(group) for value, group in groups.items()} == {
        0.0: [0.7],
        0.5: [0.8, 0.9],
    }
    assert list(groups) == [0.0, 0.5]
    assert hyperparameters.rmse_of(hyperparameters.varied(found, base, "epochs")[9]) == [0.6]
    assert hyperparameters.varied(found, base | {"encoder": "other"}, "warmup") == {}


# --- what chance explains


def test_pooled_is_the_analysis_of_variance():
    groups = [[1.0, 1.2, 1.1], [0.7, 0.9], [2.0]]
    deviation, freedom = seed_intervals.pooled(groups)
    residual = np.concatenate([np.array(group) - np.mean(group) for group in groups])
    assert freedom == 3 and deviation == pytest.approx(np.sqrt((residual**2).sum() / 3))
    assert seed_intervals.pooled([[1.0, 3.0]])[0] == pytest.approx(np.std([1.0, 3.0], ddof=1))


def test_intervals_are_those_of_scipy():
    a, b = [1.0, 1.2, 1.1, 1.4], [0.7, 0.9, 0.8]
    theirs = scipy.stats.ttest_1samp(a, 0.0).confidence_interval(0.95)
    assert seed_intervals.interval(a) == pytest.approx((np.mean(a), theirs.low, theirs.high))
    theirs = scipy.stats.ttest_ind(a, b, equal_var=True).confidence_interval(0.95)
    assert seed_intervals.difference(a, b, seed_intervals.pooled([a, b])) == pytest.approx(
        (np.mean(a) - np.mean(b), *theirs)
    )
    middle, low, high = seed_intervals.interval([1.0, 1.2], (0.1, 20))
    assert middle == pytest.approx(1.1) and high - low == pytest.approx(
        2 * scipy.stats.t.ppf(0.975, 20) * 0.1 / 2**0.5
    )


def test_intervals_cover_the_truth_in_95_of_100_studies():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(1000):
        groups = rng.normal(0.9, 0.02, size=(5, 3))
        _, low, high = seed_intervals.difference(
            groups[0], groups[1], seed_intervals.pooled(groups)
        )
        hits += low <= 0 <= high
    assert 930 <= hits <= 970


def test_a_difference_in_words():
    assert (
        seed_intervals.in_words([0.9, 0.9], [1.0, 1.0], (0.01, 30)) == "-0.100 (-0.120 to -0.080)"
    )
    assert (
        seed_intervals.in_words([1.0, 1.0], [1.0, 1.0], (0.01, 30))
        == "+0.000 (-0.020 to +0.020), inside chance"
    )


# --- the study

RATES = (1e-5, 1e-4, 1e-3)


def fake_fit(made):
    """In place of a training: a state and the untrained model; the best rate is 1e-4."""

    def fit(run, place, after_step=bool):
        made.append((run.model, run.plan.seed))
        value = 1 + abs(np.log10(run.plan.learning_rate) + 4) / 10 + run.plan.seed / 1000
        curves = [
            {
                "step": n,
                "epoch": n,
                "train_loss": 1 / n,
                "validation_loss": value,
                "validation_rmse": value,
            }
            for n in range(1, run.plan.epochs + 1)
        ]
        state = plan.State(
            epoch=run.plan.epochs, best=value, best_epoch=1, finished=True, curves=curves
        )
        return state, place.start

    return fit


def test_a_study_is_complete_and_made_once(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(hyperparameters, "fit", fake_fit(made))

    def judged(model, seed, predicted, place, parameters, curves):
        value = curves[0].get("validation_rmse", 2.0) if curves else 3.0
        rows = [dict.fromkeys(records.ROW_KEYS) | {"metric": "rmse", "value": value}]
        return records.RunRecord(
            **place.about, model=model, seed=seed, parameters=parameters, curves=curves, rows=rows
        )

    monkeypatch.setattr(hyperparameters, "_judged", judged)
    ask = (
        hyperparameters.changed(BASE, dropout=0.1),
        bench(),
        tmp_path / "runs",
        tmp_path / "a.db",
        RATES,
        (0.1, 0.5),
        2,
        4,
        5,
    )
    study.complete(*ask)
    names = sorted({name for name, _ in made if name != "bert"})
    assert names == sorted(
        [
            *(f"bert-learning-rate-{rate:g}" for rate in RATES),
            "bert-warmup-0",
            "bert-warmup-0.3",
            "bert-top-rate-warmup-0",
            "bert-top-rate-warmup-0.3",
            "bert-batch-size-4",
            "bert-batch-size-64",
            "bert-double-rate-batch-size-64",
            "bert-weight-decay-0",
            "bert-weight-decay-1",
            "bert-dropout-0",
            "bert-dropout-0.3",
            "bert-sgd-learning-rate-0.1",
            "bert-sgd-learning-rate-0.5",
            *(f"bert-long-learning-rate-{rate:g}" for rate in RATES),
        ]
    )
    found, count = records.load_all(tmp_path / "runs"), len(made)
    assert len(found) == 2 * 3 + 2 * (8 + 2 + 1 + 2) + 3 + 2 + 1 and count == len(found) - 3 + 5
    study.complete(*ask)
    assert len(made) == count

    usual = hyperparameters.asked(study.of_kind(found, "bert-learning-rate"))
    assert study.lowest(found, usual) == 1e-4 and list(
        hyperparameters.varied(found, usual, "learning_rate")
    ) == list(RATES)
    turned = study.turned(found, usual | {"learning_rate": 1e-4})
    assert set(turned) == {
        "warmup 0",
        "warmup 0.3",
        "batch size 4",
        "batch size 64",
        "weight decay 0",
        "weight decay 1",
        "dropout 0",
        "dropout 0.3",
        "batch size 64, rate x 2",
    }
    assert all(len(values) == 2 for values in turned.values())
    assert list(hyperparameters.varied(found, usual | {"epochs": 4}, "learning_rate")) == list(
        RATES
    )
    assert list(hyperparameters.varied(found, usual | {"optimizer": "sgd"}, "learning_rate")) == [
        0.1,
        0.5,
    ]
    assert set(hyperparameters.varied(found, usual | {"learning_rate": 1e-3}, "warmup")) == {
        0.0,
        0.1,
        0.3,
    }
    with pytest.raises(
        ValueError, match="no record of 'mlp' among 38; make the study with the profile full"
    ):
        study.of_kind(found, "mlp")


def test_at_the_end_of_the_grid_nothing_is_run_twice():
    made = study.runs(BASE, 1e-3, RATES, (0.1,), 1, 4)
    assert len({(run.plan, run.dropout) for run in made}) == len(made)
    assert not any("top-rate" in run.model for run in made)


# --- search: cheap objectives


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
    made = search.finished(search.search(bowl, tmp_path / "a.db", 25, seed=3))
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
    whole = search.finished(search.search(bowl, tmp_path / "whole.db", 14, seed=1))
    with pytest.raises(Killed):
        search.search(killed_at(5), tmp_path / "parts.db", 14, seed=1)
    with pytest.raises(Killed):
        search.search(killed_at(0), tmp_path / "parts.db", 14, seed=1)
    assert search.finished(search.search(bowl, tmp_path / "parts.db", 8, seed=1)) == whole[:8]
    study = search.search(bowl, tmp_path / "parts.db", 14, seed=1)
    assert search.finished(study) == whole and len(whole) == 14
    assert [trial["trial"] for trial in whole] == list(range(14))
    assert len({trial["parameters"]["learning_rate"] for trial in whole}) == 14
    again = search.search(bowl, tmp_path / "parts.db", 14, seed=1)
    assert search.finished(again) == whole and again.best_value == study.best_value
    assert search.finished(search.search(bowl, tmp_path / "other.db", 3, seed=2)) != whole[:3]


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

    search._quiet()
    whole, parts = run("whole.db", 4), run("parts.db", 2, 2)
    assert whole[:2] == parts[:2] == parts[2:] != whole[2:]


def test_a_search_survives_a_kill(tmp_path, root):
    script = (
        "import os, sys\nfrom test_hyperparameters import bowl\nfrom satlib import search\n"
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
    whole = search.finished(search.search(bowl, tmp_path / "whole.db", 6, seed=1))
    study = search.search(bowl, tmp_path / "killed.db", 6, seed=1)
    assert search.finished(study) == whole
    assert [trial.state.name for trial in study.trials].count("FAIL") == 1


@pytest.mark.parametrize("pruner", ["hyperband", "none"])
def test_the_other_pruners(tmp_path, pruner):
    made = search.finished(search.search(bowl, tmp_path / "a.db", 20, pruner=pruner))
    assert len(made) == 20 and ("pruned" in {trial["state"] for trial in made}) == (
        pruner == "hyperband"
    )
    assert made == search.finished(search.search(bowl, tmp_path / "b.db", 20, pruner=pruner))


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
    assert len(search.finished(search.search(bowl, tmp_path / "a.db", 2, about="rates"))) == 2


def test_a_value_that_is_no_number_ends_the_search(tmp_path):
    with pytest.raises(
        ValueError, match="gave no number; return a finite one or raise TrialPruned"
    ):
        search.search(lambda trial: float("nan"), tmp_path / "a.db", 3)


# --- search: a tiny model

SPACE = {"learning_rate": (1e-4, 1e-2), "batch_size": [4, 8], "dropout": (0.0, 0.3)}


def test_trials_train_the_plan_and_report_every_epoch(tmp_path, scratch):
    place = bench()
    study = search.search(search.objective(place, BASE, SPACE), tmp_path / "a.db", 3)
    for trial in search.finished(study):
        state, _ = hyperparameters.fit(hyperparameters.changed(BASE, **trial["parameters"]), place)
        assert trial["validation_rmse"] == [point["validation_rmse"] for point in state.curves]
    assert study.best_value == min(
        min(trial["validation_rmse"]) for trial in search.finished(study)
    )
    assert list(scratch.iterdir()) == [] and [path.name for path in tmp_path.glob("*.db*")] == [
        "a.db"
    ]


def test_the_record_of_a_search_is_made_once_and_goes_on(tmp_path, monkeypatch, scratch):
    place, fit, made = bench(), hyperparameters.fit, []

    def counted(run, place, after_step):
        made.append(run)
        if len(made) == 3:
            raise KeyboardInterrupt
        return fit(run, place, after_step)

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
        "import sys; from satlib import hyperparameters, search; sys.exit('optuna' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_committed_study_belongs_to_the_kit():
    found = records.load_all(runtime.data_folder() / "runs" / "hyperparameters")
    for one in found:
        assert {row["part"] for row in one.rows} <= {"validation"} and one.predictions == {}
    assert all(
        path.stat().st_size < 8000
        for path in records.paths(runtime.data_folder() / "runs" / "hyperparameters")
        if "search" not in path.name
    )


def test_rates_are_read_from_words_and_what_is_none_is_refused():
    assert hyperparameters.rates_of("rates", " 1e-05  3e-4 ") == [1e-5, 3e-4]
    for text in ("", "abc", "1e-5,1e-4", "1e-5 0", "2", "nan", "-1e-5"):
        with pytest.raises(
            ValueError, match="sgd_rates = .*; write learning rates between 0 and 1"
        ):
            hyperparameters.rates_of("sgd_rates", text)
