"""One call takes the steps that lessons 01 to 05 take one by one, and refuses what they refuse."""

import json

import numpy as np
import pytest

from satlib.data import corpora, leaks, splits
from satlib.data.prepared import Prepared, prepare


def table(folder, users=12, rows=5, **changed):
    """A file of Examples: users with rows of their own words each."""
    lines = []
    for user in range(users):
        for row in range(rows):
            event = {"actor": "user", "action": "read", "text": f"item {user} {row}"}
            example = {
                "id": f"u{user}-{row}",
                "group": f"u{user}",
                "domain": "own",
                "events": [event],
                "ratings": [1 + (user + row) % 5],
            }
            lines.append(json.dumps(example | changed) + "\n")
    (folder / "own.jsonl").write_text("".join(lines))
    return folder


def test_it_is_loading_cutting_and_checking_in_one_call():
    data = prepare("satsim")
    loaded = corpora.load("satsim")
    parts = splits.split_corpus(loaded)
    assert data.loaded == loaded and data.parts == parts
    assert data.split_sha256 == splits.checksum(parts)
    assert data.suspects == leaks.check(parts, loaded.rule)
    assert {finding.kind for finding in data.suspects} == {"copies", "column"}


def test_rows_are_limited_part_by_part_and_0_keeps_all():
    data = prepare("satsim", train_rows=40, test_rows=8)
    whole = splits.split_corpus(corpora.load("satsim"))
    assert data.sizes == {"train": 40, "validation": len(whole["validation"]), "test": 8}
    assert data.parts == splits.subset(whole, train=40, test=8)
    again = prepare("satsim", train_rows=40, test_rows=8)
    assert again.split_sha256 == data.split_sha256 != prepare("satsim").split_sha256
    many = prepare("satsim", train_rows=10**6)
    assert many.sizes["train"] == len(whole["train"])


def test_ratings_follow_the_examples_part_by_part():
    data = prepare("satsim", train_rows=40, validation_rows=10, test_rows=10)
    assert list(data.ratings) == ["train", "validation", "test"]
    for part, examples in data.parts.items():
        expected = [example.rating for example in examples]
        np.testing.assert_array_equal(data.ratings[part], expected)
        assert data.ratings[part].dtype == np.float64


def test_the_options_of_loading_are_passed_on(tmp_path):
    table(tmp_path)
    (tmp_path / "own.jsonl").open("a").write("{broken\n")
    with pytest.raises(ValueError, match="1 bad row"):
        prepare("csv", tmp_path)
    data = prepare("csv", tmp_path, on_bad="skip")
    assert sum(data.sizes.values()) == 60 and len(data.loaded.bad) == 1
    some = prepare("csv", tmp_path, on_bad="skip", limit=30)
    assert sum(some.sizes.values()) == 30


def test_wrong_values_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="unknown dataset 'satsin'; choose one of satsim"):
        prepare("satsin")
    with pytest.raises(ValueError, match="test_rows is -1; take at least 1 row, or 0 for all"):
        prepare("satsim", test_rows=-1)
    with pytest.raises(ValueError, match="unknown option of satsim 'view'"):
        prepare("satsim", view="before")
    with pytest.raises(FileNotFoundError, match="no folder"):
        prepare("satsim", tmp_path / "gone")


def test_parts_that_leak_are_refused(tmp_path):
    event = {"actor": "user", "action": "read", "text": "the same words for all " * 5}
    table(tmp_path, events=[event], ratings=[3])
    with pytest.raises(ValueError, match="copies of rows of another part.*keep one of each"):
        prepare("csv", tmp_path)


def test_parts_made_by_hand_have_the_same_views():
    loaded = corpora.load("satsim")
    one, other = loaded.examples[:2]
    data = Prepared(loaded, {"train": [one], "validation": [], "test": [other]})
    assert data.sizes == {"train": 1, "validation": 0, "test": 1} and data.suspects == []
    assert data.ratings["test"].tolist() == [other.rating]
    assert len(data.split_sha256) == 64
