"""What the readers share: raw ratings, moments and days, and what is refused in one sentence."""

from functools import partial

import pytest

from satlib.data.readers import common

FIVE = partial(common.rating, low=1.0, high=5.0)
HALF = partial(common.rating, low=0.5, high=5.0, step=0.5)


@pytest.mark.parametrize("raw, value", [("3", 3.0), (5, 5.0), ("3.7", 3.7), (1.0, 1.0)])
def test_rating_accepts_numbers_on_the_scale(raw, value):
    assert FIVE(raw) == value


@pytest.mark.parametrize(
    "raw", ["7", 7, "five", "", "  ", None, float("nan"), 0.5, -1, True, [3], "inf"]
)
def test_rating_refuses_the_rest_in_one_sentence(raw):
    with pytest.raises(ValueError, match="write a number from 1 to 5$"):
        FIVE(raw)


def test_rating_keeps_to_half_steps():
    assert HALF("0.5") == 0.5 and HALF(4) == 4.0
    with pytest.raises(
        ValueError,
        match=r"rating '3.7' is not allowed; write a number from 0.5 to 5 in steps of 0.5",
    ):
        HALF("3.7")


@pytest.mark.parametrize(
    "raw, seconds",
    [
        ("1000", 1000.0),
        (1627679830425, 1627679830.425),
        ("", None),
        (None, None),
        ("2024-05-31", 1717113600.0),
        ("2024-05-31T02:00:00+02:00", 1717113600.0),
        ("-3600", -3600.0),
    ],
)
def test_seconds(raw, seconds):
    assert common.seconds(raw) == seconds


@pytest.mark.parametrize("raw", ["yesterday", "inf", "nan", "1e30", "-1e11", "2024-13-01"])
def test_seconds_refuses_other_words(raw):
    with pytest.raises(ValueError, match=f"time '{raw}' is neither Unix seconds nor an ISO date"):
        common.seconds(raw)


def test_day():
    assert common.day(1717113600.0) == "2024-05-31" and common.day(None) is None
