"""The commands that make the records of a README table anew, and whether they would: the parameters
that a command implies against those that the committed records hold.

The README prints the commands under their table, and here the printed text itself is read, so that
what is compared is what a reader would run. No lesson imports this module.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from satlib.baselines import fitting
from satlib.evaluation import comparable_records
from satlib.kit import course
from satlib.records import RunRecord

BASELINES = "baselines_fitting"  # the lessons that leave the records, by their names
FINETUNE = "training_finetune"
ALL_LESSONS = "make notebooks"  # runs every lesson with its own parameters
OTHER_SEEDS = "for seed in 1 2; do make report {options}ONLY=43 SEED=$seed RUNS=data/runs; done"

# Data set and profile -> the commands, in order.
COMMANDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("satsim", "fast"): (ALL_LESSONS, OTHER_SEEDS.format(options="")),
    ("satsim", "full"): (
        'make report PROFILE=full ONLY="32 43 99" RUNS=data/runs',
        OTHER_SEEDS.format(options="PROFILE=full "),
    ),
    ("movielens", "full"): (
        'make report PROFILE=full ONLY="32 43 99" RUNS=data/runs DATASET=movielens',
        OTHER_SEEDS.format(options="PROFILE=full DATASET=movielens "),
        "for seed in 0 1 2; do .venv/bin/satlib run 43 --dataset movielens --profile full "
        "--seed $seed --runs data/runs -p with_behaviour=True -p history=0 -p learn_rows=0; done",
    ),
    ("uss-redial", "full"): (
        'make report PROFILE=full ONLY="32 43 99" RUNS=data/runs DATASET=uss-redial',
        OTHER_SEEDS.format(options="PROFILE=full DATASET=uss-redial "),
    ),
}

# What lesson 43 writes into a record under the name of its own parameter.
KEPT = ("head", "max_length", "history")
KEPT_OF_TRAINING = (*KEPT, "epochs", "learning_rate", "batch_size", "patience", "adversarial")
# A parameter that a record keeps by another value: what stands in the lesson -> in the record.
WRITTEN = {"encoder": {"embedded": "all-MiniLM-L6-v2"}}
DECIDED_BY_MACHINE = ("precision",)


@dataclass(frozen=True)
class Job:
    """One run of lessons. values: what they get, by the names of their parameters, as text."""

    lessons: tuple[str, ...]
    values: dict[str, str]


@dataclass(frozen=True)
class Implied:
    """What a job would write for one model and seed. parameters: those of the lesson. kept: the
    names of those that a record must hold. rows: that teach the model; 0: all. required: whether
    the record must be there."""

    model: str
    seed: int
    parameters: dict[str, object]
    kept: tuple[str, ...]
    rows: int
    required: bool = True


# Reading a command


def jobs(command: str) -> list[Job]:
    """The runs of lessons that a printed command starts; ValueError for one that cannot be read."""
    loop = re.fullmatch(r"for seed in ([\d ]+); do (.*); done", command)
    if loop:
        seeds, body = loop.groups()
        found = []
        for seed in seeds.split():
            found += jobs(body.replace("$seed", seed))
        return found
    values = {"dataset": "satsim", "profile": "fast"}
    if command == ALL_LESSONS:
        return [Job(("32", "43"), values)]
    words = shlex.split(command)
    if words[:2] == ["make", "report"]:
        given = dict(word.split("=", 1) for word in words[2:])
        lessons = given.pop("ONLY").split()
        return [Job(tuple(lessons), values | {name.lower(): v for name, v in given.items()})]
    if words[:2] == [".venv/bin/satlib", "run"]:
        lessons, options = _options(words[2:])
        return [Job(tuple(lessons), values | options)]
    raise ValueError(f"cannot read the command {command!r}; write it as the others of COMMANDS")


def _options(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The lessons and the values of ``satlib run``: ``43 --profile full -p history=0``."""
    lessons = []
    values = {}
    rest = iter(words)
    for word in rest:
        if word == "-p":
            name, value = next(rest).split("=", 1)
            values[name] = value
        elif word.startswith("--"):
            values[word.removeprefix("--")] = next(rest)
        else:
            lessons.append(word)
    return lessons, values


# What a command implies


def implied(dataset: str, profile: str) -> list[Implied]:
    """What the commands of a table would write, each model and seed once."""
    everything = course.lessons()
    found = {}
    for command in COMMANDS[dataset, profile]:
        for job in jobs(command):
            if (job.values["dataset"], job.values["profile"]) != (dataset, profile):
                raise ValueError(f"{command!r} is not of {dataset}, profile {profile}")
            for lesson in course.select(job.lessons, everything):
                parameters = lesson.parameters | course.arguments(lesson, job.values)
                for one in _of_lesson(lesson.name, parameters):
                    found[one.model, one.seed] = one
    return list(found.values())


def _of_lesson(name: str, parameters: dict) -> Iterator[Implied]:
    """What one run of a lesson writes; nothing for a lesson that trains none of these models."""
    seed = parameters.get("seed", 0)
    if name == BASELINES:
        rows = parameters["train_rows"]
        chosen = parameters["chosen"]
        names = fitting.NAMES if chosen == "all" else [one.strip() for one in chosen.split(",")]
        for model in names:
            # A corpus without times allows no behaviour features.
            required = "behaviour" not in fitting.BASELINES[model].sees
            yield Implied(model, seed, parameters, (), rows, required)
        if parameters["dataset"] == "satsim":
            yield Implied(comparable_records.ORACLE, seed, parameters, (), rows)
    if name == FINETUNE:
        rows = parameters["learn_rows"] or parameters["train_rows"]
        frozen, tuned = comparable_records.BEFORE, comparable_records.AFTER
        if parameters["with_behaviour"]:
            frozen, tuned = comparable_records.FROZEN, comparable_records.BOTH
        end = "" if parameters["head"] == "regression" else f"-{parameters['head']}"
        # The frozen model is the same for every seed; it is enough to keep it once.
        yield Implied(f"{frozen}{end}", seed, parameters, KEPT, rows, required=seed == 0)
        yield Implied(f"{tuned}{end}", seed, parameters, KEPT_OF_TRAINING, rows)


# Whether the committed records are those


def differences(dataset: str, profile: str, committed: Sequence[RunRecord]) -> list[str]:
    """Where the committed records are not what the commands under their table would make; one
    sentence each, which names the record and the parameter."""
    wanted = {(one.model, one.seed): one for one in implied(dataset, profile)}
    there = {(record.model, record.seed): record for record in committed}
    most = max((record.parameters.get("train_rows", 0) for record in committed), default=0)
    sentences = []
    for key, one in wanted.items():
        if key in there:
            sentences += _different(there[key], one, most)
        elif one.required:
            name = f"{dataset}-{profile}-{one.model}-seed{one.seed}"
            sentences.append(f"{name} is missing, and the command makes it")
    for key, record in there.items():
        if key not in wanted:
            sentences.append(f"{record.name}: no command makes it")
    return sentences


def _different(record: RunRecord, one: Implied, most: int) -> Iterator[str]:
    """The parameters of a record that are not those that its command implies."""
    both = [name for name in record.parameters if name in one.parameters]
    for name in dict.fromkeys([*one.kept, *both]):
        if name == "train_rows" or name in DECIDED_BY_MACHINE:
            continue
        expected = one.parameters[name]
        expected = WRITTEN.get(name, {}).get(expected, expected)
        if name not in record.parameters:
            yield f"{record.name} has no {name}, the command implies {expected}"
        elif record.parameters[name] != expected:
            has = record.parameters[name]
            yield f"{record.name}: {name} is {has}, the command implies {expected}"
    rows = record.parameters.get("train_rows")
    expected_rows = one.rows or most
    if rows != expected_rows:
        yield f"{record.name}: train_rows is {rows}, the command implies {expected_rows}"
