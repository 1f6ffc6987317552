"""Protocol D: its splits, its averages and their faults, titles replaced, ridge and the encoder on
made-up ratings."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
from sklearn.linear_model import Ridge

from satlib import record_cache
from satlib.baselines import event_steps
from satlib.data import corpora, splits
from satlib.data.interactions import Event, Example
from satlib.data.readers import amazon
from satlib.encoding import sequences
from satlib.evaluation import bootstrap, metrics
from satlib.kit import course
from satlib.models import satisfaction_model
from satlib.reproduction import protocols, rating_splits, ratings, regressors
from satlib.reproduction.regressors import Settings

DAY = 86400.0


def example(user, film, time, stars=4.0, past=(), comment="", genres="Drama / War"):
    target = Event("user", "rate", film, category=genres, time=time * DAY, comment=comment)
    events = tuple(
        Event("user", "rate", f"Film of {value}", value=value, time=0.0, comment="fine")
        for value in past
    )
    return Example(f"{user}-{film}", user, "films", events, (stars,), target)


def many(users=12, films=9, seed=0):
    """Made-up ratings: each user rates most films on days of their own, users and films have
    levels."""
    rng = np.random.default_rng(seed)
    mood, level = rng.normal(0, 0.8, users), rng.normal(0, 0.8, films)
    rows = []
    for u in range(users):
        for f in rng.permutation(films)[: rng.integers(5, films + 1)]:
            stars = float(
                np.clip(round(2 * (3 + mood[u] + level[f] + rng.normal(0, 0.3))) / 2, 0.5, 5)
            )
            rows.append(
                example(
                    f"u{u:02d}",
                    f"Title {f} (19{50 + f})",
                    int(rng.integers(1000)),
                    stars,
                    (stars, 3.0),
                )
            )
    return rows


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(
        event_steps, "embed", lambda texts: np.array([[len(t), ord(t[6])] for t in texts], float)
    )
    return rating_splits.films(corpora.Loaded("movielens", many(), "d", (0.5, 5.0), []))


# Splits


def test_the_last_rating_of_each_user_is_tested_and_the_one_before_it_validates():
    examples = many()
    parts = ratings.cut(examples, "leave-last-out")
    for user in {e.group for e in examples}:
        own = sorted((e for e in examples if e.group == user), key=lambda e: (e.target.time, e.id))
        assert [e for e in parts["test"] if e.group == user] == own[-1:]
        assert [e for e in parts["validation"] if e.group == user] == own[-2:-1]
        assert (
            sorted(
                (e for e in parts["train"] if e.group == user), key=lambda e: (e.target.time, e.id)
            )
            == own[:-2]
        )


def test_short_histories_are_trained_first():
    parts = ratings.cut(
        [example("a", "x", 1), example("b", "x", 2), example("b", "y", 1)], "leave-last-out"
    )
    assert [e.id for e in parts["train"]] == ["a-x", "b-y"] and [e.id for e in parts["test"]] == [
        "b-x"
    ]
    assert not parts["validation"]


def test_no_training_row_is_later_than_the_cut_of_global_time():
    parts = ratings.cut(many(), "global-time")
    latest = max(e.target.time for e in parts["train"])
    assert all(e.target.time >= latest for part in ("validation", "test") for e in parts[part])
    assert min(e.target.time for e in parts["test"]) >= max(
        e.target.time for e in parts["validation"]
    )


@pytest.mark.parametrize("name", ratings.SPLITS)
def test_a_split_keeps_every_row_once_and_is_the_same_again(name):
    examples = many()
    parts = ratings.cut(examples, name)
    assert sorted(e.id for rows in parts.values() for e in rows) == sorted(e.id for e in examples)
    assert all(parts.values()) and splits.checksum(parts) == splits.checksum(
        ratings.cut(examples[::-1], name)
    )
    with pytest.raises(ValueError, match="unknown split 'last'"):
        ratings.cut(examples, "last")


def test_training_rows_of_user_and_film_are_counted():
    parts = {
        "train": [example("a", "x", 1), example("a", "y", 2), example("b", "x", 1)],
        "validation": [],
        "test": [example("a", "z", 3), example("c", "x", 3)],
    }
    assert ratings.seen(parts) == {"user_rows": [2, 0], "item_rows": [0, 2]}


# Averages


def test_the_average_over_users_is_that_of_their_own_errors():
    rng = np.random.default_rng(1)
    rating, predicted, group = (
        rng.normal(3, 1, 60),
        rng.normal(3, 1, 60),
        rng.integers(0, 9, 60).astype(str),
    )
    errors = []
    for user in set(group):
        own = [(r - p) ** 2 for r, p, g in zip(rating, predicted, group, strict=True) if g == user]
        errors.append((sum(own) / len(own)) ** 0.5)
    assert np.isclose(ratings.rmse_by_user(rating, predicted, group), sum(errors) / len(errors))


def test_scores_and_their_intervals_are_those_of_the_plain_metrics_on_resampled_users():
    rng = np.random.default_rng(2)
    rating, predicted, group = rng.normal(3, 1, 80), rng.normal(3, 1, 80), rng.integers(0, 20, 80)
    found = ratings.scores(rating, predicted, group, draws=60)
    drawn = list(bootstrap.resamples(group, 60, np.random.default_rng(0)))
    for name, metric in (("rmse", metrics.rmse), ("mae", metrics.mae)):
        values = [metric(rating[at], predicted[at]) for at in drawn]
        assert np.allclose(
            found[name], [metric(rating, predicted), *np.quantile(values, bootstrap.BOUNDS)]
        )
    assert np.isclose(found["rmse_by_user"][0], ratings.rmse_by_user(rating, predicted, group))
    assert found["rmse_by_user"][1] < found["rmse_by_user"][0] < found["rmse_by_user"][2]


def test_dropping_the_unknown_makes_the_same_predictions_look_better():
    group, rating, predicted = ["a", "a", "b", "c"], [4, 4, 3, 1], [4, 2, 3.5, 4]
    everyone = (np.sqrt(4 / 2) + 0.5 + 3) / 3  # errors 0 and 2, 0.5, 3
    assert np.isclose(ratings.rmse_by_user(rating, predicted, group), everyone)
    assert np.isclose(metrics.rmse(rating, predicted), np.sqrt((4 + 0.25 + 9) / 4))
    without_c = ratings.known_only(rating, predicted, group, [2, 2, 1, 0], [3, 3, 3, 3])
    assert np.isclose(without_c, (np.sqrt(2) + 0.5) / 2) and without_c < everyone
    assert np.isclose(
        ratings.known_only(rating, predicted, group, [2, 2, 1, 0], [3, 0, 3, 3]), (0 + 0.5) / 2
    )
    assert np.isnan(ratings.known_only(rating, predicted, group, [0] * 4, [1] * 4))


def test_a_summary_averages_seeds_of_one_model(data, tmp_path):
    made = [
        rating_splits.run("rows", "mean", Settings(seed=seed), tmp_path, data) for seed in (0, 1)
    ]
    other = rating_splits.run("rows", "biases", Settings(), tmp_path, data)
    row = next(r for r in made[0].rows if (r["part"], r["metric"]) == ("test", "rmse_by_user"))
    assert np.allclose(
        ratings.summary(made, "rmse_by_user"), [row["value"], row["low"], row["high"]], atol=1e-6
    )
    both = [ratings.summary([r])[0] for r in (made[0], other)]
    assert both[0] != both[1] and np.isclose(
        ratings.summary([made[0], replace(other, model="mean")])[0], np.mean(both)
    )
    with pytest.raises(ValueError, match="not seeds of one model"):
        ratings.summary([made[0], other])


def test_the_gap_over_users_is_paired(data, tmp_path):
    one, other = (
        [rating_splits.run("rows", m, Settings(), tmp_path, data)] for m in ("biases", "mean")
    )
    value, low, high = ratings.gap_by_user(one, other)
    assert np.isclose(
        value, ratings.summary(one, "rmse_by_user")[0] - ratings.summary(other, "rmse_by_user")[0]
    )
    assert low < value < high and ratings.gap_by_user(one, one) == (0, 0, 0)
    with pytest.raises(ValueError, match="judged on different rows"):
        ratings.gap_by_user(
            one, [rating_splits.run("user-time", "mean", Settings(), tmp_path, data)]
        )


def test_records_are_read_by_data_set_and_model_and_cut_to_rows(data, tmp_path):
    made = [
        rating_splits.run("rows", "mean", Settings(seed=seed), tmp_path, data) for seed in (0, 1)
    ]
    (tmp_path / "uss-redial-A0-prior-seed0.json").write_text("of another protocol")
    assert ratings.read(tmp_path) == {("movielens-rows", "mean"): made}
    kept = [stars > 3 for stars in made[0].predictions["test"]["rating"]]
    few = ratings.only(made[0], kept).predictions["test"]
    assert min(few["rating"]) > 3 and len(few["id"]) == sum(kept) == len(few["user_rows"])


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


# Learners


def test_ridge_is_that_of_scikit_learn_on_standardised_columns():
    rng = np.random.default_rng(3)
    rows = {
        part: rng.normal(2, 3, (n, 6))
        for part, n in (("train", 80), ("validation", 30), ("test", 20))
    }
    rows["train"][:, 5] = rows["validation"][:, 5] = rows["test"][:, 5] = (
        1.0  # a constant column does no harm
    )
    truth = {part: x[:, 0] - x[:, 1] / 2 + rng.normal(0, 1, len(x)) for part, x in rows.items()}
    middle, spread = rows["train"].mean(0), np.maximum(rows["train"].std(0), 1e-9)
    values = {}
    for alpha in (0.1, 30.0, 1000.0):
        twin = Ridge(alpha=alpha).fit((rows["train"] - middle) / spread, truth["train"])
        expected = {part: twin.predict((rows[part] - middle) / spread) for part in regressors.PARTS}
        found, kept = regressors.ridge(rows, truth, (-99, 99), [alpha])
        assert kept == alpha and all(
            np.allclose(found[part], expected[part]) for part in regressors.PARTS
        )
        values[alpha] = metrics.rmse(truth["validation"], expected["validation"])
    assert regressors.ridge(rows, truth, (-99, 99), list(values))[1] == min(values, key=values.get)
    assert regressors.ridge(rows, truth, (1, 2), [0.1])[0]["test"].max() <= 2


def test_the_encoder_learns_from_so_many_rows_and_returns_every_judged_one(monkeypatch, tmp_path):
    folder, real = tiny.bert_folder(tmp_path / "bert"), satisfaction_model.build
    monkeypatch.setattr(satisfaction_model, "build", lambda **config: real(str(folder), **config))
    texts = {part: tiny.TEXTS * 4 for part in ("train", "validation", "test")}
    truth = {part: np.array([5, 1, 2, 4, 1, 3] * 4, float) for part in texts}
    features = {part: np.random.default_rng(0).normal(size=(24, 3)) for part in texts}
    for known in (None, features):
        found, curves = regressors.encoder(
            texts, truth, (1, 5), Settings(2, 8, 1e-3, 16, 20), known
        )
        assert len(curves) == 2 and curves[0]["step"] == 3 and {*found} == {"validation", "test"}
        assert all(len(p) == 24 and p.min() >= 1 and p.max() <= 5 for p in found.values())


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
def test_a_model_leaves_a_record_that_is_read_the_next_time(model, data, tmp_path, monkeypatch):
    made = rating_splits.run("user-time", model, Settings(), tmp_path, data)
    parts = ratings.cut(data.loaded.examples, "user-time")
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
    assert rating_splits.run("user-time", model, Settings(), tmp_path, data).rows == made.rows


def test_behaviour_features_do_not_know_the_row_itself(data):
    parts = ratings.cut(data.loaded.examples, "rows")
    last = max(data.loaded.examples, key=lambda e: (e.target.time, e.id))
    other = [replace(e, ratings=(0.5,)) if e is last else e for e in data.loaded.examples]
    again = rating_splits.films(replace(data.loaded, examples=other))
    for part, rows in rating_splits.crossed(data, parts).items():
        assert np.allclose(rows, rating_splits.crossed(again, parts)[part])


def test_an_unknown_model_is_refused(data):
    with pytest.raises(ValueError, match="unknown model 'bert'"):
        rating_splits.fit("bert", data, ratings.cut(data.loaded.examples, "rows"), Settings())
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


def test_committed_splits_are_those_of_the_real_ratings(real_data, root):
    folder = Path(root) / "data" / "runs" / "reproduction"
    examples = corpora.load("movielens", data_dir=real_data).examples
    for name in ratings.SPLITS:
        parts = ratings.cut(examples, name)
        ids = record_cache.load_split(f"split-movielens-{name}-D", folder)
        assert ids == {part: [e.id for e in parts[part]] for part in ("validation", "test")}
        if name == "leave-last-out":
            assert (
                len(parts["test"])
                == len(parts["validation"])
                == 610
                == len({e.group for e in parts["test"]})
            )


def test_the_modules_are_taught_with_their_lesson():
    assert {course.TAUGHT_WITH[name] for name in ("ratings", "regressors", "protocol_d")} == {"64"}
