"""The advice says what the records hold, and each of its steps is given exactly when it is due."""

import numpy as np
import pytest
from invented import judged, make

from satlib import records as run_records
from satlib import runtime
from satlib.data import registry
from satlib.evaluation import advice, comparison

ROWS = 800


def run(model, error, seed=0, dataset="toy", profile="full", validation=None, **parameters):
    """A record of 40 users with 2 rows each, whose predictions are off by about ``error``."""
    rng = np.random.default_rng([seed, *model.encode()])
    rating = np.full(80, 3.0)
    user = np.repeat(range(40), 2)
    off = error + 0.05 * rng.normal(size=80)
    made = judged(model, rating, rating + off, user, seed, dataset=dataset, profile=profile)
    made.parameters = {"train_rows": ROWS} | parameters
    wrong = error if validation is None else validation
    made.predictions["validation"] = made.predictions["test"] | {"predicted": [3.0 + wrong] * 80}
    return made


def seeds(model, error, number=3, **options):
    return [run(model, error, seed, **options) for seed in range(number)]


def test_what_is_said_is_what_the_records_hold():
    records = [*seeds("bert-after", 0.5), run("tfidf-ridge", 0.7), run("mean", 0.9)]
    a = advice.advice(records)
    assert (a.best, a.tuned, a.baseline) == ("bert-after", "bert-after", "tfidf-ridge")
    assert (a.training_rows, a.test_rows, a.groups, a.seeds) == (ROWS, 80, 40, 3)
    assert a.reached == comparison.estimate(records, "bert-after")
    assert a.gains == (comparison.difference(records, "bert-after", "tfidf-ridge"),)
    assert a.baseline_reached == comparison.estimate(records, "tfidf-ridge")[0]
    value, low, high = a.reached
    for said in (
        "The data set is toy.",
        "On the validation rows bert-after is the best model.",
        f"{value:.3f}, 95 % interval {low:.3f} to {high:.3f}, the mean of 3 seeds on 800 training",
        f"tfidf-ridge with {a.baseline_reached:.3f}",
        str(a.gains[0]),
        "nobody knows here",
        "Next: use bert-after.",
    ):
        assert said in a.text, said
    assert a.pays and not a.may_pay and a.steps == ("Next: use bert-after.",)


def test_the_best_model_is_chosen_on_validation_rows():
    records = [run("bert-after", 0.5, validation=0.8), run("tfidf-ridge", 0.6, validation=0.7)]
    a = advice.advice(records)
    assert a.best == "tfidf-ridge" and a.reached[0] > comparison.estimate(records, "bert-after")[0]


def test_one_seed_is_not_advised_to_be_believed():
    a = advice.advice([run("bert-after", 0.5), run("tfidf-ridge", 0.7)])
    assert a.may_pay and not a.pays and a.gains[0].clear
    assert "train at least 3 seeds" in a.steps[0] and "one run on 800" in a.text
    assert "these two trained models" in a.text and "use bert-after" not in a.text


def test_no_measurable_gain_is_said_and_the_baseline_advised():
    records = [*seeds("bert-after", 0.5), run("tfidf-ridge", 0.5)]
    # The same errors with a luck of their own: neither is better.
    a = advice.advice(records)
    assert not a.decisive.clear and not a.pays and not a.may_pay
    assert a.steps[0] == (
        "Next: use tfidf-ridge; fine-tuning gains nothing measurable on these rows."
    )


def test_a_fine_tuned_model_that_is_worse_is_not_advised():
    a = advice.advice([*seeds("bert-after", 0.9), run("tfidf-ridge", 0.5)])
    assert a.gains[0].clear and a.gains[0].value > 0 and not a.pays
    assert a.steps[0].startswith("Next: use tfidf-ridge, which is better")


def test_a_gain_over_the_best_baseline_alone_is_not_one_of_fine_tuning():
    """The validation rows chose the trees, but the same model with a frozen encoder is as good."""
    records = [*seeds("bert-behaviour", 0.5), run("trees", 0.7, validation=0.55)]
    records.append(run("frozen-behaviour", 0.5, validation=0.6))
    a = advice.advice(records)
    assert [gain.other for gain in a.gains] == ["trees", "frozen-behaviour"]
    assert a.gains[0].clear and not a.gains[1].clear and a.decisive == a.gains[1]
    assert not a.pays and not a.may_pay
    assert a.steps[0].startswith("Next: use frozen-behaviour; fine-tuning gains nothing measurable")


def test_what_is_missing_is_asked_for():
    lone = advice.advice([run("tfidf-ridge", 0.5)])
    assert "No fine-tuned model" in lone.text and lone.gains == () and lone.tuned == ""
    assert lone.steps == ("Next: fine-tune a model on the same rows (lesson 43).",)
    other = advice.advice([run("bert-after", 0.5), run("tfidf-ridge", 0.7, train_rows=9000)])
    assert other.baseline == "" and "No frozen or simple model learned from as many" in other.text
    assert "fit the baselines of lesson 32 on the rows that taught bert-after" in other.steps[0]
    with pytest.raises(ValueError, match="no record of a model is here"):
        advice.advice([run("oracle", 0.1)])


def test_fewer_rows_than_others_had_is_said():
    records = [*seeds("bert-after", 0.5), run("mean", 0.9), run("trees", 0.4, train_rows=9000)]
    a = advice.advice(records)
    assert (a.best, a.tuned, a.baseline) == ("trees", "bert-after", "mean")
    assert "Let bert-after learn from all 9000 rows, as other models here did." in a.steps
    fast = [*seeds("bert-after", 0.5, profile="fast"), run("mean", 0.9, profile="fast")]
    assert any("profile full" in step for step in advice.advice(fast).steps)
    assert not any("profile full" in step for step in advice.advice(records[:4]).steps)


def test_a_last_epoch_that_was_the_best_asks_for_more():
    def steps(best_epoch):
        about = {"epochs": 3, "best_epoch": best_epoch}
        return advice.advice([*seeds("bert-after", 0.5, **about), run("mean", 0.9)]).steps

    assert "Train bert-after for more epochs: the last one was the best." in steps(3)
    assert not any("more epochs" in step for step in steps(2))


def test_a_setting_at_the_edge_of_its_grid_asks_for_a_wider_one():
    records = [*seeds("bert-after", 0.5), run("bert-before", 0.7, edge=["penalty"])]
    a = advice.advice(records)
    assert a.steps[-1] == (
        "Widen the grid of penalty for bert-before: the chosen value lies at its edge."
    )
    assert advice.edges(records, "bert-before") == ["penalty"]
    assert advice.edges(records, "bert-after") == []


def test_a_metric_that_should_be_high_is_read_so():
    found = [make("bert-after", seed) for seed in range(3)] + [make("tfidf-ridge"), make("mean")]
    a = advice.advice(found, "qwk")
    assert a.gains[0].value > 0 and a.pays and a.steps[0] == "Next: use bert-after."
    assert a.best == "bert-after" and advice.advice(found[-2:], "qwk").best == "tfidf-ridge"


# How far the best possible is


def test_the_oracle_bounds_what_can_be_reached_in_simulated_data():
    found = [make(name) for name in ("bert-after", "tfidf-ridge", "oracle")]
    a = advice.advice(found)
    oracle = comparison.estimate(found, "oracle")[0]
    assert (a.floor, a.floor_by) == (oracle, advice.BY_ORACLE) and a.best == "bert-after"
    assert a.above_floor == pytest.approx(a.reached[0] / oracle - 1)
    assert a.simulated and "satsim is simulated data" in a.text
    assert f"bert-after lies {a.above_floor:.0%} above that." in a.text


def test_the_annotators_disagreement_bounds_it_in_real_data(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "data_folder", lambda: tmp_path)
    records = [run("bert-after", 0.5, dataset="uss-redial"), run("mean", 0.9, dataset="uss-redial")]
    assert advice.advice(records).floor_by == ""
    floor = {"turns": {"reachable_rmse": 0.4}}
    study = run_records.RunRecord("labels", "uss-redial", "full", 0, "d", "", floor)
    run_records.save(study, tmp_path / "runs" / "labels")
    a = advice.advice(records)
    assert (a.floor, a.floor_by) == (0.4, advice.BY_ANNOTATORS) and not a.simulated
    assert "uss-redial is real data" in a.text and "no model can be expected below 0.400" in a.text
    # Better is the floor of the very rows that were judged; that of other rows is none.
    for rows, expected in ((a.test_rows, 0.45), (a.test_rows + 1, 0.4)):
        floor["test part"] = {"examples": rows, "reachable_rmse": 0.45}
        run_records.save(study, tmp_path / "runs" / "labels")
        assert advice.best_possible(records) == (expected, advice.BY_ANNOTATORS)
    assert advice.best_possible(records, "mae")[1] == ""


def test_the_registry_says_which_data_are_simulated():
    assert [name for name, c in registry.REGISTRY.items() if c.simulated] == ["satsim"]


def test_records_of_different_protocols_get_no_advice():
    with pytest.raises(ValueError, match="never share a ranking"):
        advice.advice([make("mean"), make("oracle", split_sha256="other")])
