"""Records are read as files, and the parts that models play in a comparison are told from them."""

import json
import lzma

import numpy as np
import pytest

from . import records
from .protocol import Protocol

RATING = [1.0, 2.0, 4.0, 5.0]


def record(model: str, seed: int = 0, off: float = 0.5, rows: int | None = 90, **parameters):
    """A record whose predictions are off by so many stars on both parts."""
    columns = {"id": list("abcd"), "group": list("uuvv"), "rating": RATING}
    columns["predicted"] = [rating + off for rating in RATING]
    return {
        "model": model,
        "dataset": "toy",
        "profile": "fast",
        "seed": seed,
        "parameters": {"train_rows": rows, **parameters},
        "predictions": {"validation": columns, "test": columns},
    }


def protocol(*made) -> Protocol:
    own: dict[str, list[dict]] = {}
    for one in made:
        own.setdefault(one["model"], []).append(one)
    return Protocol("toy", "fast", own)


def test_plain_and_packed_records_are_read_and_ordered_by_seed(tmp_path):
    for seed in (10, 2):
        text = json.dumps(record("gru", seed)).encode()
        (tmp_path / f"toy-fast-gru-seed{seed}.json.xz").write_bytes(lzma.compress(text))
    (tmp_path / "toy-fast-mean-seed0.json").write_text(json.dumps(record("mean")))
    (tmp_path / "split-toy-fast.json").write_text("{}")
    own = records.protocols(tmp_path)["toy", "fast"]
    assert sorted(own) == ["gru", "mean"] and records.seeds(own["gru"]) == [2, 10]
    model = records.predictions(own["gru"])
    assert model.predicted.shape == (2, 4) and model.group.tolist() == [0, 0, 1, 1]


def test_a_seed_that_is_there_twice_is_refused(tmp_path):
    text = json.dumps(record("mean"))
    (tmp_path / "toy-fast-mean-seed0.json").write_text(text)
    (tmp_path / "toy-fast-mean-seed0.json.xz").write_bytes(lzma.compress(text.encode()))
    with pytest.raises(ValueError, match="two records of one seed of mean on toy"):
        records.protocols(tmp_path)


def test_what_was_judged_on_other_rows_is_refused():
    other = record("gru", 1)
    other["predictions"]["test"]["id"] = list("abce")
    with pytest.raises(ValueError, match="the seeds of gru were judged on different test rows"):
        records.predictions([record("gru"), other])
    other["model"] = "mean"
    with pytest.raises(ValueError, match="mean and gru were judged on different test rows"):
        _ = protocol(record("gru"), other).test
    with pytest.raises(ValueError, match="the seeds of gru learned from"):
        records.training_rows([record("gru"), record("gru", 1, rows=80)])


def test_rivals_are_the_best_on_as_many_rows_and_the_frozen_twin():
    own = protocol(
        record("oracle", off=0.1, rows=None),
        record("more-rows", off=0.2, rows=900),
        record("blend", off=0.2, members=["bert-after", "good"]),
        record("good", off=0.4),
        record("bert-before", off=0.6),
        record("bert-after", off=0.5, epochs=2),
    )
    assert own.gaining == "bert-after"
    assert own.rivals("bert-after") == ["good", "bert-before"]
    assert own.best(own.competitors()) == "more-rows"
    assert protocol(record("bert-after", rows=9), record("good")).gaining == ""
    assert protocol(record("good")).gaining == ""


def test_rivals_are_chosen_on_validation_rows():
    own = protocol(
        record("one", off=0.4),
        record("other", off=0.6),
        record("bert-after", off=0.5, epochs=2),
    )
    columns = own.records["one"][0]["predictions"]["test"]
    lucky = columns | {"predicted": RATING}
    own.records["other"][0]["predictions"]["test"] = lucky
    assert own.rivals("bert-after") == ["one"]


def test_seeds_are_drawn_where_chance_has_a_part_and_three_were_run():
    few = [record("bert-after", seed, epochs=2) for seed in (0, 1)]
    gru = [record("gru", seed, epochs=3) for seed in (0, 1, 2)]
    own = protocol(*few, *gru, record("good"))
    assert own.by_chance("gru") and not own.by_chance("good")
    assert own.drawn("gru") and own.drawn("gru", "good")
    assert not own.drawn("gru", "bert-after") and not own.drawn("good")


def test_an_average_is_of_members_each_first_over_its_seeds():
    def member(model, *first_star):
        own = []
        for seed, share in enumerate(first_star):
            one = record(model, seed)
            one["predictions"]["test"]["distribution"] = [[share, 0, 0, 0, 1 - share]] * 4
            own.append(one)
        return records.predictions(own)

    average = records.average([member("a", 1.0, 0.0), member("b", 0.9)])
    assert average.expected == pytest.approx(np.full((1, 4), 0.7 * 1 + 0.3 * 5))
    assert average.predicted.tolist() == [[1.0] * 4] and average.model == "a and b"
