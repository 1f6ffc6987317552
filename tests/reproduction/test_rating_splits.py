"""Protocol D on invented ratings: titles replaced, own reviews left out, models, records."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from invented_ratings import example

from satlib import record_cache
from satlib.baselines import event_steps
from satlib.data import corpora
from satlib.data.readers import amazon
from satlib.encoding import sequences
from satlib.evaluation import metrics
from satlib.reproduction import protocols, rating_splits, ratings
from satlib.reproduction.regressors import Settings

# Titles and texts


def test_anonymous_names_hide_every_title_and_are_one_to_one():
    titles = [f"{word} {n} (19{n:02d})" for n in range(10, 60) for word in ("Heat", "Alien")] + [
        "Untitled"
    ]
    names = rating_splits.anonymous(titles * 2)
    assert sorted(names) == sorted(titles) and sorted(names.values()) == [
        f"Film {n:04d}" for n in range(1, 102)
    ]
    assert list(names.values()) != sorted(names.values()) and names == rating_splits.anonymous(
        titles[::-1]
    )
    years = rating_splits.anonymous(titles, years=True)
    assert all(years[t] == names[t] + (t[-7:] if t != "Untitled" else "") for t in titles)
    for row in (example("a", title, 1) for title in titles):
        text = rating_splits.film_text(row, names)
        assert (
            re.fullmatch(r"Film \d{4}, Drama, War", text) and row.target.text.split()[0] not in text
        )
    assert rating_splits.film_text(row, genres=False) == "Untitled"


def test_the_own_review_is_never_in_the_input_without_it(tmp_path):
    words = {1: "a kite", 2: "a drum", 3: "ZEBRA of a yo-yo"}
    lines = [
        {
            "rating": 2.0 + n,
            "title": "Five stars",
            "text": text,
            "user_id": "u",
            "parent_asin": f"p{n}",
            "timestamp": n * 10**12,
            "category": "Toys",
        }
        for n, text in words.items()
    ]
    files = {"meta.jsonl": tmp_path / "meta.jsonl", "reviews.jsonl": tmp_path / "reviews.jsonl"}
    products = [{"parent_asin": f"p{n}", "title": f"Thing {n}"} for n in words]
    for path, rows in zip(files.values(), (products, lines), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for own in (True, False):
        (row,), _ = amazon.read(files, float, own_review=own)
        for text in (sequences.to_text(row), " ".join(event_steps.sentences(row))):
            assert ("ZEBRA" in text) == own and "a drum" in text and "Thing 3" in text
        assert bool(rating_splits.STARS_IN_WORDS.search(row.target.comment)) == own
        assert rating_splits.earlier(row) == [
            3.5,
            4.0,
            3.0,
        ]  # of ratings 3 and 4; the one to predict is 5
    assert not rating_splits.STARS_IN_WORDS.search("a starry night, 15 starlings")


# Models


@pytest.mark.parametrize(
    "model",
    [
        "mean",
        "biases",
        "frozen-behaviour",
        "behaviour-ridge",
        "text-year-genres",
        "text-anonymous",
        "random-vector",
    ],
)
def test_a_model_leaves_a_record_that_is_read_the_next_time(model, films, tmp_path, monkeypatch):
    made = rating_splits.run("user-time", model, Settings(), tmp_path, films)
    parts = ratings.cut(films.loaded.examples, "user-time")
    columns = made.predictions["test"]
    assert (
        columns["id"] == [e.id for e in parts["test"]]
        and made.name == f"movielens-user-time-D-{model}-seed0.json"
    )
    assert {row["metric"] for row in made.rows} == set(protocols.PROTOCOLS["D"].metrics)
    for row in made.rows:
        if (row["part"], row["metric"]) == ("test", "rmse"):
            assert np.isclose(
                row["value"], metrics.rmse(columns["rating"], columns["predicted"]), atol=1e-6
            )
    assert ("user_rows" in columns) == (model == "mean")
    assert (made.parameters["encoder"] == "none") == (
        model in ("mean", "biases", "behaviour-ridge", "random-vector")
    )
    ids = record_cache.load_split("split-movielens-user-time-D", tmp_path)
    assert ids == {part: [e.id for e in parts[part]] for part in ("validation", "test")}
    monkeypatch.setattr(rating_splits, "fit", None)
    assert rating_splits.run("user-time", model, Settings(), tmp_path, films).rows == made.rows


def test_behaviour_features_do_not_know_the_row_itself(films):
    parts = ratings.cut(films.loaded.examples, "rows")
    last = max(films.loaded.examples, key=lambda e: (e.target.time, e.id))
    other = [replace(e, ratings=(0.5,)) if e is last else e for e in films.loaded.examples]
    again = rating_splits.films(replace(films.loaded, examples=other))
    for part, rows in rating_splits.crossed(films, parts).items():
        assert np.allclose(rows, rating_splits.crossed(again, parts)[part])


def test_an_unknown_model_is_refused(films):
    with pytest.raises(ValueError, match="unknown model 'bert'"):
        rating_splits.fit("bert", films, ratings.cut(films.loaded.examples, "rows"), Settings())
    with pytest.raises(ValueError, match="unknown view 'both'"):
        rating_splits.run_reviews("both", "mean", rating_splits.REVIEW_SETTINGS, "")


# Real data


def test_real_reviews_without_their_own_text(real_data, tmp_path):
    found = {}
    for view in rating_splits.VIEWS:
        loaded = corpora.load("amazon-reviews-2023", data_dir=real_data, own_review=view == "with")
        found[view] = {e.id: e for e in loaded.examples}
        made = rating_splits.run_reviews(
            view, "earlier-ratings", rating_splits.REVIEW_SETTINGS, tmp_path, str(real_data)
        )
        assert 100 < len(made.predictions["test"]["id"]) < 200
    for id, row in found["without"].items():
        told, comment = sequences.to_text(row), found["with"][id].target.comment
        again = any(
            comment in event.comment or event.comment in comment
            for event in row.events
            if event.comment
        )
        assert row.target.comment == "" and (len(comment) < 20 or again or comment not in told)
