"""Examples pass the door or are refused in one sentence that names field, value and rule."""

import pytest

from satlib.data import interactions

EVENT = {"actor": "user", "action": "click", "text": "a blue lamp"}
ROW = {"id": "e1", "group": "u1", "domain": "shop", "events": [EVENT], "ratings": [4]}


def event(**changed) -> dict:
    return {**ROW, "events": [{**EVENT, **changed}]}


def refusal(row) -> str:
    """The sentence with which the door refuses a row; it has one line."""
    with pytest.raises(ValueError) as caught:
        interactions.to_example(row)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"ratings": [7]}, ["ratings.0", "7", "0.5 to 5"]),
        ({"ratings": [0]}, ["ratings.0", "0.5 to 5"]),
        ({"ratings": [4, "five"]}, ["ratings.1", "'five'", "0.5 to 5"]),
        ({"ratings": [float("nan")]}, ["ratings.0", "nan", "0.5 to 5"]),
        ({"ratings": [True]}, ["ratings.0", "True", "not a rating"]),
        ({"ratings": []}, ["ratings", "at least 1"]),
        ({"ratings": 4}, ["ratings", "4"]),
        ({"events": []}, ["history is empty", "at least one event"]),
        ({"stars": 4}, ["stars", "unknown field"]),
        ({"features": {"clicks": float("nan")}}, ["features.clicks", "nan", "finite"]),
        ({"features": {"": 1}}, ["features", "printable"]),
        ({"attributes": {"a\x00": "b"}}, ["attributes", "printable"]),
        ({"part": "dev"}, ["part", "'dev'", "'train', 'validation' or 'test'"]),
        ({"date": "yesterday"}, ["date", "'yesterday'", "YYYY-MM-DD"]),
        ({"id": " "}, ["id", "empty"]),
        ({"group": None}, ["group", "None", "string"]),
    ],
)
def test_a_bad_example_is_refused_with_field_value_and_rule(changed, expected):
    sentence = refusal({**ROW, **changed})
    assert all(part in sentence for part in expected), sentence


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"text": ""}, ["events.0.text", "''", "empty", "leave the event out"]),
        ({"text": " \n"}, ["events.0.text", "empty"]),
        ({"text": 5}, ["events.0.text", "5", "string"]),
        ({"text": "cut \ud83d"}, ["events.0.text", "half a character", "UTF-8"]),
        ({"comment": "\udc00"}, ["events.0.comment", "half a character"]),
        ({"actor": "robot"}, ["events.0.actor", "'robot'", "'user' or 'system'"]),
        ({"dwell": -1}, ["events.0.dwell", "-1", "greater than or equal to 0"]),
        ({"dwell": float("nan")}, ["events.0.dwell", "nan", "finite"]),
        ({"price": float("inf")}, ["events.0.price", "inf", "finite"]),
        ({"position": 0}, ["events.0.position", "0", "greater than or equal to 1"]),
        ({"title": "lamp"}, ["events.0.title", "unknown field"]),
    ],
)
def test_a_bad_event_is_refused_with_field_value_and_rule(changed, expected):
    sentence = refusal(event(**changed))
    assert all(part in sentence for part in expected), sentence


def test_a_missing_field_is_named_and_a_long_value_is_cut():
    assert "ratings: this field is required" in refusal(
        {k: v for k, v in ROW.items() if k != "ratings"}
    )
    assert len(refusal({**ROW, "part": "x" * 100_000})) < 200
    assert "dictionary" in refusal([1, 2])


def test_an_example_with_a_target_may_have_an_empty_history():
    example = interactions.to_example({**ROW, "events": [], "target": EVENT})
    assert example.events == () and example.target.text == "a blue lamp"


def test_the_rating_is_the_mean_of_the_annotators_and_examples_do_not_change():
    example = interactions.to_example({**ROW, "ratings": [1, 2, 5]})
    assert example.rating == pytest.approx(8 / 3)
    with pytest.raises(AttributeError):
        example.id = "other"


def test_every_rating_of_the_half_star_scale_passes():
    assert [
        interactions.to_example({**ROW, "ratings": [r / 2]}).rating * 2 for r in range(1, 11)
    ] == list(range(1, 11))


def test_defaults_are_left_out_of_the_file_and_come_back():
    example = interactions.to_example({**event(dwell=0.0, comment="fine"), "features": {"n": 1}})
    row = interactions.compact(example)
    assert row == {**event(dwell=0.0, comment="fine"), "ratings": [4.0], "features": {"n": 1.0}}
    assert interactions.to_example(row) == example
