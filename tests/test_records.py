"""A run record survives the disk, and what is not one is refused by name."""

import errno
import json
import os

import pytest

from satlib import records, runtime
from satlib.records import ROW_KEYS, RunRecord


def make(**changed) -> RunRecord:
    row = dict(
        zip(ROW_KEYS, ("fast", "satsim", "test", "mean", "rmse", 1.1, 1.0, 1.2, 3, 0), strict=True)
    )
    columns = {
        "id": ["a", "b", "满意"],
        "group": ["u", "u", "v"],
        "domain": ["shop"] * 3,
        "rating": [1.0, 4.5, 3.0],
        "predicted": [3.0, 3.0, 3.0],
    }
    values = {"model": "mean", "dataset": "satsim", "profile": "fast", "seed": 0}
    checksums = {"data_sha256": "d", "split_sha256": "s"}
    return RunRecord(
        **{**values, **checksums, "rows": [row], "predictions": {"test": columns}, **changed}
    )


def test_a_record_comes_back_equal_with_versions_and_machine(tmp_path):
    record = make(parameters={"alpha": 1.0}, curves=[{"step": 1, "train_loss": 0.5}])
    path = records.save(record, tmp_path / "runs")
    assert path == tmp_path / "runs" / "satsim-fast-mean-seed0.json"
    assert records.load(path) == record
    assert record.versions == runtime.versions() and record.machine["cores"] >= 1


def test_versions_and_machine_of_another_run_are_kept(tmp_path):
    record = make(versions={"torch": "1"}, machine={"accelerator": "T4"})
    loaded = records.load(records.save(record, tmp_path))
    assert loaded.versions == {"torch": "1"} and loaded.machine == {"accelerator": "T4"}


def test_a_record_from_before_the_seconds_were_kept_says_that_nobody_measured(tmp_path):
    path = records.save(make(seconds=3.5), tmp_path)
    assert records.load(path).seconds == 3.5
    content = json.loads(path.read_text())
    del content["seconds"]
    path.write_text(json.dumps(content))
    assert records.load(path).seconds is None


def test_a_new_run_replaces_the_old_one_and_other_seeds_stay(tmp_path):
    for seed, split in [(0, "s"), (1, "s"), (0, "new")]:
        records.save(make(seed=seed, split_sha256=split), tmp_path)
    assert [(r.seed, r.split_sha256) for r in records.load_all(tmp_path)] == [(0, "new"), (1, "s")]


def test_records_are_chosen_by_dataset_and_profile(tmp_path):
    for dataset in ("satsim", "movielens"):
        for profile in ("fast", "full"):
            records.save(make(dataset=dataset, profile=profile), tmp_path)
    assert len(records.load_all(tmp_path)) == 4
    assert [r.name for r in records.load_all(tmp_path, "satsim", "full")] == [
        "satsim-full-mean-seed0.json"
    ]
    assert [r.profile for r in records.load_all(tmp_path, "movielens")] == ["fast", "full"]
    assert (
        records.load_all(tmp_path, "amazon") == [] and records.load_all(tmp_path / "nowhere") == []
    )


def test_a_row_with_other_keys_is_refused(tmp_path):
    with pytest.raises(ValueError, match="exactly"):
        records.save(make(rows=[{"metric": "rmse", "value": 1.0}]), tmp_path)
    assert os.listdir(tmp_path) == []


def test_predictions_of_unequal_length_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match="columns of the test predictions differ in length.*'rating': 1"
    ):
        records.save(make(predictions={"test": {"id": ["a", "b"], "rating": [1.0]}}), tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_old_record(tmp_path, monkeypatch):
    path = records.save(make(), tmp_path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="cannot write .*No space left on device; free some space"):
        records.save(make(split_sha256="new"), tmp_path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("content", ['{"model": "mean"}', '{"unknown": 1}', "[]", "3"])
def test_what_is_not_a_record_is_refused_by_name(tmp_path, content):
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(
        ValueError, match="odd.json is not a run record .*run its lesson again"
    ) as caught:
        records.load_all(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_cut_record_is_refused_by_name(tmp_path):
    path = records.save(make(), tmp_path)
    path.write_text(path.read_text()[:-10])
    with pytest.raises(ValueError, match="seed0.json is not valid JSON"):
        records.load(path)


def test_a_record_is_plain_json_without_a_path_of_the_machine(tmp_path):
    text = records.save(make(), tmp_path).read_text()
    assert set(json.loads(text)) == set(RunRecord.__dataclass_fields__)
    assert str(tmp_path) not in text and os.path.expanduser("~") not in text


def test_a_large_record_is_compressed_and_replaces_a_plain_one(tmp_path, monkeypatch):
    small = records.RunRecord(
        "m",
        "d",
        "fast",
        0,
        "x",
        "y",
        parameters={"note": "words " * 100},
        versions={"a": "1"},
        machine={"b": 1},
    )
    plain = records.save(small, tmp_path)
    monkeypatch.setattr(records, "LARGE", 50)
    packed = records.save(small, tmp_path)
    assert packed.name == f"{plain.name}.xz" and records.paths(tmp_path) == [packed]
    assert records.load(packed) == small and records.load_all(tmp_path, "d", "fast") == [small]
    packed.write_bytes(packed.read_bytes()[:40])
    with pytest.raises(ValueError, match="not a compressed JSON file"):
        records.load(packed)


def test_a_record_is_found_plain_or_compressed(tmp_path, monkeypatch):
    assert records.find(tmp_path, make().name) is None
    plain = records.save(make(), tmp_path)
    assert records.find(tmp_path, make().name) == plain
    monkeypatch.setattr(records, "LARGE", 50)
    packed = records.save(make(), tmp_path)
    assert records.find(tmp_path, make().name) == packed


def test_what_was_saved_is_noted_where_the_runner_asks_for_it(tmp_path, monkeypatch):
    notes = tmp_path / "notes"
    records.save(make(), tmp_path / "runs")
    monkeypatch.setenv(records.SAVED, str(notes))
    monkeypatch.chdir(tmp_path)
    saved = [records.save(make(seed=seed), "runs") for seed in (1, 2)]
    assert notes.read_text().splitlines() == [str(path.resolve()) for path in saved]
