"""Twin of lesson 44: runs that differ in one thing, and the records that they leave."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from tiny_study import ABOUT, BASE, bench

from satlib import records, runtime
from satlib.evaluation import metrics
from satlib.models import satisfaction_model
from satlib.models.heads import read_logits
from satlib.training import hyperparameters

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
            "learning_rate = 2.0; it must be a number above 0 and below 1",
        ),
        (lambda: replace(BASE, dropout=1.0), "dropout is 1.0; it is a share"),
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
    assert hyperparameters.grouped_by("warmup", [mean, frozen], place.parameters(BASE)) == {}


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


def test_a_compressed_record_is_read_and_not_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "LARGE", 100)  # every record is stored as .json.xz
    runs = hyperparameters.sweep(BASE, "epochs", [1], [0])
    (first,) = hyperparameters.complete(runs, bench(), tmp_path)
    assert [path.suffix for path in records.paths(tmp_path)] == [".xz"]

    monkeypatch.setattr(hyperparameters, "fit", None)  # nothing may be trained any more
    (again,) = hyperparameters.complete(runs, bench(), tmp_path)
    assert vars(again) == vars(first)


def test_an_interrupted_study_keeps_what_it_has(monkeypatch, tmp_path, scratch):
    runs, place, fit = (
        hyperparameters.sweep(BASE, "warmup", [0.0, 0.5], [0]),
        bench(),
        hyperparameters.fit,
    )

    def killed(run, place):
        if run.plan.warmup:
            return fit(run, place, after_epoch=interrupt)
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
    groups = hyperparameters.grouped_by("warmup", found, base)
    assert {value: hyperparameters.rmse_of(group) for value, group in groups.items()} == {
        0.0: [0.7],
        0.5: [0.8, 0.9],
    }
    assert list(groups) == [0.0, 0.5]
    assert hyperparameters.rmse_of(hyperparameters.grouped_by("epochs", found, base)[9]) == [0.6]
    assert hyperparameters.grouped_by("warmup", found, base | {"encoder": "other"}) == {}


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
    assert hyperparameters.parse_rates("rates", " 1e-05  3e-4 ") == [1e-5, 3e-4]
    for text in ("", "abc", "1e-5,1e-4", "1e-5 0", "2", "nan", "-1e-5"):
        with pytest.raises(
            ValueError, match="sgd_rates = .*; write learning rates between 0 and 1"
        ):
            hyperparameters.parse_rates("sgd_rates", text)
