"""The command under a table makes that table's records: what it implies is what they hold."""

import copy

import pytest

from satlib.evaluation import comparable_records
from satlib.kit import remake
from satlib.kit.remake import Job
from satlib.records import RunRecord

TO_BE_MADE = pytest.mark.xfail(
    strict=True, reason="the records of this corpus are to be made again by their commands"
)
OLD = ("movielens", "full")
PROTOCOLS = []
for protocol in remake.COMMANDS:
    marks = (TO_BE_MADE,) if protocol == OLD else ()
    PROTOCOLS.append(pytest.param(*protocol, marks=marks))


@pytest.mark.parametrize(("dataset", "profile"), PROTOCOLS)
def test_the_committed_records_are_what_the_commands_make(dataset, profile):
    committed = comparable_records.load_committed(dataset, profile)
    assert committed and remake.differences(dataset, profile, committed) == []


def test_every_table_has_its_commands():
    folder = comparable_records.load_committed
    for dataset, profile in remake.COMMANDS:
        assert folder(dataset, profile), "a command without records"


def test_a_printed_command_is_read_as_a_reader_would_run_it():
    make = 'make report PROFILE=full ONLY="32 43" RUNS=data/runs DATASET=movielens'
    values = {"dataset": "movielens", "profile": "full", "runs": "data/runs"}
    assert remake.jobs(make) == [Job(("32", "43"), values)]
    run = ".venv/bin/satlib run 43 --dataset movielens --profile full --runs data/runs -p history=0"
    assert remake.jobs(run) == [Job(("43",), values | {"history": "0"})]
    loop = "for seed in 1 2; do make report ONLY=43 SEED=$seed RUNS=data/runs; done"
    fast = {"dataset": "satsim", "profile": "fast", "runs": "data/runs"}
    assert remake.jobs(loop) == [
        Job(("43",), fast | {"seed": "1"}),
        Job(("43",), fast | {"seed": "2"}),
    ]
    with pytest.raises(ValueError, match="cannot read the command 'python train.py'"):
        remake.jobs("python train.py")


def record(one: remake.Implied, **changed) -> RunRecord:
    """The record that a command implies."""
    parameters = {name: one.parameters[name] for name in one.kept}
    parameters["encoder"] = "all-MiniLM-L6-v2"
    parameters["train_rows"] = one.rows or 5000
    return RunRecord(one.model, "satsim", "full", one.seed, "d", "s", parameters | changed)


@pytest.fixture
def made():
    return [record(one) for one in remake.implied("satsim", "full")]


def test_what_the_commands_make_has_no_difference(made):
    assert remake.differences("satsim", "full", made) == []
    names = {(one.model, one.seed) for one in made}
    assert {("bert-after", 0), ("bert-after", 1), ("bert-after", 2)} <= names
    assert {("tfidf-ridge", 0), ("oracle", 0), ("bert-before", 0)} <= names
    assert ("tfidf-ridge", 1) not in names, "what is fitted without chance runs once"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("learning_rate", 3e-5, "learning_rate is 3e-05, the command implies 5e-05"),
        ("epochs", 9, "epochs is 9, the command implies 3"),
        ("patience", 1, "patience is 1, the command implies 2"),
        ("adversarial", 0.0, "adversarial is 0.0, the command implies 0.5"),
        ("train_rows", 3000, "train_rows is 3000, the command implies 5000"),
        ("encoder", "bert-base", "encoder is bert-base, the command implies all-MiniLM-L6-v2"),
    ],
)
def test_another_parameter_is_named_with_its_record(made, name, value, said):
    changed = copy.deepcopy(made)
    (tuned,) = [one for one in changed if (one.model, one.seed) == ("bert-after", 0)]
    tuned.parameters[name] = value
    expected = f"satsim-full-bert-after-seed0.json: {said}"
    assert remake.differences("satsim", "full", changed) == [expected]


def test_a_parameter_that_was_not_kept_is_named(made):
    (tuned,) = [one for one in made if (one.model, one.seed) == ("bert-after", 2)]
    del tuned.parameters["history"]
    assert remake.differences("satsim", "full", made) == [
        "satsim-full-bert-after-seed2.json has no history, the command implies -1"
    ]


def test_a_record_that_is_missing_or_that_nothing_makes_is_named(made):
    without = [one for one in made if one.model not in ("gru", "trees")]
    other = RunRecord("magic", "satsim", "full", 0, "d", "s", {"train_rows": 5000})
    assert remake.differences("satsim", "full", [*without, other]) == [
        "satsim-full-gru-seed0 is missing, and the command makes it",
        "satsim-full-magic-seed0.json: no command makes it",
    ]


def test_behaviour_and_other_heads_have_names_of_their_own():
    names = {(one.model, one.rows) for one in remake.implied("movielens", "full")}
    assert {("bert-after", 8000), ("bert-behaviour", 0), ("frozen-behaviour", 0)} <= names
