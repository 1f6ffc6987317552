"""Rating prediction: the four splits, the averages and their faults, records of seeds, and the
committed splits."""

from dataclasses import replace

import numpy as np
import pytest
from invented_ratings import example, many

from satlib import record_cache
from satlib.data import corpora, splits
from satlib.evaluation import bootstrap, metrics
from satlib.reproduction import rating_splits, ratings
from satlib.reproduction.regressors import Settings

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


def test_a_summary_averages_seeds_of_one_model(films, tmp_path):
    made = [
        rating_splits.run("rows", "mean", Settings(seed=seed), tmp_path, films) for seed in (0, 1)
    ]
    other = rating_splits.run("rows", "biases", Settings(), tmp_path, films)
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


def test_the_gap_over_users_is_paired(films, tmp_path):
    one, other = (
        [rating_splits.run("rows", m, Settings(), tmp_path, films)] for m in ("biases", "mean")
    )
    value, low, high = ratings.gap_by_user(one, other)
    assert np.isclose(
        value, ratings.summary(one, "rmse_by_user")[0] - ratings.summary(other, "rmse_by_user")[0]
    )
    assert low < value < high and ratings.gap_by_user(one, one) == (0, 0, 0)
    with pytest.raises(ValueError, match="judged on different rows"):
        ratings.gap_by_user(
            one, [rating_splits.run("user-time", "mean", Settings(), tmp_path, films)]
        )


def test_records_are_read_by_data_set_and_model_and_cut_to_rows(films, tmp_path):
    made = [
        rating_splits.run("rows", "mean", Settings(seed=seed), tmp_path, films) for seed in (0, 1)
    ]
    (tmp_path / "uss-redial-A0-prior-seed0.json").write_text("of another protocol")
    assert ratings.read(tmp_path) == {("movielens-rows", "mean"): made}
    kept = [stars > 3 for stars in made[0].predictions["test"]["rating"]]
    few = ratings.only(made[0], kept).predictions["test"]
    assert min(few["rating"]) > 3 and len(few["id"]) == sum(kept) == len(few["user_rows"])


# Real data


def test_committed_splits_are_those_of_the_real_ratings(real_data, root):
    folder = root / "data" / "runs" / "reproduction"
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
