"""Examples survive every file format unchanged, and what is wrong with a file is one sentence."""

import gzip
import json
import lzma

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satlib.data import example_files, interactions
from satlib.data.interactions import BadRow, Event, Example

EVENT = {"actor": "user", "action": "click", "text": "a blue lamp"}
ROW = {"id": "e1", "group": "u1", "domain": "shop", "events": [EVENT], "ratings": [4]}

FORMATS = ["log.jsonl", "log.jsonl.gz", "log.jsonl.xz", "log.parquet"]
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
        interactions.to_example(
            {**ROW, "id": str(i), "events": [{**EVENT, "text": text, "comment": text}]}
        )
        for i, text in enumerate(TRICKY)
    ]
    example_files.write_examples(examples, tmp_path / name)
    assert example_files.read_examples(tmp_path / name) == (examples, [])


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
text = words.filter(str.strip)
name_ = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
number = st.floats(allow_nan=False, allow_infinity=False)
positive = st.none() | st.floats(0, 1e300)
events = st.builds(
    Event,
    actor=st.sampled_from(["user", "system"]),
    action=text,
    text=text,
    category=words,
    comment=words,
    value=st.none() | number,
    dwell=positive,
    price=positive,
    position=st.none() | st.integers(1, 2**31 - 1),
    time=st.none() | number,
)
examples_ = st.builds(
    Example,
    id=text,
    group=text,
    domain=text,
    events=st.lists(events, min_size=1, max_size=3).map(tuple),
    ratings=st.lists(st.floats(0.5, 5), min_size=1, max_size=3).map(tuple),
    target=st.none() | events,
    attributes=st.dictionaries(name_, words, max_size=2),
    features=st.dictionaries(name_, number, max_size=2),
    date=st.none() | st.dates().map(str),
    part=st.sampled_from([None, "train", "validation", "test"]),
)


@pytest.mark.parametrize("name", FORMATS)
def test_any_example_survives_every_format(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("any") / name

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(examples_, max_size=3))
    def round_trip(examples):
        example_files.write_examples(examples, path)
        assert example_files.read_examples(path) == (examples, [])

    round_trip()


@pytest.mark.parametrize("name", FORMATS)
def test_equal_examples_give_equal_bytes(tmp_path, name):
    for folder in ("a", "b"):
        example_files.write_examples([interactions.to_example(ROW)] * 3, tmp_path / folder / name)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_endings_mean_what_they_say(tmp_path):
    example = interactions.to_example(ROW)
    for name in FORMATS:
        example_files.write_examples([example], tmp_path / name)
    plain = (tmp_path / "log.jsonl").read_bytes()
    assert json.loads(plain) == ROW
    assert gzip.decompress((tmp_path / "log.jsonl.gz").read_bytes()) == plain
    assert lzma.decompress((tmp_path / "log.jsonl.xz").read_bytes()) == plain
    assert (tmp_path / "log.parquet").read_bytes()[:4] == b"PAR1"
    with pytest.raises(ValueError, match=r"unknown file ending '\.csv'; choose one of \.jsonl"):
        example_files.write_examples([example], tmp_path / "log.csv")


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
        example_files.read_examples(broken)
    sentence = str(caught.value)
    assert "3 bad rows" in sentence and "on_bad='skip'" in sentence and "\n" not in sentence
    assert (
        "line 3: ratings.0 = 7" in sentence
        and "line 6:" in sentence
        and "line 7: x = 1" in sentence
    )


def test_bad_rows_are_skipped_where_asked(broken):
    examples, bad = example_files.read_examples(broken, on_bad="skip")
    assert examples == [interactions.to_example(ROW)] * 3
    assert [row.line for row in bad] == [3, 6, 7] and "7" in bad[0].reason


def test_only_the_first_bad_rows_are_shown():
    sentence = example_files.complaint("log.jsonl", [BadRow(i, "odd") for i in range(1, 1001)])
    assert "1000 bad rows" in sentence and "line 3: odd)" in sentence and "line 4" not in sentence
    assert "1 bad row (" in example_files.complaint("log.jsonl", [BadRow(1, "odd")])


def test_bad_rows_of_a_parquet_file_carry_their_row_number(tmp_path):
    import pyarrow
    import pyarrow.parquet

    rows = [ROW, {**ROW, "ratings": [9]}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "log.parquet")
    examples, bad = example_files.read_examples(tmp_path / "log.parquet", on_bad="skip")
    assert examples == [interactions.to_example(ROW)] and [row.line for row in bad] == [2]


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_file_is_refused_by_name(tmp_path, name):
    path = tmp_path / name
    example_files.write_examples(
        [interactions.to_example({**ROW, "id": str(i)}) for i in range(200)], path
    )
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError) as caught:
        example_files.read_examples(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert (
        "line 200" in str(caught.value) if name == "log.jsonl" else "cut off" in str(caught.value)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_kind_and_a_missing_one_are_refused_by_name(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(FileNotFoundError, match="no file .*; check the path"):
        example_files.read_examples(path)
    path.write_bytes(b"\xff\xfe\x00 not this kind")
    with pytest.raises(ValueError, match="cut off or is no .* file in UTF-8"):
        example_files.read_examples(path)


def test_windows_line_ends_and_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "windows.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + json.dumps(ROW).encode()
        + b"\r\n\r\n"
        + json.dumps(ROW).encode()
        + b"\r\n"
    )
    assert example_files.read_examples(path) == ([interactions.to_example(ROW)] * 2, [])


def test_an_unknown_wish_for_bad_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown on_bad 'ignore'; choose one of refuse, skip"):
        example_files.read_examples(tmp_path / "log.jsonl", on_bad="ignore")


def test_a_dataset_has_a_column_for_each_field():
    examples = [
        interactions.to_example({**ROW, "features": {"n": 1.0}}),
        interactions.to_example(ROW),
    ]
    table = example_files.to_dataset(examples)
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
