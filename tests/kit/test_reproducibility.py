"""The page on reproducibility is what the records and the grids say."""

import re

import pytest

from satlib.baselines import fitting
from satlib.kit import remake, reproducibility
from satlib.records import RunRecord


def test_the_page_is_up_to_date(root):
    text = (root / reproducibility.PAGE).read_text(encoding="utf-8")
    assert text == reproducibility.page(), "run `make notebooks`, which writes the page anew"


def record(model, seed=0, seconds=None, **parameters):
    machine = {"cores": 4, "processor": "Some", "threads": 2, "accelerator": "T4"}
    return RunRecord(
        model, "d", "full", seed, "x", "y", parameters, machine=machine, seconds=seconds
    )


def chosen(model, name, *records) -> str:
    own = {("d", "full"): list(records)}
    (row,) = [
        row for row in reproducibility.settings(own) if (row.model, row.name) == (model, name)
    ]
    return row.chosen["d", "full"]


def test_a_choice_at_the_edge_is_marked_by_the_record_or_else_by_the_grid():
    grid = reproducibility.tried("tfidf-ridge", "alpha")
    assert grid == sorted(fitting.ALPHAS) or len(grid) > 3
    assert chosen("tfidf-ridge", "alpha", record("tfidf-ridge", alpha=grid[-1])).endswith("(edge)")
    assert "edge" not in chosen("tfidf-ridge", "alpha", record("tfidf-ridge", alpha=grid[1]))
    inside = record("tfidf-ridge", alpha=grid[-1], edge=[])
    assert "edge" not in chosen("tfidf-ridge", "alpha", inside), "the record knows its own grid"
    at_edge = record("tfidf-ridge", alpha=grid[1], edge=["alpha"])
    assert chosen("tfidf-ridge", "alpha", at_edge).endswith("(edge)")


def test_the_choices_of_several_seeds_stand_side_by_side_each_once():
    seeds = [record("bert-after", seed, best_epoch=best) for seed, best in enumerate((2, 1, 2))]
    assert chosen("bert-after", "best_epoch", *seeds) == "2, 1"
    other = {("d", "full"): seeds, ("e", "full"): []}
    (row,) = reproducibility.settings(other)
    assert row.chosen["e", "full"] == "-" and row.grid == "-"


def test_what_a_model_is_and_saw_is_no_setting():
    made = record("bert-after", encoder="x", parameters=22, train_rows=8, features=0, split="group")
    assert reproducibility.settings({("d", "full"): [made]}) == []


def test_costs_are_seconds_of_each_seed_or_not_measured():
    seeds = [record("gru", 0, 12.34), record("gru", 1, 8.0), record("gru", 2)]
    (row,) = reproducibility.costs({("d", "full"): seeds})
    assert row["seconds"] == "12.3, 8.0, not measured" and row["seeds"] == 3
    assert row["machine"] == "4 cores of Some, threads: 2, T4"


def test_every_setting_protocol_and_command_is_on_the_page():
    text = reproducibility.page()
    for protocol, commands in remake.COMMANDS.items():
        assert ", ".join(protocol) in text
        assert all(f"\n{command}\n" in text for command in commands)
    for line in re.findall(r"^\|.*\|$", text, re.M):
        assert line.count("|") in (6, 4 + len(reproducibility.protocols())), line


def test_the_citation_is_that_of_the_file():
    assert reproducibility.citation()["title"] in reproducibility.page()


@pytest.mark.parametrize("folder", ["losses", "hyperparameters", "reproduction"])
def test_the_studies_are_counted(folder, root):
    (row,) = [row for row in reproducibility.studies() if row["folder"] == folder]
    files = list((root / "data" / "runs" / folder).glob("*-seed*.json*"))
    assert row["records"] == len(files) > 30
