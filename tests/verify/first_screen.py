"""The first screen: the headline figure, where fine-tuning pays, and the best possible RMSE."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from . import ledger, measures, page, records
from .ledger import Section, Sentence
from .protocol import ORACLE, Protocol

# How the page's sentences on fine-tuning begin.
RULE = "**Where fine-tuning pays, and where it does not.** "
PAYS = "**It pays**: "
MAY_PAY = (
    "**It may pay** (these trained models differ, but fewer than three seeds say nothing of the "
    "method): "
)
GAINS_NOTHING = "**It gains nothing measurable**: "
FLOORS = "**Best possible RMSE** "
# An end of an interval that lies so near to 0 may come out on either side of it: so much do two
# bootstraps differ, of 1,000 and of 10,000 draws.
UNSURE = 0.003

COUNTS = r"(\d+)(?: \([^)]+\))? training rows, (\d+) test rows, seed ([\d, ]*\d)"
GAIN = (
    r"(?P<dataset>[\w-]+) \((?:simulated|real data), (?P<rows>\d+) rows\): "
    r"(?P<model>[\w-]+) minus (?P<other>[\w-]+) (?P<number>{n})(?:, (?P<seeds>\d+) seeds)?(?=[;.])"
)
FLOOR = (
    r"(?P<dataset>[\w-]+), (?P<rows>\d+) test rows, (?P<floor>{n}) "
    r"\((?P<best>[\w-]+) (?P<reached>{n})\)"
)


def check_figure(text: str, known: Sequence[Protocol], section: Section) -> None:
    """The test RMSE of each model that the figure draws, as its alternative text says them, and the
    counts there and in the words below."""
    sentence = Sentence("alternative text", text, section)
    named = sentence.take(r"!\[Test RMSE in stars on ([\w-]+), ", exactly=1)
    counts = sentence.take(COUNTS, exactly=2)
    if not (named and counts):
        return
    dataset, test_rows = named[0][1], int(counts[0][2])
    own = _one(known, dataset, lambda one: one.test_rows == test_rows, section)
    if own is None:
        return
    for found in counts:
        sentence.expect("training rows", found[1], own.usual_training_rows)
        sentence.expect("test rows", found[2], own.test_rows)
        section.expect("seeds", found[3], own.seeds_shown)
    for found in sentence.take(r"([\w-]+) ({n})(?=, |\])"):
        if found[1] in own.records:
            sentence.compare(found[1], found[2], measures.value("rmse", own.test[found[1]]))
        else:
            section.fail(f"the figure draws {found[1]}, which has no record")
    sentence.take("the 95 % interval")
    sentence.take("Lesson 99")
    sentence.end()


def check_pays(text: str, known: Sequence[Protocol], folder: Path, section: Section) -> None:
    """Where fine-tuning pays: the differences, and what they are said to show; and the best
    possible RMSE. folder: data/runs."""
    compared = []
    bounded = []
    for line in page.prose(text):
        sentence = Sentence("the paragraph", line, section)
        kinds = [kind for kind in (PAYS, MAY_PAY, GAINS_NOTHING) if line.startswith(kind)]
        if kinds:
            for found in sentence.take(GAIN):
                compared.append(_check_gain(found, kinds[0], known, section))
        elif line.startswith(FLOORS):
            for found in sentence.take(FLOOR):
                bounded.append(_check_floor(found, known, folder, section))
        elif line.startswith(RULE):
            sentence.take("95 % interval")
        else:
            section.fail(f"nothing recomputes the line {line!r}")
        sentence.end()
    with_gains = [one for one in known if one.gaining]
    with_floor = [one for one in with_gains if ORACLE in one.records or _labels(one, folder)]
    section.expect("tables with a difference", _names(compared), _names(with_gains))
    section.expect("tables with a best possible RMSE", _names(bounded), _names(with_floor))


def _names(protocols: Sequence[Protocol | None]) -> list[str]:
    return sorted(one.name for one in protocols if one)


def _one(
    known: Sequence[Protocol], dataset: str, fits: Callable[[Protocol], bool], section: Section
) -> Protocol | None:
    """The one protocol of a data set that fits what the page says; a failure where there is
    none."""
    found = [one for one in known if one.dataset == dataset and fits(one)]
    if len(found) == 1:
        return found[0]
    section.fail(f"{len(found)} tables of {dataset} have the rows that are named, not 1")
    return None


def _check_gain(
    found: re.Match, kind: str, known: Sequence[Protocol], section: Section
) -> Protocol | None:
    """A difference between a fine-tuned model and its rival: its numbers, whether these are the two
    to compare, and what it is said to show. Gives the protocol."""
    model, other, rows = found["model"], found["other"], int(found["rows"])

    def fits(one: Protocol) -> bool:
        return model in one.records and one.training_rows(model) == rows

    own = _one(known, found["dataset"], fits, section)
    if own is None:
        return None
    what = f"{own.name}: {model} minus {other}"
    section.expect(f"{what}: the best fine-tuned model on validation", model, own.gaining)
    rivals = own.rivals(model)
    if other not in rivals:
        section.fail(f"{what}: the validation rows chose {' and '.join(rivals)} as rivals")
        return own
    shown = page.number(found["number"])
    section.compare(what, shown, own.difference(model, other), ledger.ENDS_WITHIN)
    drawn = own.drawn(model, other)
    seeds = max(len(own.seeds(name)) for name in (model, other))
    section.expect(f"{what}: seeds", found["seeds"], str(seeds) if drawn else None)

    # Fine-tuning pays where the model is better than each rival, and the seeds were drawn.
    highs = [own.difference(model, rival)[2] for rival in rivals]
    said_better = kind != GAINS_NOTHING
    if abs(max(highs)) > UNSURE:
        section.expect(f"{what}: better than all rivals", said_better, max(highs) < 0)
    if said_better:
        section.expect(f"{what}: the first rival", other, rivals[0])
        pays = all(own.drawn(model, rival) for rival in rivals)
        section.expect(f"{what}: how sure it is", kind, PAYS if pays else MAY_PAY)
    section.expect(f"{what}: below zero", shown.clear and shown.value < 0, said_better)
    return own


def _check_floor(
    found: re.Match, known: Sequence[Protocol], folder: Path, section: Section
) -> Protocol | None:
    """The best possible RMSE of some test rows beside that of the best model on validation rows.
    Gives the protocol."""
    rows = int(found["rows"])
    own = _one(known, found["dataset"], lambda one: one.test_rows == rows, section)
    if own is None:
        return None
    best = own.best(own.competitors())
    section.expect(f"{own.name}: the best model on validation", found["best"], best)
    reached = measures.value("rmse", own.test[best])
    section.compare(f"{own.name}: RMSE of {best}", page.number(found["reached"]), reached)
    if ORACLE in own.records:
        floor = measures.value("rmse", own.test[ORACLE])
    else:
        floor = _labels(own, folder)
        section.exclude(
            f"{own.name}: the annotators' floor, {found['floor']}",
            "it comes from single ratings, which are not in the repository; "
            "the record of lesson 04 says the same",
        )
    section.compare(f"{own.name}: best possible RMSE", page.number(found["floor"]), floor)
    return own


def _labels(own: Protocol, folder: Path) -> float:
    """The floor that the annotators' disagreement sets, by the record of lesson 04: on the test
    part, where it is the same, else on the whole corpus. 0 where there is no record."""
    path = folder / "labels" / f"{own.dataset}-full-labels-seed0.json"
    if not path.exists():
        return 0.0
    of_parts = records.read(path)["parameters"]
    of_corpus = next(iter(of_parts.values()))
    of_test = of_parts.get("test part", of_corpus)
    judged = of_test if of_test["examples"] == own.test_rows else of_corpus
    return judged["reachable_rmse"]
