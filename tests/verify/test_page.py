"""A page is read as it is printed, and every number of a sentence is looked at."""

import pytest

from . import page
from .ledger import Section, Sentence


def test_numbers_are_read_as_they_are_printed():
    shown = page.number("**1.053 [0.99, 1.1]**")
    assert (shown.value, shown.low, shown.high, shown.half_unit) == (1.053, 0.99, 1.1, 0.0005)
    assert page.number("62.2%").value == pytest.approx(0.622)
    assert page.number("-3.8", unit=0.01).value == pytest.approx(-0.038)
    assert page.number("1,304").value == 1304
    assert page.number("-") is None
    with pytest.raises(ValueError, match="'about 3' is no number"):
        page.number("about 3")


@pytest.mark.parametrize(
    ("printed", "clear"),
    [
        ("-0.1 [-0.2, -0.000]", True),  # rounded, so an end below zero
        ("-0.1 [-0.2, +0.000]", False),
        ("+0.1 [+0.000, +0.2]", True),
        ("-0.1 [-0.2, 0.1]", False),
    ],
)
def test_the_sign_of_a_rounded_end_says_on_which_side_of_zero_it_lies(printed, clear):
    assert page.number(printed).clear == clear


PAGE = """\
Words.

<!-- one -->
| a | b |
|---|---|
| 1 | 2 |

- a line

```sh
| no | table |
```
<!-- /one -->

| c |
|---|
"""


def test_a_page_is_taken_apart():
    (text,) = page.parts(PAGE).values()
    assert page.tables(text)[0] == page.Table(["a", "b"], [["1", "2"]])
    assert page.prose(text) == ["- a line"]
    assert page.outside(PAGE).split() == ["Words.", "|", "c", "|", "|---|"]
    assert [table.head for table in page.tables(PAGE)] == [["a", "b"], ["c"]]


def test_what_is_not_whole_is_refused():
    with pytest.raises(ValueError, match="the part 'one' of the page has no end"):
        page.parts(PAGE.replace("<!-- /one -->", ""))
    with pytest.raises(ValueError, match=r"the head \['c'\] has no line of dashes below it"):
        page.tables("| c |\n")


def test_rounding_is_no_fault_and_more_than_rounding_is():
    section = Section("")
    section.compare("a", page.number("0.12"), 0.1249)
    section.compare("b", page.number("62.2% [56.9%, 67.2%]"), (0.6221, 0.575, 0.672))
    section.compare("undefined in both", page.number("-"), float("nan"))
    assert section.wrong == [] and section.checked == 5
    assert section.furthest_value == pytest.approx(0.0049)
    assert section.furthest_end == pytest.approx(0.006)
    section.compare("c", page.number("0.120"), 0.1216)
    section.compare("d", page.number("62.2% [56.9%, 67.2%]"), (0.6221, 0.58, 0.672))
    section.compare("e", page.number("-"), 0.5)
    section.compare("f", page.number("0.5"), float("nan"))
    section.compare("g", page.number("0.5 [0.4, 0.6]"), (0.5, 0.4, float("nan")))
    assert [fault[0] for fault in section.wrong] == ["c", "d", "e", "f", "g"]


def test_a_number_that_nobody_looked_at_is_a_fault():
    section = Section("")
    sentence = Sentence("x", "T5 has kappa 0.07 on 19 rows", section)
    (found,) = sentence.take("kappa ({n})")
    sentence.compare("kappa", found[1], 0.0712)
    assert section.wrong == []
    sentence.end()
    (fault,) = section.wrong
    assert "nothing recomputes 19" in fault


def test_a_sentence_that_says_something_else_is_a_fault():
    section = Section("")
    assert Sentence("x", "kappa 0.07", section).take("rho ({n})") == []
    (fault,) = section.wrong
    assert "teach make verify" in fault
