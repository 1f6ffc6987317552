"""What the first screen says is held to the records: numbers, and what they are said to show."""

import re

import pytest

from . import first_screen
from .first_screen import GAINS_NOTHING, MAY_PAY, PAYS
from .ledger import Section


@pytest.fixture(scope="module")
def check_pays(known, runs):
    """The faults of a paragraph."""

    def check(text: str) -> list[str]:
        section = Section("")
        first_screen.check_pays(text, known, runs, section)
        return section.wrong

    return check


@pytest.fixture
def gain(parts):
    """The first of the differences, as it is printed."""
    return re.search(
        r"(satsim \(simulated, \d+ rows\): [^;]*?)[;.] ?(?=satsim|uss|\n)", parts["pays"]
    )[1]


def test_the_paragraph_is_what_the_records_say(check_pays, parts):
    assert check_pays(parts["pays"]) == []


def test_a_gain_that_is_said_to_be_none_is_found(check_pays, parts):
    kind = PAYS if PAYS in parts["pays"] else MAY_PAY
    found = check_pays(parts["pays"].replace(kind, GAINS_NOTHING))
    assert any("better than all rivals" in fault for fault in found)


def test_a_changed_gain_is_found(check_pays, parts, gain):
    number = re.search(r"[+-]\d\.\d{3}", gain)[0]
    changed = gain.replace(number, f"{float(number) - 0.02:+.3f}", 1)
    (fault,) = check_pays(parts["pays"].replace(gain, changed))
    assert "its value is off by" in fault


def test_another_rival_is_found(check_pays, parts, gain):
    changed = re.sub(r"minus [\w-]+", "minus mean", gain)
    (fault,) = check_pays(parts["pays"].replace(gain, changed))
    assert "the validation rows chose" in fault


def test_a_table_that_is_left_out_is_found(check_pays, parts, gain):
    found = check_pays(parts["pays"].replace(gain + "; ", ""))
    assert any("tables with a difference" in fault for fault in found)


@pytest.mark.parametrize("place", [1, 3])  # the best possible, and what the best model reaches
def test_a_changed_best_possible_rmse_is_found(check_pays, parts, place):
    printed = re.search(
        r"(satsim, 1000 test rows, )(\d\.\d{3})( \([\w-]+ )(\d\.\d{3})", parts["pays"]
    )
    groups = list(printed.groups())
    groups[place] = f"{float(groups[place]) - 0.01:.3f}"
    (fault,) = check_pays(parts["pays"].replace(printed[0], "".join(groups)))
    assert "its value is off by" in fault


def test_a_sentence_that_nobody_knows_is_found(check_pays, parts):
    (fault,) = check_pays(parts["pays"] + "\n**It always pays**: everywhere.")
    assert "nothing recomputes the line '**It always pays**" in fault


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"mean (\d\.\d{3})", "mean is"),
        (r"(800) training rows", "training rows"),
        (r"\d, (2); lower", "seeds"),
        (r"the (95) % interval", "nothing recomputes"),
    ],
)
def test_a_changed_number_at_the_figure_is_found(known, parts, pattern, said):
    section = Section("")
    first_screen.check_figure(parts["figure"], known, section)
    assert section.wrong == []
    found = re.search(pattern, parts["figure"])
    text = parts["figure"][: found.start(1)] + "7" + parts["figure"][found.end(1) :]
    first_screen.check_figure(text, known, section)
    assert section.wrong and any(said in fault for fault in section.wrong)
