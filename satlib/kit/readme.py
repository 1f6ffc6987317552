"""The parts of the README that the code writes: the headline figure, where fine-tuning pays, what
the commands cost, the lessons, the results of the committed records, what they say of the
literature, and the speed; in English and, in README.zh-CN.md, in Chinese.

Here the facts are gathered, once for both languages. The tables stand in ``templates/readme_*.md``,
the words of a language in ``templates/words_*.md``. ``satlib notebooks`` writes the parts anew
between their markers, a test compares them. No lesson imports this module.
"""

import functools
from collections.abc import Callable

import jinja2

from satlib import records, report, runtime, storage
from satlib.data.registry import REGISTRY
from satlib.evaluation import advice, comparable_records
from satlib.evaluation.advice import Advice
from satlib.kit import course, pages, remake, reproducibility
from satlib.reproduction import findings
from satlib.training import speed

# A lesson's figure, and its copy in data/ for the README.
HEADLINE = "99_report-headline.png"
FIGURE = "headline.png"
WORDS = {"README.md": "words_en.md", "README.zh-CN.md": "words_zh.md"}
SHOWN = ("rmse", "mae", "qwk", "spearman", "auc")
MAIN = "rmse"  # the metric that the tables are sorted by
EXTRA = ("training rows", "seeds")  # columns, where not all models have the same
PROFILES = ("fast", "full")
DRAWN = ("satsim", "fast")  # the data set and profile of the headline figure
COSTS = "commands.json"  # in data/runs/speed: what the two commands take


def fill(text: str, page: str = "README.md") -> str:
    """The text of a README with the generated parts made anew in the words of the page; ValueError
    where a pair of markers or a word is missing."""
    for name in PARTS:
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise ValueError(f"the README lacks the markers {start} and {end}; put them back")
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{part(name, page)}\n{end}{after}"
    return text


def part(name: str, page: str = "README.md") -> str:
    """One generated part in the words of the page; ValueError where it lacks a word."""
    template = environment().get_template(f"readme_{name}.md")
    try:
        return template.render(PARTS[name](), words_file=WORDS[page]).strip()
    except jinja2.UndefinedError as error:
        raise ValueError(
            f"{page} has no words for this: {error.message}; "
            f"add them to satlib/kit/templates/{WORDS[page]}"
        ) from error


def write() -> None:
    """Rewrite the generated parts of the checkout's README, in both languages, and the page on
    reproducibility."""
    root = runtime.PACKAGE.parent
    for page in WORDS:
        path = root / page
        storage.write_text(path, fill(path.read_text(encoding="utf-8"), page))
    storage.write_text(root / reproducibility.PAGE, reproducibility.page())


# The facts, the same in every language


def lessons() -> dict:
    """Number, file, title and module of each lesson."""
    rows = []
    for lesson in course.lessons():
        rows.append(
            {
                "number": lesson.number,
                "file": lesson.path.name,
                "title": lesson.title,
                "module": course.module_of(lesson.stem),
            }
        )
    return {"lessons": rows}


@functools.cache
def comparable() -> dict[tuple[str, str], list[records.RunRecord]]:
    """Data set and profile -> the committed records, of all that have some."""
    found = {}
    for dataset in REGISTRY:
        for profile in PROFILES:
            committed = comparable_records.load_committed(dataset, profile)
            if committed:
                found[dataset, profile] = comparable_records.comparable(committed)
    return found


@functools.cache  # it takes seconds, and each language asks for it
def results() -> dict:
    """One table per data set and profile of the committed records, with the facts that a number
    needs."""
    protocols = []
    for (dataset, profile), own in comparable().items():
        protocols.append(_protocol(dataset, profile, own))
    return {"protocols": protocols}


def _protocol(dataset: str, profile: str, own: list[records.RunRecord]) -> dict:
    """The results of one data set and profile."""
    facts = report.facts(own)
    by_model = {record.model: record for record in own}
    # The fine-tuned model took longest, so the machine that is named is the one that trained it.
    machine = by_model.get(comparable_records.AFTER, own[0]).machine
    standings = report.standings(own, SHOWN, by=MAIN)
    extra = [name for name in EXTRA if name not in report.unneeded(standings)]
    return {
        "dataset": dataset,
        "profile": profile,
        "training_rows": facts["training rows"],
        "test_rows": facts["test rows"],
        "seeds": facts["seeds"],
        "cores": machine["cores"],
        "processor": machine["processor"],
        "accelerator": facts["accelerator"],
        "of_dialogues": "redial" in dataset or dataset.startswith("uss"),
        "simulated": REGISTRY[dataset].simulated,
        "extra": extra,
        "columns": SHOWN,
        "rows": [_row(one, extra) for one in standings],
        "edges": [one for one in standings if one.edge],
        "commands": remake.COMMANDS[dataset, profile],
        "differences": report.gains(own, MAIN),
    }


def _row(one: report.Standing, extra: list[str]) -> dict:
    """A row of a table: the best model in bold, the oracle in italics, a dagger for a setting at
    the edge of its grid. An extra cell is None where a model is fitted and so has no seeds."""
    name = one.model
    cells = [report.written(one.cells.get(metric)) for metric in SHOWN]
    if one.best:
        name = f"**{name}**"
        main = SHOWN.index(MAIN)
        cells[main] = f"**{cells[main]}**"
    if one.oracle:
        name = f"*{name}*"
    if one.edge:
        name = f"{name} †"
    numbers = {"training rows": one.training_rows, "seeds": None if one.fitted else one.seeds}
    return {"name": name, "cells": cells, "extra": [numbers[column] for column in extra]}


@functools.cache
def figure() -> dict:
    """What the headline figure shows: the models that are drawn, with their test RMSE."""
    own = comparable()[DRAWN]
    facts = report.facts(own)
    drawn = {
        "file": FIGURE,
        "dataset": DRAWN[0],
        "training_rows": facts["training rows"],
        "test_rows": facts["test rows"],
        "seeds": facts["seeds"],
        "errors": {model: report.value(own, model) for model in report.drawn(own)},
    }
    return {"drawn": drawn}


@functools.cache
def pays() -> dict:
    """Where fine-tuning pays and where it does not: the advice on each data set and profile, by
    what it comes to."""
    groups: dict[str, list[Advice]] = {"pays": [], "may_pay": [], "gains_nothing": []}
    floors = []
    for own in comparable().values():
        one = advice.advice(own, MAIN)
        if not one.gains:
            continue
        if one.pays:
            groups["pays"].append(one)
        elif one.may_pay:
            groups["may_pay"].append(one)
        else:
            groups["gains_nothing"].append(one)
        if one.floor_by:
            floors.append(one)
    there = {kind: found for kind, found in groups.items() if found}
    return {"groups": there, "floors": floors}


def commands() -> dict:
    """What ``make report`` and ``make test`` take, as it was measured; None for what was not."""
    return {"costs": storage.read_json(runtime.data_folder() / "runs" / "speed" / COSTS)}


@functools.cache
def literature() -> dict:
    """What reproduced, what did not, what was wrong."""
    return {"findings": findings.table()}


def speeds() -> dict:
    """The tables of ``make bench`` whose files are committed: training and scoring, by satlib and
    by others."""
    folder = runtime.data_folder() / "runs" / "speed"
    about = storage.read_json(folder / "machine.json")
    measured = {name: about[name] for name in ("corpus", "mean_tokens", "rounds", "learn")}
    for name in ("cores", "processor"):
        measured[name] = about["machine"][name]
    tables = []
    for kind in ("training", "scoring"):
        times = speed.times_as_fast(speed.rounds(folder, kind))
        rows = []
        for row in speed.bench(folder, kind):
            rows.append(row | {"times": times.get(row["system"], 1)})
        tables.append({"kind": kind, "rows": rows})
    losses = speed.rounds(folder, "training")["losses"]
    half = losses["satlib"]
    whole = losses["satlib-fp32"]
    judged = {
        "texts": about["judge"],
        "half": sum(half) / len(half),
        "whole": sum(whole) / len(whole),
        "seeds": len(whole),
        "spread": max(whole) - min(whole),
    }
    return {"measured": measured, "judged": judged, "tables": tables}


PARTS: dict[str, Callable[[], dict]] = {
    "figure": figure,
    "pays": pays,
    "commands": commands,
    "lessons": lessons,
    "results": results,
    "literature": literature,
    "speed": speeds,
}


# How numbers are written, the same in every language


def environment() -> jinja2.Environment:
    """What renders the tables: a filter for each way to write a number; ``decimals`` and
    ``thousands`` take a list too."""
    made = pages.environment(autoescape=False)
    made.filters |= {
        "decimals": decimals,
        "thousands": thousands,
        "signed": lambda value, digits: f"{value:+.{digits}f}",
        "percent": lambda value, digits: f"{value:.{digits}%}",
        "interval": lambda row, digits: _with_bounds(row, f".{digits}f"),
        "signed_interval": lambda row, digits: _with_bounds(row, f"+.{digits}f"),
        "percent_interval": lambda row, digits: _with_bounds(row, f".{digits}%"),
    }
    return made


def decimals(value: float | list[float], digits: int) -> str | list[str]:
    """A number with so many decimals; of a list each."""
    if isinstance(value, list):
        return [decimals(one, digits) for one in value]
    return f"{value:.{digits}f}"


def thousands(value: int | list[int]) -> str | list[str]:
    """A whole number with a comma at each thousand; of a list each."""
    if isinstance(value, list):
        return [thousands(one) for one in value]
    return f"{value:,}"


def _with_bounds(row: dict[str, float], form: str) -> str:
    """A value and its interval: ``0.07 [0.06, 0.08]``."""
    return f"{row['value']:{form}} [{row['low']:{form}}, {row['high']:{form}}]"
