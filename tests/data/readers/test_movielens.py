"""MovieLens: the reader on micro-files, and on the real corpus against published counts."""

import csv
from functools import partial

import pytest
from corpus_files import written

from satlib.data.readers import common, movielens

HALF = partial(common.rating, low=0.5, high=5.0, step=0.5)


def films(folder, ratings, titles=("Long Road, The (1990)", "Éclair (2001)", "Babylon 5")):
    rows = [
        ("movieId", "title", "genres"),
        *((i, t, "Drama|War") for i, t in enumerate(titles, start=1)),
    ]
    with open(folder / "movies.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    lines = ["userId,movieId,rating,timestamp", *ratings]
    return written(folder, "ratings.csv", "\n".join(lines) + "\n") | {
        "movies.csv": folder / "movies.csv"
    }


def test_movielens_never_peeks(tmp_path):
    found = films(tmp_path, ["1,1,4.0,300", "1,2,0.5,100", "2,2,5.0,50", "1,3,3.5,100"])
    examples, bad = movielens.read(found, HALF)
    assert not bad and [(e.id.removeprefix("movielens-"), e.rating) for e in examples] == [
        ("001-0001", 0.5),
        ("001-0002", 3.5),
        ("001-0003", 4.0),
        ("002-0001", 5.0),
    ]
    last = examples[2]
    assert [(v.text, v.value) for v in last.events] == [("Éclair (2001)", 0.5), ("Babylon 5", 3.5)]
    assert last.target.text == "The Long Road (1990)" and last.target.category == "Drama / War"
    assert last.date == "1970-01-01" and last.group == "movielens-001"
    for example in examples:
        assert example.target.value is None and all(
            v.time <= example.target.time for v in example.events
        )


def test_movielens_history_is_bounded_and_shared(tmp_path):
    found = films(tmp_path, [f"1,{1 + i % 3},3.0,{i}" for i in range(12)])
    examples, _ = movielens.read(found, HALF, history=3)
    assert [len(e.events) for e in examples] == [0, 1, 2] + [3] * 9
    assert [v.time for v in examples[11].events] == [8, 9, 10]
    assert examples[4].events[-1] is examples[5].events[-2]


def test_movielens_counts_malformed_rows(tmp_path):
    examples, bad = movielens.read(
        films(tmp_path, ["1,1,7,1", "1,9,3,2", "x,1,3,3", "1,1,3", "1,2,3,4"]), HALF
    )
    assert [row.line for row in bad] == [2, 3, 4, 5] and len(examples) == 1
    assert "rating '7'" in bad[0].reason and "film 9" in bad[1].reason and "cells" in bad[3].reason


@pytest.mark.parametrize(
    "raw, natural",
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        ("Party, The (Boum, La) (1980)", "The Party (La Boum) (1980)"),
        ("Corrina, Corrina (1994)", "Corrina, Corrina (1994)"),
        ("Avventura, L' (1960)", "L'Avventura (1960)"),
        ("Chainsaw: The Beginning, The (2006)", "The Chainsaw: The Beginning (2006)"),
        ("Babylon 5 ", "Babylon 5"),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly (1966)"),
    ],
)
def test_natural_puts_the_article_in_front(raw, natural):
    assert movielens.natural(raw) == natural


def test_real_movielens(real_data):
    folder = real_data / "movielens-latest-small"
    examples, bad = movielens.read({p.name: p for p in folder.glob("*.csv")}, HALF)
    assert len(examples) == 100836 and len({e.group for e in examples}) == 610 and not bad
    assert round(sum(e.rating for e in examples) / len(examples), 3) == 3.502
    for example in examples[::997]:
        assert (
            all(v.time <= example.target.time for v in example.events) and len(example.events) <= 8
        )
