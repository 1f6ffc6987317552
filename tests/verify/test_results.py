"""A table of results is held to its records: a changed number, prediction, row or line is found."""

import copy
import re

import pytest

from . import results
from .ledger import Section
from .protocol import Protocol

TABLE = ("satsim", "fast")  # the smallest of the tables


@pytest.fixture(scope="module")
def own(known) -> Protocol:
    """The records of the table."""
    (own,) = [one for one in known if (one.dataset, one.profile) == TABLE]
    return own


@pytest.fixture(scope="module")
def chapter(parts, own) -> str:
    """The table, with what stands around it."""
    (chapter,) = [one for one in results.chapters(parts["results"]) if own.name in one]
    return chapter


def faults(chapter: str, own: Protocol) -> list[str]:
    section = Section("")
    results.check(chapter, own, section)
    assert section.checked > 100
    return section.wrong


def with_line(chapter: str, begin: str, change) -> str:
    """The text with one of its lines changed."""
    (line,) = re.findall(rf"^{re.escape(begin)}.*\n", chapter, re.M)
    changed = change(line)
    assert changed != line
    return chapter.replace(line, changed)


def raised(line: str, number: int, by: float) -> str:
    """The line with one of its three-decimal numbers raised."""
    found = list(re.finditer(r"\d\.\d{3}", line))[number]
    return f"{line[: found.start()]}{float(found[0]) + by:.3f}{line[found.end() :]}"


def test_the_table_is_what_its_records_say(chapter, own):
    assert faults(chapter, own) == []


@pytest.mark.parametrize(("number", "by"), [(0, 0.003), (1, 0.02), (2, 0.02), (3, 0.003)])
def test_a_changed_number_is_found(chapter, own, number, by):
    """Of a row "| model | value [low, high] | value ...": a value by .003, an end by .02."""
    changed = with_line(chapter, "| tfidf-ridge", lambda line: raised(line, number, by))
    (fault,) = faults(changed, own)
    metric = "mae" if number == 3 else "rmse"
    assert fault.startswith(f"tfidf-ridge, {metric} is ") and "is off by" in fault


def test_a_changed_prediction_is_found(chapter, own):
    changed = copy.deepcopy(own.records)
    predicted = changed["tfidf-ridge"][0]["predictions"]["test"]["predicted"]
    predicted[:40] = [5.0] * 40
    found = faults(chapter, Protocol(*TABLE, changed))
    assert found and all("tfidf-ridge" in fault for fault in found)


def test_a_model_without_a_row_and_a_row_without_a_record_are_found(chapter, own):
    changes = (
        lambda line: "",
        lambda line: line + line,
        lambda line: line + line.replace("tfidf-ridge", "magic"),
    )
    for change in changes:
        (fault,) = faults(with_line(chapter, "| tfidf-ridge", change), own)
        assert fault.startswith("models with a row")


def test_another_model_in_bold_and_another_order_are_found(chapter, own):
    bold = with_line(chapter, "| mean ", lambda line: line.replace("| mean |", "| **mean** |"))
    assert any("the model in bold" in fault for fault in faults(bold, own))
    (worst,) = re.findall(r"^\| majority .*\n", chapter, re.M)
    first = chapter.replace(worst, "").replace("|---|\n", f"|---|\n{worst}", 1)
    assert any("which has a lower RMSE" in fault for fault in faults(first, own))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1000 test rows", "1100 test rows"),
        ("800 training rows", "900 training rows"),
        ("; zero lies outside", "; zero lies inside"),
        ("tell the two ways of training apart", "tell these two trained models apart"),
        ("over 3 seeds", "over 5 seeds"),
        ("fitted without chance, run once", "with 1 seed"),
        (" minus bert-before", " minus gru"),
        ("| mae |", "| speed |"),
    ],
)
def test_a_changed_word_is_found(chapter, own, old, new):
    assert old in chapter
    assert faults(chapter.replace(old, new, 1), own)


def test_a_new_line_and_a_second_table_are_found(chapter, own):
    (fault,) = faults(chapter + "\nIt is 0.1 better than ever.\n", own)
    assert "nothing recomputes the line 'It is 0.1" in fault
    section = Section("")
    results.check(chapter + "\n| a |\n|---|\n| 1 |\n", own, section)
    assert section.wrong == ["2 tables stand below one heading; give each its own"]


def test_a_difference_to_another_than_the_best_baseline_is_found(chapter, own):
    line = re.search(r"^- rmse of bert-after minus (?!bert-before).*\n", chapter, re.M)[0]
    other = re.sub(r"minus [\w-]+", "minus mean", line)
    found = faults(chapter.replace(line, other), own)
    assert any("which differences are drawn" in fault for fault in found)
