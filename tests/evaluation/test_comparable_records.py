"""Records are found, lined up, refused where their protocols differ, and pooled or averaged row by
row."""

import numpy as np
import pytest
from invented import NOISE, make

from satlib import records, runtime
from satlib.evaluation import comparable_records
from satlib.records import RunRecord


@pytest.fixture(scope="module")
def found():
    return comparable_records.comparable(
        [
            make("oracle"),
            make("bert-after", 1),
            make("mean"),
            make("tfidf-ridge"),
            make("bert-after", 0),
            make("bert-before"),
        ]
    )


def test_the_models_come_in_course_order_and_seeds_after_each_other(found):
    assert [(r.model, r.seed) for r in found] == [
        ("mean", 0),
        ("tfidf-ridge", 0),
        ("bert-before", 0),
        ("bert-after", 0),
        ("bert-after", 1),
        ("oracle", 0),
    ]
    extra = [make("mean", 0), RunRecord("a-new-model", "satsim", "fast", 0, "d", "s")]
    assert [r.model for r in comparable_records.comparable(extra[::-1])] == ["mean", "a-new-model"]


@pytest.mark.parametrize("name", ["dataset", "profile", "data_sha256", "split_sha256"])
def test_records_of_different_protocols_are_refused(found, name):
    with pytest.raises(ValueError) as caught:
        comparable_records.comparable([*found, make("oracle", 5, **{name: "other"})])
    sentence = str(caught.value)
    assert (
        f"differ in {name}" in sentence
        and "never share a ranking" in sentence
        and "\n" not in sentence
    )
    assert "oracle-seed5.json" in sentence


# Where the records come from


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty cache and an empty folder of committed records: their paths."""
    monkeypatch.setattr(runtime, "data_folder", lambda: tmp_path / "data")
    return runtime.runs_folder(), tmp_path / "data" / "runs"


def save(folder, models, **changed):
    for model in models:
        records.save(make(model, **changed), folder)


def test_no_record_at_all_is_one_sentence(folders):
    with pytest.raises(
        FileNotFoundError,
        match="no run record of 'satsim' with the profile 'fast' in the cache; run",
    ):
        comparable_records.find("satsim", "fast")


def test_committed_records_serve_until_the_own_ones_are_complete(folders):
    own, committed = folders
    save(committed, comparable_records.REQUIRED, split_sha256="committed")
    save(committed, ["mean"], split_sha256="other", profile="full")
    save(own, comparable_records.REQUIRED[:3], split_sha256="own")
    found, words = comparable_records.find("satsim", "fast")
    assert {r.split_sha256 for r in found} == {
        "committed"
    } and words == comparable_records.COMMITTED
    save(own, comparable_records.REQUIRED[3:], split_sha256="own")
    found, words = comparable_records.find("satsim", "fast")
    assert (
        {r.split_sha256 for r in found} == {"own"}
        and words == comparable_records.OWN
        and len(found) == 4
    )
    assert [r.profile for r in comparable_records.load_committed("satsim", "full")] == ["full"]


def test_committed_seeds_of_the_same_training_join_the_own_one(folders):
    own, committed = folders
    save(own, comparable_records.REQUIRED, parameters={"epochs": 2, "best_epoch": 1})
    save(committed, ["bert-after"], seed=0, parameters={"epochs": 2, "best_epoch": 2})
    save(committed, ["bert-after"], seed=1, parameters={"epochs": 2, "best_epoch": 2})
    save(committed, ["bert-after"], seed=2, parameters={"epochs": 3, "best_epoch": 1})
    save(committed, ["bert-after"], seed=3, split_sha256="x", parameters={"epochs": 2})
    save(committed, ["tfidf-ridge"], seed=1, parameters={"epochs": 2, "best_epoch": 1})
    found, words = comparable_records.find("satsim", "fast")
    assert words == comparable_records.WITH_SEEDS
    assert [(r.model, r.seed) for r in found if r.seed] == [("bert-after", 1)]
    (first,) = [r for r in found if (r.model, r.seed) == ("bert-after", 0)]
    assert first.parameters["best_epoch"] == 1, "the own run, not the committed one"
    assert len(comparable_records.find("satsim", "fast", str(own))[0]) == len(found) - 1


def test_own_incomplete_records_serve_where_none_are_committed(folders):
    save(folders[0], ["mean"])
    assert [r.model for r in comparable_records.find("satsim", "fast")[0]] == ["mean"]


def test_a_named_folder_is_the_only_source(folders, tmp_path):
    save(folders[1], comparable_records.REQUIRED)
    with pytest.raises(FileNotFoundError, match="in .*mine; run lessons 32 and 43"):
        comparable_records.find("satsim", "fast", str(tmp_path / "mine"))
    save(tmp_path / "mine", ["mean"])
    found, words = comparable_records.find("satsim", "fast", str(tmp_path / "mine"))
    assert (
        [r.model for r in found] == ["mean"]
        and words == comparable_records.OWN
        and str(tmp_path) not in words
    )


# Predictions and looks


def test_predictions_are_pooled_over_seeds_and_an_unknown_model_is_refused(found):
    frame = comparable_records.predictions(found, "bert-after", "validation")
    assert len(frame) == 180 and set(frame["seed"]) == {0, 1} and frame["id"].nunique() == 90
    with pytest.raises(
        ValueError, match="no record of 'gpt' with test predictions; choose one of bert-after, "
    ):
        comparable_records.predictions(found, "gpt")


def test_each_model_has_a_look_of_its_own():
    looks = [
        comparable_records.look(model) for model in (*comparable_records.MODEL_ORDER, "a-new-model")
    ]
    assert len(set(looks)) == len(looks)


def test_the_records_name_each_model_once(found):
    assert comparable_records.models(found) == list(NOISE)


def test_a_study_is_a_folder_of_its_own(folders):
    save(folders[1], ["mean"])
    save(folders[1] / "heads", ["bert-after"])
    assert [r.model for r in comparable_records.load_committed("satsim", "fast", "heads")] == [
        "bert-after"
    ]
    assert [r.model for r in comparable_records.load_committed("satsim", "fast")] == ["mean"]
    assert comparable_records.load_committed("satsim", "fast", "none") == []


def test_a_blend_is_the_mean_of_its_members_each_over_its_seeds(found):
    made = comparable_records.blend(found, ["bert-after", "mean"], "both")
    tuned = [np.array(r.predictions["test"]["predicted"]) for r in found if r.model == "bert-after"]
    expected = ((tuned[0] + tuned[1]) / 2 + 3.1) / 2
    assert made.predictions["test"]["predicted"] == pytest.approx(expected, abs=1e-4)
    assert made.predictions["test"]["id"] == found[0].predictions["test"]["id"] and set(
        made.predictions
    ) == {"validation", "test"}
    assert comparable_records.comparable([*found, made])[-1].model == "both" and made.rows == []
    assert len(comparable_records.predictions([made], "both")) == 90
    before = found[0].predictions["test"]["predicted"][0]
    made.predictions["test"]["predicted"][0] = 9.0
    assert found[0].predictions["test"]["predicted"][0] == before


def test_a_blend_of_other_examples_or_of_nothing_is_refused(found):
    odd = make("oracle")
    odd.predictions["test"]["id"][0] = "another"
    with pytest.raises(ValueError, match="mean and oracle were judged on different test examples"):
        comparable_records.blend([*found[:5], odd], ["mean", "oracle"], "both")
    with pytest.raises(ValueError, match="no record of 'trees' with validation predictions"):
        comparable_records.blend(found, ["mean", "trees"], "both")
    with pytest.raises(ValueError, match="no record of any of trees, gru"):
        comparable_records.blend(found, ["trees", "gru"], "both")
