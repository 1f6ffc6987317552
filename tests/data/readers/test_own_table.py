"""Bring your own: mappings, histories, and every kind of bad row with its line number."""

import json
from functools import partial

import pytest

from satlib.data.example_files import write_examples
from satlib.data.interactions import Event, Example
from satlib.data.readers import common, own_table

FIVE = partial(common.rating, low=1.0, high=5.0)
COLUMNS = {"group": "customer", "text": "product", "rating": "stars", "time": "day"}
TABLE = """customer,product,stars,day,remark
ann,Kettle,4,2024-03-02,fine
bob,Lamp,2,2024-01-01,dim
ann,Toaster,5,2024-03-01,
ann,壶 ☕,1.5,2024-03-03,leaks
"""


def written(folder, text, name="own.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return {name: path}


def test_rows_of_a_group_become_a_history_in_time(tmp_path):
    examples, bad = own_table.read(
        written(tmp_path, TABLE), FIVE, columns=COLUMNS | {"comment": "remark"}
    )
    assert not bad and [(e.id, e.rating) for e in examples] == [
        ("ann-0001", 5.0),
        ("ann-0002", 4.0),
        ("ann-0003", 1.5),
        ("bob-0001", 2.0),
    ]
    last = examples[2]
    assert [(v.text, v.value, v.comment) for v in last.events] == [
        ("Toaster", 5.0, ""),
        ("Kettle", 4.0, "fine"),
    ]
    assert (
        last.target.text == "壶 ☕" and last.target.value is None and last.target.comment == "leaks"
    )
    assert last.date == "2024-03-03" and last.domain == "own"


def test_without_time_the_order_of_the_file_counts(tmp_path):
    columns = {name: column for name, column in COLUMNS.items() if name != "time"}
    examples, _ = own_table.read(written(tmp_path, TABLE), FIVE, columns=columns)
    assert [v.text for v in examples[2].events] == ["Kettle", "Toaster"] and examples[
        2
    ].date is None


def test_item_is_the_title_and_text_its_comment(tmp_path):
    text = "who,what,said,stars,kind\nann,Kettle,it boils,4,shop\n"
    columns = {"group": "who", "item": "what", "text": "said", "rating": "stars", "domain": "kind"}
    (example,), _ = own_table.read(written(tmp_path, text), FIVE, columns=columns)
    assert (example.target.text, example.target.comment, example.domain) == (
        "Kettle",
        "it boils",
        "shop",
    )


def test_names_may_stand_for_themselves_and_history_is_bounded(tmp_path):
    text = "group,text,rating,id\n" + "".join(f"g,item {i},{1 + i % 5},r{i}\n" for i in range(12))
    examples, _ = own_table.read(written(tmp_path, text), FIVE, history=4)
    assert [e.id for e in examples] == [f"r{i}" for i in range(12)]
    assert [v.text for v in examples[-1].events] == [f"item {i}" for i in (7, 8, 9, 10)]


def test_jsonl_and_parquet_give_the_same(tmp_path):
    import pandas as pd

    frame = pd.read_csv(written(tmp_path, TABLE)["own.csv"])
    frame.to_json(tmp_path / "own.jsonl", orient="records", lines=True, force_ascii=False)
    frame.to_parquet(tmp_path / "own.parquet")
    expected = own_table.read({"own.csv": tmp_path / "own.csv"}, FIVE, columns=COLUMNS)
    for name in ("own.jsonl", "own.parquet"):
        assert own_table.read({name: tmp_path / name}, FIVE, columns=COLUMNS) == expected


def test_bad_rows_are_counted_with_line_and_reason(tmp_path):
    rows = [
        "customer,product,stars,day",
        "a,A,7,",
        "a,B,five,",
        "a,,3,",
        ",D,3,",
        "a,E,,",
        "a,F,3,tomorrow",
        "a,G",
        "a,H,3,2024-01-01",
    ]
    examples, bad = own_table.read(written(tmp_path, "\n".join(rows)), FIVE, columns=COLUMNS)
    assert [e.target.text for e in examples] == ["H"] and sorted(row.line for row in bad) == list(
        range(2, 9)
    )
    reasons = {row.line: row.reason for row in bad}
    expected = {
        2: "rating '7' is not allowed; write a number from 1 to 5",
        3: "rating 'five'",
        4: "the text is empty",
        5: "the group is empty",
        6: "the rating is missing",
        7: "time 'tomorrow'",
        8: "cells",
    }
    for line, part in expected.items():
        assert part in reasons[line] and "\n" not in reasons[line]


def test_an_id_may_not_occur_twice(tmp_path):
    _, bad = own_table.read(written(tmp_path, "group,text,rating,id\na,A,3,x\nb,B,4,x\n"), FIVE)
    assert [(row.line, row.reason) for row in bad] == [(3, "id 'x' occurs twice; ids are unique")]


@pytest.mark.parametrize(
    "columns, sentence",
    [
        (
            COLUMNS | {"rating": "points"},
            "has no column 'points' for the rating; it has 'customer', 'product', ",
        ),
        (
            {"text": "product"},
            r"no column 'group' for the group; .*name one of them as columns={'group': ...}",
        ),
        (
            COLUMNS | {"colour": "x"},
            "unknown column of an Example 'colour'; choose one of group, text, rating",
        ),
    ],
)
def test_a_wrong_column_is_named_with_those_there_are(tmp_path, columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        own_table.read(written(tmp_path, TABLE), FIVE, columns=columns)


def test_a_very_long_text_is_kept(tmp_path):
    (example,), bad = own_table.read(
        written(tmp_path, f"group,text,rating\na,{'long ' * 20_000},3\n"), FIVE
    )
    assert len(example.target.text) == 99_999 and not bad


@pytest.mark.parametrize("name", ["own.jsonl", "own.parquet", "own.jsonl.gz"])
def test_a_file_of_examples_is_read_as_it_is(tmp_path, name):
    seen = (Event("user", "read", "a text"),)
    examples = [
        Example(f"e{i}", "g", "own", seen, (float(rating),)) for i, rating in enumerate((1, 5, 3))
    ]
    write_examples(examples, tmp_path / name)
    assert own_table.read({name: tmp_path / name}, FIVE) == (examples, [])


def test_examples_must_keep_to_the_scale(tmp_path):
    rows = [
        {
            "id": f"e{i}",
            "group": "g",
            "domain": "d",
            "events": [{"actor": "user", "action": "read", "text": "t"}],
            "ratings": r,
        }
        for i, r in enumerate(([3.0], [9.0], [0.5, 3.0], [4.0]))
    ]
    found = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "own.jsonl")
    examples, bad = own_table.read_ready(found, FIVE)
    assert [e.id for e in examples] == ["e0", "e3"] and [row.line for row in bad] == [2, 3]
    assert "ratings" in bad[0].reason and "example 'e2': rating 0.5 is not allowed" in bad[1].reason
