"""The study of lesson 44: which runs it has, that it is made once, and what is read from it."""

import numpy as np
import pytest
from tiny_study import BASE, bench

from satlib import records
from satlib.training import hyperparameters, plan, study

RATES = (1e-5, 1e-4, 1e-3)


def fake_fit(made):
    """In place of a training: a state and the untrained model; the best rate is 1e-4."""

    def fit(run, place, after_epoch=None):
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

    def judged(job, predicted, place, parameters, curves):
        value = curves[0].get("validation_rmse", 2.0) if curves else 3.0
        rows = [dict.fromkeys(records.ROW_KEYS) | {"metric": "rmse", "value": value}]
        return records.RunRecord(**job, parameters=parameters, curves=curves, rows=rows)

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

    usual = hyperparameters.settings_of(study.first_named(found, "bert-learning-rate"))
    assert study.best_rate(found, usual) == 1e-4 and list(
        hyperparameters.grouped_by("learning_rate", found, usual)
    ) == list(RATES)
    turned = study.knob_scores(found, usual | {"learning_rate": 1e-4})
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
    assert list(hyperparameters.grouped_by("learning_rate", found, usual | {"epochs": 4})) == list(
        RATES
    )
    assert list(
        hyperparameters.grouped_by("learning_rate", found, usual | {"optimizer": "sgd"})
    ) == [
        0.1,
        0.5,
    ]
    assert set(hyperparameters.grouped_by("warmup", found, usual | {"learning_rate": 1e-3})) == {
        0.0,
        0.1,
        0.3,
    }
    with pytest.raises(
        ValueError, match="no record of 'mlp' among 38; make the study with the profile full"
    ):
        study.first_named(found, "mlp")


def test_at_the_end_of_the_grid_nothing_is_run_twice():
    made = study.other_runs(BASE, 1e-3, RATES, (0.1,), 1, 4)
    assert len({(run.plan, run.dropout) for run in made}) == len(made)
    assert not any("top-rate" in run.model for run in made)


@pytest.mark.parametrize(
    "values, patience, epoch",
    [
        ([3, 2, 1], 2, 3),
        ([1, 2, 3, 0], 2, 3),
        ([1, 2, 0, 1, 1, 1], 2, 5),
        ([1, 1, 1], 1, 2),
        ([1, 2], 5, 2),
    ],
)
def test_a_run_stops_when_its_best_epoch_is_old(values, patience, epoch):
    assert study.stops_at(values, patience) == epoch
