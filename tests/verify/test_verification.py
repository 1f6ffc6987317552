"""The verification can fail: a changed number, a changed prediction, a table that nobody knows."""

import ast
import copy
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, roc_auc_score
from sklearn.metrics import root_mean_squared_error as rmse

from . import ledger, measures, page, records, results, verification
from .ledger import Section
from .protocol import Protocol
from .records import Predictions

TABLE = ("satsim", "fast")  # the smallest of the tables
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def english(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chapter(english):
    """The text of one table of results, with what stands below it."""
    found = results.chapters(page.parts(english)["results"])
    (own,) = [one for one in found if one.startswith(f"**{TABLE[0]}, profile {TABLE[1]}**")]
    return own


@pytest.fixture(scope="module")
def committed(root):
    return records.protocols(root / "data" / "runs")[TABLE]


def faults(chapter: str, committed: dict) -> list[str]:
    section = Section("")
    results.check(chapter, Protocol(*TABLE, committed), section)
    assert section.checked > 50
    return section.wrong


def test_the_committed_table_is_what_its_records_say(chapter, committed):
    assert faults(chapter, committed) == []


def test_a_changed_number_is_found(chapter, committed):
    (row,) = re.findall(r"^\| tfidf-ridge .*$", chapter, re.M)
    printed = re.search(r"\d\.\d{3}", row)[0]
    other = f"{float(printed) + 0.004:.3f}"
    (fault,) = faults(chapter.replace(row, row.replace(printed, other, 1)), committed)
    assert "tfidf-ridge" in fault and other in fault


def test_a_changed_prediction_is_found(chapter, committed):
    changed = copy.deepcopy(committed)
    predicted = changed["tfidf-ridge"][0]["predictions"]["test"]["predicted"]
    predicted[:20] = [4.9 - 3.8 * (rating > 3) for rating in predicted[:20]]
    assert any("tfidf-ridge" in fault for fault in faults(chapter, changed))


def test_a_model_that_left_the_table_is_found(chapter, committed):
    (row,) = re.findall(r"^\| tfidf-ridge .*\n", chapter, re.M)
    assert faults(chapter.replace(row, ""), committed)


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("\n| kind | cost |\n|---|---|\n| a | 3 |\n", "nothing recomputes the table with the head"),
        ("\n<!-- news -->\nAll is well.\n<!-- /news -->\n", "the generated part 'news'"),
        ("\nOur model reaches 0.912 on it.\n", "a result stands outside the generated parts"),
    ],
)
def test_what_nobody_recomputes_is_found(english, added, said):
    assert verification.check_coverage(english).wrong == []
    (fault,) = verification.check_coverage(english + added).wrong
    assert said in fault


def test_a_translation_with_another_number_is_found(root, english):
    chinese = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    assert verification.check_translation(english, chinese).wrong == []
    results_part = page.parts(chinese)["results"]
    printed = re.search(r"\d\.\d{3}", results_part)[0]
    changed = results_part.replace(printed, "9.999", 1)
    (fault,) = verification.check_translation(english, chinese.replace(results_part, changed)).wrong
    assert printed in fault and "9.999" in fault


def test_nothing_of_satlib_is_imported():
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not [name for name in names if name.split(".")[0] == "satlib"], path.name


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    rating = rng.integers(1, 6, 60).astype(float)
    predicted = np.clip(rating + rng.normal(0, 1, (1, 60)), 1, 5)
    group = np.repeat(np.arange(12), 5)
    return Predictions("m", [str(n) for n in range(60)], rating, group, predicted, predicted)


def test_draws_of_groups_are_those_of_a_loop(model):
    """One draw by hand: the rows of the drawn groups, each as often as it was drawn."""
    counts = measures.samples(12)
    quick = {
        "rmse": lambda rating, predicted: rmse(rating, predicted),
        "mae": lambda rating, predicted: mean_absolute_error(rating, predicted),
        "auc": lambda rating, predicted: roc_auc_score(rating >= 4, predicted),
        "qwk": lambda rating, predicted: cohen_kappa_score(
            rating, np.floor(predicted + 0.5), weights="quadratic", labels=[1, 2, 3, 4, 5]
        ),
    }
    for metric, by_hand in quick.items():
        drawn = measures.draws(metric, model).ravel()
        for number in (0, 1, 7):
            rows = np.repeat(np.arange(60), counts[:, number][model.group].astype(int))
            expected = by_hand(model.rating[rows], model.predicted[0][rows])
            assert drawn[number] == pytest.approx(expected, abs=1e-6), metric


def test_numbers_are_read_as_they_are_printed():
    shown = page.number("**1.053 [0.99, 1.1]**")
    assert (shown.value, shown.low, shown.high, shown.half_unit) == (1.053, 0.99, 1.1, 0.0005)
    assert page.number("62.2%").value == pytest.approx(0.622)
    assert page.number("1,304").value == 1304
    assert page.number("-") is None
    with pytest.raises(ValueError, match="'about 3' is no number"):
        page.number("about 3")


def test_rounding_is_no_fault_and_more_than_rounding_is():
    section = Section("")
    section.compare("a", page.number("0.12"), 0.1249)
    section.compare("b", page.number("62.2% [56.9%, 67.2%]"), (0.6221, 0.575, 0.672))
    assert section.wrong == [] and section.checked == 4
    section.compare("c", page.number("0.120"), 0.1216)
    section.compare("d", page.number("62.2% [56.9%, 67.2%]"), (0.6221, 0.58, 0.672))
    section.compare("e", page.number("-"), 0.5)
    assert [fault[0] for fault in section.wrong] == ["c", "d", "e"]


def test_a_sentence_with_a_number_that_nobody_looked_at_is_a_fault():
    section = Section("")
    sentence = ledger.Sentence("x", "kappa 0.07 on 19 rows", section)
    (found,) = sentence.take("kappa ({n})")
    sentence.compare("kappa", found[1], 0.0712)
    sentence.end()
    (fault,) = section.wrong
    assert "nothing recomputes 19" in fault
