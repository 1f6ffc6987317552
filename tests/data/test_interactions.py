"""Examples pass the door or are refused in one sentence, and survive every file format
unchanged."""

import gzip
import json
import lzma

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satlib.data import interactions
from satlib.data.interactions import BadRow, Event, Example

FORMATS = ["log.jsonl", "log.jsonl.gz", "log.jsonl.xz", "log.parquet"]
EVENT = {"actor": "user", "action": "click", "text": "a blue lamp"}
ROW = {"id": "e1", "group": "u1", "domain": "shop", "events": [EVENT], "ratings": [4]}


def event(**changed) -> dict:
    return {**ROW, "events": [{**EVENT, **changed}]}


def refusal(row) -> str:
    """The sentence with which the door refuses a row; it has one line."""
    with pytest.raises(ValueError) as caught:
        interactions.check(row)
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
    example = interactions.check({**ROW, "events": [], "target": EVENT})
    assert example.events == () and example.target.text == "a blue lamp"


def test_the_rating_is_the_mean_of_the_annotators_and_examples_do_not_change():
    example = interactions.check({**ROW, "ratings": [1, 2, 5]})
    assert example.rating == pytest.approx(8 / 3)
    with pytest.raises(AttributeError):
        example.id = "other"


def test_every_rating_of_the_half_star_scale_passes():
    assert [
        interactions.check({**ROW, "ratings": [r / 2]}).rating * 2 for r in range(1, 11)
    ] == list(range(1, 11))


TRICKY = [
    "x" * 100_000,
    "love it 😍👩‍👩‍👧 🇨🇳",
    "这个推荐非常好，我很满意。",
    'quote " backslash \\ tab \t newline \n end',
    "line separators \u2028 \u2029 \x85 and a BOM \ufeff",
    "null \x00 byte",
    "مرحبا combining e\u0301",
]


@pytest.mark.parametrize("name", FORMATS)
def test_difficult_texts_survive_every_format(tmp_path, name):
    examples = [
        interactions.check({**event(text=text, comment=text), "id": str(i)})
        for i, text in enumerate(TRICKY)
    ]
    interactions.write_examples(examples, tmp_path / name)
    assert interactions.read_examples(tmp_path / name) == (examples, [])


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
text = words.filter(str.strip)
name_ = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
number = st.floats(allow_nan=False, allow_infinity=False)
positive = st.none() | st.floats(0, 1e300)
events = st.builds(
    Event, actor=st.sampled_from(["user", "system"]), action=text, text=text, category=words, comment=words,
    value=st.none() | number, dwell=positive, price=positive, position=st.none() | st.integers(1, 2**31 - 1),
    time=st.none() | number,
)  # fmt: skip
examples_ = st.builds(
    Example, id=text, group=text, domain=text, events=st.lists(events, min_size=1, max_size=3).map(tuple),
    ratings=st.lists(st.floats(0.5, 5), min_size=1, max_size=3).map(tuple), target=st.none() | events,
    attributes=st.dictionaries(name_, words, max_size=2), features=st.dictionaries(name_, number, max_size=2),
    date=st.none() | st.dates().map(str), part=st.sampled_from([None, "train", "validation", "test"]),
)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_any_example_survives_every_format(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("any") / name

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(examples_, max_size=3))
    def round_trip(examples):
        interactions.write_examples(examples, path)
        assert interactions.read_examples(path) == (examples, [])

    round_trip()


@pytest.mark.parametrize("name", FORMATS)
def test_equal_examples_give_equal_bytes(tmp_path, name):
    for folder in ("a", "b"):
        interactions.write_examples([interactions.check(ROW)] * 3, tmp_path / folder / name)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_endings_mean_what_they_say(tmp_path):
    example = interactions.check(ROW)
    for name in FORMATS:
        interactions.write_examples([example], tmp_path / name)
    plain = (tmp_path / "log.jsonl").read_bytes()
    assert json.loads(plain) == ROW
    assert gzip.decompress((tmp_path / "log.jsonl.gz").read_bytes()) == plain
    assert lzma.decompress((tmp_path / "log.jsonl.xz").read_bytes()) == plain
    assert (tmp_path / "log.parquet").read_bytes()[:4] == b"PAR1"
    with pytest.raises(ValueError, match=r"unknown file ending '\.csv'; choose one of \.jsonl"):
        interactions.write_examples([example], tmp_path / "log.csv")


@pytest.fixture
def broken(tmp_path):
    """A log of 8 lines, the 2nd and 5th blank, three of the others bad."""
    good = json.dumps(ROW)
    lines = [
        good,
        "",
        json.dumps({**ROW, "ratings": [7]}),
        good,
        "   ",
        '{"id": ',
        json.dumps({**ROW, "x": 1}),
        good,
    ]
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_bad_rows_are_counted_and_shown_with_their_line_numbers(broken):
    with pytest.raises(ValueError) as caught:
        interactions.read_examples(broken)
    sentence = str(caught.value)
    assert "3 bad rows" in sentence and "on_bad='skip'" in sentence and "\n" not in sentence
    assert (
        "line 3: ratings.0 = 7" in sentence
        and "line 6:" in sentence
        and "line 7: x = 1" in sentence
    )


def test_bad_rows_are_skipped_where_asked(broken):
    examples, bad = interactions.read_examples(broken, on_bad="skip")
    assert examples == [interactions.check(ROW)] * 3
    assert [row.line for row in bad] == [3, 6, 7] and "7" in bad[0].reason


def test_only_the_first_bad_rows_are_shown():
    sentence = interactions.complain("log.jsonl", [BadRow(i, "odd") for i in range(1, 1001)])
    assert "1000 bad rows" in sentence and "line 3: odd)" in sentence and "line 4" not in sentence
    assert "1 bad row (" in interactions.complain("log.jsonl", [BadRow(1, "odd")])


def test_bad_rows_of_a_parquet_file_carry_their_row_number(tmp_path):
    import pyarrow
    import pyarrow.parquet

    rows = [ROW, {**ROW, "ratings": [9]}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "log.parquet")
    examples, bad = interactions.read_examples(tmp_path / "log.parquet", on_bad="skip")
    assert examples == [interactions.check(ROW)] and [row.line for row in bad] == [2]


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_file_is_refused_by_name(tmp_path, name):
    path = tmp_path / name
    interactions.write_examples(
        [interactions.check({**ROW, "id": str(i)}) for i in range(200)], path
    )
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError) as caught:
        interactions.read_examples(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert (
        "line 200" in str(caught.value) if name == "log.jsonl" else "cut off" in str(caught.value)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_kind_and_a_missing_one_are_refused_by_name(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(FileNotFoundError, match="no file .*; check the path"):
        interactions.read_examples(path)
    path.write_bytes(b"\xff\xfe\x00 not this kind")
    with pytest.raises(ValueError, match="cut off or is no .* file in UTF-8"):
        interactions.read_examples(path)


def test_windows_line_ends_and_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "windows.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + json.dumps(ROW).encode()
        + b"\r\n\r\n"
        + json.dumps(ROW).encode()
        + b"\r\n"
    )
    assert interactions.read_examples(path) == ([interactions.check(ROW)] * 2, [])


def test_an_unknown_wish_for_bad_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown on_bad 'ignore'; choose one of refuse, skip"):
        interactions.read_examples(tmp_path / "log.jsonl", on_bad="ignore")


def test_defaults_are_left_out_of_the_file_and_come_back():
    example = interactions.check({**event(dwell=0.0, comment="fine"), "features": {"n": 1}})
    row = interactions.compact(example)
    assert row == {**event(dwell=0.0, comment="fine"), "ratings": [4.0], "features": {"n": 1.0}}
    assert interactions.check(row) == example


def test_a_dataset_has_a_column_for_each_field():
    examples = [interactions.check({**ROW, "features": {"n": 1.0}}), interactions.check(ROW)]
    table = interactions.to_dataset(examples)
    assert table.column_names == [
        "id",
        "group",
        "domain",
        "events",
        "ratings",
        "target",
        "attributes",
        "features",
        "date",
        "part",
    ]
    assert table[0]["events"][0]["text"] == "a blue lamp" and table[0]["features"]["n"] == 1.0
    assert table[1]["features"] is None and table[1]["target"] is None
