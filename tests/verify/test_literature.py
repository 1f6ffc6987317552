"""A sentence on the literature is held to the records of the reproduction."""

import re

import pytest

from . import literature, page
from .ledger import Section, Sentence
from .literature import CHECKS, Study


@pytest.fixture(scope="module")
def kept(runs) -> Study:
    return Study(runs / "reproduction")


@pytest.fixture(scope="module")
def sentences(parts) -> dict[str, str]:
    """Words of the first column -> what the records are said to say."""
    (table,) = page.tables(parts["literature"])
    found = {}
    for subject, said, _ in table.rows:
        (words,) = [words for words in CHECKS if words in subject]
        found[words] = said
    return found


def faults(words: str, text: str, kept: Study) -> list[str]:
    section = Section("")
    row = Sentence(words, text, section)
    CHECKS[words](row, kept)
    row.end()
    return section.wrong


QUICK = ("F1 of dissatisfied", "T5", "AB-ReDial", "Amazon")  # to recompute


@pytest.mark.parametrize("words", QUICK)
def test_a_sentence_is_what_the_records_say(sentences, kept, words):
    assert faults(words, sentences[words], kept) == []


@pytest.mark.parametrize(
    ("words", "pattern", "other"),
    [
        ("F1 of dissatisfied", r"where the F1 is (\d\.\d{3})", "0.955"),
        ("T5", r"(0\.\d{3}) on uss-ccpe", "0.955"),
        ("AB-ReDial", r"it is \d\.\d\d \[(\d\.\d\d)", "0.11"),
        ("AB-ReDial", r"(not told apart from the mean)", "better than the mean"),
        ("Amazon", r"\((\d+) test rows", "955"),
        ("Amazon", r"with the review \(([\w-]+)\)", "mean"),
    ],
)
def test_what_was_changed_is_found(sentences, kept, words, pattern, other):
    text = sentences[words]
    found = re.search(pattern, text)
    changed = text[: found.start(1)] + other + text[found.end(1) :]
    assert faults(words, changed, kept)


def test_a_new_number_and_a_lost_clause_are_found(sentences, kept):
    text = sentences["T5"]
    (fault,) = faults("T5", text + ", on 19 of 20 corpora", kept)[:1]
    assert "nothing recomputes 19" in fault
    lost = text[: text.index("after the cut")]
    assert any("teach make verify" in fault for fault in faults("T5", lost, kept))


def test_a_new_number_in_the_table_is_found(parts, kept):
    (row,) = re.findall(r"^\| .*F1 of dissatisfied.*$", parts["literature"], re.M)
    cells = row.split(" | ")
    cells[1] += ", on 19 of 20 corpora"
    text = parts["literature"].splitlines()[:2] + [" | ".join(cells)]
    section = literature.check("\n".join(text), kept.folder)
    assert "nothing recomputes 19" in section.wrong[0]
    below = literature.check("\n".join(text[:2] + ["", "In all 19."]), kept.folder)
    assert "nothing recomputes 19" in below.wrong[0]


def test_a_row_that_nobody_knows_and_a_row_that_is_gone_are_found(parts, kept):
    head = parts["literature"].splitlines()[:2]
    text = "\n".join([*head, "| XYZ (2031): all is well | kappa 0.9 | `satlib run 61` |"])
    section = literature.check(text, kept.folder)
    unknown, gone = section.wrong
    assert "nothing recomputes the row 'XYZ (2031)" in unknown
    assert gone.startswith("rows of the table: the page says []")
