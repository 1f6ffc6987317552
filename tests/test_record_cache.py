"""The record cache: what is there is read, what differs is made again, an interrupted job goes on,
damaged splits are refused."""

import lzma

import numpy as np
import pytest

from satlib import record_cache, records

JOB = {
    "model": "m",
    "dataset": "toy",
    "profile": "A1",
    "seed": 0,
    "data_sha256": "d",
    "split_sha256": "s",
}
SPLIT = {"fold 0 test": ["a-1", "a-2"], "fold 1 test": ["b-1"]}


def made(parameters, job=JOB, size=1):
    return records.RunRecord(
        **job, parameters=dict(parameters), curves=[{"epoch": i / 7} for i in range(size)]
    )


def never():
    raise AssertionError("it was made although it is there")


@pytest.mark.parametrize("size", [1, 20_000])  # the second is stored compressed
def test_a_record_is_made_once_and_then_read(tmp_path, size):
    first = record_cache.complete(
        JOB, {"epochs": 2}, lambda: made({"epochs": 2, "chosen": [1]}, size=size), tmp_path
    )
    again = record_cache.complete(JOB, {"epochs": 2}, never, tmp_path)
    assert again == first and again.parameters["chosen"] == [1]
    assert [path.suffix for path in records.paths(tmp_path)] == [".xz" if size > 1 else ".json"]


@pytest.mark.parametrize("change", [{"epochs": 3}, {"epochs": 2, "words": 9}])
def test_a_record_of_other_parameters_is_made_anew(tmp_path, change):
    record_cache.complete(JOB, {"epochs": 2}, lambda: made({"epochs": 2}), tmp_path)
    assert record_cache.complete(JOB, change, lambda: made(change), tmp_path).parameters == change


@pytest.mark.parametrize("name", ["data_sha256", "split_sha256"])
def test_a_record_of_other_data_is_made_anew(tmp_path, name):
    record_cache.complete(JOB, {}, lambda: made({}), tmp_path)
    other = JOB | {name: "other"}
    assert (
        getattr(record_cache.complete(other, {}, lambda: made({}, other), tmp_path), name)
        == "other"
    )


def test_parameters_are_compared_as_the_file_keeps_them(tmp_path):
    record_cache.complete(JOB, {"rates": (1, 2)}, lambda: made({"rates": (1, 2)}), tmp_path)
    assert record_cache.kept(JOB, {"rates": (1, 2)}, tmp_path).parameters == {"rates": [1, 2]}


def test_found_are_the_records_of_one_protocol_and_corpus(tmp_path):
    for changed in (
        {},
        {"model": "n"},
        {"profile": "A1-other"},
        {"dataset": "toys"},
        {"profile": "A0"},
    ):
        records.save(made({}, JOB | changed), tmp_path)
    record_cache.save_split("toy-A1-split", SPLIT, tmp_path / "elsewhere")
    record_cache.save_split("split-toy-A1", SPLIT, tmp_path)
    assert [one.model for one in record_cache.found(tmp_path, "toy", "A1")] == ["m", "n"]


def test_pieces_are_read_back_after_an_interruption(tmp_path):
    epochs, piece = (
        np.random.default_rng(0).random((2, 3, 5)),
        record_cache.Pieces(JOB, {"epochs": 2}, tmp_path),
    )
    piece(0, lambda: epochs)
    with pytest.raises(KeyboardInterrupt):
        piece(1, interrupted)
    after = record_cache.Pieces(JOB, {"epochs": 2}, tmp_path)
    assert np.allclose(after(0, never), epochs, atol=1e-6)
    assert np.allclose(after(1, lambda: epochs + 1), epochs + 1, atol=1e-6)
    after.clear()
    assert not list(tmp_path.rglob("*.json"))


def interrupted():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "job, parameters", [(JOB, {"epochs": 3}), (JOB | {"split_sha256": "other"}, {"epochs": 2})]
)
def test_pieces_of_another_job_are_not_taken(tmp_path, job, parameters):
    record_cache.Pieces(JOB, {"epochs": 2}, tmp_path)(0, lambda: np.zeros((1, 1, 5)))
    assert record_cache.Pieces(job, parameters, tmp_path)(0, lambda: np.ones((1, 1, 5))).all()


def test_a_piece_that_was_read_equals_the_one_that_was_made(tmp_path):
    piece, epochs = (
        record_cache.Pieces(JOB, {}, tmp_path),
        np.random.default_rng(1).random((1, 4, 5)),
    )
    assert np.array_equal(piece(0, lambda: epochs), piece(0, never))


def test_a_split_comes_back_with_its_checksum_and_equal_splits_give_equal_files(tmp_path):
    one, other = (
        record_cache.save_split("x", SPLIT, tmp_path),
        record_cache.save_split("x", SPLIT, tmp_path / "again"),
    )
    assert one == other and record_cache.load_split("x", tmp_path) == SPLIT
    assert (tmp_path / "x.json.xz").read_bytes() == (tmp_path / "again" / "x.json.xz").read_bytes()
    assert record_cache.save_split("x", {**SPLIT, "fold 1 test": ["b-2"]}, tmp_path) != one


def changed_text(path):
    path.write_bytes(lzma.compress(lzma.decompress(path.read_bytes()).replace(b"b-1", b"b-2")))


DAMAGES = {
    "another id": changed_text,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-8]),
    "no archive": lambda path: path.write_bytes(b"{}"),
    "no JSON": lambda path: path.write_bytes(lzma.compress(b"{")),
    "a list": lambda path: path.write_bytes(lzma.compress(b"[]")),
    "no parts": lambda path: path.write_bytes(lzma.compress(b"{}")),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_damaged_split_is_refused_in_one_sentence(tmp_path, damage):
    record_cache.save_split("x", SPLIT, tmp_path)
    DAMAGES[damage](tmp_path / "x.json.xz")
    with pytest.raises(
        ValueError, match=r"x\.json\.xz is damaged \(.*\); restore it from the repository"
    ) as refused:
        record_cache.load_split("x", tmp_path)
    assert "\n" not in str(refused.value)


def test_a_missing_split_says_how_to_make_it(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match="no split 'x' .*; make it with the lesson's parameter measure = True",
    ):
        record_cache.load_split("x", tmp_path)
