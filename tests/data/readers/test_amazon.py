"""Amazon reviews: the reader on micro-files, and the hub replaced by a folder of this machine."""

import json
from functools import partial

import pytest
from amazon_reviews import PRODUCTS, REVIEWS, review, written

from satlib.data.readers import amazon, common

FIVE = partial(common.rating, low=1.0, high=5.0)


def test_the_last_review_is_judged_from_those_before_it(tmp_path):
    (example,), bad = amazon.read(written(tmp_path, REVIEWS, PRODUCTS), FIVE)
    assert not bad and (example.group, example.id, example.domain) == ("u", "u-Toys", "Toys")
    assert [(v.text, v.value) for v in example.events] == [
        (amazon.UNTITLED, 1.0),
        ("The drum", 2.0),
    ]
    assert (
        example.ratings == (5.0,)
        and example.target.text == "The kite"
        and example.target.value is None
    )
    assert (
        example.events[0].price is None
        and example.events[1].price == 9.5
        and example.date == "2065-01-24"
    )
    assert (
        example.target.comment.startswith("On kite. It was all right & long")
        and len(example.target.comment) <= 400
    )
    assert all(len(v.comment) <= 200 for v in example.events)


def test_own_review_can_be_left_out(tmp_path):
    (example,), _ = amazon.read(written(tmp_path, REVIEWS, PRODUCTS), FIVE, own_review=False)
    assert example.target.comment == "" and example.events[0].comment.startswith("On yo-yo")


def test_categories_are_judged_apart_and_can_be_chosen(tmp_path):
    other = [row | {"category": "Music_CDs"} for row in REVIEWS]
    found = written(tmp_path, REVIEWS + other, PRODUCTS)
    both, _ = amazon.read(found, FIVE)
    assert [(e.group, e.domain, len(e.events)) for e in both] == [
        ("u", "Toys", 2),
        ("u", "Music CDs", 2),
    ]
    (chosen,), _ = amazon.read(found, FIVE, category="Music_CDs")
    assert chosen.domain == "Music CDs"
    with pytest.raises(ValueError, match="no reviews of 'Books' in .*; it has Music_CDs, Toys"):
        amazon.read(found, FIVE, category="Books")


def test_malformed_rows_are_counted(tmp_path):
    rows = [
        *REVIEWS,
        "{broken",
        review("u", "kite", 1, 7),
        {"rating": 3},
        review("u", "kite", None),
        "[1]",
    ]
    examples, bad = amazon.read(written(tmp_path, rows, PRODUCTS), FIVE)
    assert sorted(row.line for row in bad) == [5, 6, 7, 8, 9] and len(examples) == 1
    reasons = {row.line: row.reason for row in bad}
    assert (
        "not a JSON object" in reasons[5]
        and "rating 7" in reasons[6]
        and "'parent_asin' is missing" in reasons[7]
    )
    assert "timestamp" in reasons[8]


def test_stream_takes_the_first_reviews_and_their_products(tmp_path, monkeypatch):
    hub = tmp_path / "hub@v1" / "raw"
    for folder, name, rows in (
        ("review_categories", "Toys", REVIEWS),
        ("meta_categories", "meta_Toys", PRODUCTS),
    ):
        (hub / folder).mkdir(parents=True)
        rows = [{k: v for k, v in row.items() if k != "category"} for row in rows]
        (hub / folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(amazon, "HUB", str(tmp_path / "hub"))
    paths = {name: tmp_path / "out" / name for name in ("reviews.jsonl", "meta.jsonl")}
    amazon.stream(paths, "Toys", 3, "v1")
    kept = [json.loads(line) for line in paths["reviews.jsonl"].read_text().splitlines()]
    assert kept == REVIEWS[:3] and paths["meta.jsonl"].read_text().count("\n") == 3
    (example,), _ = amazon.read(paths, FIVE)
    assert example.rating == 5.0
    with pytest.raises(ConnectionError, match="Nothing.jsonl could not be read"):
        amazon.stream(paths, "Nothing", 3, "v1")


def test_real_sample(real_data):
    folder = real_data / "amazon-2023-sample"
    examples, bad = amazon.read({p.name: p for p in folder.glob("*.jsonl")}, FIVE)
    assert len(examples) == 691 and {len(e.events) for e in examples} == {3} and not bad
    for example in examples:
        assert (
            all(v.time <= example.target.time for v in example.events)
            and "<br" not in example.target.comment
        )
